from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from remote_store.core.s3.answer_headers import HeaderReader


def member(kind: str, **serialization: Any) -> Any:
    return SimpleNamespace(type_name=kind, serialization=serialization)


def shape(payload: str | None = None, **members: Any) -> Any:
    serialization = {} if payload is None else {"payload": payload}
    return SimpleNamespace(name=repr(sorted(members)), members=members, serialization=serialization)


HEAD = shape(
    ContentLength=member("long", location="header", name="Content-Length"),
    LastModified=member("timestamp", location="header", name="Last-Modified"),
    DeleteMarker=member("boolean", location="header", name="x-amz-delete-marker"),
    ETag=member("string", location="header", name="ETag"),
    Expires=member("timestamp", location="header", name="Expires"),
    Metadata=member("map", location="headers", name="x-amz-meta-"),
)
GET = shape("Body", ETag=HEAD.members["ETag"], Body=member("blob", streaming=True))
LISTING = shape(Name=member("string"))


def read(headers: dict[str, str], output: Any = HEAD, *, status: int = 200, body: Any = b"") -> Any:
    response = {"status_code": status, "headers": headers, "body": body, "context": {}}
    return HeaderReader().read(response, output)


def test_headers_become_members_of_their_types():
    headers = {
        "content-length": "7",
        "LAST-MODIFIED": "Wed, 21 Oct 2015 07:28:00 GMT",
        "x-amz-delete-marker": "true",
        "ETag": '"Ab"',
        "X-Amz-Meta-Name": " value",
        "x-amz-request-id": "R",
    }
    answer = read(headers)
    assert answer.pop("ResponseMetadata") == {
        "HTTPStatusCode": 200,
        "HTTPHeaders": {name.lower(): value for name, value in headers.items()},
        "RequestId": "R",
        "HostId": "",
    }
    assert answer == {
        "ContentLength": 7,
        "LastModified": datetime(2015, 10, 21, 7, 28, tzinfo=UTC),
        "DeleteMarker": True,
        "ETag": '"Ab"',
        "Metadata": {"Name": " value"},
    }


@pytest.mark.parametrize("header", ["Content-Length", "Last-Modified"])
def test_a_header_that_cannot_be_read_counts_as_absent(header):
    assert read({header: "some"}).keys() == {"Metadata", "ResponseMetadata"}


def test_an_expiry_is_kept_as_text_whatever_it_says():
    assert read({"Expires": "0"})["ExpiresString"] == "0"
    assert "Expires" not in read({"Expires": "0"})


def test_a_body_is_handed_on():
    body = object()
    assert read({"ETag": '"a"'}, GET, body=body)["Body"] is body


@pytest.mark.parametrize("output,status", [(HEAD, 304), (HEAD, 404), (HEAD, 500), (LISTING, 200), (None, 204)])
def test_errors_and_documents_are_left_to_botocore(output, status):
    assert read({"ETag": '"a"'}, output, status=status) is None
