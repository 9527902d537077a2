"""Wraps a stream that the caller passed as content."""

from __future__ import annotations

import io
from typing import Any

from remote_store.core.io.streams import bytes_left


class WrappedStream(io.BufferedIOBase):
    """Forwards reads, seeks and the length of a stream. Closing it leaves the stream open.

    Args:
        file: The stream.
    """

    def __init__(self, file: Any) -> None:
        self.file = file

    def bytes_left(self) -> int | None:
        """The number of bytes left in the stream; `None` unless it is cheap to find out."""
        return bytes_left(self.file)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Whether the stream is."""
        seekable = getattr(self.file, "seekable", None)
        return bool(seekable and seekable())

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes."""
        data: bytes = self.file.read(-1 if size is None else size)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Like `read`."""
        return self.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the stream."""
        return int(self.file.seek(offset, whence))

    def tell(self) -> int:
        """The position of the stream."""
        return int(self.file.tell())
