"""Backends whose streams are no good files, or hold on to what they should give back."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import BLOCK, READING
from sqlite_store.rows import read_blob

from remote_store.core import BackendUnavailable, MemoryBackend, PreconditionFailed, RangeReader, require_file_path

LINE = 8 * 1024
STREAMS = 50


class Released(io.BufferedReader):
    """A stream that closes itself, and so its connection, when its end is reached."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is None or size < 0 or len(data) < size:
            self.close()
        return data


class ClosesAStreamAtItsEnd(SQLiteBackend):
    """A stream closes itself when its end is reached, so a further read raises ValueError."""

    breaks: ClassVar[str] = "READ-012"

    def read(self, path: str) -> BinaryIO:
        return Released(self._reader(path), BLOCK)


class HandsOutAWritableBuffer(MemoryBackend):
    """`read` returns an `io.BytesIO`, which says that it is writable and lets its reader write to it."""

    breaks: ClassVar[str] = "READ-011"

    def read(self, path: str, **options: Any) -> BinaryIO:
        return io.BytesIO(self.read_bytes(path, **options))


class Lines(io.BufferedReader):
    """A stream that looks for the end of a line in one block."""

    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline(LINE if size is None or size < 0 else min(size, LINE))


class SplitsLongLines(SQLiteBackend):
    """A line longer than 8 KiB is returned as several lines."""

    breaks: ClassVar[str] = "SEEK-006"

    def read(self, path: str) -> BinaryIO:
        return Lines(self._reader(path), BLOCK)


class Slotted(io.BytesIO):
    """Content that gives its slot back when all of it was read."""

    def __init__(self, content: bytes, give_back: Callable[[], None]) -> None:
        super().__init__(content)
        self._size = len(content)
        self._give_back: Callable[[], None] | None = give_back

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._look()
        return data

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer)
        self._look()
        return count

    def _look(self) -> None:
        if self._give_back is not None and self.tell() >= self._size:
            self._give_back()
            self._give_back = None


class KeepsTheSlotOfAnUnreadStream(MemoryBackend):
    """A stream that is closed before its end never gives its slot back, and the backend has 50 slots."""

    breaks: ClassVar[str] = "READ-017"

    _streams = 0

    def read(self, path: str, **options: Any) -> BinaryIO:
        content = self.read_bytes(path, **options)
        if self._streams >= STREAMS:
            message = f"{STREAMS} streams are open; close some, and try again"
            raise BackendUnavailable(message, path=path, backend=self.name, retryable=True)
        self._streams += 1
        return io.BufferedReader(Slotted(content, self._give_back))

    def _give_back(self) -> None:
        self._streams -= 1


class Connected(RangeReader):
    """A file with a connection of its own."""

    def __init__(self, db: sqlite3.Connection, fetch: Callable[[int, int], bytes], size: int, **about: str) -> None:
        super().__init__(fetch, size, path=about["path"], backend=about["backend"])
        self._db = db

    def close(self) -> None:
        if not self.closed:
            self._db.close()
        super().close()


class StreamsBelongToTheirThread(SQLiteBackend):
    """A stream keeps the connection that it was opened with, which SQLite lets no other thread use."""

    breaks: ClassVar[str] = "LIFE-001"

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as opened:
            row = self._file(opened, path)
        db = self._connect()

        def fetch(start: int, length: int) -> bytes:
            self._check_open()
            try:
                with db:
                    db.execute(READING)
                    if not db.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                        message = "the file was overwritten or deleted while it was read; open it again"
                        raise PreconditionFailed(message, path=path, backend=self.name)
                    return read_blob(db, row, start, length)
            except sqlite3.Error as error:
                raise self._typed(error, path) from error

        return Connected(db, fetch, row["size"], path=path, backend=self.name)
