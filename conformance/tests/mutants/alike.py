"""Backends that take a name for another one, in one method and in one way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mutants.memory import PagedMemory
from mutants.patterns import Matches
from mutants.registry import broken
from remote_store.core import AlreadyExists, FileInfo, FolderEntry, FolderInfo, GlobPattern, MemoryBackend, WriteResult
from remote_store.core.memory.files import folder_prefix, keys_below


def drop(backend: MemoryBackend, beginning: str) -> None:
    """Delete the files that begin like this."""
    for key in [key for key in backend._files if key.startswith(beginning)]:
        del backend._files[key]


@broken("DEL-009")
class DeletesWhatAnEscapeNames(MemoryBackend):
    r"""Escapes `_` and `%` but not the backslash before them, so `a\_b` takes `a_b` with it."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        if re.search(r"\\[_%]", path):
            drop(self, folder_prefix(re.sub(r"\\([_%])", r"\1", path)))


@broken("DEL-009")
class DeletesOtherAccents(MemoryBackend):
    """`delete_folder` ignores the case of letters outside of ASCII."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        folded = "".join(each if each.isascii() else each.lower() for each in folder_prefix(path))
        for key in list(self._files):
            if "".join(each if each.isascii() else each.lower() for each in key).startswith(folded):
                del self._files[key]


@broken("PATH-002")
class TellsTwoHundredCharactersApart(MemoryBackend):
    """`is_file` compares 200 characters of a name, the width of its column."""

    def is_file(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        cut = f"{folder}/{name[:200]}"
        return super().is_file(path) or (
            len(name) > 200 and any(key.startswith(cut) and "/" not in key[len(cut) :] for key in self._files)
        )


@broken("PATH-002")
class SumsFoldersOfAnyCase(MemoryBackend):
    """`get_folder_info` sums up by LIKE, which ignores the case of ASCII letters."""

    def get_folder_info(self, path: str) -> FolderInfo:
        info, prefix = super().get_folder_info(path), folder_prefix(path)
        same = [key for key in self._files if key.lower().startswith(prefix.lower())]
        return replace(info, file_count=len(same) if path else info.file_count)


@broken("PATH-002")
class ProbesAnyCaseWithASlash(MemoryBackend):
    """`exists` of a path that ends in a slash ignores case."""

    def exists(self, path: str) -> bool:
        return super().exists(path) or (
            path.endswith("/") and any(key.lower().startswith(path.lower()) for key in self._files)
        )


@broken("LIST-009")
class ListsFoldersByPattern(MemoryBackend):
    """A recursive listing takes brackets in the folder's path for a set, as the GLOB of SQLite does."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        yield from super()._list_files(path, deepest)
        single = re.sub(r"\[(\w)-?\w*\]", r"\1", path)
        if single != path and deepest is None:
            yield from super()._list_files(single, deepest)


@broken("WRITE-018")
class KeepsTheOldWhileItWrites(MemoryBackend):
    """An overwrite puts the old file aside under its name with `.old`, and removes that at the end."""

    def _commit(self, path: str, *rest: Any, **asked: Any) -> WriteResult:
        existed = path in self._files
        written = super()._commit(path, *rest, **asked)
        if existed:
            self._files.pop(f"{path}.old", None)
        return written


@broken("DEL-006")
class DeletesAHiddenSideFile(MemoryBackend):
    """`delete` also removes the hidden file in which this backend once kept metadata."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        folder, slash, name = path.rpartition("/")
        self._files.pop(f"{folder}{slash}.{name}.meta", None)


@broken("COPY-008")
class CopiesTheSideFile(MemoryBackend):
    """`copy` takes `name.meta` for metadata of its source, and copies it too."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **options)
        if src != dst and f"{src}.meta" in self._files:
            self._files[f"{dst}.meta"] = self._files[f"{src}.meta"]


@broken("COPY-021")
class MovesOntoNoFolderOfOtherCase(MemoryBackend):
    """`move` finds a folder at its destination if the case of a folder's name differs."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        beginning = folder_prefix(dst).lower()
        if self.is_file(src) and not self.is_folder(dst):
            for key in self._files:
                if key.lower().startswith(beginning) and not key.startswith(folder_prefix(dst)):
                    raise AlreadyExists("a folder has this name", path=dst, backend=self.name)
        super().move(src, dst, **options)


@broken("GLOB-001")
class SpansInsideASegment(Matches):
    """Two stars match slashes also beside other characters of a segment."""

    def matches(self, pattern: str, path: str) -> bool:
        if "[" in pattern or not re.search(r"[^/*]\*\*|\*\*[^/*]", pattern):
            return GlobPattern.parse(pattern).matches(path)
        wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
        pieces = re.split(r"(\*\*|\*|\?)", pattern)
        expression = "".join(wild.get(each, re.escape(each)) for each in pieces)
        return re.fullmatch(expression, path, re.DOTALL) is not None


@broken("LIST-015")
class CountsASlashAsALevel(MemoryBackend):
    """`max_depth` counts the slash at the end of the folder's path as a level."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        more = path.endswith("/") and deepest
        return super()._list_files(path, deepest + 1 if deepest and more else deepest)


@broken("LIST-015")
class CutsNamesAfterASlash(MemoryBackend):
    """`list_folders` of a path that ends in a slash yields names without their first character."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        cut = path.endswith("/")
        return (replace(entry, name=entry.name[1:]) if cut else entry for entry in super().list_folders(path))


@broken("LIST-016")
class FindsItsPathAnywhere(MemoryBackend):
    """`max_depth` counts after the last place in a path where the folder's path stands."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        every = super()._list_files(path, None)
        prefix = folder_prefix(path)
        if deepest is None or not prefix:
            return super()._list_files(path, deepest)
        return (info for info in every if info.path.rpartition(prefix)[2].count("/") <= deepest)


@broken("LIST-003")
class ListsSizesInAnotherOrder(MemoryBackend):
    """A recursive listing reads names and sizes with two queries, which sort upper case differently."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        infos = sorted(super()._list_files(path, deepest), key=lambda info: info.path)
        if deepest is not None:
            return iter(infos)
        sizes = [info.size for info in sorted(infos, key=lambda info: info.path.lower())]
        return (replace(info, size=size) for info, size in zip(infos, sizes, strict=True))


@broken("LIST-007")
class ListsAFolderOnEachPage(PagedMemory):
    """`list_folders` yields a folder once for each page of its files."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        for folder in super()._list_folders(path):
            for _ in range(1 + max(len(keys_below(self._files, folder.path)) - 1, 0) // PagedMemory.page):
                yield folder


@broken("LIST-025")
class ContinuesWhereAnotherListingIs(PagedMemory):
    """The key after which the next page begins is one for all listings of an instance."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        files = sorted(super()._list_files(path, deepest), key=lambda info: info.path)
        after = ""
        while page := [info for info in files if info.path > after][: PagedMemory.page]:
            self.__dict__["after"] = page[-1].path
            yield from page
            after = self.__dict__["after"]


@broken("LIST-020")
class ListsFoldersByOffset(PagedMemory):
    """`list_folders` pages by offset, which skips folders if others go meanwhile."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        folders, at = list(super().list_folders(path)), 0
        while page := folders[at : at + PagedMemory.page]:
            yield from page
            at += len(page)
            folders = list(super().list_folders(path))


@broken("DEL-008")
class LeavesFoldersAfterAPage(PagedMemory):
    """`delete_folder` empties the subfolders of one page only."""

    def delete_folder(self, path: str, **options: Any) -> None:
        later = list(self._list_folders(path))[PagedMemory.page :]
        kept = {key: self._files[key] for folder in later for key in keys_below(self._files, folder.path)}
        super().delete_folder(path, **options)
        self._files.update(kept)


@broken("PATH-001")
class FoldersAreNamedByPlainText(MemoryBackend):
    """`get_folder_info` refuses a path of a subclass of `str`."""

    def get_folder_info(self, path: str) -> FolderInfo:
        if type(path) is not str:
            raise TypeError("a path is a str")
        return super().get_folder_info(path)


@broken("PATH-006")
class DescribesPathsOfPathlib(MemoryBackend):
    """`get_file_info` takes a path of `pathlib` for its text."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        return super().get_file_info(os.fspath(path) if isinstance(path, os.PathLike) else path, **options)
