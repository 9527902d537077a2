"""Checks the response to each S3 call and turns it into a type: required fields are set, optional ones may be `None`.

`REQUIRED` lists what proves that each operation succeeded. A response without that proof raises a `Fault`, which stops
the operation of the contract. Fields that are not named here are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from remote_store.core.headers import without_chunked
from remote_store.core.models import ContentDigest
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.fields import CHECKSUM, Fields, is_signed
from remote_store.core.s3.protocol.pages import Page, read_page
from remote_store.core.s3.protocol.uploads import Parts, Uploads, read_parts, read_uploads
from remote_store.core.s3.protocol.version_pages import VersionPage, read_versions

DESCRIPTIONS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "StorageClass",
    "WebsiteRedirectLocation",
)
"""Text fields of an object that a write takes under the same names."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The response to `HeadObject` or `GetObject`.

    Attributes:
        size: Length of the whole object in bytes.
        etag: Its entity tag as the server writes it, including quotes and a `W/`.
        modified_at: When it was last written.
        content_type: Its MIME type.
        metadata: The user metadata, names in lower case.
        version_id: Its version.
        storage_class: Its storage class.
        digest: Its checksum.
        described: The parameters that a multipart copy has to repeat, under the names that a write takes.
        encrypted: Whether its entity tag depends on a key, so that a copy's tag differs.
        tag_count: Number of its tags; `None` if the response does not have it, which means none on AWS.
        first: Offset of the first byte of the body.
        length: Bytes of the body.
        partial: Whether the body is a range.
        body: The open body of a `GetObject`.
    """

    size: int | None
    etag: str | None
    modified_at: datetime | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    version_id: str | None = None
    storage_class: str | None = None
    digest: ContentDigest | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    encrypted: bool = False
    tag_count: int | None = None
    first: int = 0
    length: int | None = None
    partial: bool = False
    body: Any = None

    @property
    def pin(self) -> str | None:
        """The entity tag for a condition; `None` if it is weak, because `If-Match` never matches a weak tag."""
        return strong(self.etag)


@dataclass(frozen=True, slots=True)
class Written:
    """The response to `PutObject`, `CompleteMultipartUpload` or `CopyObject`.

    Attributes:
        etag: The entity tag as the server writes it.
        version_id: The version.
        digest: The checksum.
    """

    etag: str | None
    version_id: str | None = None
    digest: ContentDigest | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The response to `CreateMultipartUpload`.

    Attributes:
        upload_id: Id of the upload.
    """

    upload_id: str


@dataclass(frozen=True, slots=True)
class Part:
    """The response to `UploadPart` or `UploadPartCopy`.

    Attributes:
        etag: The part's entity tag as the server writes it.
        checksums: The part's checksums, under the names that `CompleteMultipartUpload` takes.
    """

    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The response to `DeleteObjects`.

    Attributes:
        keys: The keys reported as deleted.
        errors: The keys reported as not deleted, and why.
    """

    keys: frozenset[str]
    errors: Mapping[str, Fault]


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of an object.

    Attributes:
        pairs: Names and values.
    """

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A success without a result.

    Attributes:
        signed: Whether it has a header of S3. If not, a web server may have sent it, and a HEAD has to confirm it.
        version_id: The version of the marker that a delete made.
    """

    signed: bool = True
    version_id: str | None = None


Response: TypeAlias = Facts | Page | Written | Begun | Part | Parts | Uploads | Deleted | Tags | Done | VersionPage


@dataclass(frozen=True, slots=True)
class Requirement:
    """What proves the success of one operation.

    Attributes:
        page: The operation's page in the S3 API Reference.
        statuses: The statuses of a success.
        read: Reads the response, or raises a `Fault`.
        document: The root element of the response's XML document; `None` if the response has only headers.
    """

    page: str
    statuses: tuple[int, ...]
    read: Callable[[Fields], Response]
    document: str | None = None


def read(call: Call, raw: Mapping[str, Any]) -> Response:
    """Check the response to a call and turn it into its type.

    Args:
        call: The call that was sent.
        raw: The response as the port returned it. If `ResponseMetadata` has no status, the port has to have checked it.

    Raises:
        Fault: The response does not prove that the call succeeded.
    """
    required = REQUIRED[call.operation]
    fields = Fields(call, raw)
    fields.require_status(required.statuses)
    return required.read(fields)


def strong(etag: str | None) -> str | None:
    """The entity tag, unless it is weak (RFC 9110, 8.8.1)."""
    return None if etag is None or etag.startswith("W/") else etag


def _head(fields: Fields) -> Facts:
    return _facts(fields, fields.integer("ContentLength"))


def _object(fields: Fields) -> Facts:
    length = fields.integer("ContentLength")
    if "Body" not in fields.raw:
        raise fields.broken("has no body")
    fields.require_readable_body()
    if fields.status != 206 and fields.text("ContentRange") is None:
        return _facts(fields, length, length=length, body=fields.raw["Body"])
    first, last, total = fields.content_range()
    if length is not None and length != last - first + 1:
        raise fields.broken("has a Content-Length that does not match its Content-Range")
    length = last - first + 1
    return _facts(fields, total, first=first, length=length, partial=True, body=fields.raw["Body"])


def _facts(fields: Fields, size: int | None, **of_the_body: Any) -> Facts:
    etag = fields.etag()
    if etag is None:
        fields.require_sign()
    metadata = fields.metadata()
    described: dict[str, Any] = {name: text for name in DESCRIPTIONS if (text := fields.text(name)) is not None}
    if metadata:
        described["Metadata"] = metadata
    if expires := fields.time("Expires"):
        described["Expires"] = expires
    if encoding := without_chunked(described.pop("ContentEncoding", "")):
        described["ContentEncoding"] = encoding
    return Facts(
        size,
        etag,
        fields.time("LastModified"),
        fields.text("ContentType"),
        metadata,
        fields.text("VersionId"),
        fields.text("StorageClass"),
        _digest(fields),
        described,
        bool(fields.text("SSEKMSKeyId") or fields.text("SSECustomerAlgorithm")),
        fields.integer("TagCount"),
        **of_the_body,
    )


def _put(fields: Fields) -> Written:
    etag = fields.etag()
    if etag is None:
        fields.require_sign()
    return Written(etag, fields.text("VersionId"), _digest(fields))


def _completed(fields: Fields) -> Written:
    etag = fields.etag()
    if etag is None and not any(fields.text(name) for name in ("Bucket", "Key", "Location")):
        raise fields.without_document()
    return Written(etag, fields.text("VersionId"), _digest(fields))


def _copied(fields: Fields) -> Written:
    inner = fields.inner("CopyObjectResult")
    if inner is None or (inner.etag() is None and inner.time("LastModified") is None):
        raise fields.without_document()
    return Written(inner.etag(), fields.text("VersionId"), _digest(inner))


def _begun(fields: Fields) -> Begun:
    upload_id = fields.text("UploadId")
    if upload_id is None:
        raise fields.without_document()
    return Begun(upload_id)


def _part(fields: Fields) -> Part:
    etag = fields.etag()
    if etag is None:
        raise fields.broken("has no ETag")
    return Part(etag, fields.checksums())


def _copied_part(fields: Fields) -> Part:
    inner = fields.inner("CopyPartResult")
    if inner is None or inner.etag() is None:
        raise fields.without_document()
    return _part(inner)


def _deleted(fields: Fields) -> Deleted:
    asked = {entry["Key"] for entry in fields.call.params["Delete"]["Objects"]}
    keys = frozenset(key for entry in fields.rows("Deleted") if (key := entry.text("Key")) in asked and key is not None)
    errors: dict[str, Fault] = {}
    for entry in fields.rows("Errors"):
        key = entry.text("Key")
        if key in asked and key is not None:
            errors[key] = Fault(entry.text("Code") or "Unknown", None, entry.text("Message") or "", fields.request_id)
    return Deleted(keys - errors.keys(), errors)


def _tags(fields: Fields) -> Tags:
    if "TagSet" not in fields.raw:
        raise fields.without_document()
    return Tags(tuple((entry.text("Key") or "", entry.text("Value") or "") for entry in fields.rows("TagSet")))


def _done(fields: Fields) -> Done:
    return Done(fields.headers is None or is_signed(fields.headers), fields.text("VersionId"))


def _digest(fields: Fields) -> ContentDigest | None:
    # By default, the checksum of a multipart upload is one of its parts' checksums.
    for name, value in fields.checksums().items():
        kind = fields.text("ChecksumType")
        whole = kind == "FULL_OBJECT" if kind else "-" not in f"{fields.etag()}{value}"
        return ContentDigest(name.removeprefix(CHECKSUM).lower(), value, whole)
    return None


# Pages of the S3 API Reference, below the documentation site of AWS.
_PAGES: Final = "AmazonS3/latest/API/API_"

REQUIRED: Final[Mapping[str, Requirement]] = {
    "HeadObject": Requirement(f"{_PAGES}HeadObject.html", (200,), _head),
    "GetObject": Requirement(f"{_PAGES}GetObject.html", (200, 206), _object),
    "ListObjectsV2": Requirement(f"{_PAGES}ListObjectsV2.html", (200,), read_page, "ListBucketResult"),
    "PutObject": Requirement(f"{_PAGES}PutObject.html", (200,), _put),
    "CopyObject": Requirement(f"{_PAGES}CopyObject.html", (200,), _copied, "CopyObjectResult"),
    "CreateMultipartUpload": Requirement(
        f"{_PAGES}CreateMultipartUpload.html", (200,), _begun, "InitiateMultipartUploadResult"
    ),
    "UploadPart": Requirement(f"{_PAGES}UploadPart.html", (200,), _part),
    "UploadPartCopy": Requirement(f"{_PAGES}UploadPartCopy.html", (200,), _copied_part, "CopyPartResult"),
    "CompleteMultipartUpload": Requirement(
        f"{_PAGES}CompleteMultipartUpload.html", (200,), _completed, "CompleteMultipartUploadResult"
    ),
    "AbortMultipartUpload": Requirement(f"{_PAGES}AbortMultipartUpload.html", (200, 204), _done),
    "DeleteObject": Requirement(f"{_PAGES}DeleteObject.html", (200, 204), _done),
    "DeleteObjects": Requirement(f"{_PAGES}DeleteObjects.html", (200,), _deleted, "DeleteResult"),
    "ListMultipartUploads": Requirement(
        f"{_PAGES}ListMultipartUploads.html", (200,), read_uploads, "ListMultipartUploadsResult"
    ),
    "ListParts": Requirement(f"{_PAGES}ListParts.html", (200,), read_parts, "ListPartsResult"),
    "ListObjectVersions": Requirement(f"{_PAGES}ListObjectVersions.html", (200,), read_versions, "ListVersionsResult"),
    "DeleteObjectTagging": Requirement(f"{_PAGES}DeleteObjectTagging.html", (200, 204), _done),
    "PutObjectTagging": Requirement(f"{_PAGES}PutObjectTagging.html", (200,), _done),
    "GetObjectTagging": Requirement(f"{_PAGES}GetObjectTagging.html", (200,), _tags, "Tagging"),
}
"""What proves the success of each operation that core calls."""
