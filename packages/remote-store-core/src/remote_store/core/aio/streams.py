"""Checks the content of an async write, and reads it block by block."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from remote_store.core.aio.threads import in_thread
from remote_store.core.home import public
from remote_store.core.io.chunks import as_chunk
from remote_store.core.io.source import BUFFERS, AsyncContent, Buffer, Content
from remote_store.core.io.streams import READ, Source, as_bytes, as_stream, check_binary, told_left, wrong_content


@public("remote_store.core")
class AsyncSource:
    """Reads content of any accepted type in blocks of the size that the writer wants.

    A blocking stream or iterable is read in a thread.

    Args:
        content: Bytes, anything with a blocking or async `read(n)`, or a plain or async iterable of bytes. A stream is
            read from its current position and stays open.

    Attributes:
        size: Number of bytes; `None` if the stream does not report it. A file may still grow or shrink.
        failure: The exception that the caller's stream raised.

    Raises:
        TypeError: The content is text, or cannot be read.
    """

    def __init__(self, content: AsyncContent) -> None:
        check_async_content(content := async_as_stream(content))
        self.size: int | None = None
        self.failure: BaseException | None = None
        self._carry = memoryview(b"")
        self._source: Source | None = None
        self._read: Callable[[int], object] | None = None
        self._in_thread = False
        read = getattr(content, "read", None)
        if is_async_stream(content):
            self._read = read
            self.size = told_left(content)
            self._chunks = cast("AsyncIterator[bytes]", None if read else aiter(content))  # type: ignore[arg-type]
        else:
            self._source = Source(cast("Content", content))
            self._in_thread = not isinstance(content, BUFFERS)
            self.size = self._source.size

    async def read_block(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end. Exceptions of the stream pass unchanged."""
        try:
            return await self._block(size)
        except BaseException as error:
            self.failure = error
            raise

    async def read_rest(self) -> bytes:
        """All that is left. Exceptions of the stream pass unchanged."""
        blocks = []
        while block := await self.read_block(READ):
            blocks.append(block)
        return b"".join(blocks)

    async def _block(self, size: int) -> bytes:
        if self._source is not None:
            if self._in_thread:
                return await in_thread(self._source.read_block, size)
            return self._source.read_block(size)
        gathered = bytearray()
        while len(gathered) < size:
            data = await self._next(size - len(gathered))
            if data is None:
                break
            gathered += data
        return bytes(gathered)

    async def _next(self, size: int) -> Buffer | None:
        if self._read is not None:
            data = self._read(size)
            return as_bytes(await data if inspect.isawaitable(data) else data, size) or None
        while not self._carry:
            try:
                self._carry = memoryview(as_chunk(await anext(self._chunks)))
            except StopAsyncIteration:
                return None
        block, self._carry = self._carry[:size], self._carry[size:]
        return block


def async_as_stream(content: Any) -> Any:
    """A binary stream over a plain iterable of bytes. Other content is returned unchanged and unchecked.

    Raises:
        TypeError: It is a mapping or a set, or a list or tuple with an item that is not bytes.
    """
    return content if hasattr(content, "__aiter__") else as_stream(content)


def is_async_stream(content: object) -> bool:
    """Whether the content has an async `read`, or is an async iterable."""
    return inspect.iscoroutinefunction(getattr(content, "read", None)) or hasattr(content, "__aiter__")


def check_async_content(content: object) -> None:
    """Check that the content is bytes, a binary stream or an async iterable, without reading from it.

    Raises:
        TypeError: The content is text, a text stream, or cannot be read.
    """
    check_binary(content)
    if not isinstance(content, BUFFERS) and not is_async_stream(content) and not hasattr(content, "read"):
        raise TypeError(wrong_content(content))
