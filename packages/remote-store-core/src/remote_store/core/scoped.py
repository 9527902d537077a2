"""Wrappers for the files of a backend, so that errors from later reads and writes carry the store's paths."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, cast

from remote_store.core.errors import RemoteStoreError
from remote_store.core.io.reader import Reader, is_pinned, known_info
from remote_store.core.io.streams import block_size, bytes_left
from remote_store.core.models import FileInfo
from remote_store.core.rebase import Scope


class ScopedFile(io.BufferedIOBase):
    """A binary file that forwards every call to the backend's file. It keeps no buffer and no position.

    Args:
        file: The backend's file. Closing this file closes it too.
        scope: Converts the paths of errors.
        path: Path of the file in the store.

    Attributes:
        name: The path.
    """

    def __init__(self, file: BinaryIO, scope: Scope, path: str) -> None:
        self._file: Any = file
        self._errors = scope.errors()
        self.name = path

    @classmethod
    def over(cls, file: BinaryIO, scope: Scope, key: str) -> BinaryIO:
        """Wrap the file, or return it unchanged if the store's root is the backend's root."""
        return cast("BinaryIO", cls(file, scope, scope.path(key))) if scope.prefix else file

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__.get('name')!r})"

    @property
    def closed(self) -> bool:
        """Whether the backend's file is closed."""
        return "_file" not in self.__dict__ or bool(self._file.closed)

    @property
    def block_size(self) -> int:
        """Bytes to read at once."""
        return block_size(self._file)

    def bytes_left(self) -> int | None:
        """The number of bytes left, if the backend's file reports it."""
        with self._errors:
            return bytes_left(self._file)

    def readable(self) -> bool:
        return bool(self._file.readable())

    def writable(self) -> bool:
        return bool(self._file.writable())

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def fileno(self) -> int:
        return int(self._file.fileno())

    def tell(self) -> int:
        return int(self._file.tell())

    def read(self, size: int | None = -1, /) -> bytes:
        with self._errors:
            return cast("bytes", self._file.read(size))

    def read1(self, size: int = -1, /) -> bytes:
        with self._errors:
            return cast("bytes", getattr(self._file, "read1", self._file.read)(size))

    def peek(self, size: int = 0, /) -> bytes:
        peek = getattr(self._file, "peek", None)
        if peek is None:
            raise io.UnsupportedOperation("peek")
        with self._errors:
            return cast("bytes", peek(size))

    def readinto(self, buffer: Any, /) -> int:
        readinto = getattr(self._file, "readinto", None)
        if readinto is None:
            return super().readinto(buffer)
        with self._errors:
            return cast("int", readinto(buffer))

    def readinto1(self, buffer: Any, /) -> int:
        readinto1 = getattr(self._file, "readinto1", None)
        if readinto1 is None:
            return self.readinto(buffer)
        with self._errors:
            return cast("int", readinto1(buffer))

    def readline(self, size: int | None = -1, /) -> bytes:
        with self._errors:
            return cast("bytes", self._file.readline(size))

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def write(self, data: Any, /) -> int:
        with self._errors:
            return cast("int", self._file.write(data))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with self._errors:
            return cast("int", self._file.seek(offset, whence))

    def truncate(self, size: int | None = None, /) -> int:
        with self._errors:
            return cast("int", self._file.truncate(size))

    def flush(self) -> None:
        with self._errors:
            self._file.flush()

    def close(self) -> None:
        with self._errors:
            self._file.close()


class ScopedReader(ScopedFile, Reader):
    """A `ScopedFile` for reading, which knows the file that it reads.

    Args:
        file: The backend's file. Closing this file closes it too.
        scope: Converts the paths of errors and of `info`.
        path: Path of the file in the store.
        ask: Asks the backend for the `FileInfo`, if the backend's file does not have it.
    """

    def __init__(self, file: BinaryIO, scope: Scope, path: str, ask: Callable[[], FileInfo]) -> None:
        ScopedFile.__init__(self, file, scope, path)
        if isinstance(file, Reader):
            ask = file.get_info
        known = known_info(file)
        Reader.__init__(self, partial(asked, scope, ask) if known is None else scope.file(known))
        self.is_pinned = is_pinned(file)

    @classmethod
    def of(cls, file: BinaryIO, scope: Scope, key: str, ask: Callable[[], FileInfo]) -> Reader:
        """Wrap the file, or return it unchanged if it needs no conversion and is a `Reader`."""
        if not scope.prefix and isinstance(file, Reader):
            return file
        return cls(file, scope, scope.path(key), ask)


class ScopedOpening(AbstractContextManager[BinaryIO]):
    """The context manager of a file opened for writing. Errors raised by the `with` block pass unchanged.

    Args:
        opening: The backend's context manager.
        scope: Converts the paths of the backend's errors.
        key: Key of the file.
    """

    def __init__(self, opening: AbstractContextManager[BinaryIO], scope: Scope, key: str) -> None:
        self._opening = opening
        self._scope = scope
        self._key = key

    def __enter__(self) -> BinaryIO:
        with self._scope.errors():
            return ScopedFile.over(self._opening.__enter__(), self._scope, self._key)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        try:
            return self._opening.__exit__(kind, error, traceback)
        except RemoteStoreError as failure:
            if failure is not error:
                self._scope.errors().rebase(failure)
            raise


def asked(scope: Scope, ask: Callable[[], FileInfo]) -> FileInfo:
    """The `FileInfo` from the backend, with the store's path. Not a method, so that no reader refers to itself."""
    with scope.errors():
        return scope.file(ask())
