"""Backends whose bugs show only at an edge: past the end, behind a longer name, in a later block, at a second look."""

from __future__ import annotations

import gc
import io
import os
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import Any, BinaryIO

from mutants.memory import PagedMemory
from mutants.registry import broken
from remote_store.core import (
    ContentDigest,
    FileInfo,
    LocalBackend,
    MemoryBackend,
    NotFound,
    WriteResult,
)
from remote_store.core.checksums import digest_of

BLOCK = 8 * 1024 * 1024


@broken("PROC-002")
class LeaksPastTheEnd(LocalBackend):
    """A range that begins behind the end of the file leaves a file open."""

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        data = super().read_range(path, start, length, **options)
        if not data and length:
            os.open(Path(self.native_path(path).removeprefix("file://")), os.O_RDONLY)
        return data


@broken("LIST-003")
class GoesOnBehindLongerNames(PagedMemory):
    """The next page begins behind the names that begin like the last one of a page."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        files = sorted(super().list_files(path, **options), key=lambda file: file.path)
        while files:
            yield from files[: self.page]
            last = files[: self.page][-1].path
            files = [file for file in files[self.page :] if not file.path.startswith(last)]


class Asking(io.BytesIO):
    """A stream that looks up what it reads when it is asked."""

    def __init__(self, backend: MemoryBackend, path: str) -> None:
        super().__init__(backend.read_bytes(path))
        self._look = partial(backend.get_file_info, path)

    @property
    def info(self) -> FileInfo:
        """What is there now, at the first question."""
        self.__dict__.setdefault("_seen", self._look())
        seen: FileInfo = self.__dict__["_seen"]
        return seen


@broken("READ-022")
class DescribesWhatIsThereNow(MemoryBackend):
    """The `info` of a stream is looked up at the first question, after which it stays."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        return Asking(self, path) if not options else super().read(path, **options)


@broken("SUM-001")
class SumsTheSumsOfBlocks(MemoryBackend):
    """The checksum of more than 8 MiB is that of the checksums of its blocks."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if not options.get("checksum") or result.size <= BLOCK:
            return result
        algorithm, data = options["checksum"].lower(), self._files[path].content
        blocks = [digest_of(data[start : start + BLOCK], algorithm) for start in range(0, len(data), BLOCK)]
        value = digest_of(b"".join(b64decode(block.value) for block in blocks), algorithm).value
        self._files[path] = replace(self._files[path], checksum=ContentDigest(algorithm, value))
        return replace(result, digest=ContentDigest(algorithm, value))


@broken("META-028")
class TypesByTheEnding(MemoryBackend):
    """A file that is written without a content type gets that of the ending of its name."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("content_type") is None and isinstance(path, str):
            options["content_type"] = guess_type(path)[0]
        return super().write(path, content, **options)


@broken("DEL-018")
class UnlinksWhatItHasSeen(LocalBackend):
    """A delete that another one has overtaken passes the error of the operating system on."""

    def delete(self, path: str, **options: Any) -> None:
        super().get_file_info(path)
        place = Path(self.native_path(path).removeprefix("file://"))
        try:
            super().delete(path, **options)
        except NotFound:
            place.unlink()
            raise


@broken("PROC-001")
class LeavesTheCollectorOff(MemoryBackend):
    """A listing collects no garbage, and never again if it is not read to its end."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        collects = gc.isenabled()
        gc.disable()
        yield from super().list_files(path, **options)
        if collects:
            gc.enable()


@broken("LIFE-003")
class KeepsALockOfItsHealth(MemoryBackend):
    """A look at the health keeps a lock on the instance, with which it cannot be pickled."""

    def check_health(self) -> None:
        super().check_health()
        self.__dict__["held"] = threading.Lock()

    def __getstate__(self) -> Any:
        state: Any = super().__getstate__()
        return {**state, "held": self.__dict__["held"]} if "held" in self.__dict__ else state


@broken("LIST-020")
class DropsTheFirstOfThePage(PagedMemory):
    """A page begins at the last file of the one before and drops its first, even if that is another one."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        files, last = sorted(super().list_files(path, **options), key=lambda file: file.path), ""
        while page := files[: self.page]:
            yield from page
            last = page[-1].path
            again = sorted(super().list_files(path, **options), key=lambda file: file.path)
            files = [file for file in again if file.path >= last][1:]


@broken("LIST-001")
class StopsAtAPageOfFolders(PagedMemory):
    """A listing ends at the first page that has only files of folders."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        if options.get("recursive"):
            yield from super().list_files(path, **options)
            return
        direct = {file.path: file for file in super().list_files(path)}
        every = sorted(file.path for file in super().list_files(path, recursive=True))
        for start in range(0, len(every), self.page):
            page = [direct[key] for key in every[start : start + self.page] if key in direct]
            yield from page
            if not page:
                return


@broken("HEAD-001")
class TidiesDirectives(MemoryBackend):
    """The directives of `cache_control` are joined with a comma and a space."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(options.get("cache_control"), str):
            options["cache_control"] = ", ".join(part.strip() for part in options["cache_control"].split(","))
        return super().write(path, content, **options)


@broken("PROC-007")
class ForgetsWhatIsOld(MemoryBackend):
    """When the files are larger than 64 MiB together, the oldest go."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        while sum(len(file.content) for file in self._files.values()) > 8 * BLOCK:
            del self._files[next(iter(self._files))]
        return result


@broken("MANY-001")
class DeletesManyWithoutSlashes(MemoryBackend):
    """`delete_many` takes a path with a slash at its end for that of the file."""

    def delete_many(self, paths: Any) -> Iterator[Any]:
        for path in paths:
            for outcome in super().delete_many([path.rstrip("/") if isinstance(path, str) else path]):
                yield replace(outcome, path=path)
