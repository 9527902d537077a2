from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import botocore.session
import pytest

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.core import RetryPolicy
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend
from remote_store.s3fs.client import Handle


@pytest.fixture(autouse=True)
def no_aws_configuration(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    name = f"s3fs-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return name


@pytest.fixture
def place(server: Server, endpoint: Endpoint) -> dict[str, Any]:
    return {"endpoint_url": endpoint.url, "key": server.key, "secret": server.secret, "region_name": server.region}


@pytest.fixture
async def make_port(place: dict[str, Any]) -> AsyncIterator[Callable[..., Any]]:
    made: list[Any] = []

    async def make(attempts: int = 1, **options: Any) -> Any:
        handle = Handle("bucket", None, {**place, "retry": RetryPolicy(attempts), **options}, asynchronous=True)
        made.append(await handle.connect("bucket"))
        return made[-1]

    yield make
    for port in made:
        await port.close()


@pytest.fixture
def make(place: dict[str, Any], bucket: str) -> Iterator[Callable[..., S3FsBackend]]:
    with ExitStack() as stack:

        def new(**options: Any) -> S3FsBackend:
            defaults = {} if "fs" in options else place
            return stack.enter_context(S3FsBackend(bucket, **{**defaults, "conditional_writes": True, **options}))

        yield new


@pytest.fixture
async def make_async(place: dict[str, Any], bucket: str) -> AsyncIterator[Callable[..., AsyncS3FsBackend]]:
    made: list[AsyncS3FsBackend] = []

    def new(**options: Any) -> AsyncS3FsBackend:
        defaults = {} if "fs" in options else place
        made.append(AsyncS3FsBackend(bucket, **{**defaults, "conditional_writes": True, **options}))
        return made[-1]

    yield new
    for backend in made:
        await backend.close()


@pytest.fixture
def plain(server: Server) -> Any:
    """A client as anybody makes one, straight to the server."""
    return botocore.session.Session().create_client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
    )


@pytest.fixture
def uploads(plain: Any, bucket: str) -> Callable[[], list[Any]]:
    """The multipart uploads that lie open in the bucket."""
    return lambda: plain.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 10
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        return condition()

    return wait


@pytest.fixture
def eventually_async() -> Callable[[Callable[[], bool]], Any]:
    async def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 10
        while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - nothing tells of the other end
            await asyncio.sleep(0.01)
        return condition()

    return wait
