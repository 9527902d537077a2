"""Backends that are wrong in writes."""

from __future__ import annotations

import inspect
import io
import os
import random
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import READING

from remote_store.core import (
    Content,
    LocalBackend,
    MemoryBackend,
    RemoteStoreError,
    Source,
    WriteResult,
    require_text,
)

BLOCK, PIECE = 1 << 20, 1 << 16
ATTEMPTS = 3


class Limited:
    """The next bytes of a stream, up to a number.

    Args:
        stream: The stream.
        left: How many bytes.
    """

    def __init__(self, stream: Any, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int, /) -> Any:
        """Up to `size` bytes."""
        data = self._stream.read(min(size, self._left)) if self._left > 0 else b""
        self._left -= len(data or b"")
        return data


class TakesTheLengthOfTheDescriptor(MemoryBackend):
    """The length of a stream with a descriptor is that of the file below, so an opened gzip file is stored in part."""

    breaks: ClassVar[str] = "WRITE-003"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        return super().write(path, self._measured(content), **options)

    def _measured(self, content: Any) -> Any:
        if isinstance(content, io.TextIOBase) or not hasattr(content, "fileno") or not hasattr(content, "tell"):
            return content
        try:
            facts, position = os.fstat(content.fileno()), content.tell()
        except (OSError, ValueError):
            return content
        return Limited(content, facts.st_size - position) if stat.S_ISREG(facts.st_mode) else content


class ClosesRawStreams(SQLiteBackend):
    """An unbuffered stream is wrapped in a buffer, which closes it when the buffer is collected."""

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
        buffered: Any = io.BufferedReader(content, BLOCK) if isinstance(content, io.RawIOBase) else content
        return super().write(path, buffered, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write


class TriesAgainWithTheRestOfTheStream(MemoryBackend):
    """A write is tried again after a lost connection of the caller's stream too, and stores what is left of that."""

    breaks: ClassVar[str] = "ERR-012"

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        for _ in range(ATTEMPTS - 1):
            try:
                return super().write(path, content, **options)
            except RemoteStoreError:
                raise
            except ConnectionError:
                continue
        return super().write(path, content, **options)


class CommitsAfterAnInterrupt(MemoryBackend):
    """An `open_atomic` block commits unless an Exception ends it, so it commits after KeyboardInterrupt too."""

    breaks: ClassVar[str] = "ATOM-004"

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        opening = super().open_atomic(path, **options)
        draft, failed = opening.__enter__(), False
        try:
            yield draft
        except Exception as error:
            failed = True
            opening.__exit__(type(error), error, error.__traceback__)
            raise
        finally:
            if not failed:
                opening.__exit__(None, None, None)


class Direct(io.BufferedWriter):
    """A file without a buffer."""

    def write(self, data: Any, /) -> int:
        self.raw.write(data)
        return memoryview(data).nbytes


class IgnoresShortWrites(LocalBackend):
    """It is not checked how many bytes of a block the system took, so a full disk cuts a file without an error."""

    breaks: ClassVar[str] = "WRITE-022"

    @contextmanager
    def _unfinished(self, path: str, attributes: Mapping[str, bytes], *, overwrite: bool) -> Iterator[tuple[Any, Any]]:
        with super()._unfinished(path, attributes, overwrite=overwrite) as (unfinished, file):
            yield unfinished, Direct(file.raw)


class Spooled:
    """A stream that is copied to a temporary file at its first read.

    Args:
        content: The stream.
        path: The temporary file.
    """

    def __init__(self, content: Any, path: Path) -> None:
        self._content = content
        self._path = path
        self._file: io.FileIO | None = None

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        if self._file is None:
            self._file = self._path.open("w+b", buffering=0)
            source = Source(self._content)
            while block := source.read_block(PIECE):
                self._file.write(block)
            self._file.seek(0)
        return self._file.read(size)

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


class DrawsNamesThatAForkRepeats(LocalBackend):
    """A stream is spooled to a file with a random name, and a fork draws the same names as its parent."""

    breaks: ClassVar[str] = "PROC-004"

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._random = random.Random()

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        read = getattr(content, "read", None)
        if not callable(read) or inspect.iscoroutinefunction(read) or isinstance(content, io.TextIOBase):
            return super().write(path, content, **options)
        name = f"upload-{self._random.getrandbits(64):016x}"
        spooled = Spooled(content, Path(tempfile.gettempdir()) / name)
        try:
            return super().write(path, spooled, **options)
        finally:
            spooled.close()


class BeginsWritesAsReads(SQLiteBackend):
    """A write begins as a reading transaction, and SQLite refuses at once to make it a writing one beside another."""

    breaks: ClassVar[str] = "WRITE-016"

    @contextmanager
    def _open(
        self, path: str, check: Callable[[str, str], None] = require_text, begin: str = READING
    ) -> Iterator[sqlite3.Connection]:
        with super()._open(path, check, READING) as db:
            yield db


class RemovesTheDraftsOfOthers(SQLiteBackend):
    """`close` removes all temporary files that the class remembers, also those that another instance still writes."""

    breaks: ClassVar[str] = "PROC-005"
    drafts: ClassVar[set[Path]] = set()

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        descriptor, name = tempfile.mkstemp()
        draft = Path(name)
        self.drafts.add(draft)
        try:
            with open(descriptor, "w+b") as file:  # noqa: PTH123
                yield file
            with draft.open("rb") as content:
                self.write(path, content, overwrite=overwrite, metadata=checked, content_type=content_type)
        finally:
            self.drafts.discard(draft)
            draft.unlink(missing_ok=True)

    def close(self) -> None:
        super().close()
        while self.drafts:
            self.drafts.pop().unlink(missing_ok=True)
