from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fsspec
import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint, Injection
from remote_store.conformance.faults import Call, ShortBody
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import Store


@dataclass(frozen=True)
class Place:
    """An empty folder for a test.

    Attributes:
        url: Its URL for fsspec.
        store: A store whose root it is.
        endpoint: What counts the requests to it, if it is on S3.
        aside: A store of the same folder whose requests do not count.
    """

    url: str
    store: Store
    endpoint: Endpoint | None = None
    aside: Store | None = None

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        """A filesystem over the store."""
        return fsspec.filesystem("remote-store", store=self.store)

    def names(self) -> list[str]:
        """The paths of all files, in order."""
        return sorted(info.path for info in self.store.list_files(recursive=True))

    def replace_after(self, reads: int, path: str, content: bytes, *, broken_after: int = 0) -> Injection:
        """Replace a file when it has been read with a number of requests, before the next one.

        Args:
            reads: The number of requests.
            path: The file.
            content: Its new content.
            broken_after: Let the connection of the first request break after so many bytes, so that a read that needs
                only one request needs another.
        """
        assert self.endpoint is not None
        assert self.aside is not None
        aside = self.aside
        of_this = {"operation": "GetObject", "match": lambda request: request.key.endswith(path)}
        if broken_after:
            self.endpoint.inject(ShortBody(broken_after), **of_this)
        return self.endpoint.inject(Call(lambda _: aside.write(path, content, overwrite=True)), after=reads, **of_this)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gpu: what `zarr.testing` marks so")


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Server]:
    with seaweedfs_server() as server:
        yield server


@contextlib.contextmanager
def bucket_on(server: Server, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Place]:
    """A folder in a new bucket, which the environment leads to."""
    name = f"bucket-{secrets.token_hex(4)}"
    server.create_bucket(name)
    with Endpoint(server.url) as endpoint:
        for variable, value in {
            "AWS_ENDPOINT_URL_S3": endpoint.url,
            "AWS_ACCESS_KEY_ID": server.key,
            "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_REGION": server.region,
            "AWS_DEFAULT_REGION": server.region,
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        }.items():
            monkeypatch.setenv(variable, value)
        url = f"s3+boto3://{name}/lake"
        with Store.from_url(url) as store, Store(S3Boto3Backend(name, endpoint_url=server.url), "lake") as aside:
            yield Place(f"remote-store+{url}", store, endpoint, aside)


@pytest.fixture(params=["memory", "moto", "seaweedfs"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    """A folder on each kind of store."""
    if request.param != "memory":
        with bucket_on(request.getfixturevalue(request.param), monkeypatch, tmp_path) as folder:
            yield folder
        return
    url = f"memory://bucket-{secrets.token_hex(4)}/lake"
    with Store.from_url(url) as store:
        yield Place(f"remote-store+{url}", store)


@pytest.fixture(params=["moto", "seaweedfs"])
def s3(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    """A folder on each S3 server."""
    with bucket_on(request.getfixturevalue(request.param), monkeypatch, tmp_path) as folder:
        yield folder
