from __future__ import annotations

import array
import asyncio
import errno
import gzip
import io
import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from remote_store.core import LocalBackend, MemoryBackend, Store
from remote_store.core.aio.streams import AsyncSource
from remote_store.core.io.streams import Source, check_content, check_max_depth, check_range, read_block
from remote_store.core.metadata import check_content_type, check_metadata


class Trickle(io.RawIOBase):
    """Gives one byte at a time, and cannot seek."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(min(size, 1))


class Giving:
    """Answers every read with the same thing."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def read(self, size: int = -1) -> object:
        return self.answer


def as_stream(stream: object) -> BinaryIO:
    return cast("BinaryIO", stream)


def test_a_block_is_whole_however_little_the_stream_gives() -> None:
    stream = as_stream(Trickle(b"1234567"))
    assert [read_block(stream, 3) for _ in range(4)] == [b"123", b"456", b"7", b""]


@pytest.mark.parametrize(
    "answer, error",
    [("text", TypeError), (3, TypeError), (None, BlockingIOError), (b"more than asked", ValueError)],
)
def test_a_stream_that_gives_no_bytes_is_refused(answer: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_block(as_stream(Giving(answer)), 4)


def test_other_bytes_become_bytes() -> None:
    assert read_block(as_stream(io.BytesIO(b"ab")), 5) == b"ab"
    assert read_block(as_stream(Giving(bytearray(b"ab"))), 2) == b"ab"


def test_whole_bytes_are_not_copied() -> None:
    content = b"x" * 1000
    assert Source(content).read_block(1000) is content


@pytest.mark.parametrize(
    "content",
    [
        b"abcdefg",
        bytearray(b"abcdefg"),
        memoryview(b"abcdefg"),
        memoryview(b"a.b.c.d.e.f.g")[::2],
        io.BytesIO(b"abcdefg"),
    ],
)
def test_every_content_comes_in_blocks(content: Any) -> None:
    source = Source(content)
    assert source.size == 7
    assert list(source.blocks(3)) == [b"abc", b"def", b"g"]
    assert source.read_block(3) == b""


def test_a_view_counts_in_bytes() -> None:
    source = Source(memoryview(array.array("i", [1, 2, 3])))
    assert source.size == len(source.read_block(1000)) == 3 * array.array("i").itemsize


def test_an_empty_view_is_empty() -> None:
    assert (Source(memoryview(b"")).size, Source(memoryview(b"")).read_block(5)) == (0, b"")


def test_the_size_of_a_file_is_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123456")
    with (tmp_path / "a").open("rb") as file, tempfile.NamedTemporaryFile() as temporary:
        file.read(2)
        assert Source(file).size == 4
        assert file.tell() == 2
        temporary.write(b"123")
        temporary.seek(1)
        assert Source(as_stream(temporary)).size == 2
        temporary.seek(9)
        assert Source(as_stream(temporary)).size == 0
    assert Source(io.BytesIO(b"")).size == 0


def test_the_size_is_unknown_where_asking_is_dear_or_the_answer_wrong(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wb") as file:
        file.write(b"123456")
    reader, writer = os.pipe()
    os.close(writer)
    with gzip.open(tmp_path / "a.gz", "rb") as packed, os.fdopen(reader, "rb") as pipe:
        assert Source(as_stream(packed)).size is None
        assert Source(pipe).size is None
    assert Source(as_stream(Trickle(b"1"))).size is None


class CannotGoBack(io.BytesIO):
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET:
            raise OSError(errno.EIO, "mine")
        return super().seek(offset, whence)


class FailsOnce(io.BytesIO):
    failed = False

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.failed:
            self.failed = True
            raise OSError(errno.EIO, "mine")
        return super().read(size)


@pytest.mark.parametrize("stream", [CannotGoBack(b"content"), FailsOnce(b"")], ids=["back", "read"])
def test_an_error_while_the_size_is_asked_is_the_callers(stream: io.BytesIO) -> None:
    with MemoryBackend() as backend:
        with pytest.raises(OSError, match="mine"):
            backend.write("file", stream)
        assert not backend.exists("file")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system has no files under /proc")
def test_the_size_of_a_file_that_the_kernel_makes_is_unknown_and_its_content_whole() -> None:
    with Path("/proc/self/cmdline").open("rb") as file:
        source = Source(file)
        assert source.size is None
        assert source.read_rest() == Path("/proc/self/cmdline").read_bytes()
    with Path("/proc/self/status").open("rb") as file:
        assert Source(file).read_rest().startswith(b"Name:")


def test_a_stop_iteration_of_a_stream_does_not_end_the_content() -> None:
    class Odd(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise error
            return super().read(2)

    error = StopIteration("the caller's own")
    for size in (2, 1 << 20):
        with pytest.raises(StopIteration) as raised:
            Source(Odd(b"12345")).read_block(size) + Source(Odd(b"")).read_rest() + Source(Odd(b"12345")).read_rest()
        assert raised.value is error
    source = Source(Odd(b"12345"))
    with pytest.raises(RuntimeError):
        list(source.blocks(3))
    assert source.failure is error


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_the_rest_is_what_is_left(size: int) -> None:
    content = os.urandom(size + 3)
    for stream in (io.BytesIO(content), content[3:]):
        source = Source(stream)
        if not isinstance(stream, bytes):
            source.read_block(3)
        assert source.read_rest() == content[3:]
    assert Source(as_stream(Trickle(content[-1000:]))).read_rest() == content[-1000:]


@pytest.mark.parametrize("before", [-1, 0, 2])
@pytest.mark.parametrize("kind", [MemoryBackend, LocalBackend])
def test_a_stop_iteration_of_the_callers_passes_through_a_write(kind: Any, before: int, tmp_path: Path) -> None:
    class Odd(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > before:
                raise error
            return super().read(2)

    error = StopIteration("the caller's own")
    backend = kind() if kind is MemoryBackend else kind(tmp_path)
    for write in (backend.write, backend.write_atomic, Store(backend, "d").write, Store(backend).upload):
        arguments = (Odd(b"12345"), "a") if write.__name__ == "upload" else ("a", Odd(b"12345"))
        with pytest.raises(StopIteration) as raised:
            write(*arguments)
        assert raised.value is error
    with pytest.raises(StopIteration) as raised, backend.open_atomic("a"):
        raise error
    assert raised.value is error
    assert list(backend.list_files("", recursive=True)) == []
    assert list(tmp_path.iterdir()) == []


async def awaited_read(size: int = -1) -> bytes:
    return b""


class Awaited:
    read = staticmethod(awaited_read)


@pytest.mark.parametrize("content", ["text", io.StringIO("text"), None, 3, object(), Awaited()])
def test_what_is_no_content_is_refused(content: object) -> None:
    with pytest.raises(TypeError):
        check_content(content)


def test_a_temporary_text_file_is_text() -> None:
    with tempfile.NamedTemporaryFile("w+") as file, pytest.raises(TypeError, match="binary"):
        check_content(file)


async def chunks(*parts: Any) -> AsyncIterator[Any]:
    for part in parts:
        await asyncio.sleep(0)
        yield part


async def test_async_content_comes_in_blocks() -> None:
    class AwaitedStream:
        def __init__(self) -> None:
            self._content = io.BytesIO(b"abcdefg")

        async def read(self, size: int = -1, /) -> bytes:
            return self._content.read(min(size, 2))

    contents: list[Any] = [
        b"abcdefg",
        io.BytesIO(b"abcdefg"),
        Trickle(b"abcdefg"),
        AwaitedStream(),
        chunks(b"ab", b"", bytearray(b"cdef"), memoryview(b"g")),
        chunks(b"abcdefg"),
    ]
    for content in contents:
        source = AsyncSource(content)
        assert [await source.read_block(3) for _ in range(4)] == [b"abc", b"def", b"g", b""]


async def test_the_size_of_async_content() -> None:
    assert [AsyncSource(content).size for content in (b"ab", io.BytesIO(b"ab"), chunks())] == [2, 2, None]


async def test_the_rest_of_async_content_is_what_has_not_been_read() -> None:
    source = AsyncSource(chunks(b"a" * 3, b"", b"b" * (2 << 20)))
    assert await source.read_block(2) == b"aa"
    assert await source.read_rest() == b"a" + b"b" * (2 << 20)
    assert await source.read_rest() == b""


@pytest.mark.parametrize("part", ["text", None, 3])
async def test_async_content_of_something_else_is_refused(part: object) -> None:
    source = AsyncSource(chunks(part))
    with pytest.raises((TypeError, BlockingIOError)):
        await source.read_block(1)


@pytest.mark.parametrize("content", ["text", io.StringIO("text"), None, 3, ["x"], {b"x"}])
def test_what_is_no_async_content_is_refused(content: Any) -> None:
    with pytest.raises(TypeError):
        AsyncSource(content)


@pytest.mark.parametrize(
    "start, length, error",
    [(-1, 1, ValueError), (0, -1, ValueError), (1.0, 1, TypeError), (0, True, TypeError), (None, 1, TypeError)],
)
def test_ranges_are_checked(start: Any, length: Any, error: type[Exception]) -> None:
    check_range(0, 0)
    with pytest.raises(error):
        check_range(start, length)


@pytest.mark.parametrize("depth, error", [(-1, ValueError), (1.0, TypeError), (True, TypeError), ("1", TypeError)])
def test_depths_are_checked(depth: Any, error: type[Exception]) -> None:
    check_max_depth(None)
    check_max_depth(0)
    with pytest.raises(error):
        check_max_depth(depth)


def test_metadata_is_copied() -> None:
    given = {"made-by": "a test = 1", "empty": ""}
    checked = check_metadata(given)
    assert checked == given
    assert checked is not given
    assert check_metadata(None) == check_metadata({}) == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "v"},
        {"Upper": "v"},
        {"a b": "v"},
        {"é": "v"},
        {"a:b": "v"},
        {"a\n": "v"},
        {"k": " v"},
        {"k": "v "},
        {"k": " "},
        {"k": "é"},
        {"k": "a\nb"},
        {"k": "v\n"},
        {"k": "a\tb"},
        {"k": "v" * 2048},
    ],
)
def test_metadata_that_would_be_changed_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="metadata"):
        check_metadata(metadata)


def test_metadata_has_a_largest_size() -> None:
    assert check_metadata({"k": "v" * 2047})


def test_metadata_has_a_largest_number_of_entries() -> None:
    pairs = itertools.product("abcdefghijklmnopqrstuvwxyz0123456789", repeat=2)
    entries = {first + second: "" for first, second in itertools.islice(pairs, 900)}
    assert check_metadata(entries) == entries
    with pytest.raises(ValueError, match="901 entries; at most 900"):
        check_metadata({**entries, "one-more": ""})
    with pytest.raises(ValueError, match="900 entries; at most 64"):
        check_metadata(entries, most=64)


@pytest.mark.parametrize("metadata", [{1: "v"}, {"k": 1}, {"k": None}, [("k", "v")], "k=v"])
def test_metadata_of_other_types_is_refused(metadata: Any) -> None:
    with pytest.raises(TypeError, match="str"):
        check_metadata(metadata)


@pytest.mark.parametrize("content_type", ["", "text/plain\r\nx: y", "text/plain\n", "é", " text/plain"])
def test_content_types_are_checked(content_type: str) -> None:
    check_content_type(None)
    check_content_type("text/plain; charset=utf-8")
    with pytest.raises(ValueError, match="content type"):
        check_content_type(content_type)


def test_a_content_type_is_text() -> None:
    with pytest.raises(TypeError):
        check_content_type(cast("str", b"text/plain"))
