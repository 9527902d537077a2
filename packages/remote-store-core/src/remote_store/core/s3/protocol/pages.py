"""One answer of `ListObjectsV2`, checked: every key lies below the prefix that was asked for, and comes once."""

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


def read_page(fields: Fields) -> Page:
    """Read a listing that was asked for with `EncodingType=url`; a server that does not know it answers plainly.

    Raises:
        Fault: It is no listing, or lists what was not asked for.
    """
    told, params = fields.told, fields.call.params
    truncated = told.get("IsTruncated")
    if not isinstance(truncated, bool):
        raise fields.broken("does not say whether the listing goes on")
    encoded = told.get("EncodingType") == "url"
    asked = params.get("Prefix", "")
    objects = [_listed(fields, row, asked, encoded=encoded) for row in _rows(fields, "Contents")]
    if len({info.path for info in objects}) < len(objects):
        raise fields.broken("lists one key twice")
    prefixes = dict.fromkeys(_prefix(fields, row, encoded=encoded) for row in _rows(fields, "CommonPrefixes"))
    token = fields.text("NextContinuationToken") if truncated else None
    if truncated and token is None:
        raise fields.broken("says that the listing goes on, and not where")
    return Page(objects, list(prefixes), token)


def folder_entry(prefix: str) -> FolderEntry:
    """The folder of a common prefix."""
    return FolderEntry(folder_of(prefix), prefix[:-1].rpartition("/")[2])


def _rows(fields: Fields, name: str) -> list[Mapping[str, Any]]:
    rows = fields.told.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise fields.broken(f"has {name} that are no list")
    return rows


def _listed(fields: Fields, entry: Mapping[str, Any], asked: str, *, encoded: bool) -> FileInfo:
    key, size, etag = entry.get("Key"), entry.get("Size"), entry.get("ETag")
    storage_class = entry.get("StorageClass")
    if not isinstance(key, str) or not isinstance(size, int) or not 0 <= size <= LARGEST_SIZE:
        raise fields.broken("lists an object without a key or without a size")
    if encoded and ("%" in key or "+" in key):
        key = unquote_plus(key)
    if not key.startswith(asked) or not key:
        raise fields.broken("lists a key that does not begin with the prefix that was asked for")
    if (delimiter := fields.call.params.get("Delimiter")) and delimiter in key[len(asked) : -1]:
        raise fields.broken("lists a key of a folder below the one that was asked for")
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
        prefix = unquote_plus(prefix)
    if not prefix or not prefix.startswith(asked) or prefix.find("/", len(asked)) != len(prefix) - 1:
        raise fields.broken("lists a folder that is not directly below the prefix that was asked for")
    if "Delimiter" not in fields.call.params:
        raise fields.broken("lists a folder in place of its keys")
    return prefix
