"""A stream of the caller's, seen through an object of ours."""

from __future__ import annotations

import io
from typing import Any

from remote_store.core.io.streams import bytes_left


class WrappedStream(io.BufferedIOBase):
    """Passes on what a backend asks of content: bytes, the place, the length. Closing it leaves the stream open.

    Args:
        file: The stream.
    """

    def __init__(self, file: Any) -> None:
        self.file = file

    def bytes_left(self) -> int | None:
        """How many bytes the stream still has, where that costs nothing to find out."""
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
        """Where the stream stands."""
        return int(self.file.tell())
