"""What every lane reports of its requests, over a server on loopback."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.faults import Answer, Early, ShortBody, Stall
from remote_store.conformance.s3 import MOTO, AsyncS3Harness, S3Harness, started
from remote_store.core import AsyncBackend, Backend, BackendUnavailable, NotFound, RequestEvent, RetryPolicy
from remote_store.s3fs import AsyncS3FsBackend

SEEN: list[RequestEvent] = []
DATA = bytes(range(256)) * 4096


def keep(event: RequestEvent) -> None:
    SEEN.append(event)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    SEEN.clear()
    _, endpoint = started(MOTO.server)
    endpoint.reset()
    yield
    endpoint.reset()


@pytest.fixture
def harness(lane: Callable[..., Backend]) -> S3Harness:
    return S3Harness(lane, MOTO)


@pytest.fixture
def async_harness(async_lane: Callable[..., AsyncBackend]) -> AsyncS3Harness:
    return AsyncS3Harness(async_lane, MOTO)


def spoil(harness: S3Harness | AsyncS3Harness) -> None:
    """Let the first HEAD be answered late, and break the first body."""
    harness.endpoint.inject(Answer(503, "SlowDown"), operation="HeadObject")
    harness.endpoint.inject(ShortBody(after_bytes=300_000), operation="GetObject")


def check(harness: S3Harness | AsyncS3Harness, log: str) -> None:
    put, head, missed, first, resumed = SEEN
    assert {(event.bucket, event.backend) for event in SEEN} == {(harness.bucket, head.backend)}
    assert (put.operation, put.key, put.status, put.bytes, put.attempts) == ("PutObject", "a", 200, len(DATA), 1)
    assert (head.operation, head.status, head.bytes, head.attempts) == ("HeadObject", 200, 0, 2)
    assert (missed.operation, missed.status, missed.error) == ("HeadObject", 404, "404")
    assert (first.operation, first.status, first.bytes, first.attempts) == ("GetObject", 200, len(DATA), 1)
    assert resumed.resumed_at is not None
    assert 0 <= resumed.resumed_at <= 300_000
    assert (resumed.status, resumed.bytes) == (206, len(DATA) - resumed.resumed_at)
    levels = [logging.DEBUG, logging.WARNING, logging.DEBUG, logging.DEBUG, logging.WARNING]
    assert [event.level for event in SEEN] == levels
    assert all(event.request_id for event in SEEN if event is not missed)
    assert all(event.milliseconds > 0 for event in SEEN)
    assert all(str(event) in log for event in SEEN)
    for secret in (started(MOTO.server)[0].secret, "HIDDEN", "Signature", "http:"):
        assert secret not in log


def test_a_lane_reports_its_requests(harness: S3Harness, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "remote_store")
    with pickle.loads(pickle.dumps(harness.make(on_event=keep, retry=RetryPolicy(3)))) as backend:
        backend.write("a", DATA, overwrite=True, metadata={"name": "HIDDEN"})
        spoil(harness)
        assert backend.is_file("a")
        assert not backend.is_file("b")
        assert backend.read_bytes("a") == DATA
    check(harness, caplog.text)


async def test_an_async_lane_reports_its_requests(async_harness: AsyncS3Harness, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "remote_store")
    async with async_harness.make(on_event=keep, retry=RetryPolicy(3)) as backend:
        await backend.write("a", DATA, overwrite=True, metadata={"name": "HIDDEN"})
        spoil(async_harness)
        assert await backend.is_file("a")
        assert not await backend.is_file("b")
        assert await backend.read_bytes("a") == DATA
    check(async_harness, caplog.text)


def test_a_read_that_was_sent_again_over_other_connections_is_late() -> None:
    harness = S3Harness(S3Boto3Backend, MOTO)
    harness.oracle.raw_put("a", b"1")
    with harness.make(on_event=keep) as backend:
        harness.endpoint.inject(Early(103), operation="HeadObject")
        assert backend.is_file("a")
    assert [(event.attempts, event.level) for event in SEEN] == [(2, logging.WARNING)]


def test_no_password_of_a_proxy_is_reported(lane: Callable[..., Backend], caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "remote_store")
    config = Config(proxies={"http": "http://user:HIDDEN@127.0.0.1:9"})
    options = {"key": "k", "secret": "s", "region_name": "us-east-1", "client_options": {"config": config}}
    with (
        lane(
            "bucket", endpoint_url="http://s3.example.org", on_event=keep, retry=RetryPolicy.disabled(), **options
        ) as backend,
        pytest.raises(BackendUnavailable),
    ):
        backend.read_bytes("a")
    [event] = SEEN
    assert (event.status, event.bytes, event.attempts) == (None, 0, 1)
    assert event.error is not None
    assert "HIDDEN" not in caplog.text + repr(event)


async def test_a_cancelled_request_is_reported() -> None:
    harness = AsyncS3Harness(AsyncS3FsBackend, MOTO)
    harness.endpoint.inject(Stall(5), operation="HeadObject")
    async with harness.make(on_event=keep) as backend:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await backend.is_file("a")
        assert [(event.operation, event.error) for event in SEEN] == [("HeadObject", "CancelledError")]


def test_a_lane_refuses_what_cannot_be_called(lane: Any, async_lane: Any) -> None:
    for make in (lane, async_lane):
        with pytest.raises(TypeError, match="on_event"):
            make("bucket", on_event="print")


def test_a_client_of_the_user_is_reported_too() -> None:
    server, endpoint = started(MOTO.server)
    harness = S3Harness(S3Boto3Backend, MOTO)
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint.url,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
    )
    with S3Boto3Backend(harness.bucket, client=client, on_event=keep) as backend, pytest.raises(NotFound):
        backend.read_bytes("none")
    assert (SEEN[0].operation, SEEN[0].error) == ("GetObject", "NoSuchKey")
