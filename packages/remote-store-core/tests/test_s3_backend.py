from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from remote_store.conformance.fake_s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)
from remote_store.core.s3 import Call, Fault, S3Backend, S3Options

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
    Row("move", lambda lane: lane.move("a", "n"), [COPY, DELETE], [HEAD, COPY, DELETE], aws=[HEAD, COPY, DELETE]),
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


METHODS: dict[str, Callable[[Any], Any]] = {
    "exists": lambda lane: lane.exists(""),
    "is_file": lambda lane: lane.is_file(""),
    "is_folder": lambda lane: lane.is_folder(""),
    "read": lambda lane: lane.read(""),
    "read_seekable": lambda lane: lane.read_seekable(""),
    "read_bytes": lambda lane: lane.read_bytes(""),
    "read_range": lambda lane: lane.read_range("", 0, 1),
    "write": lambda lane: lane.write("", b""),
    "write_atomic": lambda lane: lane.write_atomic("", b""),
    "open_atomic": lambda lane: lane.backend.open_atomic(""),
    "delete": lambda lane: lane.delete(""),
    "delete_folder": lambda lane: lane.delete_folder(""),
    "list_files": lambda lane: lane.backend.list_files(""),
    "list_folders": lambda lane: lane.backend.list_folders(""),
    "iter_children": lambda lane: lane.backend.iter_children(""),
    "get_file_info": lambda lane: lane.get_file_info(""),
    "get_folder_info": lambda lane: lane.get_folder_info(""),
    "move": lambda lane: lane.move("", ""),
    "copy": lambda lane: lane.copy("", ""),
    "glob": lambda lane: lane.backend.glob(""),
    "check_health": lambda lane: lane.check_health(),
}


@pytest.mark.parametrize("act", METHODS.values(), ids=METHODS)
def test_closed_outranks_every_other_refusal(act: Any, s3: FakeS3, lane: Any) -> None:
    lane.close()
    lane.close()
    with pytest.raises(BackendUnavailable) as caught:
        act(lane)
    assert caught.value.retryable is False
    assert caught.value.backend == "s3"
    assert not s3.calls


ROOT_IS_NO_FILE = [
    "read",
    "read_seekable",
    "read_bytes",
    "read_range",
    "write",
    "write_atomic",
    "open_atomic",
    "delete",
    "delete_folder",
    "get_file_info",
    "move",
    "copy",
]


@pytest.mark.parametrize("name", ROOT_IS_NO_FILE)
def test_the_root_is_refused_before_any_request(name: str, s3: FakeS3, lane: Any) -> None:
    with pytest.raises(InvalidPath) as caught:
        METHODS[name](lane)
    assert caught.value.path == ""
    assert not s3.calls


@pytest.mark.parametrize(
    "act, error",
    [
        (lambda lane: lane.write("a", "text"), TypeError),
        (lambda lane: lane.write("a", None), TypeError),
        (lambda lane: lane.write("a", io.StringIO("text")), TypeError),
        (lambda lane: lane.write("a", b"", metadata={"A": "x"}), ValueError),
        (lambda lane: lane.write("a", b"", content_type="é"), ValueError),
        (lambda lane: lane.backend.open_atomic("a", metadata={"a": "é"}), ValueError),
        (lambda lane: lane.write("a/", b""), InvalidPath),
        (lambda lane: lane.copy("a", "a//b"), InvalidPath),
        (lambda lane: lane.move("a", "../b"), InvalidPath),
        (lambda lane: lane.read_range("a", -1, 1), ValueError),
        (lambda lane: lane.read_range("a", 0, -1), ValueError),
        (lambda lane: lane.read_range("a", True, 1), TypeError),
        (lambda lane: lane.read_range("a", 0, 1.0), TypeError),
        (lambda lane: lane.backend.list_files("", recursive=True, max_depth=-1), ValueError),
        (lambda lane: lane.backend.glob("a//b"), InvalidPath),
        (lambda lane: lane.read("a" * 1025), InvalidPath),
        (lambda lane: lane.exists(b"a"), TypeError),
    ],
)
def test_bad_arguments_are_refused_before_any_request(act: Any, error: type, s3: FakeS3, lane: Any) -> None:
    with pytest.raises(error):
        act(lane)
    assert not s3.calls


MARKED: dict[str, Callable[[Any], Any]] = {
    "read": lambda lane: lane.read("d/"),
    "read_seekable": lambda lane: lane.read_seekable("d/"),
    "read_bytes": lambda lane: lane.read_bytes("d/"),
    "read_range": lambda lane: lane.read_range("d/", 0, 1),
    "delete": lambda lane: lane.delete("d/", missing_ok=True),
    "get_file_info": lambda lane: lane.get_file_info("d/"),
    "copy": lambda lane: lane.copy("d/", "n"),
    "move": lambda lane: lane.move("d/", "n"),
}


@pytest.mark.parametrize("endpoint", [{}, {"endpoint_url": "http://s3.test", "conditional_writes": True}])
@pytest.mark.parametrize("act", MARKED.values(), ids=MARKED)
def test_the_marker_of_a_folder_is_no_file(act: Any, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    s3.put("d/")
    with pytest.raises(InvalidPath) as caught:
        act(open_lane(**endpoint))
    assert caught.value.path == "d/"
    assert list(s3.objects) == ["d/"]


def test_an_object_with_content_and_a_slash_at_its_end_is_a_file(s3: FakeS3, lane: Any) -> None:
    s3.put("d/", b"content")
    assert lane.is_file("d/")
    assert lane.read_bytes("d/") == b"content"
    assert lane.read_range("d/", 99, 1) == b""
    lane.copy("d/", "n")
    assert s3.objects["n"].data == b"content"
    lane.delete("d/")
    assert list(s3.objects) == ["n"]


def deny(
    operation: str, status: int = 403, code: str = "AccessDenied", key: str | None = None
) -> Callable[[Call], None]:
    def before(call: Call) -> None:
        if call.operation == operation and key in (None, call.params.get("Key")):
            raise Fault(code, status, "no", "r-1")

    return before


@pytest.mark.parametrize(
    "act, denied, path",
    [
        (lambda lane: lane.copy("a", "n"), "a", "a"),
        (lambda lane: lane.copy("a", "n"), "n", "n"),
        (lambda lane: lane.write("n", b""), "n", "n"),
        (lambda lane: lane.exists("a"), "a", "a"),
        (lambda lane: lane.delete("a", missing_ok=True), "a", "a"),
        (lambda lane: lane.get_folder_info("z"), "z", "z"),
        (lambda lane: lane.delete_folder("z", missing_ok=True), "z", "z"),
    ],
)
def test_a_probe_that_decides_fails_closed_at_the_path_it_asked_for(
    act: Any, denied: str, path: str, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(conditional_writes=False)
    s3.put("a", b"1")
    s3.before = deny("HeadObject", 403, "403", denied)
    with pytest.raises(PermissionDenied) as caught:
        act(lane)
    assert caught.value.path == path
    assert list(s3.objects) == ["a"]


def test_errors_of_the_caller_pass_through_unchanged(s3: FakeS3, lane: Any) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, _size: int = -1) -> bytes:
            raise mine

    mine = RemoteStoreError("mine")
    with pytest.raises(RemoteStoreError) as caught:
        lane.write("a", Broken())
    assert caught.value is mine
    assert not s3.objects


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt(), NotFound("mine", path="theirs")])
def test_an_error_inside_open_atomic_writes_nothing(error: BaseException, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")
    with pytest.raises(type(error)) as caught:
        lane.write_spooled("a", b"new", error=error, overwrite=True)
    assert caught.value is error
    assert s3.objects["a"].data == b"old"
    assert PUT not in s3.operations()


def test_open_atomic_writes_what_was_spooled(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    pieces = [b"a" * PART, b"b" * PART, b"c"]
    lane.write_spooled("n", *pieces, metadata={"m": "1"}, content_type="text/plain")
    assert s3.objects["n"].data == b"".join(pieces)
    assert s3.objects["n"].metadata == {"m": "1"}
    assert s3.objects["n"].described["ContentType"] == "text/plain"
    with pytest.raises(AlreadyExists) as caught:
        lane.write_spooled("n", b"x")
    assert caught.value.path == "n"


def test_paths_and_keys_are_worked_out_without_a_request(s3: FakeS3, lane: Any) -> None:
    backend = lane.backend
    for key in ("", "a", "a//b", "/lead", "d/"):
        assert backend.to_key(backend.native_path(key)) == key
    plan = backend.resolve("a/b")
    assert (plan.kind, plan.native_path) == ("s3", "bucket/a/b")
    assert plan.details == {"bucket": "bucket", "endpoint_url": "http://s3.test"}
    with pytest.raises(InvalidPath):
        backend.to_key("other/a")
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(dict)
    assert not s3.calls


def test_a_lane_never_promises_an_atomic_move(lane: Any) -> None:
    assert Capability.ATOMIC_MOVE not in lane.backend.capabilities
    assert lane.backend.capabilities <= type(lane.backend).capabilities


def test_neither_repr_nor_errors_show_a_secret(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(key="AKID", secret="hush", session_token="token-1")
    s3.before = deny("HeadObject")
    with pytest.raises(PermissionDenied) as caught:
        lane.exists("a")
    for text in (repr(lane.backend), str(caught.value), str(lane.backend.resolve("a"))):
        assert "hush" not in text
        assert "token-1" not in text


class Pickled(S3Backend):
    def _connect(self) -> Any:
        raise Fault("Connected", 500)


def test_a_backend_pickles_its_configuration_and_is_open_again() -> None:
    backend = Pickled("bucket", S3Options.build(key="AKID", secret="hush", conditional_writes=False))
    backend.close()
    copied = pickle.loads(pickle.dumps(backend))
    assert copied.capabilities == backend.capabilities
    assert repr(copied) == repr(backend)
    with pytest.raises(BackendUnavailable) as caught:
        copied.read_bytes("a")
    assert (caught.value.code, caught.value.path, caught.value.retryable) == ("Connected", "a", True)


@pytest.mark.parametrize(
    "act, error",
    [
        (lambda lane: lane.exists("a"), None),
        (lambda lane: lane.is_file("a"), None),
        (lambda lane: lane.is_folder("a"), None),
        (lambda lane: lane.list_files("a", recursive=True), None),
        (lambda lane: lane.list_folders(""), None),
        (lambda lane: lane.iter_children("a"), None),
        (lambda lane: lane.glob("**"), None),
        (lambda lane: lane.get_folder_info("").file_count, None),
        (lambda lane: lane.delete("a", missing_ok=True), None),
        (lambda lane: lane.delete_folder("a", missing_ok=True), None),
        (lambda lane: lane.read_bytes("a"), NotFound),
        (lambda lane: lane.read_seekable("a"), NotFound),
        (lambda lane: lane.write("a", b"x"), NotFound),
        (lambda lane: lane.copy("a", "b"), NotFound),
        (lambda lane: lane.delete("a"), NotFound),
        (lambda lane: lane.delete_folder("a"), NotFound),
        (lambda lane: lane.get_folder_info("a"), NotFound),
        (lambda lane: lane.check_health(), NotFound),
    ],
)
def test_an_absent_bucket_is_an_absent_path(act: Any, error: type[RemoteStoreError] | None, open_lane: Any) -> None:
    lane = open_lane()
    lane.backend.s3.bucket = "another"
    if error is None:
        assert not act(lane)
        return
    with pytest.raises(error) as caught:
        act(lane)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "act", [lambda lane: lane.read_bytes("a"), lambda lane: lane.get_file_info("a"), lambda lane: lane.write("a", b"")]
)
def test_an_absent_bucket_is_named_as_the_reason(act: Any, s3: FakeS3, lane: Any) -> None:
    s3.bucket = "another"
    with pytest.raises(NotFound, match="bucket does not exist") as caught:
        act(lane)
    assert caught.value.code == "NoSuchBucket"


def test_writing_under_a_file_is_refused_where_asked_for(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(reject_write_under_file_ancestor=True)
    s3.put("a/b", b"file")
    for act in (
        lambda: lane.write("a/b/c/d", b"x", overwrite=True),
        lambda: lane.copy("a/b", "a/b/c", overwrite=True),
        lambda: lane.move("a/b", "a/b/c"),
    ):
        with pytest.raises(InvalidPath) as caught:
            act()
        assert caught.value.paths == ("a/b",)
    assert list(s3.objects) == ["a/b"]
    s3.calls.clear()
    lane.write("a/c/d", b"x")
    assert s3.operations() == [HEAD, HEAD, PUT]
    assert {call.params["Key"] for call in s3.calls[:2]} == {"a", "a/c"}


@pytest.mark.parametrize("status, code, error", [(403, "403", PermissionDenied), (503, "503", BackendUnavailable)])
def test_only_a_clear_miss_lets_a_file_be_written_below(
    status: int, code: str, error: type[RemoteStoreError], s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(reject_write_under_file_ancestor=True)
    s3.before = deny("HeadObject", status, code, "a")
    with pytest.raises(error) as caught:
        lane.write("a/b/c", b"x")
    assert caught.value.path == "a/b/c"
    assert not s3.objects
