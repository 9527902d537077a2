from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.awsrequest import HeadersDict
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import RestXMLParser
from botocore.utils import parse_timestamp

from remote_store.botocore.session import time_parser
from remote_store.conformance.faults import Answer
from remote_store.core.s3 import Call, Fault

MODEL = ServiceModel(create_loader().load_service_model("s3", "service-2"), "s3")


def response(headers, *, status=200, body=b"", **context):
    return {"headers": HeadersDict(headers), "status_code": status, "body": body, "context": context}


@pytest.mark.parametrize("operation", ["HeadObject", "GetObject"])
@pytest.mark.parametrize("header", ["Last-Modified", "x-amz-missing-meta", "x-amz-object-lock-retain-until-date"])
def test_a_header_that_cannot_be_read_counts_as_absent(make_port, endpoint, bucket, operation, header):
    endpoint.inject(Answer(200, headers={"ETag": '"a"', header: "sometimes"}))
    answer = make_port().perform(Call(operation, {"Bucket": bucket, "Key": "k"}))
    assert answer["ETag"] == '"a"'
    assert not {"LastModified", "MissingMeta", "ObjectLockRetainUntilDate"} & answer.keys()


def test_an_expiry_that_is_no_time_is_only_text(make_port, endpoint, bucket):
    endpoint.inject(Answer(200, headers={"Expires": "never"}))
    answer = make_port().perform(Call("HeadObject", {"Bucket": bucket, "Key": "k"}))
    assert answer["ExpiresString"] == "never"
    assert "Expires" not in answer


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
    time = time_parser(parse_timestamp)(text)
    assert time.utcoffset().total_seconds() == 0
    assert time.astimezone(UTC) == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


def test_what_is_no_time_is_a_value_error():
    with pytest.raises(ValueError, match="sometimes"):
        time_parser(parse_timestamp)("sometimes")


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
    "document, code",
    [
        (page(entry("<StorageClass>&b;</StorageClass>"), head=BOMB), "BrokenAnswer"),
        (page(entry(), head="<!DOCTYPE ListBucketResult>"), "BrokenAnswer"),
        (page(entry(), head=BOMB).decode().replace("UTF-8", "UTF-16").encode("utf-16"), "BrokenAnswer"),
        (b"no document", "NotS3"),
        (b"", "NotS3"),
    ],
)
def test_what_is_no_page_is_a_fault_at_once(make_port, endpoint, bucket, document, code):
    endpoint.inject(Answer(200, body=document), times=None)
    with pytest.raises(Fault) as caught:
        make_port(3).perform(Call("ListObjectsV2", {"Bucket": bucket, "EncodingType": "url"}))
    assert (caught.value.code, caught.value.status) == (code, 200)
    assert endpoint.count() == 1


@pytest.mark.parametrize(
    "document",
    [
        page(entry())[:-30],
        b"<Error><Code>InternalError</Code><Message>half-way</Message></Error>",
    ],
)
@pytest.mark.usefixtures("no_waiting")
def test_a_page_that_is_cut_short_is_tried_again_and_then_a_fault(make_port, endpoint, bucket, document):
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
