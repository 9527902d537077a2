"""Backends that take one key for another."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import FileInfo, InvalidPath, LocalBackend, MemoryBackend, NotFound, RemotePath, WriteResult


def tidy(path: str) -> str:
    """A path as a library for file names would repair it."""
    return "/".join(segment for segment in path.split("/") if segment not in ("", ".", ".."))


@broken("PATH-001")
class DecodesKeys(MemoryBackend):
    """Decodes percent escapes in the key of a write."""

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        return super().write(unquote(path) if isinstance(path, str) else path, *arguments, **options)


@broken("PATH-001")
class TakesPlusForASpace(MemoryBackend):
    """Stores a plus in a key as a space, as a form in a browser would."""

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        return super().write(path.replace("+", " ") if isinstance(path, str) else path, *arguments, **options)


@broken("PATH-001", "PATH-002")
class StripsKeys(MemoryBackend):
    """Loses white space at the end of a key that is written."""

    def _commit(self, path: str, *arguments: Any) -> WriteResult:
        return super()._commit(path.rstrip(), *arguments)


@broken("PATH-002")
class NormalisesKeys(MemoryBackend):
    """Writes and finds keys in the composed form of Unicode."""

    def _find(self, path: str) -> Any:
        return super()._find(unicodedata.normalize("NFC", path))

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        path = unicodedata.normalize("NFC", path) if isinstance(path, str) else path
        return super().write(path, *arguments, **options)


@broken("PATH-002", "LIST-026")
class FoldsCase(MemoryBackend):
    """Keeps keys in lower case."""

    def _commit(self, path: str, *arguments: Any) -> WriteResult:
        return super()._commit(path.lower(), *arguments)

    def is_file(self, path: str) -> bool:
        return super().is_file(path.lower() if isinstance(path, str) else path)

    def _find(self, path: str) -> Any:
        return super()._find(path.lower())


@broken("PATH-003", "S3-010")
class CountsCharacters(HttpBackend):
    """Measures the length of a key in characters instead of bytes, and leaves the rest to the server."""

    def _check(self, check: Callable[[str], None], path: str) -> None:
        try:
            super()._check(check, path)
        except InvalidPath:
            if len(path) > 1024 or len(path.encode()) <= 1024:
                raise


@broken("PATH-004", "ATOM-010")
class RepairsKeys(MemoryBackend):
    """Makes a key canonical where it should refuse it."""

    def _check_write(self, path: str, *arguments: Any) -> Any:
        with suppress(InvalidPath):
            path = RemotePath(path)
        return super()._check_write(path, *arguments)


@broken("PATH-005")
class FindsNothingUnderANul(MemoryBackend):
    """Answers that a key with a NUL does not exist, where it should refuse it."""

    def is_file(self, path: str) -> bool:
        return "\0" not in path and super().is_file(path)


@broken("PATH-006")
class TakesNoneForText(MemoryBackend):
    """Makes text of whatever it is given as a path."""

    def exists(self, path: str) -> bool:
        return super().exists(str(path))


@broken("PATH-007")
class EmptyRootIsNothing(MemoryBackend):
    """Says that the root is no folder as long as nothing is in it."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and bool(self._files)


@broken("PATH-008", "DEL-005")
class ForgivesTheRoot(MemoryBackend):
    """Does nothing where the root is deleted as a file with `missing_ok=True`."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        self._check_open()
        if path != "" or not missing_ok:
            super().delete(path, missing_ok=missing_ok)


@broken("PATH-009", "DEL-005")
class EmptiesTheRoot(MemoryBackend):
    """Deletes everything where the root is deleted with `recursive=True`."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if path == "" and recursive:
            self._files.clear()
        else:
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)


@broken("PATH-010")
class ReadsTidyNames(MemoryBackend):
    """Reads a key with two slashes under the key with one."""

    def _file(self, path: str) -> Any:
        return super()._file(path.replace("//", "/") if isinstance(path, str) else path)


@broken("PATH-011")
class ListsTidyNamesOnly(MemoryBackend):
    """Leaves keys with an empty segment out of listings."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (entry for entry in super().list_files(path, **options) if "//" not in entry.path)


@broken("PATH-012")
class CopiesTidyNames(MemoryBackend):
    """Copies the file whose key is the tidy form of the source's key."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(tidy(src) if isinstance(src, str) and "\0" not in src else src, dst, overwrite=overwrite)


@broken("PATH-013")
class MovesAndForgetsTheSource(MemoryBackend):
    """Deletes the tidy form of the source's key at the end of a move."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src != dst:
            self._files.pop(tidy(src), None)


@broken("PATH-014")
class DeletesTheTidyNeighbour(MemoryBackend):
    """Deletes the tidy form of a key together with the key."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self._files.pop(tidy(path), None)


@broken("PATH-015")
class LosesTheLeadingSlash(MemoryBackend):
    """Lists what is below the root without the slashes that a key begins with."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        files = super().list_files(path, **options)
        return files if path else (FileInfo(file.path.lstrip("/"), file.name, file.size) for file in files)


@broken("PATH-016")
class TakesPrefixesForFolders(MemoryBackend):
    """Calls everything a folder that some key begins with."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or any(key.startswith(path) for key in self._files)


@broken("PATH-017")
class KeepsTheSlash(MemoryBackend):
    """Does not know a folder again whose path ends in a slash."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and not path.endswith("/")


@broken("PATH-018", "COPY-023")
class ThinksInTrees(MemoryBackend):
    """Refuses to write a file where a folder of its name is, as a tree has to and a flat storage has not."""

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        super()._check_free(path, overwrite=overwrite)
        if any(key.startswith(f"{path}/") for key in self._files):
            raise InvalidPath("a folder is there", path=path, backend=self.name)


@broken("PATH-018", "PATH-019")
class BuriesTheAncestor(LocalBackend):
    """Removes a file that stands where the path of a write needs a folder."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except InvalidPath:
            for count in range(1, path.count("/") + 1):
                with suppress(InvalidPath, NotFound):
                    self.delete("/".join(path.split("/")[:count]))
            return super().write(path, content, **options)


@broken("PATH-001")
class TakesPlainTextOnly(MemoryBackend):
    """Refuses a path that is of a subclass of `str`, as every path of a store is."""

    def _commit(self, path: str, *arguments: Any) -> WriteResult:
        if type(path) is not str:
            raise TypeError(f"path is a str, not {type(path).__name__}")
        return super()._commit(path, *arguments)


@broken("PATH-016")
class LeaksFromProbesBelowAFile(MemoryBackend):
    """Raises what the file system says where the path of a probe leads through a file."""

    def is_folder(self, path: str) -> bool:
        if path.rpartition("/")[0] in self._files:
            raise NotADirectoryError(20, "Not a directory", path)
        return super().is_folder(path)


@broken("PATH-017")
class ExistsWithoutItsSlash(MemoryBackend):
    """Says that a file exists whose path has a slash behind it."""

    def exists(self, path: str) -> bool:
        return super().exists(path) or super().exists(path.rstrip("/"))


@broken("PATH-017")
class DescribesWithoutItsSlash(MemoryBackend):
    """Describes a file whose path has a slash behind it."""

    def get_file_info(self, path: str) -> FileInfo:
        return super().get_file_info(path.rstrip("/"))


@broken("PATH-002")
class FoldsCaseOfFolders(MemoryBackend):
    """Finds a folder whatever the case of its name."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or any(key.lower().startswith(f"{path}/".lower()) for key in self._files)
