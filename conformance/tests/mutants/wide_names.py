"""Backends that are wrong for some names only, and that leave out some of many names."""

from __future__ import annotations

import itertools
import locale
import os
from collections.abc import Iterator
from typing import Any, ClassVar

from mutants.listing import Lists
from mutants.memory import PagedMemory
from mutants.registry import broken
from remote_store.core import FileInfo, FolderEntry, LocalBackend, MemoryBackend, NotFound
from remote_store.core.memory.files import folder_prefix, keys_below

BEYOND = 5_000


@broken("PATH-001")
class ExpandsVariables(MemoryBackend):
    """Expands variables of the environment in the path of `is_file`."""

    def is_file(self, path: str) -> bool:
        return super().is_file(os.path.expandvars(path))


@broken("PATH-001")
class ForgetsADrive(MemoryBackend):
    """`exists` takes what stands before a colon for a drive and ignores it."""

    def exists(self, path: str) -> bool:
        return super().exists(path.rpartition(":")[2])


@broken("PATH-002")
class FindsFoldersByLike(MemoryBackend):
    """`is_folder` takes `_` for any character, as SQL's LIKE does."""

    def is_folder(self, path: str) -> bool:
        if super().is_folder(path) or "_" not in path:
            return super().is_folder(path)
        size = len(folder_prefix(path))
        return any(
            len(key) > size and key[size - 1] == "/" and all(a in (b, "_") for a, b in zip(path, key, strict=False))
            for key in self._files
        )


@broken("DEL-009")
class DeletesFoldersInAnyCase(MemoryBackend):
    """`delete_folder` takes folders of the same name in other case with it, as SQL's LIKE does."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        beginning = folder_prefix(path).lower()
        for key in [key for key in self._files if key.lower().startswith(beginning)]:
            del self._files[key]


@broken("PATH-002")
class ComparesNumbers(MemoryBackend):
    """Takes names that are the same number for one name, as a column of numbers does."""

    def is_file(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return super().is_file(path) or (name.isdigit() and super().is_file(f"{folder}/{int(name)}"))


@broken("COPY-021")
class MovesOntoOtherCaseAndLoses(MemoryBackend):
    """Deletes a file that is moved to a name that differs from it only in case."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        super().move(src, dst, **options)
        if src != dst and src.lower() == dst.lower():
            del self._files[dst]


@broken("COPY-021")
class MovesTemporaryNamesNowhere(MemoryBackend):
    """`move` to a hidden name leaves the source where it was."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        before = self._files.get(src)
        super().move(src, dst, **options)
        if before is not None and dst.rpartition("/")[2].startswith(".") and src != dst:
            self._files[src] = before


@broken("COPY-006")
class FormatsSourcesOfCopies(MemoryBackend):
    """The error of a copy of a missing file formats its path, so braces raise a KeyError."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().copy(src, dst, **options)
        except NotFound as error:
            message = ("there is no such file: " + src).format()
            raise NotFound(error.message, path=src, backend=self.name) from KeyError(message)


@broken("ERR-006")
class FormatsFolders(MemoryBackend):
    """The error about a folder formats its path by `%`."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        if self.is_folder(path):
            assert ("it is a folder: " + path) % ()
        return super().read_bytes(path, **options)


@broken("WRITE-006")
class FormatsConflicts(MemoryBackend):
    """The error about a file that exists formats its path, so braces raise a KeyError."""

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        if path in self._files and not overwrite:
            assert ("it exists: " + path).format()
        super()._check_free(path, overwrite=overwrite)


@broken("GLOB-001")
class StarsSkipTemporaryFiles(MemoryBackend):
    """A `*` in a pattern matches no names of temporary files."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (file for file in super().glob(pattern) if not file.name.endswith((".tmp", "~", ".part", ".bak")))


@broken("GLOB-005")
class StripsPatterns(MemoryBackend):
    """Strips white space from the ends of a pattern."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return super().glob(pattern.strip())


@broken("GLOB-010")
class ExpandsBraces(MemoryBackend):
    """Expands braces in a pattern, as shells do."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        start, brace, rest = pattern.partition("{")
        inner, end, after = rest.partition("}")
        if not brace or not end or "," not in inner:
            return super().glob(pattern)
        return itertools.chain(*[super(ExpandsBraces, self).glob(start + each + after) for each in inner.split(",")])


@broken("LIST-003")
class StopsThirtyLevelsDown(MemoryBackend):
    """A recursive listing stops thirty levels below the folder."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return super()._list_files(path, 30 if deepest is None else deepest)


@broken("LIST-012")
class PagesByUtf16(Lists):
    """Sorts pages by UTF-16, and continues after the last key in the order of code points."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        ordered, last = sorted(files, key=lambda file: file.path.encode("utf-16-be", "surrogatepass")), ""
        while page := [file for file in ordered if file.path > last][:1000]:
            yield from page
            last = page[-1].path
            if len(page) < 1000:
                return


@broken("LIST-012")
class ListsTenThousand(Lists):
    """Lists at most 10,000 files."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return itertools.islice(files, 10_000)


@broken("LIST-012")
class ChildrenEndAtTenThousand(MemoryBackend):
    """`iter_children` yields at most 10,000 entries."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return itertools.islice(super().iter_children(path), 10_000)


@broken("LIST-013")
class FoldersEndAtFiveThousand(MemoryBackend):
    """`list_folders` yields at most 5,000 folders."""

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return itertools.islice(super().list_folders(path), BEYOND)


@broken("META-025")
class CountsFiveThousand(MemoryBackend):
    """`get_folder_info` counts at most 5,000 files."""

    def get_folder_info(self, path: str) -> Any:
        info = super().get_folder_info(path)
        return type(info)(info.path, min(info.file_count, BEYOND), info.total_size, info.modified_at)


@broken("DEL-012")
class DeletesTenThousand(MemoryBackend):
    """`delete_folder` deletes at most 10,000 files."""

    def delete_folder(self, path: str, **options: Any) -> None:
        kept = dict(itertools.islice(((key, self._files[key]) for key in keys_below(self._files, path)), 10_000, None))
        super().delete_folder(path, **options)
        self._files.update(kept)


@broken("GLOB-014")
class GlobEndsAtFiveThousand(MemoryBackend):
    """`glob` yields at most 5,000 files."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return itertools.islice(super().glob(pattern), BEYOND)


@broken("LIST-012")
class EndsOnAFullPage(PagedMemory):
    """Loses the last file of a listing that ends with a full page of 256."""

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        files = list(super()._list_files(path, deepest))
        return iter(files[:-1] if files and len(files) % PagedMemory.page == 0 else files)


@broken("LIST-013")
class RepeatsTheLastOfAPage(PagedMemory):
    """Repeats the last folder of a page of 256 if exactly one more follows."""

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        folders = list(super()._list_folders(path))
        return iter([*folders, folders[-2]] if len(folders) == PagedMemory.page + 1 else folders)


@broken("PATH-018")
class HidesAFolderBehindAFile(MemoryBackend):
    """`is_folder` is false for a folder that has the name of a file."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and path.removesuffix("/") not in self._files


@broken("PATH-018")
class DescribesNoNamesake(MemoryBackend):
    """`get_folder_info` of a folder that has the name of a file raises."""

    def get_folder_info(self, path: str) -> Any:
        if path in self._files:
            raise self._missing(path, "folder")
        return super().get_folder_info(path)


@broken("GLOB-005")
class GlobPrefersFolders(MemoryBackend):
    """A pattern without wildcards does not match a file that has the name of a folder."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (file for file in super().glob(pattern) if not (file.path == pattern and self.is_folder(pattern)))


@broken("LIST-018")
class ShowsEmptiedFolders(MemoryBackend):
    """`list_folders` still shows a folder whose files were all deleted, though `is_folder` is false."""

    seen: ClassVar[set[str]] = set()

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        folders = list(super().list_folders(path))
        names = {folder.path for folder in folders}
        ghosts = [
            FolderEntry(ghost, ghost.rpartition("/")[2])
            for ghost in self.seen - names
            if ghost.rpartition("/")[0] == path.removesuffix("/") and ghost.count("/") > 3
        ]
        self.seen.update(names)
        return iter([*folders, *ghosts])


@broken("LIST-018")
class LeavesTheParentOfADeletedFolder(LocalBackend):
    """`delete_folder` leaves the folder above, though it is empty then."""

    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        os.makedirs(os.path.dirname(self.native_path(path)), exist_ok=True)  # noqa: PTH103, PTH120 - keys are text


@broken("ATOM-004")
class LeavesTheFolderOfABlock(LocalBackend):
    """An `open_atomic` block that raises leaves the folder that it made."""

    def open_atomic(self, path: str, **options: Any) -> Any:
        os.makedirs(os.path.dirname(self.native_path(path)), exist_ok=True)  # noqa: PTH103, PTH120 - keys are text
        return super().open_atomic(path, **options)


@broken("COPY-013")
class LeavesTheFolderOfAFailedCopy(LocalBackend):
    """A copy of a missing file leaves the folder of its destination."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().copy(src, dst, **options)
        except NotFound:
            os.makedirs(os.path.dirname(self.native_path(dst)), exist_ok=True)  # noqa: PTH103, PTH120 - keys are text
            raise


@broken("LIST-014")
class SortsByTheLocale(Lists):
    """Merges neighbours that the locale sorts as equal: characters outside the basic plane."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        found: dict[str, FileInfo] = {}
        for file in files:
            found.setdefault("".join(each if each < "\U00010000" else "?" for each in locale.strxfrm(file.path)), file)
        return iter(found.values())
