from __future__ import annotations

from remote_store.conformance import BackendConformance

from sqlite_store.harness import SQLiteHarness


class TestSQLite(BackendConformance):
    harness = SQLiteHarness()
