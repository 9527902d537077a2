"""Async content in the hands of a blocking writer, which runs in a thread."""

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

LOOP_CHECK = 1.0
BLOCK = 1024 * 1024
MEMORY = 8 * BLOCK


class WriteStopped(Exception):
    """Nobody waits for this write any more; raised by its content, so that the writer aborts."""


class NoThread(Exception):
    """The event loop would wait for itself: the writer runs in its thread, because no other could be started."""


class PulledStream(io.RawIOBase):
    """A blocking stream whose reads the event loop serves.

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
        """Let the read that runs now, or the next one, raise `WriteStopped`."""
        self._stopped.set()
        if self._pull is not None:
            self._pull.cancel()

    def bytes_left(self) -> int | None:
        """How many bytes the content had before the first read, where it could tell."""
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
        # The flag may have been set while there was no pull to cancel.
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


class GuardedStream:
    """A blocking stream of the caller that can be made to fail.

    Args:
        stream: Does everything but what `stop` changes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._stopped = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def stop(self) -> None:
        """Let the next read raise `WriteStopped`."""
        self._stopped.set()

    def read(self, size: int = -1, /) -> bytes:
        self._check()
        return self._stream.read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._check()
        filled: int = self.__getattr__("readinto")(buffer)
        return filled

    def _check(self) -> None:
        if self._stopped.is_set():
            raise WriteStopped


@asynccontextmanager
async def spooled(source: AsyncSource) -> AsyncIterator[BinaryIO]:
    """The content, read to its end, as a blocking file: in memory up to 8 MiB, else on disk."""
    with tempfile.SpooledTemporaryFile(MEMORY) as file:
        while block := await source.read_block(BLOCK):
            file.write(block)
        file.seek(0)
        yield cast("BinaryIO", file)
