from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    BackendUnavailable,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import deleting
from remote_store.core.s3.operations.bucket import Bucket

BUCKET = Bucket("bucket", S3Options.build())
LIST, BULK, DELETE = "ListObjectsV2", "DeleteObjects", "DeleteObject"


def refuse(s3: FakeS3, *keys: str, code: str = "AccessDenied") -> None:
    """Let the server keep some keys, and say so in the answer to the bulk delete."""
    kept: dict[str, Any] = {}

    def before(call: Call) -> None:
        kept.update({key: s3.objects[key] for key in keys if key in s3.objects})
        if call.operation == DELETE and call.params["Key"] in keys:
            raise Fault(code, 403)

    def after(call: Call, answer: Any) -> None:
        if call.operation == BULK:
            named = [entry["Key"] for entry in call.params["Delete"]["Objects"]]
            s3.objects.update({key: kept[key] for key in named if key in kept})
            answer["Errors"] = [{"Key": key, "Code": code, "Message": "no"} for key in named if key in kept]

    s3.before, s3.after = before, after


def test_a_key_is_deleted_exactly(s3: FakeS3, lane: Any) -> None:
    for key in ("a*b", "axb", "a", "a/b", "a//b", "/a"):
        s3.put(key, b"x")
    for key in ("a*b", "a", "a//b", "/a"):
        lane.delete(key)
    assert sorted(s3.objects) == ["a/b", "axb"]


def test_a_folder_is_deleted_with_its_markers_and_nothing_beside_it(s3: FakeS3, lane: Any) -> None:
    for key in ("d", "dd/x", "d2", "d-x"):
        s3.put(key, b"x")
    kept = sorted(s3.objects)
    for key in ("d/", "d/a", "d//", "d//b", "d/e/", "d/../x"):
        s3.put(key)
    lane.delete_folder("d", recursive=True)
    assert sorted(s3.objects) == kept


@pytest.mark.parametrize("path", ["a", "a/"])
def test_a_file_is_no_folder_with_a_slash_either(path: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"x")
    for act in (lane.delete_folder, lane.get_folder_info):
        with pytest.raises(InvalidPath):
            act(path)
    with pytest.raises(InvalidPath):
        lane.delete_folder(path, missing_ok=True)
    assert list(s3.objects) == ["a"]


def test_only_an_empty_marker_makes_a_folder_empty(s3: FakeS3, lane: Any) -> None:
    s3.put("d/")
    lane.delete_folder("d")
    assert not s3.objects
    s3.put("d/", b"content of a file with an odd name")
    with pytest.raises(DirectoryNotEmpty):
        lane.delete_folder("d")
    assert list(s3.objects) == ["d/"]


@pytest.mark.parametrize("below", ["d/e/", "d/x", "d//"])
def test_a_folder_with_content_is_kept_unless_told_otherwise(below: str, s3: FakeS3, lane: Any) -> None:
    s3.put("d/")
    s3.put(below)
    with pytest.raises(DirectoryNotEmpty) as caught:
        lane.delete_folder("d", missing_ok=True)
    assert caught.value.path == "d"
    assert len(s3.objects) == 2


def test_keys_that_no_xml_can_name_are_deleted_one_by_one(s3: FakeS3, lane: Any) -> None:
    odd = ["d/\x01", "d/end\n", "d/\r", "d/\ufffe", "d/\x7f"]
    for key in [*odd, "d/a", "d/b"]:
        s3.put(key, b"x")
    lane.delete_folder("d", recursive=True)
    assert not s3.objects
    assert s3.operations().count(BULK) == 1
    assert sorted(call.params["Key"] for call in s3.calls if call.operation == DELETE) == sorted(odd)
    named = next(call for call in s3.calls if call.operation == BULK).params["Delete"]
    assert named == {"Objects": [{"Key": "d/a"}, {"Key": "d/b"}]}


def test_a_folder_of_nothing_but_such_keys_needs_no_bulk_delete(s3: FakeS3, lane: Any) -> None:
    s3.put("d/\x01")
    lane.delete_folder("d", recursive=True)
    assert s3.operations() == [LIST, DELETE]


def test_keys_that_were_not_deleted_are_named(s3: FakeS3, lane: Any) -> None:
    s3.page_size = 3
    keys = [f"d/{number}" for number in range(7)]
    for key in [*keys, "d/\x01"]:
        s3.put(key, b"x")
    refuse(s3, "d/1", "d/5", "d/\x01")
    with pytest.raises(PermissionDenied, match="3 of the folder's files could not be deleted") as caught:
        lane.delete_folder("d", recursive=True)
    assert sorted(caught.value.paths) == ["d/\x01", "d/1", "d/5"]
    assert caught.value.path == "d"
    assert sorted(s3.objects) == sorted(caught.value.paths)


def test_a_bulk_delete_that_fails_names_all_of_its_keys(s3: FakeS3, lane: Any) -> None:
    for name in "ab":
        s3.put(f"d/{name}", b"x")

    def before(call: Call) -> None:
        if call.operation == BULK:
            raise Fault("SlowDown", 503, "busy")

    s3.before = before
    with pytest.raises(BackendUnavailable) as caught:
        lane.delete_folder("d", recursive=True)
    assert caught.value.retryable
    assert sorted(caught.value.paths) == ["d/a", "d/b"]
    assert sorted(s3.objects) == ["d/a", "d/b"]


def test_an_unknown_reason_is_an_error_too(drive: Any) -> None:
    page = {"EncodingType": "url", "IsTruncated": False, "Contents": [{"Key": "d/a", "Size": 1}]}
    answers = [page, {"Errors": [{"Key": "d/a"}]}]
    with pytest.raises(RemoteStoreError) as caught:
        drive(deleting.delete_folder(BUCKET, "d", recursive=True, missing_ok=True), *answers)
    assert (caught.value.paths, caught.value.code) == (("d/a",), "Unknown")


def test_an_object_that_went_by_itself_is_deleted(s3: FakeS3, lane: Any) -> None:
    s3.put("d/\x01")

    def before(call: Call) -> None:
        if call.operation == DELETE:
            raise Fault("NoSuchKey", 404)

    s3.before = before
    lane.delete_folder("d", recursive=True)
    s3.before = None
    assert s3.operations() == [LIST, DELETE]
    s3.objects.clear()


def test_a_page_without_a_key_does_not_end_the_deletion(drive: Any) -> None:
    empty = {"IsTruncated": True, "NextContinuationToken": "t"}
    deleted = {"Deleted": [{"Key": "d/a"}]}
    page = {"EncodingType": "url", "IsTruncated": False, "Contents": [{"Key": "d/a", "Size": 1}]}
    operation = deleting.delete_folder(BUCKET, "d", recursive=True, missing_ok=False)
    _, steps = drive(operation, empty, page, deleted)
    assert [step.operation for step in steps] == [LIST, LIST, BULK]


def test_a_delete_that_is_refused_says_so(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"x")
    refuse(s3, "a")
    with pytest.raises(PermissionDenied) as caught:
        lane.delete("a")
    assert caught.value.path == "a"


@pytest.mark.parametrize("missing_ok", [True, False])
def test_a_denied_head_is_not_taken_for_a_missing_file(missing_ok: bool, drive: Any) -> None:
    operation = deleting.delete(BUCKET, "a", missing_ok=missing_ok)
    with pytest.raises((Fault, PermissionDenied)) as caught:
        drive(operation, Fault("403", 403), Fault("AccessDenied", 403))
    assert caught.value.code == "403"


def test_a_tolerant_delete_does_not_hide_that_a_folder_cannot_be_looked_for(drive: Any) -> None:
    with pytest.raises(Fault, match="AccessDenied"):
        drive(deleting.delete(BUCKET, "a", missing_ok=True), Fault("404", 404), Fault("AccessDenied", 403))


def test_a_missing_file_is_missing_unless_told_otherwise(lane: Any) -> None:
    with pytest.raises(NotFound):
        lane.delete("a")
    with pytest.raises(NotFound):
        lane.delete_folder("a", recursive=True)
    assert lane.delete("a", missing_ok=True) is None
    assert lane.delete_folder("a", recursive=True, missing_ok=True) is None
