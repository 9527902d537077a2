"""Downloads of async stores that go on where an earlier call stopped, with the blocking calls in threads."""

from __future__ import annotations

import io
import os
import time
from contextlib import AbstractAsyncContextManager

from remote_store.core import resumed_downloads
from remote_store.core.aio.files import in_threads, run_in_thread
from remote_store.core.aio.reader import is_pinned, known_info
from remote_store.core.files import check_complete
from remote_store.core.io.source import AsyncBinaryIO
from remote_store.core.progress import Meter, Progress
from remote_store.core.resumed_downloads import FAST_SECONDS, LARGE, Partial, identity, next_size

__all__ = ["async_continue_transfer", "async_resuming", "identity"]


def async_resuming(
    path: str | os.PathLike[str], source: str, *, overwrite: bool
) -> AbstractAsyncContextManager[Partial]:
    """Open the temporary file of a download. It gets the name `path` on a clean exit, and is kept after an exception.

    Raises:
        BlockingIOError: Another call downloads to the same file.
        FileExistsError: The file exists and `overwrite` is `False`.
        IsADirectoryError: The path is a folder.
        OSError: A symbolic link is broken, or the path is a device, a pipe or a socket.
    """
    return in_threads(resumed_downloads.resuming(path, source, overwrite=overwrite))


async def async_continue_transfer(source: AsyncBinaryIO, partial: Partial, path: str, progress: Progress | None) -> int:
    """Copy the bytes of a store's file that are not there yet, and return the length of the file.

    Raises:
        BackendUnavailable: The stream ended before its size.
        ChecksumMismatch: The bytes do not have the checksum of the file.
    """
    info = known_info(source) if is_pinned(source) else None
    size = await source.seek(0, io.SEEK_END)
    await source.seek(await run_in_thread(partial.begin, info, size))
    meter = Meter(progress, size, partial.done)
    buffer = memoryview(bytearray(min(LARGE, size - partial.done)))
    seconds = FAST_SECONDS
    while wanted := next_size(partial, size, seconds):
        began = time.monotonic()
        count = await source.readinto(buffer[:wanted])
        if not count:
            break
        seconds = time.monotonic() - began
        await run_in_thread(partial.write, buffer[:count])
        meter.add(count)
    check_complete(path, partial.done, size)
    partial.check(path)
    return size
