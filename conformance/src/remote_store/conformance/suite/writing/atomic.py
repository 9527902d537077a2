# Generated from conformance/src/remote_store/conformance/suite/aio/writing/atomic.py by tools/unasync.py; edit that.
"""Checks of atomic writes and of races between writers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.callers import CALLERS_ERRORS, Caught
from remote_store.conformance.checking.case import Case, not_applicable
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import BUFFERS, NOT_CANONICAL, SOURCES, WRONG_CONTENT, Unseekable
from remote_store.conformance.suite.expectations import distinct, nothing_else
from remote_store.core import AlreadyExists, Backend, Capability, InvalidPath, WriteResult

READ = (Capability.READ, Capability.WRITE)
ROUNDS = 3


class AtomSuite:
    @pytest.mark.parametrize("kind", BUFFERS)
    @check("ATOM-001", needs=READ)
    def test_atomic_write_takes_any_buffer(self, case: Case, kind: str) -> None:
        path, content = case.path("file"), case.content(100_000)
        result = case.backend.write_atomic(path, BUFFERS[kind](content))
        case.expect_equal((str(result.path), result.size), (path, len(content)), "path and size in the result")
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write from a {kind}")

    @pytest.mark.parametrize("kind", SOURCES)
    @check("ATOM-001", needs=READ)
    def test_atomic_write_takes_any_stream(self, case: Case, kind: str) -> None:
        path, content = case.path("file"), case.content(100_000)
        with closing(SOURCES[kind](content)) as source:
            result = case.backend.write_atomic(path, source)
            case.expect_equal(source.closed, False, "`closed` of the caller's stream")
        case.expect_equal((str(result.path), result.size), (path, len(content)), "path and size in the result")
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write from {kind}")

    @check("ATOM-001", needs=READ)
    def test_atomic_write_overwrites_when_asked(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write_atomic(path, b"first content")
        with case.expect_raises(AlreadyExists, path=path, what="write_atomic to a file that exists"):
            case.backend.write_atomic(path, b"second")
        case.expect_equal(case.backend.read_bytes(path), b"first content", "the file after the refusal")
        case.backend.write_atomic(path, b"third", overwrite=True)
        case.expect_equal(case.backend.read_bytes(path), b"third", "the file after it was overwritten")
        nothing_else(case, [path])

    @check("ATOM-001", needs=(Capability.METADATA,))
    def test_atomic_write_answers_what_it_wrote(self, case: Case) -> None:
        result = case.backend.write_atomic(case.path("file"), b"content")
        info = case.backend.get_file_info(case.path("file"))
        case.expect_type(result, WriteResult, "the result of write_atomic")
        case.expect(result.etag in (None, info.etag), "the ETag in the result is the file's", result.etag)

    @check("ATOM-001", needs=(Capability.METADATA, Capability.USER_METADATA))
    def test_atomic_write_keeps_metadata(self, case: Case) -> None:
        path, metadata = case.path("file"), {"name": "value"}
        case.backend.write_atomic(path, b"content", metadata=metadata, content_type="text/x-test")
        info = case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), metadata, "the metadata")
        case.expect_equal(info.content_type, "text/x-test", "the content type")

    @pytest.mark.parametrize("kind", WRONG_CONTENT)
    @check("ATOM-001", needs=READ)
    def test_atomic_write_refuses_what_is_no_bytes(self, case: Case, kind: str) -> None:
        path = case.path("file")
        wrong: Any = WRONG_CONTENT[kind]()
        with case.expect_raises(TypeError, what=f"write_atomic of {type(wrong).__name__}"):
            case.backend.write_atomic(path, wrong)
        case.expect_equal(case.backend.exists(path), False, "exists after the refusal")

    @check("ATOM-002", needs=READ)
    def test_atomic_write_is_never_seen_half(self, case: Case) -> None:
        path = case.path("file")
        contents = [bytes([number]) * (100_000 + 50_000 * (number % 3)) for number in range(12)]
        case.backend.write(path, contents[0])
        seen: list[bytes] = []
        written: list[int] = []

        def write() -> None:
            for content in contents:
                result = case.backend.write_atomic(path, content, overwrite=True)
                written.append(result.size)

        def read() -> None:
            for _ in range(100_000):
                if len(written) == len(contents):
                    break
                data = case.backend.read_bytes(path)
                if data not in contents:
                    seen.append(data)

        for result in case.together([write, read, read]):
            if isinstance(result, Exception):
                case.fail("reading and overwriting at the same time", "no exception", result)
        case.expect_equal([len(data) for data in seen], [], "the sizes of contents that were never written")

    @check("ATOM-003", needs=READ)
    def test_atomic_open_commits_at_the_end(self, case: Case) -> None:
        path, content = case.path("folder/file"), case.content(300_000)
        with case.backend.open_atomic(path) as stream:
            stream.write(content[:100_000])
            case.expect_equal(case.backend.exists(path), False, "exists inside the block")
            stream.write(content[100_000:])
        case.expect_equal(case.backend.read_bytes(path), content, "the file after the block")
        nothing_else(case, [path])

    @check("ATOM-003", needs=READ)
    def test_atomic_open_overwrites_at_the_end(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"old and longer")
        with case.backend.open_atomic(path, overwrite=True) as stream:
            stream.write(b"new")
            case.expect_equal(case.backend.read_bytes(path), b"old and longer", "the file inside the block")
        case.expect_equal(case.backend.read_bytes(path), b"new", "the file after the block")
        with case.backend.open_atomic(case.path("other"), overwrite=True) as stream:
            stream.write(b"first")
        case.expect_equal(case.backend.read_bytes(case.path("other")), b"first", "a file that did not exist")

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize("name", CALLERS_ERRORS)
    @check("ATOM-004", needs=READ)
    def test_atomic_open_with_an_exception(self, case: Case, name: str, overwrite: bool) -> None:
        path, error = case.path("file"), CALLERS_ERRORS[name]()
        before = str(error)
        if overwrite:
            case.backend.write(path, b"old")
        with Caught() as caught:
            with case.backend.open_atomic(path, overwrite=overwrite) as stream:
                stream.write(b"half" * 10_000)
                raise error
        observed = caught.error
        case.expect(observed is error, "the exception of the block is raised unchanged", observed)
        case.expect_equal(str(observed), before, "the text of the exception")
        if overwrite:
            case.expect_equal(case.backend.read_bytes(path), b"old", "the old file")
        nothing_else(case, [path] if overwrite else [])

    @check("ATOM-005", needs=READ)
    def test_atomic_open_of_a_file_that_exists(self, case: Case) -> None:
        path, entered = case.path("file"), []
        case.backend.write(path, b"old")
        with case.expect_raises(AlreadyExists, path=path, what="open_atomic of a file that exists"):
            with case.backend.open_atomic(path) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")
        case.expect_equal(case.backend.read_bytes(path), b"old", "the old file")

    @check("ATOM-006", needs=READ)
    def test_atomic_open_when_another_was_faster(self, case: Case) -> None:
        path = case.path("file")
        with case.expect_raises(AlreadyExists, path=path, what="the end of the slower `open_atomic` block"):
            with case.backend.open_atomic(path) as stream:
                stream.write(b"slow")
                case.backend.write(path, b"fast")
        case.expect_equal(case.backend.read_bytes(path), b"fast", "the file of the faster writer")
        nothing_else(case, [path])

    @check("ATOM-007", needs=READ)
    def test_atomic_open_takes_pieces(self, case: Case) -> None:
        path = case.path("file")
        with case.backend.open_atomic(path) as stream:
            case.expect_equal(stream.writable(), True, "writable() inside the block")
            case.expect_equal(stream.write(b"bytes "), 6, "the return value of write(bytes)")
            case.expect_equal(stream.write(bytearray(b"array ")), 6, "the return value of write(bytearray)")
            case.expect_equal(stream.write(memoryview(b"view")), 4, "the return value of write(memoryview)")
            case.expect_equal(stream.write(b""), 0, "the return value of write(b'')")
            case.expect_equal(stream.tell(), 16, "tell after 16 bytes")
        case.expect_equal(case.backend.read_bytes(path), b"bytes array view", "the pieces")

    @check("ATOM-007", needs=READ)
    def test_atomic_open_keeps_what_stands_after_the_position(self, case: Case) -> None:
        path = case.path("file")
        stream: Any
        with case.backend.open_atomic(path) as stream:
            stream.write(b"0123456789")
            if not stream.seekable():
                not_applicable("the file of open_atomic cannot seek")
            stream.seek(2)
            stream.write(b"AB")
        case.expect_equal(case.backend.read_bytes(path), b"01AB456789", "the file after a write in its middle")

    @check("ATOM-007", needs=READ)
    def test_atomic_open_refuses_text(self, case: Case) -> None:
        path = case.path("file")
        text: Any = "text"
        with case.expect_raises(TypeError, what="writing text inside the block"):
            with case.backend.open_atomic(path) as stream:
                stream.write(text)
        case.expect_equal(case.backend.exists(path), False, "exists after the refusal")

    @check("ATOM-008", needs=READ)
    def test_atomic_open_is_closed_after_the_block(self, case: Case) -> None:
        path = case.path("file")
        with case.backend.open_atomic(path) as stream:
            stream.write(b"inside")
        case.expect_equal(stream.closed, True, "closed after the block")
        with case.expect_raises(ValueError, what="writing after the block"):
            stream.write(b"outside")
        case.expect_equal(case.backend.read_bytes(path), b"inside", "the file")

    @check("ATOM-009", needs=READ)
    def test_atomic_open_without_a_write(self, case: Case) -> None:
        path = case.path("file")
        with case.backend.open_atomic(path):
            pass
        case.expect_equal(case.backend.read_bytes(path), b"", "the file of an empty block")

    @pytest.mark.parametrize("key", NOT_CANONICAL)
    @check("ATOM-010", needs=READ)
    def test_atomic_open_refuses_a_key_at_once(self, case: Case, key: str) -> None:
        path, entered = case.path(key), []
        with case.expect_raises(InvalidPath, path=path, what=f"open_atomic of {key!r}"):
            with case.backend.open_atomic(path) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")

    @pytest.mark.parametrize("options", [{"metadata": {"Upper": "x"}}, {"content_type": "a\nb"}], ids=["name", "type"])
    @check("ATOM-010", needs=READ)
    def test_atomic_open_refuses_options_at_once(self, case: Case, options: dict[str, Any]) -> None:
        if "metadata" in options:
            case.require(Capability.USER_METADATA)
        entered = []
        with case.expect_raises((ValueError, TypeError), what=f"open_atomic with {options}"):
            with case.backend.open_atomic(case.path("file"), **options) as stream:
                entered.append(stream)
        case.expect_equal(len(entered), 0, "how often the block was entered")

    @check("ATOM-011", needs=(Capability.USER_METADATA, Capability.METADATA))
    def test_atomic_open_keeps_metadata(self, case: Case) -> None:
        path, metadata = case.path("file"), {"name": "value", "other-name": "with spaces"}
        with case.backend.open_atomic(path, metadata=metadata, content_type="text/x-test") as stream:
            stream.write(b"content")
        info = case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), metadata, "the metadata")
        case.expect_equal(info.content_type, "text/x-test", "the content type")

    @check("ATOM-011", needs=(Capability.USER_METADATA, Capability.METADATA))
    def test_atomic_open_takes_the_metadata_of_its_call(self, case: Case) -> None:
        path, metadata = case.path("file"), {"name": "value"}
        with case.backend.open_atomic(path, metadata=metadata) as stream:
            stream.write(b"content")
            metadata["name"] = "changed"
        info = case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), {"name": "value"}, "the metadata after the mapping has changed")

    @check("ATOM-011", needs=READ)
    def test_atomic_open_of_several_parts(self, case: Case) -> None:
        part = case.profile.part_size or 1_000_000
        path, content = case.path("file"), case.content(2 * part + 1)
        with case.backend.open_atomic(path) as stream:
            for start in range(0, len(content), 700_001):
                stream.write(content[start : start + 700_001])
        case.expect_equal(case.backend.read_bytes(path), content, "the file of several parts")
        nothing_else(case, [path])

    @check("ATOM-017", needs=(*READ, Capability.DELETE))
    def test_atomic_open_while_its_folder_is_deleted(self, case: Case) -> None:
        path, content = case.path("folder/file"), case.content(200_000)
        case.backend.write(case.path("folder/other"), b"other")
        with case.backend.open_atomic(path) as stream:
            stream.write(content[:100_000])
            case.backend.delete_folder(case.path("folder"), recursive=True)
            stream.write(content[100_000:])
        case.expect_equal(case.backend.read_bytes(path), content, "the file, after its folder was deleted")
        nothing_else(case, [path])

    @check("ATOM-012", needs=READ)
    def test_atomic_race_of_writes(self, case: Case) -> None:
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(case.profile.contenders, 10_000)
            writes = [partial(case.backend.write, path, content) for content in contents]
            one_winner(case, path, contents, case.together(writes))

    @check("ATOM-013", needs=READ)
    def test_atomic_race_of_large_streams(self, case: Case) -> None:
        part = case.profile.part_size or 1_000_000
        count = min(4, case.profile.contenders)
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(count, part + 1_000)
            sources: list[Any] = [Unseekable(content) for content in contents]
            writes = [partial(case.backend.write, path, source) for source in sources]
            one_winner(case, path, contents, case.together(writes))
        nothing_else(case, [case.path(f"round-{number}") for number in range(ROUNDS)])

    @check("ATOM-014", needs=(*READ, Capability.ATOMIC_WRITE))
    def test_atomic_race_of_blocks(self, case: Case) -> None:
        def write(path: str, content: bytes) -> None:
            with case.backend.open_atomic(path) as stream:
                stream.write(content)

        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(case.profile.contenders, 10_000)
            blocks = [partial(write, path, content) for content in contents]
            one_winner(case, path, contents, case.together(blocks))

    @check("ATOM-015", needs=READ)
    def test_atomic_race_of_instances(self, case: Case) -> None:
        count = min(8, case.profile.contenders)
        backends: list[Backend] = [case.make() for _ in range(count)]
        for number in range(ROUNDS):
            path = case.path(f"round-{number}")
            contents = distinct(count, 10_000)
            writes = [
                partial(backend.write, path, io.BytesIO(content))
                for backend, content in zip(backends, contents, strict=True)
            ]
            one_winner(case, path, contents, case.together(writes))


def one_winner(case: Case, path: str, contents: list[bytes], results: Sequence[object]) -> None:
    """Fail unless exactly one writer succeeded, the others got AlreadyExists, and the file has the winner's content."""
    won = [number for number, result in enumerate(results) if not isinstance(result, Exception)]
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, AlreadyExists):
            case.fail("a writer that lost the race", AlreadyExists, result)
    case.expect_equal(len(won), 1, f"the number of winners among {len(results)}")
    case.expect_equal(case.backend.read_bytes(path), contents[won[0]], "the winner's content")
