"""A create whose first answer is lost, on a key that somebody else had created before with the same content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store.conformance.fake_s3 import FakeS3
from remote_store.core import AlreadyExists
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.operations.lost_responses import FirstAttempt
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
