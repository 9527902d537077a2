from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.awsrequest import HeadersDict
from botocore.handlers import handle_expires_header
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import QueryParser, RestXMLParser

from remote_store.boto3.answers import AnswerParser, AnswerParsers, parse_any_time
from remote_store.conformance.faults import Answer
from remote_store.core.s3 import Call, Fault

MODEL = ServiceModel(create_loader().load_service_model("s3", "service-2"), "s3")
HEADERS = {
    "Content-Length": "12",
    "Content-Type": "text/plain",
    "ETag": '"Abc-2"',
    "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT",
    "Accept-Ranges": "bytes",
    "x-amz-meta-lower": "value ",
    "X-Amz-Meta-Upper": "",
    "x-amz-delete-marker": "false",
    "x-amz-server-side-encryption-bucket-key-enabled": "true",
    "x-amz-version-id": "null",
    "x-amz-missing-meta": "3",
    "x-amz-object-lock-retain-until-date": "2030-01-02T03:04:05.678Z",
    "x-amz-storage-class": "GLACIER",
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-request-id": "REQUEST",
    "x-amz-id-2": "HOST",
    "Unknown-Header": "kept",
    "Expires": "Thu, 22 Oct 2015 07:28:00 GMT",
}


def botocore_answer(operation: str, response):
    shape = MODEL.operation_model(operation).output_shape
    extra: dict = {}
    handle_expires_header(MODEL.operation_model(operation), response, extra)
    return {**RestXMLParser().parse(response, shape), **extra}


def response(headers=HEADERS, *, status=200, body=b"", **context):
    return {"headers": HeadersDict(headers), "status_code": status, "body": body, "context": context}


@pytest.mark.parametrize(
    "operation", ["HeadObject", "GetObject", "PutObject", "UploadPart", "DeleteObject", "CopyObject"]
)
@pytest.mark.parametrize("headers", [HEADERS, {}, {"x-amz-request-id": "R"}, {"Last-Modified": "2015-10-21T07:28:00Z"}])
def test_headers_are_read_as_botocore_reads_them(operation, headers):
    body = object() if operation == "GetObject" else b""
    shape = MODEL.operation_model(operation).output_shape
    ours = AnswerParser().parse(response(headers, body=body), shape)
    assert ours == botocore_answer(operation, response(headers, body=body))


def test_the_checksum_of_an_answer_is_named():
    shape = MODEL.operation_model("GetObject").output_shape
    given = response(body=object(), checksum={"response_algorithm": "crc32"})
    assert AnswerParser().parse(given, shape) == botocore_answer("GetObject", given)


@pytest.mark.parametrize("value", ["0", "-1", "never"])
def test_an_expiry_that_is_no_time_is_only_text(value):
    answer = AnswerParser().parse(response({"Expires": value}), MODEL.operation_model("HeadObject").output_shape)
    assert answer["ExpiresString"] == value
    assert "Expires" not in answer


@pytest.mark.parametrize("header", ["Last-Modified", "Content-Length"])
def test_a_header_that_cannot_be_read_counts_as_absent(header):
    answer = AnswerParser().parse(response({header: "sometimes"}), MODEL.operation_model("HeadObject").output_shape)
    assert answer.keys() == {"Metadata", "ResponseMetadata"}


@pytest.mark.parametrize("body", [b"<Error><Code>NoSuchKey</Code><Message>m</Message></Error>", b"", b"<oops"])
def test_errors_are_left_to_botocore(body):
    shape = MODEL.operation_model("GetObject").output_shape
    given = response({"x-amz-request-id": "R"}, status=404, body=body)
    assert AnswerParser().parse(given, shape) == RestXMLParser().parse(given, shape)


def test_only_s3_gets_the_parser():
    parsers = AnswerParsers()
    assert parsers.create_parser("rest-xml") is parsers.create_parser("rest-xml")
    assert isinstance(parsers.create_parser("query"), QueryParser)


@pytest.mark.parametrize(
    "text",
    [
        "2015-10-21T07:28:00Z",
        "2015-10-21T07:28:00.000Z",
        "2015-10-21T07:28:00.000000000Z",
        "2015-10-21T07:28:00+00:00",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wednesday, 21 October 2015 07:28 UTC",
        "1445412480",
        1445412480,
    ],
)
def test_times_are_read_in_any_form(text):
    time = parse_any_time(text)
    assert time.utcoffset().total_seconds() == 0
    assert time.astimezone(UTC) == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


def test_what_is_no_time_is_a_value_error():
    with pytest.raises(ValueError, match="sometimes"):
        parse_any_time("sometimes")


ODD = (
    "plain",
    "a b",
    "a+b",
    "a%2Fb",
    "100%",
    "é/ü",
    "q\"'<>&;",
    "tab\there",
    "//lead",
    "trailing/",
    "emoji 🦀",
    "*?[x]",
    "a/./b/../c",
)


@pytest.mark.parametrize("parameters", [{}, {"Delimiter": "/"}, {"MaxKeys": 5}, {"Prefix": "a"}, {"StartAfter": "a b"}])
def test_listings_are_read_as_botocore_reads_them(make_port, plain, bucket, parameters):
    for key in ODD:
        plain.put_object(Bucket=bucket, Key=key, Body=key.encode())
    params = {"Bucket": bucket, "EncodingType": "url", **parameters}
    ours = make_port().perform(Call("ListObjectsV2", params))
    theirs = plain.list_objects_v2(**params)
    assert ours["KeyCount"] > 0
    for answer in (ours, theirs):
        del answer["ResponseMetadata"]
        answer.pop("NextContinuationToken", None)
    assert ours == theirs


SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ENTRY = (
    "<Contents><Key>k&amp;%20</Key><LastModified>{time}</LastModified>"
    "<ETag>&quot;Ab&quot;</ETag><Size>7</Size>{more}</Contents>"
)
TIME = "2015-10-21T07:28:00.000Z"


def page(*entries: str, space: str = SPACE, head: str = "") -> bytes:
    inside = f"<IsTruncated>false</IsTruncated><KeyCount>{len(entries)}</KeyCount><Prefix/>{''.join(entries)}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<ListBucketResult {space}>{inside}</ListBucketResult>'.encode()
    )


def entry(more: str = "", time: str = TIME) -> str:
    return ENTRY.format(more=more, time=time)


@pytest.mark.parametrize(
    "document",
    [
        page(),
        page(entry(), entry("<StorageClass>GLACIER</StorageClass>")),
        page(entry(), space=""),
        page(entry(time="Wed, 21 Oct 2015 07:28:00 GMT")),
        page(entry(time="21 October 2015 07:28 UTC")),
        page(entry("<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType>")),
        page(entry("<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>")),
        page(entry("<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner>")),
        page(entry("<Unknown>text<Nested/>more</Unknown>")),
        page(entry("<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>")),
        page("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix></Prefix></CommonPrefixes>"),
        page(entry()).replace(b"><", b">\n  <"),
    ],
)
def test_pages_of_any_server_are_read_as_botocore_reads_them(make_port, endpoint, plain, bucket, document):
    endpoint.inject(Answer(200, body=document))
    ours = dict(make_port().perform(Call("ListObjectsV2", {"Bucket": bucket, "EncodingType": "url"})))
    shape = MODEL.operation_model("ListObjectsV2").output_shape
    theirs = RestXMLParser().parse(response({}, body=document), shape)
    assert ours.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    del theirs["ResponseMetadata"]
    assert ours == theirs


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"


@pytest.mark.parametrize(
    "document",
    [
        page(entry("<StorageClass>&b;</StorageClass>"), head=BOMB),
        page(entry(), head="<!DOCTYPE ListBucketResult>"),
        page(entry(), head=BOMB).decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        page(entry())[:-30],
        b"<Error><Code>InternalError</Code><Message>half-way</Message></Error>",
        b"no document",
    ],
)
@pytest.mark.usefixtures("no_waiting")
def test_what_is_no_page_is_tried_again_and_then_a_fault(make_port, endpoint, bucket, document):
    endpoint.inject(Answer(200, body=document), times=None)
    with pytest.raises(Fault) as caught:
        make_port(3).perform(Call("ListObjectsV2", {"Bucket": bucket, "EncodingType": "url"}))
    assert caught.value.status == 500
    assert (caught.value.attempts, endpoint.count()) == (3, 3)


def test_errors_of_a_listing_keep_what_the_service_said(make_port, endpoint, bucket):
    endpoint.inject(Answer(403, "AccessDenied", "no", {"x-amz-request-id": "R"}))
    with pytest.raises(Fault) as caught:
        make_port().perform(Call("ListObjectsV2", {"Bucket": bucket, "EncodingType": "url"}))
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("AccessDenied", 403, "R")


def test_a_listing_that_did_not_ask_for_encoded_keys_gets_them_plain(make_port, plain, bucket):
    plain.put_object(Bucket=bucket, Key="a b+c", Body=b"")
    answer = make_port().client.list_objects_v2(Bucket=bucket)
    assert [entry["Key"] for entry in answer["Contents"]] == ["a b+c"]
