"""Backends whose `write` stores something else than its content, or changes what is not its own."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from json import dumps
from types import MappingProxyType
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import find, now

from remote_store.core import Content, ContentDigest, LocalBackend, MemoryBackend, Source, WriteResult


class StopsAtAnEmptyChunk(MemoryBackend):
    """An empty item of an iterator is taken for its end, so the items after it are not written."""

    breaks: ClassVar[str] = "WRITE-021"

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, Iterator) and not hasattr(content, "read"):
            content = iter(partial(next, content, b""), b"")
        return super().write(path, content, **options)


class Limited:
    """The next bytes of a stream.

    Args:
        stream: The stream.
        size: How many bytes.
    """

    def __init__(self, stream: Any, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int, /) -> Any:
        """Up to `size` bytes."""
        data = self._stream.read(min(size, self._left))
        self._left -= len(data or b"")
        return data


class BelievesTheFileNumber(LocalBackend):
    """The length of a stream is that of the file with its `fileno()`, which for a gzip file is the compressed one."""

    breaks: ClassVar[str] = "WRITE-003"

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, self._measured(content), **options)

    def _measured(self, content: Any) -> Any:
        try:
            facts = os.fstat(content.fileno())
            left = facts.st_size - content.tell()
        except (AttributeError, OSError, TypeError, ValueError):
            return content
        # A file of the kernel has no size.
        return Limited(content, left) if stat.S_ISREG(facts.st_mode) and left > 0 else content


class ClosesTheStreamThatItBuffers(MemoryBackend):
    """A raw stream is read through a buffered reader, which closes it when the write is done."""

    breaks: ClassVar[str] = "WRITE-005"

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, io.RawIOBase) and content.readable():
            content = io.BufferedReader(content)
        return super().write(path, content, **options)


class ForgetsTheOldFileTooEarly(SQLiteBackend):
    """An overwrite deletes the old file before it reads the new content, so a stream that fails loses the file."""

    breaks: ClassVar[str] = "WRITE-008"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._check_write(path, metadata, content_type)
        if overwrite:
            with self._open(path, begin=WRITING) as db:
                db.execute("DELETE FROM files WHERE key = ?", (path,))
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class WritesThroughAFixedTemporaryName(MemoryBackend):
    """Content is first written to the path with `.part` added, which replaces a file of the user that has this name."""

    breaks: ClassVar[str] = "WRITE-018"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = MappingProxyType({}),
    ) -> WriteResult:
        part = f"{path}.part"
        others = {name: value for name, value in asked.items() if name != "if_match"}
        result = super()._commit(part, content, True, metadata, content_type, asked=others)
        with self._lock:
            file = self._files.pop(part)
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file
        return replace(result, path=path)


class TriesAgainWithTheRest(LocalBackend):
    """A write whose stream raises a connection error or a timeout is tried again with what is left of the stream."""

    breaks: ClassVar[str] = "ERR-012"

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except (ConnectionError, TimeoutError):
            return super().write(path, content, **options)


class UpdatesRowsOfTheSameSize(SQLiteBackend):
    """Content of the same size replaces the old content in its row, so the version and the ETag stay the same."""

    breaks: ClassVar[str] = "META-007"

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
        row = (data, now(), digest, dumps(checked), content_type)
        names = ("content", "modified_at", "sha256", "metadata", "content_type")
        with self._open(path, begin=WRITING) as db:
            self._check_free(db, path, overwrite=overwrite)
            old = find(db, path)
            if old is not None and old["size"] == len(data):
                # No blob has to be moved.
                version = old["version"]
                changes = ", ".join(f"{name} = ?" for name in names)
                db.execute(f"UPDATE files SET {changes} WHERE version = ?", (*row, version))
            else:
                insert = f"REPLACE INTO files (key, {', '.join(names)}) VALUES (?, ?, ?, ?, ?, ?)"
                version = db.execute(insert, (path, *row)).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)

    write_atomic = write
