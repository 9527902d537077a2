"""The harness for the conformance suite; the backend does not import it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from remote_store.conformance import Deviation, Harness, Oracle, Profile, StorageFault

from sqlite_store.backend import SQLiteBackend
from sqlite_store.faults import failing


class TableOracle(Oracle):
    """The table as plain SQL sees it."""

    def __init__(self, database: str) -> None:
        self._database = database

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        row = (key, data, hashlib.sha256(data).hexdigest(), json.dumps(dict(metadata or {})), content_type)
        self._execute("REPLACE INTO files VALUES (NULL, ?, ?, 0, ?, ?, ?)", *row)

    def raw_get(self, key: str) -> bytes | None:
        rows = self._execute("SELECT content FROM files WHERE key = ?", key)
        return rows[0][0] if rows else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for (key,) in self._execute("SELECT key FROM files") if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self._execute("DELETE FROM files WHERE key = ?", key)

    def _execute(self, statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self._database, timeout=60)) as db, db:
            db.execute("PRAGMA synchronous = OFF")
            return db.execute(statement, values).fetchall()


class SQLiteHarness(Harness):
    """A database in a temporary folder.

    Args:
        kind: The class of the backend.
    """

    profile = Profile(max_key_bytes=None, endpoint_kind="files")
    deviations: Mapping[str, Deviation] = {
        "LIFE-004": Deviation(
            reason="a fork while another thread is inside SQLite leaves the child with SQLite's own locks taken",
            link="https://www.sqlite.org/howtocorrupt.html",
            expires="2027-06-30",
            checks=("*fork_and_busy_callers", "*fork_while_others_work"),
            sometimes=True,
        )
    }

    def __init__(self, kind: type[SQLiteBackend] = SQLiteBackend) -> None:
        self._kind = kind
        self._folder = tempfile.TemporaryDirectory(prefix="sqlite-store-")
        self._database = f"{self._folder.name}/files.db"
        SQLiteBackend.create(self._database)

    def make(self, **_options: Any) -> SQLiteBackend:
        return self._kind(self._database)

    def make_absent(self, **_options: Any) -> SQLiteBackend:
        return self._kind(f"{self._folder.name}/absent.db")

    def faulty(self, fault: StorageFault) -> SQLiteBackend:
        return failing(self._kind, self._database, fault)

    def isolated(self) -> SQLiteHarness:
        return SQLiteHarness(self._kind)

    @property
    def oracle(self) -> TableOracle:
        return TableOracle(self._database)
