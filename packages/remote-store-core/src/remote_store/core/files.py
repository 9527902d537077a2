"""Opens local files for uploads, and replaces local files with downloads."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from remote_store.core.errors import BackendUnavailable
from remote_store.core.io.source import BUFFERS, Content
from remote_store.core.io.streams import READ, as_bytes, as_stream, block_size, bytes_left, check_content
from remote_store.core.io.unchanged import Unchanged
from remote_store.core.io.wrapped import WrappedStream
from remote_store.core.local.folder import Folder
from remote_store.core.local.resolving import follow
from remote_store.core.local.unfinished import ATTEMPTS, Unfinished
from remote_store.core.progress import Meter, Progress


@contextmanager
def opened(source: str | os.PathLike[str] | Content) -> Iterator[Content]:
    """Open a local file and close it on exit. A stream is yielded unchanged and stays open.

    A regular file must not change while it is read, unless its size is 0, as that of a file of the kernel is.
    """
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            facts = os.fstat(file.fileno())
            is_stored = stat.S_ISREG(facts.st_mode) and facts.st_size > 0
            yield Unchanged(file, os.fspath(source)) if is_stored else file
    else:
        yield source


class Counted(WrappedStream):
    """A binary stream that reports how many bytes have been read from it.

    Args:
        file: The stream.
        progress: Called at the start and after each read.
        total: Number of bytes; `None` if it is not known.
    """

    def __init__(self, file: Any, progress: Progress, total: int | None) -> None:
        super().__init__(file)
        self._meter = Meter(progress, total)

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, and at most 1 MiB at once."""
        most = size if size is None or size < 0 else min(size, READ)
        data = as_bytes(super().read(most), None if most is None or most < 0 else most)
        self._meter.add(len(data))
        return data


def counted(content: Any, progress: Progress | None) -> Any:
    """Make a stream of the content that reports to `progress`, if there is such a function.

    Raises:
        TypeError: The content is text, or cannot be read.
    """
    if progress is None:
        return content
    stream = readable(content)
    check_content(stream)
    return Counted(stream, progress, total_of(content, stream))


def readable(content: Any) -> Any:
    """A binary stream over bytes or an iterable of bytes. Other content is returned unchanged and unchecked."""
    return io.BytesIO(bytes(content)) if isinstance(content, BUFFERS) else as_stream(content)


def total_of(content: Any, stream: Any) -> int | None:
    """The number of bytes of the content that the stream will return; `None` if it is not known."""
    return memoryview(content).nbytes if isinstance(content, BUFFERS) else bytes_left(stream)


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a new file that gets the name `path` on a clean exit and is removed after an exception.

    Symbolic links are followed. A replaced file's mode is kept. Until the exit, only the owner can open the new file.
    It is not synced to disk.

    Raises:
        FileExistsError: The file exists and `overwrite` is `False`.
        IsADirectoryError: The path is a folder.
        OSError: A symbolic link is broken, or the path is a device, a pipe or a socket.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with ExitStack() as opened:
        above = opened.enter_context(Folder.at(str(target.parent)))
        folder, _, _ = target_of(opened, above, target, overwrite=overwrite)
        unfinished = opened.enter_context(Unfinished(folder).opened())
        with os.fdopen(os.dup(unfinished.descriptor), "wb") as file:
            yield file
        put_in_place(opened, above, target, unfinished, overwrite=overwrite)


def put_in_place(opened: ExitStack, above: Folder, target: Path, unfinished: Unfinished, *, overwrite: bool) -> None:
    """Give a complete temporary file the name of its target.

    Args:
        opened: Closes the folders that are opened.
        above: The folder of the path, before links are followed.
        target: The path.
        unfinished: The temporary file.
        overwrite: Replace the target.

    Raises:
        FileExistsError: The target exists and `overwrite` is `False`.
        OSError: Other programs keep changing the target.
    """
    for _ in range(ATTEMPTS):
        folder, name, old = target_of(opened, above, target, overwrite=overwrite)
        unfinished.renew(folder)
        with suppress(FileExistsError):
            unfinished.put(folder, name, old, mode=0o666, durable=False)
            return
    raise OSError(errno.EAGAIN, "other programs keep creating and removing the file; try again", str(target))


def target_of(
    opened: ExitStack, above: Folder, target: Path, *, overwrite: bool
) -> tuple[Folder, str, os.stat_result | None]:
    """The folder and the name that a path means after links are followed, and the file there, if there is one.

    Raises:
        FileExistsError: The file exists and `overwrite` is `False`.
        OSError: A symbolic link is broken, or the path is a device, a pipe or a socket.
    """
    try:
        folder, name, old = follow(opened, above, target.name)
    except OSError as error:
        error.filename = str(target)
        raise
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "this is a device, a pipe or a socket; pass the path of a file", str(target))
    if old is not None and not overwrite:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    return folder, name, old


def transfer(source: BinaryIO, target: BinaryIO, path: str, progress: Progress | None) -> int:
    """Copy all bytes of a store's file to the target, and return their number.

    Raises:
        BackendUnavailable: The stream ended before its size.
    """
    size = None
    if source.seekable():
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
    buffer = memoryview(bytearray(block_size(source)))
    meter = Meter(progress, size)
    while count := source.readinto(buffer):  # type: ignore[attr-defined]
        target.write(buffer[:count])
        meter.add(count)
    if size is not None:
        check_complete(path, meter.done, size)
    return meter.done


def check_complete(path: str, done: int, size: int) -> None:
    """Check that a transfer is complete.

    Raises:
        BackendUnavailable: The number of bytes that arrived is not the size of the file.
    """
    if done != size:
        raise BackendUnavailable(f"{done} of {size} bytes arrived; download it again", path=path, retryable=True)
