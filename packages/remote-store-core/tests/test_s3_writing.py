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

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AlreadyExists, BackendUnavailable, PermissionDenied, RemoteStoreError
from remote_store.core.io.streams import Source
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import writing
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Drain, ReadBlock, Start, Wait
from remote_store.core.s3.operations.sums import Sums
from remote_store.core.s3.protocol.options import GIB, LARGEST_PART, SMALLEST_PART
from remote_store.core.s3.protocol.responses import Begun, Part, Written, read
from runs import one
from uploads import ABORT, COMPLETE, CREATE, MIB, PART, PUT, SEND, THREE_PARTS, Stream, fail, left_nothing

TIB = 1024 * GIB


@pytest.mark.parametrize("part_size", [PART, 8 * MIB, 50 * MIB, 100 * MIB, GIB, 5 * GIB])
@pytest.mark.parametrize("size", [1, PART, 78 * GIB, 500 * GIB, 5 * TIB])
def test_parts_are_equal_and_enough_where_the_length_is_known(part_size: int, size: int) -> None:
    sizes = list(writing.part_sizes(S3Options.build(part_size=part_size), size))
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
    sizes = list(writing.part_sizes(S3Options.build(part_size=part_size), None))
    assert len(sizes) == 10_000
    assert sum(sizes) >= 5 * TIB
    assert sizes == sorted(sizes)
    assert sizes[0] == part_size
    assert sizes[-1] <= LARGEST_PART
    assert len(set(sizes)) <= 40


def test_parts_grow_by_a_tenth_of_a_gigabyte_at_the_most() -> None:
    sizes = list(writing.part_sizes(S3Options.build(), None))
    assert max(after - before for before, after in itertools.pairwise(sizes)) < 30 * MIB
    assert sum(sizes[:250]) == 250 * 8 * MIB


def test_parts_stay_equal_where_that_is_asked_for() -> None:
    sizes = list(writing.part_sizes(S3Options.build(part_size=PART, grow_parts=False), None))
    assert set(sizes) == {PART}
    assert len(sizes) == 10_000


def test_the_part_after_the_last_is_a_clear_error_and_nothing_stays() -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART, grow_parts=False))
    operation = writing.write(bucket, "a", None, overwrite=True, metadata={}, content_type=None)
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
                step = operation.send([Begun("u")])
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
    operation = writing.write(bucket, "a", None, overwrite=True, metadata={}, content_type=None)
    block = bytes(PART)
    step = next(operation)
    read = 0
    while read <= 10_000:
        if isinstance(step, ReadBlock):
            read += 1
            step = operation.send(block if read <= 10_000 else b"")
        else:
            step = operation.send([Begun("u")] if isinstance(step, Wait) else None)
    assert isinstance(step, Wait)
    complete = operation.send([Part(f'"{number:032x}"') for number in range(1, 10_001)])
    listed = complete.params["MultipartUpload"]["Parts"]
    assert [part["PartNumber"] for part in listed] == list(range(1, 10_001))
    assert [part["ETag"] for part in listed[::9999]] == [f'"{1:032x}"', f'"{10_000:032x}"']
    with pytest.raises(StopIteration) as caught:
        operation.send(Written('"e-10000"', "v"))
    assert (caught.value.value.size, caught.value.value.etag) == (10_000 * PART, "e-10000")


@pytest.mark.parametrize("size, part, count", [(5 * GIB + 1, GIB, 6), (5 * TIB, GIB, 5120), (10 * TIB, GIB, 9996)])
def test_the_ranges_of_a_copy_cover_the_object(size: int, part: int, count: int) -> None:
    ranges = writing.parts_of(size, part)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(ranges))
    assert len(ranges) == count <= 10_000


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
    told = {"ETag": '"1"', "ChecksumCRC32": "x", "ChecksumType": "COMPOSITE"}
    parts = [read(Call("UploadPart", {}), told), read(Call("UploadPartCopy", {}), {"CopyPartResult": {"ETag": '"2"'}})]
    assert writing.listed_parts(parts) == [
        {"PartNumber": 1, "ETag": '"1"', "ChecksumCRC32": "x"},
        {"PartNumber": 2, "ETag": '"2"'},
    ]


def test_a_known_length_of_more_than_the_parts_hold_makes_them_larger() -> None:
    bucket = Bucket("bucket", S3Options.build(part_size=PART))
    operation = writing.write(bucket, "a", 100 * GIB, overwrite=True, metadata={}, content_type=None)
    assert next(operation) == ReadBlock(11 * MIB)


def test_large_parts_make_the_window_smaller_so_that_memory_stays_bounded() -> None:
    options = S3Options.build(part_size=PART, max_concurrency=4)
    blocks = {size: bytes(size) for size in (PART, 2 * PART, 3 * PART, 5 * PART)}
    for size, window in ((PART, 4), (2 * PART, 2), (3 * PART, 1), (5 * PART, 1)):
        operation = writing._send_parts(
            Bucket("b", options), {"Key": "a", "UploadId": "u"}, [blocks[size]], iter([]), Sums(options, None)
        )
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
    operation = writing.abandon(bucket, {"Key": "a", "UploadId": "u"}, first)
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


def test_an_upload_of_somebody_else_is_never_aborted(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    create = Call(CREATE, {"Bucket": s3.bucket, "Key": "a"})
    theirs = lane.done(lane.backend._runner.run(one(create))).upload_id
    fail(s3, SEND, Fault("AccessDenied", 403))
    with pytest.raises(PermissionDenied):
        lane.write("a", Stream(THREE_PARTS))
    assert set(s3.uploads) == {theirs}
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


def test_source_blocks_of_a_buffer_are_slices() -> None:
    source = Source(bytearray(b"0123456789"))
    blocks: Iterator[bytes] = source.blocks(4)
    assert list(blocks) == [b"0123", b"4567", b"89"]
