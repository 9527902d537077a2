"""A server with an application over a bucket, on each lane."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import served

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import ConditionalWrites, Store

SMOKE = {
    "test_a_download[moto-s3fs]",
    "test_an_upload[moto-boto3-True]",
    "test_seeking_in_a_video_asks_for_a_range[moto-boto3]",
}
SERVERS = {"moto": moto_server, "seaweedfs": seaweedfs_server}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the few that CI runs."""
    for item in items:
        if item.name in SMOKE:
            item.add_marker(pytest.mark.smoke)


@dataclass
class Site:
    """A running application.

    Attributes:
        url: Where it is.
        store: A store on the same files.
        endpoint: Counts the requests of the application to the storage.
        seen: Notes the requests to the application.
        place: How to reach the bucket.
        bucket: The bucket.
        lane: The lane of the application.
    """

    url: str
    store: Store
    endpoint: Endpoint
    seen: served.Seen
    place: dict[str, Any]
    bucket: str
    lane: str


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]() as started:
        yield started


@pytest.fixture(scope="session")
def conditions(server: Server) -> ConditionalWrites:
    """The conditions of writes that the server honours."""
    server.create_bucket("probed")
    place = {"endpoint_url": server.url, "key": server.key, "secret": server.secret, "region_name": server.region}
    with Store(S3Boto3Backend("probed", **place)) as store:
        return store.probe_conditions("probe")


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as started:
        yield started


@pytest.fixture
def bucket(server: Server) -> str:
    name = f"asgi-{secrets.token_hex(8)}"
    server.create_bucket(name)
    return name


@pytest.fixture(params=["boto3", "s3fs"])
def site(
    request: pytest.FixtureRequest, server: Server, endpoint: Endpoint, bucket: str, conditions: ConditionalWrites
) -> Iterator[Site]:
    direct = {"endpoint_url": server.url, "key": server.key, "secret": server.secret, "region_name": server.region}
    place = {**direct, "endpoint_url": endpoint.url, "conditional_writes": conditions}
    seen = served.Seen(served.application(served.store_of(request.param, bucket, **place)))
    store = served.store_of("boto3", bucket, **{**place, **direct})
    assert isinstance(store, Store)
    with store, served.running(seen) as url:
        yield Site(url, store, endpoint, seen, place, bucket, request.param)
