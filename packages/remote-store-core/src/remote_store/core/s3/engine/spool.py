"""The file that `open_atomic` hands out: written to memory, then to disk, until it is committed."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Spool(io.BufferedIOBase):
    """A seekable file to write into. Closing it says that it is complete; its bytes stay until they are released.

    Args:
        limit: Bytes up to which they are kept in memory; a file on disk takes them from there on.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        # The file outlives this method: it is released when the upload has ended.
        self._file = tempfile.SpooledTemporaryFile(max_size=limit)  # noqa: SIM115 - close() closes it

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of the bytes."""
        self._check_open()
        if self._file.tell() + memoryview(data).nbytes > self._limit:
            # In memory, the gap behind a far seek would be filled with zeros.
            self._file.rollover()
        return self._file.write(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move."""
        self._check_open()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes."""
        self._check_open()
        return self._file.tell()

    def truncate(self, size: int | None = None, /) -> int:
        """Cut, or stretch, to the size; to the position by default."""
        self._check_open()
        length = self._file.tell() if size is None else size
        self._file.truncate(length)
        return length

    def content(self) -> BinaryIO:
        """What was written, from its start."""
        self._file.seek(0)
        return cast("BinaryIO", self._file)

    def release(self) -> None:
        """Forget the bytes."""
        self.close()
        self._file.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
