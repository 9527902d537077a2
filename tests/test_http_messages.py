"""Requests that core writes and responses that it reads, compared with botocore's, which follow the model of S3."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.parsers import create_parser
from botocore.session import Session

from remote_store.core.s3 import Call, Fault, http_request, http_response

NOBODYS = frozenset({"accept-encoding", "content-length", "content-type", "expect", "host", "user-agent"})
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SSE_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
KEY_OPTIONS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": SSE_KEY, "SSECustomerKeyMD5": "md5=="}
SOURCE_OPTIONS = {f"CopySource{name}": value for name, value in KEY_OPTIONS.items()}
SHARED = {"ExpectedBucketOwner": "111122223333", "RequestPayer": "requester"}
CREATE = {
    **SHARED,
    "ACL": "private",
    "BucketKeyEnabled": True,
    "CacheControl": "no-cache",
    "ContentDisposition": 'attachment; filename="a"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "ContentType": "text/csv",
    "Expires": WHEN,
    "GrantFullControl": "id=1",
    "GrantRead": "id=2",
    "GrantReadACP": "id=3",
    "GrantWriteACP": "id=4",
    "Metadata": {"author": "ada", "x-y": "z"},
    "ObjectLockLegalHoldStatus": "ON",
    "ObjectLockMode": "GOVERNANCE",
    "ObjectLockRetainUntilDate": WHEN,
    "SSEKMSEncryptionContext": "e30=",
    "SSEKMSKeyId": "arn:aws:kms:eu-central-1:1:key/k",
    "ServerSideEncryption": "aws:kms",
    "StorageClass": "STANDARD_IA",
    "Tagging": "project=lake&a=b",
    "WebsiteRedirectLocation": "/there",
}
KEYS = ["k", "a b+c%2F~.txt", "a//b", "/lead", "é\n", "a/./b/../c", "*?[]'()!$&,:;=@"]
PARTS = [{"ETag": '"a"', "PartNumber": 1, "ChecksumCRC32": "AAAA=="}, {"ETag": '"b"', "PartNumber": 2}]
WHOLE = {"ChecksumType": "FULL_OBJECT"}
SUMMED = {"ChecksumCRC64NVME": "AAAAAAAAAAA=", "MpuObjectSize": 7}
TAGS = [{"Key": "project", "Value": "lake & <sea>"}, {"Key": "é", "Value": ""}]
CALLS = [
    *(Call("HeadObject", {"Bucket": "b", "Key": key}) for key in KEYS),
    Call("HeadObject", {"Bucket": "b", "Key": "k", "IfMatch": '"e"', "VersionId": "v+1", **KEY_OPTIONS, **SHARED}),
    Call("GetObject", {"Bucket": "b", "Key": "k", "Range": "bytes=1-2", "IfMatch": '"e"', "ChecksumMode": "ENABLED"}),
    Call(
        "GetObject",
        {
            "Bucket": "b",
            "Key": "k",
            "ResponseCacheControl": "no-store",
            "ResponseContentDisposition": 'attachment; filename="a b"',
            "ResponseContentEncoding": "gzip",
            "ResponseContentLanguage": "de",
            "ResponseContentType": "text/csv",
            "ResponseExpires": WHEN,
        },
    ),
    Call("GetObjectTagging", {"Bucket": "b", "Key": "k"}),
    Call("GetObjectTagging", {"Bucket": "b", "Key": "k", "VersionId": "v+/1"}),
    Call("DeleteObjectTagging", {"Bucket": "b", "Key": "k", "VersionId": "v", "ExpectedBucketOwner": "1"}),
    Call("PutObjectTagging", {"Bucket": "b", "Key": "k", "Tagging": {"TagSet": TAGS}, **SHARED}),
    Call("DeleteObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
    Call("CopyObject", {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "b", "Key": "a b", "VersionId": "v+/1"}}),
    Call(
        "ListObjectVersions",
        {
            "Bucket": "b",
            "Prefix": "a b",
            "Delimiter": "/",
            "EncodingType": "url",
            "KeyMarker": "k+",
            "VersionIdMarker": "v/",
        },
    ),
    Call("PutObject", {"Bucket": "b", "Key": "k", "Body": b"data", "IfNoneMatch": "*", "ContentMD5": "m==", **CREATE}),
    Call("PutObject", {"Bucket": "b", "Key": "k", "Body": b"", **KEY_OPTIONS}),
    Call(
        "PutObject", {"Bucket": "b", "Key": "k", "Body": b"d", "ChecksumAlgorithm": "CRC32C", "ChecksumCRC32C": "A=="}
    ),
    Call("CreateMultipartUpload", {"Bucket": "b", "Key": "k", **CREATE}),
    Call("UploadPart", {"Bucket": "b", "Key": "k", "UploadId": "u/+=", "PartNumber": 7, "Body": b"x", **KEY_OPTIONS}),
    Call("AbortMultipartUpload", {"Bucket": "b", "Key": "k", "UploadId": "u", **SHARED}),
    Call("ListParts", {"Bucket": "b", "Key": "k", "UploadId": "u", "MaxParts": 1, "PartNumberMarker": 3}),
    Call(
        "ListMultipartUploads",
        {"Bucket": "b", "Prefix": "a b/é&", "EncodingType": "url", "KeyMarker": "k+", "UploadIdMarker": "u/"},
    ),
    Call("DeleteObject", {"Bucket": "b", "Key": "k", "IfMatch": '"e"'}),
    Call("ListObjectsV2", {"Bucket": "b", "Prefix": "a b/é&", "Delimiter": "/", "EncodingType": "url", "MaxKeys": 3}),
    Call(
        "ListObjectsV2",
        {"Bucket": "b", "ContinuationToken": "t+/=", "StartAfter": "s", "FetchOwner": False, "EncodingType": "url"},
    ),
    Call(
        "CompleteMultipartUpload",
        {"Bucket": "b", "Key": "k", "UploadId": "u", "IfNoneMatch": "*", "MultipartUpload": {"Parts": PARTS}},
    ),
    Call("CreateMultipartUpload", {"Bucket": "b", "Key": "k", **WHOLE, "ChecksumAlgorithm": "CRC64NVME"}),
    Call(
        "CompleteMultipartUpload",
        {"Bucket": "b", "Key": "k", "UploadId": "u", **WHOLE, **SUMMED, "MultipartUpload": {"Parts": PARTS}},
    ),
    Call("DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": key} for key in KEYS], "Quiet": False}}),
    *(
        Call("CopyObject", {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "b", "Key": key}, "IfNoneMatch": "*"})
        for key in KEYS
    ),
    Call(
        "CopyObject",
        {
            "Bucket": "b",
            "Key": "k",
            "CopySource": {"Bucket": "b", "Key": "s"},
            "CopySourceIfMatch": '"e"',
            "MetadataDirective": "COPY",
            "TaggingDirective": "COPY",
            **SOURCE_OPTIONS,
            **KEY_OPTIONS,
        },
    ),
    Call(
        "UploadPartCopy",
        {
            "Bucket": "b",
            "Key": "k",
            "UploadId": "u",
            "PartNumber": 2,
            "CopySource": {"Bucket": "b", "Key": "s"},
            "CopySourceRange": "bytes=0-9",
            "CopySourceIfMatch": '"e"',
            **SOURCE_OPTIONS,
        },
    ),
]


@pytest.fixture(scope="module")
def client() -> Any:
    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    return Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="k",
        aws_secret_access_key="s",
        config=config,
    )


def prepared(client: Any, call: Call) -> Any:
    """The request as botocore would send it."""
    sent: list[Any] = []

    def keep(request: Any, **_: Any) -> None:
        sent.append(request)
        raise InterruptedError

    client.meta.events.register("before-send.s3", keep, unique_id="keep")
    try:
        with pytest.raises(InterruptedError):
            client._make_api_call(call.operation, dict(call.params))
    finally:
        client.meta.events.unregister("before-send.s3", unique_id="keep")
    return sent[0]


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def of_s3(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    """The headers that the call itself asks for."""
    signed = ("authorization", "amz-sdk", "x-amz-date", "x-amz-content-sha256", "x-amz-user-agent", "x-amz-checksum")
    added = ("x-amz-sdk-checksum",)
    found = {name.lower(): text(value) for name, value in headers.items()}
    return {name: value for name, value in found.items() if name not in NOBODYS and not name.startswith(signed + added)}


def elements(document: bytes) -> Any:
    root = ET.fromstring(document)
    return [(node.tag, (node.text or "").strip(" ")) for node in root.iter()]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation)
def test_a_request_is_that_of_botocore(client: Any, call: Call) -> None:
    theirs, ours = prepared(client, call), http_request(call)
    url = urlsplit(theirs.url)
    assert (ours.method, ours.path) == (theirs.method, url.path)
    assert parse_qsl(ours.query, keep_blank_values=True) == sorted(parse_qsl(url.query, keep_blank_values=True))
    sent = of_s3(ours.headers)
    if call.operation in ("DeleteObjects", "PutObjectTagging"):
        # A lane of botocore adds it too.
        assert sent.pop("content-md5")
    assert sent == of_s3(theirs.headers)
    assert "content-type" not in call.params or ours.headers["content-type"] == text(theirs.headers["content-type"])
    if call.operation in ("DeleteObjects", "CompleteMultipartUpload", "PutObjectTagging"):
        assert sorted(elements(bytes(ours.body))) == sorted(elements(theirs.body))
    else:
        body = theirs.body.read() if hasattr(theirs.body, "read") else theirs.body
        assert bytes(ours.body) == (body or b"")


XMLNS = b" xmlns='http://s3.amazonaws.com/doc/2006-03-01/'"
OF_AN_OBJECT = {
    "Content-Length": "7",
    "Content-Type": "text/csv",
    "ETag": '"e"',
    "Expires": "Wed, 02 Jan 2030 03:04:05 GMT",
    "Last-Modified": "Wed, 02 Jan 2030 03:04:05 GMT",
    "x-amz-checksum-crc32": "AAAA==",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-meta-author": "ada",
    "x-amz-request-id": "R",
    "x-amz-server-side-encryption-aws-kms-key-id": "k",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-version-id": "v",
}
COPIED = b"<ETag>&quot;e&quot;</ETag><LastModified>2030-01-02T03:04:05.000Z</LastModified>"
LISTED = (
    b"<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType><KeyCount>2</KeyCount>"
    b"<Contents><Key>a%%0A</Key><Size>3</Size><ETag>&quot;e&quot;</ETag>%s"
    b"<LastModified>2030-01-02T03:04:05.000Z</LastModified></Contents>"
    b"<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
)
OWNER = b"<Owner><ID>1</ID></Owner>"
RESPONSES = [
    ("HeadObject", 200, OF_AN_OBJECT, b""),
    ("PutObject", 200, {"ETag": '"e"', "x-amz-version-id": "v"}, b""),
    ("PutObject", 200, {"ETag": '"e"'}, b"<PutObjectResult/>"),
    ("UploadPart", 200, {"ETag": '"e"', "x-amz-checksum-sha256": "AAAA="}, b""),
    ("DeleteObject", 204, {"x-amz-request-id": "R"}, b""),
    ("CopyObject", 200, {"x-amz-version-id": "v"}, b"<CopyObjectResult%s>%s</CopyObjectResult>" % (XMLNS, COPIED)),
    ("UploadPartCopy", 200, {}, b"<CopyPartResult%s>%s</CopyPartResult>" % (XMLNS, COPIED)),
    (
        "CreateMultipartUpload",
        200,
        {},
        b"<InitiateMultipartUploadResult%s><UploadId>u</UploadId></InitiateMultipartUploadResult>" % XMLNS,
    ),
    (
        "CompleteMultipartUpload",
        200,
        {},
        b"<CompleteMultipartUploadResult%s><ETag>&quot;e-2&quot;</ETag><Key>k</Key></CompleteMultipartUploadResult>"
        % XMLNS,
    ),
    (
        "DeleteObjects",
        200,
        {},
        b"<DeleteResult%s><Deleted><Key>a</Key></Deleted><Deleted><Key>b</Key></Deleted>"
        b"<Error><Key>c</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>" % XMLNS,
    ),
    (
        "GetObjectTagging",
        200,
        {},
        b"<Tagging%s><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>" % XMLNS,
    ),
    ("GetObjectTagging", 200, {}, b"<Tagging><TagSet/></Tagging>"),
    ("PutObjectTagging", 200, {"x-amz-version-id": "v"}, b""),
    ("DeleteObjectTagging", 204, {"x-amz-version-id": "v"}, b""),
    (
        "ListObjectVersions",
        200,
        {},
        b"<ListVersionsResult%s><IsTruncated>true</IsTruncated><NextKeyMarker>a%%2Bb</NextKeyMarker>"
        b"<NextVersionIdMarker>v</NextVersionIdMarker><EncodingType>url</EncodingType><Version><Key>a</Key>"
        b"<VersionId>v</VersionId><IsLatest>false</IsLatest><Size>3</Size><ETag>&quot;e&quot;</ETag>"
        b"<LastModified>2026-01-02T03:04:05.000Z</LastModified><Owner><ID>i</ID></Owner></Version><DeleteMarker>"
        b"<Key>a</Key><VersionId>w</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>" % XMLNS,
    ),
    (
        "ListParts",
        200,
        {},
        b"<ListPartsResult%s><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
        b"<Part><PartNumber>2</PartNumber><Size>5</Size><ETag>&quot;e&quot;</ETag><ChecksumSHA1>s</ChecksumSHA1>"
        b"<LastModified>2026-01-02T03:04:05.000Z</LastModified></Part></ListPartsResult>" % XMLNS,
    ),
    (
        "ListMultipartUploads",
        200,
        {},
        b"<ListMultipartUploadsResult%s><IsTruncated>false</IsTruncated><Upload><Key>a%%2Bb</Key><UploadId>u</UploadId>"
        b"<Initiator><ID>i</ID></Initiator><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload><Upload>"
        b"<Key>c</Key><UploadId>v</UploadId></Upload></ListMultipartUploadsResult>" % XMLNS,
    ),
    ("ListObjectsV2", 200, {}, b"<ListBucketResult%s>%s</ListBucketResult>" % (XMLNS, LISTED % b"")),
    ("ListObjectsV2", 200, {}, b"<ListBucketResult%s>%s</ListBucketResult>" % (XMLNS, LISTED % OWNER)),
]


@pytest.mark.parametrize("operation, status, headers, document", RESPONSES, ids=[row[0] for row in RESPONSES])
def test_a_response_is_read_as_botocore_reads_it(
    client: Any, operation: str, status: int, headers: dict[str, str], document: bytes
) -> None:
    shape = client.meta.service_model.operation_model(operation).output_shape
    response = {"status_code": status, "headers": HeadersDict(headers), "body": document}
    theirs = create_parser("rest-xml").parse(response, shape)
    ours = http_response(Call(operation, {"Bucket": "b", "Key": "k"}), status, headers, document)
    about = ours.pop("ResponseMetadata")
    assert (about["HTTPStatusCode"], about["RequestId"]) == (status, headers.get("x-amz-request-id"))
    theirs.pop("ResponseMetadata")
    theirs.pop("ExpiresString", None)
    assert {name: value for name, value in ours.items() if value != {}} == {
        name: value for name, value in theirs.items() if value != {}
    }


ERROR = b"<Error><Code>NoSuchKey</Code><Message>gone</Message><RequestId>D</RequestId></Error>"
BUSY = ERROR.replace(b"NoSuchKey", b"InternalError")
CUT = b"<CopyObjectResult><ETag>"
PAGE = {"Content-Type": "text/html"}
REFUSALS = [
    ("GetObject", 404, {"Date": "Wed, 02 Jan 2030 03:04:05 GMT"}, ERROR, ("NoSuchKey", 404, "gone", "D", False, WHEN)),
    ("GetObject", 404, {"x-amz-request-id": "R"}, ERROR, ("NoSuchKey", 404, "gone", "R", False, None)),
    ("GetObject", 404, {}, b"<html/>", ("404", 404, "", None, True, None)),
    ("HeadObject", 404, {"x-amz-request-id": "R"}, b"", ("404", 404, "", "R", False, None)),
    ("HeadObject", 404, {}, b"", ("404", 404, "", None, True, None)),
    ("GetObject", 404, {}, b"<!DOCTYPE a>" + ERROR, ("404", 404, "", None, True, None)),
    ("GetObject", 404, {}, ERROR.replace(b"gone", b"\x01"), ("NoSuchKey", 404, "", None, False, None)),
    (
        "CopyObject",
        200,
        {},
        ERROR.replace(b"NoSuchKey", b"InternalError"),
        ("InternalError", 500, "gone", "D", False, None),
    ),
    (
        "CopyObject",
        200,
        {},
        b"<CopyObjectResult><ETag>",
        ("IncompleteDocument", 500, "the response ends early", None, False, None),
    ),
    ("CopyObject", 200, {}, b"", ("NotS3", 200, "the response to CopyObject is empty", None, False, None)),
    (
        "PutObject",
        200,
        {"Content-Type": "text/html"},
        b"<html/>",
        ("NotS3", 200, "the response to PutObject is a web page", None, False, None),
    ),
]


@pytest.mark.parametrize("operation, status, headers, document, told", REFUSALS)
def test_what_is_no_success_is_a_fault(
    operation: str, status: int, headers: dict[str, str], document: bytes, told: tuple[Any, ...]
) -> None:
    with pytest.raises(Fault) as caught:
        http_response(Call(operation, {}), status, headers, document, attempts=3)
    fault = caught.value
    assert (fault.code, fault.status, fault.message, fault.request_id, fault.foreign, fault.date) == told
    assert fault.attempts == 3
    assert str(fault.__cause__) == f"the response to {operation} has the status {status}"


def test_an_informational_response_is_left_to_the_check_of_the_status() -> None:
    response = http_response(Call("PutObject", {}), 103, {"Link": "<a>"}, b"")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 103


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30, "", "٣"])
def test_a_number_that_is_none_is_left_out(length: str) -> None:
    assert "ContentLength" not in http_response(Call("HeadObject", {}), 200, {"Content-Length": length}, b"")
