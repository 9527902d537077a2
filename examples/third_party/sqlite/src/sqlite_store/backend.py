"""Files as rows of one table in one SQLite database."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar, cast

from remote_store.core import (
    AlreadyExists,
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    Content,
    ContentDigest,
    DirectoryNotEmpty,
    FileInfo,
    FolderEntry,
    FolderInfo,
    GlobPattern,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RangeReader,
    RemoteStoreError,
    ResolutionPlan,
    Source,
    WriteResult,
    check_content_type,
    check_max_depth,
    check_metadata,
    check_range,
    require_canonical,
    require_file_path,
    require_text,
)

from sqlite_store.rows import BELOW, FACTS, SCHEMA, describe, find, has_files, now, prefix, read_blob, span

T = TypeVar("T")
BLOCK = 1 << 20
PAGE = 1000
PATIENCE = 60.0
READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"


class SQLiteBackend(Backend):
    """Files in one SQLite database, which `create` makes.

    Each call opens the database and is one transaction, so an instance can be shared by threads, used after a fork and
    pickled. A reader keeps to the version that it opened. Writes hold the whole content in memory, and are limited to
    the size of a BLOB, 1 GB by default.

    Args:
        database: The file; a relative path is resolved now.

    Attributes:
        connection: The class of the connections.
    """

    name = "sqlite"
    connection: type[sqlite3.Connection] = sqlite3.Connection
    capabilities = frozenset(
        {
            Capability.READ,
            Capability.WRITE,
            Capability.DELETE,
            Capability.LIST,
            Capability.GLOB,
            Capability.MOVE,
            Capability.COPY,
            Capability.METADATA,
            Capability.USER_METADATA,
            Capability.ATOMIC_WRITE,
            Capability.ATOMIC_CREATE,
            Capability.ATOMIC_MOVE,
            Capability.SEEKABLE_READ,
            Capability.LAZY_READ,
            Capability.RANGE_READ,
            Capability.WRITE_RESULT_NATIVE,
        }
    )

    def __init__(self, database: str | os.PathLike[str]) -> None:
        self._database = str(Path(database).absolute())
        self._closed = False

    @classmethod
    def create(cls, database: str | os.PathLike[str]) -> Self:
        """Create the database if it does not exist, and return a backend."""
        with closing(sqlite3.connect(database, timeout=PATIENCE)) as db:
            db.execute(SCHEMA)
        return cls(database)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database!r})"

    def exists(self, path: str) -> bool:
        return self.is_file(path) or self.is_folder(path)

    def is_file(self, path: str) -> bool:
        with suppress(NotFound), self._open(path) as db:
            return find(db, path) is not None
        return False

    def is_folder(self, path: str) -> bool:
        self._check_open()
        if path == "":
            return True
        with suppress(NotFound), self._open(path) as db:
            return has_files(db, path)
        return False

    def read(self, path: str) -> BinaryIO:
        return io.BufferedReader(self._reader(path), BLOCK)

    def read_seekable(self, path: str) -> BinaryIO:
        return cast("BinaryIO", self._reader(path))

    def read_bytes(self, path: str) -> bytes:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
            return read_blob(db, row, 0, row["size"])

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        with self._open(path, require_file_path) as db:
            return read_blob(db, self._file(db, path), start, length)

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
        data = Source(content).read_rest()
        sha256 = hashlib.sha256(data).hexdigest()
        row = (path, data, now(), sha256, json.dumps(checked), content_type)
        with self._open(path, begin=WRITING) as db:
            self._check_free(db, path, overwrite=overwrite)
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", sha256), metadata=checked)

    write_atomic = write

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        with tempfile.SpooledTemporaryFile(BLOCK) as spool:
            stream = cast("BinaryIO", spool)
            yield stream
            stream.seek(0)
            self.write(path, stream, overwrite=overwrite, metadata=checked, content_type=content_type)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        with missing(missing_ok), self._open(path, require_file_path, WRITING) as db:
            db.execute("DELETE FROM files WHERE version = ?", (self._file(db, path)["version"],))

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with missing(missing_ok), self._open(path, begin=WRITING) as db:
            self._check_folder(db, path)
            if not recursive:
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            db.execute(f"DELETE FROM files WHERE {BELOW}", span(path))

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_text(path, self.name)
        check_max_depth(max_depth)
        deepest, start = (max_depth if recursive else 0), len(prefix(path))
        return (file for file in self._below(path) if deepest is None or file.path.count("/", start) <= deepest)

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        self._check_open()
        require_text(path, self.name)
        return self._folders(path)

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return chain(self.list_files(path), self.list_folders(path))

    def get_file_info(self, path: str) -> FileInfo:
        with self._open(path, require_file_path) as db:
            return describe(self._file(db, path))

    def get_folder_info(self, path: str) -> FolderInfo:
        with self._open(path) as db:
            if path:
                self._check_folder(db, path)
            totals = "count(*), coalesce(sum(length(content)), 0), max(modified_at)"
            count, size, latest = db.execute(f"SELECT {totals} FROM files WHERE {BELOW}", span(path)).fetchone()
        return FolderInfo(path, count, size, None if latest is None else datetime.fromtimestamp(latest, UTC))

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            db.execute("UPDATE OR REPLACE files SET key = ? WHERE version = ?", (dst, version))

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            if src != dst:
                same = "content, sha256, metadata, content_type"
                select = f"SELECT ?, ?, {same} FROM files WHERE version = ?"
                db.execute(f"REPLACE INTO files (key, modified_at, {same}) {select}", (dst, now(), version))

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        files = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in files if parsed.matches(file.path))

    def native_path(self, key: str) -> str:
        return f"{self._database}#{key}"

    def to_key(self, path: str) -> str:
        base = self.native_path("")
        if not path.startswith(base):
            raise InvalidPath(f"a path of this backend begins with {base}", path=path, backend=self.name)
        return path.removeprefix(base)

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("sqlite", self.name, key, self.native_path(key), {"database": self._database})

    def check_health(self) -> None:
        with self._open("") as db:
            has_files(db, "")

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle: `sqlite3.Connection` is a new one, which the caller closes."""
        self._check_open()
        if kind is not sqlite3.Connection:
            message = f"there is no {kind.__name__}; the native handle is a sqlite3.Connection"
            raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)
        return cast("T", self._connect())

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self.name)

    def _check_write(self, path: str, metadata: Mapping[str, str] | None, content_type: str | None) -> dict[str, str]:
        self._check_open()
        require_canonical(path, self.name)
        check_content_type(content_type)
        return check_metadata(metadata)

    def _connect(self) -> sqlite3.Connection:
        uri = f"{Path(self._database).as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, factory=self.connection)

    @contextmanager
    def _open(
        self, path: str, check: Callable[[str, str], None] = require_text, begin: str = READING
    ) -> Iterator[sqlite3.Connection]:
        """The database for one call and one transaction; SQLite's exceptions become errors of the contract."""
        self._check_open()
        check(path, self.name)
        try:
            with closing(self._connect()) as db, db:
                db.row_factory = sqlite3.Row
                db.execute(begin)
                yield db
        except sqlite3.Error as error:
            raise self._typed(error, path) from error

    def _typed(self, error: sqlite3.Error, path: str) -> RemoteStoreError:
        code: str | None = getattr(error, "sqlite_errorname", None)
        kinds: dict[str, tuple[type[RemoteStoreError], str]] = {
            "SQLITE_CANTOPEN": (NotFound, "the database does not exist; SQLiteBackend.create makes it"),
            "SQLITE_BUSY": (BackendUnavailable, "other writers kept the database busy; try again"),
            "SQLITE_IOERR": (BackendUnavailable, "the disk or the network below the database failed; try again"),
            "SQLITE_FULL": (RemoteStoreError, "there is no space left for the database"),
            "SQLITE_READONLY": (PermissionDenied, "the database is read-only"),
            "SQLITE_PERM": (PermissionDenied, "the operating system denies access to the database"),
        }
        kind, message = kinds.get("_".join((code or "").split("_")[:2]), (RemoteStoreError, "SQLite failed"))
        retryable = kind is BackendUnavailable
        return kind(message, path=path, backend=self.name, code=code, retryable=retryable)

    @contextmanager
    def _transfer(self, src: str, dst: str, *, overwrite: bool) -> Iterator[tuple[sqlite3.Connection, int]]:
        self._check_open()
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        with self._open(src, begin=WRITING) as db:
            row = self._file(db, src)
            self._check_free(db, dst, overwrite=overwrite or src == dst)
            yield db, row["version"]

    def _reader(self, path: str) -> RangeReader:
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)

        def fetch(start: int, length: int) -> bytes:
            with self._open(path) as db:
                if not db.execute("SELECT 1 FROM files WHERE version = ?", (row["version"],)).fetchone():
                    message = "the file was overwritten or deleted while it was read; open it again"
                    raise PreconditionFailed(message, path=path, backend=self.name)
                return read_blob(db, row, start, length)

        return RangeReader(fetch, row["size"], path=path, backend=self.name)

    def _file(self, db: sqlite3.Connection, path: str) -> sqlite3.Row:
        row = find(db, path)
        if row is None and has_files(db, path):
            raise InvalidPath("the path is a folder; name a file", path=path, backend=self.name)
        if row is None:
            raise NotFound("there is no such file", path=path, backend=self.name)
        return row

    def _check_folder(self, db: sqlite3.Connection, path: str) -> None:
        if has_files(db, path):
            return
        if find(db, path.removesuffix("/")) is not None:
            raise InvalidPath("the path is a file; name a folder", path=path, backend=self.name)
        raise NotFound("there is no such folder", path=path, backend=self.name)

    def _check_free(self, db: sqlite3.Connection, path: str, *, overwrite: bool) -> None:
        if not overwrite and find(db, path) is not None:
            message = "the file exists; pass overwrite=True to replace it"
            raise AlreadyExists(message, path=path, backend=self.name)

    def _below(self, path: str) -> Iterator[FileInfo]:
        lower, upper = span(path)
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, lower, upper)
        while page:
            yield from page
            # The smallest text greater than the last key, because no key has a NUL.
            page = self._page(path, page[-1].path + "\0", upper)

    def _page(self, path: str, lower: str, upper: str | bytes) -> list[FileInfo]:
        query = f"SELECT {FACTS} FROM files WHERE {BELOW} ORDER BY key LIMIT {PAGE}"
        with self._open(path) as db:
            return [describe(row) for row in db.execute(query, (lower, upper))]

    def _folders(self, path: str) -> Iterator[FolderEntry]:
        start, last = len(prefix(path)), None
        for file in self._below(path):
            name, slash, _ = file.path[start:].partition("/")
            # A folder with an empty name keeps its slash; without it, the path would be its parent's.
            folder = file.path[:start] + (name or "/")
            if slash and folder != last:
                yield FolderEntry(folder, name)
                last = folder


def missing(missing_ok: bool) -> AbstractContextManager[object]:
    """Suppress NotFound if `missing_ok` is set."""
    return suppress(NotFound) if missing_ok else nullcontext()
