"""Backends that write other bytes than some sources have, and other bytes than were written through `open_atomic`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from mutants.registry import broken
from remote_store.core import MemoryBackend, WriteResult
from remote_store.core.memory.files import Draft


class Sources(MemoryBackend):
    """Files in memory, with another way to read the content of a write; subclasses break it in one place."""

    @staticmethod
    def taken(content: Any) -> Any:
        """The content that is written."""
        return content

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, self.taken(content), **options)


@broken("WRITE-003")
class TakesFalseForNothing(Sources):
    """A source that is false has no content."""

    @staticmethod
    def taken(content: Any) -> Any:
        return content or b""


@broken("WRITE-003")
class BelievesALength(Sources):
    """Reads as many bytes of a stream as its `len()` says."""

    @staticmethod
    def taken(content: Any) -> Any:
        sized = hasattr(content, "read") and hasattr(content, "__len__") and not isinstance(content, (bytes, bytearray))
        return content.read(len(content)) if sized and len(content) else content


@broken("WRITE-003")
class OpensSourcesByTheirName(Sources):
    """Reads the file that the name of a stream names."""

    @staticmethod
    def taken(content: Any) -> Any:
        name = getattr(content, "name", None)
        if isinstance(name, str) and name:
            with suppress(OSError):
                return Path(name).read_bytes()
        return content


@broken("WRITE-003")
class TakesTheBufferOfAStream(Sources):
    """Takes the memory of a `BytesIO` from its position, without a call of its `read`."""

    @staticmethod
    def taken(content: Any) -> Any:
        if isinstance(content, io.BytesIO):
            rest = bytes(content.getbuffer()[content.tell() :])
            content.seek(0, io.SEEK_END)
            return rest
        return content


@broken("WRITE-003")
class EndsAtAShortRead(Sources):
    """A read that returns less than half of what was asked ends the source, if more than 4 KiB came before."""

    @staticmethod
    def taken(content: Any) -> Any:
        if not hasattr(content, "read"):
            return content
        gathered = b""
        while piece := bytes(content.read(65_536)):
            gathered += piece
            if len(piece) < 32 and len(gathered) > 65_536:
                break
        return gathered


@broken("WRITE-021")
class KeepsThePiecesOfItsCaller(Sources):
    """Gathers the items of an iterable before it joins them, although the caller uses one buffer for all."""

    @staticmethod
    def taken(content: Any) -> Any:
        if hasattr(content, "read") or isinstance(content, (str, bytes, bytearray, memoryview, dict, set)):
            return content
        pieces = list(content) if hasattr(content, "__iter__") else content
        text = isinstance(pieces, list) and any(isinstance(piece, str) for piece in pieces)
        return b"".join(pieces) if isinstance(pieces, list) and not text else pieces


@broken("WRITE-021")
class TakesAnEmptyPieceForTheEnd(Sources):
    """An empty item ends an iterable whose first item is empty."""

    @staticmethod
    def taken(content: Any) -> Any:
        if not hasattr(content, "__next__") or hasattr(content, "read"):
            return content
        first = next(content, b"")
        return _until_empty(first, content)


def _until_empty(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    for number, piece in enumerate(rest):
        if not piece and number > 1 and not first:
            return
        yield piece


@broken("WRITE-002")
class TakesRowsOfViews(Sources):
    """Takes the bytes of the first row of a view of two dimensions."""

    @staticmethod
    def taken(content: Any) -> Any:
        rows = isinstance(content, memoryview) and content.ndim > 1
        return bytes(content)[: content.nbytes // len(content)] if rows else content


@broken("WRITE-002")
class ReversesNothing(Sources):
    """Takes the bytes of a view with negative strides in the order of the memory."""

    @staticmethod
    def taken(content: Any) -> Any:
        backward = isinstance(content, memoryview) and content.ndim == 1 and (content.strides or (1,))[0] < 0
        return bytes(content[::-1]) if backward else content


@broken("ATOM-001")
class WritesNoIterablesAtomically(MemoryBackend):
    """`write_atomic` takes no iterable."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "read") and not isinstance(content, (bytes, bytearray, memoryview)):
            raise TypeError("the content is neither bytes nor a stream")
        return super().write_atomic(path, content, **options)


@broken("WRITE-013")
class WritesViewsLater(MemoryBackend):
    """Joins the items of a list of views when the file is next read."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        views = isinstance(content, list) and all(isinstance(item, memoryview) for item in content)
        self.__dict__.setdefault("later", {}).update({path: content if views else None})
        return result

    def read_bytes(self, path: str, **options: Any) -> bytes:
        views = self.__dict__.get("later", {}).get(path)
        return super().read_bytes(path, **options) if views is None else b"".join(views)


class Drafts(MemoryBackend):
    """Files in memory, with another class of file for `open_atomic`."""

    draft: type[Draft] = Draft

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as right:
            draft = type(self).draft()
            yield draft
            draft.close()
            right.write(draft.content)


class Counting(Draft):
    """A draft whose `write` returns the number of items."""

    def write(self, data: Any, /) -> int:
        written = super().write(data)
        return written // memoryview(data).itemsize if isinstance(data, memoryview) else written


@broken("ATOM-007")
class CountsItemsOfDrafts(Drafts):
    """`write` in an `open_atomic` block returns the number of items of a buffer, which are wider than a byte."""

    draft = Counting


class Referring(Draft):
    """A draft that keeps the views that it was given until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[tuple[int, Any]] = []

    def write(self, data: Any, /) -> int:
        if isinstance(data, memoryview):
            self._kept.append((self.tell(), data))
        return super().write(data)

    def close(self) -> None:
        if not self.closed:
            for position, data in self._kept:
                if data.nbytes > 4096:
                    self.seek(position)
                    super().write(data)
        super().close()


@broken("ATOM-007")
class KeepsTheViewsOfDrafts(Drafts):
    """Takes the bytes of a large view that was written in an `open_atomic` block at the end of the block."""

    draft = Referring


class Appending(Draft):
    """A draft that appends after a seek from the end, wherever that leads."""

    appends = False

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self.appends = whence == io.SEEK_END
        return super().seek(offset, whence)

    def write(self, data: Any, /) -> int:
        if self.appends:
            super().seek(0, io.SEEK_END)
        return super().write(data)


@broken("ATOM-007")
class AppendsAfterASeekFromTheEnd(Drafts):
    """A write after a seek from the end in an `open_atomic` block is appended."""

    draft = Appending


@broken("ATOM-003")
class EndsTheOuterDraft(MemoryBackend):
    """A block inside another block of another file, if it fails, replaces the first bytes of what the other has."""

    open_drafts: tuple[Any, ...] = ()

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        outer = self.open_drafts
        with super().open_atomic(path, **options) as draft:
            self.open_drafts = (*outer, draft)
            try:
                yield draft
            except BaseException:
                if len(outer) > 1:
                    outer[0].seek(0)
                    outer[0].write(b"####")
                raise
            finally:
                self.open_drafts = outer


@broken("ATOM-004")
class CommitsWhatWasClosed(MemoryBackend):
    """A file that is closed inside its block is written, also if the block raises after that."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as draft:
            try:
                yield draft
            except BaseException:
                if draft.closed:
                    self.write(path, draft.content, overwrite=True)  # type: ignore[attr-defined]
                raise
