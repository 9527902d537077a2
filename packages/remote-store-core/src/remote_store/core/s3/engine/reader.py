"""The file that `read` and `read_seekable` return: a plan of a read, carried out over connections."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remote_store.core.io.buffers import allocate
from remote_store.core.s3.engine.runner import Runner, fetch, open_body, read_body
from remote_store.core.s3.operations.fetching import fill, worth_a_split
from remote_store.core.s3.operations.reading import PIECE, ReadPlan
from remote_store.core.s3.protocol.calls import Body, Fault
from remote_store.core.s3.protocol.faults import typed
from remote_store.core.s3.protocol.options import S3Options

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SEQUENTIAL_BLOCK = 64 * 1024
LINE_BLOCK = 8 * 1024


class ObjectReader(io.BufferedIOBase):
    """An object as a binary file, every request pinned to the version that was opened.

    Read in sequence it drinks one body. A seek drops the body; the next read reopens it there. With `exact` a read
    asks for just its own bytes, and only `readline` and `peek` for a block of 8 KiB. Else a read of 32 MiB
    or more, or of 4 smaller parts, fetches ranges at once, straight into the buffer. Not for several threads
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
        runner: Runner,
        options: S3Options,
        plan: ReadPlan,
        body: Body | None,
        *,
        exact: bool,
        backend: str,
        path: str,
    ) -> None:
        super().__init__()
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
        self._size = plan.end or 0
        self.name = path

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def bytes_left(self) -> int:
        """The number of bytes from the position to the end; no request."""
        return max(0, self._size - self.tell())

    def tell(self) -> int:
        """The position in bytes; no request."""
        self._check_open()
        return self._plan.position - len(self._ahead) + self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
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

    def read(self, size: int | None = -1, /) -> bytes:
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
                self.readinto(buffer)
            return whole.getvalue()
        data = self._take_ahead(wanted)
        wanted -= len(data)
        try:
            more = self._read_on(wanted if self._exact else max(wanted, SEQUENTIAL_BLOCK))
        except BaseException:
            self._offset -= len(data)
            raise
        # What an exact read got is not kept: to ask for it again is to learn that the object changed.
        self._ahead, self._offset = (b"", 0) if self._exact else (more, wanted)
        return data + more[:wanted]

    def read1(self, size: int = -1, /) -> bytes:
        """Like `read`, but at the most one block for -1."""
        return self.read(size if size >= 0 else SEQUENTIAL_BLOCK)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
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
                    count = self._read_rest(rest)
            except BaseException:
                self._offset -= len(ahead)
                raise
            if count:
                # What was read ahead ends no longer where the next request begins.
                self._ahead, self._offset = b"", 0
            return len(ahead) + count

    def readinto1(self, buffer: WriteableBuffer, /) -> int:
        """Like `readinto`."""
        return self.readinto(buffer)

    def peek(self, _size: int = 0, /) -> bytes:
        """Some of the next bytes, at least one except at the end, without moving."""
        self._check_open()
        if self._offset == len(self._ahead):
            block = LINE_BLOCK if self._exact else SEQUENTIAL_BLOCK
            self._ahead, self._offset = self._read_on(block), 0
        return self._ahead[self._offset :]

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        limit = self._size if size is None or size < 0 else size
        pieces: list[bytes] = []
        while limit > 0 and self.peek():
            end = self._ahead.find(b"\n", self._offset, self._offset + limit) + 1
            piece = self._take_ahead((end or min(len(self._ahead), self._offset + limit)) - self._offset)
            pieces.append(piece)
            limit = 0 if end else limit - len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Give the connection back."""
        if not self.closed:
            self._drop_body()
            self._ahead = b""
        super().close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path!r}{' closed' if self.closed else ''}>"

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _take_ahead(self, size: int) -> bytes:
        data = self._ahead[self._offset : self._offset + size]
        self._offset += len(data)
        return data

    def _read_on(self, size: int) -> bytes:
        self._check_open()
        wanted = max(0, min(size, self._size - self._plan.position))
        with self._staying_on_failure():
            # The join of one piece is that piece: nothing is copied.
            return self._fetch(wanted) if self._exact else b"".join(self._drink(wanted))

    def _read_rest(self, view: memoryview) -> int:
        self._check_open()
        wanted = max(0, min(len(view), self._size - self._plan.position))
        if not wanted:
            return 0
        with self._staying_on_failure():
            if self._exact:
                fetch(self._runner.port(), self._plan.part(wanted), view[:wanted])
                self._plan.position += wanted
            elif worth_a_split(self._options, self._plan, wanted):
                self._drop_body()
                self._runner.run(fill(self._options, self._plan, view[:wanted]))
            else:
                filled = 0
                for data in self._drink(wanted):
                    view[filled : filled + len(data)] = data
                    filled += len(data)
        return wanted

    @contextmanager
    def _staying_on_failure(self) -> Iterator[None]:
        start = self._plan.position
        try:
            yield
        except BaseException as caught:
            self._drop_body()
            self._plan.position = start
            if not isinstance(caught, Fault):
                raise
            error = typed(caught, path=self._path)
            error.backend = self._backend
            raise error from error.__cause__

    def _drink(self, size: int) -> Iterator[bytes]:
        while size > 0:
            body = self._body_here() or self._reopen()
            try:
                data = body.read(min(size, self._plan.piece))
                if not data:
                    self._plan.check_end()
            except Fault as fault:
                self._drop_body()
                time.sleep(self._plan.broken(fault))
            else:
                self._plan.advanced(len(data))
                self._body_at = self._plan.position
                size -= len(data)
                yield data
        if not self._plan.remaining:
            self._drop_body()

    def _fetch(self, size: int) -> bytes:
        if not size:
            return b""
        port, part = self._runner.port(), self._plan.part(size)
        data = read_body(port, part, open_body(port, part))
        self._plan.position += size
        return data

    def _body_here(self) -> Body | None:
        if self._body_at != self._plan.position:
            self._drop_body()
        return self._body

    def _reopen(self) -> Body:
        self._body = body = open_body(self._runner.port(), self._plan)
        self._body_at = self._plan.position
        return body

    def _drop_body(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()
