"""What can go wrong on the wire, as values that an endpoint is told to do."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

__all__ = [
    "Answer",
    "Call",
    "DropHeaders",
    "Early",
    "ErrorInOK",
    "Fault",
    "Headers",
    "LostAnswer",
    "Request",
    "Reset",
    "RewriteBody",
    "RewriteHeaders",
    "ShortBody",
    "Stall",
    "TruncateRequest",
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
        operation: The S3 API operation that the request asks for, or the method where it is none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    operation: str

    @property
    def bucket(self) -> str:
        """The bucket, decoded; empty where the path names none."""
        return urllib.parse.unquote(self.path[1:].partition("/")[0])

    @property
    def key(self) -> str:
        """The object's key, decoded; empty where the path names none."""
        return urllib.parse.unquote(self.path[1:].partition("/")[2])


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer in the server's place; the server never sees the request.

    Attributes:
        status: The HTTP status.
        code: The S3 error code; the body is an S3 error, and empty where the code is empty or the method is HEAD.
        message: The message beside the code.
        headers: More headers of the answer, such as `Retry-After`.
        body: A body to send as it is instead of the S3 error.
        foreign: Send no header of S3, like a web server that stands in the server's place.
    """

    status: int
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    foreign: bool = False

    def content(self) -> bytes:
        """Return the body of the answer."""
        if self.body is not None or not self.code:
            return self.body or b""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message or self.code)}</Message>"
            "<RequestId>INJECTED</RequestId></Error>"
        ).encode()


@dataclass(frozen=True, slots=True)
class ErrorInOK:
    """Answer 200 with an S3 error inside, as CopyObject and CompleteMultipartUpload may; the server never sees it."""

    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST).

    Attributes:
        after_bytes: 0 takes the whole request and resets without showing it to the server. A larger number passes
            the answer on up to that many bytes of its body, which the client can still read, and resets then.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ShortBody:
    """Close the connection in good order after a part of the answer's body, short of its Content-Length."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Fall silent for a while, then go on.

    Attributes:
        seconds: How long; a client that hangs up ends the silence.
        after_bytes: 0 holds the answer back as a whole; a larger number falls silent after so much of its body.
    """

    seconds: float
    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """Let the server do what was asked, then reset the connection in place of its answer."""


@dataclass(frozen=True, slots=True)
class TruncateRequest:
    """Reset the connection while the client uploads; the server never sees the request.

    Attributes:
        after_bytes: How much of the request's body is read before.
    """

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DropHeaders:
    """Hide headers from the server, which so becomes one that ignores conditions.

    For servers that check no signatures: a signed header that is missing breaks them, and SDKs sign `If-Match` and
    `If-None-Match` too.

    Attributes:
        names: The headers' names, in any case.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Early:
    """Send an informational answer before the true one (RFC 9110, 15.2).

    Attributes:
        status: Its status, such as 102 or 103.
    """

    status: int = 103


@dataclass(frozen=True, slots=True)
class RewriteBody:
    """Replace the body of the answer; its status and its headers stay, but for Content-Length.

    Attributes:
        function: Gets the server's body and returns the one to send.
    """

    function: Callable[[bytes], bytes]


Headers = list[tuple[bytes, bytes]]
"""Header lines in their order, names in the server's spelling."""


@dataclass(frozen=True, slots=True)
class RewriteHeaders:
    """Replace the headers of the answer; its status and its body stay.

    Attributes:
        function: Gets the server's headers and returns those to send.
    """

    function: Callable[[Headers], Headers]


@dataclass(frozen=True, slots=True)
class Call:
    """Run a function before the request goes on, for instance to change an object between two requests for it.

    Attributes:
        function: Gets the request. What it raises resets the connection and is raised again when the endpoint closes.
    """

    function: Callable[[Request], object]


Fault = (
    Answer
    | Call
    | DropHeaders
    | Early
    | ErrorInOK
    | LostAnswer
    | Reset
    | RewriteBody
    | RewriteHeaders
    | ShortBody
    | Stall
    | TruncateRequest
)


def gather(parties: int, *, seconds: float = 30.0) -> Call:
    """Return a fault that holds requests until a number of them has arrived, and lets them go at once.

    Args:
        parties: How many; inject it with `times` set to the same number.
        seconds: How long the first one waits for the last before it gives up with `BrokenBarrierError`.
    """
    barrier = threading.Barrier(parties)
    return Call(lambda _request: barrier.wait(seconds))


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
    """Return the S3 API operation of a path-style request, or the method where it is none.

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
