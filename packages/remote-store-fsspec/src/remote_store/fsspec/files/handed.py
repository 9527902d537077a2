"""Opens a file that `isfile` has just seen, without asking for it again.

pyarrow calls `isfile` and then `open` for each file, and a request for each would be one more than its own filesystem
for S3 sends.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from remote_store.core import FileInfo, PreconditionFailed
from remote_store.fsspec.files.reading import ReadFile
from remote_store.fsspec.names.entries import Entry

SECONDS = 1.0
"""How old the answer of `isfile` may be."""


class Seen(NamedTuple):
    """A file that `isfile` saw.

    Attributes:
        key: Its key.
        info: The file, as the store described it.
        at: When that was, on the monotonic clock.
        changes: Changes that the filesystem had made by then.
    """

    key: str
    info: FileInfo
    at: float
    changes: int


class HandOver:
    """The file that `isfile` saw last in this thread. It is handed over once, and is no cache."""

    def __init__(self) -> None:
        self._threads = threading.local()
        self._changes = 0

    def give(self, key: str, info: FileInfo) -> None:
        """Keep a file for the next `take`."""
        # Without an ETag, reads could not be held to the version that was seen.
        self._threads.seen = Seen(key, info, time.monotonic(), self._changes) if info.etag is not None else None

    def take(self, key: str) -> FileInfo | None:
        """The file, if it is that of the key, was seen just now, and the filesystem has changed nothing since."""
        seen: Seen | None = getattr(self._threads, "seen", None)
        self._threads.seen = None
        if seen is None or seen.key != key or time.monotonic() - seen.at > SECONDS or seen.changes != self._changes:
            return None
        return seen.info

    def changed(self) -> None:
        """Hand over nothing that was seen before."""
        self._changes += 1


class Later(io.BufferedIOBase):
    """A file that is opened when it is first read."""

    def __init__(self, opening: Callable[[], BinaryIO]) -> None:
        super().__init__()
        self._opening = opening
        self._file: BinaryIO | None = None

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._opened().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._opened().read(-1 if size is None else size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._opened().readline(-1 if size is None else size)

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._opening()
        return self._file


class HandedFile(ReadFile):
    """A file of the version that `isfile` saw.

    If the file was replaced in between, the new version is read, unless the caller has learnt the size of the old one.
    """

    renew: Callable[[], ReadFile] | None = None

    @property
    def size(self) -> int:
        """Length in bytes."""
        self.renew = None
        return self._size

    @property
    def details(self) -> Entry:
        """The entry, as `fs.info` returns it."""
        self.renew = None
        return self._details

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_END:
            self.renew = None
        return super().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            data = super().read(size)
        except PreconditionFailed:
            if not self._renewed():
                raise
            data = super().read(size)
        self.renew = None
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        try:
            line = super().readline(size)
        except PreconditionFailed:
            if not self._renewed():
                raise
            line = super().readline(size)
        self.renew = None
        return line

    def _renewed(self) -> bool:
        renew, self.renew = self.renew, None
        if renew is None:
            return False
        self.become(renew())
        return True
