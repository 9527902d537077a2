"""Parses a page of a listing straight from its XML, in a fifth of botocore's time and into botocore's shape."""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from remote_store.core.s3.times import parse_time

# How deep in a page an element stands.
ROOT, FIELD, FIELD_OF_ENTRY = 1, 2, 3


def answer_listing(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-parse` of a `ListObjectsV2`: parse the page, and leave an empty body to botocore.

    An error, a broken page and one with fields that are rare stay as they are: botocore knows what to do.
    """
    document: bytes = response_dict["body"]
    if response_dict["status_code"] != 200:
        return
    if b"<!DOCTYPE" in document or b"\0" in document:
        # S3 sends no document type, whose entities can grow without bound, and nothing in UTF-16, which would hide it.
        response_dict.update(status_code=500, body=b"")
    elif page := parse_page(document):
        customized_response_dict.update(page)
        response_dict["body"] = b""


def parse_page(document: bytes) -> dict[str, Any] | None:
    """The answer of a `ListObjectsV2` in botocore's shape, its keys as they came; `None` for anything else."""
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
                entry["LastModified"] = parse_time(entry["LastModified"])
                entry["Size"] = int(entry["Size"])
                self.page.setdefault("Contents", []).append(entry)
            case "CommonPrefixes":
                self.page.setdefault("CommonPrefixes", []).append(self._entry)
            case "IsTruncated":
                self.page[name] = text == "true"
            case "KeyCount" | "MaxKeys":
                self.page[name] = int(text or 0)
            case _:
                self.page[name] = text
