"""Broken backends: errors across processes, threads, forks, leaks, state, and the life cycle."""

from __future__ import annotations

import itertools
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Unpack

from sqlite_store import SQLiteBackend
from sqlite_store.rows import SCHEMA, read_blob

from remote_store.core import (
    Content,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RangeReader,
    Source,
    WriteOptions,
    WriteResult,
    require_file_path,
)

BLOCK = 1 << 20
PATIENCE = 60.0
LIFETIME = timedelta(hours=1)


class NoSuchRow(NotFound):
    """There is no row with this key."""

    def __init__(self, path: str, backend: str) -> None:
        super().__init__("there is no such file", path=path, backend=backend)


class RaisesAnErrorThatCannotBePickled(SQLiteBackend):
    """A missing file raises a subclass of `NotFound` that has other arguments, so no copy can be unpickled."""

    breaks: ClassVar[str] = "ERR-004"

    def _file(self, db: sqlite3.Connection, path: str) -> sqlite3.Row:
        try:
            return super()._file(db, path)
        except NotFound:
            raise NoSuchRow(path, self.name) from None


class StagesUnderTheSameNamesAfterAFork(SQLiteBackend):
    """A write stages its content in a file named by an id of the instance and a counter, which a fork inherits."""

    breaks: ClassVar[str] = "PROC-004"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        self._begin()

    def _begin(self) -> None:
        self._mark, self._numbers = secrets.token_hex(8), itertools.count()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_mark", "_numbers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._check_write(path, metadata, content_type)
        source = Source(content)
        staged = Path(tempfile.gettempdir(), f"{self._mark}-{next(self._numbers)}")
        try:
            with staged.open("wb") as file:
                while block := source.read_block(BLOCK):
                    file.write(block)
            with staged.open("rb") as file:
                return super().write(path, file, overwrite=overwrite, metadata=metadata, content_type=content_type)
        finally:
            staged.unlink(missing_ok=True)

    write_atomic = write


class KeepsTheUmaskAfterAnError(LocalBackend):
    """A write sets the umask so that its file is private, and does not set it back if it raises."""

    breaks: ClassVar[str] = "PROC-001"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        before = os.umask(0o077)
        result = super().write(
            path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )
        os.umask(before)
        return result


class ForgetsFilesAfterAnHour(MemoryBackend):
    """Files are entries of a cache with a default lifetime of an hour."""

    breaks: ClassVar[str] = "PROC-007"

    def _check_open(self) -> None:
        super()._check_open()
        oldest = datetime.now(UTC) - LIFETIME
        for path, file in list(self._files.items()):
            if file.modified_at < oldest:
                self._files.pop(path, None)


class ConnectedReader(RangeReader):
    """A reader that closes its connection."""

    def __init__(
        self, db: sqlite3.Connection, fetch: Callable[[int, int], bytes], size: int, *, path: str, backend: str
    ) -> None:
        super().__init__(fetch, size, path=path, backend=backend)
        self._db = db

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()
        super().close()


class BindsAReaderToItsThread(SQLiteBackend):
    """A stream keeps the connection that it opened, which SQLite lets only the thread use that opened it."""

    breaks: ClassVar[str] = "PROC-006"

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
        kept = self._connect()

        def fetch(start: int, length: int) -> bytes:
            self._check_open()
            try:
                if not kept.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                    message = "the file was overwritten or deleted while it was read; open it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(kept, row, start, length)
            except sqlite3.Error as error:
                raise self._typed(error, path) from error

        return ConnectedReader(kept, fetch, row["size"], path=path, backend=self.name)


class ReadsLargeFilesInAPool(SQLiteBackend):
    """`read_bytes` reads the blocks of a large file in a pool of threads, which cannot start in an exit handler."""

    breaks: ClassVar[str] = "LIFE-023"

    def read_bytes(self, path: str) -> bytes:
        with self._reader(path) as reader, suppress(PreconditionFailed):
            fetch, size = reader._fetch, reader._size
            if size > BLOCK:
                with ThreadPoolExecutor(4) as pool:
                    starts = range(0, size, BLOCK)
                    return b"".join(pool.map(lambda start: fetch(start, min(BLOCK, size - start)), starts))
        return super().read_bytes(path)


class TakesASiblingOfTheRoot(LocalBackend):
    """`to_key` accepts a path that begins with the root's text but goes on within its last name, as `/data2` does."""

    breaks: ClassVar[str] = "LIFE-015"

    def to_key(self, path: str) -> str:
        if not path.startswith(self._root):
            raise InvalidPath("the path does not begin with the root", path=path, backend=self.name)
        return path[len(self._root.rstrip("/")) + 1 :]


class MakesTheDatabaseOnOpening(SQLiteBackend):
    """A connection makes the database and its table if they are missing, so a typing error in a path is no error."""

    breaks: ClassVar[str] = "LIFE-013"

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._database, timeout=PATIENCE, isolation_level=None, factory=self.connection)
        try:
            db.execute(SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db
