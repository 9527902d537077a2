"""Transactions: writes that are kept back until all of them are to be committed."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Protocol

from fsspec.transaction import Transaction

IN_MEMORY = 8 << 20
"""Bytes of a copy of a local file that are kept in memory; more are kept on the local disk."""


class Staged(Protocol):
    """A write that was kept back."""

    def check_complete(self) -> None:
        """Refuse content that may not be complete.

        Raises:
            ValueError: The file is open.
        """

    def commit(self) -> None:
        """Write."""

    def discard(self) -> None:
        """Write nothing."""


class Staging(Transaction):
    """A transaction of a filesystem over a store.

    All writes of the block are staged, in memory or on the local disk, and take effect when it ends, one after another,
    in their order. If the block ends with an exception, none of them does. If one fails, those before it have taken
    effect, those behind it do not, and its error is raised: S3 has no transactions over several objects.

    A file that is still open when the block ends may lack what its text layer or its codec holds, so then nothing is
    written.
    """

    def __init__(self, fs: Any, **options: Any) -> None:
        super().__init__(fs, **options)
        self.files: deque[Staged] = deque()

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: A transaction of the filesystem is open.
        """
        if self.fs.staging is not None:
            raise RuntimeError("a transaction of this filesystem is open; end it before you begin another")
        super().start()
        self.fs.staging = self

    def complete(self, commit: bool = True) -> None:
        """End: write what was staged, or nothing.

        Raises:
            ValueError: A file is open. Nothing is written.
        """
        fs = self.fs
        fs.staging = None
        try:
            for staged in self.files if commit else ():
                staged.check_complete()
            while commit and self.files:
                self.files[0].commit()
                self.files.popleft()
        finally:
            for staged in self.files:
                with suppress(Exception):
                    staged.discard()
            self.files.clear()
            super().complete(commit)


class StagedWrite:
    """The write of a whole file.

    Args:
        write: Writes it.
        content: The bytes, or a file of them, which is closed at the end.
    """

    def __init__(self, write: Callable[[Any], None], content: bytes | BinaryIO) -> None:
        self._write = write
        self._content = content

    def check_complete(self) -> None:
        """Do nothing: the content was taken as a whole."""

    def commit(self) -> None:
        """Write."""
        try:
            self._write(self._content)
        finally:
            self.discard()

    def discard(self) -> None:
        """Write nothing."""
        if not isinstance(self._content, bytes):
            self._content.close()


def copied(path: str) -> BinaryIO:
    """A temporary copy of a local file, at its start."""
    copy = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the transaction closes it
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the path may be of any kind
            shutil.copyfileobj(file, copy)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy  # type: ignore[return-value]
