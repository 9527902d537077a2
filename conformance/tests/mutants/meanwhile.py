"""Backends that go wrong when something happens in the middle of their work: a failure, a close, a copy, a pause."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar

from mutants.registry import broken
from remote_store.core import FileInfo, LocalBackend, MemoryBackend, NotFound, WriteResult

PATIENCE = 3600.0


@broken("PROC-009")
class RollsBackWithItsNeighbour(MemoryBackend):
    """A refused range rolls back the transaction of the instance, and with it what an open block has written."""

    refused = 0

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        try:
            return super().read_range(path, start, length, **options)
        except (ValueError, TypeError):
            self.refused += 1
            raise

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        before = self.refused
        with super().open_atomic(path, **options) as stream:
            yield stream
            if self.refused > before:
                stream.truncate(0)


@broken("LIFE-021")
class ClosesTheListingsOfAll(MemoryBackend):
    """`close` ends the listings of every instance, since they share one set of cursors."""

    closes: ClassVar[list[int]] = []

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        entries = list(super().list_files(path, **options))
        before = len(self.closes)

        def listed() -> Iterator[FileInfo]:
            for entry in entries:
                if len(self.closes) > before:
                    return
                yield entry

        return listed()

    def close(self) -> None:
        self.closes.append(1)
        super().close()


@broken("LIFE-022")
class PicklesItsReaders(MemoryBackend):
    """A copy knows the open streams of its original, and closes them with itself."""

    readers: ClassVar[list[Any]] = []

    def read(self, path: str) -> Any:
        stream = io.BytesIO(self.read_bytes(path))
        self.readers.append(stream)
        return stream

    def close(self) -> None:
        if self.__dict__.get("copied"):
            for stream in self.readers:
                stream.truncate(0)
        super().close()

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.copied = True


@broken("LIFE-003")
class PicklesByTheNewestProtocolOnly(MemoryBackend):
    """Cannot be pickled by the protocols below 4."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        if protocol < 4:
            raise TypeError("the protocol is too old")
        return super().__reduce_ex__(protocol)


@broken("PROC-007")
class DraftsExpire(MemoryBackend):
    """An `open_atomic` block that takes longer than an hour loses what was written."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        begun = time.monotonic()
        with super().open_atomic(path, **options) as stream:
            yield stream
            if time.monotonic() - begun > PATIENCE:
                stream.truncate(0)


@broken("PROC-007")
class CursorsExpire(MemoryBackend):
    """A listing ends early if it takes longer than an hour."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        begun = time.monotonic()
        entries = list(super().list_files(path, **options))
        return (entry for entry in entries if time.monotonic() - begun < PATIENCE)


@broken("ERR-009")
class ChecksTheRangeFirst(MemoryBackend):
    """A closed backend complains about a negative range before it says that it is closed."""

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        if isinstance(start, int) and start < 0:
            raise ValueError("start is negative")
        return super().read_range(path, start, length, **options)


@broken("LIFE-001")
class CopiesThroughOneBuffer(MemoryBackend):
    """A copy passes through a buffer of the instance, which several callers share."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        if not self.is_file(src):
            raise NotFound("there is no such file", path=src, backend=self.name)
        self.buffer = self.read_bytes(src)
        threading.Event().wait(0.002)
        super().copy(src, dst, **options)
        self.write(dst, self.buffer, overwrite=True)


@broken("LIFE-002")
class SharesAPathBetweenInstances(MemoryBackend):
    """The path that a write needs between two steps is kept in the class."""

    path: ClassVar[str] = ""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        type(self).path = path
        if not isinstance(content, bytes):
            content = b"".join(content) if not hasattr(content, "read") else content.read()
            threading.Event().wait(0.002)
        return super().write(self.path, content, **options)


@broken("COPY-014")
class RenamesBetweenLinks(LocalBackend):
    """A copy is another link to the file, and a rename between two links to one file does nothing."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **options)
        os.unlink(self.native_path(dst))  # noqa: PTH108 - keys are exact text
        os.link(self.native_path(src), self.native_path(dst))

    def move(self, src: str, dst: str, **options: Any) -> None:
        if not self.is_file(src) or not self.is_file(dst) or not options.get("overwrite"):
            super().move(src, dst, **options)
        else:
            os.replace(self.native_path(src), self.native_path(dst))  # noqa: PTH105 - keys are exact text


class Place(io.BytesIO):
    """A stream that gives its place back at its end."""

    leave: Any = None

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.leave is not None and self.tell() == len(self.getbuffer()):
            self.leave()
            self.leave = None
        return data


@broken("READ-017")
class HasFiftyPlaces(MemoryBackend):
    """A stream gives its place back when it has been read to its end, and there are 50 places."""

    places = 50

    def read(self, path: str) -> Any:
        stream = Place(self.read_bytes(path))
        if not self.places:
            raise TimeoutError("there is no place")
        self.places -= 1
        stream.leave = self._left
        return stream

    def _left(self) -> None:
        self.places += 1
