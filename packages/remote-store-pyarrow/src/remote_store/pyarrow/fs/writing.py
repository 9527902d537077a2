"""The file object that Arrow writes to."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, BinaryIO

LOGGER = logging.getLogger("remote_store")


class Discarded(Exception):
    """Ends the block of a file that is not to be written."""


class OutputFile:
    """A file that appears complete when it is closed, or not at all.

    pyarrow's streams (16 to 26, `NativeFile.__exit__` in `io.pxi`; `ParquetWriter`, `CSVWriter` and the IPC writers do
    the same) call `close` at the end of a `with` block whether or not it failed, and say nothing about the exception.
    But it is the exception that Python handles at that moment. So `close` writes nothing if an exception is being
    handled that was not yet handled when the file was opened. A file that is never closed is not written either: Arrow
    drops the object without `close` (`~PyOutputStream` in `io.cc`).

    Args:
        opening: The store's context manager of the file.
        committed: Called after the file was written.
        name: Path of the file, for the log.

    Attributes:
        size: Bytes written.
    """

    def __init__(self, opening: AbstractContextManager[BinaryIO], committed: Callable[[], None], name: str) -> None:
        # Set first: `__del__` also runs if the file cannot be opened.
        self.closed = True
        self._opening = opening
        self._committed = committed
        self._handled = sys.exception()
        self.name = name
        self._file = opening.__enter__()
        self.closed = False
        self.size = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Write bytes, or a buffer of Arrow."""
        if self.closed:
            raise ValueError(f"{self.name!r} is closed; open it again to write it anew")
        written = self._file.write(memoryview(data))
        self.size += written
        return written

    def flush(self) -> None:
        """Does nothing: the file appears when it is closed."""

    def close(self) -> None:
        """Write the file, unless an exception ends the block. A second call does nothing."""
        if self.closed:
            return
        self.closed = True
        error = sys.exception()
        if error is None or error is self._handled:
            self._opening.__exit__(None, None, None)
            self._committed()
        else:
            LOGGER.warning("%r was not written: it was closed while %s was handled", self.name, type(error).__name__)
            self.discard()

    def discard(self) -> None:
        """Drop what was written. Nothing appears."""
        self.closed = True
        dropped = Discarded(self.name)
        with suppress(Discarded):
            self._opening.__exit__(Discarded, dropped, None)

    def __del__(self) -> None:
        if not self.closed:
            self.discard()
