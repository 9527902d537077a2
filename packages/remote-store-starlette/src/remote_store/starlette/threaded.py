"""Awaits the methods of a blocking store, in the threads that Starlette limits to 40."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool

from remote_store.core import AsyncReader, AsyncStore, Capability, FileInfo, Reader, Store, WriteResult

IN_MEMORY = 1 << 20


class ThreadedFile:
    """A file of a blocking store, opened for reading.

    Args:
        file: The file. Closing this file closes it too.
    """

    def __init__(self, file: Reader) -> None:
        self._file = file
        self.is_pinned = file.is_pinned

    async def get_info(self) -> FileInfo:
        """The file."""
        known = self._file.known_info
        return known if known is not None else await run_in_threadpool(self._file.get_info)

    def seekable(self) -> bool:
        """Whether it can seek."""
        return self._file.seekable()

    async def seek(self, offset: int) -> int:
        """Move to an offset."""
        return await run_in_threadpool(self._file.seek, offset)

    async def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        return await run_in_threadpool(self._file.read, size)

    async def close(self) -> None:
        """Close the file."""
        await run_in_threadpool(self._file.close)


class ThreadedStore:
    """The methods of an `AsyncStore` that this package needs, over a blocking store.

    A call that is cancelled waits for its thread, so what the thread opened is not lost.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def supports(self, capability: Capability) -> bool:
        """Whether the backend has a capability."""
        return self._store.supports(capability)

    async def read(self, path: str) -> ThreadedFile:
        """Open a file for sequential reading."""
        return ThreadedFile(await run_in_threadpool(self._store.read, path))

    async def read_seekable(self, path: str) -> ThreadedFile:
        """Open a file for random access."""
        return ThreadedFile(await run_in_threadpool(self._store.read_seekable, path))

    async def head(self, path: str) -> FileInfo:
        """Describe a file."""
        return await run_in_threadpool(self._store.head, path)

    async def presign(
        self, path: str, *, method: str, expires_in: timedelta, response_headers: Mapping[str, str] | None
    ) -> str:
        """Make a URL."""
        return await run_in_threadpool(
            self._store.presign, path, method=method, expires_in=expires_in, response_headers=response_headers
        )

    async def write_atomic(self, path: str, content: AsyncIterator[bytes], **described: Any) -> WriteResult:
        """Write a whole file, from content that is first collected: up to 1 MiB in memory, and more on the local disk.

        So a slow client occupies no thread.
        """
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
            buffer = bytearray()

            def commit() -> WriteResult:
                spool.write(buffer)
                spool.seek(0)
                return self._store.write_atomic(path, spool, **described)

            async for chunk in content:
                buffer += chunk
                if len(buffer) >= IN_MEMORY:
                    await run_in_threadpool(spool.write, buffer)
                    buffer.clear()
            return await run_in_threadpool(commit)

    async def delete(self, path: str, **options: Any) -> None:
        """Delete a file."""
        await run_in_threadpool(self._store.delete, path, **options)


def awaitable(store: Store | AsyncStore) -> AsyncStore | ThreadedStore:
    """The store, whose methods can be awaited.

    Raises:
        TypeError: It is no store.
    """
    if isinstance(store, AsyncStore):
        return store
    if not isinstance(store, Store):
        raise TypeError(f"store must be a Store or an AsyncStore, not {type(store).__name__}")
    return ThreadedStore(store)


OpenFile = AsyncReader | ThreadedFile
