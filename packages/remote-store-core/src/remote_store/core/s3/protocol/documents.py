"""Checks the XML document of a response before it is parsed: whether it is the right one, complete and harmless."""

from __future__ import annotations

import re
from xml.parsers.expat import ExpatError, ParserCreate, errors

from remote_store.core.s3.protocol.listing_xml import MOST_DIGITS, TRUTHS
from remote_store.core.s3.protocol.responses import REQUIRED

LONGEST_DOCUMENT = 64 * 1024 * 1024
"""Bytes of a document; a page of 1,000 keys, each of 1,024 bytes and URL-encoded, has 4 MiB."""

LONGEST_ERROR = 1024 * 1024
"""Bytes of the document of an error."""

DEEPEST = 16
"""Elements inside each other; no document of S3 has more than five."""

CODE = re.compile(rb"<Code>[A-Za-z0-9.]{1,64}</Code>")
CUT_SHORT = frozenset({errors.codes[text] for text in (errors.XML_ERROR_NO_ELEMENTS, errors.XML_ERROR_UNCLOSED_TOKEN)})
NUMBERS = frozenset({"KeyCount", "MaxKeys", "Size", "PartNumber"})
HTML = ("text/html", "application/xhtml+xml", "application/json")

RESULTS = frozenset(required.document for required in REQUIRED.values() if required.document is not None)
"""Root elements of the results of operations, each of which answers its own operation alone."""


def wrong_document(
    operation: str, document: bytes, content_type: str, root: str | None, problem: str | None
) -> tuple[str | None, str]:
    """Why the document of a success cannot be the operation's: the code of a fault and a few words, or `None`.

    Args:
        operation: Name of the operation, one of `REQUIRED`.
        document: The document.
        content_type: The `Content-Type` of the response.
        root: The name of the document's root element, as `look_at` returns it.
        problem: What is wrong with the document by itself, as `look_at` returns it.
    """
    expected = REQUIRED[operation].document
    if expected is None:
        if root in RESULTS:
            return "NotS3", f"is a {root}"
        # A server may send a document where S3 sends none, but no page for people.
        is_page = content_type.startswith(HTML) or root is None or root.lower() == "html"
        return ("NotS3", "is a page") if document and is_page else (None, "")
    if not document:
        return "NotS3", "is empty"
    if problem == "not XML" or (root is not None and root != expected):
        return "NotS3", f"is no {expected}"
    return ("BrokenAnswer", problem) if problem is not None else (None, "")


def readable_error(document: bytes) -> bytes:
    """The document of an error with nothing but its code; XML cannot hold every key, and S3 repeats the key in it."""
    code = CODE.search(document)
    return b"" if code is None else b"<Error>" + code[0] + b"</Error>"


def look_at(document: bytes) -> tuple[str | None, str | None]:
    """The name of a document's root element, and what is wrong with the document.

    The problem is `cut` where it ends early and `not XML` where its beginning is none.
    """
    if len(document) > LONGEST_DOCUMENT:
        return None, "is longer than a document of S3 can be"
    looked = _Look()
    # S3 writes UTF-8, whatever the document says of itself.
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
    """What no document of S3 has."""


class _Look:
    """Takes the events of a document."""

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
            raise _RefusedError("is nested too deeply")
        self._number = 0 if name in NUMBERS else None
        self._truth = [] if name == "IsTruncated" else None

    def end(self, _name: str) -> None:
        self._depth -= 1
        self._number = None
        if self._truth is not None and "".join(self._truth) not in TRUTHS:
            raise _RefusedError("says neither that it goes on nor that it ends")
        self._truth = None

    def text(self, text: str) -> None:
        if self._truth is not None:
            self._truth.append(text)
        if self._number is not None:
            self._number += len(text)
            if self._number > MOST_DIGITS or not text.isascii() or not text.strip().isdigit():
                raise _RefusedError("has a number that is none")

    def doctype(self, *_arguments: object) -> None:
        raise _RefusedError("declares a document type")
