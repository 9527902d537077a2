"""Conditional requests (RFC 9110, 13): entity tags, dates, and the order in which they are evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Self

from starlette.datastructures import Headers

from remote_store.core import FileInfo

OPAQUE = re.compile(r"[!#-~]+")
TAGS = re.compile(r'(W/)?"([!#-~\x80-\xff]*)"')
CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells versions of a file apart.

    Attributes:
        tag: The entity tag without its quotes.
        weak: Whether the tag is weak, so that it does not promise the same bytes.
        modified: When the file was written, in whole seconds.
    """

    tag: str | None
    weak: bool
    modified: datetime | None

    @classmethod
    def of(cls, info: FileInfo, *, weak: bool = False) -> Self:
        """The validators of a file."""
        tag = info.etag if info.etag and OPAQUE.fullmatch(info.etag) else None
        return cls(tag, weak, info.modified_at and info.modified_at.replace(microsecond=0))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell the client."""
        headers = {}
        if self.tag is not None:
            headers["etag"] = entity_tag(self.tag, weak=self.weak)
        if self.modified is not None:
            headers["last-modified"] = format_datetime(self.modified, usegmt=True)
        return headers

    def strongly(self, listed: str) -> bool:
        """Whether a list of entity tags has this one, and both are strong."""
        return listed.strip() == "*" or (
            not self.weak and any(not weak and tag == self.tag for weak, tag in TAGS.findall(listed))
        )

    def weakly(self, listed: str) -> bool:
        """Whether a list of entity tags has this one, weak or strong."""
        return listed.strip() == "*" or any(tag == self.tag for _, tag in TAGS.findall(listed))


def entity_tag(tag: str, *, weak: bool = False) -> str:
    """The entity tag as a header has it."""
    return f'W/"{tag}"' if weak else f'"{tag}"'


def date_of(header: str | None) -> datetime | None:
    """The date of a header; `None` if there is none, or it is malformed, so that it is ignored."""
    try:
        date = parsedate_to_datetime(header or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def values(headers: Headers, *, safe: bool) -> Mapping[str, str]:
    """The conditions of a request. Headers that come several times are one list.

    Args:
        headers: The headers of the request.
        safe: Whether the request is a GET or HEAD. `If-Modified-Since` is about these only.
    """
    given = {name: ", ".join(headers.getlist(name)) for name in CONDITIONS if name in headers}
    return given if safe else {name: value for name, value in given.items() if name != "if-modified-since"}


def failed_condition(headers: Headers, found: Validators | None, *, safe: bool) -> int | None:
    """The status that the conditions of a request lead to, in the order of RFC 9110, 13.2.2.

    Args:
        headers: The headers of the request.
        found: The validators of the file; `None` if it does not exist.
        safe: Whether the request is a GET or HEAD, which may be answered by 304.

    Returns:
        304, 412, or `None` if the request is to be performed.
    """
    given = values(headers, safe=safe)
    modified = found.modified if found else None
    if "if-match" in given:
        if found is None or not found.strongly(given["if-match"]):
            return 412
    elif (limit := date_of(given.get("if-unmodified-since"))) and modified is not None and modified > limit:
        return 412
    if "if-none-match" in given:
        if found is not None and found.weakly(given["if-none-match"]):
            return 304 if safe else 412
    elif (limit := date_of(given.get("if-modified-since"))) and modified is not None and modified <= limit:
        return 304
    return None


def range_applies(headers: Headers, found: Validators) -> bool:
    """Whether the file is the version that the `If-Range` header names, if there is one (RFC 9110, 13.1.5).

    A date never names one: two versions written within a second have the same, and the client would mix their bytes.
    """
    wanted = headers.get("if-range")
    return wanted is None or (wanted.strip() != "*" and found.strongly(wanted))
