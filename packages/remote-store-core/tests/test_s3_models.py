from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import ContentDigest
from remote_store.core.s3 import Call
from remote_store.core.s3.protocol import models, responses
from remote_store.core.s3.protocol.fields import bare, whole_seconds
from remote_store.core.s3.protocol.pages import Page
from remote_store.core.s3.protocol.responses import Facts, Written

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def page(told: dict[str, Any], **params: Any) -> Page:
    read = responses.read(Call("ListObjectsV2", {"Bucket": "bucket", **params}), {"IsTruncated": False, **told})
    assert isinstance(read, Page)
    return read


def facts(told: dict[str, Any]) -> Facts:
    read = responses.read(Call("HeadObject", {"Bucket": "bucket", "Key": "a"}), told)
    assert isinstance(read, Facts)
    return read


def entry(key: str, size: int = 1) -> dict[str, Any]:
    return {"Key": key, "Size": size, "ETag": '"AbC"', "LastModified": TIME, "StorageClass": "GLACIER"}


def test_a_page_is_decoded_once() -> None:
    told = page({"EncodingType": "url", "Contents": [entry("a+b%2Bc%252F"), entry("d/", 0), entry("e/")]})
    assert [info.path for info in told.objects] == ["a b+c%2F", "d/", "e/"]
    assert [info.path for info in told.files()] == ["a b+c%2F", "e/"]
    grouped = {"EncodingType": "url", "CommonPrefixes": [{"Prefix": "f+g/"}, {"Prefix": "h%252F/"}]}
    folders = page(grouped, Delimiter="/").folders()
    assert [(folder.path, folder.name) for folder in folders] == [("f g", "f g"), ("h%2F", "h%2F")]
    info = told.objects[0]
    assert (info.etag, info.modified_at, info.storage_class, info.metadata) == ("AbC", TIME, "GLACIER", None)


def test_a_server_that_did_not_encode_is_not_decoded() -> None:
    told = page({"Contents": [entry("a+b%2F")], "CommonPrefixes": [{"Prefix": "f+g/"}]}, Delimiter="/")
    assert [info.path for info in told.objects] == ["a+b%2F"]
    assert told.prefixes == ["f+g/"]


@pytest.mark.parametrize(
    "answer, token",
    [
        ({"IsTruncated": False}, None),
        ({"IsTruncated": False, "NextContinuationToken": "t"}, None),
        ({"IsTruncated": True, "NextContinuationToken": "t"}, "t"),
    ],
)
def test_only_a_truncated_page_has_a_next_one(answer: dict[str, Any], token: str | None) -> None:
    assert page(answer).token == token


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_every_key_comes_back_exactly_from_a_listing(key: str) -> None:
    s3 = FakeS3()
    s3.put(key, b"x")
    answer = s3.respond(Call("ListObjectsV2", {"Bucket": "bucket", "EncodingType": "url"}))
    assert [info.path for info in page(dict(answer)).objects] == [key]


@pytest.mark.parametrize(
    "answer, digest",
    [
        ({"ETag": '"e"'}, None),
        ({"ETag": '"e"', "ChecksumCRC32": None}, None),
        ({"ETag": '"e"', "ChecksumType": "FULL_OBJECT"}, None),
        ({"ETag": '"e"', "ChecksumCRC32": "x"}, ContentDigest("crc32", "x", full_object=True)),
        ({"ETag": '"e-2"', "ChecksumSHA256": "x-2"}, ContentDigest("sha256", "x-2", full_object=False)),
        (
            {"ETag": '"e-2"', "ChecksumCRC64NVME": "x", "ChecksumType": "FULL_OBJECT"},
            ContentDigest("crc64nvme", "x", full_object=True),
        ),
        (
            {"ETag": '"e"', "ChecksumCRC32": "x", "ChecksumType": "COMPOSITE"},
            ContentDigest("crc32", "x", full_object=False),
        ),
    ],
)
def test_a_digest_says_whether_it_covers_the_object(answer: dict[str, Any], digest: ContentDigest | None) -> None:
    assert facts(answer).digest == digest


def test_what_the_service_did_not_say_is_none() -> None:
    signed = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"x-amz-request-id": "1"}}}
    info = models.file_info("a", facts({"ContentLength": 0, **signed}), 0)
    assert (info.modified_at, info.etag, info.content_type, info.digest, info.version_id) == (None,) * 5
    result = models.write_result("a", 3, Written(None), {"m": "1"})
    assert (result.size, result.etag, result.version_id, result.digest) == (3, None, None, None)
    assert result.metadata == {"m": "1"}


@pytest.mark.parametrize(
    "time",
    [TIME, TIME.replace(tzinfo=None), TIME.replace(microsecond=789_000), TIME.astimezone(timezone(timedelta(hours=2)))],
)
def test_times_are_aware_and_in_utc(time: datetime) -> None:
    told = whole_seconds(time)
    assert told == TIME
    assert told is not None
    assert told.tzinfo is UTC


def test_an_entity_tag_keeps_its_case_and_loses_its_quotes() -> None:
    assert bare('"AbC-2"') == "AbC-2"
    assert bare("AbC") == "AbC"
    assert bare('W/"AbC"') == "AbC"
    assert bare(None) is None
