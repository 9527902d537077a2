"""The file that `read` and `read_seekable` return."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from operator import index
from time import monotonic
from typing import TYPE_CHECKING, Any

from remote_store.core.aio.reader import AsyncReader
from remote_store.core.checksums import InOrder, pieces
from remote_store.core.io.buffers import allocate
from remote_store.core.s3.engine.aio_ahead import AsyncReadAhead
from remote_store.core.s3.engine.aio_bodies import AsyncObjectBody, fetch
from remote_store.core.s3.engine.aio_runner import AsyncRunner
from remote_store.core.s3.engine.aio_tasks import in_time, sleep
from remote_store.core.s3.engine.allowance import Allowance
from remote_store.core.s3.operations.errors import contract_errors
from remote_store.core.s3.operations.fetching import (
    Opened,
    block_worth_reading,
    fill,
    worth_a_split,
    worth_reading_ahead,
)
from remote_store.core.s3.operations.reading import BLOCK, damaged
from remote_store.core.s3.protocol.options import S3Options

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SEQUENTIAL_BLOCK = 64 * 1024
LINE_BLOCK = 8 * 1024


class AsyncObjectReader(AsyncReader):
    """An object as a binary file. Every request is pinned to the version that was opened.

    With `exact`, a read requests exactly its own bytes; only `readline` and `peek` request blocks of 8 KiB. Otherwise,
    sequential reads use one body; if that delivers 8 MiB of a large object slowly, ranges are fetched ahead. A read of
    at least 32 MiB (4 times `part_size`, if that is less) fetches concurrent ranges into the buffer. A seek drops the
    body and the ranges; the next read opens a body at the new position. A failed read does not move the position. Not
    for concurrent use.

    If the service reported a checksum of the whole object, and all of it is read in order from the start, without
    `exact`, the last read compares it.

    Args:
        runner: Runs the requests.
        options: The options of the backend.
        opened: The object, whose size and version are known.
        exact: Whether each read requests exactly its own bytes.
        backend: Name for errors.
        path: Path for errors.
        allowance: The time that all reads may take; `None` if any.
    """

    def __init__(
        self,
        runner: AsyncRunner,
        options: S3Options,
        opened: Opened,
        *,
        exact: bool,
        backend: str,
        path: str,
        allowance: Allowance | None = None,
    ) -> None:
        super().__init__(opened.info)
        plan = opened.plan
        self.is_pinned = plan.pin is not None
        self._runner = runner
        self._options = options
        self._plan = plan
        self._body = AsyncObjectBody(runner.connections, plan, opened.body)
        self._exact = exact
        self._backend = backend
        self._path = path
        self._allowance = allowance
        self._ranges: AsyncReadAhead | None = None
        self._began, self._waited = plan.position, 0.0
        self._ahead = b""
        self._offset = 0
        self._size = plan.end or 0
        self._sum = InOrder(None if exact else opened.info.digest, self._size)
        self.name = path

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    @property
    def block_size(self) -> int:
        """Bytes to read at once; for a large object, enough to fetch concurrent ranges."""
        return BLOCK if self._exact else block_worth_reading(self._options, self._plan)

    def bytes_left(self) -> int:
        """The number of bytes from the position to the end. Sends no request."""
        return max(0, self._size - self.tell())

    def tell(self) -> int:
        """The position in bytes. Sends no request."""
        self._check_open()
        return self._plan.position - len(self._ahead) + self._offset

    async def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position. Sends no request.

        Raises:
            TypeError: The offset is not an integer.
            ValueError: The new position is negative, or `whence` is unknown.
        """
        here = self.tell()
        offset = index(offset)
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: here, io.SEEK_END: self._size}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        skipped = position - here
        if -self._offset <= skipped <= len(self._ahead) - self._offset:
            self._offset += skipped
        else:
            self._ahead, self._offset = b"", 0
            self._plan.position = self._began = position
            self._waited = 0.0
            await self._stop_ahead()
        return position

    async def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1 or `None`.

        Raises:
            PreconditionFailed: The object changed since it was opened.
            BackendUnavailable: Too many connections in a row broke.
        """
        left = self.bytes_left()
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted <= len(self._ahead) - self._offset:
            return self._take_ahead(wanted)
        if wanted > BLOCK:
            whole, buffer = allocate(wanted)
            with buffer:
                await self._fill(buffer)
            return whole.getvalue()
        async with self._steady():
            data = self._take_ahead(wanted)
            wanted -= len(data)
            more: bytes = await self._in_time(self._read_on, wanted if self._exact else max(wanted, SEQUENTIAL_BLOCK))
        # Bytes of an exact read are not kept, so that reading them again detects a changed object.
        self._ahead, self._offset = (b"", 0) if self._exact else (more, wanted)
        return data + more[:wanted]

    async def read1(self, size: int = -1, /) -> bytes:
        """Like `read`, but at most one block for -1."""
        return await self.read(size if size >= 0 else SEQUENTIAL_BLOCK)

    async def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer and return the number of bytes, which is less than its length only at the end.

        The bytes are copied once.

        Raises:
            PreconditionFailed: The object changed since it was opened.
            BackendUnavailable: Too many connections in a row broke.
        """
        self._check_open()
        with memoryview(buffer) as whole, whole.cast("B") as view:
            if self._allowance is None:
                return await self._fill(view)
            # A read that is given up may write to its buffer later.
            data = await self.read(len(view))
            view[: len(data)] = data
            return len(data)

    async def peek(self, _size: int = 0, /) -> bytes:
        """Some of the next bytes without moving; empty only at the end."""
        await self._look_ahead()
        # A range that was fetched ahead is too long to be copied at every look.
        return self._ahead[self._offset : self._offset + SEQUENTIAL_BLOCK]

    async def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        limit = self._size if size is None or size < 0 else size
        line: list[bytes] = []
        while limit > 0 and await self._look_ahead():
            end = self._ahead.find(b"\n", self._offset, self._offset + limit) + 1
            data = self._take_ahead((end or min(len(self._ahead), self._offset + limit)) - self._offset)
            line.append(data)
            limit = 0 if end else limit - len(data)
        return b"".join(line)

    async def close(self) -> None:
        """Close the file and release its connections."""
        try:
            if not self.closed:
                self._ahead, self._offset = b"", 0
                await self._release()
        finally:
            await super().close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path!r}{' closed' if self.closed else ''}>"

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    async def _look_ahead(self) -> int:
        """The number of bytes that were read and not handed out, at least one except at the end."""
        self._check_open()
        if self._offset == len(self._ahead):
            async with self._steady():
                block = await self._in_time(self._read_on, LINE_BLOCK if self._exact else SEQUENTIAL_BLOCK)
            self._ahead, self._offset = block, 0
        return len(self._ahead) - self._offset

    def _take_ahead(self, size: int) -> bytes:
        data = self._ahead[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    def _copy_ahead(self, view: memoryview) -> int:
        count = min(len(view), len(self._ahead) - self._offset)
        view[:count] = memoryview(self._ahead)[self._offset : self._offset + count]
        self._offset += count
        return count

    @asynccontextmanager
    async def _steady(self) -> AsyncIterator[None]:
        """Restore the position and the buffer if a read fails."""
        before = self._ahead, self._offset, self._plan.position
        summed = self._sum.state
        try:
            with contract_errors(self._backend, self._path):
                yield
        except BaseException:
            self._ahead, self._offset, self._plan.position = before
            self._sum.state = summed
            self._began, self._waited = self._plan.position, 0.0
            await self._release()
            raise

    async def _release(self) -> None:
        """Release the connections, unless a read that was given up releases them when it ends."""
        if self._allowance is None or not self._allowance.abandoned:
            await self._let_go()

    async def _let_go(self, _data: object = None) -> None:
        try:
            await self._stop_ahead()
        finally:
            await self._body.close()

    async def _in_time(self, read: Callable[[Any], Any], argument: int | memoryview) -> Any:
        if self._allowance is None:
            return await read(argument)
        return await in_time(partial(read, argument), self._allowance, self._let_go, self._runner.connections.keep)

    async def _fill(self, view: memoryview) -> int:
        async with self._steady():
            filled = self._copy_ahead(view)
            while filled < len(view) and self._plan.remaining:
                with view[filled:] as rest:
                    filled += await self._in_time(self._read_into, rest)
        return filled

    async def _read_on(self, size: int) -> bytes:
        """The next `size` bytes or more; fewer only at the end."""
        wanted = min(size, self._plan.remaining)
        if self._exact:
            return await self._read_exactly(wanted)
        start = self._plan.position
        data = await self._read_in_order(wanted)
        await self._check(start, data)
        return data

    async def _check(self, start: int, data: bytes | memoryview) -> None:
        """Add bytes that arrived to the checksum.

        Raises:
            Fault: They are the last, and the bytes do not match the checksum.
        """
        for piece in pieces(data):
            if not self._sum.saw(start, piece):
                assert self.info.digest is not None
                raise damaged(self.info.digest)
            start += len(piece)
            if start < self._plan.position:
                # Lets other tasks of the event loop run.
                await sleep(0)

    async def _read_in_order(self, wanted: int) -> bytes:
        if ranges := await self._ranges_ahead():
            # A range is longer than any block requested here.
            return await self._next(ranges) if wanted else b""
        began = monotonic()
        data = await self._body.read(wanted)
        self._waited += monotonic() - began
        return data

    async def _read_into(self, view: memoryview) -> int:
        wanted = min(len(view), self._plan.remaining)
        start = self._plan.position
        if self._exact:
            await self._read_exactly(wanted, view)
        elif self._ranges is None and worth_a_split(self._options, self._plan, wanted):
            await self._body.close()
            await self._runner.run(fill(self._options, self._plan, view[:wanted]))
            await self._check(start, view[:wanted])
        elif ranges := await self._ranges_ahead():
            data = await self._next(ranges)
            await self._check(start, data)
            self._ahead, self._offset = data, 0
            return self._copy_ahead(view)
        else:
            began = monotonic()
            await self._body.read_into(view)
            self._waited += monotonic() - began
            await self._check(start, view[:wanted])
        # The buffered bytes no longer end where the next request begins.
        self._ahead, self._offset = b"", 0
        return wanted

    async def _read_exactly(self, size: int, buffer: memoryview | None = None) -> bytes:
        if not size:
            return b""
        data = await fetch(self._runner.connections, self._plan.part(size), buffer)
        self._plan.position += size
        return data

    async def _next(self, ranges: AsyncReadAhead) -> bytes:
        data = await ranges.next()
        self._plan.position += len(data)
        return data

    async def _ranges_ahead(self) -> AsyncReadAhead | None:
        if self._ranges is not None and not self._ranges.stands_at(self._plan.position):
            await self._stop_ahead()
        if self._ranges is None:
            read = self._plan.position - self._began
            if worth_reading_ahead(self._options, self._plan, read, self._waited):
                await self._body.close()
                self._ranges = AsyncReadAhead(self._runner.connections, self._options, self._plan)
        return self._ranges

    async def _stop_ahead(self) -> None:
        ranges, self._ranges = self._ranges, None
        if ranges is not None:
            await ranges.stop()
