"""Backends whose calls go wrong only after certain other calls."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from mutants.memory import PagedMemory
from mutants.registry import broken
from remote_store.core import FolderEntry, MemoryBackend, Outcome, WriteResult
from remote_store.core.checksums import digest_of
from remote_store.core.memory.files import StoredFile, keys_below

BLOCK = 65_536


@broken("MODEL-001")
class LosesTheLastMoved(MemoryBackend):
    """Each delete also deletes the file that was moved last."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        super().move(src, dst, **options)
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


@broken("MODEL-001")
class FindsFoldersIgnoringCase(MemoryBackend):
    """A recursive delete of a folder also deletes the folders whose names differ from its name in case."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        prefix = f"{path.rstrip('/')}/".lower()
        if options.get("recursive"):
            for key in [key for key in self._files if key.lower().startswith(prefix)]:
                del self._files[key]


@broken("MODEL-001")
class FetchesAStartOnce(MemoryBackend):
    """Fetches the ranges that begin at the same offset once, with the length of the first of them."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        found = super().read_ranges(path, ranges, **options)
        known: dict[int, bytes] = {}
        return [known.setdefault(start, data)[:length] for (start, length), data in zip(ranges, found, strict=True)]


@broken("MODEL-001")
class CountsTheSlashOfAFolder(MemoryBackend):
    """Counts the levels from the slashes in the path of the folder, so one more if that ends in a slash."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Any:
        if recursive and max_depth and path.endswith("/"):
            max_depth -= 1
        return super().list_files(path, recursive=recursive, max_depth=max_depth)


@broken("MODEL-001")
class SumsTheLastBlock(MemoryBackend):
    """Begins a checksum anew with every block of 64 KiB, so that it is that of the last one."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        written = super().write(path, content, **options)
        if "checksum" in options:
            file = self._files[path]
            last = file.content[len(file.content) // BLOCK * BLOCK :] or file.content[-BLOCK:]
            summed = digest_of(last, options["checksum"].lower())
            self._files[path] = replace(file, checksum=summed)
            return replace(written, digest=summed)
        return written


@broken("MODEL-001")
class RepeatsAFolderOnTheNextPage(PagedMemory):
    """Yields a folder once for each page of keys that it reaches into."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        for folder in super().list_folders(path):
            below = len(keys_below(self._files, folder.path))
            yield from [folder] * (1 + below // (self.page + 1))


@broken("MODEL-001")
class ExchangesLargeBlocks(MemoryBackend):
    """Stores content of more than 2 MiB with its second and third block of 256 KiB exchanged."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        if len(content) > 32 * BLOCK:
            one, two, three = 4 * BLOCK, 8 * BLOCK, 12 * BLOCK
            content = content[:one] + content[two:three] + content[one:two] + content[three:]
        return super()._commit(path, content, *rest, **asked)


@broken("MODEL-001")
class LosesHeadersWithTags(MemoryBackend):
    """New tags are stored by a copy of the file onto itself, which loses its headers."""

    def set_tags(self, path: str, tags: Any, **options: Any) -> None:
        super().set_tags(path, tags, **options)
        self._files[path] = replace(self._files[path], headers={})


@broken("MODEL-001")
class StopsAtAFolder(MemoryBackend):
    """`delete_many` leaves the rest alone after a path that it cannot delete, and says that it is deleted."""

    def delete_many(self, paths: Any) -> Iterator[Outcome[None]]:
        failed = False
        for path in paths:
            outcome = Outcome[None](path) if failed else next(iter(super().delete_many([path])))
            failed = failed or outcome.error is not None
            yield outcome


@broken("MODEL-001")
class ReadsFromTheLastPosition(MemoryBackend):
    """`readinto` into a buffer of wide items reads from the position of the last seek."""

    def read_seekable(self, path: str, **options: Any) -> Any:
        return Returning(super().read_seekable(path, **options))


class Returning(io.BytesIO):
    """A stream with that `readinto`."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream.read())
        self._last = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._last = super().seek(offset, whence)
        return self._last

    def readinto(self, buffer: Any, /) -> int:
        if memoryview(buffer).itemsize > 1:
            super().seek(self._last)
        return super().readinto(buffer)


@broken("VERS-008")
class AddsTagsToThoseOfTheTarget(MemoryBackend):
    """A copy or a move adds the tags of its source to those of the file that it replaces."""

    def _transfer(self, src: str, dst: str, **asked: Any) -> None:
        old = self._files.get(dst)
        super()._transfer(src, dst, **asked)
        if old is not None:
            self._files[dst] = replace(self._files[dst], tags={**old.tags, **self._files[dst].tags})
