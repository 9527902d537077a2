"""The types of content that can be written, and the type of files in async code."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from remote_store.core.home import public

Buffer: TypeAlias = bytes | bytearray | memoryview
BUFFERS = (bytes, bytearray, memoryview)


@public("remote_store.core")
class SupportsRead(Protocol):
    """Anything with `read(n)`: a file, a `GzipFile`, an HTTP response, or a class of yours."""

    def read(self, size: int, /) -> Buffer | None:
        """At most `size` bytes, and `b""` at the end. A write refuses `None`, which means "no data yet"."""
        ...


@public("remote_store.core")
class SupportsAsyncRead(Protocol):
    """Anything with an async `read(n)`, such as Starlette's and FastAPI's `UploadFile`."""

    async def read(self, size: int, /) -> Buffer:
        """At most `size` bytes, and `b""` at the end."""
        ...


Content: TypeAlias = Buffer | SupportsRead | Iterable[Buffer]


@public("remote_store.core")
class AsyncBinaryIO(Protocol):
    """A binary file whose I/O is awaited; the methods mean what they mean in `io`."""

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        ...

    def readable(self) -> bool:
        """Whether `read` works."""
        ...

    def writable(self) -> bool:
        """Whether `write` works."""
        ...

    def seekable(self) -> bool:
        """Whether `seek` works."""
        ...

    async def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1."""
        ...

    async def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill the buffer and return the number of bytes, which is less than the buffer's length only at the end."""
        ...

    async def readline(self, size: int = -1, /) -> bytes:
        """One line with its newline."""
        ...

    async def write(self, data: Buffer, /) -> int:
        """Write all bytes and return their number."""
        ...

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to an offset in bytes, and return the new position."""
        ...

    def tell(self) -> int:
        """The position in bytes."""
        ...

    async def close(self) -> None:
        """Release the connection or the file."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the lines, for text-like content. To stream bytes, call `read` with a size."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


AsyncContent: TypeAlias = Content | SupportsAsyncRead | AsyncIterable[Buffer]
