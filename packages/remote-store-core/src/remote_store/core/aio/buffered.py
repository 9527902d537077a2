"""The async counterpart of `io.BufferedIOBase`."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from remote_store.core.io.source import Buffer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class AsyncBufferedIOBase:
    """Base class of async binary files. Every operation raises unless a subclass overrides it."""

    _closed = False

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._closed

    def readable(self) -> bool:
        """Whether `read` works."""
        return False

    def writable(self) -> bool:
        """Whether `write` works."""
        return False

    def seekable(self) -> bool:
        """Whether `seek` works."""
        return False

    async def read(self, _size: int | None = -1, /) -> bytes:
        """Raise, because the file is not readable.

        Raises:
            io.UnsupportedOperation: Always.
        """
        raise io.UnsupportedOperation("read")

    async def readinto(self, _buffer: WriteableBuffer, /) -> int:
        """Raise, because the file is not readable.

        Raises:
            io.UnsupportedOperation: Always.
        """
        raise io.UnsupportedOperation("readinto")

    async def readline(self, _size: int | None = -1, /) -> bytes:
        """Raise, because the file is not readable.

        Raises:
            io.UnsupportedOperation: Always.
        """
        raise io.UnsupportedOperation("readline")

    async def write(self, _data: Buffer, /) -> int:
        """Raise, because the file is not writable.

        Raises:
            io.UnsupportedOperation: Always.
        """
        raise io.UnsupportedOperation("write")

    async def close(self) -> None:
        """Close the file. Later operations raise."""
        self._closed = True

    def _check_closed(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def __aenter__(self) -> Self:
        self._check_closed()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
