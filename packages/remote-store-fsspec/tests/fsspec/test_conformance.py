"""The contract, kept by a store over fsspec's interface over a store."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest

from remote_store.conformance import BackendConformance, Harness, Profile
from remote_store.core import MemoryBackend, Store
from remote_store.fsspec import FsspecBackend


class StoreInStoreHarness(Harness):
    """A folder of a filesystem over a store in memory."""

    profile = Profile(kind="tree", flat=False, foreign_keys=False, in_process=True, max_key_bytes=None)

    def __init__(self) -> None:
        self._store = Store(MemoryBackend())

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(fsspec.filesystem("remote-store", store=self._store), "root")

    def isolated(self) -> StoreInStoreHarness:
        return StoreInStoreHarness()


# Some checks write more than 10,000 files.
@pytest.mark.timeout(300)
class TestStoreInStore(BackendConformance):
    harness = StoreInStoreHarness()
