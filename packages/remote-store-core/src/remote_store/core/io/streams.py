"""Checks the content of a write, and reads it block by block."""

from __future__ import annotations

import inspect
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from remote_store.core.events import callers_code
from remote_store.core.home import public
from remote_store.core.io.chunks import Chunks
from remote_store.core.io.source import BUFFERS, Buffer, Content, SupportsRead

READ = 1 << 20
BLOCK = 1 << 19


@public("remote_store.core")
class Source:
    """Reads content of any accepted type in blocks of the size that the writer wants.

    Args:
        content: Bytes, anything with `read(n)`, or an iterable of bytes. A stream is read from its current position and
            stays open.

    Attributes:
        size: Number of bytes; `None` if the stream does not report it. A file may still grow or shrink.
        failure: The exception that the caller's stream raised.

    Raises:
        TypeError: The content is text, or cannot be read.
    """

    def __init__(self, content: Content) -> None:
        stream = as_stream(content)
        check_content(stream)
        self._buffer: Buffer | None = None
        self._position = 0
        self.failure: BaseException | None = None
        if isinstance(stream, BUFFERS):
            self._buffer = _flat(stream) if isinstance(stream, memoryview) else stream
            self.size: int | None = len(self._buffer)
        else:
            self._stream: SupportsRead = stream
            self.size = bytes_left(stream)

    def read_block(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end. Exceptions of the stream pass unchanged."""
        if self._buffer is None:
            try:
                with callers_code():
                    return read_block(self._stream, size)
            except BaseException as error:
                self.failure = error
                raise
        start, self._position = self._position, self._position + size
        if isinstance(self._buffer, bytes):
            return self._buffer[start : self._position]
        return bytes(memoryview(self._buffer)[start : self._position])

    def read_rest(self) -> bytes:
        """All the rest. Exceptions of the stream pass unchanged."""
        size = self.size or READ
        rest = self.read_block(size)
        if not rest:
            return rest
        blocks = [rest]
        while block := self.read_block(READ):
            blocks.append(block)
        return b"".join(blocks) if len(blocks) > 1 else rest

    def blocks(self, size: int) -> Iterator[bytes]:
        """All the rest, in blocks of `size` bytes; the last one may be shorter.

        If the stream raises `StopIteration`, the iterator raises `RuntimeError`, because Python does not let it pass
        from a generator. `failure` is then the `StopIteration`. `read_block` and `read_rest` let it pass.
        """
        while block := self.read_block(size):
            yield block


def as_stream(content: Any) -> Any:
    """A binary stream over an iterable of bytes. Other content is returned unchanged and unchecked.

    Raises:
        TypeError: It is a mapping or a set, or a list or tuple with an item that is not bytes.
    """
    chunked = (
        isinstance(content, Iterable) and not isinstance(content, (*BUFFERS, str)) and not hasattr(content, "read")
    )
    return Chunks(content) if chunked else content


def read_block(source: SupportsRead, size: int) -> bytes:
    """Read exactly `size` bytes from a stream, with several reads if needed; fewer only at its end.

    Raises:
        TypeError: The stream returned something other than bytes.
        BlockingIOError: The stream is non-blocking and has no data yet.
    """
    data = as_bytes(source.read(size), size)
    if not data or len(data) == size:
        return data
    gathered = bytearray(data)
    while data and len(gathered) < size:
        missing = size - len(gathered)
        data = as_bytes(source.read(missing), missing)
        gathered += data
    return bytes(gathered)


def as_bytes(data: object, asked: int | None = None) -> bytes:
    """Check the result of a stream's `read`, and return it as bytes.

    Raises:
        TypeError: It is text or another object.
        ValueError: It is longer than requested.
        BlockingIOError: It is `None`, which a non-blocking stream returns if it has no data yet.
    """
    if data is None:
        raise BlockingIOError("the stream is non-blocking and has no data yet; make it blocking")
    if not isinstance(data, BUFFERS):
        raise TypeError(f"the stream returned {type(data).__name__} instead of bytes; open it in binary mode")
    block = data if type(data) is bytes else bytes(data)
    if asked is not None and len(block) > asked:
        raise ValueError(f"the stream returned {len(block)} bytes for a read of {asked}; correct its read method")
    return block


def check_content(content: object) -> None:
    """Check that the content is bytes or a blocking binary stream, without reading from it.

    Raises:
        TypeError: The content is text, a text stream, an async stream, or has no `read`.
    """
    check_binary(content)
    if isinstance(content, BUFFERS):
        return
    read = getattr(content, "read", None)
    if inspect.iscoroutinefunction(read) or (read is None and hasattr(content, "__aiter__")):
        raise TypeError(f"the content is async, of type {type(content).__name__}; write it with an AsyncStore")
    if not callable(read):
        raise TypeError(wrong_content(content))


def wrong_content(content: object) -> str:
    """The message for an object that is no content."""
    hint = "; for a file on the local disk, use upload" if isinstance(content, os.PathLike) else ""
    return f"content must be bytes, have read(n), or be an iterable of bytes, not {type(content).__name__}{hint}"


def check_binary(content: object) -> None:
    """Check that the content is not text.

    Raises:
        TypeError: The content is a `str` or a text stream.
    """
    if isinstance(content, str):
        raise TypeError("content is text; encode it, or use write_text")
    if isinstance(getattr(content, "file", content), io.TextIOBase):
        raise TypeError("content is a text stream; open the file in binary mode")


@public("remote_store.core")
def check_range(start: int, length: int) -> None:
    """Check a range of bytes.

    Raises:
        TypeError: `start` or `length` is not an `int`.
        ValueError: `start` or `length` is negative.
    """
    _check_count("start", start)
    _check_count("length", length)


def check_ranges(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Check several ranges of bytes, and return them as a list.

    Raises:
        TypeError: A range is not a pair of `int`.
        ValueError: A start or a length is negative.
    """
    checked = list(ranges)
    for each in checked:
        if not isinstance(each, tuple | list) or len(each) != 2:
            raise TypeError(f"a range must be a tuple of start and length, not {type(each).__name__}")
        check_range(*each)
    return checked


@public("remote_store.core")
def check_max_depth(max_depth: int | None) -> None:
    """Check the depth of a listing.

    Raises:
        TypeError: `max_depth` is neither `None` nor an `int`.
        ValueError: `max_depth` is negative.
    """
    if max_depth is not None:
        _check_count("max_depth", max_depth)


def check_buffer_size(buffer_size: int) -> None:
    """Check the size of a buffer; 0 means that there is none.

    Raises:
        TypeError: It is not an `int`.
        ValueError: It is negative.
    """
    _check_count("buffer_size", buffer_size)


def check_chunk_size(size: int) -> None:
    """Check the size of a chunk.

    Raises:
        TypeError: It is not an `int`.
        ValueError: It is less than 1.
    """
    _check_count("size", size, least=1)


def _check_count(name: str, value: int, *, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, not {value}")


def _flat(view: memoryview) -> Buffer:
    return view.cast("B") if view.c_contiguous and view.nbytes else bytes(view)


def block_size(stream: object) -> int:
    """Bytes to read at once: the stream's `block_size` if it has one, else 512 KiB."""
    size = getattr(stream, "block_size", None)
    return size if isinstance(size, int) else BLOCK


def told_left(stream: object) -> int | None:
    """The number of bytes left, if the stream reports it by a `bytes_left` method; only our own streams have one."""
    tell = getattr(stream, "bytes_left", None)
    left = tell() if callable(tell) else None
    return left if isinstance(left, int) else None


def bytes_left(stream: Any) -> int | None:
    """The number of bytes left in a stream; `None` unless it is cheap to find out.

    It is for our own streams and for files on disk or in memory, including spooled and wrapped ones. In other streams,
    a seek to the end may read everything, as in a gzip file.
    """
    if (told := told_left(stream)) is not None:
        return told
    file = getattr(stream, "raw", getattr(stream, "file", stream))
    cheap = isinstance(getattr(file, "raw", file), io.BytesIO | io.FileIO | tempfile.SpooledTemporaryFile)
    if not cheap or not all(hasattr(stream, name) for name in ("seekable", "seek", "tell")) or not stream.seekable():
        return None
    here: int = stream.tell()
    try:
        end: int = stream.seek(0, io.SEEK_END)
    except OSError:
        # Some files under /proc have no end that one could seek to.
        return None
    # If this raises, the position is lost, so it must not be read on from there.
    stream.seek(here)
    if end > here:
        return end - here
    # Other files under /proc report size 0, so a read tells whether there is more.
    is_at_end = not stream.read(1)
    stream.seek(here)
    return 0 if is_at_end else None
