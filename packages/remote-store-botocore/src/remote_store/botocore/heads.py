"""Reads response heads that http.client cannot read: after informational responses, and with many header lines.

http.client takes a 102 or a 103 for the final response, and fails after 100 header lines (Python 3.11 to 3.14).
"""

from __future__ import annotations

import io
import re
from email.parser import Parser
from http.client import BadStatusLine, HTTPException, HTTPMessage, HTTPResponse, RemoteDisconnected
from typing import BinaryIO

FINAL = 200
MOST_INFORMATIONAL = 100
"""Most informational responses before a final one."""

MOST_LINES = 1000
LONGEST_HEAD = 1024 * 1024
"""Most header lines of a response, and most bytes of them."""

INFORMATIONAL = re.compile(rb"HTTP/1\.\d\s+1(?!01)\d\d(?!\d)")
"""The status line of an informational response; a 101 is not followed by a final one."""

METADATA = b"x-amz-meta-"


class FinalResponse(HTTPResponse):
    """The first final response to a request, with up to 1,000 header lines."""

    def begin(self) -> None:
        """Read the status and the headers.

        Raises:
            HTTPException: There are too many informational responses or header lines, or no final response.
        """
        if self.headers is not None:
            return
        stream = self.fp
        first, lines = read_head(stream)
        kept = without_metadata(lines)
        # http.client reads the other lines itself, because they determine the length of the body.
        self.fp = io.BytesIO(first + b"".join(kept))
        try:
            super().begin()
        finally:
            if self.fp is None:
                stream.close()
            else:
                self.fp = stream
        if self.status < FINAL:
            raise BadStatusLine(f"the server switched the protocol with status {self.status}")
        if len(kept) < len(lines):
            text = b"".join(lines).decode("iso-8859-1")
            self.headers = self.msg = Parser(_class=HTTPMessage).parsestr(text)


def read_head(stream: BinaryIO) -> tuple[bytes, list[bytes]]:
    """Return the status line of the final response, and its header lines including the empty one at the end.

    Raises:
        HTTPException: There are too many informational responses or header lines, or the connection ends too early.
    """
    for _ in range(MOST_INFORMATIONAL + 1):
        first = stream.readline(LONGEST_HEAD)
        # http.client raises the right error for any other line.
        lines = read_lines(stream) if first.startswith(b"HTTP/") else []
        if not INFORMATIONAL.match(first):
            return first, lines
    raise BadStatusLine(f"the server sent more than {MOST_INFORMATIONAL} informational responses and no final one")


def read_lines(stream: BinaryIO) -> list[bytes]:
    """Return the header lines including the empty one at the end.

    Raises:
        HTTPException: There are too many, they are too long, or the connection ends too early.
    """
    lines: list[bytes] = []
    left = LONGEST_HEAD
    while not lines or lines[-1] not in (b"\r\n", b"\n"):
        lines.append(stream.readline(left + 1))
        left -= len(lines[-1])
        if left < 0 or len(lines) > MOST_LINES + 1:
            # For this class, but none of its subclasses, `no_retry_helps` forbids a retry.
            raise HTTPException(f"a response has more than {MOST_LINES} header lines or {LONGEST_HEAD} bytes of them")
        if not lines[-1]:
            raise RemoteDisconnected("the connection was closed within the header lines of a response")
    return lines


def without_metadata(lines: list[bytes]) -> list[bytes]:
    """Return the header lines without user metadata and its continuation lines (RFC 9112, 5.2)."""
    kept: list[bytes] = []
    is_metadata = False
    for line in lines:
        if not line.startswith((b" ", b"\t")):
            is_metadata = line[: len(METADATA)].lower() == METADATA
        if not is_metadata:
            kept.append(line)
    return kept
