"""Backends that no longer work when the interpreter ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from mutants.registry import broken
from remote_store.core import LocalBackend


@broken("LIFE-023")
class ReadsInAPool(LocalBackend):
    """Reads whole files in a pool of threads, which takes no work once the interpreter ends."""

    def read_bytes(self, path: str) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(super().read_bytes, path).result()
