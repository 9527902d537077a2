"""Broken backends: instances, processes, faults and what a call leaves behind."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from sqlite_store import SQLiteBackend
from sqlite_store.rows import find

from remote_store.core import (
    Content,
    InvalidPath,
    LocalBackend,
    RemoteStoreError,
    WriteResult,
    check_range,
    require_text,
)
from remote_store.core.local.finding import open_file

PATIENCE = 60.0
SMALL = 64 << 10
LIVE: WeakValueDictionary[tuple[type, str], Any] = WeakValueDictionary()


class KeepsSmallFilesInMemory(SQLiteBackend):
    """Small files are kept in memory, and forgotten only if this very instance changes them."""

    breaks: ClassVar[str] = "LIFE-021"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        self._kept: dict[str, bytes] = {}

    def read_bytes(self, path: str) -> bytes:
        self._check_open()
        require_text(path, self.name)
        if (known := self._kept.get(path)) is not None:
            return known
        content = super().read_bytes(path)
        if len(content) <= SMALL:
            self._kept[path] = content
        return content

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        result = super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        self._kept.pop(path, None)
        return result

    write_atomic = write

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        self._kept.pop(path, None)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        self._kept.clear()

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        self._kept.pop(src, None)
        self._kept.pop(dst, None)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        self._kept.pop(dst, None)


class SaysMissingIfTheStorageFails(SQLiteBackend):
    """`is_file` returns False if the storage cannot be reached."""

    breaks: ClassVar[str] = "ERR-020"

    def is_file(self, path: str) -> bool:
        self._check_open()
        require_text(path, self.name)
        with suppress(RemoteStoreError), self._open(path) as db:
            return find(db, path) is not None
        return False


def live(kind: type[SQLiteBackend], database: str) -> Any:
    """The instance on the database that this process has, or a new one."""
    return LIVE.get((kind, database)) or kind(database)


class UnpicklesToALivingInstance(SQLiteBackend):
    """A pickled copy that is loaded in the same process is the original, and closing one closes the other."""

    breaks: ClassVar[str] = "LIFE-022"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        LIVE[type(self), self._database] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return live, (type(self), self._database)


class SplitsNativePathsAtTheLastHash(SQLiteBackend):
    """`to_key` takes what comes after the last `#` of a native path, which may be a character of the key."""

    breaks: ClassVar[str] = "LIFE-014"

    def to_key(self, path: str) -> str:
        base = self.native_path("")
        if not path.startswith(base):
            raise InvalidPath(f"a path of this backend begins with {base}", path=path, backend=self.name)
        return path.rpartition("#")[2]


class CreatesADatabaseThatIsMissing(SQLiteBackend):
    """A connection to a database that does not exist creates an empty one, instead of failing."""

    breaks: ClassVar[str] = "LIFE-013"

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._database, timeout=PATIENCE, isolation_level=None, factory=self.connection)


class LeaksADescriptorPastTheEnd(LocalBackend):
    """A range that begins at or past the end of the file leaves the file open."""

    breaks: ClassVar[str] = "PROC-002"

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        if options:
            return super().read_range(path, start, length, **options)
        self._check_open()
        check_range(start, length)
        with ExitStack() as opened:
            descriptor = open_file(self._file(opened, path), path, self.name)
        size = os.fstat(descriptor).st_size
        if start >= size:
            return b""
        try:
            data, end = b"", min(start + length, size)
            while part := os.pread(descriptor, end - start - len(data), start + len(data)):
                data += part
            return data
        finally:
            os.close(descriptor)


class LeavesAFileOfItsHealthCheck(LocalBackend):
    """`check_health` writes a file, to see whether it can, and leaves it at the root."""

    breaks: ClassVar[str] = "PROC-008"

    def check_health(self) -> None:
        super().check_health()
        if Path(self.native_path("")).is_dir():
            self.write(".health", b"ok", overwrite=True)
