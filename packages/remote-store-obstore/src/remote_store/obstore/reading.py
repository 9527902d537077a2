"""The file that `read` returns."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from remote_store.core import FileInfo, RangeReader

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 64 * 1024


class BodyFile(io.BufferedReader):
    """A buffered file over a body, which knows the file that it reads. A read that fails does not move the position.

    Args:
        body: The body.
        info: The file, from the response that opened it.
        backend: Name of the backend for errors.
    """

    def __init__(self, body: Body, info: FileInfo, backend: str) -> None:
        reader = RangeReader(body.fetch, info.size, path=info.path, backend=backend)
        super().__init__(cast("io.RawIOBase", reader), BLOCK)
        self._body = body
        self.info = info

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1 or `None`."""
        with self._steady():
            return super().read(size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer with the next bytes, and return how many."""
        with self._steady():
            return super().readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        with self._steady():
            return super().readline(size)

    def __next__(self) -> bytes:
        """The next line."""
        if line := self.readline():
            return line
        raise StopIteration

    def close(self) -> None:
        """Close the file and drop the body, which ends its request."""
        self._body.close()
        super().close()

    @contextmanager
    def _steady(self) -> Iterator[None]:
        position = self.tell()
        try:
            yield
        except BaseException:
            # The buffer forgets the bytes that it had before the failure.
            self.seek(position)
            raise


class Body:
    """A body that is read in sequence. A read elsewhere, or after a failure, opens a new body there.

    Args:
        body: The body from the start, in pieces.
        reopen: Returns the body of the same version from an offset.
    """

    def __init__(self, body: Iterator[bytes], reopen: Callable[[int], Iterator[bytes]]) -> None:
        self._body: Iterator[bytes] | None = body
        self._reopen = reopen
        self._position = 0
        self._piece = memoryview(b"")

    def fetch(self, start: int, length: int) -> bytes:
        """The bytes of a range; fewer if the body ends."""
        if self._body is None or start != self._position:
            self.close()
            self._body, self._position = self._reopen(start), start
        pieces: list[memoryview] = []
        missing = length
        try:
            while missing and (self._piece or self._next()):
                pieces.append(self._piece[:missing])
                self._piece = self._piece[missing:]
                missing -= len(pieces[-1])
        except BaseException:
            self.close()
            raise
        self._position += length - missing
        return b"".join(pieces)

    def close(self) -> None:
        """Drop the body, which ends its request."""
        self._body, self._piece = None, memoryview(b"")

    def _next(self) -> bool:
        """Go on to the next piece. Returns whether there is one."""
        self._piece = memoryview(b"" if self._body is None else next(self._body, b""))
        return bool(self._piece)
