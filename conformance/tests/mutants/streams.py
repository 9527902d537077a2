"""Backends whose streams are no real files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, Self, cast

from mutants.reading import Reads, Stream
from mutants.registry import broken
from remote_store.core import MemoryBackend


class Seeks(MemoryBackend):
    """Files in memory, opened for random access by streams of another class."""

    stream: Callable[[bytes], Any] = Stream

    def read_seekable(self, path: str) -> BinaryIO:
        return cast("BinaryIO", type(self).stream(self._file(path).content))


class Unmoved(Stream):
    """A stream that says it moved, and did not."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return offset


@broken("SEEK-001")
class SeeksNowhere(Seeks):
    """Says the new position after a seek, and reads on from the old one."""

    stream = Unmoved


class OffByOne(Stream):
    """A stream whose end is its last byte."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(offset - 1 if whence == io.SEEK_END else offset, whence)


@broken("SEEK-002")
class SeeksToTheLastByte(Seeks):
    """Takes the last byte for the end of the file in a seek from the end."""

    stream = OffByOne


class Clamped(Stream):
    """A stream that cannot stand behind its end."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(min(super().seek(offset, whence), len(self.getvalue())))


@broken("SEEK-003")
class StopsAtTheEnd(Seeks):
    """Goes to the end of the file where a seek goes past it."""

    stream = Clamped


class Lenient(Stream):
    """A stream that takes a negative position for the start."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(max(offset, 0) if whence == io.SEEK_SET else offset, whence)


@broken("SEEK-004")
class TakesNegativeForTheStart(Seeks):
    """Goes to the start of the file where a position is negative."""

    stream = Lenient


class Overlong(Stream):
    """A stream that says of every buffer that it filled it."""

    def readinto(self, buffer: Any, /) -> int:
        super().readinto(buffer)
        return len(buffer)


@broken("SEEK-005", "SEEK-014")
class SaysItFilledTheBuffer(Seeks):
    """Says of every buffer that it was filled to its end."""

    stream = Overlong


class Strict(Stream):
    """A stream that takes a line without a newline for none."""

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
    """Loses the last line of a file that does not end in a newline."""

    stream = Strict


class Pipe(Stream):
    """A stream that only goes forward."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        raise io.UnsupportedOperation("seek")


@broken("SEEK-007", "SEEK-012")
class ReadsForwardOnly(Reads):
    """Opens streams by `read` that cannot seek."""

    stream = Pipe


@broken("SEEK-010", "SEEK-011")
class OpensForWritingToo(Seeks):
    """Opens streams for random access that say they can be written to."""

    stream = io.BytesIO


class Shy(Stream):
    """A stream that can seek, and denies it."""

    def seekable(self) -> bool:
        return False


@broken("SEEK-010")
class DeniesThatItSeeks(Seeks):
    """Opens streams for random access that say they cannot seek."""

    stream = Shy


class OnlyWhatIsNeeded:
    """What a client library hands out: it reads, and is no file."""

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
    """Hands out the body of a client library, which reads as a file does and is none."""

    stream = OnlyWhatIsNeeded


class Rounded(Stream):
    """A stream whose `readinto` begins at the start of a block."""

    def readinto(self, buffer: Any, /) -> int:
        here = self.tell()
        self.seek(here - here % 512)
        count = super().readinto(buffer)
        self.seek(here + count)
        return count


@broken("SEEK-005")
class ReadsFromTheBlock(Seeks):
    """Fills a buffer from the start of the block that the position lies in."""

    stream = Rounded


def mapped(content: bytes) -> Stream:
    """A stream over a memory map, which cannot be empty."""
    if not content:
        raise ValueError("cannot mmap an empty file")
    return Stream(content)


@broken("SEEK-014")
class CannotMapNothing(Seeks):
    """Opens files by a memory map, which an empty file has none of."""

    stream = staticmethod(mapped)


class Ahead(Stream):
    """A stream that tells where its buffer ends, and not where the next read begins."""

    buffered = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.buffered = min(8192, len(self.getvalue()) - super().tell())
        return line

    def tell(self) -> int:
        return super().tell() + self.buffered


@broken("SEEK-006")
class TellsWhereItsBufferEnds(Reads):
    """Tells a position after a line that lies behind what was read ahead."""

    stream = Ahead
