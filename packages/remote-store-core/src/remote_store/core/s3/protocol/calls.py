"""The S3 port: takes one S3 API call and returns its response or raises a fault. A lane has to provide nothing else.

An operation of the contract is a generator. It yields steps, receives responses and returns its result; it does no I/O.
A sync or async runner performs the steps through a port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from remote_store.core.home import public

SECRET_PARAMS = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})
"""Parameters of a call that are secrets: the encryption keys of SSE-C."""


@public("remote_store.core.s3")
@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request to the S3 API, with the names of the S3 API Reference.

    Attributes:
        operation: Name of the operation, such as `HeadObject`.
        params: Its parameters, such as `{"Bucket": ..., "Key": ...}`.
        sent: How many requests core has sent for it before; above 0 if a write is repeated after a conflict.
    """

    operation: str
    params: Mapping[str, Any]
    sent: int = field(default=0, compare=False)

    def __repr__(self) -> str:
        shown = {name: "***" if name in SECRET_PARAMS else value for name, value in self.params.items()}
        return f"{type(self).__name__}(operation={self.operation!r}, params={shown!r})"


@public("remote_store.core.s3")
class Fault(Exception):
    """A failed call, as the service or the connection reported it. Core turns it into an error of the contract.

    The SDK's exception is the `__cause__`.

    Args:
        code: The service's code (`NoSuchKey`), the HTTP status (`404`) if the response had no body, or the name of the
            SDK's exception if there was no response.
        status: The HTTP status; `None` if there was no response.
        message: The service's or the SDK's text; shown, never interpreted.
        request_id: The service's id of the request.
        attempts: How many requests were sent for this call. If more than one, an earlier one may have succeeded.
        transport: Whether the connection failed: refused, reset, timed out or cut short.
        credentials: Whether no usable credentials were found. No request was sent.
        foreign: Whether the response has neither a code nor a header of S3, so a web server may have sent it.
        date: The `Date` of the response, in the server's clock.
        configuration: Whether a setting of this machine cannot be used. The message names it and contains no secret.
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
    """The bytes of a `GetObject` response. Methods raise `Fault` when the connection breaks."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, or all the rest for -1; empty at the end."""
        ...

    def readinto(self, buffer: memoryview, /) -> int:
        """Read into the buffer and return the number of bytes, up to the buffer's length; 0 at the end."""
        ...

    def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read to its end."""
        ...


@public("remote_store.core.s3")
class AsyncBody(Protocol):
    """The bytes of a `GetObject` response, awaited. Methods raise `Fault` when the connection breaks."""

    async def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, or all the rest for -1; empty at the end."""
        ...

    async def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read to its end."""
        ...


@public("remote_store.core.s3")
class S3Port(Protocol):
    """Performs S3 calls over one SDK client, from any number of threads."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return the response in the shape of the API Reference; `GetObject` has a `Body`.

        `ResponseMetadata` has `HTTPStatusCode`, `HTTPHeaders` and `RequestId`, as in botocore. Header values are
        decoded as UTF-8, or byte by byte as Latin-1. `responses.read` checks the rest.

        `ListObjectsV2` is sent with `EncodingType=url`. Return its keys as they came, still URL-encoded.

        Raises:
            Fault: The service refused or did not respond.
        """
        ...

    def close(self) -> None:
        """Close the client, unless the user passed it in."""
        ...


@public("remote_store.core.s3")
class SigningPort(S3Port, Protocol):
    """A port that can also presign. A lane whose port is one declares `PRESIGN`."""

    def presign(self, call: Call, seconds: int) -> str:
        """Make a URL that allows this call for some time, signed with AWS Signature Version 4. Send no request.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        ...

    def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """Make a form that allows this `PostObject`, signed with AWS Signature Version 4. Send no request.

        Its parameters are `Bucket`, `Key`, which ends with `${filename}`, and the form's `Fields` and `Conditions`.
        Return the address of the form as `url`, and all of its `fields`, with `key`, `policy` and the signature.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        ...


@public("remote_store.core.s3")
class AsyncS3Port(Protocol):
    """Performs S3 calls over one async SDK client, inside one event loop."""

    async def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return the response in the shape of the API Reference; `GetObject` has an `AsyncBody`.

        `ResponseMetadata` has `HTTPStatusCode`, `HTTPHeaders` and `RequestId`, as in botocore. Header values are
        decoded as UTF-8, or byte by byte as Latin-1. `responses.read` checks the rest.

        `ListObjectsV2` is sent with `EncodingType=url`. Return its keys as they came, still URL-encoded.

        Raises:
            Fault: The service refused or did not respond.
        """
        ...

    async def close(self) -> None:
        """Close the client, unless the user passed it in."""
        ...


@public("remote_store.core.s3")
class AsyncSigningPort(AsyncS3Port, Protocol):
    """An async port that can also presign. A lane whose port is one declares `PRESIGN`."""

    async def presign(self, call: Call, seconds: int) -> str:
        """Make a URL that allows this call for some time, signed with AWS Signature Version 4. Send no request.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        ...

    async def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """Make a form that allows this `PostObject`, as `SigningPort.presign_post` does. Send no request.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        ...
