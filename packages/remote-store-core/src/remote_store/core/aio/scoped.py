"""Wrappers for the files of an async backend, so that errors from later reads and writes carry the store's paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from remote_store.core.errors import RemoteStoreError
from remote_store.core.io.source import AsyncBinaryIO, Buffer
from remote_store.core.io.streams import block_size, told_left
from remote_store.core.rebase import Scope


class AsyncScopedFile:
    """An async binary file that forwards every call to the backend's file. It keeps no buffer and no position.

    Args:
        file: The backend's file. Closing this file closes it too.
        scope: Converts the paths of errors.
        path: Path of the file in the store.

    Attributes:
        name: The path.
    """

    def __init__(self, file: AsyncBinaryIO, scope: Scope, path: str) -> None:
        self._file = file
        self._errors = scope.errors()
        self.name = path

    @classmethod
    def over(cls, file: AsyncBinaryIO, scope: Scope, key: str) -> AsyncBinaryIO:
        """Wrap the file, or return it unchanged if the store's root is the backend's root."""
        return cls(file, scope, scope.path(key)) if scope.prefix else file

    def __repr__(self) -> str:
        return f"AsyncScopedFile({self.name!r})"

    @property
    def closed(self) -> bool:
        """Whether the backend's file is closed."""
        return self._file.closed

    @property
    def block_size(self) -> int:
        """Bytes to read at once."""
        return block_size(self._file)

    def bytes_left(self) -> int | None:
        """The number of bytes left, if the backend's file reports it."""
        with self._errors:
            return told_left(self._file)

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._file.tell()

    async def read(self, size: int = -1, /) -> bytes:
        with self._errors:
            return await self._file.read(size)

    async def readinto(self, buffer: bytearray | memoryview, /) -> int:
        with self._errors:
            return await self._file.readinto(buffer)

    async def readline(self, size: int = -1, /) -> bytes:
        with self._errors:
            return await self._file.readline(size)

    async def write(self, data: Buffer, /) -> int:
        with self._errors:
            return await self._file.write(data)

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        with self._errors:
            return await self._file.seek(offset, whence)

    async def close(self) -> None:
        with self._errors:
            await self._file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class AsyncScopedOpening(AbstractAsyncContextManager[AsyncBinaryIO]):
    """The context manager of a file opened for writing. Errors raised by the `async with` block pass unchanged.

    Args:
        opening: The backend's context manager.
        scope: Converts the paths of the backend's errors.
        key: Key of the file.
    """

    def __init__(self, opening: AbstractAsyncContextManager[AsyncBinaryIO], scope: Scope, key: str) -> None:
        self._opening = opening
        self._scope = scope
        self._key = key

    async def __aenter__(self) -> AsyncBinaryIO:
        with self._scope.errors():
            return AsyncScopedFile.over(await self._opening.__aenter__(), self._scope, self._key)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        try:
            return await self._opening.__aexit__(kind, error, traceback)
        except RemoteStoreError as failure:
            if failure is not error:
                self._scope.errors().rebase(failure)
            raise
