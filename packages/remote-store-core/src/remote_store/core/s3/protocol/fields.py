"""The fields of one answer, each read with its type and its range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from remote_store.core.s3.protocol.calls import Call, Fault

LARGEST_SIZE = 2**50
"""Bytes that an object can have at the most; S3 and the servers that speak its API stay far below a PiB."""

CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")

SIGNS = ("x-amz", "x-goog-", "x-guploader-", "x-oss-", "x-cos-", "x-obs-", "x-rgw-", "x-minio-", "x-trans-id")
"""What begins the names of headers that only S3 or a server of its API sends.

AWS, Ceph, MinIO, SeaweedFS, LocalStack, rclone, Wasabi and Backblaze send `x-amz-request-id`, moto `x-amzn-requestid`,
and the others the header of their own kind of request id. Cloudflare R2 sends none on errors but `cf-ray`, which is on
every page behind Cloudflare's CDN, so a miss there is proved by a LIST.
"""

NOT_SIGNS = ("x-amz-apigw-", "x-amz-cf-", "x-amzn-errortype", "x-amzn-trace-id")
"""What begins the names of headers that other services of AWS send too: a CDN, a gateway or a load balancer."""


class Fields:
    """The fields of an answer, or of one element in it.

    Args:
        call: What was asked.
        told: The answer in the shape of the API Reference.
        outer: The answer that the element stands in.

    Attributes:
        status: The HTTP status, where the port says it.
        headers: The headers; `None` where the port does not say them.
        request_id: The service's id of the request, where the port says it.
        attempts: How many requests were sent for the call.
    """

    __slots__ = ("attempts", "call", "headers", "request_id", "status", "told")

    def __init__(self, call: Call, told: Mapping[str, Any], outer: Fields | None = None) -> None:
        self.call = call
        self.told = told
        about = (told if outer is None else outer.told).get("ResponseMetadata")
        about = about if isinstance(about, Mapping) else {}
        self.status: int | None = about.get("HTTPStatusCode")
        self.headers: Mapping[str, str] | None = about.get("HTTPHeaders")
        self.request_id: str | None = about.get("RequestId")
        self.attempts: int = (about.get("RetryAttempts") or 0) + 1

    def require_status(self, statuses: tuple[int, ...]) -> None:
        """Refuse a status that is none of a success.

        Raises:
            Fault: It is another one.
        """
        if self.status is None or self.status in statuses:
            return
        if self.status < 200:
            raise self._fault("InformationalAnswer", f"status {self.status} came in place of an answer")
        raise self.broken(f"has the status {self.status}")

    def require_sign(self) -> None:
        """Refuse an answer that nothing marks as one of S3.

        Raises:
            Fault: No header is S3's.
        """
        if not is_signed(self.headers or {}):
            raise self._fault("NotS3", f"the answer to {self.call.operation} has neither an ETag nor a header of S3")

    def text(self, name: str) -> str | None:
        """A text; `None` where it is missing or empty.

        Raises:
            Fault: It is no text.
        """
        value = self.told.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.broken(f"has a {name} that is no text")
        return value

    def etag(self) -> str | None:
        """The entity tag as the server writes it; `None` where it is missing or empty."""
        etag = self.text("ETag")
        return etag if bare(etag) else None

    def integer(self, name: str) -> int | None:
        """A size; `None` where it is missing.

        Raises:
            Fault: It is no size that an object can have.
        """
        value = self.told.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_SIZE:
            raise self.broken(f"has a {name} that no object can have")
        return value

    def time(self, name: str) -> datetime | None:
        """A time in UTC, to the second, as headers say it; `None` where it is missing or none."""
        return whole_seconds(self.told.get(name))

    def content_range(self) -> tuple[int, int, int | None]:
        """The offsets of the first and the last byte, and the size of the object, where it is said.

        Raises:
            Fault: The answer to a range does not say which one it is.
        """
        found = CONTENT_RANGE.fullmatch(self.text("ContentRange") or "")
        if found is None:
            raise self.broken("is a part of the object and does not say which")
        first, last = int(found[1]), int(found[2])
        total = None if found[3] == "*" else int(found[3])
        if first > last or last >= (LARGEST_SIZE if total is None else min(total, LARGEST_SIZE)):
            raise self.broken("has a Content-Range that cannot be")
        return first, last, total

    def metadata(self) -> dict[str, str]:
        """The user's metadata, names in lower case; what came twice is joined by a comma, as S3 does."""
        metadata: dict[str, str] = {}
        for name, value in (self.told.get("Metadata") or {}).items():
            known, text = name.lower(), readable(value)
            metadata[known] = f"{metadata[known]}, {text}" if known in metadata else text
        return metadata

    def inner(self, name: str) -> Fields | None:
        """The fields of an element; `None` where it is missing or no element."""
        value = self.told.get(name)
        return Fields(self.call, value, self) if isinstance(value, Mapping) else None

    def rows(self, name: str) -> list[Fields]:
        """The elements of a list; none where it is missing.

        Raises:
            Fault: It is no list of elements.
        """
        rows = self.told.get(name) or ()
        if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
            raise self.broken(f"has a {name} that is no list")
        return [Fields(self.call, row, self) for row in rows]

    def broken(self, what: str) -> Fault:
        """The fault of an answer that breaks the protocol."""
        return self._fault("BrokenAnswer", f"the answer to {self.call.operation} {what}")

    def without_document(self) -> Fault:
        """The fault of a success that does not carry its result."""
        return self.broken("does not carry its result; whether it was carried out is not known")

    def _fault(self, code: str, message: str) -> Fault:
        return Fault(code, self.status or 200, message, self.request_id, attempts=self.attempts)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a header says that the answer comes from S3 or a server of its API."""
    names = (name.lower() for name in headers)
    return any(name.startswith(SIGNS) and not name.startswith(NOT_SIGNS) for name in names)


def readable(value: str) -> str:
    """The text of a header that came byte by byte, as HTTP clients hand it out: UTF-8, and Latin-1 where it is none."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if _has_surrogates(value) else value


def _has_surrogates(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def bare(etag: str | None) -> str | None:
    """An entity tag without its quotes and without the mark of a weak one, its case kept."""
    return None if etag is None else etag.removeprefix("W/").strip('"')


def whole_seconds(time: object) -> datetime | None:
    """The time, aware, in UTC and without a fraction, which listings alone say; `None` for what is no time."""
    if not isinstance(time, datetime):
        return None
    if time.tzinfo is not UTC:
        try:
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except OverflowError:
            return None
    return time.replace(microsecond=0) if time.microsecond else time
