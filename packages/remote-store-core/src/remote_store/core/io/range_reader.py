"""A readable file on top of a function that fetches ranges."""

from __future__ import annotations

import io
from collections.abc import Callable

from remote_store.core.errors import PreconditionFailed
from remote_store.core.home import public
from remote_store.core.models import FileInfo

LINE_BLOCK = 8 * 1024


@public("remote_store.core")
class RangeReader(io.BufferedIOBase):
    """A readable file for a backend whose SDK fetches ranges but has no file object.

    Every read fetches exactly its bytes, and a seek fetches nothing, as `read_seekable` requires. Only `readline` reads
    ahead, by 8 KiB. For `read`, wrap it in `io.BufferedReader` with a buffer size that suits the service. Not
    thread-safe.

    Args:
        fetch: Called with an offset and a length. Returns exactly that many bytes of the version that was opened. The
            length is never 0, and the range never extends past the end.
        size: Length of the file in bytes.
        path: Path for errors.
        backend: Name of the backend for errors.
        info: The file, as the response that opened it described it. A store shows it as `Reader.info`, and asks the
            backend for it if it is `None`.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        *,
        path: str,
        backend: str,
        info: FileInfo | None = None,
    ) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._path = path
        self._backend = backend
        self.info = info
        self._position = 0
        self._ahead_at = 0
        self._ahead = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset in bytes and return the new position. Fetches nothing.

        Raises:
            ValueError: The new position is negative, or `whence` is unknown.
        """
        self._check_open()
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = starts[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1 or `None`.

        Raises:
            PreconditionFailed: `fetch` returned more or fewer bytes than requested.
        """
        self._check_open()
        left = max(0, self._size - self._position)
        data = self._range(self._position, left if size is None or size < 0 else min(size, left))
        self._position += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Like `read`, but at most 8 KiB for -1."""
        return self.read(size if size >= 0 else LINE_BLOCK)

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        self._check_open()
        limit = self._size if size is None or size < 0 else size
        blocks: list[bytes] = []
        while limit > 0 and (ahead := self._peek()):
            end = ahead.find(b"\n", 0, limit) + 1
            block = ahead[: end or limit]
            blocks.append(block)
            self._position += len(block)
            limit = 0 if end else limit - len(block)
        return b"".join(blocks)

    def _peek(self) -> bytes:
        offset = self._position - self._ahead_at
        if not 0 <= offset < len(self._ahead):
            offset, self._ahead_at = 0, self._position
            self._ahead = self._range(self._position, min(LINE_BLOCK, max(0, self._size - self._position)))
        return self._ahead[offset:]

    def _range(self, start: int, length: int) -> bytes:
        data = self._fetch(start, length) if length else b""
        if len(data) != length:
            message = f"{len(data)} of {length} bytes arrived, because the file changed during the read; open it again"
            raise PreconditionFailed(message, path=self._path, backend=self._backend)
        return data

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
