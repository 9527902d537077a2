"""A blocking file whose I/O is awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, cast

from remote_store.core.aio.threads import Threads
from remote_store.core.content import Buffer
from remote_store.core.errors import BackendUnavailable

T = TypeVar("T")


class ThreadedFile:
    """A blocking file whose I/O runs in threads, one call at a time.

    A cancelled read leaves the position unknown, so it closes the file as soon as its thread is back.

    Args:
        file: The blocking file, closed together with this one.
        threads: Where its calls run.
    """

    def __init__(self, file: BinaryIO, threads: Threads) -> None:
        self.file = file
        self._threads = threads
        self._abandoned = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.file!r})"

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._abandoned or self.file.closed

    def readable(self) -> bool:
        return self.file.readable()

    def writable(self) -> bool:
        return self.file.writable()

    def seekable(self) -> bool:
        return self.file.seekable()

    async def read(self, size: int = -1, /) -> bytes:
        return await self._read(partial(self.file.read, size))

    async def readinto(self, buffer: bytearray | memoryview, /) -> int:
        return await self._read(partial(cast("Any", self.file).readinto, buffer))

    async def readline(self, size: int = -1, /) -> bytes:
        return await self._read(partial(self.file.readline, size))

    async def write(self, data: Buffer, /) -> int:
        self._check_open()
        return await self._threads.finish(partial(self.file.write, data))

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        return await self._read(partial(self.file.seek, offset, whence))

    def tell(self) -> int:
        self._check_open()
        return self.file.tell()

    async def close(self) -> None:
        if self.closed:
            return
        try:
            await self._threads.finish(self.file.close)
        except BackendUnavailable:
            self.file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _check_open(self) -> None:
        if self._abandoned:
            raise ValueError("I/O operation on closed file: a cancelled read closed it")

    async def _read(self, function: Callable[[], T]) -> T:
        self._check_open()
        return await self._threads.call(function, abandon=self._abandon)

    def _abandon(self, future: Future[Any]) -> None:
        self._abandoned = True
        future.add_done_callback(lambda _: close_quietly(self.file))


def close_quietly(file: BinaryIO) -> None:
    """Close a file that nobody uses any more; there is nobody to tell of a failure."""
    with suppress(Exception):
        file.close()
