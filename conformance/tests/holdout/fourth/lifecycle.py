"""Backends that are wrong about instances, processes, threads, and what they keep between calls."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import quote, unquote_plus

from sqlite_store import SQLiteBackend
from sqlite_store.backend import PATIENCE

from remote_store.core import (
    AlreadyExists,
    Content,
    LocalBackend,
    MemoryBackend,
    NotFound,
    RemoteStoreError,
    Source,
    WriteResult,
    require_text,
)
from remote_store.core.options import NOTHING

LIMIT = 32 << 20


class KeepsARowOfTheHealthCheck(SQLiteBackend):
    """`check_health` keeps a row of the database on the instance, which can then no longer be pickled."""

    breaks: ClassVar[str] = "LIFE-003"

    def check_health(self) -> None:
        super().check_health()
        with self._open("") as db:
            self._page_size = db.execute("PRAGMA page_size").fetchone()


class IsReadyTooEarly(SQLiteBackend):
    """The first call marks the backend as ready before it is, so other threads that begin at the same time fail."""

    breaks: ClassVar[str] = "LIFE-002"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        self._ready = False

    def _connect(self) -> sqlite3.Connection:
        if not self._ready:
            self._ready = True
            self._uri = f"{Path(self._database).resolve().as_uri()}?mode=rw"
        return sqlite3.connect(self._uri, uri=True, timeout=PATIENCE, isolation_level=None, factory=self.connection)


class RemembersWhatItWrote(SQLiteBackend):
    """A create fails if this instance remembers the file, also if another instance has deleted it since."""

    breaks: ClassVar[str] = "LIFE-021"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        self._known: set[str] = set()

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
        Source(content)
        if not overwrite and path in self._known:
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self.name)
        result = super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        self._known.add(path)
        return result

    write_atomic = write

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        self._known.discard(path)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        self._known.clear()

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        self._known.discard(src)


class TakesAFailureForAMissingFile(SQLiteBackend):
    """`is_file` returns False if the database is busy or cannot be read."""

    breaks: ClassVar[str] = "ERR-020"

    def is_file(self, path: str) -> bool:
        self._check_open()
        require_text(path, self.name)
        with suppress(RemoteStoreError):
            return super().is_file(path)
        return False


class StaysOpenAfterAnError(MemoryBackend):
    """A `with` block that an exception ends does not close the backend."""

    breaks: ClassVar[str] = "LIFE-008"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            super().__exit__(kind, error, traceback)


class ForgetsTheOldestFiles(MemoryBackend):
    """When all files together exceed 32 MiB, a write drops the oldest ones, as a cache would."""

    breaks: ClassVar[str] = "PROC-007"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        result = super()._commit(path, content, overwrite, metadata, content_type, asked=asked)
        with self._lock:
            total = sum(len(file.content) for file in self._files.values())
            for key in list(self._files):
                if total <= LIMIT:
                    break
                if key != path:
                    total -= len(self._files.pop(key).content)
        return result


class ReadsPlusSignsAsSpaces(MemoryBackend):
    """Native paths are percent-encoded, and `to_key` decodes a plus sign, which may stand in a path, to a space."""

    breaks: ClassVar[str] = "LIFE-014"

    def native_path(self, key: str) -> str:
        return super().native_path(quote(key, safe="/!$&'()*+,;=:@", errors="surrogatepass"))

    def to_key(self, path: str) -> str:
        return unquote_plus(super().to_key(path), errors="surrogatepass")


class ConfiguresTheRootLogger(LocalBackend):
    """A delete that finds nothing is logged with `logging.info`, which gives the root logger a handler."""

    breaks: ClassVar[str] = "PROC-001"

    def delete(self, path: str, *, missing_ok: bool = False, **options: Any) -> None:
        try:
            super().delete(path, **options)
        except NotFound:
            if not missing_ok:
                raise
            logging.info("there was no file to delete")  # noqa: LOG015
