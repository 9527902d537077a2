"""Reads a seekable file in blocks and keeps some, so that many small reads take few requests."""

from __future__ import annotations

import io
from operator import index
from typing import TYPE_CHECKING

from remote_store.core.aio.reader import AsyncReader, known_info
from remote_store.core.errors import PreconditionFailed
from remote_store.core.io.streams import told_left

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEPT = 8


class AsyncBlockReader(AsyncReader):
    """A seekable file that is read in aligned blocks. The 8 blocks that were used last stay in memory.

    A read that is shorter than a block takes no request if its blocks are in memory, else one. A longer read is one
    read of the file below, and is not kept. The version stays that of the file below. A failed read does not move the
    position. Not for concurrent use.

    Args:
        file: The file below. Closing this file closes it too.
        size: Bytes of a block.
        path: Path for errors.
    """

    def __init__(self, file: AsyncReader, size: int, path: str) -> None:
        super().__init__(known_info(file) or file.get_info)
        self._file = file
        self._block = size
        self._blocks: dict[int, bytes] = {}
        self._position = 0
        self._end = told_left(file)
        self.name = path

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}{' closed' if self.closed else ''}>"

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def bytes_left(self) -> int | None:
        """The number of bytes from the position to the end, if it is known without a request."""
        return None if self._end is None else max(0, self._end - self._position)

    def tell(self) -> int:
        """The position in bytes. Sends no request."""
        self._check_open()
        return self._position

    async def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position. Sends no request.

        Raises:
            TypeError: The offset is not an integer.
            ValueError: The new position is negative, or `whence` is unknown.
        """
        self._check_open()
        offset = index(offset)
        end = await self._size() if whence == io.SEEK_END else 0
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: end}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        self._position = position
        return position

    async def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1 or `None`.

        Raises:
            PreconditionFailed: The file changed since it was opened.
        """
        self._check_open()
        left = max(0, await self._size() - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        data = await (self._fetch(self._position, wanted) if wanted > self._block else self._take(wanted))
        self._position += len(data)
        return data

    async def read1(self, size: int = -1, /) -> bytes:
        """Like `read`, but at most one block for -1."""
        return await self.read(size if size >= 0 else self._block)

    async def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer and return the number of bytes, which is less than its length only at the end.

        Raises:
            PreconditionFailed: The file changed since it was opened.
        """
        with memoryview(buffer) as whole, whole.cast("B") as view:
            data = await self.read(len(view))
            view[: len(data)] = data
            return len(data)

    async def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        self._check_open()
        end = await self._size()
        limit = end if size is None or size < 0 else size
        position = self._position
        line: list[bytes] = []
        while limit > 0 and position < end:
            number, offset = divmod(position, self._block)
            await self._hold(number, number)
            block = self._blocks[number]
            newline = block.find(b"\n", offset, offset + limit) + 1
            data = block[offset : newline or offset + limit]
            line.append(data)
            position += len(data)
            limit = 0 if newline else limit - len(data)
        self._position = position
        return b"".join(line)

    async def close(self) -> None:
        """Close both files and drop the blocks."""
        self._blocks.clear()
        try:
            await self._file.close()
        finally:
            await super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    async def _size(self) -> int:
        if self._end is None:
            self._end = await self._file.seek(0, io.SEEK_END)
        return self._end

    async def _take(self, size: int) -> bytes:
        """The next `size` bytes, of at most two blocks."""
        if not size:
            return b""
        first, last = self._position // self._block, (self._position + size - 1) // self._block
        await self._hold(first, last)
        offset = self._position - first * self._block
        data = self._blocks[first][offset : offset + size]
        return data if first == last else data + self._blocks[last][: size - len(data)]

    async def _hold(self, first: int, last: int) -> None:
        """Fetch those of one or two neighbouring blocks that are not in memory, with one request."""
        wanted = range(first, last + 1)
        held = {number: self._blocks.pop(number) for number in wanted if number in self._blocks}
        missing = [number for number in wanted if number not in held]
        while len(self._blocks) > KEPT - len(wanted):
            # Dicts keep their order, and the blocks of each read are put last.
            del self._blocks[next(iter(self._blocks))]
        self._blocks.update(held)
        if missing:
            start = missing[0] * self._block
            data = await self._fetch(start, min(len(missing) * self._block, await self._size() - start))
            for number in missing:
                self._blocks[number] = data[: self._block]
                data = data[self._block :]

    async def _fetch(self, start: int, size: int) -> bytes:
        await self._file.seek(start)
        data = await self._file.read(size)
        while 0 < len(data) < size and (more := await self._file.read(size - len(data))):
            data += more
        if len(data) != size:
            message = f"{len(data)} of {size} bytes arrived, because the file changed during the read; open it again"
            raise PreconditionFailed(message, path=self.name)
        return data
