"""Backends that mix up calls in flight at once, or get many paths or ranges wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import (
    BackendUnavailable,
    InvalidPath,
    MemoryBackend,
    NotFound,
    Outcome,
    RemoteStoreError,
    WriteResult,
)
from remote_store.core.optional import Optional


@broken("MANY-001")
class TellsOfWhatExisted(MemoryBackend):
    """`delete_many` yields no outcome for a missing file."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        return super().delete_many(path for path in paths if path in self._files)


@broken("MANY-001")
class TellsOnce(MemoryBackend):
    """`delete_many` yields one outcome for a path that comes twice."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        return super().delete_many(dict.fromkeys(paths))


@broken("MANY-002")
class StopsAtTheFirstError(MemoryBackend):
    """`delete_many` raises the error of a path."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        for outcome in super().delete_many(paths):
            outcome.result()
            yield outcome


@broken("MANY-003")
class DeletesTreesOfMany(MemoryBackend):
    """`delete_many` deletes a folder with its content."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        for outcome in super().delete_many(paths):
            if outcome.path and isinstance(outcome.error, InvalidPath) and "\0" not in outcome.path:
                self.delete_folder(outcome.path, recursive=True)
            yield outcome


@broken("MANY-003")
class DeletesMarkers(HttpBackend):
    """`delete_many` deletes the marker of a folder as if it were a file."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        for path in paths:
            if path.endswith("/"):
                yield from (Outcome(path) for _ in super().delete_many([path]))
                self.delete_folder(path)
            else:
                yield from super().delete_many([path])


@broken("MANY-004")
class DeletesManyByPattern(MemoryBackend):
    """`delete_many` expands wildcards."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        for outcome in super().delete_many(paths):
            for key in [key for key in self._files if fnmatchcase(key, outcome.path)]:
                del self._files[key]
            yield outcome


@broken("MANY-005")
class TakesTheCallersErrorForItsOwn(MemoryBackend):
    """`delete_many` raises an exception of its iterable as an error of its own."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        try:
            yield from super().delete_many(paths)
        except Exception as error:
            raise RemoteStoreError("something failed", backend=self.name) from error


@broken("MANY-006")
class ReturnsRangesAsTheyLie(MemoryBackend):
    """`read_ranges` returns the ranges in the order of their starts."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        return super().read_ranges(path, sorted(ranges), **options)


@broken("MANY-006")
class RefusesRangesPastTheEnd(MemoryBackend):
    """`read_ranges` raises an error for a range past the end."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        found = super().read_ranges(path, ranges, **options)
        if any(length and not data for data, (_, length) in zip(found, ranges, strict=True)):
            raise RemoteStoreError("the range is not satisfiable", path=path, backend=self.name)
        return found


@broken("MANY-007")
class ReadsNothingOfNothing(MemoryBackend):
    """`read_ranges` returns empty ranges of a missing file."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        try:
            return super().read_ranges(path, ranges, **options)
        except NotFound:
            return [b""] * len(ranges)


@broken("MANY-008")
class ReadsRangesOneByOne(HttpBackend):
    """`read_ranges` reads each range of whatever version there is."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        return [self.read_range(path, start, length, **options) for start, length in ranges]


@broken("MANY-009")
class RemembersTheLastPath(MemoryBackend):
    """Keeps the path of a read on the instance, where another read replaces it."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        self._path = path
        time.sleep(0.001)
        return super().read_bytes(self._path, **options)


@broken("MANY-010")
class RemembersTheLastContent(MemoryBackend):
    """Keeps the content of a write on the instance, where another write replaces it."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        self._content = content
        time.sleep(0.001)
        return super().write(path, self._content, **options)


@broken("MANY-011")
class RemembersTheLastSource(MemoryBackend):
    """Keeps the source of a copy on the instance, where another copy replaces it."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        self._source = src
        time.sleep(0.001)
        super().copy(self._source, dst, **options)


@broken("MANY-012")
class KeepsConnectionsOfDeadThreads(MemoryBackend):
    """Has a connection for each thread, two at most, and never gets back that of a thread that has ended."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        connections: dict[threading.Thread, object] = self.__dict__.setdefault("_connections", {})
        connections[threading.current_thread()] = object()
        if len(connections) > 2:
            raise BackendUnavailable("there is no free connection", path=path, backend=self.name, retryable=True)
        return super().read_bytes(path, **options)


@broken("MANY-013")
class DeletesOneByOne(HttpBackend):
    """`delete_many` deletes each file by requests of its own."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        return Optional.delete_many(self, paths)


@broken("MANY-014")
class OpensToReadRanges(HttpBackend):
    """`read_ranges` opens the file and reads each range by a request of its own."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Any) -> list[bytes]:
        return Optional.read_ranges(self, path, ranges, **options)


@broken("MANY-015")
class FailsThemAll(HttpBackend):
    """`delete_many` has the error of one file in the outcomes of all."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        outcomes = list(super().delete_many(paths))
        error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        return iter([Outcome(outcome.path, error=error) for outcome in outcomes])
