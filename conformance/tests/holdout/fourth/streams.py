"""Backends whose streams are wrong."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, ClassVar, cast

from sqlite_store import SQLiteBackend
from sqlite_store.rows import find, read_blob

from remote_store.core import PreconditionFailed, RangeReader, require_file_path

BLOCK = 1 << 20


class Growing(RangeReader):
    """A stream that asks for its size when it seeks to its end.

    Args:
        fetch: As of a `RangeReader`.
        size: As of a `RangeReader`.
        measure: Returns the size.
        about: Path and name of the backend.
    """

    def __init__(
        self, fetch: Callable[[int, int], bytes], size: int, measure: Callable[[], int], about: tuple[str, str]
    ) -> None:
        super().__init__(fetch, size, path=about[0], backend=about[1])
        self._measure = measure

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_END and not self.closed:
            return super().seek(self._measure() + offset)
        return super().seek(offset, whence)


class SeeksToTheEndOfTheNewVersion(SQLiteBackend):
    """A seek relative to the end of a seekable stream uses the size that the file has now, not that of its version."""

    breaks: ClassVar[str] = "SEEK-008"

    def read_seekable(self, path: str) -> BinaryIO:
        inner = super().read_seekable(path)

        def fetch(start: int, length: int) -> bytes:
            inner.seek(start)
            return inner.read(length)

        def measure() -> int:
            return self.get_file_info(path).size

        reader = Growing(fetch, inner.seek(0, io.SEEK_END), measure, (path, self.name))
        return cast("BinaryIO", reader)


class Lines(io.BufferedReader):
    """A stream with universal newlines."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(-1 if size is None else size)
        end = line.find(b"\r") + 1
        if not end or line[end:] in (b"", b"\n"):
            return line
        self.seek(end - len(line), io.SEEK_CUR)
        return line[:end]


class EndsLinesAtCarriageReturns(SQLiteBackend):
    """`readline` and iteration over a stream of `read` end a line at a lone carriage return too."""

    breaks: ClassVar[str] = "SEEK-006"

    def read(self, path: str) -> BinaryIO:
        raw: Any = super().read_seekable(path)
        return Lines(raw, BLOCK)


class ComparesVersionsBySize(SQLiteBackend):
    """A stream goes on in another version of the file if that has the same size."""

    breaks: ClassVar[str] = "READ-013"

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as db:
            size = self._file(db, path)["size"]

        def fetch(start: int, length: int) -> bytes:
            with self._open(path) as db:
                row = find(db, path)
                if row is None or row["size"] != size:
                    message = "the file was overwritten or deleted while it was read; open it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(db, row, start, length)

        return RangeReader(fetch, size, path=path, backend=self.name)


class Connected(RangeReader):
    """A stream with a connection of its own.

    Args:
        fetch: As of a `RangeReader`.
        size: As of a `RangeReader`.
        connection: Closed with the stream.
        about: Path and name of the backend.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        connection: sqlite3.Connection,
        about: tuple[str, str],
    ) -> None:
        super().__init__(fetch, size, path=about[0], backend=about[1])
        self._connection = connection

    def close(self) -> None:
        super().close()
        with suppress(sqlite3.Error):
            self._connection.close()


class ReadsInTheThreadThatOpened(SQLiteBackend):
    """A stream keeps the connection that opened it, which SQLite lets only one thread use."""

    breaks: ClassVar[str] = "PROC-006"

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
        connection = self._connect()

        def fetch(start: int, length: int) -> bytes:
            try:
                if not connection.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                    message = "the file was overwritten or deleted while it was read; open it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(connection, row, start, length)
            except sqlite3.Error as error:
                raise self._typed(error, path) from error

        return Connected(fetch, row["size"], connection, (path, self.name))
