"""Checks the documents of responses in botocore's `before-parse` event.

botocore takes any document for any other, and parses without a bound.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any, Final

from remote_store.core.s3 import LONGEST_ERROR, REQUIRED, Fault, look_at, parse_page, readable_error, wrong_document

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
    document = response_dict["body"]
    if operation_model.name not in REQUIRED or not isinstance(document, bytes):
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
    code, what = wrong_document(operation_model.name, document, headers.get("content-type", ""), root, problem)
    if code is not None:
        what = f"the answer to {operation_model.name} {what}"
        raise Fault(code, status, what, headers.get("x-amz-request-id"))
