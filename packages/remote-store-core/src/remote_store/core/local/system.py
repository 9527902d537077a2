"""Which error of the operating system is which error of the contract."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from remote_store.core.errors import AlreadyExists, InvalidPath, NotFound, PermissionDenied, RemoteStoreError

WRONG_KIND = (errno.EISDIR, errno.ENOTDIR)
BAD_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
ADVICE = {
    errno.ENOSPC: "free some space and write it again",
    errno.EDQUOT: "the quota of this user is used up; free some space or have it raised",
    errno.EFBIG: "the file is larger than the file system or this process's limit allows",
    errno.EMFILE: "this process has too many files open; close some, or raise its limit",
    errno.ENFILE: "the system has too many files open; try again later",
    errno.EIO: "the disk or the server behind the folder fails; look at the system's log",
    errno.ESTALE: "the folder was replaced on its server; try again",
}


class Astray(OSError):
    """A symbolic link that leads nowhere, or to where it may not lead."""


@contextmanager
def os_errors(path: str, backend: str) -> Iterator[None]:
    """Turn what the operating system says about a path into the contract's errors."""
    try:
        yield
    except RemoteStoreError:
        raise
    except OSError as error:
        raise typed(error, path, backend) from error


def typed(error: OSError, path: str, backend: str) -> RemoteStoreError:
    """The error of the contract for one of the operating system."""
    said = error.strerror or str(error)
    if isinstance(error, Astray):
        return InvalidPath(said, path=path, backend=backend)
    if error.errno in REFUSED:
        return PermissionDenied(f"the operating system refuses: {said}", path=path, backend=backend)
    if error.errno == errno.ENOENT:
        return NotFound("there is no such file", path=path, backend=backend)
    if error.errno == errno.EEXIST:
        return AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=backend)
    if error.errno in WRONG_KIND:
        return InvalidPath("a folder stands where a file is needed, or a file above it", path=path, backend=backend)
    if error.errno in BAD_NAME:
        return InvalidPath(f"no file can have this name here: {said}", path=path, backend=backend)
    advice = ADVICE.get(error.errno or 0)
    message = f"the operating system says: {said}" + (f"; {advice}" if advice else "")
    return RemoteStoreError(message, path=path, backend=backend)


class TypedFile(io.FileIO):
    """A file whose own failures are errors of the contract.

    Args:
        descriptor: The open file; closed together with this one.
        mode: `"r"` or `"w"`.
        path: The path for errors.
        backend: The backend's name, for errors.

    Attributes:
        failure: The first error of a write: what was written has a hole.
    """

    def __init__(self, descriptor: int, mode: str, path: str, backend: str) -> None:
        super().__init__(descriptor, mode)
        self._about = (path, backend)
        self.failure: RemoteStoreError | None = None

    def readinto(self, buffer: Any, /) -> int:
        with os_errors(*self._about):
            return super().readinto(buffer) or 0

    def readall(self) -> bytes:
        with os_errors(*self._about):
            return super().readall() or b""

    def write(self, data: Any, /) -> int:
        try:
            with os_errors(*self._about):
                return super().write(data) or 0
        except RemoteStoreError as error:
            self.failure = self.failure or error
            raise


def buffer_size(descriptor: int) -> int:
    """How many bytes `open` would read at once."""
    size: int = getattr(os.fstat(descriptor), "st_blksize", 0)
    return size if size > 1 else io.DEFAULT_BUFFER_SIZE
