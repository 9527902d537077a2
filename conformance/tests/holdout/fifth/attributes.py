"""Backends that tell the wrong attributes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from sqlite_store import SQLiteBackend

from remote_store.core import Content, FileInfo, FolderInfo, MemoryBackend, WriteResult
from remote_store.core.checksums import digest_of
from remote_store.core.memory.files import StoredFile, keys_below, stored

PART = 8 << 20


def read_as_utc(time: datetime | None) -> datetime | None:
    """The local time, as if it was UTC."""
    return time and datetime.fromtimestamp(time.timestamp()).replace(tzinfo=UTC)  # noqa: DTZ006


class TakesLocalTimeForUTC(SQLiteBackend):
    """Times are converted to the local time zone and then called UTC, so they are wrong where it is another."""

    breaks: ClassVar[str] = "META-004"

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        return replace(info, modified_at=read_as_utc(info.modified_at))

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        return replace(info, modified_at=read_as_utc(info.modified_at))

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (replace(file, modified_at=read_as_utc(file.modified_at)) for file in files)


class DropsEmptyValues(SQLiteBackend):
    """Metadata is stored as a query string, and entries whose value is empty are lost when it is parsed."""

    breaks: ClassVar[str] = "META-009"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        query = urlencode(self._check_write(path, metadata, content_type))
        kept = dict(parse_qsl(query))
        return super().write(path, content, overwrite=overwrite, metadata=kept, content_type=content_type)

    write_atomic = write


class CallsAPartsChecksumWhole(MemoryBackend):
    """The checksum of a file of several parts is that of the checksums of its parts, and claims to cover the whole."""

    breaks: ClassVar[str] = "SUM-003"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = {},
    ) -> WriteResult:
        file = stored(content, metadata, content_type, asked)
        if file.checksum is not None and len(content) > PART:
            file = replace(file, checksum=of_parts(content, file.checksum.algorithm))
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file
        return WriteResult(path, len(content), file.etag, digest=file.digest, metadata=dict(metadata))


def of_parts(content: bytes, algorithm: str) -> Any:
    """The checksum of the checksums of the parts."""
    parts = [content[start : start + PART] for start in range(0, len(content), PART)]
    return digest_of(b"".join(base64.b64decode(digest_of(part, algorithm).value) for part in parts), algorithm)


class KeepsTagsOfDeletedFolders(MemoryBackend):
    """`delete_folder` leaves the tags of the files, which files that are written there later get."""

    breaks: ClassVar[str] = "VERS-008"

    def _use(self, name: str | None, files: dict[str, StoredFile]) -> None:
        super()._use(name, files)
        self._left: dict[str, Mapping[str, str]] = {}

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        with self._lock:
            below = keys_below(self._files, path) if isinstance(path, str) else []
            tags = {key: self._files[key].tags for key in below}
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        self._left.update(tags)

    def _commit(self, path: str, *arguments: Any, asked: Mapping[str, Any] = {}) -> WriteResult:
        left = self._left.pop(path, {})
        return super()._commit(path, *arguments, asked={"tags": left, **asked})
