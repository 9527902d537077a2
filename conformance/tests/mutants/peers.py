"""Backends that are consistent with themselves but not with another adapter of the same storage."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

from mutants.facts import Describes
from mutants.registry import broken
from remote_store.core import AlreadyExists, Content, FileInfo, FolderEntry, MemoryBackend, NotFound, WriteResult
from remote_store.core.io.streams import Source
from remote_store.core.memory.files import StoredFile

PACKED = b"\x1f\x8b"
MARKER = ".keep"


@broken("PEER-001")
class PacksWhatItStores(MemoryBackend):
    """Stores files compressed and decompresses them when it reads them."""

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        return super().write(path, gzip.compress(Source(content).read_rest()), **options)

    def _file(self, path: str) -> StoredFile:
        file = super()._file(path)
        return replace(file, content=gzip.decompress(file.content)) if file.content.startswith(PACKED) else file


@broken("PEER-001", "PEER-004")
class SpreadsOverFolders(MemoryBackend):
    """Stores each file in a folder named after the first letter of its name."""

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        return replace(super().write(hidden(path), content, **options), path=path)

    def _file(self, path: str) -> StoredFile:
        return super()._file(hidden(path) if hidden(path) in self._files else path)

    def is_file(self, path: str) -> bool:
        return super().is_file(path) or super().is_file(hidden(path))


@broken("PEER-002")
class ReadsOnlyItsOwn(MemoryBackend):
    """Finds files only through an index of its own writes."""

    def __init__(self) -> None:
        super().__init__()
        self._index: set[str] = set()

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        self._index.add(path)
        return super().write(path, content, **options)

    def _file(self, path: str) -> StoredFile:
        if path in self._index:
            return super()._file(path)
        raise NotFound("the index has no such file", path=path, backend=self.name)


@broken("PEER-003")
class TimesAreWholeSeconds(Describes):
    """Truncates modification times to whole seconds, although the storage is more precise."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, modified_at=info.modified_at and info.modified_at.replace(microsecond=0))


@broken("PEER-003")
class TagsAreItsOwn(Describes):
    """Computes its own ETags instead of returning the storage's."""

    def described(self, info: FileInfo) -> FileInfo:
        return replace(info, etag=b64encode(sha256((info.etag or "").encode()).digest()).decode())


@broken("PEER-004")
class RemembersFolders(MemoryBackend):
    """Caches a folder's listing until it writes there itself."""

    def __init__(self) -> None:
        super().__init__()
        self._listings: dict[tuple[str, bool], list[FileInfo]] = {}

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        if (path, recursive) not in self._listings:
            listing = super().list_files(path, recursive=recursive, max_depth=max_depth)
            self._listings[path, recursive] = list(listing)
        return iter(self._listings[path, recursive])

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        self._listings.clear()
        return super().write(path, content, **options)


@broken("PEER-005")
class ProtectsOnlyItsOwn(MemoryBackend):
    """With `overwrite=False`, replaces a file that another adapter wrote."""

    def __init__(self) -> None:
        super().__init__()
        self._written: set[str] = set()

    def write(self, path: str, content: Content, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if not overwrite and path in self._written:
            raise AlreadyExists("the file exists", path=path, backend=self.name)
        self._written.add(path)
        return super().write(path, content, overwrite=True, **options)


@broken("PEER-006")
class CopiesWhatItRemembers(MemoryBackend):
    """Copies a file with the metadata cached from its own writes."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: dict[str, dict[str, Any]] = {}

    def write(self, path: str, content: Content, *, overwrite: bool = False, **facts: Any) -> WriteResult:
        self._remembered[path] = facts
        return super().write(path, content, overwrite=overwrite, **facts)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.write(dst, self.read_bytes(src), overwrite=overwrite, **self._remembered.get(src, {}))


@broken("PEER-007")
class LeavesHiddenMarkers(MemoryBackend):
    """Leaves a hidden placeholder file in a folder that loses its last file."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        folder = path.rpartition("/")[0]
        if folder and not super().is_folder(folder):
            super().write(f"{folder}/{MARKER}", b"")

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (info for info in super().list_files(path, **options) if info.name != MARKER)

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        for entry in super().list_folders(path):
            if any(self.list_files(entry.path, recursive=True)):
                yield entry


def hidden(path: str) -> str:
    """The path under which a file is stored."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name[:1]}/{name}"
