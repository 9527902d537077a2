"""Backends that delete more than the given path, or less."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

from mutants.registry import broken
from remote_store.core import (
    AlreadyExists,
    DirectoryNotEmpty,
    FileInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    WriteResult,
)


@broken("DEL-001", "LIST-022")
class ListsTheDead(MemoryBackend):
    """Listings include deleted files."""

    def delete(self, path: str, **options: Any) -> None:
        info = self.get_file_info(path) if path in self._files and not self._closed else None
        super().delete(path, **options)
        if info is not None:
            self.__dict__.setdefault("_dead", {})[path] = info

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        dead = [info for key, info in self.__dict__.get("_dead", {}).items() if key.rpartition("/")[0] == path]
        return iter([*super().list_files(path, **options), *dead])


@broken("DEL-001", "DEL-014")
class RemembersContents(MemoryBackend):
    """Reads files from a cache that a delete does not clear."""

    def read_bytes(self, path: str) -> bytes:
        known: dict[str, bytes] = self.__dict__.setdefault("_contents", {})
        if path in known and not self._closed:
            return known[path]
        content = super().read_bytes(path)
        known[path] = content
        return content

    def is_file(self, path: str) -> bool:
        if super().is_file(path):
            self.read_bytes(path)
            return True
        return False


@broken("DEL-002")
class DeletesNothingGladly(MemoryBackend):
    """Does nothing and raises nothing if the file to delete is missing."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=True)


@broken("DEL-002")
class NeverForgivesMissing(MemoryBackend):
    """Raises NotFound for a missing file even with `missing_ok=True`."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path)


@broken("DEL-003", "DEL-019")
class DeletesByPattern(MemoryBackend):
    """Expands wildcards in the path of a file to delete."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        for key in [key for key in self._files if fnmatchcase(key, path)]:
            del self._files[key]

    def _folder(self, path: str) -> list[str]:
        return super()._folder(path) and [key for key in self._files if fnmatchcase(key, f"{path}/*")]


@broken("DEL-004", "ERR-006")
class DeletesFoldersToo(MemoryBackend):
    """`delete` accepts a folder and deletes it."""

    def delete(self, path: str, **options: Any) -> None:
        try:
            super().delete(path, **options)
        except InvalidPath:
            if not path or "\0" in path:
                raise
            self.delete_folder(path, recursive=True)


@broken("DEL-006")
class DeletesByPrefix(MemoryBackend):
    """Deletes every file whose path begins with the path of the deleted file."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        for key in [key for key in self._files if key.startswith(path)]:
            del self._files[key]


@broken("DEL-007")
class DeletesWhatIsInIt(MemoryBackend):
    """`delete_folder` deletes a folder with its content even with `recursive=False`."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=True, missing_ok=missing_ok)


@broken("DEL-007")
class LooksAtFilesOnly(MemoryBackend):
    """Treats a folder that contains only folders as empty."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        try:
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        except DirectoryNotEmpty:
            if list(self.list_files(path)):
                raise


@broken("DEL-008", "DEL-017")
class DeletesOneLevel(MemoryBackend):
    """Deletes the files directly in a folder and leaves its subfolders."""

    def _folder(self, path: str) -> list[str]:
        keys = super()._folder(path)
        return [key for key in keys if "/" not in key.removeprefix(path).strip("/")] or keys


@broken("DEL-009", "DEL-010", "DEL-015")
class DeletesSiblings(MemoryBackend):
    """Deletes every file whose path begins with the folder's path."""

    def _folder(self, path: str) -> list[str]:
        super()._folder(path)
        return [key for key in self._files if key.startswith(path.removesuffix("/"))]


@broken("DEL-010", "ERR-005")
class DeletesNoFolderGladly(MemoryBackend):
    """Does nothing and raises nothing if the folder to delete is missing."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=True)


@broken("DEL-011", "ERR-007", "ERR-008")
class DeletesAFileAsAFolder(MemoryBackend):
    """`delete_folder` accepts a file and deletes it."""

    def delete_folder(self, path: str, **options: Any) -> None:
        try:
            super().delete_folder(path, **options)
        except InvalidPath:
            if not path or path not in self._files:
                raise
            self.delete(path)


@broken("DEL-012")
class DeletesOnePage(MemoryBackend):
    """Deletes only the files on the first page of the listing."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        kept = dict(list(self._files.items())[1000:]) if path and recursive else {}
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        self._files.update(kept)


@broken("DEL-013", "DEL-017")
class DeletesWhatXmlCanSay(MemoryBackend):
    """Leaves keys with control characters, which its bulk delete cannot express."""

    def _folder(self, path: str) -> list[str]:
        return [key for key in super()._folder(path) if key.isprintable()]


@broken("DEL-014")
class LeavesTombstones(MemoryBackend):
    """Raises AlreadyExists when a deleted file is created again."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self.__dict__.setdefault("_taken", set()).add(path)

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if path in self.__dict__.get("_taken", ()) and not options.get("overwrite"):
            raise AlreadyExists("the name is taken", path=path, backend=self.name)
        return super().write(path, content, **options)


@broken("DEL-016")
class DropsTheSlash(MemoryBackend):
    """Deletes a file when its path is given with a trailing slash."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path.rstrip("/") if isinstance(path, str) and path.strip("/") else path, **options)


@broken("DEL-017")
class DeletesCanonicalKeysOnly(MemoryBackend):
    """`delete_folder` leaves keys that this backend would not write itself."""

    def _folder(self, path: str) -> list[str]:
        return [key for key in super()._folder(path) if not {"", ".", ".."} & set(key.split("/"))]


@broken("DEL-018")
class DeletesRace(MemoryBackend):
    """Checks that a file exists, deletes it a moment later, and raises the library's error if it is gone by then."""

    def delete(self, path: str, **options: Any) -> None:
        known = isinstance(path, str) and path in self._files
        time.sleep(0.01)
        try:
            super().delete(path, **options)
        except NotFound as error:
            if known:
                raise KeyError(path) from error
            raise


@broken("DEL-018")
class MissesWhatItHasSeen(MemoryBackend):
    """With missing_ok, a delete looks first, and raises NotFound if another one is faster."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        if missing_ok and not self.is_file(path):
            super().delete(path, missing_ok=True)
            return
        time.sleep(0.01)
        super().delete(path)


@broken("DEL-019")
class FoldersArePatterns(MemoryBackend):
    """Expands wildcards in the path of a folder to delete."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        for key in [key for key in self._files if path and fnmatchcase(key.rpartition("/")[0], path)]:
            del self._files[key]


@broken("DEL-020")
class TakesTheNamesake(MemoryBackend):
    """Deletes a file together with the folder of the same name."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        if path and "\0" not in path:
            with suppress(NotFound):
                super().delete_folder(path, recursive=True)
