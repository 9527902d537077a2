"""`conditional_writes="probe"` on every lane: after the probe a create is one request, counted on a socket."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.client import BaseClient

from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.faults import DropHeaders, Request
from remote_store.conformance.servers import moto_server
from remote_store.conformance.servers.shared import shared_seaweedfs_server
from remote_store.core import AlreadyExists, ConditionalWrites, Store
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

CREATES = 64
PROBES = ".remote-store-probe-"
BLOCKING = [S3Boto3Backend, S3FsBackend, S3PyArrowBackend]
AWAITED = [AsyncS3Boto3Backend, AsyncS3FsBackend, AsyncS3PyArrowBackend]


@pytest.fixture
def place() -> Iterator[tuple[Endpoint, str, dict[str, Any]]]:
    """SeaweedFS behind an endpoint that counts, and a new bucket."""
    with shared_seaweedfs_server() as server, Endpoint(server.url) as endpoint:
        bucket = f"probe-{secrets.token_hex(6)}"
        server.create_bucket(bucket)
        options = {"key": server.key, "secret": server.secret, "region_name": server.region, "max_connections": CREATES}
        yield endpoint, bucket, {"endpoint_url": endpoint.url, "conditional_writes": "probe", **options}


def others(endpoint: Endpoint) -> list[str]:
    """The operations of the requests that are not a probe's."""
    return [request.operation for request in endpoint.requests if not is_probe(request)]


def is_probe(request: Request) -> bool:
    return PROBES in request.path or PROBES in request.query.get("prefix", "")


@pytest.mark.parametrize("make", BLOCKING, ids=lambda make: make.__name__)
def test_64_creates_in_threads_are_one_request_each(make: Callable[..., Any], place: Any) -> None:
    endpoint, bucket, options = place
    with make(bucket, **options) as backend, ThreadPoolExecutor(CREATES) as pool:
        for round_ in range(2):
            list(pool.map(lambda number, name=round_: backend.write(f"{name}/{number}", b"x"), range(CREATES)))
            assert others(endpoint) == ["PutObject"] * CREATES
            assert any(map(is_probe, endpoint.requests)) is (round_ == 0)
            endpoint.reset()


@pytest.mark.parametrize("make", AWAITED, ids=lambda make: make.__name__)
def test_64_creates_in_tasks_are_one_request_each(make: Callable[..., Any], place: Any) -> None:
    endpoint, bucket, options = place

    async def creates() -> None:
        async with make(bucket, **options) as backend:
            for round_ in range(2):
                await asyncio.gather(*(backend.write(f"{round_}/{number}", b"x") for number in range(CREATES)))
                assert others(endpoint) == ["PutObject"] * CREATES
                assert any(map(is_probe, endpoint.requests)) is (round_ == 0)
                endpoint.reset()

    asyncio.run(creates())


def test_a_probe_on_a_socket_leaves_nothing(place: Any) -> None:
    endpoint, bucket, options = place
    with S3Boto3Backend(bucket, **options) as backend:
        backend.write("mine", b"x")
        assert [file.path for file in backend.list_files("", recursive=True)] == ["mine"]
        assert not list(backend.list_uploads(""))
    assert any(map(is_probe, endpoint.requests))


@pytest.mark.parametrize("start", [moto_server, shared_seaweedfs_server], ids=["moto", "SeaweedFS"])
def test_a_probe_leaves_no_version(start: Callable[[], Any]) -> None:
    with start() as server:
        bucket = f"versions-{secrets.token_hex(6)}"
        server.create_bucket(bucket)
        options: dict[str, Any] = {"key": server.key, "secret": server.secret, "region_name": server.region}
        with S3Boto3Backend(bucket, endpoint_url=server.url, **options) as backend:
            client = backend.unwrap(BaseClient)
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            backend.probe_conditions("folder")
            left = client.list_object_versions(Bucket=bucket)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


DROPPED = {
    "if-none-match": {"put": False, "complete": False, "copy": False},
    "if-match": {"delete": False, "swap": False, "complete_swap": False},
}


@pytest.mark.parametrize("header", DROPPED)
@pytest.mark.parametrize("make", BLOCKING, ids=lambda make: make.__name__)
def test_a_server_that_ignores_a_header_is_found_out(make: Callable[..., Any], header: str) -> None:
    """moto checks no signatures, so that the endpoint can remove the header before the server sees it."""
    with moto_server() as server, Endpoint(server.url) as endpoint:
        server.create_bucket("bucket")
        options: dict[str, Any] = {"key": server.key, "secret": server.secret, "region_name": server.region}
        with make("bucket", endpoint_url=endpoint.url, **options) as backend:
            endpoint.inject(DropHeaders((header,)), times=None)
            found = backend.probe_conditions("folder")
            assert {name: getattr(found, name) for name in DROPPED[header]} == DROPPED[header]
            assert found.put is (header != "if-none-match")
            assert not list(backend.list_files("", recursive=True))


def test_a_server_that_ignores_creates_is_looked_at_first() -> None:
    with moto_server() as server, Endpoint(server.url) as endpoint:
        server.create_bucket("bucket")
        options: dict[str, Any] = {"key": server.key, "secret": server.secret, "region_name": server.region}
        endpoint.inject(DropHeaders(("if-none-match",)), times=None)
        with S3Boto3Backend("bucket", endpoint_url=endpoint.url, conditional_writes="probe", **options) as backend:
            backend.write("a", b"old")
            with pytest.raises(AlreadyExists):
                backend.write("a", b"new")
            assert backend.read_bytes("a") == b"old"


def test_the_option_is_taken_from_a_url(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, bucket, options = place
    url = (
        f"s3+boto3://{bucket}?endpoint_url={endpoint.url}&conditional_writes=probe&region_name={options['region_name']}"
    )
    with Store.from_url(url, key=options["key"], secret=options["secret"]) as store:
        store.write("a", b"1")
        endpoint.reset()
        store.write("b", b"1")
    assert others(endpoint) == ["PutObject"]
    assert not any(map(is_probe, endpoint.requests))


def test_what_was_found_can_be_passed_on(place: Any) -> None:
    endpoint, bucket, options = place
    with S3Boto3Backend(bucket, **options | {"conditional_writes": None}) as backend:
        found = backend.probe_conditions("")
    assert isinstance(found, ConditionalWrites)
    assert found.put
    endpoint.reset()
    with S3Boto3Backend(bucket, **options | {"conditional_writes": found}) as backend:
        backend.write("a", b"1")
    assert endpoint.operations() == ["PutObject"]
