"""Backends whose streams do not behave like files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, Self, cast

from mutants.reading import Reads, Stream
from mutants.registry import broken
from remote_store.core import MemoryBackend


class Seeks(MemoryBackend):
    """Files in memory, opened for random access with another class of stream."""

    stream: Callable[[bytes], Any] = Stream

    def read_seekable(self, path: str) -> BinaryIO:
        return cast("BinaryIO", type(self).stream(self._file(path).content))


class Unmoved(Stream):
    """A stream whose `seek` returns the new position without moving."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return offset


@broken("SEEK-001")
class SeeksNowhere(Seeks):
    """`seek` returns the new position, but the next read continues at the old one."""

    stream = Unmoved


class OffByOne(Stream):
    """A stream whose end is one byte too early."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(offset - 1 if whence == io.SEEK_END else offset, whence)


@broken("SEEK-002")
class SeeksToTheLastByte(Seeks):
    """A seek from the end counts from the last byte instead of from the end."""

    stream = OffByOne


class Clamped(Stream):
    """A stream that cannot be positioned past its end."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(min(super().seek(offset, whence), len(self.getvalue())))


@broken("SEEK-003")
class StopsAtTheEnd(Seeks):
    """A seek past the end stops at the end."""

    stream = Clamped


class Lenient(Stream):
    """A stream that treats a negative position as the start."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(max(offset, 0) if whence == io.SEEK_SET else offset, whence)


@broken("SEEK-004")
class TakesNegativeForTheStart(Seeks):
    """A seek to a negative position goes to the start instead of raising an error."""

    stream = Lenient


class Overlong(Stream):
    """A stream whose `readinto` returns the size of the buffer."""

    def readinto(self, buffer: Any, /) -> int:
        super().readinto(buffer)
        return len(buffer)


@broken("SEEK-005", "SEEK-014")
class SaysItFilledTheBuffer(Seeks):
    """`readinto` returns the size of the buffer instead of the number of bytes read."""

    stream = Overlong


class Strict(Stream):
    """A stream that drops a line without a newline."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        return line if line.endswith(b"\n") or size not in (None, -1) else b""

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


@broken("SEEK-006")
class LosesTheLastLine(Reads):
    """Loses the last line of a file that does not end with a newline."""

    stream = Strict


class Pipe(Stream):
    """A stream that cannot seek."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        raise io.UnsupportedOperation("seek")


@broken("SEEK-007", "SEEK-012")
class ReadsForwardOnly(Reads):
    """The streams that `read` returns cannot seek."""

    stream = Pipe


@broken("SEEK-010", "SEEK-011")
class OpensForWritingToo(Seeks):
    """Streams for random access report that they are writable."""

    stream = io.BytesIO


class Shy(Stream):
    """A stream that can seek although `seekable()` returns `False`."""

    def seekable(self) -> bool:
        return False


@broken("SEEK-010")
class DeniesThatItSeeks(Seeks):
    """Streams for random access return `False` from `seekable()`."""

    stream = Shy


class OnlyWhatIsNeeded:
    """A response body of a client library: it can be read but is not an `io` stream."""

    def __init__(self, content: bytes) -> None:
        self._stream = Stream(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()


@broken("SEEK-012")
class HandsOutTheClientsBody(Reads):
    """Returns a client library's response body, which has `read` but is not an `io` stream."""

    stream = OnlyWhatIsNeeded


class Rounded(Stream):
    """A stream whose `readinto` starts at a block boundary."""

    def readinto(self, buffer: Any, /) -> int:
        here = self.tell()
        self.seek(here - here % 512)
        count = super().readinto(buffer)
        self.seek(here + count)
        return count


@broken("SEEK-005")
class ReadsFromTheBlock(Seeks):
    """`readinto` reads from the start of the current block instead of from the position."""

    stream = Rounded


def mapped(content: bytes) -> Stream:
    """A stream over a memory map, which cannot be empty."""
    if not content:
        raise ValueError("cannot mmap an empty file")
    return Stream(content)


@broken("SEEK-014")
class CannotMapNothing(Seeks):
    """Opens files with `mmap`, which fails for an empty file."""

    stream = staticmethod(mapped)


class Ahead(Stream):
    """A stream whose `tell` returns the end of its buffer."""

    buffered = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.buffered = min(8192, len(self.getvalue()) - super().tell())
        return line

    def tell(self) -> int:
        return super().tell() + self.buffered


@broken("SEEK-006")
class TellsWhereItsBufferEnds(Reads):
    """`tell` after `readline` returns the end of the read-ahead buffer."""

    stream = Ahead
