"""The file that `read` returns."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BodyReader(io.RawIOBase):
    """An object as a file: one body, read in sequence. After a seek, the next read opens a new body there.

    Args:
        size: Length of the object in bytes.
        body: The body from the start, in pieces.
        reopen: Returns the body of the same version from an offset.
    """

    def __init__(self, size: int, body: Iterator[bytes], reopen: Callable[[int], Iterator[bytes]]) -> None:
        super().__init__()
        self._size = size
        self._body: Iterator[bytes] | None = body
        self._reopen = reopen
        self._position = 0
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        if position != self._position:
            self._position, self._piece, self._body = position, memoryview(b""), None
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self._position >= self._size:
            return 0
        if not self._piece:
            if self._body is None:
                self._body = self._reopen(self._position)
            self._piece = memoryview(next(self._body))
        with memoryview(buffer) as whole, whole.cast("B") as view:
            count = min(len(view), len(self._piece))
            view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        self._position += count
        return count

    def close(self) -> None:
        self._body = None
        super().close()
