"""Backends that return other bytes than the file contains."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from mutants.registry import broken
from remote_store.core import BackendUnavailable, InvalidPath, MemoryBackend, NotFound, RemoteStoreError


class Stream(io.BytesIO):
    """The content of a file as a read-only stream; subclasses break it in one place."""

    def writable(self) -> bool:
        return False

    def write(self, _data: Any, /) -> int:
        raise io.UnsupportedOperation("write")


class Reads(MemoryBackend):
    """Files in memory, read with another class of stream."""

    stream: Callable[[bytes], Any] = Stream

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", type(self).stream(self._file(path).content))


@broken("READ-001")
class ReadsTheFirstBlock(Reads):
    """Streams end after 8 KiB."""

    stream = staticmethod(lambda content: Stream(content[: 8 * 1024]))


@broken("READ-002")
class CutsAt64KiB(MemoryBackend):
    """Reads at most 64 KiB of a file."""

    def read_bytes(self, path: str) -> bytes:
        return super().read_bytes(path)[: 64 * 1024]


@broken("READ-003")
class OneByteShort(MemoryBackend):
    """Treats the end of a range as inclusive."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return super().read_range(path, start, length)[: max(length - 1, 0)]


@broken("READ-003", "READ-004")
class IgnoresRanges(MemoryBackend):
    """`read_range` returns the whole file."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return self.read_bytes(path) if super().read_range(path, start, length) else b""


@broken("READ-004", "READ-005")
class FailsPastTheEnd(MemoryBackend):
    """Raises the server's 416 error for a range past the end of the file."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        data = super().read_range(path, start, length)
        if start >= len(self._file(path).content):
            raise RemoteStoreError("the range cannot be satisfied", path=path, backend=self.name, status=416)
        return data


@broken("READ-005")
class TakesZeroForAll(MemoryBackend):
    """A range of length 0 returns the rest of the file."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        data = super().read_range(path, start, length)
        return data if length else self._file(path).content[start:]


@broken("READ-006")
class CountsFromTheEnd(MemoryBackend):
    """Counts a negative start from the end, as a slice does."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        return self._file(path).content[start : start + length]


@broken("READ-007")
class AnswersWithoutALook(MemoryBackend):
    """A range of length 0 returns no bytes even if the file does not exist."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return b"" if length == 0 else super().read_range(path, start, length)


class Late(io.BytesIO):
    """A stream that opens its file at the first read."""

    def __init__(self, backend: MemoryBackend, path: str) -> None:
        super().__init__()
        self.backend, self.path = backend, path

    def read(self, size: int | None = -1) -> bytes:
        position = self.tell()
        if not self.getvalue():
            self.write(self.backend._file(self.path).content)
            self.seek(position)
        return super().read(size)


@broken("READ-007", "READ-008", "READ-009")
class OpensLate(MemoryBackend):
    """`read` raises NotFound at the first read instead of when it is called."""

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", Late(self, path))


@broken("SEEK-009")
class SeeksLate(MemoryBackend):
    """`read_seekable` raises NotFound at the first read instead of when it is called."""

    def read_seekable(self, path: str) -> BinaryIO:
        return cast("BinaryIO", Late(self, path))


@broken("READ-009")
class FindsNoRoot(MemoryBackend):
    """Raises NotFound instead of InvalidPath when the root is read."""

    def read_bytes(self, path: str) -> bytes:
        if path == "":
            raise NotFound("there is no such file", path=path, backend=self.name)
        return super().read_bytes(path)


class Greedy(Stream):
    """A stream whose `read(n)` ignores `n` and returns the rest."""

    def read(self, _size: int | None = -1) -> bytes:
        return super().read()


@broken("READ-010")
class IgnoresTheSize(Reads):
    """`read(n)` of a stream ignores `n` and returns the rest of the file."""

    stream = Greedy


@broken("READ-011", "SEEK-011")
class HandsOutTheBuffer(Reads):
    """Streams for reading report that they are writable, and accept writes."""

    stream = io.BytesIO


class Raising(Stream):
    """A stream that raises EOFError at its end."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data and size != 0 and self.tell():
            raise EOFError("there is nothing left")
        return data


@broken("READ-012")
class RaisesAtTheEnd(Reads):
    """A read at the end of the file raises EOFError instead of returning no bytes."""

    stream = Raising


class Live(io.RawIOBase):
    """A stream that looks up the file again for each read."""

    def __init__(self, backend: MemoryBackend, path: str) -> None:
        self.backend, self.path, self.position = backend, path, 0
        backend._file(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = (0, self.position, len(self.content()))
        self.position = starts[whence] + offset
        return self.position

    def tell(self) -> int:
        return self.position

    def content(self) -> bytes:
        return self.backend._file(self.path).content

    def readinto(self, buffer: Any) -> int:
        data = self.content()[self.position :][: len(buffer)]
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


@broken("READ-013", "SEEK-008")
class MixesVersions(MemoryBackend):
    """Continues with the new version of a file that is overwritten while it is read."""

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(Live(self, path)))


class EndsEarly(Live):
    """A stream that ends when its file is deleted."""

    def content(self) -> bytes:
        try:
            return super().content()
        except NotFound:
            return b""


@broken("READ-014")
class EndsWhereTheFileIsGone(MemoryBackend):
    """A stream ends early, without an error, if its file is deleted."""

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(EndsEarly(self, path)))


class Shared(MemoryBackend):
    """Keeps one stream for each file."""

    def open_once(self, path: str) -> BinaryIO:
        """The shared stream of a file, at the position of the last reader; a new one if that reader closed it."""
        opened = self.__dict__.setdefault("_opened", {})
        if path not in opened or opened[path].closed:
            opened[path] = super().read(path)
        return cast("BinaryIO", opened[path])


@broken("READ-015")
class OneReaderForAll(Shared):
    """`read` returns the same open stream to all readers of a file."""

    def read(self, path: str) -> BinaryIO:
        return self.open_once(path)


@broken("SEEK-013")
class OnePositionForAll(Shared):
    """`read_seekable` returns the same open stream to all readers of a file."""

    def read_seekable(self, path: str) -> BinaryIO:
        return self.open_once(path)


class Undead(Stream):
    """A stream that returns no bytes after it is closed."""

    def read(self, size: int | None = -1) -> bytes:
        return b"" if self.closed else super().read(size)


@broken("READ-016")
class ReadsWhenClosed(Reads):
    """Reading a closed stream returns no bytes instead of raising ValueError."""

    stream = Undead


class Slot(Stream):
    """A stream that returns its connection to the pool when its last byte is read."""

    def __init__(self, content: bytes, slots: list[int]) -> None:
        super().__init__(content)
        self.slots = slots

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() == len(self.getvalue()):
            self.slots.append(1)
        return data


@broken("READ-017")
class LosesConnections(MemoryBackend):
    """Returns a connection to its pool only if the stream was read to its end."""

    def read(self, path: str) -> BinaryIO:
        slots = self.__dict__.setdefault("_slots", [1] * 10)
        content = self._file(path).content
        if not slots:
            raise BackendUnavailable("the pool is empty", path=path, backend=self.name, retryable=True)
        slots.pop()
        return cast("BinaryIO", Slot(content, slots))


@broken("READ-008")
class ReadsFoldersAsEmpty(MemoryBackend):
    """Opens a folder as an empty file."""

    def read(self, path: str) -> BinaryIO:
        try:
            return super().read(path)
        except InvalidPath:
            if not path or "\0" in path:
                raise
            return cast("BinaryIO", Stream())


@broken("READ-004")
class AllocatesTheRange(MemoryBackend):
    """Allocates the requested length of a range even if the file is short."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        data = super().read_range(path, start, length)
        buffer = bytearray(length)
        buffer[: len(data)] = data
        return bytes(buffer[: len(data)])


@broken("WRITE-001")
class UnpacksByItsName(MemoryBackend):
    """Decompresses files whose name ends like a compressed file's."""

    def read_bytes(self, path: str) -> bytes:
        content = super().read_bytes(path)
        return gzip.decompress(content) if path.endswith(".gz") and content.startswith(b"\x1f\x8b") else content
