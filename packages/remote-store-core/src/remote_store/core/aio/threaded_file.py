"""Wraps a blocking file as an async one."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar, cast

from remote_store.core.aio.reader import AsyncReader
from remote_store.core.aio.threads import Threads
from remote_store.core.errors import BackendUnavailable
from remote_store.core.io.reader import Reader, is_pinned, known_info
from remote_store.core.io.source import Buffer
from remote_store.core.io.streams import block_size, bytes_left
from remote_store.core.models import FileInfo

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
LINES = 1 << 16


class ThreadedFile:
    """An async file that runs the I/O of a blocking file in threads, one call at a time.

    After a cancelled read the position is unknown, so the file is closed when the read's thread has finished.

    Args:
        file: The blocking file. Closing this file closes it too.
        threads: The pool that runs the calls.
    """

    def __init__(self, file: BinaryIO, threads: Threads) -> None:
        self.file = file
        self._threads = threads
        self._abandoned = False
        self._ahead: deque[bytes] = deque()

    @property
    def blocking(self) -> BinaryIO | None:
        """The blocking file; `None` while lines that were read ahead are buffered here."""
        return None if self._ahead else self.file

    @property
    def block_size(self) -> int:
        """Bytes to read at once."""
        return block_size(self.file)

    def bytes_left(self) -> int | None:
        """The number of bytes left, if the file reports it."""
        left = bytes_left(self.file)
        return None if left is None else left + self._ahead_size()

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

    async def read(self, size: int | None = -1, /) -> bytes:
        size = -1 if size is None else size
        ahead = self._ahead_size()
        if not ahead:
            return await self._read(partial(self.file.read, size))
        if 0 <= size <= ahead:
            return self._take_ahead(size)
        # If this read fails, the lines that were read ahead stay.
        more = await self._read(partial(self.file.read, size if size < 0 else size - ahead))
        return self._take_ahead(ahead) + more

    async def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._ahead:
            return await self._read(partial(cast("Any", self.file).readinto, buffer))
        with memoryview(buffer) as whole, whole.cast("B") as view:
            data = await self.read(len(view))
            view[: len(data)] = data
        return len(data)

    async def readline(self, size: int | None = -1, /) -> bytes:
        size = -1 if size is None else size
        if not self._ahead:
            return await self._read(partial(self.file.readline, size))
        return self._take_ahead(min(size, len(self._ahead[0])) if size >= 0 else len(self._ahead[0]))

    async def write(self, data: Buffer, /) -> int:
        self._check_open()
        return await self._threads.finish(partial(self.file.write, data))

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        start = offset - self._ahead_size() if whence == io.SEEK_CUR else offset
        position = await self._read(partial(self.file.seek, start, whence))
        self._ahead.clear()
        return position

    def tell(self) -> int:
        self._check_open()
        return self.file.tell() - self._ahead_size()

    async def close(self) -> None:
        self._ahead.clear()
        if self.closed:
            return
        try:
            await self._threads.finish(self.file.close, instead=self.file.close)
        except BackendUnavailable:
            self.file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        failure: Exception | None = None
        while True:
            if not self._ahead:
                if failure is not None:
                    raise failure
                # Reading line by line, most of the time would go into thread switches.
                lines, failure = await self._read(partial(some_lines, self.file))
                self._ahead.extend(lines)
            if self._ahead:
                yield self._ahead.popleft()
            elif failure is None:
                return

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

    def _ahead_size(self) -> int:
        return sum(map(len, self._ahead))

    def _take_ahead(self, size: int) -> bytes:
        """Take up to `size` bytes from the lines that were read ahead."""
        if not self._ahead:
            return b""
        taken = b"".join(self._ahead)
        self._ahead.clear()
        if size < len(taken):
            self._ahead.extend(io.BytesIO(taken[size:]).readlines())
            return taken[:size]
        return taken

    async def _read(self, function: Callable[[], T]) -> T:
        self._check_open()
        return await self._threads.call(function, abandon=self._abandon)

    def _abandon(self, future: Future[Any]) -> None:
        self._abandoned = True
        self._ahead.clear()
        future.add_done_callback(lambda _: close_quietly(self.file))


class ThreadedReader(ThreadedFile, AsyncReader):
    """A `ThreadedFile` for reading, which knows the file that it reads.

    Args:
        file: The blocking file. Closing this file closes it too.
        threads: The pool that runs the calls.
        ask: Asks the backend for the `FileInfo`, if the blocking file does not have it.
    """

    def __init__(self, file: BinaryIO, threads: Threads, ask: Callable[[], Awaitable[FileInfo]]) -> None:
        ThreadedFile.__init__(self, file, threads)
        if isinstance(file, Reader):
            ask = partial(threads.call, file.get_info)
        AsyncReader.__init__(self, known_info(file) or ask)
        self.is_pinned = is_pinned(file)


def some_lines(file: BinaryIO) -> tuple[list[bytes], Exception | None]:
    """The next lines, about 64 KiB of them, and the error of the line after them."""
    lines: list[bytes] = []
    left = LINES
    try:
        while left > 0 and (line := file.readline()):
            lines.append(line)
            left -= len(line)
    except Exception as error:  # noqa: BLE001 - raised once the lines before it are used
        return lines, error
    return lines, None


def close_quietly(file: BinaryIO) -> None:
    """Close a file and ignore errors, because no caller is left to receive them."""
    with suppress(Exception):
        file.close()
