"""Opens and replaces local files for async stores, with the blocking calls in threads."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Any, BinaryIO, ParamSpec, TypeVar

from remote_store.core import files
from remote_store.core.aio.streams import check_async_content, is_async_stream
from remote_store.core.aio.threads import in_thread, outcome
from remote_store.core.files import check_complete
from remote_store.core.io.chunks import as_chunk
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent, Buffer
from remote_store.core.io.streams import READ, as_bytes, block_size, bytes_left, told_left
from remote_store.core.progress import Meter, Progress

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread and return its result. If cancelled, wait until the call has ended."""
    call = asyncio.ensure_future(in_thread(function, *args, **kwargs))
    try:
        return await outcome(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        # Reading the exception keeps asyncio from logging it as never retrieved.
        _ = call.cancelled() or call.exception()
        raise


@asynccontextmanager
async def in_threads(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Run the entry and exit of a blocking, generator-based context manager in threads."""
    try:
        # Inside the `try`, because an entry that is cancelled still completes and has to be undone.
        yield await run_in_thread(manager.__enter__)
    except BaseException:
        if not await run_in_thread(manager.__exit__, *sys.exc_info()):
            raise
    else:
        await run_in_thread(manager.__exit__, None, None, None)


def async_opened(source: str | os.PathLike[str] | AsyncContent) -> AbstractAsyncContextManager[AsyncContent]:
    """Open a local file and close it on exit. A stream is yielded unchanged and stays open."""
    return in_threads(files.opened(source))  # type: ignore[arg-type]


class AsyncCounted:
    """A binary stream that reports, in the event loop, how many bytes have been read from it.

    Args:
        file: The stream; a blocking one is read in threads.
        progress: Called at the start and after each read.
        total: Number of bytes; `None` if it is not known.
    """

    def __init__(self, file: Any, progress: Progress, total: int | None) -> None:
        self.file = file
        self._awaited = is_async_stream(file)
        self._meter = Meter(progress, total)

    def bytes_left(self) -> int | None:
        """The number of bytes left, if the stream reports it."""
        return told_left(self.file) if self._awaited else bytes_left(self.file)

    async def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, and at most 1 MiB at once."""
        most = size if size < 0 else min(size, READ)
        read = self.file.read(most) if self._awaited else in_thread(self.file.read, most)
        data = as_bytes(await read, None if most < 0 else most)
        self._meter.add(len(data))
        return data


async def _counted_chunks(chunks: AsyncIterable[Buffer], meter: Meter) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        data = as_chunk(chunk)
        meter.add(len(data))
        yield data


def async_counted(content: Any, progress: Progress | None) -> Any:
    """Make a stream of the content that reports to `progress`, if there is such a function.

    Raises:
        TypeError: The content is text, or cannot be read.
    """
    if progress is None:
        return content
    stream = content if is_async_stream(content) else files.readable(content)
    check_async_content(stream)
    if not hasattr(stream, "read"):
        return _counted_chunks(stream, Meter(progress, None))
    return AsyncCounted(
        stream, progress, told_left(stream) if is_async_stream(stream) else files.total_of(content, stream)
    )


def async_replacing(path: str | os.PathLike[str], *, overwrite: bool) -> AbstractAsyncContextManager[BinaryIO]:
    """Open a new file that gets the name `path` on a clean exit and is removed after an exception.

    Raises:
        FileExistsError: The file exists and `overwrite` is `False`.
        IsADirectoryError: The path is a folder.
        OSError: A symbolic link is broken, or the path is a device, a pipe or a socket.
    """
    return in_threads(files.replacing(path, overwrite=overwrite))


async def async_transfer(source: AsyncBinaryIO, target: BinaryIO, path: str, progress: Progress | None) -> int:
    """Copy all bytes of a store's file to the target, and return their number.

    Raises:
        BackendUnavailable: The stream ended before its size.
    """
    size = None
    if source.seekable():
        size = await source.seek(0, io.SEEK_END)
        await source.seek(0)
    buffer = memoryview(bytearray(block_size(source)))
    meter = Meter(progress, size)
    while count := await source.readinto(buffer):
        await run_in_thread(target.write, buffer[:count])
        meter.add(count)
    if size is not None:
        check_complete(path, meter.done, size)
    return meter.done
