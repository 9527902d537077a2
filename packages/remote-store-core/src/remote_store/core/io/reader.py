"""The file that a store opens for reading, and the file object that the embedded backends return."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from remote_store.core.home import public
from remote_store.core.io.streams import check_chunk_size, read_block
from remote_store.core.models import FileInfo
from remote_store.core.path import RemotePath

if TYPE_CHECKING:

    class BinaryFile(io.BufferedIOBase, BinaryIO):
        """The base of `Reader` for type checkers, so that it is accepted as a `BinaryIO`."""

        name: str
else:
    BinaryFile = io.BufferedIOBase

CHUNK = 1 << 20


@public("remote_store.core")
class Reader(BinaryFile):
    """A binary file opened for reading, which knows the file that it reads.

    It is an `io.BufferedIOBase`, so `io.TextIOWrapper`, `zipfile`, `csv`, `pyarrow` and `shutil.copyfileobj` work on
    it. All reads return bytes of one version of the file. `readinto` fills a buffer of yours. Iteration yields lines,
    for text-like content; to stream bytes, use `iter_chunks`. Close it, or use it in a `with` block. Not for use by
    several threads at once.

    Args:
        info: The file, from the response that opened it, or a function that asks for it.

    Attributes:
        known_info: The same as `info` if that takes no request, else `None`.
        is_pinned: Whether every later request for the file can require its version. `False` if the ETag is weak.

    Example:
        ```python
        with store.read("report.pdf") as file:
            headers = {"Content-Type": file.info.content_type, "ETag": file.info.etag}
            for chunk in file.iter_chunks():
                send(chunk)
        ```
    """

    is_pinned: bool = True

    def __init__(self, info: FileInfo | Callable[[], FileInfo]) -> None:
        super().__init__()
        self.known_info: FileInfo | None = None
        if isinstance(info, FileInfo):
            self.known_info = exact(info)
        else:
            self._ask = info

    @property
    def info(self) -> FileInfo:
        """The file that is read: its path in the store, size, type, entity tag and other attributes.

        It is taken from the response that opened the file and sends no request. If the backend did not describe the
        file when it opened it, which can be the case for a third-party backend, the first use calls `get_file_info`: 1
        request, which fails if the file is gone, and describes the newer version if the file was replaced.

        Raises:
            NotFound: The backend had to ask, and the file does not exist any more.
            CapabilityNotSupported: The backend had to ask, and does not have `METADATA`.
        """
        if self.known_info is None:
            self.known_info = exact(self._ask())
        return self.known_info

    def get_info(self) -> FileInfo:
        """The same as `info`, for code that mirrors `AsyncReader.get_info`."""
        return self.info

    def iter_chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Iterate over the bytes from the position to the end, in chunks. The cost is that of `read(size)` in a loop.

        Args:
            size: Bytes of a chunk, 1 MiB by default. Only the last chunk is shorter.

        Raises:
            TypeError: `size` is not an `int`. Raised by the call.
            ValueError: `size` is less than 1. Raised by the call.
        """
        check_chunk_size(size)
        return iter(partial(read_block, self, size), b"")


class BufferedFile(io.BufferedReader, Reader):
    """An `io.BufferedReader` that knows its file.

    Args:
        raw: The file below.
        info: Describes the open file.
        buffer_size: Bytes to read at once.
    """

    def __init__(self, raw: Any, info: FileInfo, buffer_size: int = io.DEFAULT_BUFFER_SIZE) -> None:
        io.BufferedReader.__init__(self, raw, buffer_size)
        self.known_info = exact(info)


def exact(info: FileInfo) -> FileInfo:
    """The same `FileInfo` with a path that a store uses byte for byte."""
    return info if isinstance(info.path, RemotePath) else replace(info, path=RemotePath.exact(info.path))


def known_info(file: object) -> FileInfo | None:
    """The `info` of a file that has one; `None` if it has none, or would have to ask for it."""
    if isinstance(file, Reader):
        return file.known_info
    # A property of somebody else's file may do I/O.
    info = getattr(file, "__dict__", {}).get("info")
    return info if isinstance(info, FileInfo) else None


def is_pinned(file: object) -> bool:
    """The `is_pinned` of a file that has one. Other files are of a backend whose ETags are taken as strong."""
    return file.is_pinned if isinstance(file, Reader) else True
