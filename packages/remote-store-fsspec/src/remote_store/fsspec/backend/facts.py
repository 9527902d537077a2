"""What the `info` of a filesystem says about a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

Info: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal["file", "directory"]

TIMES = ("mtime", "LastModified", "last_modified", "modified", "modify", "updated", "created")
TAGS = ("ETag", "etag")
TYPES = ("content_type", "ContentType", "contentType", "mimetype")
VERSION = frozenset(
    {
        "size",
        *("created", "lastmodified", "modificationtime", "modified", "modify", "mtime", "updated"),
        *("checksum", "contentmd5", "crc32c", "digest", "etag", "hash", "md5", "md5hash", "sha", "sha1", "sha256"),
        *("fileid", "generation", "id", "ino", "metageneration", "unique", "version", "versionid"),
    }
)
"""What changes with the content: its size, times, sums and numbers, without the signs in their names."""


def kind_of(info: Info) -> Kind | None:
    """Whether it is a file or a folder; `None` for a device, a socket, or a link that leads nowhere."""
    kind = info.get("type")
    return kind if kind in ("file", "directory") else None


def is_link(info: Info) -> bool:
    """Whether it is a link, whose facts may be those of what it leads to."""
    return bool(info.get("islink"))


def size_of(info: Info) -> int | None:
    """The size in bytes; `None` if the filesystem does not know it."""
    size = info.get("size")
    return None if size is None else int(size)


def is_same(info: Info, other: Info | None) -> bool:
    """Whether both describe the same version of a file. Other facts may differ, such as the time of the last access."""
    return other is not None and _version(info) == _version(other)


def modified_at(info: Info) -> datetime | None:
    """The time of the last write, whose key and format depend on the filesystem."""
    for name in TIMES:
        moment = _moment(info.get(name))
        if moment is not None:
            return moment
    return None


def etag_of(info: Info) -> str | None:
    """The entity tag without its quotes."""
    return next((str(info[name]).strip('"') for name in TAGS if info.get(name)), None)


def content_type_of(info: Info) -> str | None:
    """The content type, if the filesystem keeps one."""
    return next((str(info[name]) for name in TYPES if info.get(name)), None)


def _version(info: Info) -> dict[str, Any]:
    plain = {"".join(filter(str.isalnum, name.lower())): value for name, value in info.items()}
    return {name: value for name, value in plain.items() if name in VERSION}


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        # FTP writes 20261130120000.
        written = f"{value[:8]}T{value[8:]}" if value.isdecimal() else value
        try:
            value = datetime.fromisoformat(written)
        except ValueError:
            return None
    if isinstance(value, datetime):
        # A time without a zone is in UTC in fsspec's own filesystems.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    return None
