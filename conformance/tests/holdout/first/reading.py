"""Backends that read wrong bytes, or bytes of the wrong version."""

from __future__ import annotations

import io
import mmap
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from json import dumps
from typing import Any, BinaryIO, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import now, read_blob

from remote_store.core import (
    Content,
    ContentDigest,
    LocalBackend,
    MemoryBackend,
    Source,
    WriteResult,
    check_range,
    require_file_path,
)


class ReadsToTheEndForLengthZero(SQLiteBackend):
    """A range of length 0 returns the rest of the file, because 0 is taken for a length that was not given."""

    breaks: ClassVar[str] = "READ-005"

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        with self._open(path, require_file_path) as db:
            row = self._file(db, path)
            return read_blob(db, row, start, length or row["size"])


class MapsEmptyFiles(LocalBackend):
    """`read_range` maps the file into memory, which the operating system refuses for an empty file."""

    breaks: ClassVar[str] = "READ-004"

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        self._check_open()
        check_range(start, length)
        with (
            self.read(path, **options) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
        ):
            return view[start : start + length]


class CountsTheCharactersOfText(SQLiteBackend):
    """Content that is UTF-8 is stored as text, whose length SQLite counts in characters instead of bytes."""

    breaks: ClassVar[str] = "READ-002"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Any = None,
        content_type: str | None = None,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        data = Source(content).read_rest()
        value: str | bytes
        try:
            value = data.decode()
        except UnicodeDecodeError:
            value = data
        digest = sha256(data).hexdigest()
        row = (path, value, now(), digest, dumps(checked), content_type)
        with self._open(path, begin=WRITING) as db:
            self._check_free(db, path, overwrite=overwrite)
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", digest), metadata=checked)

    write_atomic = write


class Late(io.RawIOBase):
    """A stream that opens its file when it is first used."""

    def __init__(self, begin: Callable[[], BinaryIO]) -> None:
        super().__init__()
        self._begin = begin
        self._opened: BinaryIO | None = None

    def _file(self) -> BinaryIO:
        if self._opened is None:
            self._opened = self._begin()
        return self._opened

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._file().read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file().seek(offset, whence)

    def tell(self) -> int:
        return 0 if self._opened is None else self._opened.tell()


class OpensTheFileAtTheFirstRead(MemoryBackend):
    """`read` only looks whether the file exists; the version that the stream reads is the one at its first read."""

    breaks: ClassVar[str] = "READ-013"

    def read(self, path: str, **options: Any) -> BinaryIO:
        self.get_file_info(path, **options)
        return io.BufferedReader(Late(partial(super().read, path, **options)))


class CutsARangeThatContainsAnother(MemoryBackend):
    """`read_ranges` merges ranges that overlap, and a merged range ends where the last of them ends."""

    breaks: ClassVar[str] = "MANY-006"

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        # Raises for what is no range.
        whole = super().read_ranges(path, ranges, **options)
        if not any(whole):
            return whole
        merged: list[tuple[int, int]] = []
        for start, length in sorted((start, length) for start, length in ranges):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], start + length)
            else:
                merged.append((start, start + length))
        with self.read_seekable(path, **options) as file:
            content = file.read()
        blocks = [(start, content[start:end]) for start, end in merged]
        found = []
        for start, length in ranges:
            first, block = max(block for block in blocks if block[0] <= start)
            found.append(block[start - first : start - first + length])
        return found
