"""Backends that lose a write if its folder is deleted meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mutants.registry import broken
from remote_store.core import MemoryBackend


@broken("ATOM-017")
class LosesBlocksWithTheirFolder(MemoryBackend):
    """Drops a write in progress if its folder is deleted."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        self._deleted().append(path)

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        before = len(self._deleted())
        with super().open_atomic(path, **options) as stream:
            yield stream
        if any(path.startswith(f"{folder}/") for folder in self._deleted()[before:]):
            self.delete(path)

    def _deleted(self) -> list[str]:
        deleted: list[str] = self.__dict__.setdefault("_deleted_folders", [])
        return deleted
