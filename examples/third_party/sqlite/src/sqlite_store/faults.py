"""Connections that fail, for the checks of a storage that fails."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Any, ClassVar, Literal

from remote_store.conformance import StorageFault

from sqlite_store.backend import SQLiteBackend

CODES = {
    StorageFault.UNREACHABLE: "SQLITE_IOERR",
    StorageFault.TIMEOUT: "SQLITE_BUSY",
    StorageFault.LOST_DURING: "SQLITE_IOERR_WRITE",
    StorageFault.LOST_AFTER: "SQLITE_IOERR_FSYNC",
    StorageFault.FULL: "SQLITE_FULL",
}


class FailingConnection(sqlite3.Connection):
    """A connection that fails in one way."""

    fault: ClassVar[StorageFault]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if self.fault in (StorageFault.UNREACHABLE, StorageFault.TIMEOUT):
            raise failure(self.fault)
        cursor = super().execute(sql, parameters)
        writes = sql.startswith(("INSERT", "REPLACE"))
        lost = self.fault is StorageFault.LOST_DURING and not sql.startswith("BEGIN")
        if lost or (self.fault is StorageFault.FULL and writes):
            raise failure(self.fault)
        return cursor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> Literal[False]:
        super().__exit__(kind, error, traceback)
        if error is None and self.fault is StorageFault.LOST_AFTER:
            raise failure(self.fault)
        return False


def failure(fault: StorageFault) -> sqlite3.OperationalError:
    """The error that SQLite raises in such a case."""
    error = sqlite3.OperationalError(fault.value)
    error.sqlite_errorname = CODES[fault]
    return error


def failing(kind: type[SQLiteBackend], database: str, fault: StorageFault) -> SQLiteBackend:
    """A backend of this class on the database whose connections fail."""
    chosen = fault

    class Failing(FailingConnection):
        fault = chosen

    backend = kind(database)
    backend.connection = Failing
    return backend
