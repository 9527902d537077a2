"""Conversion of `OSError` to the errors of the contract."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    wrong_kind,
)

WRONG_KIND = (errno.EISDIR, errno.ENOTDIR)
BAD_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
ADVICE = {
    errno.ENOSPC: "free some space and write again",
    errno.EDQUOT: "free some space, or have the user's quota raised",
    errno.E2BIG: "shorten them, or free some space",
    errno.EFBIG: "write a smaller file, or raise the limit of the file system or the process (RLIMIT_FSIZE)",
    errno.EMFILE: "close some files, or raise the process's limit (RLIMIT_NOFILE)",
    errno.ENFILE: "try again when other programs have closed files",
    errno.EIO: "the disk or the file server failed; check the system log",
    errno.ESTALE: "the folder was replaced on its server; try again",
}


class Astray(OSError):
    """A symbolic link is dangling, points outside the root, or was replaced during the call."""


class NoAttributes(OSError):
    """The file system of a file cannot store its metadata and content type."""


class Locked(OSError):
    """Another program has locked a file."""


class NoLocks(OSError):
    """The file system cannot compare a file and change it in one step."""


@contextmanager
def os_errors(path: str, backend: str) -> Iterator[None]:
    """Convert each `OSError` raised inside to the matching error of the contract."""
    try:
        yield
    except RemoteStoreError:
        raise
    except OSError as error:
        raise typed(error, path, backend) from error


def typed(error: OSError, path: str, backend: str) -> RemoteStoreError:
    """The error of the contract for an `OSError`."""
    said = error.strerror or str(error)
    if isinstance(error, Astray):
        return InvalidPath(said, path=path, backend=backend)
    if isinstance(error, NoAttributes):
        return CapabilityNotSupported(said, capability="user_metadata", path=path, backend=backend)
    if isinstance(error, NoLocks):
        return CapabilityNotSupported(said, capability="compare_and_swap", path=path, backend=backend)
    if isinstance(error, Locked):
        return BackendUnavailable(said, path=path, backend=backend, retryable=True)
    if error.errno in REFUSED:
        message = f"the operating system denied access: {said}; check the permissions of the file and its folder"
        return PermissionDenied(message, path=path, backend=backend)
    if error.errno == errno.ENOENT:
        return NotFound("there is no such file", path=path, backend=backend)
    if error.errno == errno.EEXIST:
        return AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=backend)
    if error.errno in WRONG_KIND:
        message = "the path is a folder, or one of its parents is a file; choose another path"
        return wrong_kind(message, path=path, backend=backend)
    if error.errno in BAD_NAME:
        return InvalidPath(f"the file system does not allow this name: {said}", path=path, backend=backend)
    advice = ADVICE.get(error.errno or 0)
    message = f"the operating system reported: {said}" + (f"; {advice}" if advice else "")
    return RemoteStoreError(message, path=path, backend=backend)


def not_regular(path: str, backend: str) -> InvalidPath:
    """The error for a folder or a special file where a regular file is meant."""
    return wrong_kind("the path is a folder or a special file; name a regular file", path=path, backend=backend)


class TypedFile(io.FileIO):
    """A file that raises errors of the contract instead of `OSError`.

    Args:
        descriptor: Descriptor of the open file; closed with this object.
        mode: `"r"` or `"w"`.
        path: Path of the file, for errors.
        backend: Name of the backend, for errors.

    Attributes:
        failure: The error of the first failed write. The file must then not be committed: bytes are missing.
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
    """The buffer size that the built-in `open` would use."""
    size: int = getattr(os.fstat(descriptor), "st_blksize", 0)
    return size if size > 1 else io.DEFAULT_BUFFER_SIZE
