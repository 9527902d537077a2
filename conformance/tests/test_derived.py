from __future__ import annotations

from mutants.memory import MemoryHarness, ThreadedMemoryHarness
from remote_store.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.stores.harness import AsyncChildHarness, ChildHarness


class TestMemoryThroughAChild(BackendConformance):
    harness = ChildHarness(MemoryHarness())


class TestMemoryThroughAnAsyncChild(AsyncBackendConformance):
    harness = AsyncChildHarness(ThreadedMemoryHarness())
