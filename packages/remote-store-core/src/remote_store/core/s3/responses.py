"""From the answers of the S3 API to the models of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from remote_store.core.models import ContentDigest, FileInfo, FolderEntry, WriteResult
from remote_store.core.s3.keys import folder_of, is_marker

CHECKSUM = "Checksum"
NOT_CHECKSUMS = ("ChecksumType", "ChecksumAlgorithm")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of `ListObjectsV2`.

    Attributes:
        objects: What it lists, markers included.
        prefixes: The common prefixes.
        token: What asks for the next page; `None` after the last one.
    """

    objects: list[FileInfo]
    prefixes: list[str]
    token: str | None

    def files(self) -> Iterator[FileInfo]:
        """The objects without the markers of folders."""
        return (info for info in self.objects if not is_marker(info.path, info.size))

    def folders(self) -> Iterator[FolderEntry]:
        """The common prefixes as folders."""
        return (folder_entry(prefix) for prefix in self.prefixes)


def page(answer: Mapping[str, Any]) -> Page:
    """Read a listing that was asked for with `EncodingType=url`; a server that does not know it answers plainly."""
    encoded = answer.get("EncodingType") == "url"
    objects = [listed_file(entry, encoded=encoded) for entry in answer.get("Contents") or ()]
    prefixes = [entry["Prefix"] for entry in answer.get("CommonPrefixes") or ()]
    prefixes = [unquote_plus(prefix) for prefix in prefixes] if encoded else prefixes
    return Page(objects, prefixes, answer.get("NextContinuationToken") if answer.get("IsTruncated") else None)


def listed_file(entry: Mapping[str, Any], *, encoded: bool) -> FileInfo:
    """The object of one `Contents` entry, whose key may be URL-encoded."""
    key = entry["Key"]
    if encoded and ("%" in key or "+" in key):
        key = unquote_plus(key)
    return FileInfo(
        key,
        key.rpartition("/")[2],
        entry["Size"],
        utc(entry.get("LastModified")),
        etag=bare(entry.get("ETag")),
        storage_class=entry.get("StorageClass"),
    )


def file_info(key: str, answer: Mapping[str, Any]) -> FileInfo:
    """The object that a `HeadObject` or a whole `GetObject` describes."""
    return FileInfo(
        key,
        key.rpartition("/")[2],
        answer["ContentLength"],
        utc(answer.get("LastModified")),
        etag=bare(answer.get("ETag")),
        content_type=answer.get("ContentType"),
        digest=digest(answer),
        metadata=dict(answer.get("Metadata") or {}),
        version_id=answer.get("VersionId"),
        storage_class=answer.get("StorageClass"),
    )


def write_result(key: str, size: int, answer: Mapping[str, Any], metadata: Mapping[str, str]) -> WriteResult:
    """What a `PutObject` or a `CompleteMultipartUpload` made."""
    return WriteResult(
        key,
        size,
        etag=bare(answer.get("ETag")),
        version_id=answer.get("VersionId"),
        digest=digest(answer),
        metadata=dict(metadata),
    )


def folder_entry(prefix: str) -> FolderEntry:
    """The folder of a common prefix."""
    return FolderEntry(folder_of(prefix), prefix[:-1].rpartition("/")[2])


def digest(answer: Mapping[str, Any]) -> ContentDigest | None:
    """The checksum in an answer; one of a multipart upload covers its parts' checksums, unless the answer says not."""
    for name, value in answer.items():
        if name.startswith(CHECKSUM) and name not in NOT_CHECKSUMS and value:
            kind = answer.get("ChecksumType")
            multipart = "-" in (answer.get("ETag") or "")
            whole = kind == "FULL_OBJECT" if kind else not multipart
            return ContentDigest(name.removeprefix(CHECKSUM).lower(), value, whole)
    return None


def checksums(answer: Mapping[str, Any]) -> dict[str, str]:
    """The checksums in the answer to an `UploadPart`, as `CompleteMultipartUpload` wants them repeated."""
    names = [name for name in answer if name.startswith(CHECKSUM) and name not in NOT_CHECKSUMS]
    return {name: answer[name] for name in names if answer[name]}


def bare(etag: str | None) -> str | None:
    """An entity tag without its quotes, its case kept."""
    return None if etag is None else etag.strip('"')


def utc(time: datetime | None) -> datetime | None:
    """The time, aware and in UTC; S3 says every time in UTC."""
    if time is None or time.tzinfo is UTC:
        return time
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
