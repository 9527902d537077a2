"""The files that `open_async` opens."""

from __future__ import annotations

import io
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

from remote_store.core import AsyncBinaryIO, AsyncReader, FileInfo
from remote_store.fsspec.errors import Discarded, translated
from remote_store.fsspec.names.entries import Entry, entry_of


class AsyncFile:
    """A file of a store, opened by an async filesystem.

    Attributes:
        fs: The filesystem.
        path: The key.
        mode: `rb`, `wb` or `xb`.
        closed: Whether it is closed.
    """

    def __init__(self, fs: Any, path: str, mode: str) -> None:
        self.fs = fs
        self.path = path
        self.mode = mode
        self.closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r} {self.mode}{' closed' if self.closed else ''}>"

    async def __aenter__(self) -> Self:
        self.check_open()
        return self

    def check_open(self) -> None:
        """Refuse a closed file.

        Raises:
            ValueError: It is closed.
        """
        if self.closed:
            raise ValueError("I/O operation on closed file")


class AsyncReadFile(AsyncFile):
    """A file opened for reading. All reads return bytes of the version that was opened.

    Args:
        fs: The filesystem.
        path: The key.
        file: The file of the store.
        info: The file, as the store describes it.

    Attributes:
        size: Length in bytes.
        details: The entry, as `fs.info` returns it.
    """

    def __init__(self, fs: Any, path: str, file: AsyncReader, info: FileInfo) -> None:
        super().__init__(fs, path, "rb")
        self.details: Entry = entry_of(info)
        self.size = info.size
        self._file = file
        self._position = 0

    def info(self) -> Entry:
        """The entry of the version that is read. Sends no request."""
        return self.details

    def tell(self) -> int:
        """The position."""
        return self._position

    def seek(self, loc: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return the new position. Sends no request."""
        self.check_open()
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        if starts[whence] + loc < 0:
            raise ValueError(f"the position {starts[whence] + loc} is before the start of the file")
        self._position = starts[whence] + loc
        return self._position

    async def read(self, length: int | None = -1) -> bytes:
        """Up to `length` bytes, fewer only at the end; all the rest for -1 or `None`.

        Raises:
            PreconditionFailed: The file was replaced since it was opened.
        """
        self.check_open()
        left = max(0, self.size - self._position)
        wanted = left if length is None or length < 0 else min(length, left)
        if not wanted:
            return b""
        with translated():
            if self._file.tell() != self._position:
                await self._file.seek(self._position)
            data = await self._file.read(wanted)
        self._position += len(data)
        return data

    async def close(self) -> None:
        """Close the file and its connection."""
        self.closed = True
        await self._file.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class AsyncWriteFile(AsyncFile):
    """A file opened for writing. It appears complete when it is closed.

    Nothing is written if its block ends with an exception, if it is discarded, or if nobody closes it.

    Args:
        fs: The filesystem.
        path: The key.
        mode: `wb` or `xb`.
        opening: The store's context manager of the file.
        file: The file that it opened.
    """

    def __init__(
        self,
        fs: Any,
        path: str,
        mode: str,
        *,
        opening: AbstractAsyncContextManager[AsyncBinaryIO],
        file: AsyncBinaryIO,
    ) -> None:
        super().__init__(fs, path, mode)
        self._opening = opening
        self._file = file
        self._position = 0

    def tell(self) -> int:
        """The number of bytes written so far."""
        return self._position

    async def write(self, data: Any) -> int:
        """Write bytes at the end of the file, and return their number."""
        self.check_open()
        count = memoryview(data).nbytes
        with translated():
            await self._file.write(data)
        self._position += count
        return count

    async def flush(self, force: bool = False) -> None:
        """Do nothing: the file is written as a whole."""
        self.check_open()

    async def close(self) -> None:
        """Write the file.

        Raises:
            FileExistsError: The mode is `xb`, and another writer created the file.
        """
        await self._end(None, None, None)

    async def discard(self) -> None:
        """Write nothing."""
        error = Discarded()
        await self._end(Discarded, error, None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._end(kind, error, traceback)

    async def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            with translated():
                await self._opening.__aexit__(kind, error, traceback)
        except BaseException as raised:
            if raised is not error:
                raise
