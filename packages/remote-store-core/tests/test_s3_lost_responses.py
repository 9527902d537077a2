"""A create whose first answer is lost, on a key that somebody else had created before with the same content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AlreadyExists, BackendUnavailable, NotFound, PermissionDenied
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.operations.lost_responses import COMPARED, FirstAttempt
from uploads import COMPLETE, PART, THREE_PARTS, Stream, left_nothing

NOW = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
COPY = "CopyObject"


def refuse(s3: FakeS3, operation: str, date: datetime | None) -> None:
    """Answer a call as its second attempt, after the first one's answer was lost."""

    def before(call: Call) -> None:
        if call.operation == operation:
            raise Fault("PreconditionFailed", 412, attempts=2, date=date)

    s3.before = before


WRITES: dict[str, Callable[[Any], Any]] = {
    "PutObject": lambda lane: lane.write("a", b""),
    COPY: lambda lane: lane.copy("source", "a"),
}


@pytest.mark.parametrize("operation", list(WRITES))
@pytest.mark.parametrize("age", [2, 60, 86_400])
def test_an_object_older_than_the_first_attempt_is_another_writer_s(
    operation: str, age: float, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("source", b"")
    s3.put("a", b"", modified=NOW - timedelta(seconds=age))
    refuse(s3, operation, NOW)
    with pytest.raises(AlreadyExists) as caught:
        WRITES[operation](open_lane())
    assert caught.value.path == "a"
    assert not s3.open_bodies()


@pytest.mark.parametrize("operation", list(WRITES))
@pytest.mark.parametrize("age, date", [(0, NOW), (-1, NOW), (60, None)])
def test_an_object_as_young_as_the_first_attempt_may_be_its_own(
    operation: str, age: float, date: datetime | None, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("source", b"")
    s3.put("a", b"", modified=NOW - timedelta(seconds=age))
    refuse(s3, operation, date)
    WRITES[operation](open_lane())


@pytest.mark.parametrize("operation", list(WRITES))
def test_an_object_without_a_time_is_known_by_its_content_alone(operation: str, s3: FakeS3, open_lane: Any) -> None:
    s3.put("source", b"")
    s3.put("a", b"", modified=None)
    refuse(s3, operation, NOW)
    WRITES[operation](open_lane())


def test_a_move_deletes_nothing_where_another_writer_made_the_same_copy(s3: FakeS3, open_lane: Any) -> None:
    s3.put("source", b"")
    s3.put("a", b"", modified=NOW - timedelta(seconds=9))
    refuse(s3, COPY, NOW)
    with pytest.raises(AlreadyExists):
        open_lane().move("source", "a")
    assert sorted(s3.objects) == ["a", "source"]


def test_the_time_that_the_attempts_take_is_allowed_for() -> None:
    first = FirstAttempt()
    first._began -= 10
    refusal = Fault("PreconditionFailed", 412, date=NOW)
    assert not first.is_after(NOW - timedelta(seconds=10), refusal)
    assert first.is_after(NOW - timedelta(seconds=12), refusal)


def test_an_upload_that_is_still_open_has_made_nothing(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    lane.write("a", Stream(THREE_PARTS))
    refuse(s3, COMPLETE, None)
    with pytest.raises(AlreadyExists) as caught:
        lane.write("a", Stream(THREE_PARTS))
    assert caught.value.path == "a"
    left_nothing(s3, THREE_PARTS)


@pytest.mark.parametrize("fault, ours", [(Fault("NotImplemented", 501), True), (Fault("SlowDown", 503), False)])
def test_a_server_that_lists_no_parts_is_believed_by_the_tag(
    fault: Fault, ours: bool, s3: FakeS3, open_lane: Any
) -> None:
    def after(call: Call, _answer: Any) -> None:
        if call.operation == COMPLETE:
            raise Fault("PreconditionFailed", 412, attempts=2)

    def before(call: Call) -> None:
        if call.operation == "ListParts":
            raise fault

    s3.before, s3.after = before, after
    lane = open_lane(part_size=PART)
    if ours:
        lane.write("a", Stream(THREE_PARTS))
    else:
        with pytest.raises(AlreadyExists):
            lane.write("a", Stream(THREE_PARTS))
    assert s3.objects["a"].data == THREE_PARTS


PARTS_TAG = '"0123456789abcdef0123456789abcdef-2"'
OTHER_TAGS: dict[str, dict[str, Any]] = {
    "made of parts": {"etag": PARTS_TAG},
    "encrypted": {"etag": '"fedcba9876543210fedcba9876543210"', "described": {"SSEKMSKeyId": "k"}},
    "no MD5": {"etag": '"of some other kind"'},
    "weak": {"etag": 'W/"1"'},
}


@pytest.mark.parametrize("method", ["copy", "move"])
@pytest.mark.parametrize("tag", list(OTHER_TAGS))
@pytest.mark.parametrize("size", [0, 3, COMPARED + 1])
def test_a_copy_with_another_tag_than_its_source_is_known_by_its_bytes(
    size: int, tag: str, method: str, s3: FakeS3, open_lane: Any
) -> None:
    data = bytes(size)
    s3.put("source", data, metadata={"m": "1"}, **OTHER_TAGS[tag])

    def after(call: Call, _answer: Any) -> None:
        if call.operation == COPY:
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.after = after
    getattr(open_lane(), method)("source", "a")
    assert s3.objects["a"].data == data
    assert ("source" in s3.objects) is (method == "copy")
    assert s3.operations().count("GetObject") == 2 * -(-size // COMPARED)


@pytest.mark.parametrize("tag", list(OTHER_TAGS))
@pytest.mark.parametrize(
    "other", [{"data": b"abd"}, {"data": b"abcd"}, {"metadata": {"m": "2"}}, {"described": {"ContentType": "x/y"}}]
)
def test_what_differs_in_a_byte_or_beside_them_is_another_writer_s(
    other: dict[str, Any], tag: str, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("source", b"abc", metadata={"m": "1"}, **OTHER_TAGS[tag])
    s3.put("a", **{"data": b"abc", "metadata": {"m": "1"}, **other})
    refuse(s3, COPY, None)
    with pytest.raises(AlreadyExists) as caught:
        open_lane().move("source", "a")
    assert caught.value.path == "a"
    assert sorted(s3.objects) == ["a", "source"]


@pytest.mark.parametrize("key", ["source", "a"])
@pytest.mark.parametrize(
    "fault, kind",
    [
        (Fault("SlowDown", 503), BackendUnavailable),
        (Fault("AccessDenied", 403), PermissionDenied),
        (Fault("PreconditionFailed", 412), AlreadyExists),
        (Fault("NoSuchKey", 404), AlreadyExists),
    ],
)
def test_a_copy_that_cannot_be_compared_deletes_nothing(
    fault: Fault, kind: type[Exception], key: str, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("source", b"abc", etag=PARTS_TAG)

    def after(call: Call, _answer: Any) -> None:
        if call.operation == COPY:
            raise Fault("PreconditionFailed", 412, attempts=2)
        if call.operation == "GetObject" and call.params["Key"] == key:
            s3.bodies[-1].close()
            raise fault

    s3.after = after
    with pytest.raises(kind):
        open_lane().move("source", "a")
    assert "source" in s3.objects


def test_two_digests_that_differ_are_not_compared(s3: FakeS3, open_lane: Any) -> None:
    s3.put("source", b"abc")
    s3.put("a", b"abd")
    refuse(s3, COPY, None)
    with pytest.raises(AlreadyExists):
        open_lane().copy("source", "a")
    assert "GetObject" not in s3.operations()


@pytest.mark.parametrize("code", ["PreconditionFailed", "NoSuchUpload"])
@pytest.mark.parametrize("tag", ["encrypted", "no MD5"])
@pytest.mark.parametrize("age", [0, 60])
@pytest.mark.parametrize("size", [0, 1])
def test_an_upload_whose_tag_says_nothing_is_known_by_its_end(
    size: int, age: int, tag: str, code: str, s3: FakeS3, open_lane: Any
) -> None:
    def after(call: Call, _answer: Any) -> None:
        if call.operation == COMPLETE:
            made = {"size": len(THREE_PARTS) + size, "modified": NOW - timedelta(seconds=age)}
            s3.put("a", THREE_PARTS, **made, **OTHER_TAGS[tag])
            raise Fault(code, 412 if code == "PreconditionFailed" else 404, attempts=2, date=NOW)

    s3.after = after
    lane = open_lane(part_size=PART)
    if not size and not age:
        lane.write("a", Stream(THREE_PARTS))
    else:
        with pytest.raises((AlreadyExists, NotFound)):
            lane.write("a", Stream(THREE_PARTS))


@pytest.mark.parametrize("method", ["copy", "move"])
def test_a_large_copy_whose_answer_was_lost_is_known_by_its_parts(method: str, s3: FakeS3, open_lane: Any) -> None:
    s3.put("source", b"abc", size=6 * 1024**3, etag=PARTS_TAG)

    def after(call: Call, _answer: Any) -> None:
        if call.operation == COMPLETE:
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.after = after
    getattr(open_lane(), method)("source", "a")
    assert s3.objects["a"].size == 6 * 1024**3
    assert ("source" in s3.objects) is (method == "copy")


@pytest.mark.parametrize(
    "stored, ours", [({"x-y": "1"}, True), ({"x-y": "2"}, False), ({"x.y": "1"}, False), ({}, False)]
)
def test_an_object_whose_server_writes_hyphens_for_underscores_is_its_own(
    stored: dict[str, str], ours: bool, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"", metadata=stored, modified=NOW)
    refuse(s3, "PutObject", NOW)
    if ours:
        open_lane().write("a", b"", metadata={"x_y": "1"})
    else:
        with pytest.raises(AlreadyExists):
            open_lane().write("a", b"", metadata={"x_y": "1"})
