"""Content on its way in: which objects are taken, and how they are read block by block."""

from __future__ import annotations

import inspect
import io
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from remote_store.core.home import public
from remote_store.core.io.source import Buffer, Content

BUFFERS = (bytes, bytearray, memoryview)
READ = 1 << 20
BLOCK = 1 << 19


@public("remote_store.core")
class Source:
    """Content to be written, whatever its type, as blocks of the size that the writer wants.

    Args:
        content: The bytes, or a binary stream, which is read from where it stands and stays open.

    Attributes:
        size: How many bytes there are; `None` for a stream that does not say. A file may still grow or shrink.
        failure: The exception of the stream, which is the caller's own.

    Raises:
        TypeError: The content is text, or cannot be read.
    """

    def __init__(self, content: Content) -> None:
        check_content(content)
        self._buffer: Buffer | None = None
        self._position = 0
        self.failure: BaseException | None = None
        if isinstance(content, BUFFERS):
            self._buffer = _flat(content) if isinstance(content, memoryview) else content
            self.size: int | None = len(self._buffer)
        else:
            self._stream = content
            self.size = bytes_left(content)

    def read_block(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end; an exception of the stream passes through."""
        if self._buffer is None:
            try:
                return read_block(self._stream, size)
            except BaseException as error:
                self.failure = error
                raise
        start, self._position = self._position, self._position + size
        if isinstance(self._buffer, bytes):
            return self._buffer[start : self._position]
        return bytes(memoryview(self._buffer)[start : self._position])

    def read_rest(self) -> bytes:
        """All that is left; an exception of the stream passes through."""
        size = self.size or READ
        rest = self.read_block(size)
        if not rest:
            return rest
        blocks = [rest]
        while block := self.read_block(READ):
            blocks.append(block)
        return b"".join(blocks) if len(blocks) > 1 else rest

    def blocks(self, size: int) -> Iterator[bytes]:
        """All that is left, in blocks of `size` bytes, the last one shorter.

        No iterator can raise `StopIteration`: where the stream raises that, this is a `RuntimeError`, and `failure` is
        what the stream raised. `read_block` and `read_rest` pass it through.
        """
        while block := self.read_block(size):
            yield block


def read_block(source: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes of a stream, however little it gives at a time; fewer only at its end.

    Raises:
        TypeError: The stream gives something else than bytes.
        BlockingIOError: The stream is non-blocking and has nothing yet.
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
    """What a stream gave, if it is bytes and no more than was asked for.

    Raises:
        TypeError: It is text or another object.
        ValueError: It is more than was asked for.
        BlockingIOError: It is `None`, with which a non-blocking stream says that it has nothing yet.
    """
    if data is None:
        raise BlockingIOError("the stream is non-blocking and has no data yet; make it blocking")
    if not isinstance(data, BUFFERS):
        raise TypeError(f"the stream gives {type(data).__name__} where bytes are wanted; open it in binary mode")
    block = data if isinstance(data, bytes) else bytes(data)
    if asked is not None and len(block) > asked:
        raise ValueError(f"the stream gave {len(block)} bytes when it was asked for {asked}")
    return block


def check_content(content: object) -> None:
    """Refuse what is neither bytes nor a blocking binary stream, without reading from it.

    Raises:
        TypeError: The content is text, a text stream, an async stream, or has no `read`.
    """
    check_binary(content)
    if isinstance(content, BUFFERS):
        return
    read = getattr(content, "read", None)
    if not callable(read):
        raise TypeError(f"content is bytes or a binary stream, not {type(content).__name__}")
    if inspect.iscoroutinefunction(read):
        raise TypeError("the stream's read is async; write it with an async store")


def check_binary(content: object) -> None:
    """Refuse text.

    Raises:
        TypeError: The content is a `str` or a text stream.
    """
    if isinstance(content, str):
        raise TypeError("content is text; encode it, or use write_text")
    if isinstance(getattr(content, "file", content), io.TextIOBase):
        raise TypeError("content is a text stream; open the file in binary mode")


@public("remote_store.core")
def check_range(start: int, length: int) -> None:
    """Refuse what is no range of bytes.

    Raises:
        TypeError: `start` or `length` is not an `int`.
        ValueError: `start` or `length` is negative.
    """
    _check_count("start", start)
    _check_count("length", length)


@public("remote_store.core")
def check_max_depth(max_depth: int | None) -> None:
    """Refuse what is no depth of a listing.

    Raises:
        TypeError: `max_depth` is neither `None` nor an `int`.
        ValueError: `max_depth` is negative.
    """
    if max_depth is not None:
        _check_count("max_depth", max_depth)


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is an int, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} is 0 or more, not {value}")


def _flat(view: memoryview) -> Buffer:
    return view.cast("B") if view.c_contiguous and view.nbytes else bytes(view)


def block_size(stream: object) -> int:
    """Bytes of a block that is worth reading at once: as the stream itself says, else 512 KiB."""
    told = getattr(stream, "block_size", None)
    return told if isinstance(told, int) else BLOCK


def told_left(stream: object) -> int | None:
    """How many bytes a stream says that it still has, by the method `bytes_left` of our own streams."""
    tell = getattr(stream, "bytes_left", None)
    left = tell() if callable(tell) else None
    return left if isinstance(left, int) else None


def bytes_left(stream: BinaryIO) -> int | None:
    """How many bytes a stream still has, where that costs nothing to find out.

    Asked are our own streams, and files on disk and in memory, spooled ones and those behind a wrapper too. A seek to
    the end of anything else may cost a whole pass over it, as it does for a gzip file.
    """
    if (told := told_left(stream)) is not None:
        return told
    file = getattr(stream, "raw", getattr(stream, "file", stream))
    cheap = isinstance(getattr(file, "raw", file), io.BytesIO | io.FileIO | tempfile.SpooledTemporaryFile)
    if not cheap or not stream.seekable():
        return None
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    # Files of the kernel call themselves empty and are not.
    return end - here if end > here else None
