"""The dicts by which fsspec describes files and folders."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeAlias

from remote_store.core import FileInfo, FolderEntry
from remote_store.fsspec.names.paths import below

Entry: TypeAlias = dict[str, Any]
IN_ENTRY = {
    "ETag": "etag",
    "LastModified": "modified_at",
    "ContentType": "content_type",
    "VersionId": "version_id",
    "StorageClass": "storage_class",
}


def entry_of(row: FileInfo | FolderEntry) -> Entry:
    """The entry of a row of a listing, or of a file. What the service did not say is left out.

    It has `name`, `size` and `type`, as fsspec requires. A file also has `mtime` in seconds since 1970, `LastModified`,
    `ETag` without quotes, `ContentType`, `VersionId`, `StorageClass` and `metadata`, as far as they are known.
    """
    if isinstance(row, FolderEntry):
        return folder_entry(str(row.path))
    entry: Entry = {"name": str(row.path), "size": row.size, "type": "file"}
    if row.modified_at is not None:
        entry["mtime"] = row.modified_at.timestamp()
    entry |= {name: getattr(row, field) for name, field in IN_ENTRY.items() if getattr(row, field) is not None}
    if row.metadata is not None:
        entry["metadata"] = dict(row.metadata)
    return entry


def folder_entry(name: str) -> Entry:
    """The entry of a folder."""
    return {"name": name, "size": 0, "type": "directory"}


def last_segment(entry: Entry) -> str:
    """The last segment of the key; for a folder, without the slash that may end it."""
    key: str = entry["name"]
    if entry["type"] == "directory":
        key = key.removesuffix("/")
    return key.rpartition("/")[2]


def modified(entry: Entry) -> datetime:
    """The time of the last write.

    Raises:
        NotImplementedError: The service does not say it, as for a folder.
    """
    if "LastModified" not in entry:
        raise NotImplementedError(f"{entry['name']!r} has no time of modification, as folders of a store have none")
    time: datetime = entry["LastModified"]
    return time.astimezone(UTC)


def folders_of(entries: list[Entry], folder: str, maxdepth: int | None) -> list[Entry]:
    """The entries of files with those of all folders between them and the folder, down to a depth.

    If a file and a folder have the same key, the file is kept.
    """
    start = len(below(folder))
    found: dict[str, Entry] = {}
    for entry in entries:
        name: str = entry["name"]
        segments = name[start:].split("/")
        if entry["type"] == "directory":
            found.setdefault(name, entry)
            continue
        for depth in range(1, len(segments)):
            if maxdepth is None or depth <= maxdepth:
                above = name[:start] + "/".join(segments[:depth])
                # The key of a folder whose last segment is empty ends in a slash.
                above = above if segments[depth - 1] else f"{above}/"
                found.setdefault(above, folder_entry(above))
        if maxdepth is None or len(segments) <= maxdepth:
            found[name] = entry
    return list(found.values())


def ukey(place: str, entry: Entry) -> str:
    """A text that differs for files that differ: a digest of the store's place, the key, and the version's facts."""
    facts = [place, *(str(entry.get(name)) for name in ("name", "type", "size", "ETag", "LastModified", "VersionId"))]
    return sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()
