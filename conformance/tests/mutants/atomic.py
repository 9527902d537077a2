"""Backends that expose half of a write, or let two writers succeed."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO, cast

from mutants.memory import PART
from mutants.registry import broken
from remote_store.core import MemoryBackend, WriteResult


@broken("ATOM-001")
class TakesBytesOnly(MemoryBackend):
    """`write_atomic` refuses streams and accepts only bytes."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "read"):
            raise TypeError(f"content is bytes, not {type(content).__name__}")
        return super().write_atomic(path, content, **options)


@broken("ATOM-002")
class DeletesFirst(MemoryBackend):
    """Deletes the old file before it writes the new one."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if path in self._files and options.get("overwrite"):
            self.delete(path)
            time.sleep(0.01)
        return super().write_atomic(path, content, **options)


@broken("ATOM-002")
class TearsSlowly(MemoryBackend):
    """Stores the first half of the content, then the whole: readers in between see the half."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if path in self._files and options.get("overwrite"):
            super().write(path, content[: len(content) // 2], overwrite=True)
            time.sleep(0.01)
        return super().write_atomic(path, content, **options)


@broken("ATOM-003", "ATOM-004")
class ShowsTheStart(MemoryBackend):
    """Creates an empty file when an `open_atomic` block is entered."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **{**options, "overwrite": True}) as stream:
            if not options.get("overwrite") or path not in self._files:
                super().write(path, b"")
            yield stream


@broken("ATOM-004")
class CommitsOnClose(MemoryBackend):
    """Commits the bytes written although the `open_atomic` block raised an exception."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        try:
            yield cast("BinaryIO", stream)
        finally:
            self.write(path, stream.getvalue(), **options)


@broken("ATOM-005")
class LooksAtTheEnd(MemoryBackend):
    """Raises AlreadyExists at the end of an `open_atomic` block instead of when the block is entered."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **{**options, "overwrite": True}) as stream:
            yield stream
            self._check_free(path, overwrite=options.get("overwrite", False))


@broken("ATOM-006", "ATOM-014")
class LooksAtTheStartOnly(MemoryBackend):
    """Checks whether the file exists when an `open_atomic` block is entered, and does not check again at its end."""

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[BinaryIO]:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        self._check_free(path, overwrite=overwrite)
        time.sleep(0.01)
        with super().open_atomic(path, overwrite=True, **options) as stream:
            yield stream


class Mute(io.BytesIO):
    """A file whose `write` does not return the number of bytes written."""

    def write(self, data: Any, /) -> int:
        super().write(data)
        return cast("int", None)


class Gathered(MemoryBackend):
    """Files in memory, with another class of file in `open_atomic` blocks."""

    spool: type[io.BytesIO] = io.BytesIO

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        self._check_free(path, overwrite=options.get("overwrite", False))
        with self.spool() as spool:
            yield cast("BinaryIO", spool)
            content = spool.getvalue()
        self.write(path, content, **options)


@broken("ATOM-007")
class DoesNotCount(Gathered):
    """`write` of the stream of an `open_atomic` block returns no number of bytes."""

    spool = Mute


class Encoding(io.BytesIO):
    """A file that accepts text."""

    def write(self, data: Any, /) -> int:
        return super().write(data.encode() if isinstance(data, str) else data)


@broken("ATOM-007")
class EncodesText(Gathered):
    """Encodes text that is written in an `open_atomic` block instead of raising TypeError."""

    spool = Encoding


class Open(io.BytesIO):
    """A file that stays open."""

    def close(self) -> None:
        pass


@broken("ATOM-008")
class StaysOpen(Gathered):
    """Accepts bytes after the `open_atomic` block has ended, and drops them."""

    spool = Open


@broken("ATOM-009")
class WritesNothingForNothing(MemoryBackend):
    """Creates no file when an `open_atomic` block writes nothing."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as stream:
            yield stream
            touched = bool(stream.tell())
        if not touched:
            self.delete(path)


@broken("ATOM-010")
class ChecksAtTheEnd(MemoryBackend):
    """Rejects a wrong path and wrong arguments at the end of an `open_atomic` block instead of at its start."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with io.BytesIO() as spool:
            yield cast("BinaryIO", spool)
            content = spool.getvalue()
        self.write(path, content, **options)


@broken("ATOM-011")
class ForgetsWhatABlockSaid(MemoryBackend):
    """Loses the metadata and content type passed to `open_atomic`."""

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[BinaryIO]:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        with super().open_atomic(path, overwrite=overwrite) as stream:
            yield stream


@broken("ATOM-012", "ATOM-013", "ATOM-014", "ATOM-015", "ATOM-016")
class LooksThenWrites(MemoryBackend):
    """Checks whether the file exists and writes a moment later, so two writers can both succeed."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any, **asked: Any) -> WriteResult:
        self._check_free(path, overwrite=overwrite)
        time.sleep(0.01)
        return super()._commit(path, content, True, *rest, **asked)


@broken("ATOM-013")
class ForgetsTheConditionOfParts(MemoryBackend):
    """Checks that the file is new when the upload begins, but not when its parts are put together."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any, **asked: Any) -> WriteResult:
        if len(content) > PART:
            time.sleep(0.01)
            overwrite = True
        return super()._commit(path, content, overwrite, *rest, **asked)


@broken("ATOM-015")
class LocksItselfOnly(MemoryBackend):
    """Locks out other writers of the same instance, but not those of another instance."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any, **asked: Any) -> WriteResult:
        with self.__dict__.setdefault("_own_lock", threading.Lock()):
            self._check_free(path, overwrite=overwrite)
            time.sleep(0.01)
            return super()._commit(path, content, True, *rest, **asked)


@broken("ATOM-001")
class AtomicWritesForgetWhatWasSaid(MemoryBackend):
    """Loses the metadata and content type passed to `write_atomic`."""

    def write_atomic(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        return super().write_atomic(path, content, overwrite=overwrite)


@broken("ATOM-001")
class AtomicWritesAnswerForAnother(MemoryBackend):
    """`write_atomic` returns the ETag of the temporary file that it wrote first."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        return replace(super().write_atomic(path, content, **options), etag="temporary")


@broken("ATOM-003")
class BlocksReplaceOnly(MemoryBackend):
    """`open_atomic` with `overwrite=True` raises NotFound if the file does not exist."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        if options.get("overwrite"):
            self._file(path)
        with super().open_atomic(path, **options) as stream:
            yield stream
