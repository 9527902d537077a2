"""Backends that report wrong facts about a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from types import MappingProxyType
from typing import Any, ClassVar, cast

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import BELOW, find, span

from remote_store.core import Content, ContentDigest, FileInfo, FolderInfo, MemoryBackend, Source, WriteResult
from remote_store.core import check_tags as checked_tags
from remote_store.core.checksums import encoded
from remote_store.core.memory.files import stored

BLOCK = 64 * 1024


class KeepsTheOldContentType(SQLiteBackend):
    """An overwrite without a content type keeps the content type of the file that it replaces."""

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
        if overwrite and content_type is None:
            self._check_write(path, metadata, content_type)
            with self._open(path) as db:
                old = find(db, path)
            content_type = None if old is None else old["content_type"]
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class StampsUtcAsLocalTime(SQLiteBackend):
    """The time of a write is UTC converted as if it were local time, so it is wrong where the two differ."""

    breaks: ClassVar[str] = "META-004"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        data = Source(content).read_rest()
        digest = sha256(data).hexdigest()
        # The same as `datetime.utcnow()`, which is deprecated.
        written = datetime.now(UTC).replace(tzinfo=None)
        row = (path, data, written.timestamp(), digest, dumps(checked), content_type)
        with self._open(path, begin=WRITING) as db:
            self._check_free(db, path, overwrite=overwrite)
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)

    write_atomic = write


class SumsDistinctSizes(SQLiteBackend):
    """The total size of a folder counts files of the same size once."""

    breaks: ClassVar[str] = "META-015"

    def get_folder_info(self, path: str) -> FolderInfo:
        with self._open(path) as db:
            if path:
                self._check_folder(db, path)
            totals = "count(DISTINCT key), coalesce(sum(DISTINCT length(content)), 0), max(modified_at)"
            count, size, latest = db.execute(f"SELECT {totals} FROM files WHERE {BELOW}", span(path)).fetchone()
        return FolderInfo(path, count, size, None if latest is None else datetime.fromtimestamp(latest, UTC))


class QuotesTheETagsOfListings(MemoryBackend):
    """The ETags in listings have the quotes with which they are sent."""

    breaks: ClassVar[str] = "META-005"

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return (replace(file, etag=f'"{file.etag}"') for file in super()._list_files(path, deepest))


class ExpiresKeepsItsClock(MemoryBackend):
    """An `expires` in another time zone keeps its hours and becomes UTC, instead of being converted."""

    breaks: ClassVar[str] = "HEAD-001"

    def _asked(self, kind: type, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
        asked = super()._asked(kind, path, options)
        if "expires" in asked:
            asked["expires"] = asked["expires"].replace(tzinfo=UTC)
        return asked


class SumsOnlyTheLastBlock(MemoryBackend):
    """A CRC32 is computed in blocks of 64 KiB, each of which begins anew."""

    breaks: ClassVar[str] = "SUM-001"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = MappingProxyType({}),
    ) -> WriteResult:
        file = stored(content, metadata, content_type, asked)
        if file.digest.algorithm == "crc32":
            crc = 0
            for start in range(0, len(content), BLOCK):
                crc = zlib.crc32(content[start : start + BLOCK])
            file = replace(file, checksum=ContentDigest("crc32", encoded(crc.to_bytes(4, "big"))))
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file
        return WriteResult(path, len(content), file.etag, digest=file.digest, metadata=dict(metadata))


class CopiesShareTheirTags(MemoryBackend):
    """A copy has the same mapping of tags as its source, and `set_tags` changes it for both."""

    breaks: ClassVar[str] = "VERS-008"

    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        checked = checked_tags(tags)
        self.get_tags(path, version_id=version_id)
        with self._lock:
            kept = cast("dict[str, str]", self._found(path).tags)
            kept.clear()
            kept.update(checked)
