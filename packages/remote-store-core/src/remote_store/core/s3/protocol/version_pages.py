"""Checks one response to `ListObjectVersions`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from remote_store.core.models import FileVersion
from remote_store.core.s3.protocol.fields import Fields, bare

NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One response to `ListObjectVersions`.

    Attributes:
        versions: The listed versions and markers, the latest of each key first.
        key_marker: The key after which the next page begins; `None` on the last page.
        version_marker: The version of that key after which the next page begins; `None` if it begins after the key.
    """

    versions: list[FileVersion]
    key_marker: str | None
    version_marker: str | None


def read_versions(fields: Fields) -> VersionPage:
    """Read the response to a listing of versions with `EncodingType=url`.

    Versions and markers are in two lists, so their order is restored from their times. The order within each list
    decides between equal times.

    Raises:
        Fault: It is not such a listing, or lists something outside the request.
    """
    truncated = fields.raw.get("IsTruncated")
    if not isinstance(truncated, bool):
        raise fields.broken("has no IsTruncated")
    encoded = fields.raw.get("EncodingType") == "url"
    rows = [(row, False) for row in fields.rows("Versions")] + [(row, True) for row in fields.rows("DeleteMarkers")]
    dated = [(_moment(row), _version(row, encoded=encoded, is_deleted=is_deleted)) for row, is_deleted in rows]
    if len({(version.path, version.version_id) for _, version in dated}) < len(dated):
        raise fields.broken("lists one version twice")
    # Sorting is stable: first by time, then by what each page is sorted by.
    dated.sort(key=lambda row: row[0], reverse=True)
    dated.sort(key=lambda row: (row[1].path.encode(), not row[1].is_latest))
    key_marker = fields.text("NextKeyMarker") if truncated else None
    if truncated and key_marker is None:
        raise fields.broken("is truncated but has no NextKeyMarker")
    if key_marker is not None and encoded:
        key_marker = _decoded(fields, key_marker)
    marker = fields.text("NextVersionIdMarker") if truncated else None
    return VersionPage([version for _, version in dated], key_marker, marker)


def _version(row: Fields, *, encoded: bool, is_deleted: bool) -> FileVersion:
    key, version_id = row.text("Key"), row.text("VersionId")
    size = 0 if is_deleted else row.integer("Size")
    if key is None or version_id is None or size is None:
        raise row.broken("lists a version without a key, an id or a size")
    if encoded:
        key = _decoded(row, key)
    if not key.startswith(row.call.params.get("Prefix", "")):
        raise row.broken("lists a key that does not begin with the requested prefix")
    return FileVersion(
        key,
        version_id,
        row.raw.get("IsLatest") is True,
        is_deleted,
        size,
        row.time("LastModified"),
        None if is_deleted else bare(row.etag()),
        None if is_deleted else row.text("StorageClass"),
    )


def _moment(row: Fields) -> datetime:
    """The time of a version with its fractions of a second."""
    time: Any = row.raw.get("LastModified")
    if not isinstance(time, datetime):
        return NEVER
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _decoded(fields: Fields, name: str) -> str:
    try:
        return unquote_plus(name, errors="strict")
    except UnicodeDecodeError as error:
        raise fields.broken("lists a key that is not UTF-8") from error
