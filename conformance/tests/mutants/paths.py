"""Backends that confuse one key with another."""

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
    """A path as a file name library would normalise it."""
    return "/".join(segment for segment in path.split("/") if segment not in ("", ".", ".."))


@broken("PATH-001")
class DecodesKeys(MemoryBackend):
    """A write decodes percent escapes in the key."""

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        return super().write(unquote(path) if isinstance(path, str) else path, *arguments, **options)


@broken("PATH-001")
class TakesPlusForASpace(MemoryBackend):
    """A write replaces `+` in the key by a space, as URL-encoded forms do."""

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        return super().write(path.replace("+", " ") if isinstance(path, str) else path, *arguments, **options)


@broken("PATH-001", "PATH-002")
class StripsKeys(MemoryBackend):
    """A write strips white space from the end of the key."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        return super()._commit(path.rstrip(), *arguments, **asked)


@broken("PATH-002")
class NormalisesKeys(MemoryBackend):
    """Normalises keys to the composed Unicode form."""

    def _find(self, path: str) -> Any:
        return super()._find(unicodedata.normalize("NFC", path))

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        path = unicodedata.normalize("NFC", path) if isinstance(path, str) else path
        return super().write(path, *arguments, **options)


@broken("PATH-002", "LIST-026")
class FoldsCase(MemoryBackend):
    """Stores keys in lower case."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        return super()._commit(path.lower(), *arguments, **asked)

    def is_file(self, path: str) -> bool:
        return super().is_file(path.lower() if isinstance(path, str) else path)

    def _find(self, path: str) -> Any:
        return super()._find(path.lower())


@broken("PATH-003", "S3-010")
class CountsCharacters(HttpBackend):
    """Measures the length of a key in characters instead of bytes."""

    def _check(self, check: Callable[[str], None], path: str) -> None:
        try:
            super()._check(check, path)
        except InvalidPath:
            if len(path) > 1024 or len(path.encode()) <= 1024:
                raise


@broken("PATH-004", "ATOM-010")
class RepairsKeys(MemoryBackend):
    """Normalises a malformed key instead of raising InvalidPath."""

    def _check_write(self, path: str, *arguments: Any) -> Any:
        with suppress(InvalidPath):
            path = RemotePath(path)
        return super()._check_write(path, *arguments)


@broken("PATH-005")
class FindsNothingUnderANul(MemoryBackend):
    """Reports a key with a NUL as missing instead of raising InvalidPath."""

    def is_file(self, path: str) -> bool:
        return "\0" not in path and super().is_file(path)


@broken("PATH-006")
class TakesNoneForText(MemoryBackend):
    """Converts a path of another type to `str` instead of raising TypeError."""

    def exists(self, path: str) -> bool:
        return super().exists(str(path))


@broken("PATH-007")
class EmptyRootIsNothing(MemoryBackend):
    """`is_folder` returns `False` for an empty root."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and bool(self._files)


@broken("PATH-008", "DEL-005")
class ForgivesTheRoot(MemoryBackend):
    """`delete` of the root with `missing_ok=True` does nothing instead of raising InvalidPath."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        self._check_open()
        if path != "" or not missing_ok:
            super().delete(path, missing_ok=missing_ok)


@broken("PATH-009", "DEL-005")
class EmptiesTheRoot(MemoryBackend):
    """`delete_folder` of the root with `recursive=True` deletes everything."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if path == "" and recursive:
            self._files.clear()
        else:
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)


@broken("PATH-010")
class ReadsTidyNames(MemoryBackend):
    """Reads a key with a double slash as the key with a single slash."""

    def _file(self, path: str) -> Any:
        return super()._file(path.replace("//", "/") if isinstance(path, str) else path)


@broken("PATH-011")
class ListsTidyNamesOnly(MemoryBackend):
    """Listings leave out keys with an empty segment."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (entry for entry in super().list_files(path, **options) if "//" not in entry.path)


@broken("PATH-012")
class CopiesTidyNames(MemoryBackend):
    """`copy` reads the normalised form of the source's key."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(tidy(src) if isinstance(src, str) and "\0" not in src else src, dst, overwrite=overwrite)


@broken("PATH-013")
class MovesAndForgetsTheSource(MemoryBackend):
    """`move` deletes the normalised form of the source's key."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src != dst:
            self._files.pop(tidy(src), None)


@broken("PATH-014")
class DeletesTheTidyNeighbour(MemoryBackend):
    """A delete also deletes the normalised form of the key."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self._files.pop(tidy(path), None)


@broken("PATH-015")
class LosesTheLeadingSlash(MemoryBackend):
    """Listings of the root strip the leading slashes of keys."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        files = super().list_files(path, **options)
        return files if path else (FileInfo(file.path.lstrip("/"), file.name, file.size) for file in files)


@broken("PATH-016")
class TakesPrefixesForFolders(MemoryBackend):
    """`is_folder` returns `True` for every prefix of a key."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or any(key.startswith(path) for key in self._files)


@broken("PATH-017")
class KeepsTheSlash(MemoryBackend):
    """`is_folder` returns `False` for a folder's path with a trailing slash."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and not path.endswith("/")


@broken("PATH-018", "COPY-023")
class ThinksInTrees(MemoryBackend):
    """Refuses to write a file beside a folder of the same name, although the storage is flat."""

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        super()._check_free(path, overwrite=overwrite)
        if any(key.startswith(f"{path}/") for key in self._files):
            raise InvalidPath("a folder is there", path=path, backend=self.name)


@broken("PATH-018", "PATH-019")
class BuriesTheAncestor(LocalBackend):
    """A write deletes a file whose path it needs as a folder."""

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
    """Rejects paths of a subclass of `str`, such as `RemotePath`."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        if type(path) is not str:
            raise TypeError(f"path is a str, not {type(path).__name__}")
        return super()._commit(path, *arguments, **asked)


@broken("PATH-016")
class LeaksFromProbesBelowAFile(MemoryBackend):
    """Probes raise the file system's NotADirectoryError for a path below a file."""

    def is_folder(self, path: str) -> bool:
        if path.rpartition("/")[0] in self._files:
            raise NotADirectoryError(20, "Not a directory", path)
        return super().is_folder(path)


@broken("PATH-017")
class ExistsWithoutItsSlash(MemoryBackend):
    """`exists` returns `True` for a file's path with a trailing slash."""

    def exists(self, path: str) -> bool:
        return super().exists(path) or super().exists(path.rstrip("/"))


@broken("PATH-017")
class DescribesWithoutItsSlash(MemoryBackend):
    """`get_file_info` accepts a file's path with a trailing slash."""

    def get_file_info(self, path: str) -> FileInfo:
        return super().get_file_info(path.rstrip("/"))


@broken("PATH-002")
class FoldsCaseOfFolders(MemoryBackend):
    """`is_folder` ignores case."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or any(key.lower().startswith(f"{path}/".lower()) for key in self._files)
