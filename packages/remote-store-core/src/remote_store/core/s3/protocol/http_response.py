"""Turns an HTTP response into the mapping that a port returns, for a lane whose SDK sends HTTP and does not know S3."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, XMLParser, fromstring

from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.documents import LONGEST_ERROR, look_at, readable_error, wrong_document
from remote_store.core.s3.protocol.faults import is_foreign
from remote_store.core.s3.protocol.listing_xml import MOST_DIGITS, TRUTHS, parse_page, time_of
from remote_store.core.s3.protocol.responses import REQUIRED

FIELDS = {
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-length": "ContentLength",
    "content-range": "ContentRange",
    "content-type": "ContentType",
    "etag": "ETag",
    "expires": "Expires",
    "last-modified": "LastModified",
    "x-amz-checksum-type": "ChecksumType",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
    "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
    "x-amz-storage-class": "StorageClass",
    "x-amz-tagging-count": "TagCount",
    "x-amz-version-id": "VersionId",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
}
"""Headers, and their field names in the API Reference."""

METADATA = "x-amz-meta-"
CHECKSUM = "x-amz-checksum-"
NUMBERS = frozenset({"ContentLength", "KeyCount", "MaxKeys", "NextPartNumberMarker", "PartNumber", "Size", "TagCount"})
TIMES = frozenset({"Expires", "Initiated", "LastModified"})
ROWS = {
    "CommonPrefixes": "CommonPrefixes",
    "Contents": "Contents",
    "DeleteMarker": "DeleteMarkers",
    "Deleted": "Deleted",
    "Error": "Errors",
    "Part": "Parts",
    "Tag": "Tag",
    "Upload": "Uploads",
    "Version": "Versions",
}
"""Elements that may be repeated, and the name of their list in the API Reference."""

INSIDE = frozenset({"CopyObject", "UploadPartCopy"})
"""Operations whose result is nested in a field, named like the root element."""


class HttpError(Exception):
    """An HTTP error response. It is the cause of a fault that no SDK exception caused."""


def http_response(
    call: Call, status: int, headers: Mapping[str, str], document: bytes, *, attempts: int = 1
) -> dict[str, Any]:
    """Check an HTTP response and return the mapping for the port, which adds the `Body` of a `GetObject`.

    Args:
        call: The call that was sent.
        status: The HTTP status.
        headers: The headers, decoded as Latin-1. Join the values of a repeated name by a comma.
        document: The whole body; empty for a `GetObject` that succeeded.
        attempts: How many requests were sent for the call.

    Raises:
        Fault: The service refused, or the document is not the one of the operation's success.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    fault = _fault(call, status, headers, document)
    if fault is not None:
        fault.attempts = attempts
        raise fault from HttpError(f"the response to {call.operation} has the status {status}")
    has_document = status >= 200 and REQUIRED[call.operation].document is not None
    response = {
        **_of_headers(headers),
        **(_of_document(call.operation, document) if has_document else {}),
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "HTTPHeaders": headers,
            "RequestId": headers.get("x-amz-request-id"),
            "RetryAttempts": attempts - 1,
        },
    }
    metadata = {name[len(METADATA) :]: value for name, value in headers.items() if name.startswith(METADATA)}
    return response | {"Metadata": metadata} if metadata else response


def _fault(call: Call, status: int, headers: Mapping[str, str], document: bytes) -> Fault | None:
    """The fault of a response; `None` for a success."""
    if status < 200:
        return None
    if status >= 300:
        return _refusal(call, status, headers, document)
    root, problem = look_at(document)
    request_id = headers.get("x-amz-request-id")
    if root == "Error":
        # S3 may send status 200 before the operation has failed (S3 API Reference, CopyObject).
        return _refusal(call, 500, headers, document)
    if problem == "cut" and document:
        return Fault("IncompleteDocument", 500, "the response ends early", request_id)
    code, what = wrong_document(call.operation, document, headers.get("content-type", ""), root, problem)
    return None if code is None else Fault(code, status, f"the response to {call.operation} {what}", request_id)


def _refusal(call: Call, status: int, headers: Mapping[str, str], document: bytes) -> Fault:
    error = _error(document)
    code = error.get("Code") or str(status)
    return Fault(
        code,
        status,
        error.get("Message", ""),
        headers.get("x-amz-request-id") or error.get("RequestId") or None,
        foreign=is_foreign(call.operation, code, status, headers),
        date=time_of(headers.get("date", "")),
    )


def _error(document: bytes) -> dict[str, str]:
    """The fields of an error document; empty for any other document."""
    root, problem = (None, None) if len(document) > LONGEST_ERROR else look_at(document)
    if root != "Error":
        return {}
    whole = document if problem is None else readable_error(document)
    return {_name(child): child.text or "" for child in _tree(whole)} if whole else {}


def _of_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    """The fields in the headers, without those that cannot be parsed."""
    fields: dict[str, Any] = {}
    for header, text in headers.items():
        name = FIELDS.get(header)
        if name is None and header.startswith(CHECKSUM):
            name = f"Checksum{header[len(CHECKSUM) :].upper()}"
        if name is not None and (value := _value(name, text)) is not None:
            fields[name] = value
    return fields


def _of_document(operation: str, document: bytes) -> dict[str, Any]:
    """The fields of a document that `look_at` has checked."""
    if operation == "ListObjectsV2" and (page := parse_page(document)) is not None:
        return page
    root = _tree(document)
    return {_name(root): _fields(root)} if operation in INSIDE else _fields(root)


def _fields(element: Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        # In the result of DeleteObjects, a DeleteMarker is a truth and not a row.
        if name in ROWS and (name != "DeleteMarker" or len(child)):
            fields.setdefault(ROWS[name], []).append(_fields(child))
        elif name == "TagSet":
            fields[name] = _fields(child).get("Tag", [])
        elif (value := _fields(child) if len(child) else _value(name, child.text or "")) is not None:
            fields[name] = value
    return fields


def _value(name: str, text: str) -> str | int | bool | datetime | None:
    """Convert a text to the type of its field; `None` if it cannot be parsed."""
    if name in NUMBERS:
        text = text.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
    if name in ("IsLatest", "IsTruncated"):
        return TRUTHS.get(text)
    return time_of(text) if name in TIMES else text


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _tree(document: bytes) -> Element:
    # `look_at` has refused deep trees and document types, the only place that can define entities.
    return fromstring(document, XMLParser(encoding="utf-8"))  # noqa: S314 - see above
