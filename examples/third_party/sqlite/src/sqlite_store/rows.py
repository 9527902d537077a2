"""The table: its rows, and the keys below a folder."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import cast

from remote_store.core import ContentDigest, FileInfo

# A version number is never reused, so it identifies one write of a key.
SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    content BLOB NOT NULL,
    modified_at REAL NOT NULL,
    sha256 TEXT NOT NULL,
    metadata TEXT NOT NULL,
    content_type TEXT
)"""
FACTS = "version, key, length(content) AS size, modified_at, sha256, metadata, content_type"
BELOW = "key >= ? AND key < ?"


def now() -> float:
    """The current time as it is stored."""
    return datetime.now(UTC).timestamp()


def prefix(path: str) -> str:
    """The common prefix of all keys below a folder."""
    return path if not path or path.endswith("/") else path + "/"


def span(path: str) -> tuple[str, str | bytes]:
    """The bounds of the keys below a folder: `0` is the character after `/`, and a blob sorts after any text."""
    lower = prefix(path)
    return lower, f"{lower[:-1]}0" if lower else b""


def find(db: sqlite3.Connection, path: str) -> sqlite3.Row | None:
    """The facts of a file; `None` if it does not exist."""
    row: sqlite3.Row | None = db.execute(f"SELECT {FACTS} FROM files WHERE key = ?", (path,)).fetchone()
    return row


def has_files(db: sqlite3.Connection, path: str) -> bool:
    """Whether any key is below a folder."""
    return db.execute(f"SELECT 1 FROM files WHERE {BELOW} LIMIT 1", span(path)).fetchone() is not None


def read_blob(db: sqlite3.Connection, row: sqlite3.Row, start: int, length: int) -> bytes:
    """A range of a file, without reading the rest."""
    with db.blobopen("files", "content", row["version"], readonly=True) as blob:
        return cast("bytes", blob[start : start + length])


def describe(row: sqlite3.Row) -> FileInfo:
    """The facts of a file as the contract wants them."""
    return FileInfo(
        path=row["key"],
        name=row["key"].rpartition("/")[2],
        size=row["size"],
        modified_at=datetime.fromtimestamp(row["modified_at"], UTC),
        etag=str(row["version"]),
        content_type=row["content_type"],
        digest=ContentDigest("sha256", row["sha256"]),
        metadata=json.loads(row["metadata"]),
    )
