from __future__ import annotations

from typing import Any

import pytest

from remote_store.core import InvalidPath, NotFound, PermissionDenied, RemoteStoreError
from remote_store.core.s3 import Call, Fault, S3Options, contract_errors
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Wait
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.pages import Page

BUCKET = Bucket("bucket", S3Options.build())
HEAD_MISS = Fault("404", 404)
FOUND = {"ContentLength": 3, "ETag": '"e"'}


def operations(steps: list[Any]) -> list[str]:
    return [step.operation for step in steps]


@pytest.mark.parametrize(
    "bare, told, code",
    [
        (Fault("400", 400), Fault("ExpiredToken", 400), "ExpiredToken"),
        (Fault("400", 400), Fault("AuthorizationHeaderMalformed", 400), "AuthorizationHeaderMalformed"),
        (Fault("400", 400), Fault("PermanentRedirect", 301), "PermanentRedirect"),
        (Fault("403", 403), Fault("InvalidAccessKeyId", 403), "InvalidAccessKeyId"),
        (Fault("403", 403), Fault("SignatureDoesNotMatch", 403), "SignatureDoesNotMatch"),
        (Fault("403", 403), Fault("401", 401), "401"),
        (Fault("403", 403), Fault("AccessDenied", 403), "403"),
        (Fault("403", 403), Fault("SlowDown", 503), "403"),
        (Fault("403", 403), Fault("ConnectTimeout", transport=True), "403"),
        (Fault("403", 403), Page([], [], None), "403"),
    ],
)
def test_a_head_that_lost_its_code_is_asked_again(bare: Fault, told: Any, code: str) -> None:
    operation = probes.head(BUCKET, "a")
    assert next(operation) == Call("HeadObject", {"Bucket": "bucket", "Key": "a"})
    again = operation.throw(bare)
    assert again == Call("ListObjectsV2", {"Bucket": "bucket", "Prefix": "a", "MaxKeys": 1, "EncodingType": "url"})
    with pytest.raises(Fault) as caught:
        operation.throw(told) if isinstance(told, Fault) else operation.send(told)
    assert caught.value.code == code


@pytest.mark.parametrize("fault", [HEAD_MISS, Fault("503", 503), Fault("ReadTimeout", transport=True)])
def test_no_other_head_is_asked_again(fault: Fault) -> None:
    operation = probes.head(BUCKET, "a")
    next(operation)
    with pytest.raises(Fault) as caught:
        operation.throw(fault)
    assert caught.value is fault


@pytest.mark.parametrize("question", [probes.is_file, probes.is_folder, probes.exists])
@pytest.mark.parametrize("fault", [Fault("403", 403), Fault("503", 503), Fault("Reset", transport=True)])
def test_a_question_is_never_answered_with_no_by_a_fault(question: Any, fault: Fault, drive: Any) -> None:
    with pytest.raises(Fault):
        drive(question(BUCKET, "a"), fault, fault)


def test_a_denied_listing_is_no_missing_folder(drive: Any) -> None:
    with pytest.raises(Fault, match="AccessDenied"):
        drive(probes.exists(BUCKET, "a"), HEAD_MISS, Fault("AccessDenied", 403))


@pytest.mark.parametrize(
    "probed, kind, code",
    [
        ({"IsTruncated": False, "Contents": [{"Key": "a/b", "Size": 1}]}, InvalidPath, None),
        ({"IsTruncated": False}, NotFound, "404"),
        ({"IsTruncated": False, "CommonPrefixes": []}, NotFound, "404"),
        (Fault("AccessDenied", 403), NotFound, "404"),
        (Fault("SlowDown", 503), NotFound, "404"),
        (Fault("NoSuchBucket", 404), NotFound, "NoSuchBucket"),
    ],
)
def test_a_probe_that_only_improves_the_message_may_fail(
    probed: Any, kind: type[RemoteStoreError], code: str | None, drive: Any
) -> None:
    raised, steps = drive(probes.missing(BUCKET, "a", HEAD_MISS), probed)
    with pytest.raises(kind) as caught, contract_errors(path="a"):
        raise raised
    assert (caught.value.code, caught.value.path) == (code, "a")
    assert steps[0].params["Prefix"] == "a/"
    assert len(steps) == 1


@pytest.mark.parametrize("fault", [Fault("NoSuchBucket", 404), Fault("AccessDenied", 403), Fault("SlowDown", 503)])
def test_what_is_no_missing_key_is_not_probed_at_all(fault: Fault) -> None:
    operation = probes.missing(BUCKET, "a", fault)
    with pytest.raises(StopIteration) as caught:
        next(operation)
    assert caught.value.value.code == fault.code


def test_a_create_looks_for_the_file_and_refuses_it(drive: Any) -> None:
    with pytest.raises(RemoteStoreError, match="overwrite=True"):
        drive(probes.refuse_existing(BUCKET, "a"), FOUND)
    assert drive(probes.refuse_existing(BUCKET, "a"), HEAD_MISS)[0] is None


def test_the_info_of_a_file_asks_for_its_checksum(drive: Any) -> None:
    info, steps = drive(probes.get_file_info(BUCKET, "a/b"), {**FOUND, "ChecksumCRC32": "AAAAAA=="})
    assert steps[0].params["ChecksumMode"] == "ENABLED"
    assert (info.path, info.name, info.size, info.etag, info.metadata) == ("a/b", "b", 3, "e", {})
    assert info.digest.algorithm == "crc32"


def test_the_ancestors_are_asked_for_at_once_and_a_denial_is_asked_again(drive: Any) -> None:
    bucket = Bucket("bucket", S3Options.build(reject_write_under_file_ancestor=True))
    operation = probes.refuse_file_ancestor(bucket, "a/b/c")
    begun = [next(operation), operation.send(None)]
    assert [(start.step.params["Key"], start.keeps_fault) for start in begun] == [("a", True), ("a/b", True)]
    assert operation.send(None) == Wait()
    again = operation.send([HEAD_MISS, Fault("403", 403)])
    assert (again.operation, again.params["Prefix"]) == ("ListObjectsV2", "a/b")
    with pytest.raises(Fault) as caught:
        operation.throw(Fault("InvalidAccessKeyId", 403))
    assert caught.value.code == "InvalidAccessKeyId"


def test_a_key_without_ancestors_asks_nothing() -> None:
    bucket = Bucket("bucket", S3Options.build(reject_write_under_file_ancestor=True))
    assert list(probes.refuse_file_ancestor(bucket, "a")) == []
    assert list(probes.refuse_file_ancestor(BUCKET, "a/b")) == []


def test_health_is_one_listing_whose_answer_has_a_code(drive: Any) -> None:
    _, steps = drive(probes.check_health(BUCKET), {"IsTruncated": False})
    assert operations(steps) == ["ListObjectsV2"]
    with pytest.raises(Fault) as caught:
        drive(probes.check_health(BUCKET), Fault("SignatureDoesNotMatch", 403))
    assert faults.classify(caught.value)[0] is PermissionDenied
