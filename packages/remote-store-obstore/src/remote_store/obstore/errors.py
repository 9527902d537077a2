"""Turns the exceptions of obstore into errors of the contract.

An exception of obstore has no attributes. Its text ends with Rust's debug output of the failure, which has the HTTP
status, the body of the response, and the number of an error of the operating system.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from obstore import exceptions

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    ConfigError,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)

Kind: TypeAlias = type[RemoteStoreError]

ANSWER = re.compile(
    r"inner: (?:Status|Response) \{\s+status: (?P<status>\d{3}),"
    r'(?:\s+body: (?:Some\(\s+)?"(?P<body>(?:[^"\\]|\\.)*)")?'
)
REDIRECT = re.compile(r"\binner: BareRedirect\b")
LATER_PAGE = re.compile(r"[?&](?:continuation-token|marker|pageToken)=")
CODE = re.compile(r"<Code>(\w+)</Code>")
REQUEST_ID = re.compile(r"<RequestId>([\w+/=-]+)</RequestId>")
SYSTEM = re.compile(r"\bOs \{\s+code: (\d+),")
CONNECTION = re.compile(r"\bHttpError \{\s+kind: (\w+),")
NO_SERVICE = re.compile(r"source: (?:Missing\w+|Invalid\w+Response \{|NotPartial)")
UNSENDABLE = re.compile(r"\breqwest::Error \{\s+kind: Builder,")

CHANGED = "the file is not the version that was expected; read it again"
BUSY = "the service is busy or broken; try again later"
UNREACHABLE = "the service cannot be reached or broke the connection; check the endpoint and try again"
ANOTHER_SERVICE = (
    "the endpoint is not the service of this store, or a proxy responded in its place; check the endpoint (host, port, "
    "http or https) and proxies"
)
REGION = "the bucket is in another region; set region to it"
REFUSED = "the service refused the request; read the cause"
NO_BUCKET = "the bucket does not exist; check its name, the endpoint and the region"
RENEW = "the temporary credentials have expired or are not valid; get new ones"
CREDENTIALS = "key or secret is missing, wrong or expired, or no policy allows this"
CLASSES: tuple[tuple[type[Exception], Kind, str], ...] = (
    (FileNotFoundError, NotFound, "there is no such file"),
    (exceptions.AlreadyExistsError, AlreadyExists, "the file exists; pass overwrite=True to replace it"),
    (exceptions.PreconditionError, PreconditionFailed, CHANGED),
    (exceptions.PermissionDeniedError, PermissionDenied, CREDENTIALS),
    (exceptions.UnauthenticatedError, PermissionDenied, CREDENTIALS),
    (ValueError, InvalidPath, "obstore does not accept this key"),
)
SYSTEM_ERRORS: dict[int, tuple[Kind, str]] = {
    errno.ENOENT: (NotFound, "there is no such file or folder"),
    errno.ENOTDIR: (NotFound, "a file stands where a folder is needed, so nothing is there"),
    errno.EISDIR: (InvalidPath, "the path is a folder; name a file"),
    errno.ENAMETOOLONG: (InvalidPath, "a segment of the path, or the whole path, is too long for this disk"),
    errno.EILSEQ: (InvalidPath, "this disk does not accept the name"),
    errno.EACCES: (PermissionDenied, "the permissions of the file or folder do not allow this"),
    errno.EPERM: (PermissionDenied, "the permissions of the file or folder do not allow this"),
    errno.EROFS: (PermissionDenied, "the disk is read-only"),
    errno.ENOSPC: (RemoteStoreError, "the disk is full"),
}
CODES: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("NoSuchBucket", "ContainerNotFound"), (NotFound, NO_BUCKET)),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"), (PermissionDenied, RENEW)
    ),
    "RequestTimeTooSkewed": (PermissionDenied, "the clock of this machine is wrong; set it by NTP"),
    **dict.fromkeys(
        ("AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"),
        (RemoteStoreError, REGION),
    ),
    **dict.fromkeys(
        (
            "ConditionalRequestConflict",
            "InternalError",
            "OperationAborted",
            "RequestTimeout",
            "ServiceUnavailable",
            "SlowDown",
        ),
        (BackendUnavailable, BUSY),
    ),
}
BUSY_STATUSES = frozenset({408, 429})
EXISTS = (None, "BlobAlreadyExists", "PreconditionFailed")
"""The codes of a 409 that mean that a file exists; obstore takes every 409 for one."""


@contextmanager
def errors_of(path: str, backend: str) -> Iterator[None]:
    """Raise errors of the contract for what obstore raises in the block."""
    try:
        yield
    except RemoteStoreError:
        raise
    except BaseException as error:
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        raise translated(error, path, backend) from error


@contextmanager
def configuring() -> Iterator[None]:
    """Raise `ConfigError` for what obstore raises in the block, which makes a store."""
    try:
        yield
    except ConfigError:
        raise
    except BaseException as error:
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        raise ConfigError(f"obstore refuses these settings: {summary(error)}") from error


def is_panic(error: BaseException) -> bool:
    """Whether Rust code failed unexpectedly. The class of this exception is no `Exception` and cannot be imported."""
    return type(error).__module__ == "pyo3_runtime"


@contextmanager
def absent_is_empty() -> Iterator[None]:
    """End a listing without an error if its first page found no container."""
    try:
        yield
    except NotFound as error:
        if LATER_PAGE.search(str(error.__cause__)):
            raise


def summary(error: BaseException) -> str:
    """The text of an exception without the debug output."""
    return str(error).partition("\n\nDebug source")[0]


def translated(error: BaseException, path: str, backend: str) -> RemoteStoreError:
    """The error of the contract for an exception of obstore."""
    debug = str(error).partition("\n\nDebug source")[2]
    found = ANSWER.search(debug)
    status = int(found["status"]) if found else None
    text = (found["body"] or "") if found else ""
    code = next(iter(CODE.findall(text)), None)
    request_id = next(iter(REQUEST_ID.findall(text)), None)
    if isinstance(error, NotImplementedError | exceptions.NotSupportedError):
        message = f"this store cannot do that: {summary(error)}; for copies on S3, make the store with S3_CONFIG"
        return CapabilityNotSupported(message, path=path, backend=backend)
    kind, message = _classified(error, debug, status, code)
    return kind(
        message,
        path=path,
        backend=backend,
        code=code,
        status=status,
        request_id=request_id,
        retryable=kind is BackendUnavailable,
    )


def _classified(error: BaseException, debug: str, status: int | None, code: str | None) -> tuple[Kind, str]:
    if code in CODES:
        return CODES[code]
    if status == 409 and code not in EXISTS:
        return RemoteStoreError, REFUSED
    for theirs, ours, message in CLASSES:
        if isinstance(error, theirs):
            return ours, message
    if status is not None:
        return _by_status(status)
    if REDIRECT.search(debug):
        return RemoteStoreError, REGION
    if NO_SERVICE.search(debug):
        return RemoteStoreError, ANOTHER_SERVICE
    if UNSENDABLE.search(debug) or is_panic(error):
        return InvalidConfiguration, "obstore cannot build the request; check endpoint, bucket and proxy"
    if CONNECTION.search(debug):
        return BackendUnavailable, UNREACHABLE
    if system := SYSTEM.search(debug):
        number = int(system[1])
        return SYSTEM_ERRORS.get(number, (RemoteStoreError, f"the disk failed with errno {number}; see the cause"))
    return RemoteStoreError, "obstore failed without a reason that has a class of its own; read the cause"


def _by_status(status: int) -> tuple[Kind, str]:
    if status in BUSY_STATUSES or status >= 500:
        return BackendUnavailable, BUSY
    if status in (401, 403):
        return PermissionDenied, CREDENTIALS
    if status == 412:
        return PreconditionFailed, CHANGED
    if status == 404:
        # A service would have said what does not exist.
        return RemoteStoreError, ANOTHER_SERVICE
    return RemoteStoreError, REFUSED
