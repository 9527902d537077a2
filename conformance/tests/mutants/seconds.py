"""Backends whose bugs show at the second caller, the second thread or the second attempt."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

from mutants.registry import broken
from remote_store.core import BackendUnavailable, LocalBackend, MemoryBackend, NotFound, WriteResult

BLOCK = 1 << 20


class OneThread(io.RawIOBase):
    """A stream that fetches further blocks only in the thread that fetched the first one."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self._thread: int | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        self._thread = self._thread or threading.get_ident()
        if self._thread != threading.get_ident():
            raise BackendUnavailable("the connection belongs to another thread", retryable=False)
        return self._content.readinto(buffer)


@broken("PROC-006")
class BindsAStreamToItsReader(MemoryBackend):
    """A stream fetches blocks of one MiB, all of them in the thread that read first."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        return io.BufferedReader(OneThread(super().read_bytes(path, **options)), BLOCK)


@broken("PROC-006")
class EndsABlockWhereItBegan(LocalBackend):
    """What is to be done at the end of a block of `open_atomic` is remembered in a `threading.local`."""

    began = threading.local()

    def open_atomic(self, path: str, **options: Any) -> AbstractContextManager[BinaryIO]:
        return self._block(super().open_atomic(path, **options))

    @contextmanager
    def _block(self, block: AbstractContextManager[BinaryIO]) -> Iterator[BinaryIO]:
        with block as draft:
            self.began.depth = getattr(self.began, "depth", 0) + 1
            yield draft
            self.began.depth -= 1


@broken("WRITE-016")
class FillsOneBuffer(MemoryBackend):
    """A file on disk is read through a buffer that all writes share."""

    buffer = bytearray(BLOCK)

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, io.BufferedReader | io.FileIO):
            content = self._pieces(content)
        return super().write(path, content, **options)

    def _pieces(self, content: io.BufferedReader | io.FileIO) -> Iterator[memoryview]:
        while count := content.readinto(self.buffer):
            yield memoryview(self.buffer)[:count]


@broken("ERR-012")
class AsksTheCallerTwice(MemoryBackend):
    """Errors that say that they can be retried are, also those of the caller's stream."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except BackendUnavailable as error:
            if not error.retryable:
                raise
            return super().write(path, content, **options)


@broken("SWAP-009")
class TrustsACopyOntoItself(LocalBackend):
    """A copy onto itself only looks whether the file exists."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        if src != dst:
            super().copy(src, dst, overwrite=overwrite, **options)
        elif not self.is_file(src):
            raise NotFound("there is no such file", path=src, backend=self.name)


@broken("SWAP-010")
class TrustsAMoveOntoItself(MemoryBackend):
    """A move onto itself only looks whether the file exists."""

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        if src != dst:
            super().move(src, dst, overwrite=overwrite, **options)
        elif not self.is_file(src):
            raise NotFound("there is no such file", path=src, backend=self.name)
