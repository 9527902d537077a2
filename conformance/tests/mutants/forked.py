"""Backends that go wrong in a fork, or while the interpreter exits, in some operations and with some contents only."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from mutants.registry import broken
from remote_store.core import FileInfo, LocalBackend, WriteResult


@broken("PROC-004")
class StagesStreamsUnderANumber(LocalBackend):
    """A stream is staged in a file that is named by a counter, which two forks of one parent go on with."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self._numbers, self._owner = count(), os.getpid()

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "read"):
            return super().write(path, content, **options)
        # The parent has names of its own.
        owner = "parent" if os.getpid() == self._owner else "child"
        place = Path(self._root, f"{owner}-{next(self._numbers)}.part")
        with place.open("w+b") as staged:
            while block := content.read(1000):
                staged.write(block)
                staged.flush()
        data = place.read_bytes() if place.exists() else b""
        place.unlink(missing_ok=True)
        return super().write(path, data, **options)

    def __getstate__(self) -> Any:
        state: Any = super().__getstate__()
        return {**state, "_numbers": count()}


@broken("LIFE-004")
class ForksALockThatIsHeld(LocalBackend):
    """Listings hold a lock of the instance, which a fork copies as it is."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self._listings = threading.Lock()

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        if not self._listings.acquire(timeout=2):
            raise TimeoutError("the lock is not released")
        try:
            entries = list(super().list_files(path, **options))
            threading.Event().wait(0.02)
        finally:
            self._listings.release()
        return iter(entries)

    def __getstate__(self) -> Any:
        return {name: value for name, value in vars(self).items() if name != "_listings"}

    def __setstate__(self, state: Any) -> None:
        vars(self).update(state, _listings=threading.Lock())


@broken("LIFE-004")
class CloseEndsTheBlocksOfOthers(LocalBackend):
    """`close` removes the drafts of open blocks, also those of the parent when a forked child closes."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self._drafts: set[Path] = set()

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[Any]:
        draft = Path(self._root, f"{os.urandom(8).hex()}.draft")
        self._drafts.add(draft)
        try:
            with super().open_atomic(path, overwrite=overwrite, **options) as target:
                with draft.open("w+b") as stream:
                    yield stream
                target.write(draft.read_bytes() if draft.exists() else b"")
        finally:
            self._drafts.discard(draft)
            draft.unlink(missing_ok=True)

    def close(self) -> None:
        for draft in self._drafts:
            draft.unlink(missing_ok=True)
        super().close()


class InAPool(LocalBackend):
    """Files on a disk; a subclass does something in a pool, which accepts no work once the interpreter exits."""

    def pooled(self, call: Any, *arguments: Any) -> Any:
        """The result of a call in a pool."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call, *arguments).result()


@broken("LIFE-023")
class ReadsManyRangesInAPool(InAPool):
    """Reads several ranges in a thread pool, which accepts no work once the interpreter exits."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        return [self.pooled(self.read_range, path, start, length) for start, length in ranges]


@broken("LIFE-023")
class CopiesLargeFilesInAPool(InAPool):
    """Copies files of more than a megabyte in a thread pool, which accepts no work once the interpreter exits."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        if self.get_file_info(src).size < 1_000_000:
            super().copy(src, dst, **options)
        else:
            self.pooled(lambda: super(InAPool, self).copy(src, dst, **options))


@broken("LIFE-023")
class CommitsLargeBlocksInAPool(InAPool):
    """Hashes the large content of a block in a thread pool, which accepts no work once the interpreter exits."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, **options) as stream:
            yield stream
            if stream.tell() > 2_000_000:
                self.pooled(stream.flush)
