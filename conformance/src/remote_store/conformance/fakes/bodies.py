"""Response bodies for tests, which can end too early."""

from __future__ import annotations

import math
from asyncio import sleep

from remote_store.core.s3 import Fault


class FakeBody:
    """A response body, which may end too early.

    Args:
        data: The bytes.
        limit: How many bytes arrive before the connection breaks.
        silent: End there without an error, instead of raising a fault.
    """

    def __init__(self, data: bytes, limit: float = math.inf, *, silent: bool = False) -> None:
        self._data = memoryview(data)
        self._at = 0
        self._limit = limit
        self._silent = silent
        self.closed = False

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1."""
        if self.closed:
            raise ValueError("read of a closed body")
        wanted = len(self._data) - self._at if size < 0 else min(size, len(self._data) - self._at)
        allowed = int(min(wanted, self._limit - self._at))
        if allowed < wanted and not self._silent and (size < 0 or not allowed):
            raise Fault("ConnectionResetError", message="the connection was cut", transport=True)
        data = bytes(self._data[self._at : self._at + allowed])
        self._at += allowed
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to as many bytes as the buffer holds."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Give the connection back."""
        self.closed = True


class AsyncFakeBody:
    """A `FakeBody`, awaited."""

    def __init__(self, body: FakeBody) -> None:
        self._body = body

    async def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1."""
        await sleep(0)
        return self._body.read(size)

    async def close(self) -> None:
        """Give the connection back."""
        self._body.close()
