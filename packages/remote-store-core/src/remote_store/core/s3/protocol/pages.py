"""Checks one response to `ListObjectsV2`: every key begins with the requested prefix and is listed once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from remote_store.core.models import FileInfo, FolderEntry
from remote_store.core.s3.protocol.fields import LARGEST_SIZE, Fields, bare, whole_seconds
from remote_store.core.s3.protocol.keys import folder_of, is_marker


@dataclass(frozen=True, slots=True)
class Page:
    """One response to `ListObjectsV2`.

    Attributes:
        objects: The listed objects, folder markers included.
        prefixes: The common prefixes.
        token: The continuation token for the next page; `None` on the last one.
    """

    objects: list[FileInfo]
    prefixes: list[str]
    token: str | None

    def files(self) -> Iterator[FileInfo]:
        """The objects without folder markers."""
        return (info for info in self.objects if not is_marker(info.path, info.size))

    def folders(self) -> Iterator[FolderEntry]:
        """The common prefixes as folders."""
        return (folder_entry(prefix) for prefix in self.prefixes)


def read_page(fields: Fields) -> Page:
    """Read the response to a listing with `EncodingType=url`. Keys from a server that ignores it are not encoded.

    Raises:
        Fault: It is not a listing, or lists something outside the request.
    """
    raw, params = fields.raw, fields.call.params
    truncated = fields.truncated()
    encoded = raw.get("EncodingType") == "url"
    asked = params.get("Prefix", "")
    objects = [_listed(fields, row, asked, encoded=encoded) for row in _rows(fields, "Contents")]
    if len({info.path for info in objects}) < len(objects):
        raise fields.broken("lists one key twice")
    prefixes = dict.fromkeys(_prefix(fields, row, encoded=encoded) for row in _rows(fields, "CommonPrefixes"))
    token = fields.text("NextContinuationToken") if truncated else None
    if truncated and token is None:
        raise fields.broken("is truncated but has no NextContinuationToken")
    return Page(objects, list(prefixes), token)


def folder_entry(prefix: str) -> FolderEntry:
    """The folder of a common prefix."""
    return FolderEntry(folder_of(prefix), prefix[:-1].rpartition("/")[2])


def _rows(fields: Fields, name: str) -> list[Mapping[str, Any]]:
    rows = fields.raw.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise fields.broken(f"has a {name} that is not a list")
    return rows


def _listed(fields: Fields, entry: Mapping[str, Any], asked: str, *, encoded: bool) -> FileInfo:
    key, size, etag = entry.get("Key"), entry.get("Size"), entry.get("ETag")
    storage_class = entry.get("StorageClass")
    if not isinstance(key, str) or not isinstance(size, int) or not 0 <= size <= LARGEST_SIZE:
        raise fields.broken("lists an object without a key or without a size")
    if encoded and ("%" in key or "+" in key):
        key = decoded(fields, key)
    if not key.startswith(asked) or not key:
        raise fields.broken("lists a key that does not begin with the requested prefix")
    if (delimiter := fields.call.params.get("Delimiter")) and delimiter in key[len(asked) : -1]:
        raise fields.broken("lists a key in a folder below the requested one")
    return FileInfo(
        key,
        key.rpartition("/")[2],
        size,
        whole_seconds(entry.get("LastModified")),
        etag=(bare(etag) or None) if isinstance(etag, str) else None,
        storage_class=storage_class if isinstance(storage_class, str) else None,
    )


def _prefix(fields: Fields, entry: Mapping[str, Any], *, encoded: bool) -> str:
    prefix, asked = entry.get("Prefix"), fields.call.params.get("Prefix", "")
    if not isinstance(prefix, str):
        raise fields.broken("lists a folder without a name")
    if encoded:
        prefix = decoded(fields, prefix)
    if not prefix or not prefix.startswith(asked) or prefix.find("/", len(asked)) != len(prefix) - 1:
        raise fields.broken("lists a folder that is not directly below the requested prefix")
    if "Delimiter" not in fields.call.params:
        raise fields.broken("lists a folder instead of its keys")
    return prefix


def decoded(fields: Fields, name: str) -> str:
    """A name of a listing with `EncodingType=url`.

    Raises:
        Fault: It is not UTF-8.
    """
    try:
        return unquote_plus(name, errors="strict")
    except UnicodeDecodeError as error:
        # With a replacement character it would be another key, which cannot be read or deleted.
        raise fields.broken("lists a key that is not UTF-8") from error
