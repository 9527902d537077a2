from __future__ import annotations

import asyncio
import io
import random
import zipfile
from typing import Any

import pytest

from remote_store.conformance.fakes.bodies import FakeBody
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import BackendUnavailable, PermissionDenied, Store
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.engine.reader import SEQUENTIAL_BLOCK

MIB = 1024 * 1024
PART = 5 * MIB
DATA = random.Random(1).randbytes(3 * SEQUENTIAL_BLOCK + 123)  # as `opened` writes it
LINES = b"".join(b"%d:%s\n" % (number, b"x" * (number % 700)) for number in range(900)) + b"no newline"
OPENERS = ["read", "read_seekable"]


@pytest.mark.parametrize("how", OPENERS)
def test_reading_in_pieces_of_any_size_gives_the_bytes(how: str, opened: Any) -> None:
    file = opened(how)
    sizes = random.Random(2)
    pieces = []
    while piece := file.read(sizes.choice([1, 100, SEQUENTIAL_BLOCK - 1, SEQUENTIAL_BLOCK, SEQUENTIAL_BLOCK + 1])):
        pieces.append(piece)
        assert file.tell() == sum(map(len, pieces))
    assert b"".join(pieces) == DATA
    assert file.read() == b""
    assert file.read(5) == b""


def test_reading_in_sequence_is_one_request(opened: Any, s3: FakeS3) -> None:
    file = opened()
    while file.read(1000):
        pass
    assert s3.operations() == ["GetObject"]
    assert not s3.open_bodies()


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("size", [SEQUENTIAL_BLOCK, SEQUENTIAL_BLOCK + 1, MIB])
def test_a_piece_is_handed_out_as_the_body_gave_it(
    how: str, size: int, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[bytes] = []
    read = FakeBody.read

    def keep(body: FakeBody, size: int = -1, /) -> bytes:
        given.append(read(body, size))
        return given[-1]

    monkeypatch.setattr(FakeBody, "read", keep)
    file = opened(how, DATA * 20)
    pieces = [file.read(size) for _ in range(3)]
    assert all(one is other for one, other in zip(pieces, given, strict=True))
    assert b"".join(pieces) == (DATA * 20)[: 3 * size]


@pytest.mark.parametrize("most", [1, 1000, SEQUENTIAL_BLOCK - 1])
def test_a_body_that_gives_little_at_a_time_is_asked_again(
    most: int, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FakeBody.read
    monkeypatch.setattr(FakeBody, "read", lambda body, size=-1, /: read(body, min(size, most) if size > 0 else size))
    file = opened(data=DATA[: 2 * SEQUENTIAL_BLOCK])
    assert file.read(10) == DATA[:10]
    assert file.read(SEQUENTIAL_BLOCK) == DATA[10 : 10 + SEQUENTIAL_BLOCK]
    assert file.tell() == SEQUENTIAL_BLOCK + 10
    assert file.read() == DATA[SEQUENTIAL_BLOCK + 10 : 2 * SEQUENTIAL_BLOCK]


def test_a_body_that_gives_more_than_asked_for_loses_nothing(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = FakeBody.read
    monkeypatch.setattr(FakeBody, "read", lambda body, size=-1, /: read(body, size + 10 if size > 0 else size))
    file = opened()
    assert file.read(SEQUENTIAL_BLOCK + 1) == DATA[: SEQUENTIAL_BLOCK + 1]
    assert file.tell() == SEQUENTIAL_BLOCK + 1
    assert file.read(3) == DATA[SEQUENTIAL_BLOCK + 1 :][:3]


def test_exact_reads_ask_for_nothing_else(opened: Any, s3: FakeS3) -> None:
    file = opened("read_seekable")
    file.seek(10)
    assert file.read(5) == DATA[10:15]
    file.seek(-5, io.SEEK_CUR)
    assert file.read(5) == DATA[10:15]
    assert file.read(0) == b""
    file.seek(-3, io.SEEK_END)
    assert file.read(50) == DATA[-3:]
    ranges = [call.params.get("Range") for call in s3.calls]
    assert ranges == [None, "bytes=10-14", "bytes=10-14", f"bytes={len(DATA) - 3}-{len(DATA) - 1}"]
    assert not s3.open_bodies()


@pytest.mark.parametrize("how", OPENERS)
def test_seeks_go_everywhere_and_only_there(how: str, opened: Any) -> None:
    file = opened(how)
    places = random.Random(3)
    here = 0
    for _ in range(200):
        whence = places.choice([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END])
        target = places.randrange(len(DATA) + 1000)
        if places.random() < 0.5:
            target = max(0, here + places.randrange(-200, 200))
        offset = target - {io.SEEK_SET: 0, io.SEEK_CUR: here, io.SEEK_END: len(DATA)}[whence]
        assert file.seek(offset, whence) == target
        size = places.choice([0, 1, 50, 70_000])
        assert file.read(size) == DATA[target : target + size]
        here = target + len(DATA[target : target + size])
        assert file.tell() == here


def test_a_seek_inside_what_was_read_ahead_costs_nothing(opened: Any, s3: FakeS3) -> None:
    file = opened()
    file.read(1000)
    for place in (0, 500, SEQUENTIAL_BLOCK, 3):
        file.seek(place)
        file.read(10 if place < SEQUENTIAL_BLOCK else 0)
    assert s3.operations() == ["GetObject"]
    file.seek(2 * SEQUENTIAL_BLOCK)
    assert s3.operations() == ["GetObject"]
    assert file.read(1) == DATA[2 * SEQUENTIAL_BLOCK :][:1]
    assert s3.calls[1].params["Range"] == f"bytes={2 * SEQUENTIAL_BLOCK}-{len(DATA) - 1}"
    assert s3.calls[1].params["IfMatch"] == s3.objects["a"].etag
    assert len(s3.open_bodies()) == 1


@pytest.mark.parametrize("how", OPENERS)
def test_bad_seeks_are_refused_and_change_nothing(how: str, opened: Any) -> None:
    file = opened(how)
    file.seek(7)
    for offset, whence in ((-1, io.SEEK_SET), (-8, io.SEEK_CUR), (-len(DATA) - 1, io.SEEK_END)):
        with pytest.raises(ValueError, match="before the start"):
            file.seek(offset, whence)
    with pytest.raises(ValueError, match="whence"):
        file.seek(0, 3)
    with pytest.raises(TypeError, match="integer"):
        file.seek(1.5)
    assert file.read(2) == DATA[7:9]


@pytest.mark.parametrize("how", OPENERS)
@pytest.mark.parametrize("size", [0, 1, 1000, SEQUENTIAL_BLOCK, 2 * SEQUENTIAL_BLOCK, len(DATA), len(DATA) + 99])
def test_a_buffer_is_filled_and_short_only_at_the_end(how: str, size: int, opened: Any) -> None:
    file = opened(how)
    buffer = bytearray(b"\xff" * size)
    count = file.readinto(buffer)
    assert count == min(size, len(DATA))
    assert buffer[:count] == DATA[:count]
    assert buffer[count:] == b"\xff" * (size - count)
    assert file.read(3) == DATA[count : count + 3]


@pytest.mark.parametrize("how", OPENERS)
def test_a_buffer_takes_what_was_read_ahead_first(how: str, opened: Any) -> None:
    file = opened(how)
    file.readline()
    here = file.tell()
    buffer = bytearray(2 * SEQUENTIAL_BLOCK)
    assert file.readinto(buffer) == len(buffer)
    assert buffer == DATA[here : here + len(buffer)]


@pytest.mark.parametrize("how", OPENERS)
def test_lines_cross_the_borders_of_blocks(how: str, opened: Any) -> None:
    file = opened(how, LINES)
    assert [file.readline(), file.readline(3), file.readline(0)] == [b"0:\n", b"1:x", b""]
    lines = []
    while line := file.readline():
        lines.append(line)
    assert b"".join(lines) == LINES[6:]
    assert lines[1:] == LINES.splitlines(keepends=True)[2:]
    assert file.readline() == b""


def test_a_line_longer_than_many_blocks(opened: Any) -> None:
    data = b"x" * (3 * SEQUENTIAL_BLOCK) + b"\nend"
    file = opened(data=data)
    assert file.readline(SEQUENTIAL_BLOCK + 5) == data[: SEQUENTIAL_BLOCK + 5]
    assert file.readline() == data[SEQUENTIAL_BLOCK + 5 : -3]
    assert file.readline() == b"end"


@pytest.mark.parametrize("how", OPENERS)
def test_an_empty_object_is_an_empty_file(how: str, opened: Any) -> None:
    file = opened(how, b"")
    assert (file.read(), file.read(1), file.readline(), file.tell()) == (b"", b"", b"", 0)
    assert file.readinto(bytearray(4)) == 0
    assert file.seek(10) == 10
    assert (file.read(), file.readline()) == (b"", b"")


def test_a_closed_file_refuses_everything(s3: FakeS3, opened: Any) -> None:
    file = opened()
    file.read(1)
    file.close()
    assert not s3.open_bodies()
    for act in (
        file.read,
        lambda: file.read(1),
        file.readline,
        lambda: file.readinto(bytearray(1)),
        lambda: file.seek(0),
        file.tell,
    ):
        with pytest.raises(ValueError, match="closed"):
            act()
    assert len(s3.calls) == 1


def test_a_file_is_readable_and_seekable_and_not_writable(opened: Any) -> None:
    file = opened()
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    assert "'a'" in repr(file.raw)


@pytest.mark.parametrize("how", OPENERS)
def test_a_closed_backend_ends_its_readers_without_a_leak(how: str, s3: FakeS3, opened: Any) -> None:
    file = opened(how)
    file.seek(2 * SEQUENTIAL_BLOCK)
    file.lane.close()
    with pytest.raises(BackendUnavailable) as caught:
        file.read(10)
    assert caught.value.retryable is False
    assert not s3.open_bodies()


def test_a_closed_backend_ends_a_read_in_parts_without_a_leak(s3: FakeS3, open_lane: Any, opened: Any) -> None:
    file = opened(data=b"x" * (5 * PART), on=open_lane(part_size=PART))
    file.lane.close()
    with pytest.raises(BackendUnavailable):
        file.read()
    assert file.tell() == 0
    assert not s3.open_bodies()


def test_a_large_read_is_ranges_at_once_and_leaves_the_file_in_order(s3: FakeS3, open_lane: Any, opened: Any) -> None:
    data = random.Random(5).randbytes(5 * PART)
    file = opened(data=data, on=open_lane(part_size=PART))
    assert file.read(10) == data[:10]
    assert file.read(4 * PART + SEQUENTIAL_BLOCK) == data[10 : 10 + 4 * PART + SEQUENTIAL_BLOCK]
    assert len(s3.calls) == 4
    assert file.read() == data[10 + 4 * PART + SEQUENTIAL_BLOCK :]


def test_a_large_buffer_over_a_file_of_a_store_reads_ahead_in_ranges(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    if lane.is_async:
        pytest.skip("io.BufferedReader takes blocking files")
    data = random.Random(7).randbytes(9 * PART)
    store = Store(lane.backend, "folder")
    store.write("a", data)
    s3.calls.clear()
    with io.BufferedReader(store.read("a"), 4 * PART) as file:
        assert b"".join(iter(lambda: file.read(MIB), b"")) == data
    parts = [f"bytes={start}-{start + PART - 1}" for start in range(0, 8 * PART, PART)]
    assert sorted(call.params.get("Range", "") for call in s3.calls) == sorted(
        ["", *parts, f"bytes={8 * PART}-{9 * PART - 1}"]
    )


def test_a_large_read_that_fails_can_be_repeated(s3: FakeS3, open_lane: Any, opened: Any) -> None:
    data = random.Random(6).randbytes(5 * PART)
    file = opened(data=data, on=open_lane(part_size=PART))

    def before(call: Call) -> None:
        if call.params.get("Range", "").startswith(f"bytes={2 * PART}-"):
            raise Fault("AccessDenied", 403)

    s3.before = before
    with pytest.raises(PermissionDenied) as caught:
        file.read()
    assert caught.value.path == "a"
    assert file.tell() == 0
    assert not s3.open_bodies()
    s3.before = None
    assert file.read() == data


def test_a_text_wrapper_reads_it(s3: FakeS3, opened: Any, lane: Any) -> None:
    if lane.is_async:
        pytest.skip("io.TextIOWrapper takes blocking files")
    text = "é\n" * 70_000
    with io.TextIOWrapper(opened(data=text.encode()).raw, encoding="utf-8") as file:
        assert file.readline() == "é\n"
        assert sum(1 for _ in file) == 69_999


@pytest.mark.parametrize("how", OPENERS)
def test_a_zip_file_is_read_in_it(how: str, s3: FakeS3, opened: Any, lane: Any) -> None:
    if lane.is_async:
        pytest.skip("zipfile takes blocking files")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(20):
            made.writestr(f"{number}.txt", str(number) * 5000)
    with zipfile.ZipFile(opened(how, archive.getvalue()).raw) as found:
        assert found.testzip() is None
        assert found.read("7.txt") == b"7" * 5000


def test_blocking_files_have_the_whole_of_io(opened: Any, lane: Any) -> None:
    if lane.is_async:
        pytest.skip("an awaited file is no io object")
    file = opened(data=LINES).raw
    assert isinstance(file, io.BufferedIOBase)
    assert file.peek(5).startswith(LINES[:5])
    assert file.tell() == 0
    assert file.read1(10) == LINES[:10]
    assert len(file.read1()) <= SEQUENTIAL_BLOCK
    file.seek(0)
    buffer = bytearray(7)
    assert file.readinto1(buffer) == 7
    file.seek(0)
    assert list(file) == LINES.splitlines(keepends=True)
    file.seek(0)
    assert file.readlines(10) == LINES.splitlines(keepends=True)[:3]


def test_an_awaited_file_iterates_and_closes_itself(opened: Any, lane: Any, s3: FakeS3) -> None:
    if not lane.is_async:
        pytest.skip("the blocking twin is tested through io")
    file = opened(data=LINES)

    async def consume() -> list[bytes]:
        async with file.raw as entered:
            return [line async for line in entered]

    assert lane.done(consume()) == LINES.splitlines(keepends=True)
    assert file.raw.closed


@pytest.mark.parametrize("how", OPENERS)
def test_a_cancelled_read_loses_no_byte_and_no_body(how: str, s3: FakeS3, lane: Any) -> None:
    if not lane.is_async:
        pytest.skip("only awaited reads are cancelled")
    s3.put("a", DATA)

    async def attempt(steps: int) -> bool:
        file = await getattr(lane.backend, how)("a")
        await file.seek(5)
        task = asyncio.create_task(file.read(2 * SEQUENTIAL_BLOCK))
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            assert file.tell() == 5
            assert await file.read() == DATA[5:]
        await file.close()
        assert not s3.open_bodies()
        return finished

    steps = 0
    while not lane.done(attempt(steps)):
        steps += 1
        assert steps < 500
    assert steps > 3
