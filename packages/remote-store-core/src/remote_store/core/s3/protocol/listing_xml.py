"""Parses a page of a listing straight from its XML, in a fifth of botocore's time and into botocore's shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from remote_store.core.s3.protocol.times import parse_time

MOST_DIGITS = 19
"""Digits of a number; one more would not fit into 64 bits."""

TRUTHS = {"true": True, "false": False}

# How deep in a page an element stands.
ROOT, FIELD, FIELD_OF_ENTRY = 1, 2, 3


def parse_page(document: bytes) -> dict[str, Any] | None:
    """The answer of a `ListObjectsV2` in botocore's shape, its keys as they came; `None` for anything else."""
    if b"<!DOCTYPE" in document or b"\0" in document:
        # S3 sends no document type, whose entities can grow without bound, and nothing in UTF-16, which would hide it.
        return None
    reader = PageReader()
    # S3 writes UTF-8, whatever the document says of itself.
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
    """Takes the events of a page as they come; a tree of them would be 8,000 objects for Python's garbage collector.

    Attributes:
        page: What was read.
        text: The text of the element that began last, in pieces.
        whole: Whether it was a page, to its end, without fields that are rare.
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
    """A number of digits alone.

    Raises:
        ValueError: It is none, or does not fit into 64 bits.
    """
    if not text.isdecimal() or not text.isascii() or len(text) > MOST_DIGITS:
        raise ValueError("this is no number")
    return int(text)


def time_of(text: str) -> datetime | None:
    """A time; `None` where it is none."""
    try:
        return parse_time(text)
    except (TypeError, ValueError):
        return None
