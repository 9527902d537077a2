"""What a store answers: frozen values without behaviour. A field that the service did not say is `None`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """A checksum as the service reported it.

    Attributes:
        algorithm: Lower-case name, such as `crc32`, `crc64nvme`, `sha256` or `md5`.
        value: The checksum as the service wrote it (base64 on S3).
        full_object: Whether it covers the bytes of the whole object; `False` for a multipart checksum of checksums.
    """

    algorithm: str
    value: str
    full_object: bool = True


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as a listing or a HEAD describes it.

    Attributes:
        path: The exact path that reads, copies and deletes this file.
        name: The last segment of the path.
        size: Length in bytes.
        modified_at: Time of the last write, aware, in UTC.
        etag: Entity tag as the server wrote it, quotes removed.
        content_type: MIME type; listings on S3 do not say it.
        digest: Checksum of the content, where the service has one.
        metadata: The user's own metadata; listings on S3 do not say it.
        version_id: Version of the object, on a versioned bucket.
        storage_class: The service's storage class, such as `STANDARD`.
    """

    path: str
    name: str
    size: int
    modified_at: datetime | None = None
    etag: str | None = None
    content_type: str | None = None
    digest: ContentDigest | None = None
    metadata: Mapping[str, str] | None = field(default=None, hash=False)
    version_id: str | None = None
    storage_class: str | None = None


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder as a listing shows it.

    Attributes:
        path: The path that lists this folder.
        name: The last segment of the path; empty for the folder between two slashes.
    """

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """The totals of a folder, at every depth.

    Attributes:
        path: The folder.
        file_count: Number of files.
        total_size: Sum of their sizes in bytes.
        modified_at: Time of the latest write in it, aware, in UTC; `None` for a folder without a file.
    """

    path: str
    file_count: int
    total_size: int
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write made, said by the answer to that very write.

    Attributes:
        path: The file that was written.
        size: Length in bytes.
        etag: Entity tag as the server wrote it, quotes removed.
        version_id: Version of the object, on a versioned bucket.
        digest: Checksum of the content, where the service has one.
        metadata: The user's metadata that was stored with it.
    """

    path: str
    size: int
    etag: str | None = None
    version_id: str | None = None
    digest: ContentDigest | None = None
    metadata: Mapping[str, str] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class ResolutionPlan:
    """Where a key would live, worked out without any I/O and without any secret.

    Attributes:
        kind: Kind of backend, such as `s3`, `local` or `memory`.
        backend: Name of the backend.
        key: The key inside the backend.
        native_path: The path in the backend's own notation, such as `bucket/key`.
        details: What else tells the place, such as `bucket`, `endpoint_url`, `region_name`.
    """

    kind: str
    backend: str
    key: str
    native_path: str
    details: Mapping[str, str] = field(default_factory=dict, hash=False)


for _class in (ContentDigest, FileInfo, FolderEntry, FolderInfo, WriteResult, ResolutionPlan):
    _class.__module__ = "remote_store.core"
