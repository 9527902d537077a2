from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)

MIB = 1024 * 1024
PART = 5 * MIB
HEAD, GET, LIST, PUT, COPY, DELETE = (
    "HeadObject",
    "GetObject",
    "ListObjectsV2",
    "PutObject",
    "CopyObject",
    "DeleteObject",
)
BULK, CREATE, SEND, COMPLETE = "DeleteObjects", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"


@dataclass
class Row:
    """One row of the table of costs: what is done, and which requests it takes."""

    id: str
    act: Callable[[Any], Any]
    trusted: list[str]
    untrusted: list[str] | None = None
    error: type[RemoteStoreError] | None = None
    aws: list[str] | None = None
    files: list[str] = field(default_factory=lambda: ["a", "d/x", "d/e/y"])


def read_all(lane: Any) -> bytes:
    file = lane.read("a")
    data = lane.done(file.read())
    lane.done(file.close())
    return data


def open_seekable(lane: Any) -> None:
    lane.done(lane.read_seekable("a").close())


def read_twice(lane: Any) -> None:
    file = lane.read_seekable("a")
    lane.done(file.seek(2))
    assert lane.done(file.read(3)) == b"345"
    assert lane.done(file.read(1)) == b"6"
    lane.done(file.close())


ROWS = [
    Row("read", read_all, [GET]),
    Row("read_bytes", lambda lane: lane.read_bytes("a"), [GET]),
    Row("read_range", lambda lane: lane.read_range("a", 2, 3), [GET]),
    Row("read_range of nothing", lambda lane: lane.read_range("a", 2, 0), [GET]),
    Row("read_range past the end", lambda lane: lane.read_range("a", 99, 3), [GET]),
    Row("read_seekable", open_seekable, [HEAD]),
    Row("read_seekable, two reads", read_twice, [HEAD, GET, GET]),
    Row("get_file_info", lambda lane: lane.get_file_info("a"), [HEAD]),
    Row("is_file", lambda lane: lane.is_file("a"), [HEAD]),
    Row("is_file, missing", lambda lane: lane.is_file("b"), [HEAD]),
    Row("exists, file", lambda lane: lane.exists("a"), [HEAD]),
    Row("exists, folder", lambda lane: lane.exists("d"), [HEAD, LIST]),
    Row("exists, missing", lambda lane: lane.exists("b"), [HEAD, LIST]),
    Row("is_folder", lambda lane: lane.is_folder("d"), [LIST]),
    Row("is_folder, missing", lambda lane: lane.is_folder("b"), [LIST]),
    Row("exists, root", lambda lane: lane.exists(""), []),
    Row("is_file, root", lambda lane: lane.is_file(""), []),
    Row("is_folder, root", lambda lane: lane.is_folder(""), []),
    Row("read, missing", lambda lane: lane.read("b"), [GET, LIST], error=NotFound),
    Row("read, folder", lambda lane: lane.read("d"), [GET, LIST], error=InvalidPath),
    Row("read_bytes, missing", lambda lane: lane.read_bytes("b"), [GET, LIST], error=NotFound),
    Row("read_range, folder", lambda lane: lane.read_range("d", 0, 1), [GET, LIST], error=InvalidPath),
    Row("read_seekable, missing", lambda lane: lane.read_seekable("b"), [HEAD, LIST], error=NotFound),
    Row("get_file_info, folder", lambda lane: lane.get_file_info("d"), [HEAD, LIST], error=InvalidPath),
    Row("create", lambda lane: lane.write("n", b"x"), [PUT], [HEAD, PUT]),
    Row("create, taken", lambda lane: lane.write("a", b"x"), [PUT], [HEAD], AlreadyExists),
    Row("create, empty", lambda lane: lane.write("n", b""), [PUT], [HEAD, PUT]),
    Row("write_atomic", lambda lane: lane.write_atomic("n", b"x"), [PUT], [HEAD, PUT]),
    Row("overwrite", lambda lane: lane.write("a", b"x", overwrite=True), [PUT]),
    Row("overwrite a part", lambda lane: lane.write("a", b"x" * PART, overwrite=True), [PUT]),
    Row(
        "stream of three parts",
        lambda lane: lane.write("n", io.BytesIO(b"x" * (2 * PART + 1))),
        [CREATE, SEND, SEND, SEND, COMPLETE],
        [HEAD, CREATE, SEND, SEND, SEND, COMPLETE],
    ),
    Row("open_atomic, create", lambda lane: lane.write_spooled("n", b"x"), [HEAD, PUT], [HEAD, HEAD, PUT]),
    Row("open_atomic, overwrite", lambda lane: lane.write_spooled("a", b"x", overwrite=True), [PUT]),
    Row("delete", lambda lane: lane.delete("a"), [HEAD, DELETE]),
    Row("delete, missing", lambda lane: lane.delete("b"), [HEAD, LIST], error=NotFound),
    Row("delete, missing, tolerant", lambda lane: lane.delete("b", missing_ok=True), [HEAD, LIST]),
    Row("delete, folder", lambda lane: lane.delete("d", missing_ok=True), [HEAD, LIST], error=InvalidPath),
    Row("copy, create", lambda lane: lane.copy("a", "n"), [COPY], [HEAD, COPY], aws=[HEAD, COPY]),
    Row("copy, overwrite", lambda lane: lane.copy("a", "d/x", overwrite=True), [COPY], aws=[HEAD, COPY]),
    Row("copy, taken", lambda lane: lane.copy("a", "d/x"), [COPY, HEAD, HEAD], [HEAD, HEAD], AlreadyExists),
    Row("copy, missing", lambda lane: lane.copy("b", "n"), [COPY, LIST], [HEAD, COPY, LIST], NotFound, [HEAD, LIST]),
    Row("copy, folder", lambda lane: lane.copy("d", "n"), [COPY, LIST], [HEAD, COPY, LIST], InvalidPath, [HEAD, LIST]),
    Row("copy onto itself", lambda lane: lane.copy("a", "a"), [HEAD]),
    Row("copy onto itself, missing", lambda lane: lane.copy("b", "b"), [HEAD, LIST], error=NotFound),
    Row("move", lambda lane: lane.move("a", "n"), [HEAD, COPY, DELETE], [HEAD, HEAD, COPY, HEAD, DELETE]),
    Row(
        "move, overwrite",
        lambda lane: lane.move("a", "d/x", overwrite=True),
        [HEAD, COPY, DELETE],
        [HEAD, COPY, HEAD, DELETE],
    ),
    Row("move, taken", lambda lane: lane.move("a", "d/x"), [HEAD, COPY, HEAD, HEAD], [HEAD, HEAD], AlreadyExists),
    Row("move, missing", lambda lane: lane.move("b", "n"), [HEAD, LIST], error=NotFound),
    Row("move, folder", lambda lane: lane.move("d", "n"), [HEAD, LIST], error=InvalidPath),
    Row("move onto itself", lambda lane: lane.move("a", "a", overwrite=True), [HEAD]),
    Row("list_files", lambda lane: lane.list_files("d"), [LIST]),
    Row("list_files, missing", lambda lane: lane.list_files("zz"), [LIST]),
    Row("list_files, recursive", lambda lane: lane.list_files("", recursive=True), [LIST]),
    Row("list_folders", lambda lane: lane.list_folders(""), [LIST]),
    Row("iter_children", lambda lane: lane.iter_children(""), [LIST]),
    Row("glob", lambda lane: lane.glob("d/**"), [LIST]),
    Row("get_folder_info", lambda lane: lane.get_folder_info("d"), [LIST]),
    Row("get_folder_info, missing", lambda lane: lane.get_folder_info("b"), [LIST, HEAD], error=NotFound),
    Row("get_folder_info, file", lambda lane: lane.get_folder_info("a"), [LIST, HEAD], error=InvalidPath),
    Row("delete_folder", lambda lane: lane.delete_folder("d", recursive=True), [LIST, BULK]),
    Row("delete_folder, full", lambda lane: lane.delete_folder("d"), [LIST], error=DirectoryNotEmpty),
    Row("delete_folder, missing", lambda lane: lane.delete_folder("b"), [LIST, HEAD], error=NotFound),
    Row("delete_folder, tolerant", lambda lane: lane.delete_folder("b", missing_ok=True), [LIST, HEAD]),
    Row("delete_folder, file", lambda lane: lane.delete_folder("a", missing_ok=True), [LIST, HEAD], error=InvalidPath),
    Row("check_health", lambda lane: lane.check_health(), [LIST]),
]


@pytest.mark.parametrize("trust", ["trusted", "untrusted", "aws"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_requests_of_each_operation(row: Row, trust: str, s3: FakeS3, open_lane: Any) -> None:
    endpoint = {} if trust == "aws" else {"endpoint_url": "http://s3.test", "conditional_writes": trust == "trusted"}
    lane = open_lane(part_size=PART, **endpoint)
    for name in row.files:
        s3.put(name, b"1234567890")
    if trust == "aws" and row.error is AlreadyExists and row.id.startswith("copy"):
        expected = [HEAD, COPY, HEAD, HEAD]
    else:
        expected = {"untrusted": row.untrusted, "aws": row.aws}.get(trust) or row.trusted
    if row.error is None:
        row.act(lane)
    else:
        with pytest.raises(row.error) as caught:
            row.act(lane)
        assert type(caught.value) is row.error
        assert caught.value.backend == "s3"
        assert caught.value.path is not None
    assert s3.operations() == expected


@pytest.mark.parametrize("count, pages", [(999, 1), (1000, 1), (1001, 2), (2000, 2), (2001, 3)])
def test_listings_cost_a_request_for_each_thousand_keys(count: int, pages: int, s3: FakeS3, lane: Any) -> None:
    for number in range(count):
        s3.put(f"d/{number:04}/x")
    assert len(lane.list_files("d", recursive=True)) == count
    assert len(lane.list_folders("d")) == count
    assert len(lane.iter_children("d")) == count
    assert len(lane.glob("d/*/x")) == count
    assert lane.get_folder_info("d").file_count == count
    assert s3.operations() == [LIST] * pages * 5
    s3.calls.clear()
    lane.delete_folder("d", recursive=True)
    assert s3.operations() == [LIST, BULK] * pages
    assert not s3.objects


def test_a_listing_is_lazy(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane()
    s3.page_size = 2
    for name in "abcde":
        s3.put(name)
    items = lane.backend.list_files("")

    def advance() -> str:
        return lane.done(items.__anext__() if lane.is_async else next(items)).path

    assert not s3.calls
    assert [advance(), len(s3.calls), advance(), len(s3.calls)] == ["a", 1, "b", 1]
    assert [advance(), len(s3.calls)] == ["c", 2]
