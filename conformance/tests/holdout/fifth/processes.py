"""Backends that break with processes, threads and their own life cycle."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar
from uuid import uuid4

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import now

from remote_store.core import (
    Content,
    ContentDigest,
    LocalBackend,
    RemoteStoreError,
    Source,
    WriteResult,
    check_range,
)

PIECE = 2 << 20
PARALLEL = 4 * PIECE
GROUP_MAY_READ = 0o027


class StaysOpenAfterAnError(LocalBackend):
    """A `with` block that ends with an exception does not close the backend."""

    breaks: ClassVar[str] = "LIFE-008"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()


class ReadsInThreads(LocalBackend):
    """`read_bytes` reads large files in several threads, which cannot be started while the interpreter ends."""

    breaks: ClassVar[str] = "LIFE-023"

    def read_bytes(self, path: str, **options: Any) -> Any:
        self._check_open()
        if options:
            return super().read_bytes(path, **options)
        with self._raw(path) as file:
            descriptor = file.fileno()
            size = os.fstat(descriptor).st_size
            if size < PARALLEL:
                return file.readall()
            with ThreadPoolExecutor(4) as pool:
                return b"".join(pool.map(lambda start: os.pread(descriptor, PIECE, start), range(0, size, PIECE)))


class LeavesTheUmask(LocalBackend):
    """A write sets the umask to let the group read the file, and restores it only if the write succeeds."""

    breaks: ClassVar[str] = "PROC-001"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        before = os.umask(GROUP_MAY_READ)
        result = super().write(path, content, **options)
        os.umask(before)
        return result

    def write_atomic(self, path: str, content: Content, **options: Any) -> WriteResult:
        return self.write(path, content, **options)


class LeaksPastTheEnd(LocalBackend):
    """`read_range` of a range past the end of the file returns without closing its descriptor."""

    breaks: ClassVar[str] = "PROC-002"

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        self._check_open()
        check_range(start, length)
        if options:
            return super().read_range(path, start, length, **options)
        with self._raw(path) as file:
            descriptor = os.dup(file.fileno())
        size = os.fstat(descriptor).st_size
        if start >= size:
            return b""
        try:
            return os.pread(descriptor, min(length, size - start), start)
        finally:
            os.close(descriptor)


class LooksOnceTooEarly(SQLiteBackend):
    """The columns of the table are looked up once, and a thread that comes meanwhile takes them for missing."""

    breaks: ClassVar[str] = "LIFE-002"

    _looked = False
    _columns: tuple[str, ...] = ()

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
        if not self._has("sha256"):
            message = "the database was made by an older version; make a new one"
            raise RemoteStoreError(message, path=path, backend=self.name)
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write

    def _has(self, column: str) -> bool:
        if not self._looked:
            self._looked = True
            try:
                with self._open("") as db:
                    self._columns = tuple(row["name"] for row in db.execute("PRAGMA table_info(files)"))
            except RemoteStoreError:
                self._looked = False
                raise
        return column in self._columns


class CountsItsSpoolFiles(SQLiteBackend):
    """Content is spooled to a file that is named by a token of the backend and a number, which a fork repeats."""

    breaks: ClassVar[str] = "PROC-004"

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self._begin()

    def __getstate__(self) -> dict[str, Any]:
        return {"_database": self._database, "_closed": self._closed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _begin(self) -> None:
        self._token, self._numbers = uuid4().hex, itertools.count()

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        source = Source(content)
        spool = Path(tempfile.gettempdir()) / f"sqlite-store-{self._token}-{next(self._numbers)}"
        try:
            with spool.open("wb") as file:
                while block := source.read_block(PIECE):
                    file.write(block)
            with self._open(path, begin=WRITING) as db:
                self._check_free(db, path, overwrite=overwrite)
                data = spool.read_bytes()
                sha256 = hashlib.sha256(data).hexdigest()
                row = (path, data, now(), sha256, json.dumps(checked), content_type)
                columns = "key, content, modified_at, sha256, metadata, content_type"
                version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        finally:
            spool.unlink(missing_ok=True)
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", sha256), metadata=checked)

    write_atomic = write
