"""Backends that are wrong in reads of bytes, ranges and lines."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

from remote_store.core import LocalBackend, MemoryBackend, check_range

PIECE = 1 << 20
GZIP = b"\x1f\x8b"


class UnpacksGzipOnRead(MemoryBackend):
    """`read_bytes` unpacks content that begins like a gzip file, as HTTP clients do with a Content-Encoding."""

    breaks: ClassVar[str] = "READ-002"

    def read_bytes(self, path: str, **options: Any) -> Any:
        content = super().read_bytes(path, **options)
        if isinstance(content, bytes) and content.startswith(GZIP):
            with suppress(OSError, EOFError, zlib.error):
                return gzip.decompress(content)
        return content


class KeepsRangesByTheirStart(MemoryBackend):
    """`read_ranges` collects the bytes under the start of each range, so two ranges with one start get the same."""

    breaks: ClassVar[str] = "MANY-006"

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        asked = list(ranges)
        found = super().read_ranges(path, asked, **options)
        by_start = {start: content for (start, _), content in zip(asked, found, strict=True)}
        return [by_start[start] for start, _ in asked]


class ReadsRangesIntoOneBuffer(LocalBackend):
    """All calls of `read_range` read into one buffer of the instance, so threads get bytes of each other's files."""

    breaks: ClassVar[str] = "LIFE-001"

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._scratch = bytearray(64 * 1024)

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        self._check_open()
        check_range(start, length)
        with self.read(path, **options) as file:
            count = min(length, max(os.fstat(file.fileno()).st_size - start, 0))
            if not count:
                return b""
            if count > len(self._scratch):
                self._scratch = bytearray(count)
            buffer = memoryview(self._scratch)[:count]
            arrived = os.preadv(file.fileno(), [buffer], start)
            return bytes(buffer[:arrived])


class LeaksTheFileOfAnEmptyRange(LocalBackend):
    """`read_range` returns early for a range at or past the end, and leaves the file open."""

    breaks: ClassVar[str] = "PROC-002"

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        self._check_open()
        check_range(start, length)
        with self.read(path, **options) as file:
            descriptor = os.dup(file.fileno())
        size = os.fstat(descriptor).st_size
        if start >= size:
            return b""
        try:
            return os.pread(descriptor, min(length, size - start), start)
        finally:
            os.close(descriptor)


class ReadsLargeFilesInThreads(LocalBackend):
    """`read_bytes` reads a file of more than 1 MiB in several threads, which an exit handler cannot start."""

    breaks: ClassVar[str] = "LIFE-023"

    def read_bytes(self, path: str, **options: Any) -> Any:
        if options:
            return super().read_bytes(path, **options)
        with self.read(path) as file:
            size, descriptor = os.fstat(file.fileno()).st_size, file.fileno()
            if size <= PIECE:
                return file.read()
            with ThreadPoolExecutor(4) as pool:
                pieces = pool.map(lambda start: os.pread(descriptor, PIECE, start), range(0, size, PIECE))
                return b"".join(pieces)
