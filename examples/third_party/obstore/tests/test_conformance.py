from __future__ import annotations

from remote_store.conformance import BackendConformance

from obstore_store.harness import LocalHarness, MemoryHarness, moto, seaweedfs


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestLocal(BackendConformance):
    harness = LocalHarness()


class TestMoto(BackendConformance):
    harness = moto


class TestSeaweedFS(BackendConformance):
    harness = seaweedfs
