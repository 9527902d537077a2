"""The file that an async store opens for reading."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable

from remote_store.core.aio.buffered import AsyncBufferedIOBase
from remote_store.core.errors import CapabilityNotSupported
from remote_store.core.home import public
from remote_store.core.io import reader as blocking
from remote_store.core.io.reader import CHUNK, exact
from remote_store.core.io.streams import check_chunk_size
from remote_store.core.models import FileInfo


@public("remote_store.core")
class AsyncReader(AsyncBufferedIOBase):
    """A binary file opened for reading, which knows the file that it reads. Its I/O is awaited.

    It has the methods of `AsyncBinaryIO`. All reads return bytes of one version of the file. `readinto` fills a buffer
    of yours. `async for line in reader` yields lines, for text-like content; to stream bytes, use `iter_chunks`. Close
    it, or use it in an `async with` block. Not for use by several tasks at once.

    Args:
        info: The file, from the response that opened it, or a function that asks for it.

    Attributes:
        known_info: The same as `info` if it is known, else `None`.
        is_pinned: Whether every later request for the file can require its version. `False` if the ETag is weak.

    Example:
        ```python
        async with await store.read("report.pdf") as file:
            headers = {"Content-Type": file.info.content_type, "ETag": file.info.etag}
            async for chunk in file.iter_chunks():
                await send(chunk)
        ```
    """

    is_pinned: bool = True

    def __init__(self, info: FileInfo | Callable[[], Awaitable[FileInfo]]) -> None:
        super().__init__()
        self.known_info: FileInfo | None = None
        if isinstance(info, FileInfo):
            self.known_info = exact(info)
        else:
            self._ask = info

    @property
    def info(self) -> FileInfo:
        """The file that is read: its path in the store, size, type, entity tag and other attributes.

        It is taken from the response that opened the file and sends no request.

        Raises:
            CapabilityNotSupported: The backend did not describe the file when it opened it, which can be the case for
                a third-party backend. `await get_info()` asks for it; `info` then returns it.
        """
        if self.known_info is not None:
            return self.known_info
        message = "the backend did not describe the file when it opened it; await get_info(), which asks for it"
        raise CapabilityNotSupported(message, capability="info", path=getattr(self, "name", None))

    async def get_info(self) -> FileInfo:
        """The same as `info`, without a request, if the backend described the file when it opened it.

        If not, the first use calls `get_file_info`: 1 request, which fails if the file is gone, and describes the
        newer version if the file was replaced.

        Raises:
            NotFound: The backend had to ask, and the file does not exist any more.
            CapabilityNotSupported: The backend had to ask, and does not have `METADATA`.
        """
        if self.known_info is None:
            self.known_info = exact(await self._ask())
        return self.known_info

    def iter_chunks(self, size: int = CHUNK) -> AsyncIterator[bytes]:
        """Iterate over the bytes from the position to the end, in chunks. The cost is that of `read(size)` in a loop.

        Args:
            size: Bytes of a chunk, 1 MiB by default. Only the last chunk is shorter.

        Raises:
            TypeError: `size` is not an `int`. Raised by the call.
            ValueError: `size` is less than 1. Raised by the call.
        """
        check_chunk_size(size)
        return self._chunks(size)

    async def _chunks(self, size: int) -> AsyncIterator[bytes]:
        while chunk := await self.read(size):
            yield chunk

    async def seek(self, _offset: int, _whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position.

        Raises:
            io.UnsupportedOperation: The file is not seekable.
        """
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        """The position in bytes.

        Raises:
            io.UnsupportedOperation: The file is not seekable.
        """
        raise io.UnsupportedOperation("tell")

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the lines, for text-like content. A line of a binary file can be as long as the file.

        To stream bytes, use `iter_chunks`.
        """
        return self


def known_info(file: object) -> FileInfo | None:
    """The `info` of a file that has one; `None` if it has none, or would have to ask for it."""
    return file.known_info if isinstance(file, AsyncReader) else blocking.known_info(file)


def is_pinned(file: object) -> bool:
    """The `is_pinned` of a file that has one. Other files are of a backend whose ETags are taken as strong."""
    return file.is_pinned if isinstance(file, AsyncReader) else blocking.is_pinned(file)
