from __future__ import annotations

from remote_store.conformance import BackendConformance

from obstore_store.harness import LocalHarness, MemoryHarness


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestLocal(BackendConformance):
    harness = LocalHarness()
