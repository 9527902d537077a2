"""Broken backends: what a write takes, stores and leaves."""

from __future__ import annotations

import inspect
import io
import json
import os
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from sqlite_store import SQLiteBackend
from sqlite_store.rows import now

from remote_store.core import Content, ContentDigest, LocalBackend, MemoryBackend, Source, WriteOptions, WriteResult
from remote_store.core.options import check_write_options

BLOCK = 1 << 20
COLUMNS = "key, content, modified_at, sha256, metadata, content_type"


class UntilShort:
    """A stream that ends at the first read that returns fewer bytes than it was asked for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ended = False

    def read(self, size: int, /) -> Any:
        """The next bytes."""
        data = b"" if self._ended else self._stream.read(size)
        self._ended = data is not None and len(data) < size
        return data


class TakesAShortReadForTheEnd(MemoryBackend):
    """A stream that returns fewer bytes than it was asked for is taken to be at its end."""

    breaks: ClassVar[str] = "WRITE-003"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> WriteResult:
        stream: Any = content
        read = getattr(content, "read", None)
        if callable(read) and not inspect.iscoroutinefunction(read) and not isinstance(content, io.TextIOBase):
            stream = UntilShort(content)
        return super().write(path, stream, overwrite=overwrite, metadata=metadata, content_type=content_type, **options)


class EndsAtAStopIteration(MemoryBackend):
    """Blocks are taken with `iter(read, b"")`, which takes a StopIteration of the stream for its end."""

    breaks: ClassVar[str] = "ERR-019"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        read = partial(Source(content).read_block, BLOCK)
        self._check_target(path, asked, overwrite=overwrite)
        data = b"".join(iter(read, b""))
        return self._commit(path, data, overwrite, checked, content_type, asked=asked)


class ClosesUnbufferedStreams(SQLiteBackend):
    """A raw stream is wrapped in a buffer, which closes the stream of the caller when the write forgets it."""

    breaks: ClassVar[str] = "WRITE-005"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        stream: Any = io.BufferedReader(content) if isinstance(content, io.RawIOBase) else content
        return super().write(path, stream, overwrite=overwrite, metadata=metadata, content_type=content_type)


class WritesAgainAfterALostConnection(SQLiteBackend):
    """A write that ends with a ConnectionError is tried once more, even if the stream of the caller raised it."""

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
        once = partial(super().write, path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        try:
            return once()
        except ConnectionError:
            return once()


class IgnoresOptionsThatItDoesNotKnow(SQLiteBackend):
    """A write accepts any other option, such as `if_match`, and ignores it."""

    breaks: ClassVar[str] = "WRITE-017"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **_: Any,
    ) -> WriteResult:
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)


class WritesInADeferredTransaction(SQLiteBackend):
    """A write begins its transaction as a reader, and fails at once if another writer came between check and write."""

    breaks: ClassVar[str] = "WRITE-016"

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
        data = Source(content).read_rest()
        digest = sha256(data).hexdigest()
        with self._open(path, begin="BEGIN") as db:
            self._check_free(db, path, overwrite=overwrite)
            row = (path, data, now(), digest, json.dumps(checked), content_type)
            version = db.execute(f"REPLACE INTO files ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)

    write_atomic = write


class ReadsTheSourceInItsTransaction(SQLiteBackend):
    """The content is read while the transaction of the write is open, so the source cannot write another file."""

    breaks: ClassVar[str] = "PROC-009"

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
        with self._open(path, begin="BEGIN IMMEDIATE") as db:
            self._check_free(db, path, overwrite=overwrite)
            data = source.read_rest()
            digest = sha256(data).hexdigest()
            row = (path, data, now(), digest, json.dumps(checked), content_type)
            version = db.execute(f"REPLACE INTO files ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)

    write_atomic = write


class NumbersItsSpoolFiles(SQLiteBackend):
    """The temporary file of a write is named by an id of the instance and a counter, which a forked child repeats."""

    breaks: ClassVar[str] = "PROC-004"

    def __init__(self, database: str | os.PathLike[str]) -> None:
        super().__init__(database)
        self._number()

    def _number(self) -> None:
        self._run, self._numbers = uuid4().hex, count()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_run", "_numbers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._number()

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
        spool = Path(tempfile.gettempdir()) / f"sqlite-store-{self._run}-{next(self._numbers)}"
        try:
            with spool.open("wb") as file:
                while block := source.read_block(BLOCK):
                    file.write(block)
            with self._open(path, begin="BEGIN IMMEDIATE") as db:
                self._check_free(db, path, overwrite=overwrite)
                data = spool.read_bytes()
                digest = sha256(data).hexdigest()
                row = (path, data, now(), digest, json.dumps(checked), content_type)
                version = db.execute(f"REPLACE INTO files ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
            return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)
        finally:
            spool.unlink(missing_ok=True)

    write_atomic = write


class OverwritesInPlace(LocalBackend):
    """A file without attributes is overwritten in place, to keep its hard links, so an open stream reads both."""

    breaks: ClassVar[str] = "READ-013"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> WriteResult:
        attributes = metadata is not None or content_type is not None or options
        if attributes or not overwrite or not path or not self.is_file(path) or self._is_attributed(path):
            return super().write(
                path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
            )
        data = Source(content).read_rest()
        with Path(self.native_path(path)).open("r+b") as file:
            file.write(data)
            file.truncate()
            file.flush()
            os.utime(file.fileno(), ns=(time.time_ns(), time.time_ns()))
        info = self.get_file_info(path)
        return WriteResult(path, len(data), info.etag, metadata={})

    def _is_attributed(self, path: str) -> bool:
        info = self.get_file_info(path)
        headers = info.cache_control, info.content_disposition, info.content_encoding, info.expires
        return bool(info.metadata or info.content_type or any(headers))
