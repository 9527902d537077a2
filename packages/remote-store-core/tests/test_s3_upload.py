from __future__ import annotations

import asyncio
import gc
import io
import itertools
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remote_store.conformance.fake_s3 import FakeS3
from remote_store.core import AlreadyExists, BackendUnavailable, PermissionDenied, RemoteStoreError, RetryPolicy
from remote_store.core.s3 import Call, Fault, S3Options, upload
from remote_store.core.s3.bucket import Bucket
from remote_store.core.s3.options import GIB, LARGEST_PART, SMALLEST_PART
from remote_store.core.s3.steps import Drain, Pause, ReadBlock, Start, Wait
from remote_store.core.streams import Source

MIB = 1024 * 1024
PART = 5 * MIB
TIB = 1024 * GIB
HEAD, GET, PUT = "HeadObject", "GetObject", "PutObject"
CREATE, SEND, COMPLETE, ABORT = "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"
THREE_PARTS = b"1" * PART + b"2" * PART + b"3"


class Stream(io.RawIOBase):
    """A stream of unknown length that gives as little as it likes, and breaks where it is told to."""

    def __init__(self, data: bytes, *, most: int = PART, breaks_at: int | None = None, error: Any = None) -> None:
        self._data = data
        self._most = most
        self._breaks_at = breaks_at
        self._error = error
        self.at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._breaks_at is not None and self.at >= self._breaks_at:
            raise self._error
        data = self._data[self.at : self.at + min(size, self._most)]
        self.at += len(data)
        return data


def fail(s3: FakeS3, operation: str, fault: BaseException, *, number: int | None = None, times: int = 99) -> None:
    """Let a call fail before it takes effect."""
    left = [times]

    def before(call: Call) -> None:
        if call.operation == operation and number in (None, call.params.get("PartNumber")) and left[0]:
            left[0] -= 1
            raise fault

    s3.before = before


def lose_answer(s3: FakeS3, operation: str, code: str = "PreconditionFailed", status: int = 412) -> None:
    """Let a call take effect, lose its answer, and answer what the SDK's second attempt is told."""

    def after(call: Call, _answer: Any) -> None:
        if call.operation == operation:
            raise Fault(code, status, "refused", attempts=2)

    s3.after = after


# ---- the sizes of parts


@pytest.mark.parametrize("part_size", [PART, 8 * MIB, 50 * MIB, 100 * MIB, GIB, 5 * GIB])
@pytest.mark.parametrize("size", [1, PART, 78 * GIB, 500 * GIB, 5 * TIB])
def test_parts_are_equal_and_enough_where_the_length_is_known(part_size: int, size: int) -> None:
    sizes = list(upload.part_sizes(S3Options.build(part_size=part_size), size))
    assert len(set(sizes)) == 1
    assert part_size <= sizes[0] <= LARGEST_PART
    assert sum(sizes) >= size
    assert len(sizes) == 10_000


@given(st.integers(SMALLEST_PART, LARGEST_PART))
@example(PART)
@example(8 * MIB)
@example(549_755_813 - 39 * 1000)
@example(549_755_813)
@example(5 * GIB)
def test_parts_of_unknown_length_grow_in_steps_and_reach_the_largest_object(part_size: int) -> None:
    sizes = list(upload.part_sizes(S3Options.build(part_size=part_size), None))
    assert len(sizes) == 10_000
    assert sum(sizes) >= 5 * TIB
    assert sizes == sorted(sizes)
    assert sizes[0] == part_size
    assert sizes[-1] <= LARGEST_PART
    assert len(set(sizes)) <= 40


def test_parts_grow_by_a_tenth_of_a_gigabyte_at_the_most() -> None:
    sizes = list(upload.part_sizes(S3Options.build(), None))
    assert max(after - before for before, after in itertools.pairwise(sizes)) < 30 * MIB
    assert sum(sizes[:250]) == 250 * 8 * MIB


def test_parts_stay_equal_where_that_is_asked_for() -> None:
    sizes = list(upload.part_sizes(S3Options.build(part_size=PART, grow_parts=False), None))
    assert set(sizes) == {PART}
    assert len(sizes) == 10_000


def test_the_part_after_the_last_is_a_clear_error_and_nothing_stays() -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART, grow_parts=False))
    operation = upload.write(bucket, "a", None, overwrite=True, metadata={}, content_type=None)
    block = bytes(PART)
    step = next(operation)
    started = 0
    while not isinstance(step, Drain):
        match step:
            case ReadBlock():
                step = operation.send(block[: step.size])
            case Start():
                assert step.step.params.get("PartNumber", 0) == started
                started += 1
                step = operation.send(None)
            case Wait():
                step = operation.send([{"UploadId": "u"}])
            case _:
                raise AssertionError(step)
    assert started == 10_001
    abort = operation.send(None)
    assert abort.operation == ABORT
    with pytest.raises(RemoteStoreError, match="raise part_size") as caught:
        operation.send({})
    assert caught.value.path == "a"


def test_a_stream_of_exactly_ten_thousand_parts_is_written() -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART, grow_parts=False))
    operation = upload.write(bucket, "a", None, overwrite=True, metadata={}, content_type=None)
    block = bytes(PART)
    step = next(operation)
    read = 0
    while read <= 10_000:
        if isinstance(step, ReadBlock):
            read += 1
            step = operation.send(block if read <= 10_000 else b"")
        else:
            step = operation.send([{"UploadId": "u"}] if isinstance(step, Wait) else None)
    assert isinstance(step, Wait)
    complete = operation.send([{"ETag": f'"{number:032x}"'} for number in range(1, 10_001)])
    listed = complete.params["MultipartUpload"]["Parts"]
    assert [part["PartNumber"] for part in listed] == list(range(1, 10_001))
    assert [part["ETag"] for part in listed[::9999]] == [f'"{1:032x}"', f'"{10_000:032x}"']
    with pytest.raises(StopIteration) as caught:
        operation.send({"ETag": '"e-10000"', "VersionId": "v"})
    assert (caught.value.value.size, caught.value.value.etag) == (10_000 * PART, "e-10000")


@pytest.mark.parametrize("size, part, count", [(5 * GIB + 1, GIB, 6), (5 * TIB, GIB, 5120), (10 * TIB, GIB, 9996)])
def test_the_ranges_of_a_copy_cover_the_object(size: int, part: int, count: int) -> None:
    ranges = upload.parts_of(size, part)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ranges))
    assert len(ranges) == count <= 10_000


# ---- what is sent


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART])
def test_up_to_a_part_it_is_one_put(size: int, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    result = lane.write("a", Stream(b"x" * size))
    assert s3.operations() == [PUT]
    assert (result.size, result.etag) == (size, s3.objects["a"].etag.strip('"'))
    assert s3.objects["a"].data == b"x" * size


@pytest.mark.parametrize("most", [PART, 777_777])
@pytest.mark.parametrize("extra, parts", [(1, 2), (PART, 2), (PART + 1, 3), (3 * PART, 4)])
def test_a_stream_is_sent_in_order_whatever_it_gives_at_a_time(
    most: int, extra: int, parts: int, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART, put_options={"StorageClass": "STANDARD_IA", "Tagging": "t=1"})
    data = b"".join(bytes([65 + number]) * PART for number in range(5))[: PART + extra]
    source = Stream(data, most=most)
    result = lane.write("a", source, metadata={"m": "1"}, content_type="text/plain")
    assert s3.operations() == [CREATE, *[SEND] * parts, COMPLETE]
    assert s3.objects["a"].data == data
    assert source.at == len(data)
    assert not source.closed
    assert result.etag == s3.objects["a"].etag.strip('"')
    assert (result.size, result.metadata) == (len(data), {"m": "1"})
    assert s3.objects["a"].metadata == {"m": "1"}
    assert s3.objects["a"].tags == (("t", "1"),)
    assert s3.objects["a"].described == {"ContentType": "text/plain", "StorageClass": "STANDARD_IA"}


def test_checksums_of_parts_are_repeated_at_the_end() -> None:
    answers = [{"ETag": '"1"', "ChecksumCRC32": "x", "ChecksumType": "COMPOSITE"}, {"CopyPartResult": {"ETag": '"2"'}}]
    assert upload.listed_parts(answers) == [
        {"PartNumber": 1, "ETag": '"1"', "ChecksumCRC32": "x"},
        {"PartNumber": 2, "ETag": '"2"'},
    ]


def test_a_known_length_of_more_than_the_parts_hold_makes_them_larger() -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART))
    operation = upload.write(bucket, "a", 100 * GIB, overwrite=True, metadata={}, content_type=None)
    assert next(operation) == ReadBlock(11 * MIB)


def test_large_parts_make_the_window_smaller_so_that_memory_stays_bounded() -> None:
    options = S3Options.build(part_size=PART, max_concurrency=4)
    blocks = {size: bytes(size) for size in (PART, 2 * PART, 3 * PART, 5 * PART)}
    for size, window in ((PART, 4), (2 * PART, 2), (3 * PART, 1), (5 * PART, 1)):
        operation = upload._send_parts(Bucket("b", options), {"Key": "a", "UploadId": "u"}, [blocks[size]], iter([]))
        assert next(operation).window == window


def test_no_more_parts_are_under_way_than_the_window_allows(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    under_way = [0]
    seen = []

    def before(call: Call) -> Any:
        if call.operation == SEND:
            under_way[0] += 1
            seen.append(under_way[0])
            if lane.is_async:
                return asyncio.sleep(0.001)
        return None

    def after(call: Call, _answer: Any) -> None:
        under_way[0] -= call.operation == SEND

    s3.before, s3.after = before, after
    lane.write("a", Stream(b"x" * (7 * PART)))
    assert max(seen) <= 2
    assert s3.operations().count(SEND) == 7


def test_blocks_are_let_go_once_they_are_sent(s3: FakeS3, open_lane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    held = []

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.left = 12

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            held.append(tracemalloc.get_traced_memory()[0])
            self.left -= 1
            return bytes(size) if self.left else b""

    monkeypatch.setattr(s3, "_upload_part", lambda call: {"ETag": '"0123456789abcdef0123456789abcdef"'})
    monkeypatch.setattr(s3, "_complete_multipart_upload", lambda call: s3.uploads.clear() or {"ETag": '"e-11"'})
    s3.calls = Forgetful()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        lane.write("a", Endless())
    finally:
        tracemalloc.stop()
    assert max(held) - before < 3 * PART + MIB


class Forgetful(list[Call]):
    def append(self, _call: Call) -> None:
        pass


# ---- failures leave nothing


def left_nothing(s3: FakeS3, old: bytes | None) -> None:
    assert not s3.uploads
    assert (s3.objects["a"].data if "a" in s3.objects else None) == old
    names = s3.operations()
    if CREATE in names and ABORT in names:
        assert SEND not in names[names.index(ABORT) :]


@pytest.mark.parametrize(
    "error", [OSError("disk"), KeyboardInterrupt(), SystemExit(), RemoteStoreError("mine"), Fault("X")]
)
@pytest.mark.parametrize("block", range(5))
def test_a_source_that_fails_at_any_block_leaves_the_old_object(
    block: int, error: BaseException, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART)
    s3.put("a", b"old")
    source = Stream(bytes(9 * PART), breaks_at=block * PART, error=error)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted below
        lane.write("a", source, overwrite=True)
    if not isinstance(error, Fault):
        assert caught.value is error
    left_nothing(s3, b"old")
    assert (ABORT in s3.operations()) == (block > 1)


@pytest.mark.parametrize("error", [StopIteration("mine"), StopAsyncIteration("mine")])
def test_an_exception_that_ends_generators_is_no_end_of_the_source(
    error: BaseException, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART)
    for breaks_at in (0, PART, 2 * PART):
        source = Stream(bytes(9 * PART), breaks_at=breaks_at, error=error)
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted below
            lane.write("a", source)
        assert error in (caught.value, caught.value.__cause__, getattr(caught.value.__cause__, "__cause__", None))
        left_nothing(s3, None)


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("error", [Fault("SlowDown", 503), Fault("AccessDenied", 403), KeyboardInterrupt()])
def test_a_part_that_fails_leaves_nothing(number: int, error: BaseException, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    if lane.is_async and isinstance(error, KeyboardInterrupt):
        pytest.skip("KeyboardInterrupt in a task ends the loop itself")
    s3.put("a", b"old")
    fail(s3, SEND, error, number=number)
    kind = {"SlowDown": BackendUnavailable, "AccessDenied": PermissionDenied}.get(
        getattr(error, "code", ""), KeyboardInterrupt
    )
    with pytest.raises(kind):
        lane.write("a", Stream(bytes(4 * PART + 1)), overwrite=True)
    left_nothing(s3, b"old")


@pytest.mark.parametrize(
    "operation, fault, kind",
    [
        (CREATE, Fault("AccessDenied", 403), PermissionDenied),
        (COMPLETE, Fault("InternalError", 200), BackendUnavailable),
        (COMPLETE, Fault("ReadTimeout", transport=True), BackendUnavailable),
        (COMPLETE, Fault("PreconditionFailed", 412), AlreadyExists),
        (COMPLETE, Fault("ConditionalRequestConflict", 409), BackendUnavailable),
        (COMPLETE, Fault("EntityTooSmall", 400), RemoteStoreError),
    ],
)
def test_a_beginning_or_an_end_that_fails_leaves_nothing(
    operation: str, fault: Fault, kind: type[RemoteStoreError], s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART)
    fail(s3, operation, fault)
    with pytest.raises(kind) as caught:
        lane.write("a", Stream(THREE_PARTS))
    assert (type(caught.value), caught.value.path, caught.value.code) == (kind, "a", fault.code)
    left_nothing(s3, None)


def test_an_interrupted_request_leaves_nothing(s3: FakeS3, open_lane: Any) -> None:
    for operation in (PUT, CREATE, COMPLETE):
        lane = open_lane(part_size=PART)
        if lane.is_async:
            pytest.skip("cancellation is tested at every step")
        fail(s3, operation, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            lane.write("a", Stream(b"x" if operation == PUT else THREE_PARTS))
        left_nothing(s3, None)


class Interruption(BaseException):
    pass


@pytest.mark.parametrize("first", [Fault("SlowDown", 503), Interruption()])
@pytest.mark.parametrize("moment", [Drain, ABORT])
def test_an_interruption_of_the_clearing_up_does_not_end_it(first: BaseException, moment: Any) -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART))
    operation = upload.abandon(bucket, {"Key": "a", "UploadId": "u"}, first)
    step = next(operation)
    assert step == Drain()
    if moment == ABORT:
        step = operation.send(None)
        assert step.operation == ABORT
    interruption = Interruption()
    step = operation.throw(interruption)
    while step == Drain():
        step = operation.send(None)
    assert step.operation == ABORT
    with pytest.raises(Interruption) as caught:
        operation.send({})
    assert caught.value is interruption


def test_an_upload_that_cannot_be_aborted_is_named_in_a_note(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)

    def before(call: Call) -> None:
        if call.operation in (SEND, ABORT):
            raise Fault("SlowDown" if call.operation == SEND else "AccessDenied", 503)

    s3.before = before
    with pytest.raises(BackendUnavailable) as caught:
        lane.write("a", Stream(THREE_PARTS))
    notes = " ".join([*getattr(caught.value, "__notes__", ()), *getattr(caught.value.__cause__, "__notes__", ())])
    assert next(iter(s3.uploads)) in notes
    assert "AccessDenied" in notes
    s3.uploads.clear()


def test_an_upload_that_is_gone_already_needs_no_note(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)

    def before(call: Call) -> None:
        if call.operation == SEND:
            s3.uploads.clear()

    s3.before = before
    with pytest.raises(RemoteStoreError) as caught:
        lane.write("a", Stream(THREE_PARTS))
    assert caught.value.code == "NoSuchUpload"
    assert not hasattr(caught.value, "__notes__")


# ---- cancellation at every step


async def trickle(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 2 * MIB):
        await asyncio.sleep(0)
        yield data[start : start + 2 * MIB]


@pytest.mark.parametrize("trouble", [None, "part", "late"])
@pytest.mark.parametrize("size", [3, 2 * PART + 1])
def test_a_cancelled_write_leaves_nothing_or_the_whole(
    size: int, trouble: str | None, s3: FakeS3, open_lane: Any
) -> None:
    data = (b"0123456789" * (size // 10 + 1))[:size]

    async def attempt(backend: Any, steps: int, again: int | None) -> bool:
        task = asyncio.create_task(backend.write("a", trickle(data), overwrite=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        if again is not None:
            for _ in range(again):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            assert task.exception() is None or trouble is not None
        await asyncio.sleep(0)
        return finished

    for again in (None, 0, 3):
        steps = 0
        finished = False
        while not finished:
            lane = open_lane(part_size=PART, max_concurrency=2)
            if not lane.is_async:
                pytest.skip("only awaited writes are cancelled")
            s3.objects.clear()
            if trouble is not None:
                fail(s3, SEND, Fault("SlowDown", 503), number=1 if trouble == "part" else 3)
            finished = lane.done(attempt(lane.backend, steps, again))
            assert not s3.uploads, f"an upload stays after a cancellation at step {steps} and {again}"
            assert "a" not in s3.objects or s3.objects["a"].data == data
            steps += 1
            assert steps < 200


def test_a_cancelled_write_is_cancelled_and_no_other_error(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    if not lane.is_async:
        pytest.skip("only awaited writes are cancelled")

    async def attempt() -> None:
        started = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield bytes(2 * PART)
            started.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(lane.backend.write("a", source()))
        await started.wait()
        task.cancel("mine")
        with pytest.raises(asyncio.CancelledError, match="mine"):
            await task
        async with asyncio.timeout(60):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await lane.backend.write("a", source())

    lane.done(attempt())
    left_nothing(s3, None)


# ---- conditions, conflicts, lost answers


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
    operation = upload.write(bucket, "a", 1, overwrite=False, metadata={}, content_type=None)
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


@pytest.mark.parametrize("how", ["fault", "no length"])
def test_a_comparison_that_fails_keeps_the_first_verdict_and_no_body(how: str, s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"mine")

    def before(call: Call) -> None:
        if call.operation == PUT:
            raise Fault("PreconditionFailed", 412, attempts=2)
        if how == "fault":
            raise Fault("AccessDenied", 403)

    s3.before = before
    s3.after = lambda call, answer: answer.pop("ContentLength") if how == "no length" else None
    with pytest.raises(AlreadyExists):
        open_lane().write("a", b"mine")
    assert not s3.open_bodies()


@pytest.mark.parametrize("code, status", [("PreconditionFailed", 412), ("NoSuchUpload", 404)])
def test_a_completion_whose_answer_was_lost_is_known_by_its_tag(
    code: str, status: int, s3: FakeS3, open_lane: Any
) -> None:
    lose_answer(s3, COMPLETE, code, status)
    result = open_lane(part_size=PART).write("a", Stream(THREE_PARTS))
    assert s3.objects["a"].data == THREE_PARTS
    assert (result.size, result.etag) == (len(THREE_PARTS), s3.objects["a"].etag.strip('"'))
    assert s3.operations() == [CREATE, SEND, SEND, SEND, COMPLETE, HEAD]


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


def test_source_blocks_of_a_buffer_are_slices() -> None:
    source = Source(bytearray(b"0123456789"))
    blocks: Iterator[bytes] = source.blocks(4)
    assert list(blocks) == [b"0123", b"4567", b"89"]
