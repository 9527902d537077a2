"""Backends whose listings have missing, extra or repeated entries."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from mutants.registry import broken
from remote_store.core import (
    BackendUnavailable,
    FileInfo,
    FolderEntry,
    MemoryBackend,
    NotFound,
    RemoteStoreError,
)
from remote_store.core.memory.files import describe, folder_prefix, keys_below

PAGE = 1000


class Lists(MemoryBackend):
    """Files in memory; a subclass changes their listings."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        """The files of a listing after the change of the subclass."""
        return files

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return self.changed(super().list_files(path, **options), path)


@broken("LIST-001", "META-001", "META-015", "GLOB-012")
class SizeIsAlwaysZero(MemoryBackend):
    """Listings show size 0 for every file."""

    def get_file_info(self, path: str) -> FileInfo:
        return replace(super().get_file_info(path), size=0)

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (replace(file, size=0) for file in super().list_files(path, **options))

    def get_folder_info(self, path: str) -> Any:
        return replace(super().get_folder_info(path), total_size=0)


@broken("LIST-001")
class NamesAreWhole(Lists):
    """Listings show the whole path as a file's name."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, name=file.path) for file in files)


@broken("LIST-002", "LIST-005")
class ListsEveryDepth(MemoryBackend):
    """`list_files` includes the files of subfolders even with `recursive=False`."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return super().list_files(path, recursive=True, max_depth=max_depth)


@broken("LIST-003", "DEL-008")
class StopsThreeLevelsDown(MemoryBackend):
    """A recursive listing stops three levels below the folder."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path, 3 if deepest is None else deepest)

    def _folder(self, path: str) -> list[str]:
        start = len(folder_prefix(path))
        return [key for key in super()._folder(path) if key.count("/", start) < 3]


@broken("LIST-004")
class CountsTheFolderItself(MemoryBackend):
    """`max_depth` counts the folder itself as the first level."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path, deepest and deepest - 1)


@broken("LIST-004")
class CountsFromTheRoot(MemoryBackend):
    """`max_depth` counts levels from the root instead of from the folder."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (file for file in files if not recursive or max_depth is None or file.path.count("/") <= max_depth + 1)


@broken("LIST-005")
class DepthMeansRecursion(MemoryBackend):
    """`max_depth` alone, without `recursive=True`, lists subfolders."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return super().list_files(path, recursive=recursive or max_depth is not None, max_depth=max_depth)


@broken("LIST-006", "LIST-021")
class RefusesLate(MemoryBackend):
    """Rejects wrong arguments when the listing is iterated instead of when it is called."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        yield from super().list_files(path, **options)


@broken("LIST-007")
class ListsAFolderForEachFile(MemoryBackend):
    """Lists a folder once for each file in it."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        for folder in super()._list_folders(path):
            yield from itertools.repeat(folder, len(keys_below(self._files, folder.path)))


@broken("LIST-008", "LIST-013", "LIST-016", "LIST-024")
class ChildrenAreFiles(MemoryBackend):
    """`iter_children` leaves out folders."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return self.list_files(path)


@broken("LIST-009", "LIST-010", "LIST-011")
class ListsByPrefix(MemoryBackend):
    """Lists every file whose path begins with the folder's path."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        files = self._snapshot()
        for key in [key for key in files if key.startswith(path)]:
            if deepest is None or key.count("/", len(path) + 1) <= deepest:
                yield describe(key, files[key])


@broken("LIST-010", "GLOB-008")
class MissingFoldersRaise(MemoryBackend):
    """Raises NotFound when a missing folder is listed."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        if path and not keys_below(self._files, path):
            raise NotFound("there is no such folder", path=path, backend=self.name)
        return super()._list_files(path, deepest)


@broken("LIST-011")
class AFileListsItself(MemoryBackend):
    """A listing of a file's path yields that file."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return iter([self.get_file_info(path)]) if path in self._files else super()._list_files(path, deepest)


@broken("LIST-012", "GLOB-014")
class StopsAtAThousand(Lists):
    """`list_files` returns only the first page of the service's listing."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return itertools.islice(files, PAGE)


@broken("LIST-012")
class RepeatsThePageBoundary(Lists):
    """Each page of a listing begins with the last file of the previous page."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        for number, file in enumerate(files, start=1):
            yield file
            if number % PAGE == 0:
                yield file


@broken("LIST-013")
class FoldersStopAtAThousand(MemoryBackend):
    """`list_folders` returns only the folders of the first page."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return itertools.islice(super()._list_folders(path), PAGE)


@broken("LIST-014", "PATH-011")
class ListsEscapedNames(Lists):
    """Lists keys with their percent escapes from the wire."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, path=quote(file.path)) for file in files)


@broken("LIST-015", "META-015", "DEL-015")
class TakesTheSlashForAName(MemoryBackend):
    """A listing of a folder path with a trailing slash is empty."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path + "/" if path else path, deepest)

    def _folder(self, path: str) -> list[str]:
        return [] if path.endswith("/") else super()._folder(path)


@broken("LIST-016")
class RootIsASlash(MemoryBackend):
    """Lists the root with the prefix `/`, which finds nothing."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return super().list_folders(path or "/")


@broken("LIST-017", "LIST-025")
class OneCursorOnly(MemoryBackend):
    """Refuses a listing while another one is unfinished."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        if self.__dict__.get("_listing"):
            raise RemoteStoreError("another listing is open", path=path, backend=self.name)
        self._listing = True
        yield from super()._list_files(path, deepest)
        self._listing = False


@broken("LIST-017")
class LosesCursors(MemoryBackend):
    """Releases the service's cursor only when a listing is read to its end."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        self._open = self.__dict__.get("_open", 0) + 1
        if self._open > 10:
            raise BackendUnavailable("too many cursors are open", path=path, backend=self.name, retryable=True)
        yield from super()._list_files(path, deepest)
        self._open -= 1


@broken("LIST-018", "COPY-013")
class FoldersSurvive(MemoryBackend):
    """A folder still exists after its last file was deleted."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        known: dict[str, None] = self.__dict__.setdefault("_folders", {})
        known.update(dict.fromkeys(key.rpartition("/")[0] for key in self._files))
        folders = {folder.path: folder for folder in super()._list_folders(path)}
        prefix = folder_prefix(path)
        for folder in known:
            name = folder.removeprefix(prefix).partition("/")[0]
            if folder.startswith(prefix) and name:
                folders.setdefault(prefix + name, FolderEntry(prefix + name, name))
        return iter(folders.values())

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> Any:
        result = super()._commit(path, *arguments, **asked)
        self.__dict__.setdefault("_folders", {})[path.rpartition("/")[0]] = None
        return result


@broken("LIST-019", "LIST-020")
class WalksTheLiveTable(MemoryBackend):
    """Iterates over the live table of files, so a change during a listing raises an error."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        prefix = folder_prefix(path)
        for key, file in self._files.items():
            if key.startswith(prefix) and (deepest is None or key.count("/", len(prefix)) <= deepest):
                yield describe(key, file)


@broken("LIST-020")
class PagesByOffset(MemoryBackend):
    """Pages by offset, which skips files when others are deleted during the listing."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        start = 0
        while page := list(super()._list_files(path, deepest))[start : start + PAGE]:
            yield from page
            start += len(page)


@broken("LIST-019")
class PagesFromTheNewest(MemoryBackend):
    """Pages by offset, newest file first, which repeats files when others are written during the listing."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        start = 0
        while page := list(super()._list_files(path, deepest))[::-1][start : start + PAGE]:
            yield from page
            start += len(page)


@broken("LIST-021")
class TakesBytesForAPath(MemoryBackend):
    """Accepts a path of bytes and decodes it."""

    def list_folders(self, path: Any) -> Iterator[FolderEntry]:
        return super().list_folders(path.decode() if isinstance(path, bytes) else path)


@broken("LIST-022", "WRITE-012")
class RemembersListings(MemoryBackend):
    """Caches the first listing of a folder."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        known = self.__dict__.setdefault("_listed", {})
        return iter(known.setdefault((path, deepest), list(super()._list_files(path, deepest))))


@broken("LIST-023")
class LosesTheEmptyFolder(MemoryBackend):
    """Lists a folder with an empty name under its parent's path, so a walk never ends."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (FolderEntry(folder.path.rstrip("/"), folder.name) for folder in super()._list_folders(path))


@broken("LIST-007", "LIST-024")
class ListsNamesForPaths(MemoryBackend):
    """`list_folders` returns names instead of paths."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (FolderEntry(folder.name, folder.name) for folder in super()._list_folders(path))


@broken("LIST-025")
class SharesTheCursor(MemoryBackend):
    """A second listing continues the one that is open."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        self._rows = super()._list_files(path, deepest)
        return iter(lambda: next(self._rows, None), None)


@broken("LIST-026")
class ListsOneOfEachCase(Lists):
    """Lists only one of several files whose names differ in case."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return iter({file.path.lower(): file for file in files}.values())


@broken("LIST-027", "META-020")
class ListsTheTimeOfTheListing(Lists):
    """Listings show the current time as every file's time."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, modified_at=datetime.now(UTC)) for file in files)


@broken("LIST-027", "META-006")
class ListsAnotherTag(Lists):
    """Listings show other ETags than `get_file_info`."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, etag=str(hash(file.path))) for file in files)


@broken("LIST-027")
class ChildrenHaveNoSizes(MemoryBackend):
    """`iter_children` shows size 0 for every file."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        children = super().iter_children(path)
        return (replace(child, size=0) if isinstance(child, FileInfo) else child for child in children)


@broken("LIST-027")
class DeepFilesHaveNoSizes(MemoryBackend):
    """A recursive listing shows size 0 for every file."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (replace(file, size=0) for file in files) if recursive else files


@broken("LIST-001")
class ListsPlainPaths(MemoryBackend):
    """`list_files` yields strings instead of FileInfo."""

    def list_files(self, path: str, **options: Any) -> Iterator[Any]:
        return (file.path for file in super().list_files(path, **options))


@broken("LIST-007")
class ListsPlainFolders(MemoryBackend):
    """`list_folders` yields strings instead of FolderEntry."""

    def list_folders(self, path: str) -> Iterator[Any]:
        return (folder.path for folder in super().list_folders(path))
