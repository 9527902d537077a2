"""Parses the XML of a listing page into botocore's shape, in a fifth of botocore's time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from remote_store.core.s3.protocol.times import parse_time

MOST_DIGITS = 19
"""Most digits of a number; one more would not fit into 64 bits."""

TRUTHS = {"true": True, "false": False}

# Nesting levels of the elements of a page.
ROOT, FIELD, FIELD_OF_ENTRY = 1, 2, 3


def parse_page(document: bytes) -> dict[str, Any] | None:
    """The response to a `ListObjectsV2` in botocore's shape, its keys still encoded; `None` for any other document."""
    if b"<!DOCTYPE" in document or b"\0" in document:
        # A document type could define entities that expand without bound; UTF-16 would hide it. S3 sends neither.
        return None
    reader = PageReader()
    # S3 writes UTF-8, so an encoding declared in the document is ignored.
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text.append
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(document, True)
    except (ExpatError, KeyError, ValueError):
        return None
    return reader.page if reader.whole else None


class PageReader:
    """Handles the parser's events for a page. A tree would give Python's garbage collector 8,000 objects.

    Attributes:
        page: The fields read so far.
        text: The text of the latest element, in pieces.
        whole: Whether the document was a complete page without fields that this parser does not handle.
    """

    def __init__(self) -> None:
        self.page: dict[str, Any] = {}
        self.text: list[str] = []
        self.whole = False
        self._is_rare = False
        self._entry: dict[str, Any] = {}
        self._depth = 0

    def start(self, _name: str, _attributes: dict[str, str]) -> None:
        """An element begins."""
        self.text.clear()
        self._depth += 1
        if self._depth == FIELD:
            self._entry = {}
        elif self._depth > FIELD_OF_ENTRY:
            self._is_rare = True

    def end(self, name: str) -> None:
        """An element ends."""
        depth = self._depth
        self._depth -= 1
        if depth == FIELD_OF_ENTRY:
            if name == "ChecksumAlgorithm":
                self._entry.setdefault(name, []).append("".join(self.text))
            else:
                self._is_rare = self._is_rare or name in self._entry
                self._entry[name] = "".join(self.text)
        elif depth == FIELD:
            self._take(name, "".join(self.text))
        elif depth == ROOT:
            self.whole = name == "ListBucketResult" and not self._is_rare

    def _take(self, name: str, text: str) -> None:
        match name:
            case "Contents":
                entry = self._entry
                self._is_rare = self._is_rare or "Owner" in entry or "RestoreStatus" in entry
                if (modified := time_of(entry.pop("LastModified", ""))) is not None:
                    entry["LastModified"] = modified
                entry["Size"] = whole_number(entry["Size"])
                self.page.setdefault("Contents", []).append(entry)
            case "CommonPrefixes":
                self.page.setdefault("CommonPrefixes", []).append(self._entry)
            case "IsTruncated":
                self._once(name, TRUTHS[text])
            case "KeyCount" | "MaxKeys":
                self._once(name, whole_number(text or "0"))
            case _:
                self._once(name, text)

    def _once(self, name: str, value: Any) -> None:
        self._is_rare = self._is_rare or name in self.page
        self.page[name] = value


def whole_number(text: str) -> int:
    """A number written in digits.

    Raises:
        ValueError: It has other characters, or more than `MOST_DIGITS` digits.
    """
    if not text.isdecimal() or not text.isascii() or len(text) > MOST_DIGITS:
        raise ValueError(f"this is not a number of up to {MOST_DIGITS} digits")
    return int(text)


def time_of(text: str) -> datetime | None:
    """Parse a time; `None` if the text is not a time."""
    try:
        return parse_time(text)
    except (TypeError, ValueError):
        return None
