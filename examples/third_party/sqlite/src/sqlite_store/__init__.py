"""A storage backend over SQLite, for remote-store."""

from __future__ import annotations

from sqlite_store.backend import SQLiteBackend

__all__ = ["SQLiteBackend"]
