"""The awaited file that `open_atomic` hands out: written to memory, then to disk, until it is committed."""

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
        limit: Bytes up to which they are kept in memory; a file on disk takes them from there on.
    """

    def __init__(self, limit: int) -> None:
        self._spool = Spool(limit)

    @property
    def closed(self) -> bool:
        """Whether the file was said to be complete."""
        return self._spool.closed

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    async def write(self, data: Buffer, /) -> int:
        """Write all of the bytes."""
        return await in_thread(self._spool.write, data)

    async def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move."""
        return self._spool.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes."""
        return self._spool.tell()

    async def close(self) -> None:
        """Say that the file is complete."""
        self._spool.close()

    def content(self) -> BinaryIO:
        """What was written, from its start."""
        return self._spool.content()

    def release(self) -> None:
        """Forget the bytes."""
        self._spool.release()
