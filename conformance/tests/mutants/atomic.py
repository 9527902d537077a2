"""Backends that show half of a write, or let two writers win."""

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
    """Takes no stream in `write_atomic`."""

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
    """Shows the first half of a content before it shows the whole."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if path in self._files and options.get("overwrite"):
            super().write(path, content[: len(content) // 2], overwrite=True)
            time.sleep(0.01)
        return super().write_atomic(path, content, **options)


@broken("ATOM-003", "ATOM-004")
class ShowsTheStart(MemoryBackend):
    """Makes an empty file where an `open_atomic` block is entered."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **{**options, "overwrite": True}) as stream:
            if not options.get("overwrite") or path not in self._files:
                super().write(path, b"")
            yield stream


@broken("ATOM-004")
class CommitsOnClose(MemoryBackend):
    """Commits what was written where the block ends with an exception."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        try:
            yield cast("BinaryIO", stream)
        finally:
            self.write(path, stream.getvalue(), **options)


@broken("ATOM-005")
class LooksAtTheEnd(MemoryBackend):
    """Finds at the end of an `open_atomic` block that the file existed all the time."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **{**options, "overwrite": True}) as stream:
            yield stream
            self._check_free(path, overwrite=options.get("overwrite", False))


@broken("ATOM-006", "ATOM-014")
class LooksAtTheStartOnly(MemoryBackend):
    """Looks where a block is entered whether the file exists, and not once more at its end."""

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[BinaryIO]:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        self._check_free(path, overwrite=overwrite)
        time.sleep(0.01)
        with super().open_atomic(path, overwrite=True, **options) as stream:
            yield stream


class Mute(io.BytesIO):
    """A file that does not say how much it took."""

    def write(self, data: Any, /) -> int:
        super().write(data)
        return cast("int", None)


class Gathered(MemoryBackend):
    """Files in memory, written in blocks by files of another class."""

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
    """Does not say how many bytes the file of a block took."""

    spool = Mute


class Encoding(io.BytesIO):
    """A file that takes text."""

    def write(self, data: Any, /) -> int:
        return super().write(data.encode() if isinstance(data, str) else data)


@broken("ATOM-007")
class EncodesText(Gathered):
    """Encodes text that is written in a block, where it should refuse it."""

    spool = Encoding


class Open(io.BytesIO):
    """A file that stays open."""

    def close(self) -> None:
        pass


@broken("ATOM-008")
class StaysOpen(Gathered):
    """Takes bytes after the block, which go nowhere."""

    spool = Open


@broken("ATOM-009")
class WritesNothingForNothing(MemoryBackend):
    """Makes no file where a block writes nothing."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as stream:
            yield stream
            touched = bool(stream.tell())
        if not touched:
            self.delete(path)


@broken("ATOM-010")
class ChecksAtTheEnd(MemoryBackend):
    """Refuses a wrong path and wrong arguments when the block has ended."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with io.BytesIO() as spool:
            yield cast("BinaryIO", spool)
            content = spool.getvalue()
        self.write(path, content, **options)


@broken("ATOM-011")
class ForgetsWhatABlockSaid(MemoryBackend):
    """Forgets metadata and content type of what is written in a block."""

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[BinaryIO]:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        with super().open_atomic(path, overwrite=overwrite) as stream:
            yield stream


@broken("ATOM-012", "ATOM-013", "ATOM-014", "ATOM-015", "ATOM-016")
class LooksThenWrites(MemoryBackend):
    """Looks whether the file exists, and writes a moment later."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        self._check_free(path, overwrite=overwrite)
        time.sleep(0.01)
        return super()._commit(path, content, True, *rest)


@broken("ATOM-013")
class ForgetsTheConditionOfParts(MemoryBackend):
    """Asks for a new file where a write begins, and not where its parts are put together."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        if len(content) > PART:
            time.sleep(0.01)
            overwrite = True
        return super()._commit(path, content, overwrite, *rest)


@broken("ATOM-015")
class LocksItselfOnly(MemoryBackend):
    """Keeps apart the writers of one instance, and not those of two."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        with self.__dict__.setdefault("_own_lock", threading.Lock()):
            self._check_free(path, overwrite=overwrite)
            time.sleep(0.01)
            return super()._commit(path, content, True, *rest)


@broken("ATOM-001")
class AtomicWritesForgetWhatWasSaid(MemoryBackend):
    """Forgets metadata and content type in `write_atomic`."""

    def write_atomic(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        return super().write_atomic(path, content, overwrite=overwrite)


@broken("ATOM-001")
class AtomicWritesAnswerForAnother(MemoryBackend):
    """Answers `write_atomic` with the ETag of the temporary file that it wrote first."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        return replace(super().write_atomic(path, content, **options), etag="temporary")


@broken("ATOM-003")
class BlocksReplaceOnly(MemoryBackend):
    """Raises NotFound where a block is to overwrite a file that does not exist."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        if options.get("overwrite"):
            self._file(path)
        with super().open_atomic(path, **options) as stream:
            yield stream
