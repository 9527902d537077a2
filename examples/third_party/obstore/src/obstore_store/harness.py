"""What the conformance suite needs to know about this backend; not imported by it."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from typing import Any

from obstore.store import LocalStore, MemoryStore
from remote_store.conformance import Harness, Profile, join_deviations, load_deviations

from obstore_store.backend import ObstoreBackend

PART = 5 * 1024 * 1024
PACKAGE = files("obstore_store")
EVERYWHERE = load_deviations(PACKAGE / "deviations.toml")
LOCAL = load_deviations(PACKAGE / "deviations-local.toml")


class MemoryHarness(Harness):
    """A store in memory."""

    deviations = EVERYWHERE
    profile = Profile(in_process=True, picklable=False, max_key_bytes=None, foreign_keys=False)

    def __init__(self) -> None:
        self._store = MemoryStore()

    def make(self, **_options: Any) -> ObstoreBackend:
        return ObstoreBackend(self._store)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()


class LocalHarness(Harness):
    """A temporary folder on disk; it cannot be absent, because obstore makes it where it is not there."""

    deviations = join_deviations(EVERYWHERE, LOCAL)
    profile = Profile(kind="tree", flat=False, foreign_keys=False, max_key_bytes=None, max_segment_bytes=255)

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="obstore-store-")

    def make(self, **_options: Any) -> ObstoreBackend:
        return ObstoreBackend(LocalStore(self._folder.name, automatic_cleanup=True))

    def isolated(self) -> LocalHarness:
        return LocalHarness()
