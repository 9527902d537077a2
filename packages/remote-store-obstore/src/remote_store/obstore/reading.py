"""The file that `read` returns."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from remote_store.core import FileInfo, PreconditionFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 64 * 1024


class BodyFile(io.BufferedReader):
    """A buffered file over a body, which knows the file that it reads.

    Args:
        raw: The body.
        info: The file, from the response that opened it.
    """

    def __init__(self, raw: BodyReader, info: FileInfo) -> None:
        super().__init__(raw, BLOCK)
        self.info = info


class BodyReader(io.RawIOBase):
    """An object as a file: one body, read in sequence. After a seek, the next read opens a new body there.

    Args:
        info: The file.
        body: The body from the start, in pieces.
        reopen: Returns the body of the same version from an offset.
    """

    def __init__(self, info: FileInfo, body: Iterator[bytes], reopen: Callable[[int], Iterator[bytes]]) -> None:
        super().__init__()
        self._info = info
        self._body: Iterator[bytes] | None = body
        self._reopen = reopen
        self._position = 0
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position. Sends no request."""
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._info.size}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        if position != self._position:
            self._position, self._piece, self._body = position, memoryview(b""), None
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer with the next bytes, and return how many."""
        if self._position >= self._info.size:
            return 0
        if not self._piece:
            if self._body is None:
                self._body = self._reopen(self._position)
            self._piece = memoryview(next(self._body, b""))
            if not self._piece:
                message = "the body ended before the end of the file, which changed during the read; open it again"
                raise PreconditionFailed(message, path=self._info.path)
        with memoryview(buffer) as whole, whole.cast("B") as view:
            count = min(len(view), len(self._piece))
            view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        self._position += count
        return count

    def close(self) -> None:
        """Drop the body, which ends its request."""
        self._body = None
        super().close()
