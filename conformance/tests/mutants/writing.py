"""Backends that store other bytes than they were given."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from mutants.memory import PART
from mutants.reading import Stream
from mutants.registry import broken
from remote_store.core import LocalBackend, MemoryBackend, NotFound, RemoteStoreError, WriteResult
from remote_store.core.io.streams import Source
from remote_store.core.memory.files import keys_below


@broken("WRITE-001", "WRITE-003", "WRITE-004", "ATOM-009")
class DropsEmptyWrites(MemoryBackend):
    """Stores no file for an empty content."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        result = super()._commit(path, content, *rest, **asked)
        if not content:
            del self._files[path]
        return result


@broken("WRITE-001", "WRITE-011")
class TruncatesAt64KiB(MemoryBackend):
    """Stores the first 64 KiB of a content."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        return super()._commit(path, content[: 64 * 1024], *rest, **asked)


@broken("WRITE-002")
class CountsItems(MemoryBackend):
    """Takes `len()` of a memoryview, its number of items, for its number of bytes."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, memoryview):
            content = content.tobytes()[: len(content)]
        return super().write(path, content, **options)


@broken("WRITE-002", "ATOM-001")
class TakesContiguousViewsOnly(MemoryBackend):
    """Raises BufferError for a memoryview that is not contiguous."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, memoryview) and not content.c_contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        return super().write(path, content, **options)


@broken("WRITE-003", "WRITE-005", "WRITE-011")
class TakesAShortReadForTheEnd(MemoryBackend):
    """Treats a short read as the end of the stream."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        content = content.read(PART) if isinstance(content, io.RawIOBase) else content
        return super().write(path, content, **options)


@broken("WRITE-003")
class AsksForTheLength(MemoryBackend):
    """Seeks to the end of every stream to find its length."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "read"):
            here = content.tell()
            content.seek(0, io.SEEK_END)
            content.seek(here)
        return super().write(path, content, **options)


@broken("WRITE-004")
class RewindsTheSource(MemoryBackend):
    """Rewinds a stream to its start before it reads it."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, io.BytesIO):
            content.seek(0)
        return super().write(path, content, **options)


@broken("WRITE-005", "ATOM-001")
class ClosesTheSource(MemoryBackend):
    """Closes the caller's stream after the write."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if hasattr(content, "close"):
            content.close()
        return result


@broken("WRITE-006", "ATOM-001", "ATOM-005", "ATOM-006", "COPY-003", "COPY-016")
class OverwritesAlways(MemoryBackend):
    """`write` replaces a file even with `overwrite=False`."""

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        pass


@broken("WRITE-007")
class KeepsTheTail(MemoryBackend):
    """Overwriting a longer file leaves its rest after the new content."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        old = self._files.get(path)
        tail = old.content[len(content) :] if old is not None and rest[0] else b""
        return super()._commit(path, content + tail, *rest, **asked)


@broken("WRITE-007")
class Appends(MemoryBackend):
    """`write` with `overwrite=True` appends to the file."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any, **asked: Any) -> WriteResult:
        old = self._files.get(path)
        return super()._commit(path, old.content + content if old and overwrite else content, overwrite, *rest, **asked)


@broken("WRITE-007")
class ReplacesOnly(MemoryBackend):
    """`write` with `overwrite=True` raises NotFound if the file does not exist."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("overwrite") and path not in self._files:
            self._file(path)
        return super().write(path, content, **options)


@broken("WRITE-008")
class KeepsHalf(MemoryBackend):
    """Commits the bytes that a stream returned before it failed."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except Exception as error:
            if type(error).__name__ == "Boom":
                super().write(path, b"half", overwrite=True)
            raise


@broken("WRITE-008")
class LeavesAnEmptyFile(MemoryBackend):
    """Creates an empty file before it reads the content, and leaves it if reading fails."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "readinto") and path not in self._files:
            super().write(path, b"")
            options["overwrite"] = True
        return super().write(path, content, **options)


@broken("WRITE-009", "META-006")
class InventsTags(MemoryBackend):
    """The result of a write contains another ETag than `get_file_info` returns."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        return replace(super()._commit(path, *arguments, **asked), etag=uuid4().hex)


@broken("WRITE-009", "META-005")
class QuotesTags(MemoryBackend):
    """The result of a write contains the ETag with the quotes that it has on the wire."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        result = super()._commit(path, *arguments, **asked)
        return replace(result, etag=f'"{result.etag}"')


@broken("WRITE-010", "COPY-001")
class NeedsTheFolder(MemoryBackend):
    """Raises NotFound for a write into a missing folder that is not directly below the root."""

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        folder = path.rpartition("/")[0]
        if "/" in folder and not keys_below(self._files, folder):
            raise NotFound("there is no such folder", path=folder, backend=self.name)
        super()._check_free(path, overwrite=overwrite)


@broken("WRITE-011", "ATOM-011")
class LosesTheThirdPart(MemoryBackend):
    """Stores only the first two parts of a content."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        return super()._commit(path, content[: 2 * PART], *rest, **asked)


@broken("WRITE-011")
class DoublesTheFullPart(MemoryBackend):
    """Uploads the last part twice if it is exactly full."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        blocks = list(Source(content).blocks(PART))
        if blocks and len(blocks[-1]) == PART:
            blocks.append(blocks[-1])
        return super().write(path, b"".join(blocks), **options)


@broken("WRITE-012", "LIST-018", "DEL-001")
class RemembersProbes(MemoryBackend):
    """Caches in the instance whether a path exists, and never refreshes it."""

    def exists(self, path: str) -> bool:
        self._check_open()
        known = self.__dict__.setdefault("_known", {})
        return bool(known.setdefault(path, super().exists(path)))

    def is_file(self, path: str) -> bool:
        self._check_open()
        known = self.__dict__.setdefault("_known_files", {})
        if path not in known or not known[path]:
            known[path] = super().is_file(path)
        return bool(known[path])


@broken("WRITE-013")
class KeepsTheBuffer(MemoryBackend):
    """Stores a reference to the caller's buffer instead of a copy."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if isinstance(content, bytearray):
            object.__setattr__(self._files[path], "content", content)
        return result

    def read_bytes(self, path: str) -> bytes:
        return bytes(super().read_bytes(path))


@broken("WRITE-014")
class TakesNothingForTheEnd(MemoryBackend):
    """Treats `None` from a non-blocking stream as its end."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not isinstance(content, bytes | bytearray | memoryview) and hasattr(content, "read"):
            content = b"".join(iter(lambda: content.read(1 << 20), None))
        return super().write(path, content, **options)


@broken("WRITE-015", "ATOM-002")
class WritesInPlace(MemoryBackend):
    """Overwrites the old content in place, piece by piece."""

    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any, **asked: Any) -> WriteResult:
        old, half = self._files.get(path), len(content) // 2
        if overwrite and old is not None:
            super()._commit(path, content[:half] + old.content[half:], overwrite, *rest, **asked)
            time.sleep(0.005)
            content = self._files[path].content[:half] + content[half:]
        return super()._commit(path, content, overwrite, *rest, **asked)


@broken("WRITE-016", "LIFE-001")
class OneBufferForAll(MemoryBackend):
    """Uses one buffer of the instance for all writes."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        self._gathered = b""
        for block in Source(content).blocks(PART // 10):
            self._gathered += block
            time.sleep(0.001)
        return super().write(path, self._gathered, **options)


@broken("WRITE-017")
class TakesOptionsByPosition(MemoryBackend):
    """Accepts `overwrite` as a third positional argument, so a caller's mistake replaces a file."""

    def write(self, path: str, content: Any, overwrite: bool = False, **options: Any) -> WriteResult:
        return super().write(path, content, overwrite=overwrite, **options)


@broken("WRITE-017")
class IgnoresUnknownOptions(MemoryBackend):
    """Ignores unknown options."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        known = {name: options[name] for name in ("overwrite", "metadata", "content_type") if name in options}
        return super().write(path, content, **known)


@broken("WRITE-018", "ATOM-001")
class LeavesTemporaryFiles(MemoryBackend):
    """Leaves its temporary file behind."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        result = super()._commit(path, content, *rest, **asked)
        self._files[f"{path}.part"] = self._files[path]
        return result


class Locked(Stream):
    """A stream that cannot be read while its table is locked."""

    def __init__(self, content: bytes, locks: list[str]) -> None:
        super().__init__(content)
        self.locks = locks

    def read(self, size: int | None = -1) -> bytes:
        if self.locks:
            raise RemoteStoreError("the table is locked")
        return super().read(size)


@broken("WRITE-003")
class LocksWhileItReads(MemoryBackend):
    """Locks its table while it reads the content of a write, so content from its own table cannot be read."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        self.locks().append(path)
        try:
            return super().write(path, content, **options)
        finally:
            self.locks().remove(path)

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", Locked(self._file(path).content, self.locks()))

    def locks(self) -> list[str]:
        """The paths of unfinished writes."""
        locks: list[str] = self.__dict__.setdefault("_locks", [])
        return locks


@broken("WRITE-003", "WRITE-008", "ATOM-002")
class TruncatesFirst(LocalBackend):
    """Truncates the file before it reads the new content, so a file written onto itself becomes empty."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("overwrite") and self.is_file(path):
            Path(self._root, path).write_bytes(b"")
        return super().write(path, content, **options)


@broken("WRITE-019")
class DescribesWhatIsThereByThen(MemoryBackend):
    """The result of a write contains the facts of the file a moment later, possibly another writer's."""

    def _commit(self, path: str, *arguments: Any, **asked: Any) -> WriteResult:
        result = super()._commit(path, *arguments, **asked)
        time.sleep(0.005)
        return replace(result, etag=self._files[path].md5.hex(), digest=self._files[path].digest)


@broken("WRITE-001")
class RemovesTheByteOrderMark(MemoryBackend):
    """Strips a leading byte order mark."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        return super()._commit(path, content.removeprefix(b"\xef\xbb\xbf"), *rest, **asked)


@broken("WRITE-001")
class TranslatesLineEnds(MemoryBackend):
    """Converts line ends to those of the operating system."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        return super()._commit(path, content.replace(b"\r\n", b"\n"), *rest, **asked)


@broken("WRITE-009")
class AnswersNothing(MemoryBackend):
    """`write` returns `None`."""

    def write(self, *arguments: Any, **options: Any) -> Any:
        super().write(*arguments, **options)
