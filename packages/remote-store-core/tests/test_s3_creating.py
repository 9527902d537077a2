from __future__ import annotations

import asyncio
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AlreadyExists, BackendUnavailable, RemoteStoreError, RetryPolicy
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import writing
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Pause
from uploads import COMPLETE, CREATE, GET, HEAD, PART, PUT, SEND, THREE_PARTS, Stream, fail, left_nothing


def lose_answer(s3: FakeS3, operation: str, code: str = "PreconditionFailed", status: int = 412) -> None:
    """Let a call take effect, lose its answer, and answer what the SDK's second attempt is told."""

    def after(call: Call, _answer: Any) -> None:
        if call.operation == operation:
            raise Fault(code, status, "refused", attempts=2)

    s3.after = after


def test_a_create_is_conditional_and_an_overwrite_is_not(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    lane.write("a", b"1")
    lane.write("a", b"1", overwrite=True)
    lane.write("b", Stream(THREE_PARTS))
    lane.write("b", Stream(THREE_PARTS), overwrite=True)
    told = [call.params.get("IfNoneMatch") for call in s3.calls if call.operation in (PUT, COMPLETE)]
    assert told == ["*", None, "*", None]


@pytest.mark.parametrize("content", [b"1", THREE_PARTS])
def test_a_create_on_a_taken_key_keeps_what_is_there(content: bytes, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"old")
    with pytest.raises(AlreadyExists) as caught:
        open_lane(part_size=PART).write("a", content)
    assert (caught.value.path, caught.value.status) == ("a", 412)
    left_nothing(s3, b"old")


@pytest.mark.parametrize("content", [b"1", THREE_PARTS])
def test_a_server_without_conditions_is_looked_at_first(content: bytes, s3: FakeS3, open_lane: Any) -> None:
    s3.conditions = False
    s3.put("a", b"old")
    with pytest.raises(AlreadyExists):
        open_lane(part_size=PART, endpoint_url="http://s3.test").write("a", content)
    assert s3.operations() == [HEAD]
    assert s3.objects["a"].data == b"old"


@pytest.mark.parametrize("status, code", [(501, "NotImplemented"), (405, "MethodNotAllowed")])
@pytest.mark.parametrize("operation, content", [(PUT, b"1"), (COMPLETE, THREE_PARTS)])
def test_a_server_that_refuses_conditions_is_asked_without(
    status: int, code: str, operation: str, content: bytes, s3: FakeS3, open_lane: Any
) -> None:
    def before(call: Call) -> None:
        if "IfNoneMatch" in call.params:
            raise Fault(code, status)

    s3.before = before
    open_lane(part_size=PART, endpoint_url="http://s3.test").write("a", content)
    assert s3.objects["a"].data == content
    assert s3.operations().count(operation) == 2
    del s3.objects["a"]
    with pytest.raises(RemoteStoreError) as caught:
        open_lane(part_size=PART, endpoint_url="http://s3.test", conditional_writes=True).write("a", content)
    assert caught.value.code == code
    left_nothing(s3, None)


def test_a_server_that_never_puts_is_not_asked_for_ever(s3: FakeS3, open_lane: Any) -> None:
    fail(s3, PUT, Fault("NotImplemented", 501))
    with pytest.raises(RemoteStoreError):
        open_lane(endpoint_url="http://s3.test").write("a", b"1")
    assert s3.operations() == [HEAD, PUT, PUT]


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_conflict_is_tried_again_as_often_as_the_policy_says(attempts: int, s3: FakeS3, open_lane: Any) -> None:
    fail(s3, PUT, Fault("ConditionalRequestConflict", 409))
    with pytest.raises(BackendUnavailable) as caught:
        open_lane(retry=RetryPolicy(attempts)).write("a", b"1")
    assert caught.value.retryable
    assert s3.operations() == [PUT] * attempts


def test_a_conflict_that_ends_is_not_seen(s3: FakeS3, open_lane: Any) -> None:
    fail(s3, PUT, Fault("ConditionalRequestConflict", 409), times=2)
    open_lane(retry=RetryPolicy(3)).write("a", b"1")
    assert s3.operations() == [PUT] * 3
    assert s3.objects["a"].data == b"1"


def test_a_conflict_waits_longer_each_time() -> None:
    bucket = Bucket("bucket", S3Options.build())
    operation = writing.write(bucket, "a", 1, overwrite=False, metadata={}, content_type=None)
    next(operation)
    operation.send(b"1")
    assert isinstance(operation.throw(Fault("ConditionalRequestConflict", 409)), Pause)
    assert operation.send(None).operation == PUT
    operation.close()


@pytest.mark.parametrize("metadata", [None, {"m": "1"}])
def test_a_put_whose_answer_was_lost_is_known_by_its_content(
    metadata: dict[str, str] | None, s3: FakeS3, open_lane: Any
) -> None:
    lose_answer(s3, PUT)
    result = open_lane().write("a", b"mine", metadata=metadata)
    assert s3.operations() == [PUT, GET]
    assert (result.size, result.etag, result.metadata) == (4, s3.objects["a"].etag.strip('"'), metadata or {})


@pytest.mark.parametrize(
    "data, facts",
    [
        (b"your", {}),
        (b"longer", {}),
        (b"", {}),
        (b"mine", {"metadata": {"m": "1"}}),
        (b"mine", {"described": {"ContentType": "text/html"}}),
    ],
)
def test_an_object_of_somebody_else_is_never_taken_for_ours(
    data: bytes, facts: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", data, **facts)
    fail(s3, PUT, Fault("PreconditionFailed", 412, attempts=2))
    with pytest.raises(AlreadyExists) as caught:
        open_lane().write("a", b"mine", content_type="text/plain")
    assert (caught.value.path, caught.value.code) == ("a", "PreconditionFailed")
    assert s3.objects["a"].data == data
    assert not s3.open_bodies()


def test_a_first_attempt_that_is_refused_is_not_compared(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"mine")
    with pytest.raises(AlreadyExists):
        open_lane().write("a", b"mine")
    assert s3.operations() == [PUT]


def test_a_conflict_after_a_lost_answer_may_be_with_our_own_object(s3: FakeS3, open_lane: Any) -> None:
    faults = iter([Fault("ConditionalRequestConflict", 409, attempts=2), Fault("PreconditionFailed", 412)])

    def before(call: Call) -> None:
        if call.operation == PUT:
            s3.put("a", b"mine")
            raise next(faults)

    s3.before = before
    assert open_lane().write("a", b"mine").size == 4
    assert s3.operations() == [PUT, PUT, GET]


@pytest.mark.parametrize("how", ["fault", "no size"])
def test_a_comparison_that_fails_keeps_the_first_verdict_and_no_body(how: str, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"mine")

    def before(call: Call) -> None:
        if call.operation == PUT:
            raise Fault("PreconditionFailed", 412, attempts=2)
        if how == "fault":
            raise Fault("AccessDenied", 403)

    s3.before = before

    def after(call: Call, answer: dict[str, Any]) -> None:
        if how == "no size":
            answer.pop("ContentLength")
            answer.pop("ContentRange", None)

    s3.after = after
    with pytest.raises(AlreadyExists):
        open_lane().write("a", b"mine")
    assert not s3.open_bodies()


@pytest.mark.parametrize("content", [b"mine", b"yours", b"else"])
def test_an_object_without_a_content_length_is_compared_by_ranges(content: bytes, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", content)
    fail(s3, PUT, Fault("PreconditionFailed", 412, attempts=2))
    s3.after = lambda call, answer: answer.pop("ContentLength", None) if call.operation == GET else None
    if content == b"mine":
        assert open_lane().write("a", b"mine").size == 4
    else:
        with pytest.raises(AlreadyExists):
            open_lane().write("a", b"mine")
    # Content of another size may be too large for the memory, and is not read.
    assert s3.operations() == [PUT, GET, GET, *([GET] if len(content) == 4 else [])]
    assert not s3.open_bodies()


@pytest.mark.parametrize("code, status", [("PreconditionFailed", 412), ("NoSuchUpload", 404)])
def test_a_completion_whose_answer_was_lost_is_known_by_its_tag(
    code: str, status: int, s3: FakeS3, open_lane: Any
) -> None:
    lose_answer(s3, COMPLETE, code, status)
    result = open_lane(part_size=PART).write("a", Stream(THREE_PARTS))
    assert s3.objects["a"].data == THREE_PARTS
    assert (result.size, result.etag) == (len(THREE_PARTS), s3.objects["a"].etag.strip('"'))
    looked = [HEAD] if code == "NoSuchUpload" else [HEAD, "ListParts"]
    assert s3.operations() == [CREATE, SEND, SEND, SEND, COMPLETE, *looked]


@pytest.mark.parametrize("code, kind", [("PreconditionFailed", AlreadyExists), ("NoSuchUpload", RemoteStoreError)])
def test_a_completion_is_not_ours_when_the_object_is_another(code: str, kind: type, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"other", etag='"0123456789abcdef0123456789abcdef-3"')
    fail(s3, COMPLETE, Fault(code, 412 if kind is AlreadyExists else 404, attempts=2))
    with pytest.raises(kind) as caught:
        open_lane(part_size=PART).write("a", Stream(THREE_PARTS))
    assert caught.value.code == code
    left_nothing(s3, b"other")


def test_of_many_creators_exactly_one_wins(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane()
    if lane.is_async:

        async def create(number: int) -> Any:
            return await lane.backend.write("a", str(number).encode())

        async def race() -> list[Any]:
            return await asyncio.gather(*map(create, range(20)), return_exceptions=True)

        outcomes = lane.done(race())
    else:
        outcomes = [outcome(lane, number) for number in range(20)]
    won = [each for each in outcomes if not isinstance(each, BaseException)]
    assert len(won) == 1
    assert all(isinstance(each, AlreadyExists) for each in outcomes if each is not won[0])


def outcome(lane: Any, number: int) -> Any:
    try:
        return lane.write("a", str(number).encode())
    except AlreadyExists as error:
        return error
