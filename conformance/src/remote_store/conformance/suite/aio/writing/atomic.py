"""Checks of atomic writes and of races between writers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.callers import CALLERS_ERRORS, Caught
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import BUFFERS, NOT_CANONICAL, SOURCES, WRONG_CONTENT, Unseekable
from remote_store.conformance.suite.aio.expectations import distinct, nothing_else
from remote_store.core import AlreadyExists, AsyncBackend, Capability, InvalidPath, WriteResult

READ = (Capability.READ, Capability.WRITE)
ROUNDS = 3


class AsyncAtomSuite:
    @pytest.mark.parametrize("kind", BUFFERS)
    @async_check("ATOM-001", needs=READ)
    async def test_atomic_write_takes_any_buffer(self, case: AsyncCase, kind: str) -> None:
        path, content = case.path("file"), case.content(100_000)
        result = await case.backend.write_atomic(path, BUFFERS[kind](content))
        case.expect_equal((str(result.path), result.size), (path, len(content)), "path and size in the result")
        case.expect_equal(await case.backend.read_bytes(path), content, f"the content after a write from a {kind}")

    @pytest.mark.parametrize("kind", SOURCES)
    @async_check("ATOM-001", needs=READ)
    async def test_atomic_write_takes_any_stream(self, case: AsyncCase, kind: str) -> None:
        path, content = case.path("file"), case.content(100_000)
        with closing(SOURCES[kind](content)) as source:
            result = await case.backend.write_atomic(path, source)
            case.expect_equal(source.closed, False, "`closed` of the caller's stream")
        case.expect_equal((str(result.path), result.size), (path, len(content)), "path and size in the result")
        case.expect_equal(await case.backend.read_bytes(path), content, f"the content after a write from {kind}")

    @async_check("ATOM-001", needs=READ)
    async def test_atomic_write_overwrites_when_asked(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write_atomic(path, b"first content")
        with case.expect_raises(AlreadyExists, path=path, what="write_atomic to a file that exists"):
            await case.backend.write_atomic(path, b"second")
        case.expect_equal(await case.backend.read_bytes(path), b"first content", "the file after the refusal")
        await case.backend.write_atomic(path, b"third", overwrite=True)
        case.expect_equal(await case.backend.read_bytes(path), b"third", "the file after it was overwritten")
        await nothing_else(case, [path])

    @async_check("ATOM-001", needs=(Capability.METADATA,))
    async def test_atomic_write_answers_what_it_wrote(self, case: AsyncCase) -> None:
        result = await case.backend.write_atomic(case.path("file"), b"content")
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_type(result, WriteResult, "the result of write_atomic")
        case.expect(result.etag in (None, info.etag), "the ETag in the result is the file's", result.etag)

    @async_check("ATOM-001", needs=(Capability.METADATA, Capability.USER_METADATA))
    async def test_atomic_write_keeps_metadata(self, case: AsyncCase) -> None:
        path, metadata = case.path("file"), {"name": "value"}
        await case.backend.write_atomic(path, b"content", metadata=metadata, content_type="text/x-test")
        info = await case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), metadata, "the metadata")
        case.expect_equal(info.content_type, "text/x-test", "the content type")

    @pytest.mark.parametrize("kind", WRONG_CONTENT)
    @async_check("ATOM-001", needs=READ)
    async def test_atomic_write_refuses_what_is_no_bytes(self, case: AsyncCase, kind: str) -> None:
        path = case.path("file")
        wrong: Any = WRONG_CONTENT[kind]()
        with case.expect_raises(TypeError, what=f"write_atomic of {type(wrong).__name__}"):
            await case.backend.write_atomic(path, wrong)
        case.expect_equal(await case.backend.exists(path), False, "exists after the refusal")

    @async_check("ATOM-002", needs=READ)
    async def test_atomic_write_is_never_seen_half(self, case: AsyncCase) -> None:
        path = case.path("file")
        contents = [bytes([number]) * (100_000 + 50_000 * (number % 3)) for number in range(12)]
        await case.backend.write(path, contents[0])
        seen: list[bytes] = []
        written: list[int] = []

        async def write() -> None:
            for content in contents:
                result = await case.backend.write_atomic(path, content, overwrite=True)
                written.append(result.size)

        async def read() -> None:
            for _ in range(100_000):
                if len(written) == len(contents):
                    break
                data = await case.backend.read_bytes(path)
                if data not in contents:
                    seen.append(data)

        for result in await case.together([write, read, read]):
            if isinstance(result, Exception):
                case.fail("reading and overwriting at the same time", "no exception", result)
        case.expect_equal([len(data) for data in seen], [], "the sizes of contents that were never written")

    @async_check("ATOM-003", needs=READ)
    async def test_atomic_open_commits_at_the_end(self, case: AsyncCase) -> None:
        path, content = case.path("folder/file"), case.content(300_000)
        async with case.backend.open_atomic(path) as stream:
            await stream.write(content[:100_000])
            case.expect_equal(await case.backend.exists(path), False, "exists inside the block")
            await stream.write(content[100_000:])
        case.expect_equal(await case.backend.read_bytes(path), content, "the file after the block")
        await nothing_else(case, [path])

    @async_check("ATOM-003", needs=READ)
    async def test_atomic_open_overwrites_at_the_end(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, b"old and longer")
        async with case.backend.open_atomic(path, overwrite=True) as stream:
            await stream.write(b"new")
            case.expect_equal(await case.backend.read_bytes(path), b"old and longer", "the file inside the block")
        case.expect_equal(await case.backend.read_bytes(path), b"new", "the file after the block")
        async with case.backend.open_atomic(case.path("other"), overwrite=True) as stream:
            await stream.write(b"first")
        case.expect_equal(await case.backend.read_bytes(case.path("other")), b"first", "a file that did not exist")

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize("name", CALLERS_ERRORS)
    @async_check("ATOM-004", needs=READ)
    async def test_atomic_open_with_an_exception(self, case: AsyncCase, name: str, overwrite: bool) -> None:
        path, error = case.path("file"), CALLERS_ERRORS[name]()
        before = str(error)
        if overwrite:
            await case.backend.write(path, b"old")
        with Caught() as caught:
            async with case.backend.open_atomic(path, overwrite=overwrite) as stream:
                await stream.write(b"half" * 10_000)
                raise error
        observed = caught.error
        case.expect(observed is error, "the exception of the block is raised unchanged", observed)
        case.expect_equal(str(observed), before, "the text of the exception")
        if overwrite:
            case.expect_equal(await case.backend.read_bytes(path), b"old", "the old file")
        await nothing_else(case, [path] if overwrite else [])

    @async_check("ATOM-005", needs=READ)
    async def test_atomic_open_of_a_file_that_exists(self, case: AsyncCase) -> None:
        path, entered = case.path("file"), []
        await case.backend.write(path, b"old")
        with case.expect_raises(AlreadyExists, path=path, what="open_atomic of a file that exists"):
            async with case.backend.open_atomic(path) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")
        case.expect_equal(await case.backend.read_bytes(path), b"old", "the old file")

    @async_check("ATOM-006", needs=READ)
    async def test_atomic_open_when_another_was_faster(self, case: AsyncCase) -> None:
        path = case.path("file")
        with case.expect_raises(AlreadyExists, path=path, what="the end of the slower `open_atomic` block"):
            async with case.backend.open_atomic(path) as stream:
                await stream.write(b"slow")
                await case.backend.write(path, b"fast")
        case.expect_equal(await case.backend.read_bytes(path), b"fast", "the file of the faster writer")
        await nothing_else(case, [path])

    @async_check("ATOM-007", needs=READ)
    async def test_atomic_open_takes_pieces(self, case: AsyncCase) -> None:
        path = case.path("file")
        async with case.backend.open_atomic(path) as stream:
            case.expect_equal(stream.writable(), True, "writable() inside the block")
            case.expect_equal(await stream.write(b"bytes "), 6, "the return value of write(bytes)")
            case.expect_equal(await stream.write(bytearray(b"array ")), 6, "the return value of write(bytearray)")
            case.expect_equal(await stream.write(memoryview(b"view")), 4, "the return value of write(memoryview)")
            case.expect_equal(await stream.write(b""), 0, "the return value of write(b'')")
            case.expect_equal(stream.tell(), 16, "tell after 16 bytes")
        case.expect_equal(await case.backend.read_bytes(path), b"bytes array view", "the pieces")

    @async_check("ATOM-007", needs=READ)
    async def test_atomic_open_keeps_what_stands_after_the_position(self, case: AsyncCase) -> None:
        path = case.path("file")
        stream: Any
        async with case.backend.open_atomic(path) as stream:
            await stream.write(b"0123456789")
            if not stream.seekable():
                not_applicable("the file of open_atomic cannot seek")
            await stream.seek(2)
            await stream.write(b"AB")
        case.expect_equal(await case.backend.read_bytes(path), b"01AB456789", "the file after a write in its middle")

    @async_check("ATOM-007", needs=READ)
    async def test_atomic_open_refuses_text(self, case: AsyncCase) -> None:
        path = case.path("file")
        text: Any = "text"
        with case.expect_raises(TypeError, what="writing text inside the block"):
            async with case.backend.open_atomic(path) as stream:
                await stream.write(text)
        case.expect_equal(await case.backend.exists(path), False, "exists after the refusal")

    @async_check("ATOM-008", needs=READ)
    async def test_atomic_open_is_closed_after_the_block(self, case: AsyncCase) -> None:
        path = case.path("file")
        async with case.backend.open_atomic(path) as stream:
            await stream.write(b"inside")
        case.expect_equal(stream.closed, True, "closed after the block")
        with case.expect_raises(ValueError, what="writing after the block"):
            await stream.write(b"outside")
        case.expect_equal(await case.backend.read_bytes(path), b"inside", "the file")

    @async_check("ATOM-009", needs=READ)
    async def test_atomic_open_without_a_write(self, case: AsyncCase) -> None:
        path = case.path("file")
        async with case.backend.open_atomic(path):
            pass
        case.expect_equal(await case.backend.read_bytes(path), b"", "the file of an empty block")

    @pytest.mark.parametrize("key", NOT_CANONICAL)
    @async_check("ATOM-010", needs=READ)
    async def test_atomic_open_refuses_a_key_at_once(self, case: AsyncCase, key: str) -> None:
        path, entered = case.path(key), []
        with case.expect_raises(InvalidPath, path=path, what=f"open_atomic of {key!r}"):
            async with case.backend.open_atomic(path) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")

    @pytest.mark.parametrize("options", [{"metadata": {"Upper": "x"}}, {"content_type": "a\nb"}], ids=["name", "type"])
    @async_check("ATOM-010", needs=READ)
    async def test_atomic_open_refuses_options_at_once(self, case: AsyncCase, options: dict[str, Any]) -> None:
        if "metadata" in options:
            case.require(Capability.USER_METADATA)
        entered = []
        with case.expect_raises((ValueError, TypeError), what=f"open_atomic with {options}"):
            async with case.backend.open_atomic(case.path("file"), **options) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")

    @async_check("ATOM-011", needs=(Capability.USER_METADATA, Capability.METADATA))
    async def test_atomic_open_keeps_metadata(self, case: AsyncCase) -> None:
        path, metadata = case.path("file"), {"name": "value", "other-name": "with spaces"}
        async with case.backend.open_atomic(path, metadata=metadata, content_type="text/x-test") as stream:
            await stream.write(b"content")
        info = await case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), metadata, "the metadata")
        case.expect_equal(info.content_type, "text/x-test", "the content type")

    @async_check("ATOM-011", needs=(Capability.USER_METADATA, Capability.METADATA))
    async def test_atomic_open_takes_the_metadata_of_its_call(self, case: AsyncCase) -> None:
        path, metadata = case.path("file"), {"name": "value"}
        async with case.backend.open_atomic(path, metadata=metadata) as stream:
            await stream.write(b"content")
            metadata["name"] = "changed"
        info = await case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), {"name": "value"}, "the metadata after the mapping has changed")

    @async_check("ATOM-011", needs=READ)
    async def test_atomic_open_of_several_parts(self, case: AsyncCase) -> None:
        part = case.profile.part_size or 1_000_000
        path, content = case.path("file"), case.content(2 * part + 1)
        async with case.backend.open_atomic(path) as stream:
            for start in range(0, len(content), 700_001):
                await stream.write(content[start : start + 700_001])
        case.expect_equal(await case.backend.read_bytes(path), content, "the file of several parts")
        await nothing_else(case, [path])

    @async_check("ATOM-017", needs=(*READ, Capability.DELETE))
    async def test_atomic_open_while_its_folder_is_deleted(self, case: AsyncCase) -> None:
        path, content = case.path("folder/file"), case.content(200_000)
        await case.backend.write(case.path("folder/other"), b"other")
        async with case.backend.open_atomic(path) as stream:
            await stream.write(content[:100_000])
            await case.backend.delete_folder(case.path("folder"), recursive=True)
            await stream.write(content[100_000:])
        case.expect_equal(await case.backend.read_bytes(path), content, "the file, after its folder was deleted")
        await nothing_else(case, [path])

    @async_check("ATOM-012", needs=READ)
    async def test_atomic_race_of_writes(self, case: AsyncCase) -> None:
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(case.profile.contenders, 10_000)
            writes = [partial(case.backend.write, path, content) for content in contents]
            await one_winner(case, path, contents, await case.together(writes))

    @async_check("ATOM-013", needs=READ)
    async def test_atomic_race_of_large_streams(self, case: AsyncCase) -> None:
        part = case.profile.part_size or 1_000_000
        count = min(4, case.profile.contenders)
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(count, part + 1_000)
            sources: list[Any] = [Unseekable(content) for content in contents]
            writes = [partial(case.backend.write, path, source) for source in sources]
            await one_winner(case, path, contents, await case.together(writes))
        await nothing_else(case, [case.path(f"round-{number}") for number in range(ROUNDS)])

    @async_check("ATOM-014", needs=(*READ, Capability.ATOMIC_WRITE))
    async def test_atomic_race_of_blocks(self, case: AsyncCase) -> None:
        async def write(path: str, content: bytes) -> None:
            async with case.backend.open_atomic(path) as stream:
                await stream.write(content)

        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(case.profile.contenders, 10_000)
            blocks = [partial(write, path, content) for content in contents]
            await one_winner(case, path, contents, await case.together(blocks))

    @async_check("ATOM-015", needs=READ)
    async def test_atomic_race_of_instances(self, case: AsyncCase) -> None:
        count = min(8, case.profile.contenders)
        backends: list[AsyncBackend] = [case.make() for _ in range(count)]
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(count, 10_000)
            writes = [
                partial(backend.write, path, io.BytesIO(content))
                for backend, content in zip(backends, contents, strict=True)
            ]
            await one_winner(case, path, contents, await case.together(writes))


async def one_winner(case: AsyncCase, path: str, contents: list[bytes], results: Sequence[object]) -> None:
    """Fail unless exactly one writer succeeded, the others got AlreadyExists, and the file has the winner's content."""
    won = [number for number, result in enumerate(results) if not isinstance(result, Exception)]
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, AlreadyExists):
            case.fail("a writer that lost the race", AlreadyExists, result)
    case.expect_equal(len(won), 1, f"the number of winners among {len(results)}")
    case.expect_equal(await case.backend.read_bytes(path), contents[won[0]], "the winner's content")
