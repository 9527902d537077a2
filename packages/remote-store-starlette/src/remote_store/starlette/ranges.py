"""The `Range` header (RFC 9110, 14.2)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

RANGE = re.compile(r"[ \t]*([0-9]*)-([0-9]*)[ \t]*")
MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """One range of bytes, as a client asks for it.

    Attributes:
        first: Offset of the first byte; `None` for the last `last` bytes of the file.
        last: Offset of the last byte; `None` for the end of the file.
    """

    first: int | None
    last: int | None

    @property
    def longest(self) -> int:
        """The most bytes that it can have."""
        if self.last is None:
            return sys.maxsize
        return self.last if self.first is None else self.last - self.first + 1

    def of(self, size: int) -> range:
        """The offsets of its bytes in a file; empty if the range cannot be satisfied."""
        if self.first is None:
            return range(max(0, size - (self.last or 0)), size)
        return range(min(self.first, size), size if self.last is None else min(self.last + 1, size))


def parse_range(header: str | None) -> ByteRange | None:
    """The range of bytes of a `Range` header.

    Returns:
        `None` for a header that a server has to or may ignore, so that the client gets the whole file: one that is
        malformed, has another unit, or has several ranges. S3 ignores several ranges, too.
    """
    unit, _, ranges = (header or "").partition("=")
    named = [part for part in ranges.split(",") if part.strip()]
    if unit.strip().lower() != "bytes" or len(named) != 1:
        return None
    found = RANGE.fullmatch(named[0])
    if found is None or not any(found.groups()):
        return None
    first, last = map(offset, found.groups())
    if first is not None and last is not None and last < first:
        return None
    return ByteRange(first, last)


def offset(digits: str) -> int | None:
    """The number; at most `sys.maxsize`, because `int` refuses thousands of digits."""
    if not digits:
        return None
    return int(digits) if len(digits.lstrip("0")) <= MOST_DIGITS else sys.maxsize
