"""Checks of streams: random access, lines, buffers."""

from __future__ import annotations

import io
import zipfile
from array import array
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.core import AsyncStore, Capability, InvalidPath, NotFound, PreconditionFailed, RemotePath

WRITE = (Capability.WRITE,)
CONTENT = bytes(range(256)) * 400
MEMBERS, MEMBER, MOST = 200, 8_000, 10
LINES = b"first\nsecond\r\n\nlong " + b"x" * 70_000 + b"\nlast without newline"


class AsyncSeekSuite:
    @async_check("SEEK-001", needs=WRITE)
    async def test_seek_random_access(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(300_000)
        await case.backend.write(path, content)
        async with await case.backend.read_seekable(path) as stream:
            for _ in range(60):
                offset, size = case.rng.randrange(len(content)), case.rng.choice([1, 10, 4_096, 70_000])
                await stream.seek(offset)
                observed = await stream.read(size)
                case.expect_equal(observed, content[offset : offset + size], f"read({size}) at {offset}")
                case.expect_equal(stream.tell(), min(offset + size, len(content)), "tell after the read")

    @async_check("SEEK-001", needs=WRITE)
    async def test_seek_whole_content_twice(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        async with await case.backend.read_seekable(path) as stream:
            case.expect_equal(await stream.read(), CONTENT, "the whole content")
            await stream.seek(0)
            case.expect_equal(await stream.read(), CONTENT, "the whole content once more")

    @async_check("SEEK-002", needs=WRITE)
    async def test_seek_says_the_position(self, case: AsyncCase) -> None:
        path, end = case.path("file"), len(CONTENT)
        await case.backend.write(path, CONTENT)
        async with await case.backend.read_seekable(path) as stream:
            case.expect_equal(stream.tell(), 0, "tell of a new stream")
            for offset, whence, position in (
                (100, io.SEEK_SET, 100),
                (50, io.SEEK_CUR, 150),
                (-20, io.SEEK_CUR, 130),
                (0, io.SEEK_END, end),
                (-10, io.SEEK_END, end - 10),
            ):
                case.expect_equal(await stream.seek(offset, whence), position, f"seek({offset}, {whence})")
                case.expect_equal(stream.tell(), position, f"tell after seek({offset}, {whence})")
            case.expect_equal(await stream.read(), CONTENT[-10:], "the last ten bytes")

    @async_check("SEEK-003", needs=WRITE)
    async def test_seek_past_the_end(self, case: AsyncCase) -> None:
        path, end = case.path("file"), len(CONTENT)
        await case.backend.write(path, CONTENT)
        async with await case.backend.read_seekable(path) as stream:
            for position in (end, end + 1, end + 1_000_000):
                case.expect_equal(await stream.seek(position), position, "seek past the end")
                case.expect_equal(await stream.read(10), b"", "read(10) past the end")
                case.expect_equal(await stream.read(), b"", "read() past the end")
                case.expect_equal(stream.tell(), position, "tell past the end")
            await stream.seek(end - 3)
            case.expect_equal(await stream.read(10), CONTENT[-3:], "read(10) across the end")

    @pytest.mark.parametrize("offset, whence", [(-1, 0), (-100_000, 0), (0, 7)])
    @async_check("SEEK-004", needs=WRITE)
    async def test_seek_before_the_start(self, case: AsyncCase, offset: int, whence: int) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        async with await case.backend.read_seekable(path) as stream:
            await stream.seek(100)
            with case.expect_raises((ValueError, OSError), what=f"seek({offset}, {whence}) at 100"):
                await stream.seek(offset, whence)
            case.expect_equal(await stream.read(3), CONTENT[100:103], "the read after a refused seek")

    @pytest.mark.parametrize("offset, whence", [(-101, io.SEEK_CUR), (-1_000_000, io.SEEK_END)])
    @async_check("SEEK-004", needs=WRITE)
    async def test_seek_far_back(self, case: AsyncCase, offset: int, whence: int) -> None:
        path, position = case.path("file"), 100
        await case.backend.write(path, CONTENT)
        async with await case.backend.read_seekable(path) as stream:
            await stream.seek(position)
            with suppress(ValueError, OSError):
                position = await stream.seek(offset, whence)
            case.expect(position in (0, 100), "the position is kept, or it is the start", position)
            case.expect_equal(await stream.read(3), CONTENT[position : position + 3], "the read after it")

    @pytest.mark.parametrize("size", [0, 1, 4_096, 200_000])
    @async_check("SEEK-005", needs=WRITE)
    async def test_seek_readinto(self, case: AsyncCase, size: int) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        stream: Any
        async with await case.backend.read_seekable(path) as stream:
            await stream.seek(10)
            buffer = bytearray(b"." * (size + 5))
            count = await stream.readinto(memoryview(buffer)[:size])
            expected = CONTENT[10 : 10 + size]
            case.expect_equal(count, len(expected), f"the number of bytes of readinto of {size}")
            case.expect_equal(bytes(buffer[:count]), expected, "the bytes in the buffer")
            case.expect_equal(bytes(buffer[max(count, size) :]), b".....", "the bytes after the buffer")
            case.expect_equal(stream.tell(), 10 + count, "tell after readinto")

    @pytest.mark.parametrize("code", ["H", "d"])
    @async_check("SEEK-005", needs=WRITE)
    async def test_seek_readinto_counts_bytes(self, case: AsyncCase, code: str) -> None:
        path, wide = case.path("file"), array(code, bytes(800))
        await case.backend.write(path, CONTENT)
        stream: Any
        async with await case.backend.read_seekable(path) as stream:
            count = await stream.readinto(wide)
            case.expect(0 < count <= 800, f"readinto of a buffer with 800 bytes in {len(wide)} items", count)
            case.expect_equal(wide.tobytes()[:count], CONTENT[:count], "the bytes in the buffer")
            case.expect_equal(stream.tell(), count, "tell after readinto")
            case.expect_equal(await stream.read(5), CONTENT[count : count + 5], "the bytes after readinto")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @async_check("SEEK-006", needs=WRITE)
    async def test_seek_lines(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path = case.path("file")
        await case.backend.write(path, LINES)
        expected = LINES.splitlines(keepends=True)
        async with await getattr(case.backend, method)(path) as stream:
            case.expect_equal([line async for line in stream], expected, "the lines by iteration")
        async with await getattr(case.backend, method)(path) as stream:
            lines = []
            while line := await stream.readline():
                lines.append(line)
            case.expect_equal(lines, expected, "the lines by readline")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @async_check("SEEK-006", needs=WRITE)
    async def test_seek_part_of_a_line(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path = case.path("file")
        await case.backend.write(path, LINES)
        async with await getattr(case.backend, method)(path) as stream:
            case.expect_equal(await stream.readline(3), b"fir", "readline(3)")
            case.expect_equal(await stream.readline(100), b"st\n", "readline(100) to the end of the line")
            case.expect_equal(stream.tell(), 6, "tell after readline")
            case.expect_equal(await stream.read(3), b"sec", "read(3) after readline")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @async_check("SEEK-006", needs=WRITE)
    async def test_seek_lines_then_bytes(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path, rest = case.path("file"), LINES.partition(b"\n")[2]
        await case.backend.write(path, LINES)
        for size in (-1, 4):
            async with await getattr(case.backend, method)(path) as stream:
                async for line in stream:
                    case.expect_equal(line, b"first\n", "the first line by iteration")
                    break
                expected = rest if size < 0 else rest[:size]
                case.expect_equal(await stream.read(size), expected, f"read({size}) after one line by iteration")
                if size > 0:
                    case.expect_equal(await stream.readline(), b"nd\r\n", "readline after read")
                    case.expect_equal([each async for each in stream], rest[8:].splitlines(True), "the lines left")

    @async_check("SEEK-007", needs=WRITE)
    async def test_seek_in_a_stream_of_read(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(600_000)
        await case.backend.write(path, content)
        async with await case.backend.read(path) as stream:
            case.expect_equal(stream.seekable(), True, "seekable() of a stream of read")
            case.expect_equal(await stream.read(5), content[:5], "the header")
            for offset in (0, 500_000, 3, 70_000, 599_990):
                case.expect_equal(await stream.seek(offset), offset, f"seek({offset})")
                observed = await stream.read(1_000)
                case.expect_equal(observed, content[offset : offset + 1_000], f"read(1000) at {offset}")
            await stream.seek(-100, io.SEEK_END)
            case.expect_equal(await stream.read(), content[-100:], "the last hundred bytes")
            await stream.seek(0)
            case.expect_equal(await stream.read(), content, "the whole content at the end")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @async_check("SEEK-008", needs=WRITE)
    async def test_seek_while_overwritten(self, case: AsyncCase, method: str) -> None:
        path, old, new = case.path("file"), b"o" * 2_000_000, b"n" * 2_000_000
        await case.backend.write(path, old)
        data = b""
        async with await getattr(case.backend, method)(path) as stream:
            data += await stream.read(10)
            await case.backend.write(path, new, overwrite=True)
            try:
                for offset in (1_500_000, 10, 700_000):
                    await stream.seek(offset)
                    data += await stream.read(100_000)
            except PreconditionFailed:
                return
        case.expect_equal(data, old[: len(data)], "the content of a file that was overwritten during the read")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @pytest.mark.parametrize("size", [10, 5_000_000])
    @async_check("SEEK-008", needs=WRITE)
    async def test_seek_to_the_end_while_overwritten(self, case: AsyncCase, method: str, size: int) -> None:
        path, old = case.path("file"), b"o" * 2_000_000
        await case.backend.write(path, old)
        async with await getattr(case.backend, method)(path) as stream:
            await stream.read(10)
            await case.backend.write(path, b"n" * size, overwrite=True)
            with suppress(PreconditionFailed):
                case.expect_equal(await stream.seek(0, io.SEEK_END), len(old), "the end of the old version")
                await stream.seek(-7, io.SEEK_END)
                case.expect_equal(await stream.read(), old[-7:], "the last bytes of the old version")

    @async_check("SEEK-009", needs=WRITE)
    async def test_seek_of_what_is_no_file(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("folder/file"), b"x")
        for path, kind in (
            (case.path("missing"), NotFound),
            (case.path("folder"), InvalidPath),
            ("", InvalidPath),
        ):
            with case.expect_raises(kind, path=path, what=f"read_seekable of {path!r}"):
                await (await case.backend.read_seekable(path)).close()

    @async_check("SEEK-010", needs=WRITE)
    async def test_seek_stream_tells_its_state(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        stream = await case.backend.read_seekable(path)
        observed = [stream.readable(), stream.seekable(), stream.writable(), stream.closed]
        case.expect_equal(observed, [True, True, False, False], "readable, seekable, writable, closed")
        await stream.close()
        await stream.close()
        case.expect_equal(stream.closed, True, "closed of a closed stream")
        with case.expect_raises(ValueError, what="reading a closed stream"):
            await stream.read(1)
        with case.expect_raises(ValueError, what="seeking in a closed stream"):
            await stream.seek(0)

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @async_check("SEEK-011", needs=WRITE)
    async def test_seek_stream_refuses_writes(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        async with await getattr(case.backend, method)(path) as stream:
            with case.expect_raises((OSError, ValueError), what="writing to a stream for reading"):
                await stream.write(b"lost")
        case.expect_equal(await case.backend.read_bytes(path), CONTENT, "the content after the refusal")

    @async_check("SEEK-013", needs=WRITE)
    async def test_seek_several_at_once(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        async with (
            await case.backend.read_seekable(path) as first,
            await case.backend.read_seekable(path) as second,
        ):
            await first.seek(1_000)
            await second.seek(50_003)
            case.expect_equal(await first.read(7), CONTENT[1_000:1_007], "the first of two readers")
            case.expect_equal(await second.read(7), CONTENT[50_003:50_010], "the second of two readers")
            case.expect_equal(first.tell(), 1_007, "the position of the first")

    @async_check("SEEK-014", needs=WRITE)
    async def test_seek_in_an_empty_file(self, case: AsyncCase) -> None:
        path = case.path("empty")
        await case.backend.write(path, b"")
        stream: Any
        async with await case.backend.read_seekable(path) as stream:
            case.expect_equal(await stream.read(), b"", "read() of an empty file")
            case.expect_equal(await stream.seek(0, io.SEEK_END), 0, "the end of an empty file")
            case.expect_equal(await stream.read(5), b"", "read(5) of an empty file")
            case.expect_equal(await stream.readinto(bytearray(3)), 0, "readinto of an empty file")

    @async_check("SEEK-015", needs=WRITE)
    async def test_seek_in_blocks(self, case: AsyncCase) -> None:
        path, endpoint = case.path("a.zip"), case.harness.endpoint
        archive = ReadArchive({f"member-{number:03}": case.content(MEMBER) for number in range(MEMBERS)})
        await case.backend.write(path, archive.getvalue())
        store = AsyncStore(case.backend, owns_backend=False)
        with ExitStack() as stack:
            sent = stack.enter_context(endpoint.recording()) if endpoint is not None else []
            async with await store.read_seekable(RemotePath.exact(path), buffer_size=1 << 20) as stream:
                for offset, size in archive.reads:
                    await stream.seek(offset)
                    archive.seek(offset)
                    expected = io.BytesIO.read(archive, size)
                    case.expect_equal(await stream.read(size), expected, f"read({size}) at {offset} of a buffered file")
        if case.kind == "s3":
            case.expect(len(sent) <= MOST, f"at most {MOST} requests for {MEMBERS} members", len(sent))


class ReadArchive(io.BytesIO):
    """A zip archive, and the reads with which `zipfile` reads all its members.

    Args:
        files: The members.

    Attributes:
        reads: Offset and size of each read.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.reads: list[tuple[int, int]] = []
        with zipfile.ZipFile(self, "w") as packed:
            for name, content in files.items():
                packed.writestr(name, content)
        self.reads.clear()
        with zipfile.ZipFile(self) as unpacked:
            for name in files:
                unpacked.read(name)

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads.append((self.tell(), -1 if size is None else size))
        return super().read(size)


def require_method(case: AsyncCase, method: str) -> None:
    """Skip the check unless the backend declares the capability that the method needs."""
    if method == "read_seekable":
        case.require(Capability.SEEKABLE_READ)
