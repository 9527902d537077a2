from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.session import Session

from remote_store.botocore import ClientBackend, ClientMaker, ClientPort
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.core import RetryPolicy
from remote_store.core.s3 import S3Options

CLIENTS = ClientMaker("remote-store-botocore", is_session=lambda given: False, find_methods=lambda: None)


class PlainBackend(ClientBackend):
    """A lane over botocore alone."""

    name = "s3-botocore"
    _clients = CLIENTS


@pytest.fixture
def clients() -> ClientMaker:
    return CLIENTS


@pytest.fixture
def lane() -> type[ClientBackend]:
    return PlainBackend


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    name = f"botocore-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return name


@pytest.fixture
def place(server: Server, endpoint: Endpoint) -> dict[str, Any]:
    return {"endpoint_url": endpoint.url, "key": server.key, "secret": server.secret, "region_name": server.region}


@pytest.fixture
def make_port(place: dict[str, Any]) -> Iterator[Callable[..., ClientPort]]:
    made: list[ClientPort] = []

    def make(attempts: int = 1, **options: Any) -> ClientPort:
        checked = S3Options.build(**{**place, "retry": RetryPolicy(attempts), **options})
        made.append(ClientPort(CLIENTS.client(checked), owned=True))
        return made[-1]

    yield make
    for port in made:
        port.close()


@pytest.fixture
def plain(server: Server) -> Any:
    """A client as anybody makes one, straight to the server."""
    return Session().create_client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
    )
