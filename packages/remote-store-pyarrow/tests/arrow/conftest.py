from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyarrow.fs import S3FileSystem

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import Store
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

LANES = {"pyarrow": S3PyArrowBackend, "s3fs": S3FsBackend}


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    with moto_server() as running:
        yield running


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Server]:
    with seaweedfs_server() as running:
        yield running


@pytest.fixture
def endpoint(moto: Server) -> Iterator[Endpoint]:
    with Endpoint(moto.url) as running:
        yield running


def place_of(server: Server, url: str) -> dict[str, Any]:
    return {
        "endpoint_url": url,
        "key": server.key,
        "secret": server.secret,
        "region_name": server.region,
        "conditional_writes": True,
    }


@pytest.fixture
def bucket(moto: Server) -> str:
    name = f"arrow-{secrets.token_hex(6)}"
    moto.create_bucket(name)
    return name


@pytest.fixture
def store(moto: Server, endpoint: Endpoint, bucket: str) -> Iterator[Store]:
    """A store on moto behind the endpoint that counts."""
    with Store(S3PyArrowBackend(bucket, **place_of(moto, endpoint.url))) as made:
        yield made


@pytest.fixture
def raw(moto: Server, endpoint: Endpoint) -> S3FileSystem:
    """pyarrow's own filesystem on the same endpoint."""
    return S3FileSystem(
        endpoint_override=endpoint.url.partition("://")[2],
        scheme="http",
        access_key=moto.key,
        secret_key=moto.secret,
        region=moto.region,
        request_timeout=60,
    )


@pytest.fixture(params=[f"{lane} on {server}" for lane in LANES for server in ("moto", "seaweedfs")])
def any_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store of each lane on each server."""
    lane, _, kind = request.param.partition(" on ")
    server: Server = request.getfixturevalue(kind)
    name = f"arrow-{secrets.token_hex(6)}"
    server.create_bucket(name)
    with Store(LANES[lane](name, **place_of(server, server.url)), "root") as made:
        yield made


Count = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def operations(endpoint: Endpoint) -> Count:
    def count(job: Callable[[], object]) -> list[str]:
        """The requests of a job, as `OPERATION KEY`."""
        with endpoint.recording() as requests:
            job()
        return [f"{request.operation} {request.key}" for request in requests]

    return count
