"""Reading in sequence: ranges are fetched ahead, pinned, in order, within a bound, and not for small reads."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import random
import re
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import BackendUnavailable, PermissionDenied, PreconditionFailed, RetryPolicy
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.engine.reader import SEQUENTIAL_BLOCK
from remote_store.core.s3.operations import fetching
from remote_store.core.s3.operations.reading import BLOCK, ReadPlan

MIB = 1024 * 1024
UNIT = 2 * MIB
RANGE = UNIT // 2
ENOUGH = 2 * MIB
SIZE = ENOUGH + 4 * UNIT + 3 * MIB + 12_345


@functools.cache
def data() -> bytes:
    return random.Random(11).randbytes(SIZE)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the real sizes, and every connection is slow."""
    monkeypatch.setattr(fetching, "FAST_CONNECTION", float("inf"))
    monkeypatch.setattr(fetching, "UNIT", UNIT)
    monkeypatch.setattr(fetching, "READ_IN_SEQUENCE", ENOUGH)


@pytest.fixture
def lane(open_lane: Any) -> Any:
    return open_lane(max_concurrency=3)


@pytest.fixture
def soon(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one block be enough to read ahead."""
    monkeypatch.setattr(fetching, "READ_IN_SEQUENCE", 1)


def bounds(call: Call) -> tuple[int, int]:
    first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", call.params["Range"]).groups()  # type: ignore[union-attr]
    return int(first), int(last) + 1


def in_steps(file: Any, size: int, until: int = SIZE) -> bytes:
    blocks = []
    while file.tell() < until and (block := file.read(min(size, until - file.tell()))):
        blocks.append(block)
    return b"".join(blocks)


@pytest.mark.parametrize("step", [70_000, MIB, MIB + 1, 3 * MIB])
def test_reading_on_fetches_pinned_ranges_that_cover_the_rest_once(step: int, opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    assert in_steps(file, step) == data()
    assert file.read(1) == b""
    first, *ranges = s3.calls
    assert "Range" not in first.params
    assert {call.params["IfMatch"] for call in ranges} == {s3.objects["a"].etag}
    covered = sorted(map(bounds, ranges))
    assert ENOUGH <= covered[0][0] < ENOUGH + max(step, 70_000)
    assert [end for _, end in covered] == [start for start, _ in covered[1:]] + [SIZE]
    assert {end - start for start, end in covered[:-1]} == {RANGE}


@pytest.mark.parametrize("size", [ENOUGH + 4 * UNIT - 1, ENOUGH])
def test_what_is_not_much_longer_than_what_was_read_stays_one_request(size: int, opened: Any, s3: FakeS3) -> None:
    assert in_steps(opened(data=data()[:size]), MIB) == data()[:size]
    assert s3.operations() == ["GetObject"]


def test_random_access_is_never_read_ahead(opened: Any, s3: FakeS3) -> None:
    file = opened("read_seekable", data())
    assert in_steps(file, MIB, 5 * MIB) == data()[: 5 * MIB]
    assert [bounds(call) for call in s3.calls[1:]] == [(at * MIB, (at + 1) * MIB) for at in range(5)]


@pytest.mark.parametrize("room, etag", [(1, '"strong"'), (3, 'W/"weak"')])
def test_no_ranges_without_room_or_without_a_version(
    room: int, etag: str, open_lane: Any, opened: Any, s3: FakeS3
) -> None:
    s3.after = lambda _call, answer: answer.update(ETag=etag)
    assert in_steps(opened(data=data(), on=open_lane(max_concurrency=room)), MIB) == data()
    assert s3.operations() == ["GetObject"]


def test_no_more_is_fetched_ahead_than_the_bound(opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    while file.read(500_000):
        ahead = sum(end - start for start, end in map(bounds, s3.calls[1:]) if end > file.tell())
        assert ahead <= 3 * UNIT
    assert len(s3.calls) > 8


@pytest.mark.usefixtures("soon")
def test_what_was_handed_out_is_not_kept(opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    tracemalloc.start()
    try:
        for _ in range(SIZE // 100_000):
            file.read(100_000)
            s3.bodies = s3.open_bodies()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Beside the ranges, the fake server holds a copy of those that are under way.
    assert peak < 3 * UNIT + 4 * RANGE < SIZE - 2 * MIB


@pytest.mark.parametrize("part_size", [5 * MIB, 8 * MIB, 64 * MIB])
@pytest.mark.parametrize("concurrency", [2, 4, 16])
def test_ranges_under_way_and_in_hand_are_within_the_bound(
    part_size: int, concurrency: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    options = S3Options.build(part_size=part_size, max_concurrency=concurrency)
    assert fetching.READ_IN_SEQUENCE == 8 * MIB
    # A reader takes one range for a block.
    assert fetching.length_ahead(options) >= BLOCK
    assert (concurrency + 2) * fetching.length_ahead(options) <= concurrency * part_size


@pytest.mark.usefixtures("soon")
def test_single_bytes_cross_the_borders_of_ranges(opened: Any) -> None:
    file = opened(data=data())
    for border in (64 * 1024, 64 * 1024 + RANGE, 64 * 1024 + 2 * RANGE):
        in_steps(file, MIB, border - 5)
        for at in range(border - 5, border + 5):
            assert file.read(1) == data()[at : at + 1]
            assert file.tell() == at + 1


@pytest.mark.usefixtures("soon")
def test_buffers_and_lines_cross_the_borders_of_ranges(opened: Any) -> None:
    file = opened(data=data())
    file.read(10)
    buffer = bytearray(3 * RANGE)
    assert file.readinto(buffer) == len(buffer)
    assert buffer == data()[10 : 10 + len(buffer)]
    here = file.tell()
    lines = [file.readline() for _ in range(100)]
    assert b"".join(lines) == data()[here : file.tell()]
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    here = file.tell()
    assert file.peek()[:3] == data()[here : here + 3]
    assert file.read() == data()[here:]


@pytest.mark.usefixtures("soon")
def test_a_seek_in_the_range_costs_nothing_and_one_away_ends_reading_ahead(opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    in_steps(file, MIB, 3 * MIB)
    file.seek(-1000, os.SEEK_CUR)
    assert file.read(1000) == data()[3 * MIB - 1000 : 3 * MIB]
    assert 3 * MIB - 1000 not in [bounds(call)[0] for call in s3.calls[1:]]
    file.seek(100)
    assert file.read(10) == data()[100:110]
    assert s3.calls[-1].params["Range"] == f"bytes=100-{SIZE - 1}"
    assert in_steps(file, MIB) == data()[110:]


@pytest.mark.usefixtures("soon")
def test_an_object_that_changes_meanwhile_is_never_mixed(opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    assert in_steps(file, MIB, 2 * MIB) == data()[: 2 * MIB]
    s3.put("a", data()[::-1])
    seen = [data()[: 2 * MIB]]
    with pytest.raises(PreconditionFailed) as caught:
        seen.extend(iter(lambda: file.read(MIB), b""))
    assert (caught.value.path, caught.value.backend) == ("a", "s3")
    assert b"".join(seen) == data()[: file.tell()]
    assert file.tell() < SIZE


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("silent", [True, False])
def test_each_range_is_resumed_where_it_was_cut(silent: bool, opened: Any, s3: FakeS3, open_lane: Any) -> None:
    s3.silent_cuts = silent
    s3.cuts = [100_000, *([MIB // 2, 0, 70_000] * 8)]
    # One of the concurrent ranges may meet all the cuts that bring no byte.
    assert in_steps(opened(data=data(), on=open_lane(retry=RetryPolicy(10))), MIB) == data()
    assert len(s3.calls) > 24
    assert all("IfMatch" in call.params for call in s3.calls[1:])


@pytest.mark.usefixtures("soon")
def test_a_range_that_fails_is_an_error_when_its_turn_comes(opened: Any, s3: FakeS3) -> None:
    file = opened(data=data())
    start = 64 * 1024 + 2 * RANGE

    def before(call: Call) -> None:
        if call.params.get("Range", "").startswith(f"bytes={start}-"):
            raise Fault("AccessDenied", 403)

    s3.before = before
    assert in_steps(file, 64 * 1024, start) == data()[:start]
    for _ in range(2):
        with pytest.raises(PermissionDenied):
            file.read(10)
        assert file.tell() == start
    s3.before = None
    assert file.read() == data()[start:]


@pytest.mark.usefixtures("soon")
def test_a_read_that_fails_half_way_leaves_the_place(opened: Any, s3: FakeS3, open_lane: Any) -> None:
    file = opened(data=data(), on=open_lane(retry=RetryPolicy.disabled()))
    file.read(1)
    s3.cuts = [RANGE, 5]
    buffer = bytearray(3 * RANGE)
    with pytest.raises(BackendUnavailable):
        file.readinto(buffer)
    assert file.tell() == 1
    s3.cuts = []
    assert file.readinto(buffer) == len(buffer)
    assert buffer == data()[1 : 1 + len(buffer)]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("end", ["close", "seek", "error"])
def test_what_is_under_way_ends_early(end: str, opened: Any, s3: FakeS3, lane: Any) -> None:
    file = opened(data=data())
    in_steps(file, MIB, MIB)

    def before(call: Call) -> Any:
        if bounds(call)[0] < 3 * MIB:
            return None
        return asyncio.sleep(30) if lane.is_async else time.sleep(0.2)

    s3.before = before
    in_steps(file, MIB, 3 * MIB)
    began = time.monotonic()
    if end == "close":
        file.close()
    elif end == "seek":
        file.seek(0)
    else:
        lane.done(file.raw._stop_ahead())
    assert time.monotonic() - began < 0.15
    assert not lane.is_async or lane.done(others()) == set()
    eventually(lambda: not s3.open_bodies())
    calls = len(s3.calls)
    time.sleep(0.05)
    assert len(s3.calls) == calls


async def others() -> set[Any]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.01)
    assert holds()


@pytest.mark.usefixtures("soon")
def test_a_closed_backend_ends_reading_ahead(opened: Any, s3: FakeS3, lane: Any) -> None:
    file = opened(data=data())
    in_steps(file, MIB, MIB)
    lane.close()
    with pytest.raises(BackendUnavailable):
        in_steps(file, MIB)
    assert not s3.open_bodies()


@pytest.mark.usefixtures("soon")
def test_a_cancelled_read_loses_nothing(s3: FakeS3, lane: Any) -> None:
    if not lane.is_async:
        pytest.skip("only awaited reads are cancelled")
    s3.put("a", data())

    async def attempt(steps: int) -> bool:
        file = await lane.backend.read("a")
        await file.read(70_000)
        task = asyncio.create_task(file.read(RANGE))
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            assert file.tell() == 70_000
            assert await others() == set()
        await file.close()
        assert not s3.open_bodies()
        return finished

    steps = 0
    while not lane.done(attempt(steps)):
        steps += 3
        assert steps < 500


@pytest.mark.usefixtures("soon")
def test_a_look_at_a_range_copies_little_of_it(opened: Any) -> None:
    file = opened(data=data())
    in_steps(file, MIB, MIB)
    assert file.readline() == data()[MIB : data().index(b"\n", MIB) + 1]
    place = file.tell()
    looks = [file.peek() for _ in range(3)]
    assert {len(look) for look in looks} == {SEQUENTIAL_BLOCK}
    assert looks == [data()[place : place + SEQUENTIAL_BLOCK]] * 3


@pytest.mark.usefixtures("soon")
def test_short_lines_of_a_range_are_read_without_copies_of_the_range(opened: Any) -> None:
    line = b"a line\n"
    lines = line * (13 * MIB // len(line))
    file = opened(data=lines)
    # In the last range, where no other one is under way.
    in_steps(file, MIB, len(lines) - 110_000 * len(line))
    tracemalloc.start()
    try:
        assert file.readline() == line
        tracemalloc.reset_peak()
        held, _ = tracemalloc.get_traced_memory()
        assert {file.readline() for _ in range(100)} == {line}
        assert tracemalloc.get_traced_memory()[1] - held < RANGE // 4
    finally:
        tracemalloc.stop()


def read_in_child(file: Any, at: int, answers: Any) -> None:
    try:
        answers.put(in_steps(file, MIB, at + 4 * MIB) == data()[at : at + 4 * MIB])
        file.close()
    except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
        answers.put(repr(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is not available here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("soon")
def test_a_forked_child_reads_on_by_itself(opened: Any, lane: Any) -> None:
    if lane.is_async:
        pytest.skip("an async backend belongs to one event loop")
    file = opened(data=data())
    in_steps(file, MIB, MIB)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=read_in_child, args=(file, MIB, answers))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() is True
    assert in_steps(file, MIB) == data()[MIB:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is not available here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("at", [0, MIB])
def test_a_forked_child_leaves_the_body_of_its_parent_alone(at: int, opened: Any, lane: Any, s3: FakeS3) -> None:
    if lane.is_async:
        pytest.skip("an async backend belongs to one event loop")
    file = opened(data=data())
    in_steps(file, MIB, at)
    child = os.fork()
    if not child:
        alone = file.read(3) == data()[at : at + 3] and s3.operations() == ["GetObject", "GetObject"]
        file.close()
        os._exit(0 if alone and s3.open_bodies() == s3.bodies[:1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert file.read(3) == data()[at : at + 3]
    assert s3.operations() == ["GetObject"]


def test_a_plan_that_is_stopped_wants_nothing_and_bears_nothing() -> None:
    plan = ReadPlan(Call("GetObject", {}), RetryPolicy(), end=10, etag='"e"')
    plan.stop()
    assert plan.remaining == 0
    with pytest.raises(Fault, match="Reset"):
        plan.broken(Fault("Reset", transport=True))


def test_a_connection_that_is_fast_reads_on_alone(opened: Any, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FAST_CONNECTION", 1)
    file = opened(data=data())
    assert in_steps(file, MIB) == data()
    assert len([call for call in s3.calls if call.operation == "GetObject"]) == 1
