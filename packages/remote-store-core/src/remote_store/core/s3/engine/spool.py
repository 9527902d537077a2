"""The file that `open_atomic` returns: buffered in memory, then on disk, until it is uploaded."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Spool(io.BufferedIOBase):
    """A seekable file for writing. Closing it marks it as complete; its bytes remain until `release`.

    Args:
        limit: Most bytes to keep in memory; above it, all bytes move to a file on disk.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._file = tempfile.SpooledTemporaryFile(max_size=limit)  # noqa: SIM115 - `release` closes it

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all bytes and return their number."""
        self._check_open()
        if self._file.tell() + memoryview(data).nbytes > self._limit:
            # Before the write, because in memory the gap after a far seek would be filled with zeros.
            self._file.rollover()
        return self._file.write(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position."""
        self._check_open()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes."""
        self._check_open()
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """Cut or extend the file to the size, by default to the position, and return it."""
        self._check_open()
        length = self._file.tell() if size is None else size
        self._file.truncate(length)
        return length

    def content(self) -> BinaryIO:
        """The written bytes as a file, from the start."""
        self._file.seek(0)
        return cast("BinaryIO", self._file)

    def release(self) -> None:
        """Delete the bytes."""
        self.close()
        self._file.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
