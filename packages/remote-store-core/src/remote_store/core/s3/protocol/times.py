"""Parses times in the formats that S3 writes, faster than a general parser."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

MONTHS = {
    month: f"{number:02}"
    for number, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
HTTP_TIME = re.compile(r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([1-9][0-9]{3}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT")
"""The only format that a server may write in a header (RFC 9110, 5.6.7)."""


def parse_time(text: str) -> datetime:
    """Parse a time from XML or from a header.

    Raises:
        ValueError: The text has neither format.
    """
    if text[4:5] == "-":
        return datetime.fromisoformat(text)
    plain = HTTP_TIME.fullmatch(text)
    if plain is None or plain[2] not in MONTHS:
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(f"{plain[3]}-{MONTHS[plain[2]]}-{plain[1]}T{plain[4]}Z")
