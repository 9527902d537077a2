"""Backends whose streams and ranges differ from those of a file in memory after some calls, or for some buffers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, cast

from mutants.reading import Reads, Stream
from mutants.registry import broken
from mutants.streams import Seeks
from remote_store.core import MemoryBackend, NotFound

BLOCK = 4096


class Carriage(Stream):
    """A stream whose lines end where `splitlines` ends them."""

    def readline(self, size: int | None = -1, /) -> bytes:
        here = self.tell()
        line = super().readline(size)
        first = line.splitlines(keepends=True)[0] if line else line
        self.seek(here + len(first))
        return first

    def __next__(self) -> bytes:
        return self.readline() or next(iter(()))


@broken("SEEK-006")
class EndsLinesAtCarriageReturns(Reads):
    """A line of a stream ends at a carriage return too."""

    stream = Carriage


class Limited(Stream):
    """A stream whose `readline` with a limit looks for the newline in one byte too many."""

    def readline(self, size: int | None = -1, /) -> bytes:
        if size is None or size <= 0:
            return super().readline(size)
        here = self.tell()
        line = super().readline(size + 1)
        if line.endswith(b"\n") or len(line) <= size:
            return line
        self.seek(here + size)
        return line[:size]


@broken("SEEK-006")
class LooksForANewlinePastTheLimit(Reads):
    """`readline` with a limit returns a byte more if that is the newline."""

    stream = Limited


class Kept(Stream):
    """A stream whose iterator has the lines of the time at which it was made."""

    def __iter__(self) -> Iterator[bytes]:
        here = self.tell()
        lines = super().readlines()
        self.seek(here)
        for line in lines:
            self.seek(self.tell() + len(line))
            yield line


@broken("SEEK-006")
class GoesOnWithTheOldLines(Reads):
    """An iterator over lines goes on where it was, also after a read."""

    stream = Kept


class Blocky(Stream):
    """A stream that goes back within its block without moving, if the position is the start of a block."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        here = self.tell()
        position = super().seek(offset, whence)
        if whence == io.SEEK_CUR and offset < 0 and here % 512 == 0 and position > here - 512 and here:
            super().seek(here)
        return position


@broken("SEEK-007")
class LosesASeekBackAtABlock(Reads):
    """A relative seek back from the start of a block does not move a stream of `read`."""

    stream = Blocky


class Buffered(Stream):
    """A stream whose `readinto` fills buffers of more than one dimension by rows."""

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as view:
            rows = view.ndim > 1
            data = self.read(len(view) if rows else view.nbytes)
        return io.BytesIO(data).readinto(buffer)


@broken("SEEK-005")
class TakesRowsForBytes(Seeks):
    """`readinto` fills as many bytes of a buffer of two dimensions as that has rows."""

    stream = Buffered


class Zeroing(Stream):
    """A stream whose `readinto` clears the buffer first."""

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as view:
            size = view.nbytes
        io.BytesIO(bytes(size)).readinto(buffer)
        return super().readinto(buffer)


@broken("SEEK-005")
class ClearsBuffers(Seeks):
    """`readinto` clears what follows the bytes that it fills."""

    stream = Zeroing


class Cached(Stream):
    """A stream that takes its blocks from a cache that all streams of its class share, by their number."""

    def __init__(self, content: bytes, cache: dict[Any, bytes], key: Any) -> None:
        super().__init__(content)
        self._cache = cache
        self._key = key

    def read(self, size: int | None = -1, /) -> bytes:
        here, data = self.tell(), super().read(size)
        return self._cache.setdefault((self._key, here, len(data)), data)


@broken("READ-015")
class SharesBlocksOfFilesOfOneSize(MemoryBackend):
    """Streams that are open at once share their blocks, which they know by the size of the file and the offset."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        content = self.read_bytes(path, **options)
        return cast("BinaryIO", Cached(content, self.__dict__.setdefault("blocks", {}), len(content)))

    def write(self, path: str, content: Any, **options: Any) -> Any:
        self.__dict__.pop("blocks", None)
        return super().write(path, content, **options)


class Cursor(Stream):
    """A stream over the one cursor of a connection, which ends when the connection does something else."""

    def __init__(self, content: bytes, turn: Any) -> None:
        super().__init__(content)
        self._turn = turn
        self._mine = turn()

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size) if self._turn() == self._mine or self.tell() < BLOCK else b""


@broken("READ-001")
class ReadsFromOneCursor(MemoryBackend):
    """A stream that has read its first block ends at the next write through the same instance."""

    turns = 0

    def read(self, path: str, **options: Any) -> BinaryIO:
        return cast("BinaryIO", Cursor(self.read_bytes(path, **options), lambda: self.turns))

    def _commit(self, *given: Any, **options: Any) -> Any:
        self.turns += 1
        return super()._commit(*given, **options)


class Following(Stream):
    """A stream whose lines are those of the file as it is now."""

    def __init__(self, content: bytes, now: Any) -> None:
        super().__init__(content)
        self._now = now

    def readline(self, size: int | None = -1, /) -> bytes:
        current = io.BytesIO(self._now())
        current.seek(self.tell())
        line = current.readline(-1 if size is None else size)
        self.seek(self.tell() + len(line))
        return line

    def __next__(self) -> bytes:
        return self.readline() or next(iter(()))


@broken("READ-013")
class ReadsLinesOfTheNewVersion(MemoryBackend):
    """`readline` goes on in the file that has replaced the one that is read."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        return cast("BinaryIO", Following(self.read_bytes(path, **options), partial(self.read_bytes, path)))


class Vanishing(Stream):
    """A stream whose `readinto` finds nothing once the file is deleted."""

    def __init__(self, content: bytes, is_there: Any) -> None:
        super().__init__(content)
        self._is_there = is_there

    def readinto(self, buffer: Any, /) -> int:
        return super().readinto(buffer) if self._is_there() else 0


@broken("READ-014")
class EndsReadintoWhenDeleted(MemoryBackend):
    """`readinto` of a stream ends without an error once the file is deleted."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        return cast("BinaryIO", Vanishing(self.read_bytes(path, **options), partial(self.is_file, path)))


class Listing(Stream):
    """A stream whose iteration over lines works after it is closed, because it has them."""

    def __iter__(self) -> Iterator[bytes]:
        return super().__iter__() if not self.closed else iter(())


@broken("READ-016")
class HasNoLinesWhenClosed(Reads):
    """A closed stream has no lines, instead of an error."""

    stream = Listing


@broken("MANY-006")
class KeysRangesByTheirStart(MemoryBackend):
    """Ranges that begin at the same offset are read once, with the length of the first."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        first: dict[int, int] = {}
        for start, length in ranges:
            first.setdefault(start, length)
        read = dict(zip(first, super().read_ranges(path, list(first.items()), **options), strict=True))
        return [read[start][:length] for start, length in ranges]


@broken("MANY-006")
class KeysRangesByTheirEnd(MemoryBackend):
    """Ranges that end at the same offset are all the one that came first."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        read: dict[int, bytes] = {}
        for (start, length), data in zip(ranges, super().read_ranges(path, ranges, **options), strict=True):
            if length:
                read.setdefault(start + length, data)
        return [read[start + length][-length:] if length else b"" for start, length in ranges]


@broken("READ-003")
class KeepsRangesByTheirStart(MemoryBackend):
    """Keeps what a range has read, and takes later ranges that begin there from it, also longer ones."""

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        data = super().read_range(path, start, length, **options)
        kept = self.__dict__.setdefault("kept", {})
        version = self.get_file_info(path).etag if self.is_file(path) else None
        first: bytes = kept.setdefault((path, version, start), data)
        return first[:length]


class Holding(Stream):
    """A stream that gives its slot back if it is closed after a read."""

    release: Any = None
    used = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.used = True
        return super().read(size)

    def close(self) -> None:
        if self.used and not self.closed and self.release is not None:
            self.release()
        super().close()


@broken("READ-017")
class KeepsSlotsOfStreamsThatWereNotRead(MemoryBackend):
    """A stream that is closed before any read keeps one of 20 slots."""

    taken = 0

    def read_seekable(self, path: str, **options: Any) -> BinaryIO:
        if self.taken == 20:
            raise NotFound("no slot is free", path=path, backend=self.name)
        stream = Holding(self.read_bytes(path, **options))
        self.taken += 1
        stream.release = self._release
        return cast("BinaryIO", stream)

    def _release(self) -> None:
        self.taken -= 1
