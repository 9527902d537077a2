"""Reads the fields of one response and checks their type and range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from remote_store.core.s3.protocol.calls import Call, Fault

LARGEST_SIZE = 2**50
"""Most bytes of an object. S3 and S3-compatible servers stay far below this PiB."""

CHECKSUM = "Checksum"
NOT_CHECKSUMS = ("ChecksumType", "ChecksumAlgorithm")

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")

SIGNS = ("x-amz", "x-goog-", "x-guploader-", "x-oss-", "x-cos-", "x-obs-", "x-rgw-", "x-minio-", "x-trans-id")
"""Prefixes of header names that only S3 or an S3-compatible server sends.

AWS, Ceph, MinIO, SeaweedFS, LocalStack, rclone, Wasabi and Backblaze send `x-amz-request-id`, moto sends
`x-amzn-requestid`, and the others send a request id header of their own. On errors, Cloudflare R2 sends only `cf-ray`,
which every page behind Cloudflare's CDN has, so a 404 from R2 is confirmed by a LIST.
"""

NOT_SIGNS = ("x-amz-apigw-", "x-amz-cf-", "x-amzn-errortype", "x-amzn-trace-id")
"""Prefixes of header names that other AWS services send too: a CDN, a gateway or a load balancer."""


class Fields:
    """The fields of a response, or of one element in it.

    Args:
        call: The call that was sent.
        raw: The response or element in the shape of the API Reference.
        outer: The response that contains the element; `None` for the response itself.

    Attributes:
        status: The HTTP status; `None` if the port does not return it.
        headers: The headers; `None` if the port does not return them.
        request_id: The service's id of the request; `None` if the port does not return it.
        attempts: How many requests were sent for the call.
    """

    __slots__ = ("attempts", "call", "headers", "raw", "request_id", "status")

    def __init__(self, call: Call, raw: Mapping[str, Any], outer: Fields | None = None) -> None:
        self.call = call
        self.raw = raw
        about = (raw if outer is None else outer.raw).get("ResponseMetadata")
        about = about if isinstance(about, Mapping) else {}
        self.status: int | None = about.get("HTTPStatusCode")
        self.headers: Mapping[str, str] | None = about.get("HTTPHeaders")
        self.request_id: str | None = about.get("RequestId")
        self.attempts: int = (about.get("RetryAttempts") or 0) + 1

    def require_status(self, statuses: tuple[int, ...]) -> None:
        """Check that the status is one of a success.

        Raises:
            Fault: It is not.
        """
        if self.status is None or self.status in statuses:
            return
        if self.status < 200:
            raise self._fault("InformationalAnswer", f"status {self.status} came instead of a final response")
        raise self.broken(f"has the status {self.status}")

    def require_sign(self) -> None:
        """Check that the response has a header of S3.

        Raises:
            Fault: It has none.
        """
        if not is_signed(self.headers or {}):
            raise self._fault("NotS3", f"the response to {self.call.operation} has neither an ETag nor a header of S3")

    def require_readable_body(self) -> None:
        """Refuse a body in a transfer coding other than `chunked`: http.client hands such a body out as it came.

        Raises:
            Fault: It is in another one, or the header is not written as http.client reads it.
        """
        codings = (value for name, value in (self.headers or {}).items() if name.lower() == "transfer-encoding")
        if not all(coding.lower() in ("chunked", "identity") for coding in codings):
            raise self.broken("has a body in a transfer coding that is not known")

    def text(self, name: str) -> str | None:
        """A string; `None` if it is missing or empty.

        Raises:
            Fault: It is not a string.
        """
        value = self.raw.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.broken(f"has a {name} that is not a string")
        return value

    def etag(self) -> str | None:
        """The entity tag as the server writes it; `None` if it is missing or empty."""
        etag = self.text("ETag")
        return etag if bare(etag) else None

    def integer(self, name: str) -> int | None:
        """A size; `None` if it is missing.

        Raises:
            Fault: It is not an integer from 0 to `LARGEST_SIZE`.
        """
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SIZE:
            raise self.broken(f"has a {name} that is not a size from 0 to {LARGEST_SIZE}")
        return value

    def time(self, name: str) -> datetime | None:
        """A time in UTC, in whole seconds as in headers; `None` if it is missing or not a time."""
        return whole_seconds(self.raw.get(name))

    def truncated(self) -> bool:
        """Whether a listing has another page.

        Raises:
            Fault: It does not say.
        """
        truncated = self.raw.get("IsTruncated")
        if not isinstance(truncated, bool):
            raise self.broken("has no IsTruncated")
        return truncated

    def checksums(self) -> dict[str, str]:
        """The checksums, under the names that a write takes."""
        names = [name for name in self.raw if name.startswith(CHECKSUM) and name not in NOT_CHECKSUMS]
        return {name: value for name in names if (value := self.text(name)) is not None}

    def content_range(self) -> tuple[int, int, int | None]:
        """The offsets of the first and the last byte, and the size of the object, which may be `None`.

        Raises:
            Fault: The Content-Range is missing or invalid.
        """
        found = CONTENT_RANGE.fullmatch(self.text("ContentRange") or "")
        if found is None:
            raise self.broken("is a range but has no valid Content-Range")
        first, last = int(found[1]), int(found[2])
        total = None if found[3] == "*" else int(found[3])
        if first > last or last >= (LARGEST_SIZE if total is None else min(total, LARGEST_SIZE)):
            raise self.broken("has a Content-Range outside the object")
        return first, last, total

    def metadata(self) -> dict[str, str]:
        """The user metadata, names in lower case. Values of a repeated name are joined by a comma, as S3 does."""
        metadata: dict[str, str] = {}
        for name, value in (self.raw.get("Metadata") or {}).items():
            known, text = name.lower(), readable(value)
            metadata[known] = f"{metadata[known]}, {text}" if known in metadata else text
        return metadata

    def inner(self, name: str) -> Fields | None:
        """The fields of an element; `None` if it is missing or not an element."""
        value = self.raw.get(name)
        return Fields(self.call, value, self) if isinstance(value, Mapping) else None

    def rows(self, name: str) -> list[Fields]:
        """The elements of a list; empty if it is missing.

        Raises:
            Fault: It is not a list of elements.
        """
        rows = self.raw.get(name) or ()
        if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
            raise self.broken(f"has a {name} that is not a list")
        return [Fields(self.call, row, self) for row in rows]

    def broken(self, what: str) -> Fault:
        """The fault of a response that breaks the protocol."""
        return self._fault("BrokenAnswer", f"the response to {self.call.operation} {what}")

    def without_document(self) -> Fault:
        """The fault of a success without its result."""
        return self.broken("lacks the result of the operation, which may or may not have been carried out")

    def _fault(self, code: str, message: str) -> Fault:
        return Fault(code, self.status or 200, message, self.request_id, attempts=self.attempts)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a header shows that the response comes from S3 or an S3-compatible server."""
    names = (name.lower() for name in headers)
    return any(name.startswith(SIGNS) and not name.startswith(NOT_SIGNS) for name in names)


def readable(value: str) -> str:
    """Decode a header value that an HTTP client decoded byte by byte: as UTF-8, or as Latin-1 if it is not UTF-8."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if _has_surrogates(value) else value


def _has_surrogates(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def bare(etag: str | None) -> str | None:
    """An entity tag without its quotes and without the `W/` of a weak one; its case is kept."""
    return None if etag is None else etag.removeprefix("W/").strip('"')


def whole_seconds(time: object) -> datetime | None:
    """The time as an aware datetime in UTC; `None` if it is not a time.

    Fractions of a second are dropped, because only listings have them.
    """
    if not isinstance(time, datetime):
        return None
    if time.tzinfo is not UTC:
        try:
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except OverflowError:
            return None
    return time.replace(microsecond=0) if time.microsecond else time
