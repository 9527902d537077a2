"""Checks of reading whole files, streams and ranges."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import PIECES, SIZES
from remote_store.conformance.checking.wire import operations
from remote_store.conformance.suite.aio.reading.seeking import require_method
from remote_store.core import AsyncReader, Capability, FileInfo, InvalidPath, NotFound, PreconditionFailed

WRITE = (Capability.WRITE,)
CONTENT = bytes(range(256)) * 4
METHODS = ["read", "read_seekable"]
ABANDONED = {"smoke": 70, "quick": 70, "full": 120, "soak": 1000}
"""Streams that are closed before their end, by tier; pools of connections have up to 100."""


class AsyncReadSuite:
    @pytest.mark.parametrize("size", SIZES)
    @async_check("READ-001", needs=WRITE)
    async def test_read_stream_gives_the_content(self, case: AsyncCase, size: int) -> None:
        path, content = case.path("file.gz"), case.content(size)
        await case.backend.write(path, content)
        async with await case.backend.read(path) as stream:
            case.expect_equal(await stream.read(), content, "read() of the whole stream")

    @pytest.mark.parametrize("size", SIZES)
    @async_check("READ-002", needs=WRITE)
    async def test_read_bytes_gives_the_content(self, case: AsyncCase, size: int) -> None:
        path, content = case.path("file"), case.content(size)
        await case.backend.write(path, content)
        case.expect_equal(await case.backend.read_bytes(path), content, "read_bytes of a file")

    @pytest.mark.parametrize("start, length", [(0, 1), (0, 1024), (1, 3), (255, 2), (1000, 24), (1023, 1)])
    @async_check("READ-003", needs=WRITE)
    async def test_read_range_is_exact(self, case: AsyncCase, start: int, length: int) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        observed = await case.backend.read_range(path, start, length)
        case.expect_equal(observed, CONTENT[start : start + length], f"read_range({start}, {length})")

    @pytest.mark.parametrize(
        "start, length", [(1020, 100), (1024, 1), (1025, 1), (10_000, 10), (0, 2000), (1000, 2**40)]
    )
    @async_check("READ-004", needs=WRITE)
    async def test_read_range_ends_with_the_file(self, case: AsyncCase, start: int, length: int) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        observed = await case.backend.read_range(path, start, length)
        case.expect_equal(observed, CONTENT[start : start + length], f"read_range({start}, {length}) of 1,024 bytes")

    @pytest.mark.parametrize("start, length", [(0, 1), (0, 100), (5, 5)])
    @async_check("READ-004", needs=WRITE)
    async def test_read_range_of_an_empty_file(self, case: AsyncCase, start: int, length: int) -> None:
        path = case.path("empty")
        await case.backend.write(path, b"")
        case.expect_equal(await case.backend.read_range(path, start, length), b"", "a range of an empty file")

    @pytest.mark.parametrize("start", [0, 5, 1024, 2000])
    @async_check("READ-005", needs=WRITE)
    async def test_read_range_of_no_length(self, case: AsyncCase, start: int) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        case.expect_equal(await case.backend.read_range(path, start, 0), b"", f"read_range({start}, 0)")

    @async_check("READ-007")
    async def test_read_range_of_no_length_needs_a_file(self, case: AsyncCase) -> None:
        path = case.path("missing")
        with case.expect_raises(NotFound, path=path, what="read_range(0, 0) of a missing file"):
            await case.backend.read_range(path, 0, 0)

    @pytest.mark.parametrize(
        "start, length, kind",
        [
            (-1, 1, ValueError),
            (0, -1, ValueError),
            (True, 1, TypeError),
            (0, 1.0, TypeError),
            ("0", 1, TypeError),
            (0, None, TypeError),
        ],
    )
    @async_check("READ-006")
    async def test_read_range_checks_its_arguments(
        self, case: AsyncCase, start: Any, length: Any, kind: type[Exception]
    ) -> None:
        with case.expect_raises(kind, what=f"read_range({start!r}, {length!r})") as caught:
            await case.backend.read_range(case.path("missing"), start, length)
        case.expect(not isinstance(caught.error, InvalidPath), "the arguments are wrong, not the path", caught.error)

    @pytest.mark.parametrize("method", ["read", "read_bytes", "read_range"])
    @async_check("READ-007")
    async def test_read_of_a_missing_file(self, case: AsyncCase, method: str) -> None:
        path = case.path("missing")
        with case.expect_raises(NotFound, path=path, what=f"{method} of a missing file"):
            await call(case, method, path)

    @pytest.mark.parametrize("method", ["read", "read_bytes", "read_range"])
    @async_check("READ-008", needs=WRITE)
    async def test_read_of_a_folder(self, case: AsyncCase, method: str) -> None:
        await case.backend.write(case.path("folder/file"), b"x")
        path = case.path("folder")
        with case.expect_raises(InvalidPath, path=path, what=f"{method} of a folder"):
            await call(case, method, path)

    @pytest.mark.parametrize("method", ["read", "read_bytes", "read_range"])
    @async_check("READ-009")
    async def test_read_of_the_root(self, case: AsyncCase, method: str) -> None:
        with case.expect_raises(InvalidPath, path="", what=f"{method} of the root"):
            await call(case, method, "")

    @pytest.mark.parametrize("piece", PIECES)
    @async_check("READ-010", needs=WRITE)
    async def test_read_in_pieces(self, case: AsyncCase, piece: int) -> None:
        path, content = case.path("file"), case.content(min(300_000, piece * 2_000 + 7))
        await case.backend.write(path, content)
        gathered = bytearray()
        async with await case.backend.read(path) as stream:
            while data := await stream.read(piece):
                case.expect(len(data) <= piece, f"read({piece}) returns at most that many bytes", len(data))
                gathered += data
        case.expect_equal(bytes(gathered), content, f"the pieces of read({piece})")

    @async_check("READ-010", needs=WRITE)
    async def test_read_of_nothing_moves_nothing(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        async with await case.backend.read(path) as stream:
            case.expect_equal(await stream.read(0), b"", "read(0)")
            case.expect_equal(await stream.read(3), CONTENT[:3], "the read after read(0)")

    @async_check("READ-011", needs=WRITE)
    async def test_read_stream_tells_its_state(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        stream = await case.backend.read(path)
        case.expect_equal(stream.readable(), True, "readable() of an open stream")
        case.expect_equal(stream.writable(), False, "writable() of a stream for reading")
        case.expect_equal(stream.closed, False, "closed of an open stream")
        await stream.close()
        case.expect_equal(stream.closed, True, "closed of a closed stream")

    @async_check("READ-016", needs=WRITE)
    async def test_read_of_a_closed_stream(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, CONTENT)
        stream = await case.backend.read(path)
        await stream.close()
        await stream.close()
        with case.expect_raises(ValueError, what="reading a closed stream"):
            await stream.read(1)

    @async_check("READ-012", needs=WRITE)
    async def test_read_at_the_end(self, case: AsyncCase) -> None:
        for content in (b"", CONTENT):
            path = case.path(f"file-{len(content)}")
            await case.backend.write(path, content)
            async with await case.backend.read(path) as stream:
                await stream.read()
                case.expect_equal(await stream.read(), b"", "read() at the end")
                case.expect_equal(await stream.read(10), b"", "read(10) at the end")
                case.expect_equal(stream.tell(), len(content), "the position at the end")

    @pytest.mark.parametrize("read_before", [0, 1, 70_000])
    @async_check("READ-013", needs=WRITE)
    async def test_read_while_overwritten(self, case: AsyncCase, read_before: int) -> None:
        path, old, new = case.path("file"), b"o" * 4_000_000, b"n" * 4_000_000
        await case.backend.write(path, old)
        async with await case.backend.read(path) as stream:
            data = await stream.read(read_before)
            await case.backend.write(path, new, overwrite=True)
            try:
                data += await stream.read()
            except PreconditionFailed:
                return
        case.expect_equal(data, old, "the content of a file that was overwritten during the read")

    @async_check("READ-014", needs=(Capability.WRITE, Capability.DELETE))
    async def test_read_while_deleted(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(4_000_000)
        await case.backend.write(path, content)
        async with await case.backend.read(path) as stream:
            data = await stream.read(1)
            await case.backend.delete(path)
            try:
                data += await stream.read()
            except (NotFound, PreconditionFailed):
                return
        case.expect_equal(data, content, "the content of a file that was deleted during the read")

    @async_check("READ-015", needs=WRITE)
    async def test_read_twice_at_once(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(200_000)
        await case.backend.write(path, content)
        async with await case.backend.read(path) as first, await case.backend.read(path) as second:
            data = await first.read(70_000)
            other = await second.read(10)
            data += await first.read()
            other += await second.read()
        case.expect_equal(data, content, "the first of two readers")
        case.expect_equal(other, content, "the second of two readers")

    @async_check("READ-015", needs=WRITE)
    async def test_read_by_many_at_once(self, case: AsyncCase) -> None:
        paths = [case.path(f"file-{number}") for number in range(min(16, case.profile.readers or 16))]
        contents = {path: case.content(50_000) for path in paths}
        for path, content in contents.items():
            await case.backend.write(path, content)
        observed = await case.together([partial(case.backend.read_bytes, path) for path in paths])
        for path, data in zip(paths, observed, strict=True):
            case.expect_equal(data, contents[path], "read_bytes of one file among many at once")

    @async_check("READ-017", needs=WRITE)
    async def test_read_abandoned(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(1_000_000)
        await case.backend.write(path, content)
        for _ in range(ABANDONED[case.tier]):
            async with await case.backend.read(path) as stream:
                case.expect_equal(await stream.read(10), content[:10], "the first bytes")
        case.expect_equal(await case.backend.read_bytes(path), content, "the content after abandoned streams")

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-022", needs=WRITE)
    async def test_read_info_describes_the_stream(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path, options = case.path("file.txt"), dict[str, Any](content_type="text/plain")
        if Capability.USER_METADATA in case.backend.capabilities:
            options["metadata"] = {"author": "ada"}
        await case.backend.write(path, CONTENT, **options)
        async with await getattr(case.backend, method)(path) as stream:
            info = info_of(stream)
            observed = (info.path, info.name, info.size)
            case.expect_equal(observed, (path, "file.txt", len(CONTENT)), "path, name and size of info")
            if Capability.METADATA in case.backend.capabilities:
                expected = asdict(await case.backend.get_file_info(path))
                told = {name: value for name, value in asdict(info).items() if value is not None}
                expected = {name: expected[name] for name in told}
                case.expect_equal(told, expected, "the fields of info, compared with get_file_info")
            await case.backend.write(path, b"new", overwrite=True)
            case.expect_equal(info_of(stream), info, "info after the file was overwritten")
        async with await getattr(case.backend, method)(path) as stream:
            await case.backend.write(path, b"newer and longer", overwrite=True)
            info = info_of(stream)
            case.expect_equal((info.path, info.size), (path, 3), "info that is first asked for after an overwrite")

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-023", needs=WRITE)
    async def test_read_info_sends_nothing(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        path, endpoint = case.path("file"), case.endpoint
        await case.backend.write(path, CONTENT)
        with endpoint.recording() as sent:
            async with await getattr(case.backend, method)(path) as stream:
                opened = len(sent)
                info = info_of(stream)
                case.expect_equal(operations(sent[opened:]), [], "the requests of info")
                case.expect_equal(len(await stream.read()), info.size, "the bytes of the stream")
        if case.kind == "s3" and method == "read":
            case.expect_equal(operations(sent), ["GetObject"], "the requests of read, info and all bytes")


def info_of(stream: Any) -> FileInfo:
    """The `info` that a stream has. The check ends if it has none, or would ask for it."""
    info = stream.known_info if isinstance(stream, AsyncReader) else getattr(stream, "info", None)
    return info if isinstance(info, FileInfo) else not_applicable("the stream does not describe its file")


async def call(case: AsyncCase, method: str, path: str) -> None:
    """Read a path by one of the methods for reading."""
    if method == "read":
        await (await case.backend.read(path)).close()
    elif method == "read_bytes":
        await case.backend.read_bytes(path)
    else:
        await case.backend.read_range(path, 0, 1)
