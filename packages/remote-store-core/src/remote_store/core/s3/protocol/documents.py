"""Checks the XML document of a response before it is parsed: the expected root element, complete, and safe to parse."""

from __future__ import annotations

import re
from xml.parsers.expat import ExpatError, ParserCreate, errors

from remote_store.core.s3.protocol.listing_xml import MOST_DIGITS, TRUTHS
from remote_store.core.s3.protocol.responses import REQUIRED

LONGEST_DOCUMENT = 64 * 1024 * 1024
"""Most bytes of a document. A page of 1,000 keys of 1,024 bytes each, URL-encoded, has 4 MiB."""

LONGEST_ERROR = 1024 * 1024
"""Most bytes of an error document."""

DEEPEST = 16
"""Most levels of nested elements. S3's documents have at most 5."""

CODE = re.compile(rb"<Code>[A-Za-z0-9.]{1,64}</Code>")
CUT_SHORT = frozenset({errors.codes[text] for text in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN)})
NUMBERS = frozenset({"KeyCount", "MaxKeys", "Size", "PartNumber", "NextPartNumberMarker"})
HTML = ("text/html", "application/xhtml+xml", "application/json")

RESULTS = frozenset(required.document for required in REQUIRED.values() if required.document is not None)
"""Root elements of result documents. Each belongs to one operation."""


def wrong_document(
    operation: str, document: bytes, content_type: str, root: str | None, problem: str | None
) -> tuple[str | None, str]:
    """The fault code and message if a success has the wrong document for its operation; `None` and "" if it is right.

    Args:
        operation: Name of the operation, one of `REQUIRED`.
        document: The document.
        content_type: The `Content-Type` of the response.
        root: The name of the document's root element, as `look_at` returns it.
        problem: What is wrong with the document itself, as `look_at` returns it.
    """
    expected = REQUIRED[operation].document
    if expected is None:
        if root in RESULTS:
            return "NotS3", f"is a {root}"
        # Some servers send a document where S3 sends none. A web page is an error.
        is_page = content_type.startswith(HTML) or root is None or root.lower() == "html"
        return ("NotS3", "is a web page") if document and is_page else (None, "")
    if not document:
        return "NotS3", "is empty"
    if problem == "not XML" or (root is not None and root != expected):
        return "NotS3", f"is not a {expected}"
    return ("BrokenAnswer", problem) if problem is not None else (None, "")


def readable_error(document: bytes) -> bytes:
    """The error document reduced to its code. S3 repeats the key in it, and some keys are not valid XML."""
    code = CODE.search(document)
    return b"" if code is None else b"<Error>" + code[0] + b"</Error>"


def look_at(document: bytes) -> tuple[str | None, str | None]:
    """The name of the root element, and what is wrong with the document, or `None` for each.

    The problem is `cut` if the document ends early, and `not XML` if it does not begin as XML.
    """
    if len(document) > LONGEST_DOCUMENT:
        return None, f"is longer than {LONGEST_DOCUMENT} bytes, the most that an S3 document can have"
    looked = _Look()
    # S3 writes UTF-8, so an encoding declared in the document is ignored.
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = looked.start
    parser.EndElementHandler = looked.end
    parser.CharacterDataHandler = looked.text
    parser.StartDoctypeDeclHandler = looked.doctype
    try:
        parser.Parse(document, True)
    except ExpatError as error:
        if error.code in CUT_SHORT:
            return looked.root, "cut"
        return looked.root, "not XML" if looked.root is None else "is malformed XML"
    except _RefusedError as refused:
        return looked.root, str(refused)
    return looked.root, None


class _RefusedError(Exception):
    """The document has something that S3 never sends."""


class _Look:
    """Handles the parser's events for a document."""

    def __init__(self) -> None:
        self.root: str | None = None
        self._depth = 0
        self._number: int | None = None
        self._truth: list[str] | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._depth += 1
        if self.root is None:
            self.root = name
        if self._depth > DEEPEST:
            raise _RefusedError(f"has elements nested deeper than {DEEPEST} levels")
        self._number = 0 if name in NUMBERS else None
        self._truth = [] if name == "IsTruncated" else None

    def end(self, _name: str) -> None:
        self._depth -= 1
        self._number = None
        if self._truth is not None and "".join(self._truth) not in TRUTHS:
            raise _RefusedError("has an IsTruncated that is neither true nor false")
        self._truth = None

    def text(self, text: str) -> None:
        if self._truth is not None:
            self._truth.append(text)
        if self._number is not None:
            self._number += len(text)
            if self._number > MOST_DIGITS or not text.isascii() or not text.strip().isdigit():
                raise _RefusedError("has a number field that is not a number")

    def doctype(self, *_arguments: object) -> None:
        raise _RefusedError("declares a document type")
