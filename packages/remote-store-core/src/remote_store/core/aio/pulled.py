"""Lets a blocking writer in a thread read async content."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import asynccontextmanager, suppress
from typing import Any, BinaryIO, cast

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.io.wrapped import WrappedStream

LOOP_CHECK = 1.0
BLOCK = 1024 * 1024
MEMORY = 8 * BLOCK


class WriteStopped(Exception):
    """Raised by the content of a cancelled write, so that the writer aborts."""


class NoThread(Exception):
    """The writer runs in the event loop's thread, because no other could be started, so reading would deadlock."""


class PulledStream(io.RawIOBase):
    """A blocking stream that reads async content in the event loop.

    Args:
        source: The content.
        loop: The event loop that reads it.
    """

    def __init__(self, source: AsyncSource, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._loop = loop
        self._stopped = threading.Event()
        self._pull: Future[bytes] | None = None

    def stop(self) -> None:
        """Make the current or the next read raise `WriteStopped`."""
        self._stopped.set()
        if self._pull is not None:
            self._pull.cancel()

    def bytes_left(self) -> int | None:
        """The number of bytes before the first read, if the content reports it."""
        return self._source.size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return self.readall()
        if self._stopped.is_set():
            raise WriteStopped
        with suppress(RuntimeError):
            if asyncio.get_running_loop() is self._loop:
                raise NoThread
        self._pull = asyncio.run_coroutine_threadsafe(self._source.read_block(size), self._loop)
        # `stop` may have run before there was a pull to cancel.
        if self._stopped.is_set():
            self._pull.cancel()
        while not wait([self._pull], LOOP_CHECK).done:
            if self._loop.is_closed():
                raise WriteStopped("the event loop that reads the content is closed")
        try:
            return self._pull.result()
        except CancelledError as error:
            raise WriteStopped("the read of the content was cancelled") from error

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class GuardedStream(WrappedStream):
    """Wraps the caller's blocking stream, so that its reads can be made to fail.

    Args:
        file: The stream.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make the current and the next read raise `WriteStopped`."""
        self._stopped.set()

    def read(self, size: int | None = -1, /) -> bytes:
        if self._stopped.is_set():
            raise WriteStopped
        data = super().read(size)
        if self._stopped.is_set():
            # Empty data would end the content, and the writer would commit it.
            raise WriteStopped
        return data


@asynccontextmanager
async def spooled(source: AsyncSource) -> AsyncIterator[BinaryIO]:
    """Read the content to its end and yield it as a blocking file: in memory up to 8 MiB, else on disk."""
    with tempfile.SpooledTemporaryFile(MEMORY) as file:
        while block := await source.read_block(BLOCK):
            file.write(block)
        file.seek(0)
        yield cast("BinaryIO", file)
