"""Backends whose calls go wrong only after certain other calls."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from mutants.registry import broken
from remote_store.core import MemoryBackend


@broken("MODEL-001")
class LosesTheLastMoved(MemoryBackend):
    """Each delete also deletes the file that was moved last."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        self._moved = dst

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self._files.pop(self.__dict__.get("_moved", ""), None)


@broken("MODEL-002")
class FindsTheDecodedName(MemoryBackend):
    """Decodes percent escapes in paths that it looks up, but not in paths that it writes."""

    def _find(self, path: str) -> Any:
        return super()._find(unquote(path))


class View(dict[str, Any]):
    """A copy of the files that passes its own changes on and does not see changes by others.

    Args:
        files: The files.
    """

    def __init__(self, files: dict[str, Any]) -> None:
        super().__init__(files)
        self._shared = files

    def __setitem__(self, key: str, file: Any) -> None:
        super().__setitem__(key, file)
        self._shared[key] = file

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._shared.pop(key, None)


@broken("MODEL-003", "LIFE-021", "WRITE-012")
class LooksOnce(MemoryBackend):
    """Each instance sees the storage as it was at construction, plus its own changes."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, View(value) if name == "_files" else value)
