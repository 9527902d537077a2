"""A correct backend on a database: the files are rows of an SQLite database, with contents in pieces of one MiB."""

from __future__ import annotations

import pickle
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

from mutants.memory import MemoryOracle
from remote_store.conformance import Harness, Profile
from remote_store.core import FileInfo, MemoryBackend
from remote_store.core.memory.files import StoredFile, describe, folder_prefix

PIECE = 1 << 20
PAGE = 500
LAST = chr(0x10FFFF)
SCHEMA = """
CREATE TABLE files (key TEXT PRIMARY KEY, modified_at REAL, size INTEGER, facts BLOB);
CREATE TABLE pieces (key TEXT, number INTEGER, data BLOB, PRIMARY KEY (key, number));
"""


class Table(MutableMapping[str, StoredFile]):
    """The files of a database by key.

    Attributes:
        ordered: The order in which the pieces of a content are joined.
        compared: How two keys are compared.
    """

    ordered = "number"
    compared = ""

    def __init__(self, database: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA journal_mode = MEMORY")
        if not self._rows("SELECT name FROM sqlite_master"):
            self._db.executescript(SCHEMA)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def __getitem__(self, key: str) -> StoredFile:
        found = self._rows(f"SELECT facts, modified_at, key FROM files WHERE key = ? {self.compared}", key)
        if not found:
            raise KeyError(key)
        facts, time, name = found[0]
        pieces = self._rows(f"SELECT data FROM pieces WHERE key = ? ORDER BY {self.ordered}", name)
        content = b"".join(data for (data,) in pieces)
        return StoredFile(content=content, modified_at=datetime.fromtimestamp(time, UTC), **pickle.loads(facts))

    def __setitem__(self, key: str, file: StoredFile) -> None:
        facts = {name: getattr(file, name) for name in ("md5", "content_type", "checksum")}
        facts |= {name: dict(getattr(file, name)) for name in ("metadata", "headers", "tags")}
        size = len(file.content)
        with self._lock, self._db:
            del self[key]
            row = (key, file.modified_at.timestamp(), size, pickle.dumps(facts))
            self._db.execute("INSERT INTO files VALUES (?, ?, ?, ?)", row)
            for start in range(0, size, PIECE):
                piece = (key, start // PIECE, file.content[start : start + PIECE])
                self._db.execute("INSERT INTO pieces VALUES (?, ?, ?)", piece)

    def __delitem__(self, key: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM files WHERE key = ?", (key,))
            self._db.execute("DELETE FROM pieces WHERE key = ?", (key,))

    def __contains__(self, key: object) -> bool:
        return bool(self._rows(f"SELECT 1 FROM files WHERE key = ? {self.compared}", key))

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._rows("SELECT key FROM files ORDER BY key"))

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM files")[0][0])

    def page(self, prefix: str, after: str, order: str) -> list[tuple[str, datetime, int, dict[str, Any]]]:
        """The next rows with a prefix, at most a page: key, time, size and the other facts."""
        where = "key >= ? AND key < ? AND key > ?"
        query = f"SELECT key, modified_at, size, facts FROM files WHERE {where} {order} LIMIT {PAGE}"
        rows = self._rows(query, prefix, prefix + LAST, after)
        return [(key, datetime.fromtimestamp(time, UTC), size, pickle.loads(facts)) for key, time, size, facts in rows]


class DatabaseBackend(MemoryBackend):
    """Files in an SQLite database. This is correct: it lists them in pages by key.

    Attributes:
        table: The class of the table.
        order: The order of the pages.
    """

    name = "database"
    table: type[Table] = Table
    order = "ORDER BY key"
    _files: Any

    def _rows(self, path: str) -> Iterator[tuple[str, datetime, int, dict[str, Any]]]:
        self._check_open()
        prefix, last = folder_prefix(path), ""
        while page := self._files.page(prefix, last, self.order):
            yield from page
            last = page[-1][0]

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        start = len(folder_prefix(path))
        for key, time, size, facts in self._rows(path):
            if deepest is None or key.count("/", start) <= deepest:
                yield self._described(key, time, size, facts)

    def _described(self, key: str, time: datetime, size: int, facts: Mapping[str, Any]) -> FileInfo:
        info = describe(key, StoredFile(content=b"", modified_at=time, **facts))
        return info if info.size == size else type(info)(**{**fields_of(info), "size": size})


def fields_of(info: FileInfo) -> dict[str, Any]:
    """The fields of a description by name."""
    return {name: getattr(info, name) for name in info.__dataclass_fields__}


class DatabaseHarness(Harness):
    """Instances of one class on one database in a temporary folder.

    Args:
        kind: The class; the correct backend by default.
    """

    profile = Profile(kind="database", max_key_bytes=None, in_process=True, page_size=PAGE)

    def __init__(self, kind: type[DatabaseBackend] = DatabaseBackend) -> None:
        self.kind = kind
        self._folder = tempfile.TemporaryDirectory(prefix="mutants-")
        self.table = kind.table(f"{self._folder.name}/files.db")
        self.lock = threading.Lock()

    def make(self, **options: Any) -> DatabaseBackend:
        backend = self.kind(**options)
        backend._files, backend._lock = self.table, self.lock
        return backend

    def isolated(self) -> DatabaseHarness:
        return DatabaseHarness(self.kind)

    @property
    def oracle(self) -> MemoryOracle:
        return MemoryOracle(self.table)
