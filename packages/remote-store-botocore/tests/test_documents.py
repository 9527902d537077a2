from __future__ import annotations

import hashlib
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from remote_store.botocore.documents import add_content_md5, check_document, parse_listing
from remote_store.core.s3 import Fault
from remote_store.core.s3.protocol.documents import LONGEST_ERROR, look_at

LISTING = (
    b"<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
    b"<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>"
)
COPY = b"<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>"
ERROR = b"<Error><Code>InternalError</Code></Error>"


def seen(operation: str, body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    """What botocore goes on with."""
    response = {"status_code": status, "body": body, "headers": headers}
    check_document(SimpleNamespace(name=operation), response)
    return response


@pytest.mark.parametrize(
    "document, root, problem",
    [
        (COPY, "CopyObjectResult", None),
        (b"<s3:CopyObjectResult xmlns:s3='x'/>", "CopyObjectResult", None),
        (b"", None, "cut"),
        (b"<?xml version='1.0'?>   ", None, "cut"),
        (COPY[:-5], "CopyObjectResult", "cut"),
        (b"OK", None, "not XML"),
        (b"<a>\x01</a>", "a", "is malformed XML"),
        (b"<a></b>", "a", "is malformed XML"),
        (b"<!DOCTYPE a><a/>", None, "declares a document type"),
        (b"<a>" * 100_000, "a", "has elements nested deeper than 16 levels"),
        (b"<a><Size>" + b"9" * 5000 + b"</Size></a>", "a", "has a number field that is not a number"),
        (b"<a><Size>-1</Size></a>", "a", "has a number field that is not a number"),
        (b"<a><IsTruncated>True</IsTruncated></a>", "a", "has an IsTruncated that is neither true nor false"),
    ],
)
def test_what_is_wrong_with_a_document(document: bytes, root: str | None, problem: str | None) -> None:
    assert look_at(document) == (root, problem)


@pytest.mark.parametrize(
    "operation, document, code",
    [
        ("CopyObject", b"", "NotS3"),
        ("CopyObject", b"OK", "NotS3"),
        ("CopyObject", b"<html/>", "NotS3"),
        ("CopyObject", b"<CompleteMultipartUploadResult/>", "NotS3"),
        ("CopyObject", b"<CopyObjectResult>\x01</CopyObjectResult>", "BrokenAnswer"),
        ("CopyObject", b"<!DOCTYPE a>" + COPY, "BrokenAnswer"),
        ("DeleteObjects", b"<ListBucketResult/>", "NotS3"),
        ("PutObject", b"<html><body/></html>", "NotS3"),
        ("PutObject", b"OK", "NotS3"),
        ("DeleteObject", b"{}", "NotS3"),
        ("DeleteObject", LISTING, "NotS3"),
        ("DeleteObject", b"<DeleteResult/>", "NotS3"),
        ("PutObject", COPY, "NotS3"),
        ("UploadPart", b"<CopyPartResult/>", "NotS3"),
        ("AbortMultipartUpload", b"<ListPartsResult/>", "NotS3"),
    ],
)
def test_another_document_is_a_fault(operation: str, document: bytes, code: str) -> None:
    with pytest.raises(Fault) as caught:
        seen(operation, document, **{"X-Amz-Request-Id": "R"})
    assert (caught.value.code, caught.value.status, caught.value.request_id) == (code, 200, "R")


@pytest.mark.parametrize("document", [COPY[:-5], b"<?xml version='1.0'?>\n  ", b"   "])
def test_a_document_that_is_cut_short_is_sent_again(document: bytes) -> None:
    response = seen("CopyObject", document)
    assert response["status_code"] == 500
    assert b"IncompleteDocument" in response["body"]


def test_the_right_document_and_an_error_in_its_place_stay() -> None:
    assert seen("CopyObject", COPY) == {"status_code": 200, "body": COPY, "headers": {}}
    assert seen("CopyObject", ERROR)["status_code"] == 500
    assert seen("PutObject", b"", 200)["body"] == b""
    assert seen("PutObject", b"<PutObjectResult/>", 200)["body"]
    body = object()
    assert seen("GetObject", body)["body"] is body


@pytest.mark.parametrize("document", [b"<html><body/></html>", b"OK", b"<!DOCTYPE a>" + ERROR, b"<a>" * 9999])
def test_an_error_that_is_not_s3s_loses_its_document(document: bytes) -> None:
    assert seen("GetObject", document, 404)["body"] == b""
    assert seen("GetObject", ERROR, 404)["body"] == ERROR
    assert seen("GetObject", b"<Error>" + b" " * LONGEST_ERROR + b"</Error>", 404)["body"] == b""


@pytest.mark.parametrize("key", [b"a\x01b", b"a&#1;b", b"\xff"])
def test_an_error_about_a_key_that_xml_cannot_hold_keeps_its_code(key: bytes) -> None:
    document = b"<Error><Code>NoSuchKey</Code><Key>" + key + b"</Key></Error>"
    assert seen("GetObject", document, 404)["body"] == b"<Error><Code>NoSuchKey</Code></Error>"
    assert seen("GetObject", document.replace(b"NoSuchKey", b"no such key"), 404)["body"] == b""


def test_a_listing_is_parsed_or_looked_at() -> None:
    page: dict[str, Any] = {}
    response: dict[str, Any] = {"status_code": 200, "body": LISTING, "headers": {}}
    parse_listing(SimpleNamespace(name="ListObjectsV2"), response, page)
    assert (page["IsTruncated"], page["Contents"]) == (False, [{"Key": "a", "Size": 1}])
    with pytest.raises(Fault):
        parse_listing(SimpleNamespace(name="ListObjectsV2"), {**response, "body": b"<html/>"}, {})


def test_a_bulk_delete_has_an_md5() -> None:
    params: dict[str, Any] = {"body": b"<Delete/>", "headers": {}}
    add_content_md5(params)
    digest = hashlib.md5(b"<Delete/>", usedforsecurity=False).digest()
    assert params["headers"] == {"Content-MD5": b64encode(digest).decode()}
