"""A file for reading, made of a function that fetches ranges."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from remote_store.core.errors import PreconditionFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class RangeReader(io.RawIOBase):
    """A file for reading, of a backend whose SDK fetches ranges and has no file object.

    Wrap it in `io.BufferedReader`: unbuffered, `readline` fetches byte by byte. Seeking fetches nothing. One thread at
    a time may use it.

    Args:
        fetch: Gives the bytes from an offset on, as many as asked for, all of the version that was opened. It is never
            asked for nothing, nor beyond the end.
        size: Length of the file in bytes.
        path: Path for errors.
        backend: Name of the backend for errors.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, *, path: str, backend: str) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._path = path
        self._backend = backend
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; nothing is fetched.

        Raises:
            ValueError: The new position is negative, or `whence` is unknown.
        """
        self._check_open()
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        if whence not in starts:
            raise ValueError(f"whence is 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer, which is short only at the end.

        Raises:
            PreconditionFailed: The file has become shorter.
        """
        self._check_open()
        with memoryview(buffer) as whole, whole.cast("B") as view:
            length = min(len(view), self._size - self._position)
            if length <= 0:
                return 0
            data = self._fetch(self._position, length)
            if len(data) != length:
                message = f"{len(data)} of {length} bytes came; the file changed while it was read"
                raise PreconditionFailed(message, path=self._path, backend=self._backend)
            view[:length] = data
        self._position += length
        return length

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


RangeReader.__module__ = "remote_store.core"
