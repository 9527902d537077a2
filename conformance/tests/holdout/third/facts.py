"""Broken backends: attributes, checksums, tags and headers."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from mimetypes import guess_type
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend

from remote_store.core import (
    Content,
    ContentDigest,
    FileInfo,
    FolderInfo,
    MemoryBackend,
    WriteResult,
    check_tags,
    require_canonical,
    require_file_path,
)
from remote_store.core.checksums import digest_of
from remote_store.core.conditions import require_match
from remote_store.core.memory.files import StoredFile

PART = 8 << 20


def tagged(info: FileInfo) -> FileInfo:
    """The same file with an ETag of its size and the second of its last write."""
    second = int(info.modified_at.timestamp()) if info.modified_at else 0
    return replace(info, etag=f"{second:x}-{info.size:x}")


class MakesAnETagOfSizeAndSecond(SQLiteBackend):
    """The ETag is made of the size and the second of the last write, as web servers make it for files."""

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
        return tagged(super().get_file_info(path))

    def _page(self, path: str, lower: str, upper: str | bytes) -> list[FileInfo]:
        return [tagged(info) for info in super()._page(path, lower, upper)]


class TakesTheLastKeyForTheNewest(MemoryBackend):
    """The time of a folder is that of the file that came last into it, even if an older one was overwritten since."""

    breaks: ClassVar[str] = "META-020"

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        latest = None
        for file in self.list_files(path, recursive=True):
            latest = file.modified_at
        return replace(info, modified_at=latest)


class ChangesTheTagsOfCopies(MemoryBackend):
    """`set_tags` changes the mapping of tags in place, which a file and its copies share."""

    breaks: ClassVar[str] = "VERS-008"

    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        self.get_tags(path, version_id=version_id)
        checked = check_tags(tags)
        with self._lock:
            kept: Any = self._found(path).tags
            kept.clear()
            kept.update(checked)


class TakesExpiresForATimeToLive(MemoryBackend):
    """A file is removed when the time of its `Expires` header has come, as if it were the entry of a cache."""

    breaks: ClassVar[str] = "PROC-007"

    def _check_open(self) -> None:
        super()._check_open()
        now = datetime.now(UTC)
        for path, file in list(self._files.items()):
            expires = file.headers.get("expires")
            if expires is not None and expires <= now:
                self._files.pop(path, None)


class CopiesFieldByField(MemoryBackend):
    """A copy takes over the fields of the file one by one, but for the headers, which were added later."""

    breaks: ClassVar[str] = "HEAD-002"

    def _transfer(
        self, src: str, dst: str, *, overwrite: bool, keep: bool, asked: Mapping[str, Any] | None = None
    ) -> None:
        if not keep or src == dst:
            super()._transfer(src, dst, overwrite=overwrite, keep=keep, asked=asked or {})
            return
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        with self._lock:
            file = self._found(src)
            require_match(asked or {}, file.etag, src, self.name)
            self._check_free(dst, overwrite=overwrite)
            self._files[dst] = StoredFile(
                content=file.content,
                md5=file.md5,
                metadata=file.metadata,
                content_type=file.content_type,
                checksum=file.checksum,
                tags=file.tags,
            )


class DeclaresAChecksumOfPartsAsWhole(MemoryBackend):
    """The checksum of content above 8 MiB is that of the checksums of its parts, and claims to cover the object."""

    breaks: ClassVar[str] = "SUM-003"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] | None = None,
    ) -> WriteResult:
        options = dict(asked or {})
        result = super()._commit(path, content, overwrite, metadata, content_type, asked=options)
        if options.get("checksum") is None or len(content) <= PART:
            return result
        algorithm = options["checksum"].lower()
        parts = [digest_of(content[start : start + PART], algorithm) for start in range(0, len(content), PART)]
        joined = b"".join(b64decode(part.value) for part in parts)
        digest = ContentDigest(algorithm, digest_of(joined, algorithm).value)
        with self._lock:
            file = self._files.get(path)
            if file is not None and file.content is content:
                self._files[path] = replace(file, checksum=digest)
        return replace(result, digest=digest)


class GuessesContentTypes(SQLiteBackend):
    """A file that is written without a content type gets the one that belongs to the ending of its name."""

    breaks: ClassVar[str] = "META-028"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        if content_type is None and isinstance(path, str):
            content_type = guess_type(path)[0]
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write
