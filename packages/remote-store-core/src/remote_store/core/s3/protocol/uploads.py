"""Checks the responses to `ListMultipartUploads` and `ListParts`: each entry is whole, and was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from remote_store.core.models import UnfinishedUpload
from remote_store.core.s3.protocol.fields import Fields, whole_seconds
from remote_store.core.s3.protocol.listing_xml import time_of
from remote_store.core.s3.protocol.pages import decoded

MOST_PARTS = 10_000
"""Most parts of an upload (S3 User Guide, multipart upload limits)."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """One response to `ListMultipartUploads`.

    Attributes:
        entries: The listed uploads.
        key_marker: The key to begin the next page after.
        id_marker: The upload id to begin the next page after. Both markers are `None` on the last page.
        date: When the server responded, in its own clock; `None` if it did not say.
    """

    entries: list[UnfinishedUpload]
    key_marker: str | None = None
    id_marker: str | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of an upload, as `ListParts` returns it.

    Attributes:
        number: Its number.
        size: Its length in bytes.
        etag: Its entity tag as the server writes it.
        checksums: Its checksums, under the names that `CompleteMultipartUpload` takes.
    """

    number: int
    size: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """One response to `ListParts`.

    Attributes:
        entries: The listed parts.
        marker: The number to begin the next page after; `None` on the last page.
    """

    entries: list[StoredPart]
    marker: int | None = None


def read_uploads(fields: Fields) -> Uploads:
    """Read the response to `ListMultipartUploads`. Its keys are encoded if the request has `EncodingType=url`.

    Servers that ignore it encode no key.

    Raises:
        Fault: It is not a listing of uploads, or lists something outside the request.
    """
    encoded = fields.raw.get("EncodingType") == fields.call.params.get("EncodingType") == "url"
    entries = [_upload(fields, row, encoded=encoded) for row in fields.rows("Uploads")]
    if len({(upload.path, upload.upload_id) for upload in entries}) < len(entries):
        raise fields.broken("lists one upload twice")
    date = time_of(_header(fields, "date"))
    if not fields.truncated():
        return Uploads(entries, date=date)
    key_marker, id_marker = fields.text("NextKeyMarker"), fields.text("NextUploadIdMarker")
    if key_marker is None and id_marker is None:
        raise fields.broken("is truncated but has no marker of the next page")
    if key_marker is not None and encoded:
        key_marker = decoded(fields, key_marker)
    return Uploads(entries, key_marker, id_marker, date)


def read_parts(fields: Fields) -> Parts:
    """Read the response to `ListParts`.

    Raises:
        Fault: It is not a listing of parts, or its parts do not ascend.
    """
    after = fields.call.params.get("PartNumberMarker", 0)
    entries = [_part(fields, row) for row in fields.rows("Parts")]
    numbers = [after, *(part.number for part in entries)]
    if any(one >= other for one, other in pairwise(numbers)):
        raise fields.broken("lists parts that do not ascend")
    if not fields.truncated():
        return Parts(entries)
    marker = fields.integer("NextPartNumberMarker")
    if marker is None or not after < marker <= MOST_PARTS:
        raise fields.broken("is truncated but has no marker of the next page")
    return Parts(entries, marker)


def _upload(fields: Fields, row: Fields, *, encoded: bool) -> UnfinishedUpload:
    key, upload_id, asked = row.text("Key"), row.text("UploadId"), fields.call.params.get("Prefix", "")
    if key is None or upload_id is None:
        raise fields.broken("lists an upload without a key or without an id")
    if encoded:
        key = decoded(fields, key)
    if not key.startswith(asked):
        raise fields.broken("lists a key that does not begin with the requested prefix")
    return UnfinishedUpload(key, upload_id, whole_seconds(row.raw.get("Initiated")))


def _part(fields: Fields, row: Fields) -> StoredPart:
    number, size, etag = row.integer("PartNumber"), row.integer("Size"), row.etag()
    if number is None or not 1 <= number <= MOST_PARTS or size is None or etag is None:
        raise fields.broken("lists a part without a number, a size or an ETag")
    return StoredPart(number, size, etag, row.checksums())


def _header(fields: Fields, name: str) -> str:
    return next((value for key, value in (fields.headers or {}).items() if key.lower() == name), "")
