"""Looks at the XML document of an answer before an SDK parses it: whether it is the right one, whole and harmless.

It is for the SDKs of botocore's family, which take any document for any other and parse without bounds.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate, errors

from remote_store.core.s3.answers import REQUIRED
from remote_store.core.s3.calls import Fault
from remote_store.core.s3.listing_xml import MOST_DIGITS, TRUTHS, parse_page

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

SUCCESS: Final = 200


def register_checks(events: Any) -> None:
    """Have the answers of a client, or of all clients of a session, looked at, and its bulk deletes carry an MD5.

    Args:
        events: The hooks of the client or the session.
    """
    for operation in REQUIRED:
        # Under this name it comes before botocore's look for an error, which parses the document without bounds.
        handler = answer_listing if operation == "ListObjectsV2" else check_document
        events.register(f"before-parse.*.{operation}", handler)
    events.register("before-call.s3.DeleteObjects", add_content_md5)


def add_content_md5(params: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-call` of a `DeleteObjects`: some servers want no newer checksum in place of an MD5."""
    body = params["body"]
    if isinstance(body, bytes | bytearray):
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        params["headers"]["Content-MD5"] = b64encode(digest).decode("ascii")


def answer_listing(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **others: Any
) -> None:
    """Handle botocore's `before-parse` of a `ListObjectsV2`: parse the page, and leave an empty body to botocore.

    An error, a broken page and one with fields that are rare are looked at like any other document.

    Raises:
        Fault: It is no listing.
    """
    document: bytes = response_dict["body"]
    page = parse_page(document) if response_dict["status_code"] == SUCCESS else None
    if page is None:
        check_document(operation_model, response_dict, **others)
        return
    customized_response_dict.update(page)
    response_dict["body"] = b""


def check_document(operation_model: Any, response_dict: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-parse` of an operation of S3.

    A document that is cut short, and an error inside of a 200, become a 500, which the SDK sends again: S3 begins some
    answers before it knows how they end (S3 API Reference, CopyObject). An error whose document is not S3's loses it.

    Raises:
        Fault: A success has another document than its own, or one that no server of S3 sends.
    """
    required = REQUIRED.get(operation_model.name)
    document = response_dict["body"]
    if required is None or not isinstance(document, bytes):
        return
    status = response_dict["status_code"]
    if status >= 300:
        root, problem = (None, None) if len(document) > LONGEST_ERROR else look_at(document)
        if root != "Error":
            response_dict["body"] = b""
        elif problem is not None:
            response_dict["body"] = readable_error(document)
        return
    if status < SUCCESS:
        return
    root, problem = look_at(document)
    if root == "Error":
        response_dict["status_code"] = 500
        return
    if problem == "cut" and document:
        incomplete = b"<Error><Code>IncompleteDocument</Code><Message>the answer ends early</Message></Error>"
        response_dict.update(status_code=500, body=incomplete)
        return
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    code, what = _wrong(required.document, document, headers.get("content-type", ""), root, problem)
    if code is not None:
        what = f"the answer to {operation_model.name} {what}"
        raise Fault(code, status, what, headers.get("x-amz-request-id"))


def _wrong(
    expected: str | None, document: bytes, content_type: str, root: str | None, problem: str | None
) -> tuple[str | None, str]:
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
