from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import MemoryBackend, Store

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def no_other_configuration(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    monkeypatch.delenv("DIE", raising=False)


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Server]:
    with seaweedfs_server() as running:
        yield running


class Place:
    """A bucket of a server behind an endpoint, and the environment that leads a project to it."""

    def __init__(self, server: Server, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
        self.endpoint, self.bucket = endpoint, f"dagster-{secrets.token_hex(8)}"
        server.create_bucket(self.bucket)
        self.options = {
            "endpoint_url": endpoint.url,
            "key": server.key,
            "secret": server.secret,
            "region_name": server.region,
        }
        for name, value in zip(("ENDPOINT", "KEY", "SECRET", "REGION"), self.options.values(), strict=True):
            monkeypatch.setenv(f"LAKE_{name}", value)
        self.url = f"s3+boto3://{self.bucket}"
        monkeypatch.setenv("LAKE_URL", self.url)

    def open(self) -> Store:
        return Store.from_url(self.url, **self.options)


@pytest.fixture
def moto_place(moto: Server, monkeypatch) -> Iterator[Place]:
    with Endpoint(moto.url) as endpoint:
        yield Place(moto, endpoint, monkeypatch)


@pytest.fixture
def seaweedfs_place(seaweedfs: Server, monkeypatch) -> Iterator[Place]:
    with Endpoint(seaweedfs.url) as endpoint:
        yield Place(seaweedfs, endpoint, monkeypatch)


@pytest.fixture(params=["moto", "seaweedfs"])
def place(request: pytest.FixtureRequest, monkeypatch) -> Iterator[Place]:
    server = request.getfixturevalue(request.param)
    with Endpoint(server.url) as endpoint:
        yield Place(server, endpoint, monkeypatch)


@pytest.fixture
def memory(monkeypatch) -> Iterator[Store]:
    """A store in memory that the project uses."""
    name = f"dagster-{secrets.token_hex(8)}"
    monkeypatch.setenv("LAKE_URL", f"memory://{name}")
    for variable in ("LAKE_ENDPOINT", "LAKE_KEY", "LAKE_SECRET", "LAKE_REGION"):
        monkeypatch.delenv(variable, raising=False)
    with Store(MemoryBackend(name)) as store:
        yield store


@pytest.fixture
def elsewhere() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the project in another process."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(HERE / "project.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run
