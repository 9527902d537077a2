# Generated from conformance/src/remote_store/conformance/suite/aio/writing/plain.py by tools/unasync.py; edit that.
"""Checks of writing."""

from __future__ import annotations

import gzip
import hashlib
import io
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import BUFFERS, SIZES, SOURCES, Failing, Slow, Unseekable
from remote_store.conformance.suite.expectations import nothing_else, unchanged
from remote_store.core import AlreadyExists, Capability, PreconditionFailed, WriteResult

READ, LIST = Capability.READ, Capability.LIST
CONTENTS = {
    "byte_order_mark": b"\xef\xbb\xbftext",
    "line_ends": b"dos\r\nmac\runix\n",
    "end_of_file": b"before\x1aafter\x04",
    "zeros": bytes(1000),
    "no_utf_8": b"\xff\xfe\x80",
    "gzip": gzip.compress(b"packed", mtime=0),
}
SLOW = {"smoke": 0.2, "quick": 1.5, "full": 6.0, "soak": 35.0}
"""Seconds for which a source has no data, by tier. Many clients wait 5 or 30 seconds for data."""
ITERABLES: dict[str, Callable[[list[bytes]], Iterable[bytes]]] = {"list": list, "tuple": tuple, "iterator": iter}
AROUND_PARTS = {
    "part_minus_1": (1, -1),
    "part": (1, 0),
    "part_plus_1": (1, 1),
    "two_parts": (2, 0),
    "two_parts_plus_1": (2, 1),
}


class NothingYet(io.RawIOBase):
    """A non-blocking stream that returns one block and then `None`."""

    def __init__(self) -> None:
        self._blocks = [b"some"]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        return self._blocks.pop() if self._blocks else None


class WriteSuite:
    @pytest.mark.parametrize("size", SIZES)
    @check("WRITE-001", needs=(READ,))
    def test_write_of_any_size(self, case: Case, size: int) -> None:
        path, content = case.path("file"), case.content(size)
        result = case.backend.write(path, content)
        case.expect_equal(result.size, size, "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, "the content after the write")

    @pytest.mark.parametrize("size", SIZES)
    @check("WRITE-001")
    def test_write_arrives_at_the_storage(self, case: Case, size: int) -> None:
        path, content = case.path("file.gz"), case.content(size)
        oracle = case.oracle
        case.backend.write(path, content)
        case.expect_equal(oracle.raw_get(path), content, "the content in the storage")

    @pytest.mark.parametrize("kind", CONTENTS)
    @check("WRITE-001", needs=(READ,))
    def test_write_of_what_some_tools_change(self, case: Case, kind: str) -> None:
        path, content = case.path("file.gz"), CONTENTS[kind]
        case.backend.write(path, content, overwrite=True)
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write of {kind}")
        with case.backend.read(path) as stream:
            case.expect_equal(stream.read(), content, f"the bytes read of {kind}")

    @pytest.mark.parametrize("kind", BUFFERS)
    @check("WRITE-002", needs=(READ,))
    def test_write_of_a_buffer(self, case: Case, kind: str) -> None:
        path, content = case.path("file"), case.content(70_000)
        result = case.backend.write(path, BUFFERS[kind](content))
        case.expect_equal(result.size, len(content), "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write from a {kind}")

    @pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_001])
    @pytest.mark.parametrize("kind", SOURCES)
    @check("WRITE-003", needs=(READ,))
    def test_write_of_a_stream(self, case: Case, kind: str, size: int) -> None:
        path, content = case.path("file"), case.content(size)
        with closing(SOURCES[kind](content)) as source:
            result = case.backend.write(path, source)
        case.expect_equal(result.size, size, "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write from {kind}")

    @check("WRITE-003", needs=(READ,))
    def test_write_of_a_slow_stream(self, case: Case) -> None:
        path, content = case.path("file"), case.content(200_000)
        case.backend.write(path, Slow(content, SLOW[case.tier]))
        case.expect_equal(case.backend.read_bytes(path), content, "the content after a write from a slow stream")

    @check("WRITE-003", needs=(READ,))
    def test_write_of_a_stream_of_the_backend_itself(self, case: Case) -> None:
        path, copy, content = case.path("file"), case.path("copy"), case.content(300_000)
        case.backend.write(path, content)
        with case.backend.read(path) as stream:
            case.backend.write(copy, stream)
        case.expect_equal(
            case.backend.read_bytes(copy), content, "the content after a write from a stream of the backend"
        )
        with case.backend.read(path) as stream:
            with suppress(PreconditionFailed):
                case.backend.write(path, stream, overwrite=True)
        case.expect_equal(case.backend.read_bytes(path), content, "a file that was overwritten with itself")

    @pytest.mark.parametrize("kind", ITERABLES)
    @check("WRITE-021", needs=(READ,))
    def test_write_of_an_iterable(self, case: Case, kind: str) -> None:
        path, content = case.path("file"), case.content(300_001)
        chunks = [content[:1], b"", content[1:200_000], content[200_000:]]
        result = case.backend.write(path, ITERABLES[kind](chunks))
        case.expect_equal(result.size, len(content), "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, f"the content after a write from a {kind}")

    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WRITE-021", needs=(READ,))
    def test_write_of_an_iterable_that_yields_text(self, case: Case, overwrite: bool) -> None:
        path = case.path("file")
        if overwrite:
            case.backend.write(path, b"old")
        for chunks in ([b"bytes", "text"], (chunk for chunk in (b"bytes", "text"))):
            wrong: Any = chunks
            with case.expect_raises(TypeError, what=f"write of a {type(wrong).__name__} of bytes and text"):
                case.backend.write(path, wrong, overwrite=overwrite)
            unchanged(case, path, overwrite)

    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WRITE-021", needs=(READ,))
    def test_write_of_an_iterable_that_raises(self, case: Case, overwrite: bool) -> None:
        def broken() -> Iterator[bytes]:
            yield b"some"
            raise boom

        path, boom = case.path("file"), Boom("the iterable broke")
        if overwrite:
            case.backend.write(path, b"old")
        with case.expect_raises(Boom, what="write of an iterable that raises") as caught:
            case.backend.write(path, broken(), overwrite=overwrite)
        case.expect_equal(caught.error is boom, True, "whether the caller's exception passed unchanged")
        unchanged(case, path, overwrite)

    @pytest.mark.parametrize("size", [0, 70_000])
    @pytest.mark.parametrize("kind", SOURCES)
    @check("WRITE-005")
    def test_write_leaves_the_stream_open_at_its_end(self, case: Case, kind: str, size: int) -> None:
        content = case.content(size)
        with closing(SOURCES[kind](content)) as source:
            case.backend.write(case.path("file"), source)
            case.expect_equal(source.closed, False, "`closed` of the caller's stream")
            case.expect_equal(source.read(1), b"", "the rest of the caller's stream")

    @pytest.mark.parametrize("kind", SOURCES)
    @check("WRITE-004", needs=(READ,))
    def test_write_from_where_the_stream_stands(self, case: Case, kind: str) -> None:
        path, content = case.path("file"), case.content(100_000)
        with closing(SOURCES[kind](content)) as source:
            header = source.read(1_000)
            result = case.backend.write(path, source)
        rest = content[len(header) :]
        case.expect_equal(result.size, len(rest), "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), rest, "the content, which follows the header")

    @pytest.mark.parametrize("kind", ["bytes_io", "file"])
    @check("WRITE-004", needs=(READ,))
    def test_write_of_a_stream_at_its_end(self, case: Case, kind: str) -> None:
        path = case.path("file")
        with closing(SOURCES[kind](b"content")) as source:
            source.seek(0, io.SEEK_END)
            result = case.backend.write(path, source)
        case.expect_equal(result.size, 0, "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), b"", "the content after a write from the end of a stream")

    @check("WRITE-006", needs=(READ,))
    def test_write_overwrites_nothing_unasked(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"old")
        for content in (b"new", io.BytesIO(b"new"), Unseekable(b"n" * 100_000), b""):
            with case.expect_raises(AlreadyExists, path=path, what="write to a file that exists"):
                case.backend.write(path, content)
        with case.expect_raises(AlreadyExists, path=path, what="write with overwrite=False"):
            case.backend.write(path, b"new", overwrite=False)
        case.expect_equal(case.backend.read_bytes(path), b"old", "the file after the refusals")

    @pytest.mark.parametrize("size", [0, 2, 200_000])
    @check("WRITE-007", needs=(READ,))
    def test_write_overwrites_whole(self, case: Case, size: int) -> None:
        path, content = case.path("file"), case.content(size)
        case.backend.write(path, b"o" * 100_000)
        result = case.backend.write(path, content, overwrite=True)
        case.expect_equal(result.size, size, "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, "the file after it was overwritten")

    @check("WRITE-007", needs=(READ,))
    def test_write_with_overwrite_makes_a_file(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"new", overwrite=True)
        case.expect_equal(case.backend.read_bytes(path), b"new", "a new file")

    @pytest.mark.parametrize("claimed", [None, 20_000_000])
    @pytest.mark.parametrize("good", [0, 1, 300_000, 12_000_000])
    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WRITE-008", needs=(READ,))
    def test_write_from_a_failing_stream(self, case: Case, overwrite: bool, good: int, claimed: int | None) -> None:
        path, error = case.path("file"), Boom("the source is broken")
        if overwrite:
            case.backend.write(path, b"old")
        source: Any = Failing(good, error, claimed)
        with case.expect_raises(Boom, what="write from a stream that fails", where=lambda raised: raised is error):
            case.backend.write(path, source, overwrite=overwrite)
        if overwrite:
            case.expect_equal(case.backend.read_bytes(path), b"old", "the old file")
        else:
            case.expect_equal(case.backend.exists(path), False, "exists of the file, which was not written")
        nothing_else(case, [path] if overwrite else [])

    @check("WRITE-009", needs=(Capability.METADATA,))
    def test_write_result_is_true(self, case: Case) -> None:
        path, content = case.path("folder/file"), case.content(12_345)
        result = case.backend.write(path, content)
        case.expect_type(result, WriteResult, "the result of write")
        case.expect_equal(str(result.path), path, "the path in the result")
        case.expect_equal(result.size, len(content), "the size in the result")
        info = case.backend.get_file_info(path)
        if result.etag is not None:
            case.expect(result.etag and '"' not in result.etag, "the ETag has no quotes", result.etag)
            case.expect_equal(result.etag, info.etag, "the ETag in the result")
        if result.digest is not None and result.digest.full_object and result.digest.algorithm in ("md5", "sha256"):
            digest = hashlib.new(result.digest.algorithm, content, usedforsecurity=False).digest()
            case.expect(
                result.digest.value in (digest.hex(), b64encode(digest).decode()),
                "the digest is the content's checksum",
                result.digest,
            )

    @check("WRITE-010", needs=(READ,))
    def test_write_needs_no_folder(self, case: Case) -> None:
        path = case.path("a/b/c/d/file")
        case.backend.write(path, b"deep")
        case.expect_equal(case.backend.read_bytes(path), b"deep", "a file deep below")
        for folder in ("a", "a/b", "a/b/c", "a/b/c/d"):
            case.expect_equal(case.backend.is_folder(case.path(folder)), True, f"is_folder of {folder!r}")
            case.expect_equal(case.backend.is_file(case.path(folder)), False, f"is_file of {folder!r}")

    @pytest.mark.parametrize("kind", ["bytes", "bytes_io", "unseekable", "short_reads"])
    @pytest.mark.parametrize("size", AROUND_PARTS)
    @check("WRITE-011", needs=(READ,))
    def test_write_around_parts(self, case: Case, size: str, kind: str) -> None:
        part = case.profile.part_size
        case.require_profile("writes have no parts", part is not None)
        parts, more = AROUND_PARTS[size]
        path, content = case.path("file"), case.content(parts * (part or 0) + more)
        source: Any = content if kind == "bytes" else SOURCES[kind](content)
        result = case.backend.write(path, source)
        case.expect_equal(result.size, len(content), "the size in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, f"{size} written from {kind}")

    @check("WRITE-012", needs=(READ, LIST, Capability.METADATA))
    def test_write_is_seen_at_once(self, case: Case) -> None:
        path = case.path("folder/file")
        case.expect_equal(case.backend.exists(path), False, "exists before the write")
        case.expect_equal(names(case, "folder"), [], "the listing before the write")
        for content in (b"first", b"second time"):
            case.backend.write(path, content, overwrite=True)
            case.expect_equal(case.backend.exists(path), True, "exists after the write")
            case.expect_equal(case.backend.read_bytes(path), content, "the content after the write")
            case.expect_equal((case.backend.get_file_info(path)).size, len(content), "the size after the write")
            case.expect_equal(names(case, "folder"), [path], "the listing after the write")

    @check("WRITE-012", needs=(READ, LIST))
    def test_write_is_seen_by_another_instance(self, case: Case) -> None:
        path, other = case.path("folder/file"), case.make()
        case.expect_equal(other.exists(path), False, "exists of the other instance before the write")
        case.backend.write(path, b"first")
        case.expect_equal(other.read_bytes(path), b"first", "the content that the other instance reads")
        case.backend.write(path, b"second", overwrite=True)
        case.expect_equal(
            other.read_bytes(path), b"second", "the content that the other instance reads after the overwrite"
        )
        listed = [str(entry.path) for entry in other.list_files(case.path("folder"))]
        case.expect_equal(listed, [path], "the files that the other instance lists")

    @pytest.mark.parametrize("size", [10, 70_000])
    @check("WRITE-013", needs=(READ,))
    def test_write_keeps_no_buffer(self, case: Case, size: int) -> None:
        path, content = case.path("file"), case.content(size)
        buffer = bytearray(content)
        case.backend.write(path, buffer)
        buffer[:] = b"x" * size
        case.expect_equal(case.backend.read_bytes(path), content, "the file after the buffer changed")
        buffer.extend(b"resized")

    @check("WRITE-014", needs=(READ,))
    def test_write_of_a_stream_that_has_nothing_yet(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"old")
        with case.expect_raises((OSError, TypeError, ValueError), what="write of a non-blocking stream"):
            case.backend.write(path, NothingYet(), overwrite=True)
        case.expect_equal(case.backend.read_bytes(path), b"old", "the file after the refusal")

    @check("WRITE-015", needs=(READ,))
    def test_write_by_many_to_one_key(self, case: Case) -> None:
        path, count = case.path("file"), case.profile.contenders
        contents = [bytes([number]) * (200_000 + number) for number in range(count)]
        writes = [partial(case.backend.write, path, content, overwrite=True) for content in contents]
        for result in case.together(writes):
            if isinstance(result, Exception):
                case.fail("one of many concurrent overwrites", "a result", result)
        case.expect(case.backend.read_bytes(path) in contents, "the file is the content of one of them")

    @check("WRITE-016", needs=(READ,))
    def test_write_by_many_to_many_keys(self, case: Case) -> None:
        contents = {case.path(f"folder-{number % 3}/file-{number}"): case.content(90_000) for number in range(16)}
        writes = [partial(case.backend.write, path, io.BytesIO(content)) for path, content in contents.items()]
        for result in case.together(writes):
            if isinstance(result, Exception):
                case.fail("one of many concurrent writes", "a result", result)
        for path, content in contents.items():
            case.expect_equal(case.backend.read_bytes(path), content, "one of many files")

    @check("WRITE-017")
    def test_write_takes_its_options_by_name(self, case: Case) -> None:
        write: Any = case.backend.write
        path = case.path("file")
        with case.expect_raises(TypeError, what="write with a third positional argument"):
            write(path, b"x", True)
        with case.expect_raises(TypeError, what="write with an unknown option"):
            write(path, b"x", overwite=True)
        case.expect_equal(case.backend.exists(path), False, "exists after the refusals")

    @check("WRITE-018", needs=(READ,))
    def test_write_leaves_nothing_else(self, case: Case) -> None:
        paths = [case.path(name) for name in ("a/b/file", "a/b/file2", "a/file", "file")]
        for path in paths:
            case.backend.write(path, b"first")
            case.backend.write(path, io.BytesIO(b"second"), overwrite=True)
            with case.expect_raises(AlreadyExists, path=path, what="write to a file that exists"):
                case.backend.write(path, b"third")
        nothing_else(case, paths)


def names(case: Case, folder: str) -> list[str]:
    """The paths of the files directly in a folder."""
    return [str(entry.path) for entry in case.backend.list_files(case.path(folder))]
