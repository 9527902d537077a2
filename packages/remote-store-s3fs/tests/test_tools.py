"""Tools that reach into aiobotocore find our clients as they find any: made before the tool begins, and inside.

`moto.mock_aws` is not here: it reads requests as botocore writes them, and aiobotocore's have to be awaited (moto 5.2).
s3fs works with moto's server only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import aiobotocore.client
import aiobotocore.endpoint
import pytest
from aiobotocore.session import AioSession
from aiobotocore.stub import AioStubber
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.ext.aiobotocore import patch as patch_for_xray
from botocore.config import Config
from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from s3fs import S3FileSystem

from remote_store.conformance.faults import Answer
from remote_store.conformance.processes.pauses import short_pauses
from remote_store.core import NotFound, RetryPolicy
from remote_store.s3fs import AsyncS3FsBackend

OPERATIONS = ["PutObject", "GetObject", "HeadObject", "ListObjectsV2", "HeadObject", "DeleteObject"]
EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "needs-retry",
    "before-parse",
    "after-call",
    "after-call-error",
)

each_time = pytest.mark.parametrize("made", ["before", "inside"])


@pytest.fixture(autouse=True)
def pauses() -> Iterator[None]:
    with short_pauses():
        yield


async def client_of(backend: AsyncS3FsBackend) -> Any:
    return await backend.unwrap(S3FileSystem).set_session()


async def use(backend: AsyncS3FsBackend) -> None:
    """Ask for `OPERATIONS`."""
    await backend.write("k", b"data", overwrite=True)
    assert await backend.read_bytes("k") == b"data"
    assert (await backend.get_file_info("k")).size == 4
    assert [info.path async for info in backend.list_files("")] == ["k"]
    await backend.delete("k")


@each_time
async def test_opentelemetry_sees_every_call(make_async: Any, made: str) -> None:
    exporter, provider, instrumentor = InMemorySpanExporter(), TracerProvider(), AiobotocoreInstrumentor()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    backend = make_async()
    if made == "before":
        await client_of(backend)
    instrumentor.instrument(tracer_provider=provider)
    try:
        await use(backend)
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == [f"S3.{name}" for name in OPERATIONS]


class Kept:
    """In place of what sends segments to a daemon."""

    def send_entity(self, entity: Any) -> None:
        pass


@pytest.fixture
def xray(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    # X-Ray has no way back from its patch.
    for kind, name in (
        (aiobotocore.client.AioBaseClient, "_make_api_call"),
        (aiobotocore.endpoint.AioEndpoint, "prepare_request"),
    ):
        monkeypatch.setattr(kind, name, getattr(kind, name))
    yield patch_for_xray
    del aiobotocore.client._xray_enabled


@each_time
async def test_xray_sees_every_call(make_async: Any, endpoint: Any, xray: Callable[[], None], made: str) -> None:
    xray_recorder.configure(
        sampling=False, service="test", emitter=Kept(), context=AsyncContext(use_task_factory=False)
    )
    backend = make_async()
    if made == "before":
        await client_of(backend)
    xray()
    try:
        async with xray_recorder.in_segment_async("test") as segment:
            await use(backend)
            assert [part.aws["operation"] for part in segment.subsegments] == OPERATIONS
    finally:
        xray_recorder.configure(context=Context())
    assert all("x-amzn-trace-id" in request.headers for request in endpoint.requests)


@each_time
async def test_a_stubber_answers_in_place_of_the_service(
    make_async: Any, endpoint: Any, bucket: str, made: str
) -> None:
    backend = make_async()
    if made == "before":
        await use(backend)
    endpoint.reset()
    with AioStubber(await client_of(backend)) as stubber:
        there = {"Bucket": bucket, "Key": "k", "ChecksumMode": "ENABLED"}
        stubber.add_response("head_object", {"ContentLength": 4, "ETag": '"e"'}, there)
        stubber.add_response("list_objects_v2", {"IsTruncated": False, "Contents": [{"Key": "a", "Size": 1}]})
        stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        assert (await backend.get_file_info("k")).etag == "e"
        assert [info.path async for info in backend.list_files("")] == ["a"]
        with pytest.raises(NotFound):
            await backend.read_bytes("k")
        stubber.assert_no_pending_responses()
    assert endpoint.count() == 0
    await use(backend)


async def heard(client: Any, work: Callable[[], Awaitable[object]]) -> list[str]:
    """The events of a client that handlers of its user's meet."""
    events: list[str] = []

    def listen(event_name: str, **_: Any) -> None:
        events.append(event_name)

    for event in EVENTS:
        client.meta.events.register(f"{event}.s3", listen, unique_id=event)
    try:
        await work()
    finally:
        for event in EVENTS:
            client.meta.events.unregister(f"{event}.s3", unique_id=event)
    return events


def call_each(client: Any, bucket: str) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await client.put_object(Bucket=bucket, Key="k", Body=b"data")
        async with (await client.get_object(Bucket=bucket, Key="k"))["Body"] as body:
            assert await body.read() == b"data"
        await client.head_object(Bucket=bucket, Key="k")
        assert (await client.list_objects_v2(Bucket=bucket))["KeyCount"] == 1
        await client.delete_object(Bucket=bucket, Key="k")
        with pytest.raises(client.exceptions.NoSuchKey):
            await client.get_object(Bucket=bucket, Key="k")

    return work


@pytest.fixture
async def raw(place: dict[str, Any]) -> AsyncIterator[Any]:
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, s3={"addressing_style": "path"})
    async with AioSession().create_client(
        "s3",
        endpoint_url=place["endpoint_url"],
        region_name=place["region_name"],
        aws_access_key_id=place["key"],
        aws_secret_access_key=place["secret"],
        config=config,
    ) as client:
        yield client


async def test_handlers_on_the_client_of_the_handle_meet_every_request_as_with_aiobotocore(
    make_async: Any, raw: Any, bucket: str, endpoint: Any
) -> None:
    backend = make_async(retry=RetryPolicy(3))
    # The backend closes the client once it has worked with it.
    await backend.check_health()
    ours = await client_of(backend)
    for _ in range(2):
        expected = await heard(raw, call_each(raw, bucket))
        assert await heard(ours, call_each(ours, bucket)) == expected
        assert len([event for event in expected if event.startswith("before-send")]) == 6
    retried = []
    for client in (raw, ours):
        await client.put_object(Bucket=bucket, Key="k")
        endpoint.inject(Answer(503, "SlowDown"), operation="HeadObject", times=2)
        retried.append(await heard(client, partial(client.head_object, Bucket=bucket, Key="k")))
    assert retried[1] == retried[0]
    assert retried[0].count("before-send.s3.HeadObject") == 3


async def test_handlers_on_the_client_of_the_handle_meet_every_request_of_the_backend(
    make_async: Any, endpoint: Any
) -> None:
    backend = make_async(retry=RetryPolicy(3))
    client = await client_of(backend)
    await use(backend)
    for _ in range(2):
        endpoint.inject(Answer(503, "SlowDown"), operation="GetObject", times=2)
        events = await heard(client, partial(use, backend))
        sent = [event.removeprefix("before-send.s3.") for event in events if event.startswith("before-send")]
        assert sent == ["PutObject", "GetObject", "GetObject", *OPERATIONS[1:]]
        assert len([event for event in events if event.startswith("after-call")]) == len(OPERATIONS)
