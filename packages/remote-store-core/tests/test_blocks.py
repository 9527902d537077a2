from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncReader,
    AsyncStore,
    BackendUnavailable,
    LocalBackend,
    MemoryBackend,
    PreconditionFailed,
    Reader,
    Store,
    ThreadedBackend,
)
from remote_store.core.s3 import Fault

MIB = 1 << 20
BLOCK = 1000
CONTENT = random.Random(1).randbytes(10 * BLOCK + 345)
WRONG = [(-1, ValueError), (True, TypeError), ("1", TypeError), (1.5, TypeError), (None, TypeError)]


def gets(s3: FakeS3) -> list[str]:
    return [call.params.get("Range", "all") for call in s3.calls if call.operation == "GetObject"]


@pytest.fixture
def open_file(open_lane: Any, s3: FakeS3) -> Callable[..., Any]:
    def opener(content: bytes = CONTENT, buffer_size: int = BLOCK) -> Any:
        s3.put("team/file", content)
        lane = open_lane()
        store = (AsyncStore if lane.is_async else Store)(lane.backend, "team", owns_backend=False)
        return lane, lane.done(store.read_seekable("file", buffer_size))

    return opener


def archive(members: int, size: int) -> dict[str, bytes]:
    return {f"folder/member-{number:03}.txt": random.Random(number).randbytes(size) for number in range(members)}


class Recorded(io.BytesIO):
    """Records the offset and the size of each read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads: list[tuple[int, int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads.append((self.tell(), -1 if size is None else size))
        return super().read(size)


def test_a_zip_of_many_small_members_takes_few_requests(open_file: Callable[..., Any], s3: FakeS3) -> None:
    files, packed = archive(200, 25_000), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writing:
        for name, content in files.items():
            writing.writestr(name, content)
    recorded = Recorded(packed.getvalue())
    lane, file = open_file(packed.getvalue(), MIB)
    opened = recorded if lane.is_async else file
    with zipfile.ZipFile(opened) as reading:
        names = reading.namelist()
        random.Random(3).shuffle(names)
        assert {name: reading.read(name) for name in names} == files
    for offset, size in recorded.reads:
        lane.done(file.seek(offset))
        recorded.seek(offset)
        assert lane.done(file.read(size)) == io.BytesIO.read(recorded, size)
    assert 3 <= len(s3.calls) <= 10
    lane.done(file.close())


def test_small_reads_share_blocks(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    assert isinstance(file, AsyncReader if lane.is_async else Reader)
    assert (file.readable(), file.seekable(), file.writable(), file.closed) == (True, True, False, False)
    for offset in range(0, BLOCK, 50):
        assert (lane.done(file.seek(offset)), lane.done(file.read(50))) == (offset, CONTENT[offset : offset + 50])
    assert lane.done(file.seek(-10, io.SEEK_END)) == len(CONTENT) - 10
    assert lane.done(file.read()) == CONTENT[-10:]
    assert lane.done(file.read(1)) == b""
    assert s3.operations() == ["HeadObject", "GetObject", "GetObject"]
    assert gets(s3) == ["bytes=0-999", "bytes=10000-10344"]
    assert file.info.size == len(CONTENT)
    lane.done(file.seek(-10, io.SEEK_END))
    assert file.bytes_left() == 10
    lane.done(file.close())
    assert file.closed
    assert s3.open_bodies() == []
    for use in (
        lambda: file.read(1),
        lambda: file.seek(0),
        file.tell,
        file.readline,
        lambda: file.readinto(bytearray(1)),
    ):
        with pytest.raises(ValueError, match="closed"):
            lane.done(use())


def test_a_read_across_blocks_is_one_request(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    lane.done(file.seek(BLOCK - 5))
    assert lane.done(file.read(10)) == CONTENT[BLOCK - 5 : BLOCK + 5]
    assert gets(s3) == ["bytes=0-1999"]
    lane.done(file.seek(2 * BLOCK - 5))
    assert lane.done(file.read(10)) == CONTENT[2 * BLOCK - 5 : 2 * BLOCK + 5]
    assert gets(s3)[1:] == ["bytes=2000-2999"]
    lane.done(file.close())


def test_a_long_read_is_one_request_and_is_not_kept(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    lane.done(file.read(10))
    assert lane.done(file.read(5 * BLOCK)) == CONTENT[10 : 5 * BLOCK + 10]
    assert gets(s3) == ["bytes=0-999", "bytes=10-5009"]
    assert lane.done(file.read()) == CONTENT[5 * BLOCK + 10 :]
    assert len(gets(s3)) == 3
    assert lane.done(file.seek(20)) == 20
    buffer = bytearray(30)
    assert (lane.done(file.readinto(buffer)), bytes(buffer)) == (30, CONTENT[20:50])
    assert len(gets(s3)) == 3
    lane.done(file.close())


def test_the_blocks_in_memory_are_bounded(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    for number in [0, 1, 2, 3, 4, 0, 5, 6, 7, 0, 9, 8, 10, 0]:
        lane.done(file.seek(number * BLOCK + 7))
        assert lane.done(file.read(3)) == CONTENT[number * BLOCK + 7 : number * BLOCK + 10]
        held = [value for value in vars(file).values() if isinstance(value, dict)]
        assert sum(map(len, held[0].values())) <= 8 * BLOCK
    # Block 0 was used often enough to stay.
    assert gets(s3).count("bytes=0-999") == 1
    lane.done(file.seek(BLOCK))
    lane.done(file.read(1))
    assert gets(s3).count("bytes=1000-1999") == 2
    lane.done(file.close())


def test_random_reads_return_the_bytes(open_file: Callable[..., Any]) -> None:
    lane, file = open_file()
    chance = random.Random(2)
    for _ in range(300):
        offset, size = chance.randrange(len(CONTENT) + 50), chance.choice([0, 1, 10, 999, 1000, 1001, 2500, -1])
        lane.done(file.seek(offset))
        expected = CONTENT[offset:] if size < 0 else CONTENT[offset : offset + size]
        assert lane.done(file.read(size)) == expected
        assert file.tell() == offset + len(expected)
    lane.done(file.close())


def test_lines_and_chunks(open_file: Callable[..., Any], s3: FakeS3) -> None:
    content = b"\n".join(b"x" * (number % 90) for number in range(100)) + b"\n" + b"long" * 800
    lane, file = open_file(content)
    lines = []
    while line := lane.done(file.readline()):
        lines.append(line)
    assert lines == content.splitlines(keepends=True)
    assert len(gets(s3)) == -(-len(content) // BLOCK)
    lane.done(file.seek(0))
    assert (lane.done(file.readline(1)), lane.done(file.readline(0)), lane.done(file.readline(9))) == (
        b"\n",
        b"",
        b"x\n",
    )
    assert b"".join(lane.done(file.iter_chunks(700))) == content[3:]
    assert lane.done(file.read1(5)) == b""
    lane.done(file.close())


def test_an_empty_file_needs_no_request(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file(b"")
    assert lane.done(file.read()) == lane.done(file.read(5)) == lane.done(file.readline()) == b""
    assert lane.done(file.seek(0, io.SEEK_END)) == 0
    assert s3.operations() == ["HeadObject"]
    lane.done(file.close())


@pytest.mark.parametrize("offset, whence", [(-1, 0), (-1, 1), (-20_000, 2), (0, 7), (1.5, 0)])
def test_a_wrong_seek_moves_nothing(open_file: Callable[..., Any], offset: float, whence: int) -> None:
    lane, file = open_file()
    with pytest.raises((TypeError, ValueError), match="position|whence|integer"):
        lane.done(file.seek(offset, whence))
    assert file.tell() == 0
    lane.done(file.close())


def test_a_changed_file_is_never_mixed(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    assert lane.done(file.read(10)) == CONTENT[:10]
    s3.put("team/file", b"n" * len(CONTENT))
    assert lane.done(file.read(10)) == CONTENT[10:20]
    lane.done(file.seek(5 * BLOCK))
    with pytest.raises(PreconditionFailed) as caught:
        lane.done(file.read(10))
    assert caught.value.path == "file"
    assert file.tell() == 5 * BLOCK
    lane.done(file.close())


def test_a_failed_read_moves_nothing(open_file: Callable[..., Any], s3: FakeS3) -> None:
    lane, file = open_file()
    lane.done(file.seek(2 * BLOCK))

    def fail(_call: Any) -> None:
        raise Fault("SlowDown", 503)

    s3.before = fail
    with pytest.raises(BackendUnavailable) as caught:
        lane.done(file.read(10))
    assert (caught.value.path, file.tell()) == ("file", 2 * BLOCK)
    s3.before = None
    assert lane.done(file.read(10)) == CONTENT[2 * BLOCK : 2 * BLOCK + 10]
    lane.done(file.close())


def test_a_line_that_fails_in_its_second_block_moves_nothing(open_file: Callable[..., Any], s3: FakeS3) -> None:
    content = b"x" * 1500 + b"\n" + b"y" * 1000
    lane, file = open_file(content)
    assert lane.done(file.read(10)) == content[:10]

    def fail(_call: Any) -> None:
        raise Fault("SlowDown", 503)

    s3.before = fail
    with pytest.raises(BackendUnavailable):
        lane.done(file.readline())
    assert file.tell() == 10
    s3.before = None
    assert lane.done(file.readline()) == content[10:1501]
    assert file.tell() == 1501
    lane.done(file.close())


@pytest.mark.parametrize("buffer_size, kind", WRONG)
async def test_a_wrong_size_is_refused_before_any_request(buffer_size: Any, kind: type[Exception]) -> None:
    backend = MemoryBackend()
    for path in ("missing", ""):
        with pytest.raises(kind, match="buffer_size must be"):
            Store(backend).read_seekable(path, buffer_size)
        with pytest.raises(kind, match="buffer_size must be"):
            await AsyncStore(ThreadedBackend(backend)).read_seekable(path, buffer_size)


def test_it_works_on_any_backend(tmp_path: Path) -> None:
    class ShortReads(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(7, size) if size is not None and size > 0 else size)

    class Plain(MemoryBackend):
        def read_seekable(self, path: str) -> BinaryIO:
            return ShortReads(self.read_bytes(path))

    for backend in (MemoryBackend(), LocalBackend(tmp_path), Plain()):
        store = Store(backend, "team")
        store.write("x", CONTENT)
        with store.read_seekable("x", buffer_size=BLOCK) as file:
            assert (file.seek(5), file.read(2 * BLOCK), file.read(20)) == (
                5,
                CONTENT[5 : 2 * BLOCK + 5],
                CONTENT[2 * BLOCK + 5 : 2 * BLOCK + 25],
            )
            assert file.info == store.get_file_info("x")
            file.seek(3)
            assert store.write("copy", file, overwrite=True).size == len(CONTENT) - 3


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path))
    store.write("x", CONTENT)
    with store.read_seekable("x", buffer_size=BLOCK) as file:
        assert file.read(5) == CONTENT[:5]
        (tmp_path / "x").write_bytes(b"")
        file.seek(5 * BLOCK)
        with pytest.raises(PreconditionFailed, match="0 of 1000 bytes"):
            file.read(5)


async def test_small_reads_from_blocks_call_no_thread() -> None:
    class Watched(MemoryBackend):
        def read_seekable(self, path: str) -> BinaryIO:
            self.file = Recorded(self.read_bytes(path))
            return self.file

    backend = Watched()
    backend.write("x", CONTENT)
    async with await AsyncStore(ThreadedBackend(backend)).read_seekable("x", BLOCK) as file:
        for offset in range(0, BLOCK, 7):
            await file.seek(offset)
            await file.read(1)
    assert backend.file.reads == [(0, BLOCK)]
