from __future__ import annotations

from remote_store.conformance import AsyncBackendConformance, BackendConformance, ThreadedHarness

from sqlite_store.harness import SQLiteHarness


class TestSQLite(BackendConformance):
    harness = SQLiteHarness()


class TestSQLiteInThreads(AsyncBackendConformance):
    harness = ThreadedHarness(SQLiteHarness())
