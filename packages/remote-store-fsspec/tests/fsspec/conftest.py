from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import AsyncStore, Store
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

SERVERS = {"moto": moto_server, "seaweedfs": seaweedfs_server}
LANES = {"boto3": S3Boto3Backend, "s3fs": S3FsBackend, "pyarrow": S3PyArrowBackend, "async": AsyncS3FsBackend}


@pytest.fixture(scope="session", params=SERVERS)
def server(request) -> Iterator[Server]:
    with SERVERS[request.param]() as running:
        yield running


@pytest.fixture(scope="session")
def place(server: Server) -> dict[str, Any]:
    """A bucket, and how to reach it."""
    name = f"fsspec-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return {
        "bucket": name,
        "endpoint_url": server.url,
        "key": server.key,
        "secret": server.secret,
        "region_name": server.region,
        "conditional_writes": True,
    }


@pytest.fixture(scope="session", params=LANES)
def lane(request) -> str:
    return request.param


def made(lane: str, place: dict[str, Any]) -> Any:
    """A store of a lane."""
    backend = LANES[lane](**place)
    return AsyncStore(backend) if lane == "async" else Store(backend)


def closed(fs: Any) -> None:
    """Close the store of a filesystem, in the event loop that it uses."""
    fs.run(fs.store.close)


@pytest.fixture(scope="session")
def shared(lane: str, place: dict[str, Any]) -> Iterator[Any]:
    """A filesystem over a bucket that tests share."""
    fs = fsspec.filesystem("remote-store", store=made(lane, place), copy_globs=True)
    yield fs
    closed(fs)


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    """What counts the requests to the server."""
    with Endpoint(server.url) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    """An empty bucket."""
    name = f"fsspec-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return name


@pytest.fixture
def fs(lane: str, place: dict[str, Any], bucket: str, endpoint: Endpoint) -> Iterator[Any]:
    """A filesystem over an empty bucket, whose requests are counted."""
    fs = fsspec.filesystem("remote-store", store=made(lane, {**place, "bucket": bucket, "endpoint_url": endpoint.url}))
    yield fs
    closed(fs)
