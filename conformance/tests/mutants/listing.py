"""Backends that list too much, too little, or twice."""

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
from remote_store.core.memory import describe, folder_prefix, keys_below

PAGE = 1000


class Lists(MemoryBackend):
    """Files in memory, whose listings a subclass changes."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        """The files of a listing as the subclass shows them."""
        return files

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return self.changed(super().list_files(path, **options), path)


@broken("LIST-001", "META-001", "META-015", "GLOB-012")
class SizeIsAlwaysZero(MemoryBackend):
    """Says of every file that it is empty."""

    def get_file_info(self, path: str) -> FileInfo:
        return replace(super().get_file_info(path), size=0)

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (replace(file, size=0) for file in super().list_files(path, **options))

    def get_folder_info(self, path: str) -> Any:
        return replace(super().get_folder_info(path), total_size=0)


@broken("LIST-001")
class NamesAreWhole(Lists):
    """Gives a listed file its whole path for a name."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, name=file.path) for file in files)


@broken("LIST-002", "LIST-005")
class ListsEveryDepth(MemoryBackend):
    """Lists the files of subfolders without being asked."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return super().list_files(path, recursive=True, max_depth=max_depth)


@broken("LIST-003", "DEL-008")
class StopsThreeLevelsDown(MemoryBackend):
    """Finds nothing that lies more than three levels below a folder."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path, 3 if deepest is None else deepest)

    def _folder(self, path: str) -> list[str]:
        start = len(folder_prefix(path))
        return [key for key in super()._folder(path) if key.count("/", start) < 3]


@broken("LIST-004")
class CountsTheFolderItself(MemoryBackend):
    """Counts the folder itself as the first level of `max_depth`."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path, deepest and deepest - 1)


@broken("LIST-004")
class CountsFromTheRoot(MemoryBackend):
    """Counts the levels of `max_depth` from the root instead of from the folder."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (file for file in files if not recursive or max_depth is None or file.path.count("/") <= max_depth + 1)


@broken("LIST-005")
class DepthMeansRecursion(MemoryBackend):
    """Enters subfolders where only `max_depth` is given."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return super().list_files(path, recursive=recursive or max_depth is not None, max_depth=max_depth)


@broken("LIST-006", "LIST-021")
class RefusesLate(MemoryBackend):
    """Refuses wrong arguments when the first file is asked for."""

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
    """Leaves the folders out of `iter_children`."""

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
    """Raises NotFound where a folder is listed that does not exist."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        if path and not keys_below(self._files, path):
            raise NotFound("there is no such folder", path=path, backend=self.name)
        return super()._list_files(path, deepest)


@broken("LIST-011")
class AFileListsItself(MemoryBackend):
    """Lists a file where the path of the listing is that file's."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return iter([self.get_file_info(path)]) if path in self._files else super()._list_files(path, deepest)


@broken("LIST-012", "GLOB-014")
class StopsAtAThousand(Lists):
    """Lists the first page of the service and no other."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return itertools.islice(files, PAGE)


@broken("LIST-012")
class RepeatsThePageBoundary(Lists):
    """Begins each page of a listing with the last file of the page before."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        for number, file in enumerate(files, start=1):
            yield file
            if number % PAGE == 0:
                yield file


@broken("LIST-013")
class FoldersStopAtAThousand(MemoryBackend):
    """Lists the folders of the first page of the service and no other."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return itertools.islice(super()._list_folders(path), PAGE)


@broken("LIST-014", "PATH-011")
class ListsEscapedNames(Lists):
    """Lists keys with the percent escapes that they have on the wire."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, path=quote(file.path)) for file in files)


@broken("LIST-015", "META-015", "DEL-015")
class TakesTheSlashForAName(MemoryBackend):
    """Finds nothing in a folder whose path ends in a slash."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path + "/" if path else path, deepest)

    def _folder(self, path: str) -> list[str]:
        return [] if path.endswith("/") else super()._folder(path)


@broken("LIST-016")
class RootIsASlash(MemoryBackend):
    """Looks for what is below the root behind a slash."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return super().list_folders(path or "/")


@broken("LIST-017", "LIST-025")
class OneCursorOnly(MemoryBackend):
    """Refuses a listing as long as another one has not come to its end."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        if self.__dict__.get("_listing"):
            raise RemoteStoreError("another listing is open", path=path, backend=self.name)
        self._listing = True
        yield from super()._list_files(path, deepest)
        self._listing = False


@broken("LIST-017")
class LosesCursors(MemoryBackend):
    """Gets a cursor of the service back only from listings that came to their end."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        self._open = self.__dict__.get("_open", 0) + 1
        if self._open > 10:
            raise BackendUnavailable("too many cursors are open", path=path, backend=self.name, retryable=True)
        yield from super()._list_files(path, deepest)
        self._open -= 1


@broken("LIST-018", "COPY-013")
class FoldersSurvive(MemoryBackend):
    """Keeps a folder whose last file is gone."""

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

    def _commit(self, path: str, *arguments: Any) -> Any:
        result = super()._commit(path, *arguments)
        self.__dict__.setdefault("_folders", {})[path.rpartition("/")[0]] = None
        return result


@broken("LIST-019", "LIST-020")
class WalksTheLiveTable(MemoryBackend):
    """Goes through the table of files itself, which must not change meanwhile."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        prefix = folder_prefix(path)
        for key, file in self._files.items():
            if key.startswith(prefix) and (deepest is None or key.count("/", len(prefix)) <= deepest):
                yield describe(key, file)


@broken("LIST-020")
class PagesByOffset(MemoryBackend):
    """Asks for the next page by a number, which skips files when others are deleted."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        start = 0
        while page := list(super()._list_files(path, deepest))[start : start + PAGE]:
            yield from page
            start += len(page)


@broken("LIST-019")
class PagesFromTheNewest(MemoryBackend):
    """Asks for the next page by a number, newest file first, which repeats files when others are written."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        start = 0
        while page := list(super()._list_files(path, deepest))[::-1][start : start + PAGE]:
            yield from page
            start += len(page)


@broken("LIST-021")
class TakesBytesForAPath(MemoryBackend):
    """Decodes a path that is bytes."""

    def list_folders(self, path: Any) -> Iterator[FolderEntry]:
        return super().list_folders(path.decode() if isinstance(path, bytes) else path)


@broken("LIST-022", "WRITE-012")
class RemembersListings(MemoryBackend):
    """Shows a listing as it was when the folder was first listed."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        known = self.__dict__.setdefault("_listed", {})
        return iter(known.setdefault((path, deepest), list(super()._list_files(path, deepest))))


@broken("LIST-023")
class LosesTheEmptyFolder(MemoryBackend):
    """Lists the folder between two slashes under the path of its parent, so that a walk never ends."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (FolderEntry(folder.path.rstrip("/"), folder.name) for folder in super()._list_folders(path))


@broken("LIST-007", "LIST-024")
class ListsNamesForPaths(MemoryBackend):
    """Lists folders under their names instead of their paths."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (FolderEntry(folder.name, folder.name) for folder in super()._list_folders(path))


@broken("LIST-025")
class SharesTheCursor(MemoryBackend):
    """Goes on with the open listing where another one is asked for."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        self._rows = super()._list_files(path, deepest)
        return iter(lambda: next(self._rows, None), None)


@broken("LIST-026")
class ListsOneOfEachCase(Lists):
    """Lists one of several files whose names differ in case."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return iter({file.path.lower(): file for file in files}.values())


@broken("LIST-027", "META-020")
class ListsTheTimeOfTheListing(Lists):
    """Says of every listed file that it was modified now."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, modified_at=datetime.now(UTC)) for file in files)


@broken("LIST-027", "META-006")
class ListsAnotherTag(Lists):
    """Lists ETags that are others than those of the files."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (replace(file, etag=str(hash(file.path))) for file in files)


@broken("LIST-027")
class ChildrenHaveNoSizes(MemoryBackend):
    """Says of every file among the children of a folder that it is empty."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        children = super().iter_children(path)
        return (replace(child, size=0) if isinstance(child, FileInfo) else child for child in children)


@broken("LIST-027")
class DeepFilesHaveNoSizes(MemoryBackend):
    """Says of every file that it is empty where subfolders are listed too."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (replace(file, size=0) for file in files) if recursive else files


@broken("LIST-001")
class ListsPlainPaths(MemoryBackend):
    """Lists files as paths, without facts."""

    def list_files(self, path: str, **options: Any) -> Iterator[Any]:
        return (file.path for file in super().list_files(path, **options))


@broken("LIST-007")
class ListsPlainFolders(MemoryBackend):
    """Lists folders as paths."""

    def list_folders(self, path: str) -> Iterator[Any]:
        return (folder.path for folder in super().list_folders(path))
