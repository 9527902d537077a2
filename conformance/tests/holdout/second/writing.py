"""Broken backends: writing, and the errors of content."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, ClassVar, Unpack

from sqlite_store import SQLiteBackend

from remote_store.core import (
    BackendUnavailable,
    Content,
    LocalBackend,
    MemoryBackend,
    RemoteStoreError,
    WriteOptions,
    WriteResult,
)

BLOCK = 1 << 20


class UntilShort:
    """A stream that ends with the first block that is not full."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self._ended = False

    def read(self, size: int, /) -> Any:
        if self._ended:
            return b""
        block = self.file.read(size)
        self._ended = block is not None and len(block) < size
        return block


class TakesAShortReadForTheEnd(SQLiteBackend):
    """A write reads its stream until a read returns fewer bytes than requested, which a pipe does at any time."""

    breaks: ClassVar[str] = "WRITE-003"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        if hasattr(content, "read") and not iscoroutinefunction(content.read):
            content = UntilShort(content)
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class ClosesAnUnbufferedSource(SQLiteBackend):
    """A write wraps an unbuffered stream in a `BufferedReader`, which closes the stream when it is collected."""

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
        if isinstance(content, io.RawIOBase):
            content = io.BufferedReader(content, BLOCK)
        return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class CachesTheCallersBuffer(SQLiteBackend):
    """The content of the last write is cached for `read_bytes` without a copy, though it may be a `bytearray`."""

    breaks: ClassVar[str] = "WRITE-013"
    _last: tuple[str, str | None, bytes | bytearray] = ("", None, b"")

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        result = super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        if isinstance(content, bytes | bytearray):
            self._last = (path, result.etag, content)
        return result

    write_atomic = write

    def read_bytes(self, path: str) -> bytes:
        cached, etag, content = self._last
        if path == cached and self.get_file_info(path).etag == etag:
            return bytes(content)
        return super().read_bytes(path)


class MakesTheFoldersFirst(LocalBackend):
    """A write makes the folders of its file before it reads its content, and leaves them there if the content fails."""

    breaks: ClassVar[str] = "ERR-017"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        self._check_write(path, metadata, content_type)
        folder = Path(self.native_path(path)).parent
        if Path(self._root).is_dir() and not self.exists(path):
            # A parent that is a file is reported below.
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
        return super().write(
            path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )


class TakesASourcesErrorForItsOwn(SQLiteBackend):
    """Each `OSError` during a write becomes `BackendUnavailable`, also one that the caller's stream raised."""

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
        try:
            return super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        except RemoteStoreError:
            raise
        except OSError as error:
            message = "the disk failed during the write; try again"
            raise BackendUnavailable(message, path=path, backend=self.name, retryable=True) from error

    write_atomic = write


class TakesStopIterationForTheEnd(MemoryBackend):
    """A stream is read by `iter(read, b"")`, so a `StopIteration` that it raises ends it, and a part is committed."""

    breaks: ClassVar[str] = "ERR-019"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        read: Any = getattr(content, "read", None)
        if callable(read) and not iscoroutinefunction(read) and not isinstance(content, io.TextIOBase):
            content = iter(partial(read, BLOCK), b"")
        return super().write(
            path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )
