from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import InvalidPath, NotFound, PreconditionFailed, RemoteStoreError
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import deleting, paging, probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.paging import MOST_EMPTY_PAGES, Cursor

BUCKET = Bucket("bucket", S3Options.build())
EMPTY = {"IsTruncated": True, "NextContinuationToken": "t"}


def row(key: str) -> dict[str, Any]:
    return {"Key": key, "Size": 1}


def page(*keys: str, token: str | None = None, folders: tuple[str, ...] = ()) -> dict[str, Any]:
    more = {"IsTruncated": token is not None} | ({} if token is None else {"NextContinuationToken": token})
    return {**more, "Contents": [row(key) for key in keys], "CommonPrefixes": [{"Prefix": name} for name in folders]}


def follow(drive: Any, cursor: Cursor, told: dict[str, Any]) -> Any:
    return drive(paging.next_page(BUCKET, cursor), told)[0]


@pytest.mark.parametrize(
    "pages",
    [
        [page("a", token="1"), page("b", token="2"), page("a", token="3")],
        [page("a", token="1"), page("b", token="2"), page("c", token="1")],
        [page("a", "b", token="1"), page("b", token="2")],
    ],
)
def test_what_comes_round_again_is_refused(pages: list[dict[str, Any]], drive: Any) -> None:
    cursor = Cursor("")
    for told in pages[:-1]:
        follow(drive, cursor, told)
    with pytest.raises(Fault, match="incomplete") as caught:
        follow(drive, cursor, pages[-1])
    assert caught.value.code == "BrokenAnswer"


def test_empty_pages_without_end_are_refused(drive: Any) -> None:
    cursor = Cursor("")
    for number in range(MOST_EMPTY_PAGES - 1):
        follow(drive, cursor, page(token=str(number)))
    with pytest.raises(Fault, match="empty pages in a row"):
        follow(drive, cursor, page(token="last"))


def test_a_folder_that_spans_two_pages_comes_once(drive: Any) -> None:
    cursor = Cursor("", "/")
    assert follow(drive, cursor, page(token="1", folders=("a/", "b/"))).prefixes == ["a/", "b/"]
    assert follow(drive, cursor, page(folders=("b/", "c/"))).prefixes == ["c/"]
    assert cursor.done


def test_a_probe_follows_empty_pages(drive: Any) -> None:
    found, steps = drive(probes.is_folder(BUCKET, "d"), EMPTY, page("d/a"))
    assert found is True
    assert [step.params.get("ContinuationToken") for step in steps] == [None, "t"]
    assert drive(probes.is_folder(BUCKET, "d"), EMPTY, page())[0] is False


@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed", "MissingContentMD5", "405"])
def test_a_server_without_bulk_deletes_gets_single_ones_from_then_on(code: str, s3: FakeS3, lane: Any) -> None:
    s3.page_size = 3
    for number in range(7):
        s3.put(f"d/{number}", b"x")

    def before(call: Call) -> None:
        if call.operation == "DeleteObjects":
            raise Fault(code, {"NotImplemented": 501, "MissingContentMD5": 400}.get(code, 405))

    s3.before = before
    lane.delete_folder("d", recursive=True)
    assert not s3.objects
    assert s3.operations().count("DeleteObjects") == 1
    assert s3.operations().count("DeleteObject") == 7


def test_a_long_page_is_deleted_in_batches(s3: FakeS3, lane: Any) -> None:
    s3.page_size = 4500
    for number in range(2500):
        s3.put(f"d/{number:04}", b"x")
    lane.delete_folder("d", recursive=True)
    sizes = [len(call.params["Delete"]["Objects"]) for call in s3.calls if call.operation == "DeleteObjects"]
    assert sizes == [1000, 1000, 500]
    assert not s3.objects


def test_a_key_that_a_bulk_delete_does_not_account_for_is_deleted_alone(drive: Any) -> None:
    operation = deleting.delete_folder(BUCKET, "d", recursive=True, missing_ok=False)
    _, steps = drive(operation, page("d/a", "d/b"), {"Deleted": [{"Key": "d/b"}]}, {})
    assert (steps[-1].operation, steps[-1].params["Key"]) == ("DeleteObject", "d/a")


def test_a_delete_in_doubt_is_looked_after(drive: Any) -> None:
    web = {"ResponseMetadata": {"HTTPStatusCode": 204, "HTTPHeaders": {"server": "nginx"}}}
    head = {"ETag": '"e"', "ContentLength": 1}
    gone = Fault("404", 404)
    _, steps = drive(deleting.delete(BUCKET, "a", missing_ok=False), head, web, gone)
    assert [step.operation for step in steps] == ["HeadObject", "DeleteObject", "HeadObject"]
    with pytest.raises(Fault) as caught:
        drive(deleting.delete(BUCKET, "a", missing_ok=False), head, web, head)
    assert caught.value.code == "NotS3"


@pytest.mark.parametrize(
    "listed, missing", [(page(), True), (page("ab"), True), (page("a"), False), (Fault("AccessDenied", 403), True)]
)
def test_a_bare_404_is_proved_by_a_listing(listed: Any, missing: bool, drive: Any) -> None:
    bare = Fault("404", 404, foreign=True)
    if missing:
        assert drive(probes.is_file(BUCKET, "a"), bare, listed)[0] is False
        return
    with pytest.raises(Fault):
        drive(probes.is_file(BUCKET, "a"), bare, listed)


def test_a_listing_that_proves_a_bare_404_is_followed_to_its_first_key(drive: Any) -> None:
    bare = Fault("404", 404, foreign=True)
    with pytest.raises(Fault):
        drive(probes.is_file(BUCKET, "a"), bare, page(token="t"), page("a"))
    assert drive(probes.is_file(BUCKET, "a"), bare, page(token="t"), page("ab"))[0] is False


def test_a_listing_that_was_taken_for_a_read_is_no_absence(drive: Any) -> None:
    told = Fault("NoSuchKey", 404)
    for question in (paging.next_page(BUCKET, Cursor("d/")), probes.is_folder(BUCKET, "d")):
        with pytest.raises(Fault, match="NotS3"):
            drive(question, told)
    with pytest.raises(Fault, match="NotS3"):
        drive(probes.is_file(BUCKET, "a"), Fault("404", 404, foreign=True), told)


@pytest.mark.parametrize(
    "told", [Fault("404", 404, foreign=True), {"IsTruncated": None}, Fault("Reset", transport=True)]
)
def test_a_bare_404_without_a_listing_proves_nothing(told: Any, drive: Any) -> None:
    with pytest.raises(Fault):
        drive(probes.is_file(BUCKET, "a"), Fault("404", 404, foreign=True), told)


def test_a_head_without_a_length_is_completed_by_the_first_byte(drive: Any) -> None:
    head = {"ETag": '"e"'}
    first = {"ETag": '"e"', "ContentLength": 1, "ContentRange": "bytes 0-0/7", "Body": "body"}
    info, steps = drive(probes.get_file_info(BUCKET, "a"), head, first, None)
    assert info.size == 7
    assert (steps[1].params["Range"], steps[1].params["IfMatch"]) == ("bytes=0-0", '"e"')
    assert drive(probes.get_file_info(BUCKET, "a"), head, Fault("InvalidRange", 416))[0].size == 0
    assert drive(probes.is_file(BUCKET, "a"), head)[0] is True


def test_a_range_that_is_gone_says_that_the_object_changed(s3: FakeS3, opened: Any) -> None:
    file = opened("read_seekable", bytes(300_000))
    file.seek(200_000)

    def before(call: Call) -> None:
        if call.operation == "GetObject":
            raise Fault("InvalidRange", 416)

    s3.before = before
    with pytest.raises(PreconditionFailed):
        file.read(10)
    s3.before = None


def test_a_missing_source_outranks_a_file_in_the_way(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(reject_write_under_file_ancestor=True)
    s3.put("file", b"x")
    with pytest.raises(NotFound):
        lane.copy("missing", "file/x")
    with pytest.raises(InvalidPath):
        lane.copy("file", "file/x")


def test_a_size_that_no_memory_holds_is_an_error_of_the_contract(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"x", size=2**49)
    with pytest.raises(RemoteStoreError, match="do not fit into memory") as caught:
        lane.read_bytes("a")
    assert caught.value.path == "a"
