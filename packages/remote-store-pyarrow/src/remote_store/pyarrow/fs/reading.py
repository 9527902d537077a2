"""The file objects that Arrow reads."""

from __future__ import annotations

import io
from collections.abc import Callable

from remote_store.core import FileInfo, PreconditionFailed, Reader, Store
from remote_store.pyarrow.fs.errors import of_one_version

MOST_AHEAD = 4 << 20
"""Bytes. A read of at least this size is a request of its own."""


class RangeFile:
    """A file of which Arrow reads ranges. All come from one version.

    Arrow (`arrow/python/io.cc`, 16 to 26) calls `read` and `seek` from its I/O threads, one call at a time: a lock of
    the C++ object holds while both run. With `pre_buffer`, the default of `read_table` and of datasets, Arrow has
    merged column chunks with gaps of up to 8 KiB into ranges of up to 32 MiB before it asks, so each read is one
    request for exactly its bytes. Files of CSV and IPC, and Parquet without `pre_buffer`, are read in small pieces one
    after the other. The third and later reads in sequence fetch ahead: at most as many bytes as were read in sequence,
    and 4 MiB.

    Args:
        fetch: Returns the bytes of a range, given its start and length.
        size: Bytes of the file.
        path: Path for errors.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, path: str) -> None:
        self._fetch = fetch
        self._size = size
        self.name = path
        self._position = 0
        self._last_end = -1
        self._reads_in_sequence = 0
        self._bytes_in_sequence = 0
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
        if start != self._last_end:
            self._reads_in_sequence = self._bytes_in_sequence = 0
        data = self._take(start, left if size < 0 else min(size, left))
        self._reads_in_sequence += 1
        self._bytes_in_sequence += len(data)
        self._position = self._last_end = start + len(data)
        return data

    def close(self) -> None:
        """Drop the bytes that were fetched ahead."""
        self.closed = True
        self._ahead = b""

    def _take(self, start: int, length: int) -> bytes:
        offset = start - self._ahead_at
        held = self._ahead[offset : offset + length] if 0 <= offset < len(self._ahead) else b""
        missing = length - len(held)
        if not missing:
            return held
        more = min(self._wanted_ahead(length), self._size - start - length)
        data = self._fetch(start + len(held), missing + more)
        if len(data) != missing + more:
            message = f"{len(data)} of {missing + more} bytes arrived, because the file changed; open it again"
            raise PreconditionFailed(message, path=self.name)
        self._ahead_at, self._ahead = start + length, data[missing:]
        return held + data[:missing] if held or more else data

    def _wanted_ahead(self, length: int) -> int:
        in_sequence = self._reads_in_sequence > 1 and length < MOST_AHEAD
        return min(self._bytes_in_sequence, MOST_AHEAD) if in_sequence else 0


def pinned(store: Store, path: str, info: FileInfo) -> RangeFile:
    """The file as it is in `info`. Each range is one request with `If-Match`; from 32 MiB, several at once."""

    def fetch(start: int, length: int) -> bytes:
        with of_one_version(path):
            return store.read_range(path, start, length, if_match=info.etag)

    return RangeFile(fetch, info.size, path)


def opened(reader: Reader) -> RangeFile:
    """The file that a backend opened, of whose version only the backend knows."""

    def fetch(start: int, length: int) -> bytes:
        reader.seek(start)
        return reader.read(length)

    return RangeFile(fetch, reader.info.size, str(reader.info.path))


def check_same(known: FileInfo | None, found: FileInfo) -> None:
    """Check that a file is the one that Arrow knows, where no request can require it.

    Raises:
        PreconditionFailed: It is another version.
    """
    if known is not None and (known.size, known.etag) != (found.size, found.etag):
        with of_one_version(found.path):
            raise PreconditionFailed("the size or the ETag is another", path=found.path)
