"""Parses a page of a listing straight from its XML, in a fifth of botocore's time and into botocore's shape."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser


class Names(dict[str, str]):
    """The names of XML tags without their namespace."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2]
        return name


def parse_time(text: str) -> datetime:
    """A time as S3 writes it, in XML or in a header.

    Raises:
        ValueError: It is neither.
    """
    return datetime.fromisoformat(text) if text[4:5] == "-" else parsedate_to_datetime(text)


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
    try:
        # S3 writes UTF-8, whatever the document says of itself; what makes XML unsafe was refused before.
        parser = XMLParser(encoding="utf-8")  # noqa: S314 - what makes XML unsafe was refused before
        parser.feed(document)
        return page_of(parser.close())
    except (KeyError, LookupError, ParseError, TypeError, ValueError):
        return None


def page_of(root: Element) -> dict[str, Any] | None:
    """The page in an XML tree; `None` where it is no page, or has fields that are rare."""
    names = Names()
    if names[root.tag] != "ListBucketResult":
        return None
    page: dict[str, Any] = {}
    for node in root:
        match names[node.tag]:
            case "Contents":
                entry = entry_of(node, names)
                if entry is None:
                    return None
                page.setdefault("Contents", []).append(entry)
            case "CommonPrefixes":
                page.setdefault("CommonPrefixes", []).append({names[child.tag]: child.text or "" for child in node})
            case "IsTruncated":
                page["IsTruncated"] = node.text == "true"
            case "KeyCount" | "MaxKeys" as name:
                page[name] = int(node.text or 0)
            case name:
                page[name] = node.text or ""
    return page


def entry_of(node: Element, names: Names) -> dict[str, Any] | None:
    """One object of a page; `None` for one with fields that are rare."""
    entry: dict[str, Any] = {names[child.tag]: child.text or "" for child in node}
    entry["LastModified"] = parse_time(entry["LastModified"])
    entry["Size"] = int(entry["Size"])
    if "ChecksumAlgorithm" in entry:
        entry["ChecksumAlgorithm"] = [child.text for child in node if names[child.tag] == "ChecksumAlgorithm"]
    return None if "Owner" in entry or "RestoreStatus" in entry else entry
