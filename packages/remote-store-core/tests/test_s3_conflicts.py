"""Writes that are refused because another write of the same key is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AlreadyExists, BackendUnavailable, RetryPolicy
from remote_store.core.s3 import Call, Fault
from uploads import COMPLETE, PART, THREE_PARTS, Stream, left_nothing

CODES = ["ConditionalRequestConflict", "OperationAborted"]
WRITES: dict[str, Callable[[Any], Any]] = {
    "PutObject": lambda lane: lane.write("new", b"abc"),
    COMPLETE: lambda lane: lane.write("new", Stream(THREE_PARTS)),
    "CopyObject": lambda lane: lane.copy("a", "new"),
    "DeleteObject": lambda lane: lane.move("a", "new"),
}


def conflict(s3: FakeS3, operation: str, *faults: Fault) -> None:
    """Answer an operation by these faults, one after the other, and then as usual."""
    left = list(faults)

    def before(call: Call) -> None:
        if call.operation == operation and left:
            raise left.pop(0)

    s3.before = before


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", list(WRITES))
def test_a_conflict_is_tried_again(operation: str, code: str, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc")
    conflict(s3, operation, Fault(code, 409), Fault(code, 409))
    WRITES[operation](open_lane(part_size=PART))
    assert s3.operations().count(operation) == 3
    assert "new" in s3.objects


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", list(WRITES))
def test_a_conflict_that_stays_ends_with_the_retry_policy(
    operation: str, code: str, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc")
    conflict(s3, operation, *[Fault(code, 409)] * 9)
    with pytest.raises(BackendUnavailable, match="under way") as caught:
        WRITES[operation](open_lane(part_size=PART, retry=RetryPolicy(max_attempts=3)))
    assert caught.value.retryable
    assert caught.value.code == code
    assert s3.operations().count(operation) == 3
    assert s3.objects["a"].data == b"abc"


def test_another_conflict_is_not_tried_again(s3: FakeS3, open_lane: Any) -> None:
    conflict(s3, "PutObject", Fault("InvalidBucketState", 409))
    with pytest.raises(Exception, match="InvalidBucketState"):
        open_lane().write("new", b"abc")
    assert s3.operations() == ["PutObject"]


def test_an_upload_that_ended_with_the_conflict_is_no_missing_file(s3: FakeS3, open_lane: Any) -> None:
    conflict(s3, COMPLETE, Fault("ConditionalRequestConflict", 409), Fault("NoSuchUpload", 404))
    with pytest.raises(BackendUnavailable) as caught:
        open_lane(part_size=PART).write("new", Stream(THREE_PARTS))
    assert caught.value.retryable
    assert not s3.objects


def test_a_lost_answer_before_a_conflict_is_not_forgotten(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc")
    s3.put("new", b"abc")
    lost = Fault("ConditionalRequestConflict", 409, attempts=2)
    conflict(s3, "CopyObject", lost, Fault("PreconditionFailed", 412))
    open_lane().copy("a", "new")
    conflict(s3, "CopyObject", Fault("ConditionalRequestConflict", 409), Fault("PreconditionFailed", 412))
    with pytest.raises(AlreadyExists):
        open_lane().copy("a", "new")


@pytest.mark.parametrize("head", [{}, {"size": 4}, {"size": 3}, None])
def test_a_write_without_an_entity_tag_is_proved_by_a_head(head: Any, s3: FakeS3, open_lane: Any) -> None:
    def after(call: Call, answer: Any) -> None:
        if call.operation == "PutObject":
            answer.pop("ETag")
            answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {"x-amz-request-id": "1"}}
            if head is None:
                del s3.objects["a"]
            else:
                s3.put("a", b"abc", **head)

    s3.after = after
    lane = open_lane()
    if head in ({}, {"size": 3}):
        result = lane.write("a", b"abc")
        assert (result.size, result.etag) == (3, None)
    else:
        with pytest.raises(Exception, match="no ETag") as caught:
            lane.write("a", b"abc")
        assert caught.value.path == "a"
        assert not caught.value.retryable
    assert s3.operations()[:2] == ["PutObject", "HeadObject"]


def test_an_older_object_of_the_same_size_does_not_prove_a_write(s3: FakeS3, open_lane: Any) -> None:
    def after(call: Call, answer: Any) -> None:
        if call.operation == "PutObject":
            answer.pop("ETag")
            answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {"x-amz-request-id": "1"}}
            s3.put("a", b"old")

    s3.after = after
    with pytest.raises(Exception, match="no ETag") as caught:
        open_lane().write("a", b"new", overwrite=True)
    assert caught.value.path == "a"
    assert not s3.open_bodies()


def test_what_a_refused_stream_leaves(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", THREE_PARTS)
    conflict(s3, COMPLETE, *[Fault("OperationAborted", 409)] * 9)
    with pytest.raises(BackendUnavailable):
        open_lane(part_size=PART, retry=RetryPolicy(max_attempts=2)).write("a", Stream(THREE_PARTS), overwrite=True)
    left_nothing(s3, THREE_PARTS)
