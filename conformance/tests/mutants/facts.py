"""Backends that return wrong facts about files and folders."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta, timezone
from hashlib import md5
from typing import Any
from urllib.parse import unquote

from mutants.registry import broken
from remote_store.core import (
    ContentDigest,
    FileInfo,
    FolderInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    WriteResult,
)
from remote_store.core.memory.files import folder_prefix


class Describes(MemoryBackend):
    """Files in memory; a subclass changes their facts."""

    def described(self, info: FileInfo) -> FileInfo:
        """The facts after the change of the subclass."""
        raise NotImplementedError

    def get_file_info(self, path: str) -> FileInfo:
        return self.described(super().get_file_info(path))

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return map(self.described, super().list_files(path, **options))


@broken("META-001")
class NamesTheWholePath(Describes):
    """`get_file_info` returns the whole path as the name."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, name=info.path)


@broken("META-002")
class DescribesNothing(MemoryBackend):
    """`get_file_info` returns size 0 for a file that does not exist."""

    def get_file_info(self, path: str) -> FileInfo:
        try:
            return super().get_file_info(path)
        except NotFound:
            return FileInfo(path, path.rpartition("/")[2], 0)


@broken("META-003")
class DescribesFoldersAsFiles(MemoryBackend):
    """`get_file_info` of a folder returns a file of its total size."""

    def get_file_info(self, path: str) -> FileInfo:
        try:
            return super().get_file_info(path)
        except InvalidPath:
            return FileInfo(path, path.rpartition("/")[2], self.get_folder_info(path).total_size)


@broken("META-004")
class TimesAreNaive(Describes):
    """Returns times without a time zone."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, modified_at=info.modified_at and info.modified_at.replace(tzinfo=None))


@broken("META-004")
class TimesAreLocal(Describes):
    """Returns times in the machine's time zone instead of UTC."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, modified_at=info.modified_at and info.modified_at.astimezone(timezone(timedelta(hours=2))))


@broken("META-005")
class TagsHaveQuotes(Describes):
    """Returns ETags with the quotes that they have on the wire."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, etag=f'"{info.etag}"')


@broken("META-006", "WRITE-009")
class TagsAreLarge(Describes):
    """`get_file_info` returns the ETag in capital letters."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, etag=(info.etag or "").upper())


@broken("META-007")
class TagsAreOfTheName(Describes):
    """Computes a file's ETag from its path."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, etag=md5(info.path.encode(), usedforsecurity=False).hexdigest())


@broken("META-008")
class GuessesTheContentType(Describes):
    """Guesses the content type from the file's name and ignores the one that was written."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, content_type=mimetypes.guess_type(info.path)[0])


@broken("META-009", "META-010")
class ForgetsMetadata(MemoryBackend):
    """Accepts metadata and does not store it."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, _metadata: Any, *rest: Any, **asked: Any
    ) -> WriteResult:
        return super()._commit(path, content, overwrite, {}, *rest, **asked)


@broken("META-009")
class MetadataLosesItsDots(Describes):
    """Rewrites metadata names to identifiers."""

    def described(self, info: FileInfo) -> FileInfo:
        metadata = {name.replace(".", "_").replace("-", "_"): value for name, value in (info.metadata or {}).items()}
        return replace(info, metadata=metadata)


@broken("META-010")
class UnquotesMetadata(Describes):
    """Decodes percent escapes in metadata."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, metadata={name: unquote(value) for name, value in (info.metadata or {}).items()})


@broken("META-009", "META-011")
class AddsMetadata(MemoryBackend):
    """Adds its own entries to the user's metadata."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> Any:
        return super()._commit(path, content, overwrite, {**metadata, "written-by": "backend"}, *rest, **asked)


@broken("META-012")
class EncodesMetadata(MemoryBackend):
    """Rewrites metadata that it cannot store, instead of raising an error."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        given = options.pop("metadata", None) or {}
        fit = {
            str(name).lower(): str(value).encode("ascii", "replace").decode().strip() for name, value in given.items()
        }
        return super().write(path, content, metadata=fit, **options)


@broken("META-013")
class SaysNoMetadata(MemoryBackend):
    """The result of a write contains no metadata."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        return replace(super()._commit(path, *arguments, **asked), metadata={})


@broken("META-014")
class MergesMetadata(MemoryBackend):
    """Overwriting a file keeps old metadata entries that the new metadata does not name."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> Any:
        old = self._files.get(path)
        return super()._commit(path, content, overwrite, {**(old.metadata if old else {}), **metadata}, *rest, **asked)


@broken("META-015", "META-019")
class CountsOneLevel(MemoryBackend):
    """`get_folder_info` counts only the files directly in the folder."""

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        files = list(self.list_files(path))
        return replace(info, file_count=len(files), total_size=sum(file.size for file in files))


@broken("META-016")
class CountsByPrefix(MemoryBackend):
    """`get_folder_info` counts every file whose path begins with the folder's path."""

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        files = [file for key, file in self._files.items() if key.startswith(path.removesuffix("/"))]
        return replace(info, file_count=len(files), total_size=sum(len(file.content) for file in files))


@broken("META-017")
class NothingIsAnEmptyFolder(MemoryBackend):
    """`get_folder_info` returns an empty folder for one that does not exist."""

    def get_folder_info(self, path: str) -> FolderInfo:
        try:
            return super().get_folder_info(path)
        except NotFound:
            return FolderInfo(path, 0, 0, None)


@broken("META-018")
class AFileIsAFolderOfOne(MemoryBackend):
    """`get_folder_info` of a file returns a folder that contains the file."""

    def get_folder_info(self, path: str) -> FolderInfo:
        if path in self._files and not self._closed:
            return FolderInfo(path, 1, len(self._files[path].content), None)
        return super().get_folder_info(path)


@broken("META-019")
class TheRootHasNoTotals(MemoryBackend):
    """`get_folder_info` refuses the root."""

    def get_folder_info(self, path: str) -> FolderInfo:
        if path == "" and not self._closed:
            raise InvalidPath("the root has no totals", path=path, backend=self.name)
        return super().get_folder_info(path)


@broken("META-020")
class TakesTheOldestTime(MemoryBackend):
    """`get_folder_info` returns the time of the oldest file instead of the newest."""

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        times = [file.modified_at for key, file in self._files.items() if key.startswith(folder_prefix(path))]
        return replace(info, modified_at=min(times, default=None))


@broken("META-021")
class DigestIsOfTheTag(Describes):
    """Returns a checksum of the parts' checksums as the digest of the whole content."""

    def described(self, info: FileInfo) -> FileInfo:
        combined = md5(bytes.fromhex(info.etag or ""), usedforsecurity=False).digest()
        return replace(info, digest=ContentDigest("md5", b64encode(combined).decode()))


@broken("META-022")
class FilesAreFoldersToo(MemoryBackend):
    """`is_folder` returns `True` for every path that exists."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or path in self._files


@broken("META-022", "WRITE-010", "PATH-017")
class FoldersDoNotExist(MemoryBackend):
    """`exists` returns `False` for a folder, because no key has its path."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and not path

    def exists(self, path: str) -> bool:
        return self.is_file(path) or self.is_folder(path)


@broken("META-023")
class TakesAnyContentType(MemoryBackend):
    """Accepts a content type with a line break, which would inject a second header."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        given = options.pop("content_type", None)
        result = super().write(path, content, **options)
        object.__setattr__(self._files[path], "content_type", given)
        return result


@broken("META-024")
class ErrorsSayNothing(MemoryBackend):
    """`get_folder_info` raises an error without path and backend."""

    def get_folder_info(self, path: str) -> FolderInfo:
        try:
            return super().get_folder_info(path)
        except NotFound as error:
            raise NotFound("not found") from error


@broken("META-025")
class CountsOnePage(MemoryBackend):
    """`get_folder_info` counts only the files on the first page of the listing."""

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        return replace(info, file_count=min(info.file_count, 1000))


@broken("META-004")
class KeepsTheFirstTime(MemoryBackend):
    """Returns the time of the first write of a file that was overwritten."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        old = self._files.get(path)
        result = super()._commit(path, *arguments, **asked)
        if old is not None:
            self._files[path] = replace(self._files[path], modified_at=old.modified_at)
        return result


@broken("META-009")
class KeepsTheCallersMapping(MemoryBackend):
    """Stores a reference to the caller's metadata mapping instead of a copy."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if options.get("metadata"):
            object.__setattr__(self._files[path], "metadata", options["metadata"])
        return result


@broken("META-009")
class HandsOutItsMapping(Describes):
    """`get_file_info` returns its internal metadata mapping, so a caller can change it."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, metadata=self._files[info.path].metadata)


@broken("META-022")
class EmptyFilesAreNone(MemoryBackend):
    """`is_file` returns `False` for an empty file."""

    def is_file(self, path: str) -> bool:
        return super().is_file(path) and bool(self._files[path].content)


@broken("META-013")
class TheResultIsItsMapping(MemoryBackend):
    """The result of a write contains the internal metadata mapping, so a caller can change it."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> Any:
        own = dict(metadata)
        return replace(super()._commit(path, content, overwrite, own, *rest, **asked), metadata=own)


@broken("META-015")
class TotalsAreATuple(MemoryBackend):
    """`get_folder_info` returns a tuple instead of a FolderInfo."""

    def get_folder_info(self, path: str) -> Any:
        info = super().get_folder_info(path)
        return info.file_count, info.total_size


@broken("META-001")
class FactsAreADict(MemoryBackend):
    """`get_file_info` returns a dict instead of a FileInfo."""

    def get_file_info(self, path: str) -> Any:
        info = super().get_file_info(path)
        return {"path": info.path, "name": info.name, "size": info.size}
