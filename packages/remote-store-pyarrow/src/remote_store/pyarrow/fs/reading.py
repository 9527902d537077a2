"""The file objects that Arrow reads."""

from __future__ import annotations

import io
from collections.abc import Callable

from remote_store.core import FileInfo, PreconditionFailed, Reader, Store
from remote_store.pyarrow.fs.errors import of_one_version

MOST_AHEAD = 256 << 10
"""Bytes. A read of at least this size is a request of its own."""


class RangeFile:
    """A file of which Arrow reads ranges. All come from one version.

    Arrow (`arrow/python/io.cc`, 16 to 26) calls `read` and `seek` from its I/O threads, one call at a time: a lock of
    the C++ object holds while both run. With `pre_buffer`, the default of `read_table` and of datasets, Arrow has
    merged column chunks with gaps of up to 8 KiB into ranges of up to 32 MiB before it asks, so each read is one
    request for exactly its bytes. Without it, column chunks and small pieces are asked for one by one. A read that
    begins where the last one ended fetches ahead: at most as many bytes as were read in sequence, and 256 KiB.

    Args:
        fetch: Returns the bytes of a range, given its start and length.
        size: Bytes of the file.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._last_end = -1
        self._in_sequence = 0
        self._ahead_at = 0
        self._ahead = b""
        self.closed = False

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset. Sends no request."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"the position {base + offset} is before the start of the file")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end of the file."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        start, left = self._position, max(0, self._size - self._position)
        length = left if size < 0 else min(size, left)
        data = self._held(start, length) or self._asked(start, length)
        self._position = self._last_end = start + len(data)
        return data

    def close(self) -> None:
        """Drop the bytes that were fetched ahead."""
        self.closed = True
        self._ahead = b""

    def _held(self, start: int, length: int) -> bytes:
        offset = start - self._ahead_at
        if offset < 0 or offset + length > len(self._ahead):
            return b""
        return self._ahead[offset : offset + length]

    def _asked(self, start: int, length: int) -> bytes:
        if not length:
            return b""
        self._in_sequence = self._in_sequence if start == self._last_end else 0
        more = min(self._in_sequence, MOST_AHEAD, self._size - start - length) if length < MOST_AHEAD else 0
        data = self._fetch(start, length + more)
        if len(data) != length + more:
            raise EOFError(f"{len(data)} of {length + more} bytes arrived from offset {start}; open the file again")
        self._in_sequence += len(data)
        if not more:
            return data
        self._ahead_at, self._ahead = start, data
        return data[:length]


def pinned(store: Store, path: str, info: FileInfo) -> RangeFile:
    """The file as it is in `info`. Each range is one request with `If-Match`; from 32 MiB, several at once."""

    def fetch(start: int, length: int) -> bytes:
        with of_one_version(path):
            return store.read_range(path, start, length, if_match=info.etag)

    return RangeFile(fetch, info.size)


def opened(reader: Reader) -> RangeFile:
    """The file that a backend opened, of whose version only the backend knows."""

    def fetch(start: int, length: int) -> bytes:
        reader.seek(start)
        return reader.read(length)

    return RangeFile(fetch, reader.info.size)


def check_same(known: FileInfo | None, found: FileInfo) -> None:
    """Check that a file is the one that Arrow knows, where no request can require it.

    Raises:
        PreconditionFailed: It is another version.
    """
    if known is not None and (known.size, known.etag) != (found.size, found.etag):
        with of_one_version(found.path):
            raise PreconditionFailed("the size or the ETag is another", path=found.path)
