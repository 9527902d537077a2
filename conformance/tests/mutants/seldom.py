"""Backends whose bugs need a second step: a read after a line, a write after a seek, a new file."""

from __future__ import annotations

import io
import os
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from mutants.reading import Reads, Stream
from mutants.registry import broken
from mutants.streams import Seeks
from remote_store.core import BackendUnavailable, ContentDigest, FolderInfo, MemoryBackend, WriteResult
from remote_store.core.checksums import encoded
from remote_store.core.memory.files import Draft

PATIENCE = 0.1


class Current(Stream):
    """A stream that asks for the current size of the file when it seeks from the end."""

    def __init__(self, backend: MemoryBackend, path: str) -> None:
        super().__init__(backend.read_bytes(path))
        self._now = partial(backend.get_file_info, path)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(self._now().size + offset) if whence == io.SEEK_END else super().seek(offset, whence)


@broken("SEEK-008")
class SeeksToTheEndOfTheNewVersion(MemoryBackend):
    """A seek from the end counts from the end of the file that has replaced the one that is read."""

    def read_seekable(self, path: str) -> BinaryIO:
        return Current(self, path)


class Counting(Stream):
    """A stream whose `readinto` fills as many bytes as the buffer has items."""

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        memoryview(buffer).cast("B")[: len(data)] = data
        return len(data) // memoryview(buffer).itemsize


@broken("SEEK-005")
class CountsItemsForBytes(Seeks):
    """`readinto` returns a number of items, which are wider than a byte."""

    stream = Counting


class Ahead(Stream):
    """A stream that reads ahead for its lines, and forgets what it has ahead at the next read."""

    def __iter__(self) -> Iterator[bytes]:
        yield from io.BytesIO(super().read()).readlines()


@broken("SEEK-006")
class LosesWhatItReadAhead(Reads):
    """Bytes that were read ahead for lines are missing in the next read."""

    stream = Ahead


@broken("ERR-012")
class TriesASourceAgain(MemoryBackend):
    """Repeats a write whose source raises an OSError, and so stores the rest of the source."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except OSError as error:
            if not hasattr(content, "read") or hasattr(error, "path"):
                raise
            return super().write(path, content, **options)


@broken("WRITE-003")
class GivesUpOnSlowSources(MemoryBackend):
    """Fails if the source needs a while for its next block."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "read"):
            return super().write(path, content, **options)
        blocks = []
        started = time.monotonic()
        while block := content.read(1 << 20):
            if time.monotonic() - started > PATIENCE:
                raise TimeoutError("the source is too slow")
            blocks.append(block)
            started = time.monotonic()
        return super().write(path, b"".join(blocks), **options)


@broken("ATOM-007")
class EndsDraftsAtThePosition(MemoryBackend):
    """The file of `open_atomic` ends at the position of its stream, also after a seek back."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with Draft() as draft:
            yield draft
            draft.truncate()
        self.write(path, draft.content, **options)


@broken("ATOM-011")
class TakesTheMetadataOfTheEnd(MemoryBackend):
    """`open_atomic` stores the metadata that its mapping has at the end of the block."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as draft:
            yield draft
            content = draft.getvalue()  # type: ignore[attr-defined]
        self.write(path, content, **(options | {"overwrite": True}))


@broken("VERS-008")
class KeepsTagsOfDeletedFiles(MemoryBackend):
    """A new file has the tags of the one that was deleted under its name."""

    def delete(self, path: str, **options: Any) -> None:
        tags = self.get_tags(path) if self.is_file(path) else {}
        super().delete(path, **options)
        self.__dict__.setdefault("former", {})[path] = tags

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        former: Mapping[str, str] = self.__dict__.get("former", {}).pop(path, {})
        return super().write(path, content, **(options | {"tags": former} if former else options))


@broken("SUM-001")
class DropsZerosOfChecksums(MemoryBackend):
    """A checksum that begins with zeros loses them."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        written = super().write(path, content, **options)
        digest = written.digest
        if digest is None:
            return written
        value = encoded(b64decode(digest.value).lstrip(b"\0"))
        return replace(written, digest=ContentDigest(digest.algorithm, value, full_object=digest.full_object))


@broken("META-020")
class DatesAFolderByItsLastKey(MemoryBackend):
    """The time of a folder is that of the file whose key is the last."""

    def get_folder_info(self, path: str) -> FolderInfo:
        files = sorted(self.list_files(path, recursive=True), key=lambda info: info.path)
        found = super().get_folder_info(path)
        return replace(found, modified_at=files[-1].modified_at) if files else found


@broken("WRITE-003")
class BelievesTheFileNumber(MemoryBackend):
    """Reads as many bytes of a stream as the file of its `fileno` has, which are fewer than a gzip file returns."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        with suppress(AttributeError, OSError):
            content = content.read(os.fstat(content.fileno()).st_size - content.tell())
        return super().write(path, content, **options)


@broken("WRITE-018")
class WritesThroughANameOfTheUser(MemoryBackend):
    """Writes to the path with `.part` added, removes that and so a file of the user, who may use this name too."""

    def _commit(self, path: str, *rest: Any, **asked: Any) -> WriteResult:
        written = super()._commit(path, *rest, **asked)
        self._files.pop(f"{path}.part", None)
        return written


@broken("VERS-008")
class SharesTagsWithItsCopies(MemoryBackend):
    """Tags that a copy is given are those of its source too."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **options)
        self.__dict__.setdefault("sources", {})[dst] = src

    def set_tags(self, path: str, tags: Mapping[str, str], **options: Any) -> None:
        super().set_tags(path, tags, **options)
        source = self.__dict__.get("sources", {}).get(path)
        if source is not None and self.is_file(source):
            super().set_tags(source, tags, **options)


class Slotted(Stream):
    """A stream that gives its slot back at its end."""

    free: Any = None

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell() == len(self.getvalue()) and self.free is not None:
            self.free()
            self.free = None
        return data


@broken("READ-017")
class KeepsTheSlotsOfAbandonedStreams(MemoryBackend):
    """A stream that is closed before its end keeps one of 64 connections."""

    taken = 0

    def read(self, path: str, **options: Any) -> BinaryIO:
        stream = Slotted(self.read_bytes(path, **options))
        if self.taken == 64:
            raise BackendUnavailable("no connection is free", path=path, backend=self.name, retryable=True)
        self.taken += 1
        stream.free = self._give_back
        return stream

    def _give_back(self) -> None:
        self.taken -= 1
