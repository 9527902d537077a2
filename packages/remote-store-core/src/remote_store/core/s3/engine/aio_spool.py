"""The async file that `open_atomic` returns: buffered in memory, then on disk, until it is uploaded."""

from __future__ import annotations

import io
from typing import BinaryIO

from remote_store.core.aio.buffered import AsyncBufferedIOBase
from remote_store.core.aio.threads import in_thread
from remote_store.core.io.source import Buffer
from remote_store.core.s3.engine.spool import Spool


class AsyncSpool(AsyncBufferedIOBase):
    """A `Spool` whose writes run in a thread.

    Args:
        limit: Most bytes to keep in memory; above it, all bytes move to a file on disk.
    """

    def __init__(self, limit: int) -> None:
        self._spool = Spool(limit)

    @property
    def closed(self) -> bool:
        """Whether the file was closed, which marks it as complete."""
        return self._spool.closed

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    async def write(self, data: Buffer, /) -> int:
        """Write all bytes and return their number."""
        return await in_thread(self._spool.write, data)

    async def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position."""
        return self._spool.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes."""
        return self._spool.tell()

    async def close(self) -> None:
        """Mark the file as complete. Its bytes remain until `release`."""
        self._spool.close()

    def content(self) -> BinaryIO:
        """The written bytes as a file, from the start."""
        return self._spool.content()

    def release(self) -> None:
        """Delete the bytes."""
        self._spool.release()
