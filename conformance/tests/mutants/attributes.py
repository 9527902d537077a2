"""Backends that keep a fact of a former file, or lose one, in some of the ways to write, copy and replace a file."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from mutants.database import DatabaseBackend
from mutants.registry import broken
from remote_store.core import FileInfo, FolderInfo, MemoryBackend, WriteResult
from remote_store.core.checksums import digest_of
from remote_store.core.memory.files import StoredFile

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Replaces(MemoryBackend):
    """Files in memory; a subclass changes what replaces a file.

    Attributes:
        methods: The methods that it changes.
    """

    methods: tuple[str, ...] = ()

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        """The file that is stored."""
        return new

    def _replaced(self, method: str, path: str, old: StoredFile | None) -> None:
        if method in self.methods and old is not None and path in self._files:
            self._files[path] = self.kept(old, self._files[path])

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        old = self._files.get(path)
        result = super().write(path, content, **options)
        self._replaced("swap" if options.get("if_match") else "write", path, old)
        return result

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        old = self._files.get(path)
        result = super().write_atomic(path, content, **options)
        self._replaced("write_atomic", path, old)
        return result

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        old = self._files.get(path)
        with super().open_atomic(path, **options) as stream:
            yield stream
        self._replaced("open_atomic", path, old)

    def copy(self, src: str, dst: str, **options: Any) -> None:
        old = self._files.get(dst) if src != dst else None
        super().copy(src, dst, **options)
        self._replaced("copy", dst, old)

    def move(self, src: str, dst: str, **options: Any) -> None:
        old = self._files.get(dst) if src != dst else None
        super().move(src, dst, **options)
        self._replaced("move", dst, old)


@broken("META-014")
class BlocksKeepTheOldType(Replaces):
    """`open_atomic` without a content type keeps that of the file that it replaces."""

    methods = ("open_atomic",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, content_type=new.content_type or old.content_type)


@broken("COPY-004")
class CopiesOfNothingKeepTheOldMetadata(Replaces):
    """A copy of a file without metadata keeps that of the file that it replaces."""

    methods = ("copy",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, metadata=new.metadata or old.metadata)


@broken("COPY-017")
class MovesOfUntypedFilesKeepTheOldType(Replaces):
    """A move of a file without a content type keeps that of the file that it replaces."""

    methods = ("move",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, content_type=new.content_type or old.content_type)


@broken("HEAD-003")
class AtomicWritesKeepOldHeaders(Replaces):
    """`write_atomic` keeps the headers of the file that it replaces, unless it has new ones of the same name."""

    methods = ("write_atomic",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, headers={**old.headers, **new.headers})


@broken("HEAD-002")
class MovesKeepTheHeadersOfTheTarget(Replaces):
    """A move onto a file keeps the headers of that file."""

    methods = ("move",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, headers=old.headers or new.headers)


@broken("HEAD-001")
class ExpiresAfter1970(MemoryBackend):
    """Drops an `expires` before 1970, which is a negative number of seconds."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        info = super().get_file_info(path, **options)
        old = isinstance(info, FileInfo) and info.expires is not None and info.expires < EPOCH
        return replace(info, expires=None) if old else info


@broken("VERS-008")
class CopiesAddTags(Replaces):
    """A copy onto a file adds the tags of its source to those of that file."""

    methods = ("copy",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, tags={**old.tags, **new.tags} if len({**old.tags, **new.tags}) <= 10 else new.tags)


@broken("VERS-008")
class BlocksKeepOldTags(Replaces):
    """`open_atomic` without tags keeps those of the file that it replaces."""

    methods = ("open_atomic",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, tags=new.tags or old.tags)


@broken("VERS-007")
class TagsReplaceTheHeaders(MemoryBackend):
    """`set_tags` writes the facts of the file anew, without its headers."""

    def set_tags(self, path: str, tags: Mapping[str, str], **options: Any) -> None:
        super().set_tags(path, tags, **options)
        self._files[path] = replace(self._files[path], headers={})


@broken("VERS-007")
class CountsTheTagsOfTheWrite(MemoryBackend):
    """The number of tags is that of the write, and `set_tags` does not change it."""

    def set_tags(self, path: str, tags: Mapping[str, str], **options: Any) -> None:
        super().set_tags(path, tags, **options)
        self.__dict__.setdefault("counts", {}).setdefault(path, len(tags))

    def get_file_info(self, path: str, **options: Any) -> Any:
        count = self.__dict__.get("counts", {}).get(path)
        return super().get_file_info(path, **options) if count is None else self._counted(path, count, options)

    def _counted(self, path: str, count: int, options: dict[str, Any]) -> Any:
        return replace(super().get_file_info(path, **options), tag_count=count or None)


@broken("VERS-007")
class SharesTagsWithItsCallers(MemoryBackend):
    """`get_tags` returns the stored mapping, which the caller may change."""

    def get_tags(self, path: str, **options: Any) -> dict[str, str]:
        super().get_tags(path, **options)
        kept = dict(self._files[path].tags)
        self._files[path] = replace(self._files[path], tags=kept)
        return kept


@broken("META-009")
class SharesMetadataWithItsListings(MemoryBackend):
    """Listings return the stored mapping of metadata, which the caller may change."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        for info in super().list_files(path, **options):
            kept = dict(info.metadata or {})
            self._files[info.path] = replace(self._files[info.path], metadata=kept)
            yield replace(info, metadata=kept)


@broken("SUM-001")
class SumsTheHeaderToo(MemoryBackend):
    """The checksum of a stream is that of the whole stream, also if the write begins after its header."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if isinstance(content, io.BytesIO) and options.get("checksum"):
            digest = digest_of(content.getvalue(), options["checksum"].lower())
            self._files[path] = replace(self._files[path], checksum=digest)
            return replace(result, digest=digest)
        return result


@broken("SUM-001")
class MovesKeepTheSumOfTheTarget(Replaces):
    """A move onto a file keeps the checksum of that file."""

    methods = ("move",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, checksum=old.checksum)


@broken("META-007")
class MovesKeepTheTagOfTheTarget(Replaces):
    """A move onto a file keeps the ETag of that file."""

    methods = ("move",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, md5=old.md5)


@broken("META-004")
class SwapsKeepTheTime(Replaces):
    """A write with `if_match` keeps the time of the version that it replaces."""

    methods = ("swap",)

    def kept(self, old: StoredFile, new: StoredFile) -> StoredFile:
        return replace(new, modified_at=old.modified_at)


@broken("META-015")
class CountsWritesOnly(Replaces):
    """The totals of a folder are counted again after a write only, not after a move or a copy onto a file."""

    def get_folder_info(self, path: str) -> FolderInfo:
        totals = self.__dict__.setdefault("totals", {})
        if path not in totals:
            totals[path] = super().get_folder_info(path)
        kept: FolderInfo = totals[path]
        return kept

    def _replaced(self, method: str, path: str, old: StoredFile | None) -> None:
        if method not in ("copy", "move") or old is None:
            self._forget(path)

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self._forget(path)

    def _forget(self, path: str) -> None:
        totals = self.__dict__.setdefault("totals", {})
        for folder in [folder for folder in totals if path.startswith(folder)]:
            del totals[folder]


@broken("COPY-017")
class MovesLeaveThePiecesOfALargeTarget(DatabaseBackend):
    """A move onto a file replaces as many pieces as the source has, and leaves the others."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        old = self._files.get(dst) if src != dst else None
        super().move(src, dst, **options)
        new = self._files[dst]
        if old is not None and len(old.content) > 1 << 20 > len(new.content):
            self._files[dst] = replace(new, content=new.content + old.content[1 << 20 :])
