"""A local file that is uploaded."""

from __future__ import annotations

import errno
import os
from typing import BinaryIO

from remote_store.core.io.wrapped import WrappedStream


class Unchanged(WrappedStream):
    """A local file that must not change while it is read.

    Args:
        file: The open file.
        path: Its path.
    """

    def __init__(self, file: BinaryIO, path: str) -> None:
        super().__init__(file)
        self._path = path
        self._before = self._state()

    def _state(self) -> tuple[int, int]:
        facts = os.fstat(self.file.fileno())
        return facts.st_size, facts.st_mtime_ns

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes.

        Raises:
            OSError: The file has changed since it was opened. Checked at its end, and where its end was.
        """
        data = super().read(size)
        is_past_the_end = self.file.tell() > self._before[0]
        if is_past_the_end or (not data and size and self._state() != self._before):
            message = "the file changed while it was uploaded; upload it again when nothing writes to it"
            raise OSError(errno.EBUSY, message, self._path)
        return data
