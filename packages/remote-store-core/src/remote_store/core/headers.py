"""Checks on the headers that a file is served with: caching, file name, encoding and expiry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from remote_store.core.metadata import VALUE

TEXTS: Final = ("cache_control", "content_disposition", "content_encoding")
HEADERS: Final = (*TEXTS, "expires")
"""The options of a write that are headers, and the fields of a `FileInfo` with the same names."""

CHUNKED: Final = "aws-chunked"
"""The content coding of an upload with a trailing checksum. S3 removes it, and some servers store it."""


def check_headers(options: Mapping[str, Any]) -> None:
    """Refuse headers that HTTP cannot carry unchanged.

    Raises:
        TypeError: A header is not a `str`, or `expires` is not a `datetime`.
        ValueError: A header is empty, not printable ASCII, or begins or ends with a space; `expires` is not aware; or
            the encoding is `aws-chunked`, which describes an upload and not a file.
    """
    for name in TEXTS:
        if (text := options.get(name)) is not None:
            _check_text(name, text)
    encoding = options.get("content_encoding")
    if encoding is not None and without_chunked(encoding) != encoding:
        raise ValueError("content_encoding must not have aws-chunked, which is the encoding of an upload; leave it out")
    if (expires := options.get("expires")) is not None:
        check_aware(expires, "expires")


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, not {type(text).__name__}")
    if name == "content_disposition" and not text.isascii():
        raise ValueError(
            "content_disposition has a non-ASCII character, which HTTP cannot carry; encode the file name as in "
            "RFC 8187: filename*=UTF-8'' and urllib.parse.quote(name)"
        )
    if not text or not VALUE.fullmatch(text):
        raise ValueError(f"{name} must be printable ASCII, without line breaks and without white space around it")


def check_aware(time: object, name: str) -> None:
    """Refuse a time that is not an aware datetime from year 1000 on in UTC, as HTTP writes it.

    Raises:
        TypeError: It is not a `datetime`.
        ValueError: It has no time zone, or is out of range.
    """
    if not isinstance(time, datetime):
        raise TypeError(f"{name} must be a datetime, not {type(time).__name__}")
    if time.utcoffset() is None:
        raise ValueError(f"{name} has no time zone; pass an aware datetime, such as datetime(2030, 1, 1, tzinfo=UTC)")
    try:
        year = time.astimezone(UTC).year
    except OverflowError:
        year = 0
    if year < 1000:
        raise ValueError(f"{name} must be between the years 1000 and 9999 in UTC")


def in_seconds(time: datetime) -> datetime:
    """An aware time in UTC, without fractions of a second, which HTTP does not have."""
    return time.astimezone(UTC).replace(microsecond=0)


def kept_headers(options: Mapping[str, Any]) -> dict[str, Any]:
    """The headers among the options of a write, as they are stored."""
    given = {name: options[name] for name in HEADERS if options.get(name) is not None}
    return given | {"expires": in_seconds(given["expires"])} if "expires" in given else given


def without_chunked(encoding: str) -> str:
    """A `Content-Encoding` without `aws-chunked`; empty if nothing is left."""
    codings = [coding for coding in encoding.split(",") if coding.strip().lower() != CHUNKED]
    return encoding if len(codings) == encoding.count(",") + 1 else ",".join(codings).strip()
