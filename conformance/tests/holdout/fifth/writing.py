"""Backends that write wrongly."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import now

from remote_store.core import (
    BackendUnavailable,
    Content,
    ContentDigest,
    LocalBackend,
    MemoryBackend,
    Source,
    WriteResult,
)
from remote_store.core.memory.files import stored

HOLE = 64 * 1024
BLOCK = 1 << 20
PATIENCE = 5.0


class SparseWriter(io.BufferedWriter):
    """A file that skips large blocks of zeros instead of writing them."""

    def write(self, data: Any, /) -> int:
        block = bytes(memoryview(data))
        if len(block) >= HOLE and block.count(0) == len(block):
            self.seek(len(block), io.SEEK_CUR)
            return len(block)
        return super().write(block)


class LeavesHoles(LocalBackend):
    """Blocks of zeros become holes of a sparse file, and those at its end are lost."""

    breaks: ClassVar[str] = "WRITE-001"

    @contextmanager
    def _unfinished(self, path: str, attributes: Mapping[str, bytes], *, overwrite: bool) -> Iterator[tuple[Any, Any]]:
        with super()._unfinished(path, attributes, overwrite=overwrite) as (unfinished, file):
            sparse = SparseWriter(file.raw)
            try:
                yield unfinished, sparse
            finally:
                with suppress(OSError, ValueError):
                    sparse.close()


class SharesABuffer(LocalBackend):
    """Files on disk are read through one buffer of the backend, which writes in other threads fill too."""

    breaks: ClassVar[str] = "WRITE-016"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._buffer = bytearray(BLOCK)

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        fast = type(content) in (io.FileIO, io.BufferedReader)
        return super().write(path, Filled(content, self._buffer) if fast else content, **options)

    def write_atomic(self, path: str, content: Content, **options: Any) -> WriteResult:
        return self.write(path, content, **options)


class Filled:
    """Reads a file into a buffer that exists already."""

    def __init__(self, file: Any, buffer: bytearray) -> None:
        self._file = file
        self._buffer = buffer

    def read(self, size: int, /) -> bytes:
        view, at = memoryview(self._buffer)[:size], 0
        while at < len(view):
            count = self._file.readinto(view[at:])
            if count is None:
                raise BlockingIOError("the stream is non-blocking and has no data yet; make it blocking")
            if not count:
                break
            at += count
        return bytes(view[:at])


class ClosesRawStreams(MemoryBackend):
    """An unbuffered stream is wrapped in a `BufferedReader`, which closes it when it is thrown away."""

    breaks: ClassVar[str] = "WRITE-005"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        if isinstance(content, io.RawIOBase):
            content = io.BufferedReader(content)
        return super().write(path, content, **options)


class RewindsForTheChecksum(MemoryBackend):
    """With `checksum`, a stream that can seek is read for the checksum, and then from its start for the content."""

    breaks: ClassVar[str] = "WRITE-004"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        stream: Any = content
        if options.get("checksum") and isinstance(content, io.IOBase) and content.seekable():
            stream.seek(0)
        return super().write(path, content, **options)


class DraftsBesideTheFile(MemoryBackend):
    """A write stores its content under the name with `.tmp` first, which replaces a file of that name."""

    breaks: ClassVar[str] = "WRITE-018"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = {},
    ) -> WriteResult:
        file, draft = stored(content, metadata, content_type, asked), f"{path}.tmp"
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[draft] = file
            self._files[path] = self._files.pop(draft)
        return WriteResult(path, len(content), file.etag, digest=file.digest, metadata=dict(metadata))


class EndsAtAnEmptyItem(MemoryBackend):
    """An iterator of bytes is read up to its first empty item, as a stream would be."""

    breaks: ClassVar[str] = "WRITE-021"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        if isinstance(content, Iterator) and not hasattr(content, "read"):
            content = takewhile(lambda item: item != b"", content)
        return super().write(path, content, **options)


class MakesBytesOfAnything(MemoryBackend):
    """Content of an unknown type is passed to `bytes`, which makes zeros of a number."""

    breaks: ClassVar[str] = "ERR-014"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        self._check_open()
        if not isinstance(content, str):
            try:
                Source(content)
            except TypeError:
                other: Any = content
                content = bytes(other)
        return super().write(path, content, **options)


class TriesTheSourceAgain(SQLiteBackend):
    """A write that raises a retryable `BackendUnavailable` is tried again, also if the caller's stream raised it."""

    breaks: ClassVar[str] = "ERR-012"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        for _ in range(2):
            try:
                return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
            except BackendUnavailable as error:
                if not error.retryable:
                    raise
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class ReadsTheSourceInItsTransaction(SQLiteBackend):
    """A write reads its source while it holds the lock of the database, so the source cannot write another file."""

    breaks: ClassVar[str] = "PROC-009"

    def _connect(self) -> sqlite3.Connection:
        uri = f"{Path(self._database).as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, factory=self.connection)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        source = Source(content)
        with self._open(path, begin=WRITING) as db:
            self._check_free(db, path, overwrite=overwrite)
            data = source.read_rest()
            sha256 = hashlib.sha256(data).hexdigest()
            row = (path, data, now(), sha256, json.dumps(checked), content_type)
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", sha256), metadata=checked)

    write_atomic = write
