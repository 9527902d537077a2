"""Backends whose errors lack attributes of `OSError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mutants.registry import broken
from remote_store.core import MemoryBackend, RemoteStoreError


@broken("ERR-018")
class ErrorsWithoutNumbers(MemoryBackend):
    """Raises errors without an errno."""

    def read_bytes(self, path: str) -> bytes:
        with without_numbers():
            return super().read_bytes(path)

    def delete_folder(self, path: str, **options: Any) -> None:
        with without_numbers():
            super().delete_folder(path, **options)


@contextmanager
def without_numbers() -> Iterator[None]:
    """Remove the errno from an error."""
    try:
        yield
    except RemoteStoreError as error:
        vars(error)["errno"] = None
        raise
