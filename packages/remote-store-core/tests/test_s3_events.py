"""What an S3 backend reports of its requests, sync and async."""

from __future__ import annotations

import io
import logging
import pickle
from contextlib import suppress
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    PreconditionFailed,
    RemoteStoreError,
    RequestEvent,
    RetryPolicy,
)
from remote_store.core.s3 import Call, Fault, S3Backend, S3Options

MIB = 1024 * 1024
SECRETS = ("HIDDEN", "Signature", "token")


@pytest.fixture
def seen() -> list[RequestEvent]:
    return []


@pytest.fixture
def watched(open_lane: Any, seen: list[RequestEvent]) -> Any:
    return open_lane(on_event=seen.append)


def told(events: list[RequestEvent]) -> list[tuple[Any, ...]]:
    return [(event.operation, event.key, event.bytes) for event in events]


def test_each_request_is_reported(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    watched.write("a", b"12345", metadata={"name": "HIDDEN"})
    assert watched.read_bytes("a") == b"12345"
    assert watched.read_range("a", 1, 3) == b"234"
    assert not watched.is_file("b")
    watched.list_files("d")
    watched.copy("a", "c")
    watched.delete("c")
    assert [event.operation for event in seen] == s3.operations()
    assert told(seen) == [
        ("PutObject", "a", 5),
        ("GetObject", "a", 5),
        ("GetObject", "a", 3),
        ("HeadObject", "b", 0),
        ("ListObjectsV2", "d/", 0),
        ("HeadObject", "a", 0),
        ("CopyObject", "c", 0),
        ("HeadObject", "c", 0),
        ("DeleteObject", "c", 0),
    ]
    for event in seen:
        assert (event.backend, event.bucket, event.attempts, event.resumed_at) == ("s3", "bucket", 1, None)
        assert 0 <= event.milliseconds < 60_000
    missed = seen[3]
    assert (missed.status, missed.error) == (404, "404")
    assert missed.request_id is not None
    assert "HIDDEN" not in "".join(map(str, seen))


def test_each_part_and_each_range_is_reported(open_lane: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    lane = open_lane(on_event=seen.append, part_size=5 * MIB)
    data = bytes(21 * MIB)
    lane.write("a", io.BytesIO(data))
    parts = [event.bytes for event in seen if event.operation == "UploadPart"]
    assert sorted(parts) == [MIB, *[5 * MIB] * 4]
    seen.clear()
    assert lane.read_bytes("a") == data
    assert len(seen) == len([name for name in s3.operations() if name == "GetObject"]) > 2
    assert sum(event.bytes for event in seen) >= len(data)


def test_a_request_without_a_key_is_reported(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    s3.put("d/a")
    s3.put("d/b")
    watched.delete_folder("d", recursive=True)
    assert ("DeleteObjects", None, 0) in told(seen)


def test_a_refusal_is_reported_by_its_code(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    s3.put("a")
    with pytest.raises(AlreadyExists) as caught:
        watched.write("a", b"1")
    assert (seen[0].operation, seen[0].status, seen[0].error) == ("PutObject", 412, "PreconditionFailed")
    assert seen[0].request_id == caught.value.request_id


def test_a_response_that_proves_nothing_is_reported_as_an_error(
    watched: Any, s3: FakeS3, seen: list[RequestEvent]
) -> None:
    def broken(call: Call, answer: dict[str, Any]) -> None:
        answer.clear()

    s3.after = broken  # type: ignore[assignment]
    with pytest.raises(RemoteStoreError):
        watched.copy("a", "b") if s3.put("a") else None
    assert seen[-1].error in ("BrokenAnswer", "NotS3")


@pytest.mark.parametrize("code", ["Bad\x1b[2J\r\nCode", "C" * 5000])
def test_text_of_the_server_is_escaped_and_cut(watched: Any, s3: FakeS3, seen: list[RequestEvent], code: str) -> None:
    def refuse(call: Call) -> None:
        raise Fault(code, 400, "message", "id\x1b" + "R" * 5000)

    s3.before = refuse
    with pytest.raises(RemoteStoreError):
        watched.read_bytes("a")
    [event] = seen
    assert str(event).isprintable()
    assert len(str(event)) < 3000


def test_no_text_of_an_exception_is_reported(watched: Any, s3: FakeS3, seen: list[RequestEvent], caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "remote_store")

    def fail(call: Call) -> None:
        message = "Failed to connect to proxy URL http://user:HIDDEN@proxy and /a?X-Amz-Signature=HIDDEN&token=HIDDEN"
        raise Fault("ProxyConnectionError", message=message, transport=True, attempts=5)

    s3.before = fail
    with pytest.raises(BackendUnavailable):
        watched.read_bytes("a")
    [event] = seen
    assert (event.error, event.status, event.attempts, event.level) == ("ProxyConnectionError", None, 5, logging.DEBUG)
    for text in (repr(event), caplog.text):
        assert not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize("fault", [Fault("NoCredentialsError", credentials=True), Fault("Bad", configuration=True)])
def test_a_request_that_was_never_sent_has_no_attempts(
    watched: Any, s3: FakeS3, seen: list[RequestEvent], fault: Fault
) -> None:
    def fail(call: Call) -> None:
        raise fault

    s3.before = fail
    with pytest.raises(RemoteStoreError):
        watched.read_bytes("a")
    assert [event.attempts for event in seen] == [0]


def test_a_success_after_retries_of_the_sdk_is_a_warning(
    watched: Any, s3: FakeS3, seen: list[RequestEvent], caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "remote_store")

    def late(call: Call, answer: dict[str, Any]) -> None:
        answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "RequestId": "R1", "RetryAttempts": 2}

    s3.after = late  # type: ignore[assignment]
    s3.put("a", b"1")
    assert watched.read_bytes("a") == b"1"
    assert [(event.attempts, event.request_id, event.status) for event in seen] == [(3, "R1", 200)]
    [record] = caplog.records
    assert (record.name, record.levelno) == ("remote_store", logging.WARNING)
    assert "attempts=3" in record.getMessage()


def test_a_success_after_a_conflict_is_a_warning(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    left = [Fault("ConditionalRequestConflict", 409, attempts=2), Fault("ConditionalRequestConflict", 409)]

    def conflict(call: Call) -> None:
        if call.operation == "PutObject" and left:
            raise left.pop(0)

    s3.before = conflict
    watched.write("a", b"1", overwrite=True)
    assert [(event.attempts, event.level) for event in seen] == [
        (2, logging.DEBUG),
        (3, logging.DEBUG),
        (4, logging.WARNING),
    ]


@pytest.mark.parametrize("how", ["read", "read_bytes"])
def test_a_resume_is_a_warning_with_its_offset(
    watched: Any, s3: FakeS3, seen: list[RequestEvent], caplog: Any, how: str
) -> None:
    caplog.set_level(logging.INFO, "remote_store")
    data = bytes(range(250)) * 1000
    s3.put("a", data)
    s3.cuts = [100_000, 50_000]
    if how == "read":
        file = watched.read("a")
        assert watched.done(file.read()) == data
        watched.done(file.close())
    else:
        assert watched.read_bytes("a") == data
    offsets = [event.resumed_at for event in seen]
    assert len(offsets) == 3
    assert offsets[0] is None
    assert [event.bytes for event in seen] == [
        len(data),
        *(len(data) - offset for offset in offsets[1:] if offset is not None),
    ]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert all("resumed_at=" in record.getMessage() for record in caplog.records)


def test_a_resume_that_is_refused_is_a_warning_too(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    s3.put("a", bytes(200_000))
    s3.cuts = [100_000]
    file = watched.read("a")
    s3.put("a", b"other")
    with pytest.raises(PreconditionFailed):
        watched.done(file.read())
    watched.done(file.close())
    assert (seen[-1].level, seen[-1].error) == (logging.WARNING, "PreconditionFailed")


def test_an_opening_after_a_seek_is_no_resume(watched: Any, s3: FakeS3, seen: list[RequestEvent]) -> None:
    s3.put("a", bytes(1_000_000))
    file = watched.read("a")
    watched.done(file.read(10))
    watched.done(file.seek(500_000))
    watched.done(file.read(10))
    watched.done(file.close())
    assert [(event.operation, event.resumed_at) for event in seen] == [("GetObject", None)] * 2


def test_an_exception_of_on_event_loses_nothing(open_lane: Any, s3: FakeS3, caplog: Any) -> None:
    def fail(event: RequestEvent) -> None:
        raise StopIteration

    lane = open_lane(on_event=fail, part_size=5 * MIB)
    data = bytes(range(256)) * 50_000
    lane.write("a", io.BytesIO(data))
    assert lane.read_bytes("a") == s3.objects["a"].data == data
    lane.move("a", "b")
    assert list(s3.objects) == ["b"]
    with pytest.raises(AlreadyExists):
        lane.write("b", b"")
    assert len([record for record in caplog.records if "StopIteration" in record.getMessage()]) == 1


def test_an_interrupt_in_on_event_passes_and_closes_the_body(open_lane: Any, s3: FakeS3) -> None:
    def stop(event: RequestEvent) -> None:
        raise KeyboardInterrupt

    s3.put("a", b"1")
    lane = open_lane(on_event=stop)
    with pytest.raises(KeyboardInterrupt):
        lane.read("a")
    assert not s3.open_bodies()


@pytest.mark.parametrize(
    "about", [None, "text", {"RetryAttempts": "3", "HTTPStatusCode": "200x", "RequestId": 5}, {"RequestId": ""}]
)
def test_metadata_of_the_wrong_type_is_left_out(
    open_lane: Any, s3: FakeS3, seen: list[RequestEvent], about: Any
) -> None:
    lane = open_lane(on_event=seen.append)

    def after(call: Call, answer: dict[str, Any]) -> None:
        answer["ResponseMetadata"] = about

    s3.put("a", b"1")
    s3.after = after  # type: ignore[assignment]
    with suppress(RemoteStoreError, TypeError):
        lane.read_bytes("a")
    assert [event.operation for event in seen][:1] == ["GetObject"]
    assert isinstance(seen[0].status, int | None)


def quiet(event: RequestEvent) -> None: ...


def test_the_options_take_what_pickles_and_refuse_what_cannot_be_called() -> None:
    with pytest.raises(TypeError, match="on_event"):
        S3Options.build(on_event="print")  # type: ignore[arg-type]
    options = pickle.loads(pickle.dumps(S3Options.build(on_event=quiet)))
    assert options.on_event is quiet


class Unconnected(S3Backend):
    def __init__(self, **options: Any) -> None:
        super().__init__("bucket", S3Options.build(**options))

    def _connect(self) -> Any:
        raise NotImplementedError


def test_a_backend_pickles_with_it() -> None:
    copy = pickle.loads(pickle.dumps(Unconnected(on_event=quiet)))
    assert copy._runner.connections.events.on_event is quiet
    assert RetryPolicy() == copy._bucket.options.retry
