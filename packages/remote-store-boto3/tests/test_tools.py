"""Tools that reach into botocore find our clients as they find boto3's own: made before the tool begins, and inside."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import botocore.client
import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.botocore import patch as patch_for_xray
from botocore.client import BaseClient
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.faults import Answer
from remote_store.core import NotFound, RetryPolicy

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


def made_before(backend: S3Boto3Backend, made: str) -> None:
    """Have the backend make its client now, or when it needs one."""
    if made == "before":
        backend.unwrap(BaseClient)


def use(backend: S3Boto3Backend) -> None:
    """Ask for `OPERATIONS`."""
    backend.write("k", b"data", overwrite=True)
    assert backend.read_bytes("k") == b"data"
    assert backend.get_file_info("k").size == 4
    assert [info.path for info in backend.list_files("")] == ["k"]
    backend.delete("k")


@each_time
def test_opentelemetry_sees_every_call(place: dict[str, Any], bucket: str, made: str) -> None:
    exporter, provider, instrumentor = InMemorySpanExporter(), TracerProvider(), BotocoreInstrumentor()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    backend = S3Boto3Backend(bucket, **place)
    made_before(backend, made)
    instrumentor.instrument(tracer_provider=provider)
    try:
        use(backend)
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == [f"S3.{name}" for name in OPERATIONS]
    use(backend)
    assert len(exporter.get_finished_spans()) == len(OPERATIONS)


class Kept:
    """In place of what sends segments to a daemon."""

    def send_entity(self, entity: Any) -> None:
        pass


@pytest.fixture
def xray(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    # X-Ray has no way back from its patch.
    monkeypatch.setattr(BaseClient, "_make_api_call", BaseClient._make_api_call)
    monkeypatch.setattr(Endpoint, "prepare_request", Endpoint.prepare_request)
    xray_recorder.configure(sampling=False, service="test", emitter=Kept())
    yield patch_for_xray
    del botocore.client._xray_enabled


@each_time
def test_xray_sees_every_call(
    place: dict[str, Any], bucket: str, endpoint: Any, xray: Callable[[], None], made: str
) -> None:
    backend = S3Boto3Backend(bucket, **place)
    made_before(backend, made)
    xray()
    with xray_recorder.in_segment("test") as segment:
        use(backend)
        assert [part.aws["operation"] for part in segment.subsegments] == OPERATIONS
    assert all("x-amzn-trace-id" in request.headers for request in endpoint.requests)


@each_time
@pytest.mark.parametrize("theirs", [False, True], ids=["our_client", "their_client"])
def test_a_stubber_answers_in_place_of_the_service(
    place: dict[str, Any], bucket: str, plain: Any, endpoint: Any, made: str, theirs: bool
) -> None:
    backend = S3Boto3Backend(bucket, client=plain) if theirs else S3Boto3Backend(bucket, **place)
    if made == "before":
        use(backend)
    endpoint.reset()
    with Stubber(backend.unwrap(BaseClient)) as stubber:
        there = {"Bucket": bucket, "Key": "k", "ChecksumMode": "ENABLED"}
        body = StreamingBody(io.BytesIO(b"data"), 4)
        stubber.add_response(
            "get_object", {"Body": body, "ContentLength": 4, "ETag": '"e"'}, {**there, "ChecksumMode": "ENABLED"}
        )
        stubber.add_response("head_object", {"ContentLength": 4, "ETag": '"e"'}, there)
        stubber.add_response("list_objects_v2", {"IsTruncated": False, "Contents": [{"Key": "a", "Size": 1}]})
        stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        assert backend.read_bytes("k") == b"data"
        assert backend.get_file_info("k").etag == "e"
        assert [info.path for info in backend.list_files("")] == ["a"]
        with pytest.raises(NotFound):
            backend.read_bytes("k")
        stubber.assert_no_pending_responses()
    assert endpoint.count() == 0
    use(backend)


@each_time
def test_moto_answers_in_this_process(monkeypatch: pytest.MonkeyPatch, made: str) -> None:
    place = {"region_name": "us-east-1", "key": "k", "secret": "s"}
    backend = S3Boto3Backend("bucket", **place)
    made_before(backend, made)
    with mock_aws():
        boto3.session.Session().client("s3", region_name="us-east-1").create_bucket(Bucket="bucket")
        use(backend)
        backend.write("large", io.BytesIO(bytes(9_000_000)), overwrite=True)
        with backend.read("large") as stream:
            assert len(stream.read(100)) == 100
            assert len(stream.read()) == 9_000_000 - 100
        backend.copy("large", "copy")
        backend.delete_folder("none", missing_ok=True)
        with pytest.raises(NotFound):
            backend.read_bytes("k")


def heard(client: Any, work: Callable[[], object]) -> list[str]:
    """The events of a client that handlers of its user's meet."""
    events: list[str] = []

    def listen(event_name: str, **_: Any) -> None:
        events.append(event_name)

    for event in EVENTS:
        client.meta.events.register(f"{event}.s3", listen, unique_id=event)
    try:
        work()
    finally:
        for event in EVENTS:
            client.meta.events.unregister(f"{event}.s3", unique_id=event)
    return events


def call_each(client: Any, bucket: str) -> Callable[[], None]:
    def work() -> None:
        client.put_object(Bucket=bucket, Key="k", Body=b"data")
        assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
        client.head_object(Bucket=bucket, Key="k")
        assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
        client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
        client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}]})
        client.delete_object(Bucket=bucket, Key="k")
        with pytest.raises(client.exceptions.NoSuchKey):
            client.get_object(Bucket=bucket, Key="k")

    return work


def raw(place: dict[str, Any]) -> Any:
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, s3={"addressing_style": "path"})
    return boto3.session.Session().client(
        "s3",
        endpoint_url=place["endpoint_url"],
        region_name=place["region_name"],
        aws_access_key_id=place["key"],
        aws_secret_access_key=place["secret"],
        config=config,
    )


def test_handlers_on_an_unwrapped_client_meet_every_request_as_with_boto3(
    place: dict[str, Any], bucket: str, endpoint: Any, no_waiting: None
) -> None:
    backend = S3Boto3Backend(bucket, **place, retry=RetryPolicy(3))
    theirs, ours = raw(place), backend.unwrap(BaseClient)
    for _ in range(2):
        expected = heard(theirs, call_each(theirs, bucket))
        assert heard(ours, call_each(ours, bucket)) == expected
        assert len([event for event in expected if event.startswith("before-send")]) == 8
    retried = []
    for client in (theirs, ours):
        client.put_object(Bucket=bucket, Key="k")
        endpoint.inject(Answer(503, "SlowDown"), operation="HeadObject", times=2)
        retried.append(heard(client, partial(client.head_object, Bucket=bucket, Key="k")))
    assert retried[1] == retried[0]
    assert retried[0].count("before-send.s3.HeadObject") == 3


def test_handlers_on_an_unwrapped_client_meet_every_request_of_the_backend(
    place: dict[str, Any], bucket: str, endpoint: Any, no_waiting: None
) -> None:
    backend = S3Boto3Backend(bucket, **place, retry=RetryPolicy(3))
    client = backend.unwrap(BaseClient)
    use(backend)
    for _ in range(2):
        endpoint.inject(Answer(503, "SlowDown"), operation="GetObject", times=2)
        events = heard(client, lambda: use(backend))
        sent = [event.removeprefix("before-send.s3.") for event in events if event.startswith("before-send")]
        assert sent == ["PutObject", "GetObject", "GetObject", *OPERATIONS[1:]]
        assert len([event for event in events if event.startswith("needs-retry")]) == len(sent)
        assert len([event for event in events if event.startswith("after-call")]) == len(OPERATIONS)
