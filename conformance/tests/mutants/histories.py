"""Backends whose calls go wrong only after certain other calls."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import unquote

from mutants.registry import broken
from remote_store.core import MemoryBackend, WriteResult
from remote_store.core.memory.files import StoredFile


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


@broken("MODEL-004")
class CompactsTooMuch(MemoryBackend):
    """Compacts its journal after every 20 writes, and loses the file of the last but one."""

    def _commit(self, path: str, *rest: Any, **asked: Any) -> WriteResult:
        result = super()._commit(path, *rest, **asked)
        journal = self.__dict__.setdefault("journal", [])
        journal.append(path)
        if len(journal) == 20:
            lost = journal[-2]
            journal.clear()
            if lost != path:
                self._files.pop(lost, None)
        return result


@broken("MODEL-004")
class RemembersInEachThread(MemoryBackend):
    """Caches files for each thread, until the same thread writes or deletes one."""

    seen = threading.local()

    def _file(self, path: str) -> StoredFile:
        known = vars(self.seen)
        if path not in known:
            known[path] = super()._file(path)
        file: StoredFile = known[path]
        return file

    def _commit(self, *rest: Any, **asked: Any) -> WriteResult:
        vars(self.seen).clear()
        return super()._commit(*rest, **asked)

    def _transfer(self, *paths: str, **asked: Any) -> None:
        vars(self.seen).clear()
        super()._transfer(*paths, **asked)
        vars(self.seen).clear()

    def delete(self, path: str, **options: Any) -> None:
        vars(self.seen).clear()
        super().delete(path, **options)
        vars(self.seen).clear()

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        vars(self.seen).clear()
