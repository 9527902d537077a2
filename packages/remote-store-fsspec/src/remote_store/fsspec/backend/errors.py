"""The errors of a store for what filesystems raise."""

from __future__ import annotations

import errno
import ftplib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)

NAME = "fsspec"
TYPES: tuple[tuple[type[Exception], type[RemoteStoreError]], ...] = (
    (FileNotFoundError, NotFound),
    (FileExistsError, AlreadyExists),
    (IsADirectoryError, InvalidPath),
    (NotADirectoryError, InvalidPath),
    (PermissionError, PermissionDenied),
    (ConnectionError, BackendUnavailable),
    (TimeoutError, BackendUnavailable),
    (socket.gaierror, BackendUnavailable),
)
NUMBERS: Mapping[int, type[RemoteStoreError]] = {
    errno.ENAMETOOLONG: InvalidPath,
    errno.EROFS: PermissionDenied,
    errno.ENOTEMPTY: DirectoryNotEmpty,
    errno.ECONNREFUSED: BackendUnavailable,
    errno.ECONNRESET: BackendUnavailable,
    errno.EHOSTUNREACH: BackendUnavailable,
    errno.ENETUNREACH: BackendUnavailable,
    errno.ETIMEDOUT: BackendUnavailable,
}
"""Numbers for which Python has no class, or for which a client raises a class of its own."""
STATUSES = {
    401: PermissionDenied,
    403: PermissionDenied,
    404: NotFound,
    408: BackendUnavailable,
    410: NotFound,
    412: PreconditionFailed,
    429: BackendUnavailable,
    500: BackendUnavailable,
    502: BackendUnavailable,
    503: BackendUnavailable,
    504: BackendUnavailable,
}
REPLIES: Mapping[str, type[RemoteStoreError]] = {
    "421": BackendUnavailable,
    "425": BackendUnavailable,
    "426": BackendUnavailable,
    "450": BackendUnavailable,
    "451": BackendUnavailable,
    "530": PermissionDenied,
    "532": PermissionDenied,
}
"""What a reply of FTP says by its code. 550 says nothing: the file is missing, or must not be accessed."""
MESSAGES: dict[type[RemoteStoreError], str] = {
    NotFound: "there is no such file or folder",
    AlreadyExists: "the file exists; pass overwrite=True to replace it",
    InvalidPath: "a file stands where a folder is needed, or a folder where a file is",
    PermissionDenied: "the filesystem denies access; check its permissions and credentials",
    PreconditionFailed: "the file changed; try again",
    DirectoryNotEmpty: "the folder has content",
    BackendUnavailable: "the filesystem does not respond; try again",
}


@contextmanager
def typed_errors(path: str, capability: Capability | None = None) -> Iterator[None]:
    """Raise the errors of a store in place of those of a filesystem, which become their `__cause__`.

    Args:
        path: The path that the block is about.
        capability: What the filesystem lacks if it raises `NotImplementedError`.

    Raises:
        RemoteStoreError: The block raised an exception.
    """
    try:
        yield
    except RemoteStoreError:
        raise
    except NotImplementedError as error:
        raise not_supported(path, capability) from error
    except Exception as error:
        raise typed(error, path) from error


def not_supported(path: str, capability: Capability | None) -> CapabilityNotSupported:
    """The error for a call that the filesystem does not implement."""
    word = capability.value if capability else "call"
    message = f"the filesystem does not support this {word}; check `capabilities` before you call it"
    return CapabilityNotSupported(message, capability=word, path=path, backend=NAME)


def typed(error: Exception, path: str) -> RemoteStoreError:
    """The error of a store for an exception: by its type, its number or its HTTP status, never by its text."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return InvalidPath(
            "a name of the path is too long for the filesystem; use a shorter one", path=path, backend=NAME
        )
    kind = kind_of(error)
    if kind is None:
        # The text of an exception may have a URL with a secret in it; it is in the cause.
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        return RemoteStoreError(f"the filesystem failed: {reason}; the cause says more", path=path, backend=NAME)
    return kind(MESSAGES[kind], path=path, backend=NAME, retryable=kind is BackendUnavailable)


def is_no_folder(error: Exception, *, maybe: bool) -> bool:
    """Whether a write failed because the folder of the file does not exist.

    Args:
        error: The exception of the filesystem.
        maybe: The folder did not exist before, so an exception that says nothing may mean that, as those of FTP.
    """
    kind = kind_of(error)
    return kind is NotFound or (maybe and kind is None and not isinstance(error, OSError | NotImplementedError))


def kind_of(error: Exception) -> type[RemoteStoreError] | None:
    """The class of the error of a store for an exception; `None` if only the base class fits."""
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        # The filesystems of HTTP and FTP raise it for whatever went wrong.
        kind = kind_of(error.__cause__)
        return kind if kind in (PermissionDenied, BackendUnavailable) else NotFound
    for theirs, ours in TYPES:
        if isinstance(error, theirs):
            return ours
    if isinstance(error, OSError) and error.errno is not None:
        return NUMBERS.get(error.errno)
    if isinstance(error, ftplib.Error):
        return REPLIES.get(str(error)[:3])
    for name in ("status", "status_code", "code"):
        status = getattr(error, name, None)
        if isinstance(status, int):
            return STATUSES.get(status)
    return None
