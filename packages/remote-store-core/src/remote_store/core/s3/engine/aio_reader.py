"""The awaited file that `read` and `read_seekable` return: a plan of a read, carried out over connections."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from remote_store.core.io.buffers import allocate
from remote_store.core.io.source import Buffer
from remote_store.core.s3.engine.aio_runner import AsyncRunner, fetch, open_body, read_body
from remote_store.core.s3.engine.reader import LINE_BLOCK, SEQUENTIAL_BLOCK
from remote_store.core.s3.operations.fetching import fill, worth_a_split
from remote_store.core.s3.operations.reading import PIECE, ReadPlan
from remote_store.core.s3.protocol.calls import AsyncBody, Fault
from remote_store.core.s3.protocol.faults import typed
from remote_store.core.s3.protocol.options import S3Options


class AsyncObjectReader:
    """An object as an awaited binary file, every request pinned to the version that was opened.

    Read in sequence it drinks one body. A seek drops the body; the next read reopens it there. With `exact` a read
    asks for just its own bytes, and only `readline` and `peek` for a block of 8 KiB. Else a read of 32 MiB
    or more, or of 4 smaller parts, fetches ranges at once, straight into the buffer. Not for several tasks
    at once.

    Args:
        runner: Where requests go.
        options: The options of the backend.
        plan: The read, whose size and version are known.
        body: The body that is open at the start of the object.
        exact: Ask for nothing that was not asked for.
        backend: Name for errors.
        path: Path for errors.
    """

    def __init__(
        self,
        runner: AsyncRunner,
        options: S3Options,
        plan: ReadPlan,
        body: AsyncBody | None,
        *,
        exact: bool,
        backend: str,
        path: str,
    ) -> None:
        self._runner = runner
        self._options = options
        self._plan = plan
        self._body = body
        self._exact = exact
        self._backend = backend
        self._path = path
        self._body_at = plan.position
        self._ahead = b""
        self._offset = 0
        self._closed = False
        self._size = plan.end or 0
        self.name = path

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._closed

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Never."""
        return False

    async def write(self, _data: Buffer, /) -> int:
        """Refused: the file is open for reading.

        Raises:
            io.UnsupportedOperation: Always.
        """
        raise io.UnsupportedOperation("the file is open for reading")

    def bytes_left(self) -> int:
        """The number of bytes from the position to the end; no request."""
        return max(0, self._size - self.tell())

    def tell(self) -> int:
        """The position in bytes; no request."""
        self._check_open()
        return self._plan.position - len(self._ahead) + self._offset

    async def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; no request.

        Raises:
            ValueError: The new position is negative, or `whence` is unknown.
        """
        here = self.tell()
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: here, io.SEEK_END: self._size}
        if whence not in starts:
            raise ValueError(f"whence is 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        skipped = position - here
        if -self._offset <= skipped <= len(self._ahead) - self._offset:
            self._offset += skipped
        else:
            self._ahead, self._offset = b"", 0
            self._plan.position = position
        return position

    async def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all that is left for -1 or `None`.

        Raises:
            PreconditionFailed: The object changed since it was opened.
            BackendUnavailable: Too many connections in a row broke.
        """
        left = self.bytes_left()
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted <= len(self._ahead) - self._offset:
            return self._take_ahead(wanted)
        if wanted > PIECE:
            whole, buffer = allocate(wanted)
            with buffer:
                await self.readinto(buffer)
            return whole.getvalue()
        data = self._take_ahead(wanted)
        wanted -= len(data)
        try:
            more = await self._read_on(wanted if self._exact else max(wanted, SEQUENTIAL_BLOCK))
        except BaseException:
            self._offset -= len(data)
            raise
        # What an exact read got is not kept: to ask for it again is to learn that the object changed.
        self._ahead, self._offset = (b"", 0) if self._exact else (more, wanted)
        return data + more[:wanted]

    async def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill the buffer, which is short only at the end; the bytes are copied once.

        Raises:
            PreconditionFailed: The object changed since it was opened.
            BackendUnavailable: Too many connections in a row broke.
        """
        with memoryview(buffer) as whole, whole.cast("B") as view:
            ahead = self._take_ahead(len(view))
            view[: len(ahead)] = ahead
            try:
                with view[len(ahead) :] as rest:
                    count = await self._read_rest(rest)
            except BaseException:
                self._offset -= len(ahead)
                raise
            if count:
                # What was read ahead ends no longer where the next request begins.
                self._ahead, self._offset = b"", 0
            return len(ahead) + count

    async def _peek(self) -> bytes:
        """Some of the next bytes, at least one except at the end, without moving."""
        self._check_open()
        if self._offset == len(self._ahead):
            block = LINE_BLOCK if self._exact else SEQUENTIAL_BLOCK
            self._ahead, self._offset = await self._read_on(block), 0
        return self._ahead[self._offset :]

    async def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        limit = self._size if size is None or size < 0 else size
        pieces: list[bytes] = []
        while limit > 0 and await self._peek():
            end = self._ahead.find(b"\n", self._offset, self._offset + limit) + 1
            piece = self._take_ahead((end or min(len(self._ahead), self._offset + limit)) - self._offset)
            pieces.append(piece)
            limit = 0 if end else limit - len(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """Give the connection back."""
        self._closed = True
        self._ahead, self._offset = b"", 0
        await self._drop_body()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path!r}{' closed' if self.closed else ''}>"

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _take_ahead(self, size: int) -> bytes:
        data = self._ahead[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    async def _read_on(self, size: int) -> bytes:
        self._check_open()
        wanted = max(0, min(size, self._size - self._plan.position))
        async with self._staying_on_failure():
            # The join of one piece is that piece: nothing is copied.
            return await self._fetch(wanted) if self._exact else b"".join([data async for data in self._drink(wanted)])

    async def _read_rest(self, view: memoryview) -> int:
        self._check_open()
        wanted = max(0, min(len(view), self._size - self._plan.position))
        if not wanted:
            return 0
        async with self._staying_on_failure():
            if self._exact:
                await fetch(await self._runner.port(), self._plan.part(wanted), view[:wanted])
                self._plan.position += wanted
            elif worth_a_split(self._options, self._plan, wanted):
                await self._drop_body()
                await self._runner.run(fill(self._options, self._plan, view[:wanted]))
            else:
                filled = 0
                async for data in self._drink(wanted):
                    view[filled : filled + len(data)] = data
                    filled += len(data)
        return wanted

    @asynccontextmanager
    async def _staying_on_failure(self) -> AsyncIterator[None]:
        start = self._plan.position
        try:
            yield
        except BaseException as caught:
            await self._drop_body()
            self._plan.position = start
            if not isinstance(caught, Fault):
                raise
            error = typed(caught, path=self._path)
            error.backend = self._backend
            raise error from error.__cause__

    async def _drink(self, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            body = await self._body_here() or await self._reopen()
            try:
                data = await body.read(min(size, self._plan.piece))
                if not data:
                    self._plan.check_end()
            except Fault as fault:
                await self._drop_body()
                await asyncio.sleep(self._plan.broken(fault))
            else:
                self._plan.advanced(len(data))
                self._body_at = self._plan.position
                size -= len(data)
                yield data
        if not self._plan.remaining:
            await self._drop_body()

    async def _fetch(self, size: int) -> bytes:
        if not size:
            return b""
        port, part = await self._runner.port(), self._plan.part(size)
        data = await read_body(port, part, await open_body(port, part))
        self._plan.position += size
        return data

    async def _body_here(self) -> AsyncBody | None:
        if self._body_at != self._plan.position:
            await self._drop_body()
        return self._body

    async def _reopen(self) -> AsyncBody:
        self._body = body = await open_body(await self._runner.port(), self._plan)
        self._body_at = self._plan.position
        return body

    async def _drop_body(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            await body.close()
