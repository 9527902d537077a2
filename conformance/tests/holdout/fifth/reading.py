"""Backends that read wrongly."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zlib
from contextlib import suppress
from typing import Any, BinaryIO, ClassVar, cast

from sqlite_store import SQLiteBackend
from sqlite_store.rows import read_blob

from remote_store.core import LocalBackend, PreconditionFailed, RangeReader, check_range, require_file_path

PIECE = 64 * 1024
ZIPPED = b"\x1f\x8b"


class FetchesOnlyTheOuterBlocks(SQLiteBackend):
    """`read_range` plans its blocks of 64 KiB, and plans only the first and the last of them."""

    breaks: ClassVar[str] = "READ-003"

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
            stop = min(start + length, row["size"])
            if stop <= start:
                return b""
            blocks = sorted({start // PIECE, (stop - 1) // PIECE})
            bounds = [(max(start, block * PIECE), min(stop, (block + 1) * PIECE)) for block in blocks]
            return b"".join(read_blob(db, row, lower, upper - lower) for lower, upper in bounds)


class UnzipsWhatLooksZipped(SQLiteBackend):
    """`read_bytes` unzips content that begins like gzip, as older versions stored it, so a .gz file comes unzipped."""

    breaks: ClassVar[str] = "READ-002"

    def read_bytes(self, path: str) -> bytes:
        data = super().read_bytes(path)
        if data.startswith(ZIPPED):
            with suppress(OSError, EOFError, zlib.error):
                return gzip.decompress(data)
        return data


class BufferedSeeks(RangeReader):
    """A reader that counts a relative seek from where its lines were fetched to."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        fetched = self._ahead_at + len(self._ahead)
        if whence == io.SEEK_CUR and offset and self._ahead_at <= self._position < fetched:
            return super().seek(fetched + offset)
        return super().seek(offset, whence)


class SeeksFromTheEndOfTheBuffer(SQLiteBackend):
    """After `readline`, a relative seek of a seekable stream counts from the end of what was read ahead."""

    breaks: ClassVar[str] = "SEEK-002"

    def read_seekable(self, path: str) -> BinaryIO:
        reader = self._reader(path)
        return cast("BinaryIO", BufferedSeeks(reader._fetch, reader._size, path=path, backend=self.name))


class ReadsByName(LocalBackend):
    """A seekable stream opens the file by its name for each read, so it goes on in a new version that is as long."""

    breaks: ClassVar[str] = "SEEK-008"

    def read_seekable(self, path: str, **options: Any) -> BinaryIO:
        with self.read(path, **options) as file:
            size = file.seek(0, io.SEEK_END)

        def fetch(start: int, length: int) -> bytes:
            return self.read_range(path, start, length)

        return cast("BinaryIO", RangeReader(fetch, size, path=path, backend=self.name))


class Connected(RangeReader):
    """A reader with a connection of its own, which it opens at its first read."""

    def __init__(self, store: SQLiteBackend, path: str, row: sqlite3.Row) -> None:
        super().__init__(self._get, row["size"], path=path, backend=store.name)
        self._store = store
        self._row = row
        self._db: sqlite3.Connection | None = None

    def _get(self, start: int, length: int) -> bytes:
        try:
            if self._db is None:
                self._db = self._store._connect()
            with self._db as db:
                db.execute("BEGIN")
                if not db.execute("SELECT 1 FROM files WHERE version = ?", (self._row["version"],)).fetchone():
                    message = "the file was overwritten or deleted while it was read; open it again"
                    raise PreconditionFailed(message, path=self._path, backend=self._backend)
                return read_blob(db, self._row, start, length)
        except sqlite3.Error as error:
            raise self._store._typed(error, self._path) from error

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.ProgrammingError):
                db.close()
        super().close()


class KeepsAConnectionPerStream(SQLiteBackend):
    """A stream keeps a connection, which SQLite lets only the thread use that read first."""

    breaks: ClassVar[str] = "PROC-006"

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
        return Connected(self, path, row)
