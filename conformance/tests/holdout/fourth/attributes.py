"""Backends that are wrong about times, metadata, headers, tags and checksums."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend

from remote_store.core import (
    ContentDigest,
    FileInfo,
    FolderInfo,
    LocalBackend,
    MemoryBackend,
    WriteResult,
    require_canonical,
    require_file_path,
)
from remote_store.core.conditions import require_match
from remote_store.core.memory.files import stored
from remote_store.core.options import NOTHING


def wall_clock(time: datetime | None) -> datetime | None:
    """What a clock on the wall shows, which is not UTC in most places."""
    return None if time is None else time.astimezone().replace(tzinfo=UTC)


class CallsLocalTimesUTC(SQLiteBackend):
    """Times are those of the local time zone, labelled as UTC."""

    breaks: ClassVar[str] = "META-004"

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        return replace(info, modified_at=wall_clock(info.modified_at))

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        return replace(info, modified_at=wall_clock(info.modified_at))

    def _page(self, path: str, lower: str, upper: str | bytes) -> list[FileInfo]:
        page = super()._page(path, lower, upper)
        return [replace(info, modified_at=wall_clock(info.modified_at)) for info in page]


class CopiesTheTimeToo(LocalBackend):
    """A copy gets the time of its source, as with `shutil.copy2`, so it seems older than files written before it."""

    breaks: ClassVar[str] = "META-004"

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        super().copy(src, dst, overwrite=overwrite, **options)
        if src != dst:
            with suppress(OSError):
                facts = os.stat(self.native_path(src))  # noqa: PTH116
                os.utime(self.native_path(dst), ns=(facts.st_atime_ns, facts.st_mtime_ns))


def decoded(value: str) -> str:
    """A header value with its encoded words decoded, as RFC 2047 wants."""
    with suppress(HeaderParseError, LookupError, ValueError):
        return str(make_header(decode_header(value))) if "=?" in value else value
    return value


class DecodesMetadata(SQLiteBackend):
    """`get_file_info` decodes the encoded words of RFC 2047 in metadata, also if the caller had encoded them."""

    breaks: ClassVar[str] = "META-009"

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        metadata = {name: decoded(value) for name, value in (info.metadata or {}).items()}
        return replace(info, metadata=metadata)


class TidiesCacheControl(MemoryBackend):
    """The directives of `cache_control` are split and joined again with a comma and a space."""

    breaks: ClassVar[str] = "HEAD-001"

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
        if directives := asked.get("cache_control"):
            tidy = ", ".join(directive.strip() for directive in directives.split(","))
            asked = {**asked, "cache_control": tidy}
        return super()._commit(path, content, overwrite, metadata, content_type, asked=asked)


def shortest(digest: ContentDigest | None) -> ContentDigest | None:
    """The checksum as a number in as few bytes as it needs."""
    if digest is None or not digest.algorithm.startswith("crc"):
        return digest
    number = int.from_bytes(b64decode(digest.value), "big")
    value = b64encode(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))
    return replace(digest, value=value.decode())


class DropsLeadingZerosOfCRCs(MemoryBackend):
    """A CRC is encoded in as few bytes as its number needs, so one that begins with a zero byte is too short."""

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
        file = stored(content, metadata, content_type, asked)
        file = replace(file, checksum=shortest(file.checksum))
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file
        return WriteResult(path, len(content), file.etag, digest=file.digest, metadata=dict(metadata))


class KeepsTheTagsOfTheDestination(MemoryBackend):
    """A copy or move of a file without tags onto another one leaves it with the tags of the one that it replaced."""

    breaks: ClassVar[str] = "VERS-008"

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool, asked: Mapping[str, Any] = NOTHING) -> None:
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        with self._lock:
            file = self._find(src)
            if file is None:
                raise self._missing(src, "file")
            require_match(asked, file.etag, src, self.name)
            if src == dst:
                return
            self._check_free(dst, overwrite=overwrite)
            tags = file.tags or self._files.get(dst, file).tags
            self._files[dst] = replace(file, modified_at=datetime.now(UTC), tags=tags)
            if not keep:
                del self._files[src]
