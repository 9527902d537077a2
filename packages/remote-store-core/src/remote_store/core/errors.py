"""The errors that stores and backends raise: one base class, and one subclass per failure that a caller can handle."""

from __future__ import annotations

import errno
from copy import copy

from remote_store.core.home import public

SHOWN_PATHS = 10


@public("remote_store.core")
class RemoteStoreError(Exception):
    """Base class of every error that a store raises. Raised directly if no subclass fits.

    `str()` joins the message, the paths and the service's details each time it is called, so assigning `path` (as a
    scoped store does) changes the text. The SDK's exception is the `__cause__`. `filename` is the path and `strerror`
    the message. Subclasses that are also an `OSError` set the matching `errno`.

    Args:
        message: What went wrong and what to do next. Contains no path and no secret.
        path: The path the error is about.
        paths: All paths concerned, for an error about several files.
        backend: Name of the backend that raised the error.
        code: The service's error code, such as `NoSuchKey`.
        status: The HTTP status.
        request_id: The service's id for the failed request.
        retryable: Whether the same call may succeed later.

    Attributes:
        http_status: The status to answer with if you serve files over HTTP: 404 for `NotFound`, 409 for `AlreadyExists`
            and `DirectoryNotEmpty`, 412 for `PreconditionFailed`, 403 for `PermissionDenied`, 501 for
            `CapabilityNotSupported`, 503 for `BackendUnavailable`, and 500 for every other error. For `InvalidPath` it
            is 404 if the path is a folder where a file is meant, or the reverse, and 400 if the path is malformed. It
            does not depend on `status`, which is what the service answered.
    """

    http_status: int = 500

    def __init__(
        self,
        message: str = "",
        *,
        path: str | None = None,
        paths: tuple[str, ...] = (),
        backend: str | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.strerror: str | None = message
        self.path = path
        self.paths = paths
        self.backend = backend
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retryable = retryable

    @property
    def filename(self) -> str | None:
        """The path, under the attribute name that `OSError` uses."""
        return self.path

    def __repr__(self) -> str:
        several = {"paths": self.paths[:SHOWN_PATHS]} if self.paths else {}
        facts = {"path": self.path, **several, **self._facts()}
        return (
            f"{type(self).__name__}({', '.join([repr(self.message), *(f'{name}={facts[name]!r}' for name in facts)])})"
        )

    def _facts(self) -> dict[str, object]:
        facts = {"backend": self.backend, "code": self.code, "status": self.status, "request_id": self.request_id}
        return {name: value for name, value in facts.items() if value is not None}

    def __str__(self) -> str:
        known = ", ".join(f"{name}={value}" for name, value in self._facts().items())
        text = self.message if self.path is None else f"{self.path!r}: {self.message}"
        if self.paths:
            more = f" and {len(self.paths) - SHOWN_PATHS} more" if len(self.paths) > SHOWN_PATHS else ""
            text += f" ({', '.join(map(repr, self.paths[:SHOWN_PATHS]))}{more})"
        return f"{text} [{known}]" if known else text


@public("remote_store.core")
class NotFound(RemoteStoreError, FileNotFoundError):
    """The file, the folder or the bucket does not exist."""

    http_status = 404
    errno = errno.ENOENT


@public("remote_store.core")
class AlreadyExists(RemoteStoreError, FileExistsError):
    """The destination already exists and `overwrite` is `False`."""

    http_status = 409
    errno = errno.EEXIST


@public("remote_store.core")
class PreconditionFailed(RemoteStoreError):
    """The object changed during a read, a copy or a move."""

    http_status = 412


@public("remote_store.core")
class ChecksumMismatch(RemoteStoreError, OSError):
    """Content does not match its checksum: it was damaged on its way, or where it is stored.

    Of a read, no byte may be used. Of a write, nothing was written. Call again; if a read fails again, the file itself
    is damaged.
    """

    errno = errno.EIO


@public("remote_store.core")
class PermissionDenied(RemoteStoreError, PermissionError):
    """The credentials are missing, wrong, expired, or not allowed to do this."""

    http_status = 403
    errno = errno.EACCES


@public("remote_store.core")
class ObjectArchived(PermissionDenied):
    """The object is in an archive, such as the storage class `GLACIER`, and has to be restored before it can be read.

    Restore it with S3's RestoreObject (a lane's `unwrap` returns a client that has it), which takes minutes to hours.

    Attributes:
        storage_class: The storage class of the object; `None` if it is not known.
    """

    storage_class: str | None = None


@public("remote_store.core")
class InvalidConfiguration(RemoteStoreError, ValueError):
    """A setting of the environment or of an AWS profile cannot be used. No request was sent."""


@public("remote_store.core")
class InvalidPath(RemoteStoreError, ValueError):
    """The path is malformed or too long, or it names a folder instead of a file, or a file instead of a folder."""

    http_status = 400


def about(error: Exception, path: str) -> Exception:
    """The same error about another path, for one of several paths that failed together."""
    if not isinstance(error, RemoteStoreError):
        return error
    other = copy(error).with_traceback(error.__traceback__)
    other.path, other.paths = path, ()
    other.__cause__ = error.__cause__
    return other


def wrong_kind(message: str, *, path: str, backend: str | None = None) -> InvalidPath:
    """The error for a folder where a file is meant, or the reverse. Over HTTP, nothing is found there."""
    error = InvalidPath(message, path=path, backend=backend)
    error.http_status = NotFound.http_status
    return error


@public("remote_store.core")
class DirectoryNotEmpty(RemoteStoreError, OSError):
    """The folder is not empty, and `recursive` is `False`."""

    http_status = 409
    errno = errno.ENOTEMPTY


@public("remote_store.core")
class CapabilityNotSupported(RemoteStoreError, NotImplementedError):
    """The backend lacks the capability that the call needs.

    Args:
        message: What is not supported and what to use instead.
        capability: Name of the missing capability.
        path: The path the call was about.
        backend: Name of the backend.
    """

    http_status = 501

    def __init__(
        self, message: str = "", *, capability: str = "", path: str | None = None, backend: str | None = None
    ) -> None:
        super().__init__(message, path=path, backend=backend)
        self.capability = capability


@public("remote_store.core")
class BackendUnavailable(RemoteStoreError, ConnectionError):
    """The service did not respond, reported that it is busy or failing, or the backend is closed."""

    http_status = 503
    errno = errno.ECONNABORTED
