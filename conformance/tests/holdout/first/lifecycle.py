"""Backends that are closed, pickled, forked or asked once too often."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import PATIENCE
from sqlite_store.rows import SCHEMA

from remote_store.core import (
    BackendUnavailable,
    DirectoryNotEmpty,
    LocalBackend,
    MemoryBackend,
    NotFound,
    Source,
    WriteResult,
)

BLOCK = 1 << 20
MOST_FAILURES = 5
PAUSE = 5.0
USERS: Counter[str] = Counter()


class RaisesAnErrorThatCannotBePickled(MemoryBackend):
    """The error for a folder that is not empty carries a lazy listing of its files, which cannot be pickled."""

    breaks: ClassVar[str] = "ERR-004"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        try:
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        except DirectoryNotEmpty as error:
            # For a caller that wants to show what is in the way.
            vars(error)["files"] = self.list_files(path, recursive=True)
            raise


class BreakerCountsMissingFiles(MemoryBackend):
    """After five missing files in a row the backend takes its storage for broken, and refuses to read for a while."""

    breaks: ClassVar[str] = "ERR-005"

    _failures = 0
    _until = 0.0

    def _missing(self, path: str, what: str) -> NotFound:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._until = monotonic() + PAUSE
        return super()._missing(path, what)

    def _file(self, path: str) -> Any:
        if monotonic() < self._until:
            message = "too many calls failed; try again in a few seconds"
            raise BackendUnavailable(message, path=path, backend=self.name, retryable=True)
        file = super()._file(path)
        self._failures = 0
        return file


class GivesBackAReferenceTwice(SQLiteBackend):
    """Backends of one database count their references, and a second `close` gives back that of another backend."""

    breaks: ClassVar[str] = "LIFE-021"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        USERS[self._database] += 1

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not self._closed:
            USERS[self._database] += 1

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()

    def close(self) -> None:
        super().close()
        USERS[self._database] -= 1

    def _check_open(self) -> None:
        super()._check_open()
        if USERS[self._database] <= 0:
            raise BackendUnavailable("all backends of the database are closed; make a new one", backend=self.name)


class PicklesTheRootAsItWasGiven(LocalBackend):
    """A pickle has the root as it was given, so a relative one is another folder if the current folder has changed."""

    breaks: ClassVar[str] = "LIFE-003"

    def __init__(self, root: Any, *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._given = os.fspath(root)

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self._given, "create": self._create, "closed": self._closed, "events": self._events}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(vars(type(self)(state["root"], create=state["create"])))
        self._closed, self._events = state["closed"], state["events"]


class ForkedChildrenDrawTheSameNames(LocalBackend):
    """Streams are spooled under random names of a generator of the backend, which a fork copies with its state."""

    breaks: ClassVar[str] = "LIFE-004"

    def __init__(self, root: Any, *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._names = random.Random()

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, bytes | bytearray | memoryview):
            return super().write(path, content, **options)
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        source = Source(content)
        spool = Path(tempfile.gettempdir()) / f"remote-store-upload-{self._names.getrandbits(64):016x}"
        try:
            with spool.open("w+b") as file:
                while block := source.read_block(BLOCK):
                    file.write(block)
                file.seek(0)
                return super().write(path, file, **options)
        finally:
            spool.unlink(missing_ok=True)


class ReadsCreateTheDatabase(SQLiteBackend):
    """Every connection creates the database and its table if they do not exist."""

    breaks: ClassVar[str] = "LIFE-013"

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._database, timeout=PATIENCE, isolation_level=None)
        db.execute(SCHEMA)
        return db


class StaysOpenAfterAnError(LocalBackend):
    """A `with` block over the backend that ends with an exception does not close it."""

    breaks: ClassVar[str] = "LIFE-008"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()


class LogsThroughTheRootLogger(LocalBackend):
    """A recursive delete logs a line with `logging.info`, which gives the root logger a handler if it has none."""

    breaks: ClassVar[str] = "PROC-001"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        if recursive:
            logging.info("deleted a folder")  # noqa: LOG015
