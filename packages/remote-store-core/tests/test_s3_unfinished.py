from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import EPOCH, FakeS3, StoredObject, Upload
from remote_store.core import InvalidPath, RemoteStoreError, Store, UnfinishedUpload
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import unfinished
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.paging import MOST_EMPTY_PAGES
from remote_store.core.s3.operations.unfinished import UploadCursor, uploads_in

BUCKET = Bucket("bucket", S3Options.build())
LIST, ABORT = "ListMultipartUploads", "AbortMultipartUpload"
HOUR = timedelta(hours=1)
KEYS = ["a", "a/b.bin", "a/b.bin2", "a/é +%2F/x", "ab", "other"]


def row(key: str, name: str = "u", **more: Any) -> dict[str, Any]:
    return {"Key": key, "UploadId": name, **more}


def page(*rows: dict[str, Any], key: str | None = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    markers = {"NextKeyMarker": key, "NextUploadIdMarker": name}
    truncated = key is not None or name is not None
    given = {marker: value for marker, value in markers.items() if value is not None}
    return {"IsTruncated": truncated, "Uploads": list(rows), **given, **more}


@pytest.fixture
def begun(s3: FakeS3) -> Any:
    for key in KEYS:
        s3.uploads[f"id of {key}"] = Upload(key, StoredObject(b"", 0, ""))
    yield s3.uploads
    s3.uploads.clear()


@pytest.mark.parametrize("page_size", [1, 2, 1000])
@pytest.mark.parametrize(
    "path, expected",
    [("", KEYS), ("a", KEYS[:4]), ("a/", KEYS[1:4]), ("a/b.bin", ["a/b.bin"]), ("a/é +%2F", [KEYS[3]]), ("none", [])],
)
@pytest.mark.parametrize("options", [{}, {"endpoint_url": "http://s3.test"}])
def test_the_uploads_of_a_file_and_below_a_folder_are_listed(
    open_lane: Any,
    options: dict[str, Any],
    s3: FakeS3,
    begun: dict[str, Upload],
    page_size: int,
    path: str,
    expected: list[str],
) -> None:
    s3.page_size = page_size
    lane = open_lane(**options)
    found = lane.list_uploads(path)
    assert found == [UnfinishedUpload(key, f"id of {key}", EPOCH) for key in expected]
    assert set(s3.operations()) == {LIST}
    if page_size == 1000:
        assert len(s3.calls) == 1


def test_a_store_lists_and_aborts_nothing_beside_its_root(open_lane: Any, begun: dict[str, Upload]) -> None:
    lane = open_lane()
    if lane.is_async:
        return
    store = Store(lane.backend, "a")  # type: ignore[arg-type]
    assert [upload.path for upload in store.list_uploads()] == ["b.bin", "b.bin2", "é +%2F/x"]
    assert [upload.path for upload in store.list_uploads("b.bin")] == ["b.bin"]
    assert store.abort_uploads(older_than=HOUR) == 3
    assert [upload.key for upload in begun.values()] == ["a", "ab", "other"]


def test_only_old_uploads_are_aborted_by_the_clock_of_the_server(
    lane: Any, s3: FakeS3, begun: dict[str, Upload]
) -> None:
    assert lane.abort_uploads("", older_than=HOUR + timedelta(seconds=1)) == 0
    assert len(begun) == len(KEYS)
    assert lane.abort_uploads("a", older_than=HOUR) == 4
    assert sorted(upload.key for upload in begun.values()) == ["ab", "other"]
    assert s3.operations() == [LIST, LIST, *[ABORT] * 4]


def test_an_upload_that_has_just_ended_is_not_counted_and_one_that_fails_does_not_stop_the_others(
    lane: Any, s3: FakeS3, begun: dict[str, Upload]
) -> None:
    faults = {
        "a": Fault("NoSuchUpload", 404, "gone", "r"),
        "ab": Fault("AccessDenied", 403, "no", "r"),
        "other": Fault("InternalError", 500, "oops", "r"),
    }

    def before(call: Call) -> None:
        if call.operation == ABORT and call.params["Key"] in faults:
            raise faults[call.params["Key"]]

    s3.before = before
    with pytest.raises(RemoteStoreError, match="2 uploads could not be aborted, 3 were aborted") as caught:
        lane.abort_uploads("", older_than=HOUR)
    assert (caught.value.paths, caught.value.code) == (("ab", "other"), "AccessDenied")
    assert sorted(upload.key for upload in begun.values()) == ["a", "ab", "other"]


@pytest.mark.parametrize(
    "older_than, error",
    [(3600, TypeError), (1.5, TypeError), (True, TypeError), (None, TypeError), (-HOUR, ValueError)],
)
def test_an_age_that_is_none_is_refused_before_any_request(
    lane: Any, s3: FakeS3, older_than: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="older_than must"):
        lane.abort_uploads("", older_than=older_than)
    for path in ("a\0", "a" * 1025):
        with pytest.raises(InvalidPath):
            lane.abort_uploads(path, older_than=HOUR)
        with pytest.raises(InvalidPath):
            lane.list_uploads(path)
    assert s3.calls == []


def test_a_bucket_that_does_not_exist_has_no_uploads(lane: Any, s3: FakeS3) -> None:
    s3.bucket = "another"
    assert lane.list_uploads("") == []
    assert lane.abort_uploads("", older_than=HOUR) == 0


def test_the_markers_are_sent_as_they_came(drive: Any) -> None:
    cursor = UploadCursor("", "")
    turns: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (page(row("a%2Bb"), key="a%2Bb", name="u", EncodingType="url"), {"KeyMarker": "a+b", "UploadIdMarker": "u"}),
        (page(row("a%2Bb"), name="v"), {"UploadIdMarker": "v"}),
        (page(row("c"), key="c"), {"KeyMarker": "c"}),
        (page(), {}),
    ]
    sent: dict[str, Any] = {}
    for told, markers in turns:
        _, steps = drive(unfinished.next_uploads(BUCKET, cursor), told)
        assert steps == [Call(LIST, {"Bucket": "bucket", "EncodingType": "url", **sent})]
        sent = markers
    assert cursor.done


@pytest.mark.parametrize(
    "pages",
    [
        [page(row("a"), key="1"), page(row("b"), key="1")],
        [page(row("a"), name="1"), page(row("b"), name="2"), page(row("c"), name="1")],
        [page(row("a"), row("b"), name="1"), page(row("b"), name="2")],
        [page(row("a"), row("a"), name="1")],
    ],
)
def test_a_listing_that_would_never_end_is_refused(pages: list[dict[str, Any]], drive: Any) -> None:
    cursor = UploadCursor("", "")
    for told in pages[:-1]:
        drive(unfinished.next_uploads(BUCKET, cursor), told)
    with pytest.raises(Fault) as caught:
        drive(unfinished.next_uploads(BUCKET, cursor), pages[-1])
    assert caught.value.code == "BrokenAnswer"


def test_empty_pages_without_end_are_refused(drive: Any) -> None:
    cursor = UploadCursor("", "")
    for number in range(MOST_EMPTY_PAGES - 1):
        drive(unfinished.next_uploads(BUCKET, cursor), page(name=str(number)))
    with pytest.raises(Fault, match="empty pages in a row"):
        drive(unfinished.next_uploads(BUCKET, cursor), page(name="last"))


def test_a_bucket_that_is_lost_after_the_first_page_is_an_error(drive: Any) -> None:
    cursor = UploadCursor("", "")
    drive(unfinished.next_uploads(BUCKET, cursor), page(row("a"), name="1"))
    with pytest.raises(Fault, match="gone"):
        drive(unfinished.next_uploads(BUCKET, cursor), Fault("NoSuchBucket", 404, "gone"))


@pytest.mark.parametrize("path, prefix", [("", ""), ("a", ""), ("a/b.bin", "a/"), ("a/b/", "a/b/")])
def test_a_directory_bucket_is_asked_for_whole_folders(path: str, prefix: str) -> None:
    assert uploads_in(Bucket("data--use1-az4--x-s3", S3Options.build()), path).prefix == path
    # What the lane finds out about its bucket.
    options = S3Options.build()
    object.__setattr__(options.endpoint, "bucket_kind", "directory")
    assert uploads_in(Bucket("data--use1-az4--x-s3", options), path).prefix == prefix


def aborted(drive: Any, *answers: Any, older_than: timedelta = HOUR) -> Any:
    return drive(unfinished.abort_uploads(BUCKET, "", older_than), *answers)


DATED = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"Date": "Thu, 01 Jan 2026 01:00:00 GMT"}}}
UNSIGNED = {"ResponseMetadata": {"HTTPStatusCode": 204, "HTTPHeaders": {}}}
OLD = row("a", Initiated=datetime(2026, 1, 1, tzinfo=UTC))


def test_an_upload_without_a_time_is_left_alone(drive: Any) -> None:
    count, steps = aborted(drive, page(row("a"), row("b", Initiated="x"), **DATED), older_than=timedelta())
    assert (count, len(steps)) == (0, 1)


def test_without_the_servers_clock_nothing_is_aborted(drive: Any) -> None:
    with pytest.raises(Fault, match="no Date"):
        aborted(drive, page(OLD))
    assert aborted(drive, page())[0] == 0


@pytest.mark.parametrize(
    "looked, count", [(Fault("NoSuchUpload", 404, "gone", "r"), 1), ({"IsTruncated": False}, None)]
)
def test_an_abort_that_nothing_proves_is_looked_at(drive: Any, looked: Any, count: int | None) -> None:
    if count is None:
        with pytest.raises(RemoteStoreError, match="1 uploads could not be aborted"):
            aborted(drive, page(OLD, **DATED), UNSIGNED, looked)
    else:
        assert aborted(drive, page(OLD, **DATED), UNSIGNED, looked)[0] == count
