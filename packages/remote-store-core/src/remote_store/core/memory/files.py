"""The files that memory backends keep."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from remote_store.core.checksums import digest_of, encoded
from remote_store.core.headers import kept_headers
from remote_store.core.models import ContentDigest, FileInfo, FolderEntry


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of a file. A reader keeps the version that it opened."""

    content: bytes
    md5: bytes
    metadata: Mapping[str, str]
    content_type: str | None
    modified_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    checksum: ContentDigest | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """The entity tag."""
        return self.md5.hex()

    @property
    def digest(self) -> ContentDigest:
        """The checksum that was asked for, else the MD5, in the encoding that S3 uses."""
        return self.checksum or ContentDigest("md5", encoded(self.md5))


def stored(
    content: bytes, metadata: Mapping[str, str], content_type: str | None, options: Mapping[str, Any]
) -> StoredFile:
    """A new file with the options of its write."""
    asked = options.get("checksum")
    checksum = None if asked is None else digest_of(content, asked.lower())
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    headers, tags = kept_headers(options), dict(options.get("tags", {}))
    return StoredFile(content, md5, metadata, content_type, checksum=checksum, headers=headers, tags=tags)


@dataclass(slots=True)
class Bucket:
    """The files of one private backend, or of all backends with the same bucket name, and the lock on them."""

    files: dict[str, StoredFile] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


SHARED: dict[str, Bucket] = {}


class Draft(io.BytesIO):
    """A buffer that keeps its content if the caller closes it before the block ends."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


def folder_prefix(path: str) -> str:
    """The prefix of every key below a folder."""
    return path if not path or path.endswith("/") else path + "/"


def keys_below(files: Mapping[str, StoredFile], path: str) -> list[str]:
    """The keys below a folder, at every depth."""
    prefix = folder_prefix(path)
    return [key for key in files if key.startswith(prefix)]


def describe(path: str, file: StoredFile) -> FileInfo:
    """The `FileInfo` of a file. Its metadata is a copy that the caller may change."""
    return FileInfo(
        path=path,
        name=path.rpartition("/")[2],
        size=len(file.content),
        modified_at=file.modified_at,
        etag=file.etag,
        content_type=file.content_type,
        digest=file.digest,
        metadata=dict(file.metadata),
        tag_count=len(file.tags) or None,
        **file.headers,
    )


def files_in(snapshot: Callable[[], dict[str, StoredFile]], path: str, deepest: int | None) -> Iterator[FileInfo]:
    """The files of a folder.

    Args:
        snapshot: Returns the files as they are when the iteration begins.
        path: The folder.
        deepest: How many levels of subfolders to include; `None` means all.
    """
    files, start = snapshot(), len(folder_prefix(path))
    for key in keys_below(files, path):
        if deepest is None or key.count("/", start) <= deepest:
            yield describe(key, files[key])


def folders_in(snapshot: Callable[[], dict[str, StoredFile]], path: str) -> Iterator[FolderEntry]:
    """The folders directly in a folder.

    Args:
        snapshot: Returns the files as they are when the iteration begins.
        path: The folder.
    """
    start = len(folder_prefix(path))
    deeper = (key for key in keys_below(snapshot(), path) if "/" in key[start:])
    for folder in dict.fromkeys(key[: key.index("/", start)] for key in deeper):
        # The folder between two slashes has an empty name; its path keeps the slash.
        yield FolderEntry(folder if folder[start:] else folder + "/", folder[start:])
