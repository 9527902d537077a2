from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)
from remote_store.core.s3 import Call, Fault, S3Backend, S3Options

MIB = 1024 * 1024
PART = 5 * MIB
HEAD, PUT = "HeadObject", "PutObject"


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
    with pytest.raises(BackendUnavailable):
        lane.backend.unwrap(dict)
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
    s3.put("source", b"x")
    for act in (
        lambda: lane.write("a/b/c", b"x"),
        lambda: lane.copy("source", "a/b/c"),
        lambda: lane.move("source", "a/b/c"),
    ):
        with pytest.raises(error) as caught:
            act()
        assert (caught.value.path, caught.value.backend) == ("a/b/c", "s3")
    assert list(s3.objects) == ["source"]
