"""Files on the local disk for async stores: the same work, done in threads."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from remote_store.core.aio.streams import is_async_stream
from remote_store.core.aio.threads import in_thread, outcome
from remote_store.core.io import files
from remote_store.core.io.files import Progress, check_complete
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.io.streams import block_size, bytes_left, told_left

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a blocking call; a cancelled caller waits for its end, so that nothing goes on behind its back."""
    call = asyncio.ensure_future(in_thread(function, *args, **kwargs))
    try:
        return await outcome(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        # A failure that nobody asks for any more would be logged as forgotten.
        _ = call.cancelled() or call.exception()
        raise


@asynccontextmanager
async def in_threads(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A blocking context, made of a generator, whose entry and exit run in threads."""
    try:
        # Inside the `try`, because a cancelled entry has happened all the same and is to be undone.
        yield await run_in_thread(manager.__enter__)
    except BaseException:
        if not await run_in_thread(manager.__exit__, *sys.exc_info()):
            raise
    else:
        await run_in_thread(manager.__exit__, None, None, None)


def async_opened(source: str | os.PathLike[str] | AsyncContent) -> AbstractAsyncContextManager[AsyncContent]:
    """A local file, open for reading and closed at the end; a stream as it is."""
    return in_threads(files.opened(source))  # type: ignore[arg-type]


class AsyncCounted:
    """A binary stream that reports, in the event loop, how many bytes have been read from it.

    Args:
        file: The stream; a blocking one is read in threads.
        progress: Gets the number of bytes so far after each read.
    """

    def __init__(self, file: Any, progress: Progress) -> None:
        self.file = file
        self._awaited = is_async_stream(file)
        self._progress = progress
        self._done = 0

    def bytes_left(self) -> int | None:
        """How many bytes the stream still has, where it can tell."""
        return told_left(self.file) if self._awaited else bytes_left(self.file)

    async def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""
        data: bytes = await (self.file.read(size) if self._awaited else run_in_thread(self.file.read, size))
        if data:
            self._done += len(data)
            self._progress(self._done)
        return data


async def _counted_chunks(chunks: AsyncIterable[bytes], progress: Progress) -> AsyncIterator[bytes]:
    done = 0
    async for chunk in chunks:
        if chunk:
            done += len(chunk)
            progress(done)
        yield chunk


def async_counted(content: Any, progress: Progress | None) -> Any:
    """The stream, reporting where somebody wants to know."""
    if progress is None:
        return content
    if hasattr(content, "read"):
        return AsyncCounted(content, progress)
    return _counted_chunks(content, progress) if is_async_stream(content) else content


def async_replacing(path: str | os.PathLike[str], *, overwrite: bool) -> AbstractAsyncContextManager[BinaryIO]:
    """A new file that takes the name of `path` on a clean exit, and leaves nothing behind on an exception.

    Raises:
        FileExistsError: There is a file and `overwrite` is `False`.
        IsADirectoryError: There is a folder.
        OSError: A link leads nowhere, or there is a device, a pipe or a socket.
    """
    return in_threads(files.replacing(path, overwrite=overwrite))


async def async_transfer(source: AsyncBinaryIO, target: BinaryIO, path: str, progress: Progress | None) -> int:
    """Copy the file at a path of a store to its end and say its length.

    Raises:
        BackendUnavailable: The stream ended before its own size.
    """
    size = None
    if source.seekable():
        size = await source.seek(0, io.SEEK_END)
        await source.seek(0)
    buffer = memoryview(bytearray(block_size(source)))
    done = 0
    while count := await source.readinto(buffer):
        await run_in_thread(target.write, buffer[:count])
        done += count
        if progress is not None:
            progress(done)
    if size is not None:
        check_complete(path, done, size)
    return done
