from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import BackendUnavailable, NotFound, RemoteStoreError
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import paging
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.protocol import faults

BUCKET = Bucket("bucket", S3Options.build())
FOREIGN = [
    "a//b",
    "/lead",
    "a/./b",
    "a/../b",
    "tab\there",
    "é" * 512,
    "end\n",
    "a*",
    "a?",
    "[a]",
    "%2F",
    "+",
    "a b",
    "//",
]


def paths(items: list[Any]) -> list[str]:
    return [item.path for item in items]


def test_a_page_asks_for_its_place(drive: Any) -> None:
    cursor = Cursor("d/", "/")
    _, steps = drive(paging.next_page(BUCKET, cursor), {"IsTruncated": True, "NextContinuationToken": "t"})
    asked = {"Bucket": "bucket", "Prefix": "d/", "EncodingType": "url", "Delimiter": "/"}
    assert steps == [Call("ListObjectsV2", asked)]
    assert (cursor.token, cursor.done) == ("t", False)
    _, steps = drive(paging.next_page(BUCKET, cursor), {"IsTruncated": False})
    assert steps == [Call("ListObjectsV2", {**asked, "ContinuationToken": "t"})]
    assert (cursor.token, cursor.done) == (None, True)


def test_an_absent_bucket_is_empty_on_the_first_page_and_broken_after_it(drive: Any) -> None:
    gone = Fault("NoSuchBucket", 404)
    cursor = Cursor("")
    page, _ = drive(paging.next_page(BUCKET, cursor), gone)
    assert page.objects == []
    assert cursor.done
    with pytest.raises(Fault, match="NoSuchBucket"):
        drive(paging.next_page(BUCKET, Cursor("", token="t")), gone)


@pytest.mark.parametrize("fault", [Fault("AccessDenied", 403), Fault("SlowDown", 503), Fault("Reset", transport=True)])
def test_a_first_page_that_fails_is_no_empty_folder(fault: Fault, drive: Any) -> None:
    with pytest.raises(Fault) as caught:
        drive(paging.next_page(BUCKET, Cursor("")), fault)
    assert caught.value is fault


@pytest.mark.parametrize(
    "answer",
    [
        {"IsTruncated": True, "NextContinuationToken": "t"},
        {"IsTruncated": True},
    ],
)
def test_a_server_that_would_list_for_ever_or_stops_short_is_an_error(answer: dict[str, Any], drive: Any) -> None:
    cursor = Cursor("")
    drive(paging.next_page(BUCKET, cursor), {"IsTruncated": True, "NextContinuationToken": "t"})
    with pytest.raises(Fault, match="would never end|has no NextContinuationToken") as caught:
        drive(paging.next_page(BUCKET, cursor), answer)
    assert type(faults.typed(caught.value)) is RemoteStoreError


@pytest.mark.parametrize(
    "act",
    [
        lambda lane: lane.list_files("d", recursive=True),
        lambda lane: lane.list_folders("d"),
        lambda lane: lane.iter_children("d"),
        lambda lane: lane.glob("d/*"),
        lambda lane: lane.get_folder_info("d"),
        lambda lane: lane.delete_folder("d", recursive=True),
    ],
)
@pytest.mark.parametrize("how", ["repeated", "gone", "broken"])
def test_a_listing_that_breaks_at_its_second_page_raises(act: Any, how: str, s3: FakeS3, lane: Any) -> None:
    s3.page_size = 2
    for name in "abcde":
        s3.put(f"d/{name}")
    expected = {"repeated": RemoteStoreError, "gone": NotFound, "broken": BackendUnavailable}[how]

    def before(call: Call) -> None:
        if call.operation == "ListObjectsV2" and "ContinuationToken" in call.params and how != "repeated":
            raise Fault("NoSuchBucket", 404) if how == "gone" else Fault("ServiceUnavailable", 503)

    def after(call: Call, answer: Any) -> None:
        if call.operation == "ListObjectsV2" and how == "repeated":
            answer.update(IsTruncated=True, NextContinuationToken="same")

    s3.before, s3.after = before, after
    with pytest.raises(expected) as caught:
        act(lane)
    assert type(caught.value) is expected
    assert caught.value.path in ("d", "d/*")
    assert s3.operations().count("ListObjectsV2") == 2


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_keys_of_others_are_listed_once_under_their_exact_key(page_size: int, s3: FakeS3, lane: Any) -> None:
    s3.page_size = page_size
    for key in FOREIGN:
        s3.put(key, b"x")
    assert sorted(paths(lane.list_files("", recursive=True))) == sorted(FOREIGN)
    assert sorted(paths(lane.glob("**"))) == sorted(FOREIGN)
    assert lane.get_folder_info("").file_count == len(FOREIGN)


def walk(lane: Any, folder: str) -> list[str]:
    found = paths(lane.list_files(folder))
    for entry in lane.list_folders(folder):
        found += walk(lane, entry.path)
    return found


def test_a_walk_by_folders_ends_and_finds_every_key_once(s3: FakeS3, lane: Any) -> None:
    keys = [*FOREIGN, "a", "a/b", "//x", "/", "x//", "x///y"]
    for key in keys:
        s3.put(key, b"x")
    assert sorted(walk(lane, "")) == sorted(keys)


def test_markers_make_folders_and_are_no_files(s3: FakeS3, lane: Any) -> None:
    s3.put("d/")
    s3.put("d/e/")
    s3.put("d/f", b"12")
    assert lane.is_folder("d/e")
    assert paths(lane.list_files("d", recursive=True)) == ["d/f"]
    assert sorted(paths(lane.iter_children("d"))) == ["d/e", "d/f"]
    info = lane.get_folder_info("d")
    assert (info.file_count, info.total_size) == (1, 2)
    assert lane.get_folder_info("d/e").modified_at is None


def test_depth_counts_from_the_folder(s3: FakeS3, lane: Any) -> None:
    for key in ("d/a", "d/e/b", "d/e/f/c", "dd/x"):
        s3.put(key, b"x")
    found = [sorted(paths(lane.list_files("d", recursive=True, max_depth=depth))) for depth in (0, 1, 2, 9)]
    assert found == [["d/a"], ["d/a", "d/e/b"], ["d/a", "d/e/b", "d/e/f/c"], ["d/a", "d/e/b", "d/e/f/c"]]


def test_the_root_of_an_empty_bucket_is_an_empty_folder(lane: Any) -> None:
    info = lane.get_folder_info("")
    assert (info.path, info.file_count, info.total_size, info.modified_at) == ("", 0, 0, None)


def test_the_latest_write_of_a_folder_is_told(s3: FakeS3, lane: Any) -> None:
    s3.put("d/a", b"x")
    newest = s3.put("d/b", b"x")
    s3.put("e", b"x")
    assert lane.get_folder_info("d").modified_at == newest.modified
