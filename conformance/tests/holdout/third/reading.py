"""Broken backends: what reads and their streams return."""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, ClassVar, cast

from sqlite_store import SQLiteBackend
from sqlite_store.rows import read_blob

from remote_store.core import (
    FileInfo,
    LocalBackend,
    MemoryBackend,
    PreconditionFailed,
    RangeReader,
    require_file_path,
)

BLOCK = 1 << 20


class PinsAVersionByItsSize(SQLiteBackend):
    """A seekable stream recognises its version by its size, so it returns bytes of two versions of the same size."""

    breaks: ClassVar[str] = "SEEK-008"

    def read_seekable(self, path: str) -> BinaryIO:
        with self._open(path, require_file_path) as db:
            opened = self._file(db, path)

        def fetch(start: int, length: int) -> bytes:
            with self._open(path) as db:
                row = self._file(db, path)
                if row["size"] != opened["size"]:
                    message = "the file was overwritten while it was read; open it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(db, row, start, length)

        return cast("BinaryIO", RangeReader(fetch, opened["size"], path=path, backend=self.name))


class Blocks(io.RawIOBase):
    """A raw file over a function that fetches ranges."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        self._position = position
        return position

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), max(0, self._size - self._position))
        data = self._fetch(self._position, length) if length else b""
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


class EndsWhenItsVersionIsGone(SQLiteBackend):
    """The stream of `read` ends without an error if its version was deleted or replaced between two blocks."""

    breaks: ClassVar[str] = "READ-014"

    def read(self, path: str) -> BinaryIO:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)

        def fetch(start: int, length: int) -> bytes:
            with self._open(path) as db:
                if not db.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                    return b""
                return read_blob(db, row, start, length)

        return io.BufferedReader(Blocks(fetch, row["size"]), BLOCK)


class ReadsPartsInThreads(SQLiteBackend):
    """A file above 1 MiB is read in parts by new threads, which an interpreter that exits no longer starts."""

    breaks: ClassVar[str] = "LIFE-023"

    def read_bytes(self, path: str) -> bytes:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
            if row["size"] <= BLOCK:
                return read_blob(db, row, 0, row["size"])

        def part(start: int) -> bytes:
            with self._open(path) as db:
                if not db.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                    message = "the file was overwritten or deleted while it was read; read it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(db, row, start, BLOCK)

        with ThreadPoolExecutor(4) as pool:
            return b"".join(pool.map(part, range(0, row["size"], BLOCK)))


class MapsFilesIntoMemory(LocalBackend):
    """A whole file is read through a memory map, and an empty file cannot be mapped."""

    breaks: ClassVar[str] = "READ-002"

    def read_bytes(self, path: str, **options: Any) -> Any:
        if options:
            return super().read_bytes(path, **options)
        with self.read(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return bytes(view)


class ItemsReader(io.BufferedReader):
    """A buffered file whose `readinto` takes the length of the buffer for its bytes."""

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        memoryview(buffer).cast("B")[: len(data)] = data
        return len(data)


class ReadsAsManyBytesAsItems(MemoryBackend):
    """`readinto` of a seekable stream reads as many bytes as the buffer has items, which may be wider than a byte."""

    breaks: ClassVar[str] = "SEEK-005"

    def read_seekable(self, path: str, **options: Any) -> BinaryIO:
        with self.read(path, **options) as file:
            content: Any = io.BytesIO(file.read())
        content.name = path
        return ItemsReader(content)


class AskingReader(io.BufferedReader):
    """A buffered file that asks for its `info` when it is first needed."""

    def __init__(self, raw: Any, ask: Callable[[], FileInfo]) -> None:
        super().__init__(raw)
        self._ask = ask
        self._known: FileInfo | None = None

    @property
    def info(self) -> FileInfo:
        """The file."""
        if self._known is None:
            self._known = self._ask()
        return self._known


class DescribesTheVersionOfLater(MemoryBackend):
    """The `info` of a stream is looked up when it is first used, and then describes a version written meanwhile."""

    breaks: ClassVar[str] = "READ-022"

    def read(self, path: str, **options: Any) -> BinaryIO:
        with super().read(path, **options) as file:
            content: Any = io.BytesIO(file.read())
        content.name = path
        return AskingReader(content, lambda: self.get_file_info(path))


class LinesReader(io.BufferedReader):
    """A buffered file with lines as `bytes.splitlines` knows them."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(-1 if size is None else size)
        first = line.splitlines(keepends=True)[0] if line else line
        if len(first) < len(line):
            self.seek(len(first) - len(line), io.SEEK_CUR)
        return first


class EndsLinesAtReturns(MemoryBackend):
    """The lines of a stream also end at a carriage return that no newline follows."""

    breaks: ClassVar[str] = "SEEK-006"

    def read(self, path: str, **options: Any) -> BinaryIO:
        with super().read(path, **options) as file:
            content: Any = io.BytesIO(file.read())
        content.name = path
        return LinesReader(content)


class KeysRangesByTheirStart(MemoryBackend):
    """`read_ranges` keeps what it read under the start of a range, so two ranges with one start get the same bytes."""

    breaks: ClassVar[str] = "MANY-006"

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        asked = list(ranges)
        parts = super().read_ranges(path, asked, **options)
        by_start = {start: part for (start, _), part in zip(asked, parts, strict=True)}
        return [by_start[start] for start, _ in asked]
