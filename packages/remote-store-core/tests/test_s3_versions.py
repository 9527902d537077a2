from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    CapabilityNotSupported,
    NotFound,
    ObjectArchived,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import copying, fetching, tagging, versions, writing
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import responses

HEAD: dict[str, Any] = {"ETag": '"e"', "ContentLength": 3, "VersionId": "v"}
GONE = Fault("404", 404, foreign=False)
AT = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = {"version_id": "v"}


def bucket(**options: Any) -> Bucket:
    return Bucket("b", S3Options.build(endpoint_url="http://s3.test", conditional_writes=True, **options))


def drive(operation: Operation[Any], answers: Iterable[Any]) -> tuple[Any, list[Call]]:
    """Run an operation with these answers: raw responses, or faults. Returns its result and its calls."""
    calls, told, answer = list[Call](), iter(answers), None
    error: Fault | None = None
    while True:
        try:
            step = operation.send(answer) if error is None else operation.throw(error)
        except StopIteration as ended:
            assert next(told, None) is None
            return ended.value, calls
        answer, error = None, None
        if isinstance(step, Call):
            calls.append(step)
            given = next(told)
            if isinstance(given, Fault):
                error = given
            else:
                answer = responses.read(step, given)


def row(key: str, version: str, **fields: Any) -> dict[str, Any]:
    return {"Key": key, "VersionId": version, "IsLatest": False, "Size": 1, "ETag": '"e"', "LastModified": AT, **fields}


def page(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"IsTruncated": "NextKeyMarker" in fields, "Versions": list(rows), **fields}


def listed(*pages: Any) -> tuple[list[str], list[Call]]:
    cursor, found, calls = versions.VersionCursor("k"), list[str](), list[Call]()
    for told in pages:
        assert not cursor.done
        rows, sent = drive(versions.next_versions(bucket(), cursor), [told])
        found += [version.version_id for version in rows]
        calls += sent
    assert cursor.done
    return found, calls


def test_a_listing_goes_on_after_the_last_version_and_ends_with_the_key() -> None:
    first = page(row("k", "1"), NextKeyMarker="k", NextVersionIdMarker="1")
    found, calls = listed(first, page(row("k", "2"), row("k2", "9"), NextKeyMarker="k2", NextVersionIdMarker="9"))
    assert found == ["1", "2"]
    assert [call.params.get("VersionIdMarker") for call in calls] == [None, "1"]
    assert calls[1].params["KeyMarker"] == "k"


def test_a_missing_bucket_has_no_versions_on_the_first_page_only() -> None:
    assert listed(Fault("NoSuchBucket", 404)) == ([], [Call("ListObjectVersions", {"Bucket": "b", **ASKED})])
    with pytest.raises(Fault, match="NoSuchBucket"):
        listed(page(row("k", "1"), NextKeyMarker="k", NextVersionIdMarker="1"), Fault("NoSuchBucket", 404))


ASKED = {"Prefix": "k", "Delimiter": "/", "EncodingType": "url"}


@pytest.mark.parametrize(
    "pages",
    [
        [page(row("k", "1"), NextKeyMarker="k", NextVersionIdMarker="1")] * 2,
        [page(NextKeyMarker="j", NextVersionIdMarker="1")] * 2,
        [page(IsTruncated=True)],
        [page(row("other", "1"))],
        [page(row("k", "1"), row("k", "1"))],
        [page({"Key": "k", "Size": 1})],
        [page({"Key": "k", "VersionId": "1"})],
        [{}],
    ],
)
def test_a_listing_that_repeats_or_lacks_something_is_broken(pages: list[Any]) -> None:
    with pytest.raises(Fault) as caught:
        listed(*pages)
    assert caught.value.code == "BrokenAnswer"


def test_versions_and_markers_are_merged_by_time() -> None:
    rows = [row("k", "new", LastModified=AT.replace(hour=3)), row("k", "old", LastModified=AT)]
    marker = {"Key": "k", "VersionId": "gone", "IsLatest": False, "LastModified": AT.replace(hour=2)}
    latest = {"Key": "k", "VersionId": "latest", "IsLatest": True, "LastModified": AT.replace(hour=3)}
    found, _ = listed(page(*rows, DeleteMarkers=[marker, latest]))
    assert found == ["latest", "new", "gone", "old"]


def test_a_service_that_ignores_the_version_is_noticed() -> None:
    other = {**HEAD, "VersionId": "w"}
    for told in (other, {**HEAD, "VersionId": None}):
        with pytest.raises(CapabilityNotSupported, match="ignored the version id"):
            drive(versions.delete(bucket(), "k", VERSION, missing_ok=True), [told])
        with pytest.raises(CapabilityNotSupported):
            drive(copying.restore(bucket(), "k", VERSION), [told])
        with pytest.raises(CapabilityNotSupported):
            drive(fetching.read_bytes(bucket(), "k", VERSION), [{**told, "Body": object()}])
        with pytest.raises(CapabilityNotSupported):
            drive(tagging.set_tags(bucket(), "k", {"a": "b"}, VERSION), [told])


def test_only_a_listed_marker_is_deleted_without_a_head() -> None:
    marker = {"Key": "k", "VersionId": "v", "IsLatest": True}
    signed = {"ResponseMetadata": {"HTTPStatusCode": 204, "HTTPHeaders": {"x-amz-request-id": "R"}}}
    for refusal in (Fault("405", 405), GONE):
        _, calls = drive(
            versions.delete(bucket(), "k", VERSION, missing_ok=False), [refusal, page(DeleteMarkers=[marker]), signed]
        )
        assert calls[-1] == Call("DeleteObject", {"Bucket": "b", "Key": "k", "VersionId": "v"})
    with pytest.raises(NotFound, match="no such version"):
        drive(versions.delete(bucket(), "k", VERSION, missing_ok=False), [GONE, page(), {"IsTruncated": False}])
    assert drive(versions.delete(bucket(), "k", VERSION, missing_ok=True), [GONE, page()])[0] is None


def test_the_tag_of_a_version_is_compared_here_because_s3_compares_that_of_the_current_one() -> None:
    with pytest.raises(PreconditionFailed):
        drive(versions.delete(bucket(), "k", {**VERSION, "if_match": "f"}, missing_ok=False), [HEAD])
    _, calls = drive(versions.delete(bucket(), "k", {**VERSION, "if_match": "e"}, missing_ok=False), [HEAD, {}])
    assert "IfMatch" not in calls[-1].params


def test_a_malformed_version_id_is_no_version() -> None:
    told = [Fault("400", 400), Fault("InvalidArgument", 400)]
    with pytest.raises(NotFound, match="no such version"):
        drive(copying.restore(bucket(), "k", VERSION), told)
    with pytest.raises(Fault, match="InvalidRequest"):
        drive(copying.restore(bucket(), "k", VERSION), [Fault("400", 400), Fault("InvalidRequest", 400)])


def test_restoring_the_current_version_copies_nothing() -> None:
    result, calls = drive(copying.restore(bucket(), "k", VERSION), [HEAD, HEAD])
    assert (result.version_id, len(calls)) == ("v", 2)
    copied = {"CopyObjectResult": {"ETag": '"e"'}, "VersionId": "new"}
    result, calls = drive(copying.restore(bucket(), "k", VERSION), [HEAD, GONE, copied])
    assert result.version_id == "new"
    assert calls[-1].params["CopySource"] == {"Bucket": "b", "Key": "k", "VersionId": "v"}


def test_an_archived_object_says_its_storage_class() -> None:
    refusal = Fault("InvalidObjectState", 403)
    with pytest.raises(ObjectArchived, match="GLACIER") as caught:
        drive(fetching.read_bytes(bucket(), "k"), [refusal, {**HEAD, "StorageClass": "GLACIER"}])
    assert isinstance(caught.value, PermissionDenied | PermissionError)
    assert (caught.value.storage_class, caught.value.http_status) == ("GLACIER", 403)
    with pytest.raises(Fault) as unknown:
        drive(fetching.read_bytes(bucket(), "k"), [refusal, Fault("SlowDown", 503)])
    assert unknown.value is refusal


def test_tags_are_removed_only_from_a_file_that_exists_and_set_only_with_proof() -> None:
    with pytest.raises(Fault, match="404"):
        drive(tagging.set_tags(bucket(), "k", {}, {}), [GONE, {"IsTruncated": False}])
    unsigned = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}
    with pytest.raises(Fault, match="no header of S3"):
        drive(tagging.set_tags(bucket(), "k", {"a": "b"}, {}), [unsigned, {"TagSet": []}])
    drive(tagging.set_tags(bucket(), "k", {"a": "b"}, {}), [unsigned, {"TagSet": [{"Key": "a", "Value": "b"}]}])


def test_a_service_without_tags_or_versions_says_so() -> None:
    for operation in (tagging.get_tags(bucket(), "k", {}), tagging.set_tags(bucket(), "k", {"a": "b"}, {})):
        with pytest.raises(CapabilityNotSupported, match="tags"):
            drive(operation, [Fault("NotImplemented", 501)])
    with pytest.raises(CapabilityNotSupported, match="versions"):
        drive(versions.next_versions(bucket(), versions.VersionCursor("k")), [Fault("NotImplemented", 501)])
    with pytest.raises(Fault, match="404"):
        drive(tagging.get_tags(bucket(), "k", {}), [Fault("MethodNotAllowed", 405), GONE, {"IsTruncated": False}])


PAYER = {"put_options": {"RequestPayer": "requester"}}


def test_every_new_call_that_has_the_header_says_who_pays() -> None:
    signed = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"x-amz-request-id": "R"}}}
    copied = {"CopyObjectResult": {"ETag": '"e"'}}
    runs: list[tuple[Any, list[Any]]] = [
        (tagging.get_tags(bucket(**PAYER), "k", VERSION), [HEAD, {"TagSet": []}]),
        (tagging.set_tags(bucket(**PAYER), "k", {"a": "b"}, {}), [signed]),
        (versions.next_versions(bucket(**PAYER), versions.VersionCursor("k")), [page()]),
        (versions.delete(bucket(**PAYER), "k", VERSION, missing_ok=False), [HEAD, signed]),
        (copying.restore(bucket(**PAYER), "k", VERSION), [HEAD, GONE, copied]),
    ]
    for operation, answers in runs:
        _, calls = drive(operation, answers)
        assert all(call.params.get("RequestPayer") == "requester" for call in calls), calls
    # DeleteObjectTagging has no such header (S3 API Reference).
    _, calls = drive(tagging.set_tags(bucket(**PAYER), "k", {}, {}), [HEAD, signed])
    assert [call.params.get("RequestPayer") for call in calls] == ["requester", None]


def test_a_write_replaces_the_encryption_of_put_options() -> None:
    extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k", "StorageClass": "STANDARD_IA"}
    call = bucket(put_options=extra).call("PutObject", extra.keys(), Key="k", ServerSideEncryption="AES256")
    assert call.params == {
        "Bucket": "b",
        "Key": "k",
        "ServerSideEncryption": "AES256",
        "StorageClass": "STANDARD_IA",
    }
    customer = bucket(put_options={"SSECustomerKey": b"k" * 32, "SSECustomerAlgorithm": "AES256"})
    write = writing.write(
        customer,
        "k",
        1,
        overwrite=True,
        metadata={},
        content_type=None,
        options={"server_side_encryption": "AES256"},
    )
    with pytest.raises(ValueError, match="SSECustomerKey"):
        next(write)


def test_an_error_of_an_archived_object_is_picklable() -> None:
    error = ObjectArchived("archived", path="a")
    error.storage_class = "GLACIER"
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.path, copied.storage_class) == (ObjectArchived, "a", "GLACIER")
    assert isinstance(copied, RemoteStoreError)


@pytest.mark.parametrize("call", ["read_bytes", "read", "read_seekable", "get_file_info", "delete"])
def test_a_version_that_is_none_is_no_version(call: str, s3: FakeS3, lane: Any) -> None:
    with pytest.raises(TypeError, match="version_id is None"):
        getattr(lane, call)("a", version_id=None)
    with pytest.raises(TypeError, match="version_id is None"):
        lane.copy("a", "b", version_id=None)
    with pytest.raises(TypeError, match="version_id is None"):
        lane.restore_version("a", None)
    assert s3.calls == []


@pytest.mark.parametrize("tag", ["a, b", "a b", "a,b", "\u00e9", "", "*"])
def test_a_tag_that_a_server_may_take_for_several_is_refused(tag: str, s3: FakeS3, lane: Any) -> None:
    with pytest.raises(ValueError, match="if_match must be an ETag"):
        lane.read_bytes("a", if_match=tag)
    assert s3.calls == []
