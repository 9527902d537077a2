"""Faults that an endpoint can inject."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

__all__ = [
    "DamageRequest",
    "DropHeaders",
    "Early",
    "ErrorInOK",
    "Headers",
    "LoseResponse",
    "Request",
    "Reset",
    "Respond",
    "RewriteBody",
    "RewriteHeaders",
    "RunFunction",
    "ShortBody",
    "Stall",
    "Trickle",
    "TruncateRequest",
    "WireFault",
    "gather",
    "operation_of",
]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived.

    Attributes:
        method: The HTTP method.
        path: The path as on the wire, percent-encoded, without the query.
        query: The query, decoded.
        headers: The headers under lower-case names.
        operation: The S3 API operation of the request, or the method if it is none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    operation: str

    @property
    def bucket(self) -> str:
        """The bucket, decoded; empty if the path has none."""
        return urllib.parse.unquote(self.path[1:].partition("/")[0])

    @property
    def key(self) -> str:
        """The object's key, decoded; empty if the path has none."""
        return urllib.parse.unquote(self.path[1:].partition("/")[2])


@dataclass(frozen=True, slots=True)
class Respond:
    """Respond in the server's place; the server never sees the request.

    Attributes:
        status: The HTTP status.
        code: The S3 error code in the body; without a code, or for HEAD, the body is empty.
        message: The message in the S3 error.
        headers: More response headers, such as `Retry-After`.
        body: A body to send unchanged instead of the S3 error.
        foreign: Send no S3 headers, as a web server at the endpoint's address would.
    """

    status: int
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    foreign: bool = False

    def content(self) -> bytes:
        """The body of the response."""
        if self.body is not None or not self.code:
            return self.body or b""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message or self.code)}</Message>"
            "<RequestId>INJECTED</RequestId></Error>"
        ).encode()


@dataclass(frozen=True, slots=True)
class ErrorInOK:
    """Respond 200 with an S3 error inside, as CopyObject and CompleteMultipartUpload may; the server is not called."""

    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST).

    Attributes:
        after_bytes: With 0, read the whole request and reset without forwarding it. With a larger number, forward the
            response up to that many bytes of its body, which the client can still read, and then reset.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ShortBody:
    """Close the connection without a reset after a part of the response's body, short of its Content-Length."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Stop sending for a while, then continue.

    Attributes:
        seconds: How long; ends early if the client disconnects.
        after_bytes: With 0, delay the whole response; with a larger number, stop after so many bytes of its body.
    """

    seconds: float
    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Trickle:
    """Send the body of the response one byte at a time.

    Attributes:
        seconds: How long to wait after each byte; ends early if the client disconnects.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class LoseResponse:
    """Forward the request to the server, then reset the connection instead of forwarding its response."""


@dataclass(frozen=True, slots=True)
class TruncateRequest:
    """Reset the connection while the client uploads; the server never sees the request.

    Attributes:
        after_bytes: How many bytes of the request's body are read before.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DamageRequest:
    """Change one byte of the request's body on its way to the server.

    Attributes:
        at: Offset of the byte. A shorter body stays as it is.
    """

    at: int = 0


@dataclass(frozen=True, slots=True)
class DropHeaders:
    """Remove request headers, for instance to make a server ignore conditions.

    Use it with a server that does not check signatures: removing a signed header breaks the signature, and SDKs sign
    `If-Match` and `If-None-Match` too.

    Attributes:
        names: The headers' names, in any case.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Early:
    """Send an informational response before the final one (RFC 9110, 15.2).

    Attributes:
        status: The status, such as 102 or 103.
    """

    status: int = 103


@dataclass(frozen=True, slots=True)
class RewriteBody:
    """Replace the body of the response. Its status and headers stay, except for Content-Length.

    Attributes:
        function: Gets the server's body and returns the one to send.
    """

    function: Callable[[bytes], bytes]


Headers = list[tuple[bytes, bytes]]
"""Header lines in their order, names in the server's spelling."""


@dataclass(frozen=True, slots=True)
class RewriteHeaders:
    """Replace the headers of the response. Its status and body stay.

    Attributes:
        function: Gets the server's headers and returns those to send.
    """

    function: Callable[[Headers], Headers]


@dataclass(frozen=True, slots=True)
class RunFunction:
    """Run a function before the request is forwarded, for instance to change an object between two requests.

    Attributes:
        function: Gets the request. What it raises resets the connection and is raised again when the endpoint closes.
    """

    function: Callable[[Request], object]


WireFault = (
    Respond
    | RunFunction
    | DamageRequest
    | DropHeaders
    | Early
    | ErrorInOK
    | LoseResponse
    | Reset
    | RewriteBody
    | RewriteHeaders
    | ShortBody
    | Stall
    | Trickle
    | TruncateRequest
)


def gather(parties: int, *, seconds: float = 30.0) -> RunFunction:
    """Return a fault that holds requests until a number of them has arrived, and then releases them together.

    Args:
        parties: How many; inject it with `times` set to the same number.
        seconds: How long the first one waits for the last before it gives up with `BrokenBarrierError`.
    """
    barrier = threading.Barrier(parties)
    return RunFunction(lambda _request: barrier.wait(seconds))


_BUCKET = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("POST", "delete"): "DeleteObjects",
    ("GET", ""): "ListObjects",
    ("HEAD", ""): "HeadBucket",
    ("PUT", ""): "CreateBucket",
    ("DELETE", ""): "DeleteBucket",
}
_OBJECT = {
    ("GET", "uploadId"): "ListParts",
    ("GET", "tagging"): "GetObjectTagging",
    ("GET", "acl"): "GetObjectAcl",
    ("GET", "attributes"): "GetObjectAttributes",
    ("PUT", "uploadId"): "UploadPart",
    ("PUT", "tagging"): "PutObjectTagging",
    ("PUT", "acl"): "PutObjectAcl",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("PUT", ""): "PutObject",
    ("DELETE", ""): "DeleteObject",
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


def operation_of(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the S3 API operation of a path-style request, or the method if it is none.

    Args:
        method: The HTTP method.
        path: The path, percent-encoded.
        query: The query, decoded.
        headers: The headers under lower-case names.
    """
    bucket, _, key = path[1:].partition("/")
    if not bucket:
        return "ListBuckets" if method == "GET" else method
    table = _OBJECT if key else _BUCKET
    found = next((table[method, name] for name in query if (method, name) in table), table.get((method, ""), method))
    return _COPIES.get(found, found) if "x-amz-copy-source" in headers else found
