"""The file that is opened to read."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from remote_store.core import FileInfo
from remote_store.fsspec.errors import translated
from remote_store.fsspec.files.base import StoreFile
from remote_store.fsspec.names.entries import Entry, entry_of

EXACT = 1 << 16
"""A read of so many bytes after a seek is a request of its own."""


class ReadFile(StoreFile):
    """A file opened for reading. All reads return bytes of the version that was opened.

    A program that reads from the start to the end gets the body of one request. After a seek, a read of 64 KiB or more,
    such as that of the footer of a Parquet file, gets exactly its bytes, and shorter ones share blocks of `blocksize`
    bytes.

    Args:
        fs: The filesystem.
        path: The key.
        file: The file, for random access.
        stream: Opens the version of a `FileInfo` for sequential reading; `None` if the backend cannot.
        block_size: Bytes of a block.
        fetch: Reads a range of the version of a `FileInfo`; `None` if the backend cannot.

    Attributes:
        size: Length in bytes.
        details: The entry, as `fs.info` returns it.
        blocksize: Bytes of a block.
    """

    def __init__(
        self,
        fs: Any,
        path: str,
        file: BinaryIO,
        info: FileInfo,
        stream: Callable[[FileInfo], BinaryIO] | None,
        block_size: int,
        fetch: Callable[[FileInfo, int, int], bytes] | None = None,
    ) -> None:
        super().__init__(fs, path, "rb")
        self.file_info = info
        self.blocksize = block_size
        self._details = entry_of(info)
        self._size = info.size
        self._fetch = fetch
        self._read_until = 0
        self._file = file
        self._open_stream = stream
        self._stream: BinaryIO | None = None
        self._position = 0

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    @property
    def details(self) -> Entry:
        """The entry, as `fs.info` returns it."""
        return self._details

    @property
    def loc(self) -> int:
        """The position."""
        return self._position

    def info(self) -> Entry:
        """The entry of the version that is read. Sends no request."""
        return self.details

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset and return the new position. Sends no request."""
        self._check_open()
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        if whence not in starts:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = starts[whence] + int(offset)
        if position < 0:
            raise ValueError(f"the position {position} is before the start of the file")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end; all the rest for -1 or `None`.

        Raises:
            PreconditionFailed: The file was replaced since it was opened.
        """
        self._check_open()
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        with translated():
            data = self._read_at(self._position, wanted)
        self._position += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Like `read`, but at most one block for -1."""
        return self.read(size if size >= 0 else self.blocksize)

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer and return the number of bytes, which is less than its length only at the end."""
        with memoryview(buffer) as whole, whole.cast("B") as view:
            data = self.read(len(view))
            view[: len(data)] = data
            return len(data)

    def readinto1(self, buffer: Any, /) -> int:
        """The same as `readinto`."""
        return self.readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line with its newline, at most `size` bytes of it."""
        self._check_open()
        left = max(0, self._size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        with translated():
            line = self._at(self._position, min(wanted, self.blocksize - 1)).readline(wanted)
        self._position += len(line)
        return line

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def readuntil(self, char: bytes = b"\n", blocks: int | None = None) -> bytes:
        """The bytes up to and with the next occurrence of `char`, or the rest. `blocks` is the size of a read."""
        parts: list[bytes] = []
        kept = b""
        while part := self.read(blocks or self.blocksize):
            joined = kept + part
            found = joined.find(char)
            if found >= 0:
                end = found + len(char)
                self.seek(end - len(joined), io.SEEK_CUR)
                parts.append(joined[len(kept) : end])
                break
            parts.append(part)
            kept = joined[-(len(char) - 1) :] if len(char) > 1 else b""
        return b"".join(parts)

    def close(self) -> None:
        """Close the file and its connection."""
        if self.closed:
            return
        super().close()
        try:
            self._end_stream()
        finally:
            self._file.close()

    def __reduce_ex__(self, _protocol: object) -> tuple[Any, ...]:
        return reopened, (self.fs, self.path, self.blocksize, self._position, self.file_info)

    def become(self, other: ReadFile) -> None:
        """Read another version from now on, at the same position."""
        self._end_stream()
        self.file_info, self._details, self._size = other.file_info, other._details, other._size
        self._open_stream, self._fetch = other._open_stream, other._fetch
        # Closing the other closes what this one had open.
        self._file, other._file = other._file, self._file
        other.close()

    def _read_at(self, position: int, wanted: int) -> bytes:
        goes_on = position in (0, self._read_until)
        if self._fetch is None or wanted < EXACT or goes_on:
            data = self._at(position, wanted).read(wanted)
        else:
            self._end_stream()
            data = self._fetch(self.file_info, position, wanted)
        self._read_until = position + len(data)
        return data

    def _at(self, position: int, wanted: int) -> BinaryIO:
        """The file to read from, at a position."""
        stream = self._stream
        if stream is None and self._open_stream is not None and position == 0 and wanted < self.blocksize < self._size:
            stream = self._stream = self._open_stream(self.file_info)
        if stream is not None:
            if stream.tell() == position:
                return stream
            self._end_stream()
        self._file.seek(position)
        return self._file

    def _end_stream(self) -> None:
        stream, self._stream, self._open_stream = self._stream, None, None
        if stream is not None:
            stream.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


def reopened(fs: Any, path: str, block_size: int, position: int, info: FileInfo) -> ReadFile:
    """Open the same version of a file again, at a position. A pickle of a file calls it.

    Raises:
        PreconditionFailed: The file was replaced since it was opened.
    """
    file: ReadFile = fs.open(path, "rb", block_size=block_size, **version_of(info))
    file.seek(position)
    return file


def version_of(info: FileInfo) -> Mapping[str, str]:
    """The options that name a version, if it has an ETag."""
    return {} if info.etag is None else {"if_match": info.etag}
