"""Wrappers for the files of an async backend, so that errors from later reads and writes carry the store's paths."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from remote_store.core.aio.reader import AsyncReader, is_pinned, known_info
from remote_store.core.errors import RemoteStoreError
from remote_store.core.io.source import AsyncBinaryIO, Buffer
from remote_store.core.io.streams import block_size, told_left
from remote_store.core.models import FileInfo
from remote_store.core.rebase import Scope

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


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
        self._file: Any = file
        self._errors = scope.errors()
        self.name = path

    @classmethod
    def over(cls, file: AsyncBinaryIO, scope: Scope, key: str) -> AsyncBinaryIO:
        """Wrap the file, or return it unchanged if the store's root is the backend's root."""
        return cls(file, scope, scope.path(key)) if scope.prefix else file

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def closed(self) -> bool:
        """Whether the backend's file is closed."""
        return bool(self._file.closed)

    @property
    def block_size(self) -> int:
        """Bytes to read at once."""
        return block_size(self._file)

    def bytes_left(self) -> int | None:
        """The number of bytes left, if the backend's file reports it."""
        with self._errors:
            return told_left(self._file)

    def readable(self) -> bool:
        return bool(self._file.readable())

    def writable(self) -> bool:
        return bool(self._file.writable())

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return int(self._file.tell())

    async def read(self, size: int | None = -1, /) -> bytes:
        with self._errors:
            data: bytes = await self._file.read(-1 if size is None else size)
            return data

    async def readinto(self, buffer: WriteableBuffer, /) -> int:
        with self._errors:
            return int(await self._file.readinto(buffer))

    async def readline(self, size: int | None = -1, /) -> bytes:
        with self._errors:
            line: bytes = await self._file.readline(-1 if size is None else size)
            return line

    async def write(self, data: Buffer, /) -> int:
        with self._errors:
            return int(await self._file.write(data))

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        with self._errors:
            return int(await self._file.seek(offset, whence))

    async def close(self) -> None:
        with self._errors:
            await self._file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if isinstance(self._file, AsyncReader):
            # It may read many lines with one switch of threads.
            with self._errors:
                async for line in self._file:
                    yield line
            return
        while line := await self.readline():
            yield line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class AsyncScopedReader(AsyncScopedFile, AsyncReader):
    """An `AsyncScopedFile` for reading, which knows the file that it reads.

    Args:
        file: The backend's file. Closing this file closes it too.
        scope: Converts the paths of errors and of `info`.
        path: Path of the file in the store.
        ask: Asks the backend for the `FileInfo`, if the backend's file does not have it.
    """

    def __init__(self, file: AsyncBinaryIO, scope: Scope, path: str, ask: Callable[[], Awaitable[FileInfo]]) -> None:
        AsyncScopedFile.__init__(self, file, scope, path)
        if isinstance(file, AsyncReader):
            ask = file.get_info
        known = known_info(file)
        AsyncReader.__init__(self, partial(asked, scope, ask) if known is None else scope.file(known))
        self.is_pinned = is_pinned(file)

    @classmethod
    def of(cls, file: AsyncBinaryIO, scope: Scope, key: str, ask: Callable[[], Awaitable[FileInfo]]) -> AsyncReader:
        """Wrap the file, or return it unchanged if it needs no conversion and is an `AsyncReader`."""
        if not scope.prefix and isinstance(file, AsyncReader):
            return file
        return cls(file, scope, scope.path(key), ask)


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


async def asked(scope: Scope, ask: Callable[[], Awaitable[FileInfo]]) -> FileInfo:
    """The `FileInfo` from the backend, with the store's path. Not a method, so that no reader refers to itself."""
    with scope.errors():
        return scope.file(await ask())
