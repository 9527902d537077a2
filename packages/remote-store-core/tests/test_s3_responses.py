from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import NotFound, RemoteStoreError, UnfinishedUpload
from remote_store.core.s3 import Call, Fault, operations
from remote_store.core.s3.protocol import faults, responses
from remote_store.core.s3.protocol.fields import LARGEST_SIZE, is_signed, readable
from remote_store.core.s3.protocol.responses import REQUIRED, Deleted, Done, Facts, Part, Tags, Written
from remote_store.core.s3.protocol.uploads import Parts, StoredPart, Uploads

TIME = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
KEYS = {"Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}}
ENOUGH: dict[str, dict[str, Any]] = {
    "HeadObject": {"ETag": '"e"'},
    "GetObject": {"ETag": '"e"', "ContentLength": 3, "Body": object()},
    "ListObjectsV2": {"IsTruncated": False},
    "PutObject": {"ETag": '"e"'},
    "CopyObject": {"CopyObjectResult": {"ETag": '"e"'}},
    "CreateMultipartUpload": {"UploadId": "u"},
    "UploadPart": {"ETag": '"e"'},
    "UploadPartCopy": {"CopyPartResult": {"ETag": '"e"'}},
    "CompleteMultipartUpload": {"ETag": '"e"'},
    "AbortMultipartUpload": {},
    "DeleteObject": {},
    "DeleteObjects": {},
    "GetObjectTagging": {"TagSet": []},
    "ListMultipartUploads": {"IsTruncated": False},
    "ListParts": {"IsTruncated": False},
    "ListObjectVersions": {"IsTruncated": False},
    "DeleteObjectTagging": {},
    "PutObjectTagging": {},
}
NEEDS_NOTHING = {"AbortMultipartUpload", "DeleteObject", "DeleteObjectTagging", "DeleteObjects", "PutObjectTagging"}


def about(status: int = 200, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"HTTPStatusCode": status, "HTTPHeaders": headers or {}, "RequestId": "R", "RetryAttempts": 1}


def read(operation: str, told: dict[str, Any], **params: Any) -> Any:
    return responses.read(Call(operation, {**KEYS, **params}), told)


def refused(operation: str, told: dict[str, Any], **params: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        read(operation, told, **params)
    return caught.value


def test_each_operation_that_is_asked_for_has_its_requirement_and_its_page() -> None:
    sources = list(Path(operations.__file__).parent.glob("*.py"))
    called = {name for source in sources for name in re.findall(r'call\(\s*"([A-Z]\w+)"', source.read_text())}
    called |= {name for source in sources for name in re.findall(r'Call\("([A-Z]\w+)"', source.read_text())}
    # A form is signed and never sent.
    assert called - {"PostObject"} == REQUIRED.keys()
    for operation, required in REQUIRED.items():
        assert required.page == f"AmazonS3/latest/API/API_{operation}.html"


@pytest.mark.parametrize("operation", REQUIRED)
def test_what_is_enough_is_a_success_and_more_is_ignored(operation: str) -> None:
    status = REQUIRED[operation].statuses[0]
    assert read(operation, {**ENOUGH[operation], "Unknown": object(), "ResponseMetadata": about(status)}) is not None


@pytest.mark.parametrize("operation", sorted(REQUIRED.keys() - NEEDS_NOTHING))
def test_nothing_proves_nothing(operation: str) -> None:
    body = {"Body": object()} if operation == "GetObject" else {}
    fault = refused(operation, {**body, "ResponseMetadata": about()})
    assert fault.code in ("BrokenAnswer", "NotS3")
    assert (fault.request_id, fault.attempts) == ("R", 2)
    assert faults.is_unproven(fault)
    error = faults.typed(fault, path="a")
    assert (type(error), error.retryable) == (RemoteStoreError, False)


@pytest.mark.parametrize("status", [100, 102, 103, 201, 202, 203, 205, 206, 301, 304])
@pytest.mark.parametrize("operation", sorted(REQUIRED.keys() - {"GetObject"}))
def test_another_status_is_no_success(operation: str, status: int) -> None:
    fault = refused(operation, {**ENOUGH[operation], "ResponseMetadata": about(status)})
    assert fault.code == ("InformationalAnswer" if status < 200 else "BrokenAnswer")
    assert fault.status == status


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ContentRange": "bytes 0-2"},
        {"ContentRange": "bytes 2-0/9"},
        {"ContentRange": "bytes 0-2/2"},
        {"ContentRange": f"bytes 0-2/{'9' * 30}"},
        {"ContentRange": "bytes 0-3/9"},
    ],
)
def test_a_part_of_an_object_says_which(more: dict[str, Any]) -> None:
    assert refused("GetObject", {**ENOUGH["GetObject"], **more, "ResponseMetadata": about(206)}).code == "BrokenAnswer"


@pytest.mark.parametrize("length", [-1, LARGEST_SIZE + 1, "3", True, 3.0])
def test_a_length_that_no_object_has_is_refused(length: object) -> None:
    assert refused("HeadObject", {"ETag": '"e"', "ContentLength": length}).code == "BrokenAnswer"


@pytest.mark.parametrize("name", ["ETag", "ContentType", "VersionId", "StorageClass", "ChecksumCRC32"])
def test_a_field_of_another_type_is_refused(name: str) -> None:
    assert refused("HeadObject", {"ETag": '"e"', name: ["doubled"]}).code == "BrokenAnswer"


def test_what_a_head_lacks_is_none() -> None:
    facts = read("HeadObject", {"ResponseMetadata": about(headers={"x-amz-request-id": "R"})})
    assert facts == Facts(None, None)
    assert read("HeadObject", {"ETag": '"e"', "LastModified": "no time"}).modified_at is None


def test_times_have_no_fraction_and_weak_tags_pin_nothing() -> None:
    facts = read("HeadObject", {"ETag": 'W/"e"', "LastModified": TIME})
    assert facts.modified_at == TIME.replace(microsecond=0)
    assert (facts.etag, facts.pin) == ('W/"e"', None)
    assert read("HeadObject", {"ETag": '"e"'}).pin == '"e"'


def test_an_empty_tag_of_a_completed_upload_is_none() -> None:
    assert read("CompleteMultipartUpload", {"ETag": '""', "Key": "a"}) == Written(None)
    assert read("CopyObject", {"CopyObjectResult": {"LastModified": TIME}}) == Written(None)


@pytest.mark.parametrize(
    "wire, text",
    [
        ("Zürich".encode(), "Zürich"),
        (b"Z\xfcrich", "Zürich"),
        ("Ã¼".encode(), "Ã¼"),
        (b"", ""),
        (b"=?UTF-8?Q?Z=C3=BCrich?=", "=?UTF-8?Q?Z=C3=BCrich?="),
    ],
)
def test_metadata_is_text_however_it_was_encoded(wire: bytes, text: str) -> None:
    assert readable(wire.decode("latin-1")) == text
    told = {"ETag": '"e"', "Metadata": {"Author": wire.decode("latin-1")}}
    assert read("HeadObject", told).metadata == {"author": text}


def test_text_with_surrogates_is_never_handed_out() -> None:
    readable("日本 \udcff").encode()


def test_a_name_in_two_cases_is_one_name() -> None:
    assert read("HeadObject", {"ETag": '"e"', "Metadata": {"A": "1", "a": "2"}}).metadata == {"a": "1, 2"}


def test_a_bulk_delete_accounts_for_keys_that_were_asked_for() -> None:
    told = {"Deleted": [{"Key": "a"}, {"Key": "stranger"}], "Errors": [{"Key": "b", "Code": "AccessDenied"}]}
    deleted = read("DeleteObjects", told)
    assert isinstance(deleted, Deleted)
    assert deleted.keys == {"a"}
    assert {key: fault.code for key, fault in deleted.errors.items()} == {"b": "AccessDenied"}
    assert read("DeleteObjects", {**told, "Deleted": [{"Key": "b"}]}).keys == frozenset()
    assert refused("DeleteObjects", {"Deleted": "a"}).code == "BrokenAnswer"


def test_parts_and_tags() -> None:
    assert read("UploadPart", {"ETag": '"e"', "ChecksumCRC32": "x"}) == Part('"e"', {"ChecksumCRC32": "x"})
    assert read("GetObjectTagging", {"TagSet": [{"Key": "a", "Value": "b"}, {"Key": "c"}]}) == Tags(
        (("a", "b"), ("c", ""))
    )


def test_a_delete_without_a_header_of_s3_is_in_doubt() -> None:
    assert read("DeleteObject", {"ResponseMetadata": about(204, {"server": "nginx"})}) == Done(signed=False)
    assert read("DeleteObject", {"ResponseMetadata": about(204, {"X-Amz-Request-Id": "R"})}) == Done()
    assert read("DeleteObject", {}) == Done()


@pytest.mark.parametrize(
    "row",
    [
        {"Key": "", "Size": 1},
        {"Size": 1},
        {"Key": "d/a"},
        {"Key": "d/a", "Size": -1},
        {"Key": "d/a", "Size": LARGEST_SIZE + 1},
        {"Key": "D/a", "Size": 1},
        {"Key": "other", "Size": 1},
        {"Key": ["d/a", "d/b"], "Size": 1},
        "d/a",
    ],
)
def test_a_listing_lists_objects_below_the_prefix_or_is_refused(row: Any) -> None:
    told = {"IsTruncated": False, "Contents": [row]}
    assert refused("ListObjectsV2", told, Prefix="d/").code == "BrokenAnswer"


@pytest.mark.parametrize("asked", ["", "d/"])
@pytest.mark.parametrize("prefix", [None, "", "d/x/y/", "e", "d/x", ["d/x/"]])
def test_a_listing_lists_folders_directly_below_the_prefix_or_is_refused(prefix: Any, asked: str) -> None:
    told = {"IsTruncated": False, "CommonPrefixes": [{"Prefix": prefix}]}
    assert refused("ListObjectsV2", told, Prefix=asked, Delimiter="/").code == "BrokenAnswer"


@pytest.mark.parametrize("prefix", ["d/", "e/"])
def test_a_folder_elsewhere_is_refused(prefix: str) -> None:
    told = {"IsTruncated": False, "CommonPrefixes": [{"Prefix": prefix}]}
    assert refused("ListObjectsV2", told, Prefix="d/", Delimiter="/").code == "BrokenAnswer"


def test_a_listing_of_every_key_names_no_folder_in_place_of_its_keys() -> None:
    told = {"IsTruncated": False, "CommonPrefixes": [{"Prefix": "d/x/"}]}
    assert refused("ListObjectsV2", told, Prefix="d/").code == "BrokenAnswer"


@pytest.mark.parametrize("key, right", [("d/a", True), ("d/x/", True), ("d/", True), ("d/x/a", False), ("d//a", False)])
def test_a_listing_of_one_level_lists_no_key_below_it(key: str, right: bool) -> None:
    told = {"IsTruncated": False, "Contents": [{"Key": key, "Size": 0}]}
    if right:
        assert read("ListObjectsV2", told, Prefix="d/", Delimiter="/").objects[0].path == key
    else:
        assert refused("ListObjectsV2", told, Prefix="d/", Delimiter="/").code == "BrokenAnswer"


def test_a_key_comes_once_and_a_folder_once() -> None:
    row = {"Key": "a", "Size": 1}
    assert refused("ListObjectsV2", {"IsTruncated": False, "Contents": [row, row]}).code == "BrokenAnswer"
    told = {"IsTruncated": False, "CommonPrefixes": [{"Prefix": "a/"}, {"Prefix": "a/"}]}
    assert read("ListObjectsV2", told, Delimiter="/").prefixes == ["a/"]


@pytest.mark.parametrize("truncated", [None, "true", 1])
def test_a_listing_says_whether_it_goes_on(truncated: object) -> None:
    assert refused("ListObjectsV2", {"IsTruncated": truncated}).code == "BrokenAnswer"


def test_a_404_that_is_not_s3s_is_no_absence() -> None:
    assert not faults.is_missing(Fault("404", 404, foreign=True))
    assert faults.is_missing(Fault("404", 404))
    assert faults.is_missing(Fault("NoSuchKey", 404))
    assert type(faults.typed(Fault("404", 404, foreign=True))) is RemoteStoreError
    assert type(faults.typed(Fault("404", 404))) is NotFound


@pytest.mark.parametrize(
    "name, signed",
    [
        ("X-Amz-Request-Id", True),
        ("x-amzn-RequestId", True),
        ("x-amz-id-2", True),
        ("X-Amz-Cf-Id", False),
        ("X-Amz-Cf-Pop", False),
        ("x-amz-apigw-id", False),
        ("X-Amzn-Trace-Id", False),
        ("x-amzn-ErrorType", False),
        ("CF-RAY", False),
        ("Server", False),
    ],
)
def test_a_header_of_a_cdn_or_a_gateway_is_none_of_s3(name: str, signed: bool) -> None:
    assert is_signed({name: "1"}) is signed


def test_texts_of_the_server_are_escaped_and_cut() -> None:
    told = Fault("Co\x1bde\x85", 400, "a\nb\x1b[31m" + "x" * 1_000_000, "id\r\n")
    error = faults.typed(told)
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 3000
    assert r"a\nb\x1b[31m" in str(error)
    assert (error.code, error.request_id) == (r"Co\x1bde\x85", r"id\r\n")


@pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, chunked", "chunked ", "chunked;q=1", "xchunked"])
def test_a_body_that_http_client_does_not_decode_is_refused(coding: str) -> None:
    told = {**ENOUGH["GetObject"], "ResponseMetadata": about(headers={"Transfer-Encoding": coding})}
    assert refused("GetObject", told).code == "BrokenAnswer"


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "identity"])
def test_a_body_in_chunks_is_read(coding: str) -> None:
    told = {**ENOUGH["GetObject"], "ResponseMetadata": about(headers={"transfer-encoding": coding})}
    assert read("GetObject", told).length == 3


@pytest.mark.parametrize("row", [{"Contents": [{"Key": "a%FF", "Size": 1}]}, {"CommonPrefixes": [{"Prefix": "a%FF/"}]}])
def test_a_listed_name_that_is_not_utf_8_is_refused(row: dict[str, Any]) -> None:
    told = {**ENOUGH["ListObjectsV2"], "EncodingType": "url", **row}
    fault = refused("ListObjectsV2", told, Prefix="", Delimiter="/")
    assert fault.code == "BrokenAnswer"
    assert "UTF-8" in fault.message


UPLOADS: dict[str, Any] = {"IsTruncated": False, "Uploads": [{"Key": "a/b", "UploadId": "u", "Initiated": TIME}]}


def test_an_unfinished_upload_is_read_with_the_clock_of_the_server() -> None:
    date = {"date": "Fri, 02 Jan 2026 03:04:05 GMT"}
    found = read("ListMultipartUploads", {**UPLOADS, "ResponseMetadata": about(headers=date)}, Prefix="a")
    whole = TIME.replace(microsecond=0)
    assert found == Uploads([UnfinishedUpload("a/b", "u", whole)], date=whole)
    assert read("ListMultipartUploads", {"IsTruncated": False}) == Uploads([])
    encoded = {"IsTruncated": True, "EncodingType": "url", "NextKeyMarker": "a%2Bb", "NextUploadIdMarker": "%2B"}
    assert read("ListMultipartUploads", encoded, EncodingType="url") == Uploads([], "a+b", "%2B")
    assert read("ListMultipartUploads", encoded) == Uploads([], "a%2Bb", "%2B")


@pytest.mark.parametrize(
    "damage",
    [
        {"IsTruncated": "false"},
        {"IsTruncated": True},
        {"IsTruncated": True, "NextKeyMarker": "", "NextUploadIdMarker": ""},
        {"Uploads": ["a"]},
        {"Uploads": [{"Key": "a/b"}]},
        {"Uploads": [{"UploadId": "u"}]},
        {"Uploads": [{"Key": "", "UploadId": "u"}]},
        {"Uploads": [{"Key": "b", "UploadId": "u"}]},
        {"Uploads": UPLOADS["Uploads"] * 2},
        {"EncodingType": "url", "Uploads": [{"Key": "a/%FF", "UploadId": "u"}]},
    ],
)
def test_a_damaged_listing_of_uploads_is_refused(damage: dict[str, Any]) -> None:
    assert refused("ListMultipartUploads", UPLOADS | damage, Prefix="a", EncodingType="url").code == "BrokenAnswer"


STORED = {"PartNumber": 2, "Size": 5, "ETag": '"e"', "ChecksumSHA1": "s"}
PARTS: dict[str, Any] = {"IsTruncated": False, "Parts": [STORED]}


def test_the_parts_of_an_upload_are_read() -> None:
    assert read("ListParts", PARTS) == Parts([StoredPart(2, 5, '"e"', {"ChecksumSHA1": "s"})])
    assert read("ListParts", {**PARTS, "IsTruncated": True, "NextPartNumberMarker": 2}).marker == 2


@pytest.mark.parametrize(
    "damage",
    [
        {"IsTruncated": None},
        {"IsTruncated": True},
        {"IsTruncated": True, "NextPartNumberMarker": 1},
        {"IsTruncated": True, "NextPartNumberMarker": 10_001},
        {"Parts": [STORED, STORED]},
        {"Parts": [{**STORED, "PartNumber": 1}]},
        {"Parts": [{**STORED, "PartNumber": 10_001}]},
        {"Parts": [{**STORED, "Size": -1}]},
        {"Parts": [{**STORED, "ETag": '""'}]},
        {"Parts": [{"PartNumber": 2}]},
    ],
)
def test_a_damaged_listing_of_parts_is_refused(damage: dict[str, Any]) -> None:
    assert refused("ListParts", PARTS | damage, PartNumberMarker=1).code == "BrokenAnswer"
