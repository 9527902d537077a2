"""The S3 port: one call of the S3 API in, its answer or a fault out. This is all that a lane has to provide.

An operation of the contract is a generator. It yields steps, receives answers and returns its result; it does no I/O.
A runner, sync or async, takes the steps to a port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from remote_store.core.home import public

SECRET_PARAMS = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})
"""Parameters of a call that are secrets: keys of the user's own for encryption."""


@public("remote_store.core.s3")
@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request to the S3 API, in the API Reference's own vocabulary.

    Attributes:
        operation: Name of the operation, such as `HeadObject`.
        params: Its parameters, such as `{"Bucket": ..., "Key": ...}`.
    """

    operation: str
    params: Mapping[str, Any]

    def __repr__(self) -> str:
        shown = {name: "***" if name in SECRET_PARAMS else value for name, value in self.params.items()}
        return f"{type(self).__name__}(operation={self.operation!r}, params={shown!r})"


@public("remote_store.core.s3")
class Fault(Exception):
    """A call that failed, as the service or the connection said it; not yet an error of the contract.

    The SDK's own exception is the `__cause__`.

    Args:
        code: The service's code (`NoSuchKey`), or the name of the SDK's exception where no answer came; a bare HTTP
            status (`404`) where the answer had no body.
        status: The HTTP status, `None` where no answer came.
        message: The service's or the SDK's text; shown, never interpreted.
        request_id: The service's id of the request.
        attempts: How many requests were sent for this call. After more than one, an earlier one may have succeeded.
        transport: Whether the connection failed: refused, reset, timed out, cut short.
        credentials: Whether no usable credentials were found, so that no request was sent.
        foreign: Whether nothing in the answer is S3's, neither a code nor a header: a web server may have sent it.
        date: The server's own time when it answered.
        configuration: Whether what is set on this machine cannot be used; the message names it and holds no secret.
    """

    def __init__(
        self,
        code: str,
        status: int | None = None,
        message: str = "",
        request_id: str | None = None,
        *,
        attempts: int = 1,
        transport: bool = False,
        credentials: bool = False,
        foreign: bool = False,
        date: datetime | None = None,
        configuration: bool = False,
    ) -> None:
        super().__init__(code, status, message, request_id)
        self.code = code
        self.status = status
        self.message = message
        self.request_id = request_id
        self.attempts = attempts
        self.transport = transport
        self.credentials = credentials
        self.foreign = foreign
        self.date = date
        self.configuration = configuration


@public("remote_store.core.s3")
class Body(Protocol):
    """The bytes of a `GetObject` answer. Methods raise `Fault` when the connection breaks."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1; empty at the end."""
        ...

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to as many bytes as the buffer holds, into it; 0 at the end."""
        ...

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        ...


@public("remote_store.core.s3")
class AsyncBody(Protocol):
    """The bytes of a `GetObject` answer, awaited. Methods raise `Fault` when the connection breaks."""

    async def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1; empty at the end."""
        ...

    async def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        ...


@public("remote_store.core.s3")
class S3Port(Protocol):
    """Performs S3 calls over one SDK client, from any number of threads."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return the answer in the shape of the API Reference; `GetObject` has a `Body`.

        `ResponseMetadata` says `HTTPStatusCode`, `HTTPHeaders` and `RequestId`, as botocore does; texts of headers are
        decoded as UTF-8 or byte by byte as Latin-1. `responses.read` checks the rest.

        `ListObjectsV2` is asked with `EncodingType=url` and answers with the keys as they came, still encoded.

        Raises:
            Fault: The service refused or did not answer.
        """
        ...

    def close(self) -> None:
        """Close the client, unless it is the user's own."""
        ...


@public("remote_store.core.s3")
class AsyncS3Port(Protocol):
    """Performs S3 calls over one async SDK client, inside one event loop."""

    async def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return the answer in the shape of the API Reference; `GetObject` has an `AsyncBody`.

        `ResponseMetadata` says `HTTPStatusCode`, `HTTPHeaders` and `RequestId`, as botocore does; texts of headers are
        decoded as UTF-8 or byte by byte as Latin-1. `responses.read` checks the rest.

        `ListObjectsV2` is asked with `EncodingType=url` and answers with the keys as they came, still encoded.

        Raises:
            Fault: The service refused or did not answer.
        """
        ...

    async def close(self) -> None:
        """Close the client, unless it is the user's own."""
        ...
