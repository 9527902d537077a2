"""Broken backends: times, ETags, content types, headers, tags and checksums."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Unpack

from sqlite_store import SQLiteBackend

from remote_store.core import (
    Content,
    CopyOptions,
    FileInfo,
    FolderInfo,
    MemoryBackend,
    RemoteStoreError,
    WriteResult,
)
from remote_store.core.checksums import digest_of
from remote_store.core.options import NOTHING

BLOCK = 1 << 20


def as_stored(time: datetime | None) -> datetime | None:
    """A time from its parts in local time, as a column without a time zone has them."""
    return None if time is None else time.astimezone().replace(tzinfo=UTC)


class TakesLocalTimeForUtc(SQLiteBackend):
    """Times are kept as local time without a zone, and are labelled as UTC when they are read."""

    breaks: ClassVar[str] = "META-004"

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        return replace(info, modified_at=as_stored(info.modified_at))

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        return replace(info, modified_at=as_stored(info.modified_at))

    def _page(self, path: str, lower: str, upper: str | bytes) -> list[FileInfo]:
        return [replace(info, modified_at=as_stored(info.modified_at)) for info in super()._page(path, lower, upper)]


def weak(info: FileInfo) -> FileInfo:
    """The same with an ETag made as web servers make theirs."""
    seconds = 0 if info.modified_at is None else int(info.modified_at.timestamp())
    return replace(info, etag=f"{seconds:x}-{info.size:x}")


class MakesEtagsOfSecondsAndSize(SQLiteBackend):
    """An ETag is made of the time in seconds and the size, so two versions of one size within a second share it."""

    breaks: ClassVar[str] = "META-007"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        result = super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        return replace(result, etag=None)

    write_atomic = write

    def get_file_info(self, path: str) -> FileInfo:
        return weak(super().get_file_info(path))

    def _page(self, path: str, lower: str, upper: str | bytes) -> list[FileInfo]:
        return [weak(info) for info in super()._page(path, lower, upper)]


class TakesTheTimeOfTheLastFile(MemoryBackend):
    """The time of a folder is that of the last file of its listing instead of the latest one."""

    breaks: ClassVar[str] = "META-020"

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        last = None
        for file in self.list_files(path, recursive=True):
            last = file.modified_at
        return replace(info, modified_at=last)


class KeepsTheOldContentType(SQLiteBackend):
    """An overwrite without a content type keeps that of the old file, as an UPDATE of the given columns would."""

    breaks: ClassVar[str] = "META-014"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._check_write(path, metadata, content_type)
        if overwrite and content_type is None:
            with suppress(RemoteStoreError):
                content_type = self.get_file_info(path).content_type
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class LosesExpiresInACopy(MemoryBackend):
    """A copy takes the headers of its source that are text, and forgets the one that is a time."""

    breaks: ClassVar[str] = "HEAD-002"

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        super().copy(src, dst, overwrite=overwrite, **options)
        with self._lock:
            file = self._files.get(dst)
            if file is not None and src != dst:
                texts = {name: value for name, value in file.headers.items() if isinstance(value, str)}
                self._files[dst] = replace(file, headers=texts)


class KeepsTheOldTags(MemoryBackend):
    """An overwrite without tags leaves the tags of the file that it replaces."""

    breaks: ClassVar[str] = "VERS-008"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        old = self._files.get(path)
        if old is not None and "tags" not in asked:
            asked = {**asked, "tags": old.tags}
        return super()._commit(path, content, overwrite, metadata, content_type, asked=asked)


class SumsOnlyTheLastBlock(MemoryBackend):
    """The checksum of content of more than one block is begun anew for each block, so it is that of the last one."""

    breaks: ClassVar[str] = "SUM-001"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        result = super()._commit(path, content, overwrite, metadata, content_type, asked=asked)
        algorithm = asked.get("checksum")
        if algorithm is None or len(content) <= BLOCK:
            return result
        digest = digest_of(content[(len(content) - 1) // BLOCK * BLOCK :], algorithm.lower())
        with self._lock:
            file = self._files.get(path)
            if file is not None and file.content is content:
                self._files[path] = replace(file, checksum=digest)
        return replace(result, digest=digest)
