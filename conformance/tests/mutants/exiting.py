"""Backends that no longer work while the interpreter exits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from mutants.registry import broken
from remote_store.core import LocalBackend


@broken("LIFE-023")
class ReadsInAPool(LocalBackend):
    """Reads whole files in a thread pool, which accepts no work once the interpreter exits."""

    def read_bytes(self, path: str) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(super().read_bytes, path).result()
