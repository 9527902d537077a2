"""The values that a store returns: frozen dataclasses. A field that the service did not report is `None`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar, cast

from remote_store.core.home import public

T = TypeVar("T")


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class ContentDigest:
    """A checksum as the service reported it.

    Attributes:
        algorithm: Lower-case name, such as `crc32`, `crc64nvme`, `sha256` or `md5`.
        value: The checksum in the service's encoding (base64 on S3).
        full_object: Whether the checksum covers the whole object; `False` for a multipart checksum of part checksums.
    """

    algorithm: str
    value: str
    full_object: bool = True


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file, as returned by a listing or a HEAD request.

    Attributes:
        path: The exact path of the file; pass it to read, copy or delete the file.
        name: The last segment of the path.
        size: Length in bytes.
        modified_at: Time of the last write, as an aware datetime in UTC.
        etag: Entity tag as the server sent it, without the quotes.
        content_type: MIME type. S3 listings do not include it.
        digest: Checksum of the content, if the service stores one.
        metadata: User metadata. S3 listings do not include it.
        version_id: Version of the object in a versioned bucket.
        storage_class: The service's storage class, such as `STANDARD`. An object of `GLACIER` or `DEEP_ARCHIVE` cannot
            be read before it is restored.
        cache_control: `Cache-Control` header. S3 listings include none of the headers.
        content_disposition: `Content-Disposition` header.
        content_encoding: `Content-Encoding` header. Reads return the content as it is stored, encoded.
        expires: `Expires` header, as an aware datetime in UTC.
        tag_count: Number of its tags; `None` if there are none, or the service did not say. Listings leave it out.
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
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    expires: datetime | None = None
    tag_count: int | None = None


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder, as returned by a listing.

    Attributes:
        path: The exact path of the folder; pass it to list the folder.
        name: The last segment of the path. It is empty for the segment between two slashes, as in `a//b`.
    """

    path: str
    name: str


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class FolderInfo:
    """Totals over all files in a folder and its subfolders.

    Attributes:
        path: The folder.
        file_count: Number of files.
        total_size: Sum of their sizes in bytes.
        modified_at: Time of the latest write, as an aware datetime in UTC; `None` if there are no files.
    """

    path: str
    file_count: int
    total_size: int
    modified_at: datetime | None = None


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class WriteResult:
    """The file that a write created, taken from the response to that write.

    Attributes:
        path: The file that was written.
        size: Length in bytes.
        etag: Entity tag as the server sent it, without the quotes.
        version_id: Version of the object in a versioned bucket.
        digest: Checksum of the content, if the service returned one.
        metadata: The user metadata stored with the file.
        response_lost: Whether the response was lost. The file was then found with the content and the attributes that
            were written, but another client may have written the same in the meantime.
    """

    path: str
    size: int
    etag: str | None = None
    version_id: str | None = None
    digest: ContentDigest | None = None
    metadata: Mapping[str, str] | None = field(default=None, hash=False)
    response_lost: bool = field(default=False, compare=False)


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class ResolutionPlan:
    """The location of a key, computed without I/O. Contains no secret.

    Attributes:
        kind: Kind of backend, such as `s3`, `local` or `memory`.
        backend: Name of the backend.
        key: The key inside the backend.
        native_path: The path in the backend's own notation, such as `bucket/key`.
        details: Further facts about the location, such as `bucket`, `endpoint_url` and `region_name`.
    """

    kind: str
    backend: str
    key: str
    native_path: str
    details: Mapping[str, str] = field(default_factory=dict, hash=False)


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class NotModified:
    """The result of a read with `if_none_match` if the file still is that version. No content was transferred.

    Attributes:
        path: The file.
        etag: Entity tag of the version.
    """

    path: str
    etag: str


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The outcome of one of several calls, such as those of `read_many`.

    Attributes:
        path: The path that the call was about, as it was given to the call.
        value: What the call returned; `None` if it failed.
        error: The exception that the call raised; `None` if it succeeded.
        target: Of `copy_many`, the path that `path` was copied to; otherwise `None`.
    """

    path: str
    value: T | None = None
    error: Exception | None = None
    target: str | None = None

    def result(self) -> T:
        """Return the value, or raise the error.

        Returns:
            What the call returned.

        Raises:
            Exception: The `error`.
        """
        if self.error is not None:
            raise self.error
        return cast("T", self.value)


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class PresignedPost:
    """A form that uploads a file with a browser. Its fields are a secret, so its `repr` does not show them.

    Attributes:
        url: The address that the form is sent to.
        fields: The hidden fields of the form. The field `file`, with the content, comes after them.
    """

    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False, hash=False)


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that was begun and neither completed nor aborted.

    Attributes:
        path: The file that it would create.
        upload_id: Its id.
        started_at: When it was begun, as an aware datetime in UTC.
    """

    path: str
    upload_id: str
    started_at: datetime | None = None


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class FileVersion:
    """A version of a file, or the marker that its deletion left.

    Attributes:
        path: The file.
        version_id: Id of the version.
        is_latest: Whether it is the current version.
        is_deleted: Whether it is the marker of a deletion, which has no content.
        size: Length in bytes; 0 for a marker.
        modified_at: When it was written or deleted, as an aware datetime in UTC.
        etag: Entity tag as the server sent it, without the quotes; `None` for a marker.
        storage_class: The service's storage class.
    """

    path: str
    version_id: str
    is_latest: bool
    is_deleted: bool
    size: int
    modified_at: datetime | None = None
    etag: str | None = None
    storage_class: str | None = None
