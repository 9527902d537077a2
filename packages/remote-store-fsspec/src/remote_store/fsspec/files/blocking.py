"""Blocking files for stores that have none: an async store, and one that cannot open a file to write."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, BinaryIO, cast

from remote_store.core import AsyncReader

IN_MEMORY = 8 << 20
"""Bytes of a file that are kept in memory until it is written; more are kept on the local disk."""


class BlockingReader(io.BufferedIOBase):
    """A blocking file over an async one.

    Args:
        file: The async file.
        run: Calls one of its methods in its event loop, and waits for the result.
        release: Calls `close` in its event loop.
    """

    def __init__(
        self, file: AsyncReader, run: Callable[..., Any], release: Callable[[Callable[[], Any]], None]
    ) -> None:
        super().__init__()
        self._file = file
        self._run = run
        self._release = release

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to an offset."""
        return cast("int", self._run(self._file.seek, offset, whence))

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes."""
        return cast("bytes", self._run(self._file.read, size))

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line."""
        return cast("bytes", self._run(self._file.readline, size))

    def close(self) -> None:
        """Close both files. At the end of the process the event loop has stopped, and nothing is waited for."""
        if not self.closed:
            super().close()
            if not sys.is_finalizing():
                self._release(self._file.close)


class SpooledOpening(AbstractContextManager[BinaryIO]):
    """A file to write, which is kept in memory or on the local disk, and written as a whole at the end of the block.

    Args:
        write: Writes the content of a file.
        check: Called when the block begins. It raises if the file cannot be written.
    """

    def __init__(self, write: Callable[[BinaryIO], object], check: Callable[[], None]) -> None:
        self._write = write
        self._check = check
        self._file: BinaryIO | None = None

    def __enter__(self) -> BinaryIO:
        self._check()
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(IN_MEMORY))
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._file is not None
        with self._file as file:
            if kind is None:
                file.seek(0)
                self._write(file)
