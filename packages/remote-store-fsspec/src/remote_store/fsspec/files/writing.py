"""The file that is opened to write."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, BinaryIO

from remote_store.fsspec.errors import Discarded, translated
from remote_store.fsspec.files.base import StoreFile
from remote_store.fsspec.files.ending import ended_by_exception, exception_now


class WriteFile(StoreFile):
    """A file opened for writing. It appears complete when it is closed, or when its transaction ends.

    Nothing is written if its `with` block ends with an exception, if it is discarded, or if nobody closes it.

    Args:
        fs: The filesystem.
        path: The key.
        mode: `wb` or `xb`.
        opening: The store's context manager of the file.
        autocommit: Write when the file is closed. Otherwise when `commit` is called.
    """

    def __init__(
        self, fs: Any, path: str, mode: str, opening: AbstractContextManager[BinaryIO], *, autocommit: bool
    ) -> None:
        super().__init__(fs, path, mode)
        self.autocommit = autocommit
        self._known = exception_now()
        self._opening: AbstractContextManager[BinaryIO] | None = None
        with translated():
            self._file = opening.__enter__()
        self._opening = opening

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """Write bytes at the end of the file, and return their number."""
        self._check_open()
        with memoryview(data) as view:
            count = view.nbytes
        with translated():
            self._file.write(data)
        return count

    def tell(self) -> int:
        """The number of bytes written so far."""
        self._check_open()
        return self._file.tell()

    def flush(self) -> None:
        """Do nothing: the file is written as a whole."""
        self._check_open()

    def close(self) -> None:
        """Write the file, unless it belongs to a transaction or an exception ends the `with` block that closes it.

        Raises:
            FileExistsError: The mode is `xb`, and another writer created the file.
        """
        if self.closed:
            return
        super().close()
        if self._opening is None:
            return
        if ended_by_exception(self._known):
            self.discard()
        elif self.autocommit:
            self.commit()

    def check_complete(self) -> None:
        """Refuse to commit the file in a transaction while it is open.

        Raises:
            ValueError: It is open.
        """
        if not self.closed:
            raise ValueError(f"the file {self.path!r} is still open; close it before its transaction ends")

    def commit(self) -> None:
        """Write the file now. Does nothing if it was written or discarded."""
        opening = self._taken()
        if opening is not None:
            self.fs.changed()
            with translated():
                opening.__exit__(None, None, None)

    def discard(self) -> None:
        """Write nothing."""
        opening = self._taken()
        if opening is not None:
            with suppress(Discarded):
                opening.__exit__(Discarded, Discarded(), None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
        self.close()

    def __del__(self) -> None:
        # The finalizer of `io.IOBase` would close the file, which writes it.
        if self.__dict__.get("_opening") is not None and (self.autocommit or not self.closed):
            self.discard()

    def _taken(self) -> AbstractContextManager[BinaryIO] | None:
        opening, self._opening = self._opening, None
        super().close()
        return opening

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
