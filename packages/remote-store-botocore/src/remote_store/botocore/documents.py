"""Checks the documents of responses in botocore's `before-parse` event.

botocore does not check the root element, and parses documents of any size and depth.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any, Final

from remote_store.core.s3 import LONGEST_ERROR, REQUIRED, Fault, look_at, parse_page, readable_error, wrong_document

SUCCESS: Final = 200


def register_checks(events: Any) -> None:
    """Register handlers that check all responses, and add an MD5 to calls with a document of their own.

    Args:
        events: The events of a client, or of a session for all its clients.
    """
    for operation in REQUIRED:
        # This event name runs before botocore's check for an error, which parses the document without limits.
        handler = parse_listing if operation == "ListObjectsV2" else check_document
        events.register(f"before-parse.*.{operation}", handler)
    for operation in ("DeleteObjects", "PutObjectTagging"):
        events.register(f"before-call.s3.{operation}", add_content_md5)


def add_content_md5(params: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-call` of a call with a document: add an MD5, because some servers require it."""
    body = params["body"]
    if isinstance(body, bytes | bytearray):
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        params["headers"]["Content-MD5"] = b64encode(digest).decode("ascii")


def parse_listing(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **others: Any
) -> None:
    """Handle botocore's `before-parse` of a `ListObjectsV2`: parse the page, and leave botocore an empty body.

    Documents that `parse_page` does not handle are checked like those of other operations, and parsed by botocore.

    Raises:
        Fault: The document is not a listing.
    """
    document: bytes = response_dict["body"]
    page = parse_page(document) if response_dict["status_code"] == SUCCESS else None
    if page is None:
        check_document(operation_model, response_dict, **others)
        return
    customized_response_dict.update(page)
    response_dict["body"] = b""


def check_document(operation_model: Any, response_dict: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-parse` of an S3 operation.

    A truncated document, and an error in a 200, become a 500, which the SDK retries: S3 may send status 200 before the
    operation has failed (S3 API Reference, CopyObject). If the document of an error is not S3's, it is dropped.

    Raises:
        Fault: A success has the wrong document for its operation, or a document that no S3 server sends.
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
        incomplete = b"<Error><Code>IncompleteDocument</Code><Message>the response ends early</Message></Error>"
        response_dict.update(status_code=500, body=incomplete)
        return
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    code, what = wrong_document(operation_model.name, document, headers.get("content-type", ""), root, problem)
    if code is not None:
        what = f"the response to {operation_model.name} {what}"
        raise Fault(code, status, what, headers.get("x-amz-request-id"))
