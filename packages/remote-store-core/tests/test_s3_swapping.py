"""Conditions on the version of a file: reads, writes, deletes, copies and moves with `if_match` and `if_none_match`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    ConditionalWrites,
    InvalidPath,
    NotFound,
    NotModified,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    RetryPolicy,
)
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.operations import trust
from uploads import COMPLETE, CREATE, GET, HEAD, PART, PUT, SEND, THREE_PARTS, Stream, fail

LIST, DELETE, COPY = "ListObjectsV2", "DeleteObject", "CopyObject"
READS = ["read_bytes", "read_range", "read", "read_seekable", "get_file_info"]
WRONG: list[tuple[Any, type[Exception]]] = [
    ("", ValueError),
    ('"quoted"', ValueError),
    ('W/"weak"', ValueError),
    ("W/weak", ValueError),
    ("*", ValueError),
    ("line\nbreak", ValueError),
    (b"bytes", TypeError),
    (7, TypeError),
]


def tag(s3: FakeS3, key: str = "a") -> str:
    return s3.objects[key].etag.strip('"')


def read(lane: Any, method: str, key: str = "a", **options: Any) -> Any:
    result = getattr(lane, method)(key, *([0, 2] if method == "read_range" else []), **options)
    if method in ("read", "read_seekable"):
        try:
            return lane.done(result.read())
        finally:
            lane.done(result.close())
    return result


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "write": lambda lane, tag: lane.write("a", b"new", overwrite=True, if_match=tag),
    "write_atomic": lambda lane, tag: lane.write_atomic("a", b"new", overwrite=True, if_match=tag),
    "open_atomic": lambda lane, tag: lane.write_spooled("a", b"new", overwrite=True, if_match=tag),
    "delete": lambda lane, tag: lane.delete("a", if_match=tag),
    "move": lambda lane, tag: lane.move("a", "b", if_match=tag),
    "copy": lambda lane, tag: lane.copy("a", "b", if_match=tag),
}


@pytest.mark.parametrize("method", READS)
def test_a_read_of_the_version_and_of_another(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"content")
    known = tag(s3)
    read(lane, method, if_match=known)
    assert s3.operations() in ([GET], [HEAD], [HEAD, GET])
    s3.put("a", b"other")
    with pytest.raises(PreconditionFailed) as caught:
        read(lane, method, if_match=known)
    assert caught.value.path == "a"


@pytest.mark.parametrize("method", READS)
def test_a_read_from_a_server_that_ignores_the_condition(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"content")

    def ignore(call: Call) -> None:
        params: Any = call.params
        params.pop("IfMatch", None)

    s3.before = ignore
    with pytest.raises(PreconditionFailed, match="version"):
        read(lane, method, if_match="other")
    assert not s3.open_bodies()


@pytest.mark.parametrize("method", READS)
def test_a_412_for_a_missing_file_is_not_found(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("folder/file")

    def refuse(call: Call) -> None:
        if "IfMatch" in call.params:
            raise Fault("412" if call.operation == HEAD else "PreconditionFailed", 412)

    s3.before = refuse
    with pytest.raises(NotFound):
        read(lane, method, "absent", if_match="known")
    with pytest.raises(InvalidPath):
        read(lane, method, "folder", if_match="known")
    s3.put("a", b"other")
    with pytest.raises(PreconditionFailed):
        read(lane, method, "a", if_match="known")


@pytest.mark.parametrize("method", ["read_bytes", "get_file_info"])
def test_what_is_not_modified(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"content")
    known = tag(s3)
    assert read(lane, method, if_none_match=known) == NotModified("a", known)
    assert len(s3.calls) == 1
    assert not s3.bodies
    s3.put("a", b"other")
    found = read(lane, method, if_none_match=known)
    assert found == b"other" if method == "read_bytes" else found.etag == tag(s3)
    with pytest.raises(NotFound):
        read(lane, method, "absent", if_none_match=known)


@pytest.mark.parametrize("method", ["read_bytes", "get_file_info"])
def test_what_is_not_modified_on_a_server_that_ignores_the_condition(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"content")

    def ignore(call: Call) -> None:
        params: Any = call.params
        params.pop("IfNoneMatch", None)

    s3.before = ignore
    assert read(lane, method, if_none_match=tag(s3)) == NotModified("a", tag(s3))
    assert not s3.open_bodies()


@pytest.mark.parametrize("method", ["read_bytes", "get_file_info"])
def test_a_304_that_proves_nothing(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"content")
    operation = HEAD if method == "get_file_info" else GET
    fail(s3, operation, Fault("304", 304, foreign=True))
    with pytest.raises(RemoteStoreError, match="not an S3 service"):
        read(lane, method, if_none_match="known")
    fail(s3, operation, Fault("304", 304))
    with pytest.raises(RemoteStoreError) as caught:
        read(lane, method)
    assert caught.value.status == 304


def test_the_ranges_of_a_large_read_ask_only_once_whether_it_is_new(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    s3.put("a", bytes(5 * PART))
    assert len(lane.read_bytes("a", if_none_match="old")) == 5 * PART
    assert [call.params.get("IfNoneMatch") for call in s3.calls] == ['"old"'] + [None] * (len(s3.calls) - 1)
    assert all("IfMatch" in call.params for call in s3.calls[1:])


@pytest.mark.parametrize("method", ["write", "write_atomic", "open_atomic"])
def test_a_write_replaces_the_version(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")
    CHANGES[method](lane, tag(s3))
    assert s3.objects["a"].data == b"new"
    assert s3.operations() == [PUT]
    with pytest.raises(PreconditionFailed) as caught:
        CHANGES[method](lane, "other")
    assert (caught.value.path, caught.value.status) == ("a", 412)
    assert s3.operations() == [PUT, PUT]


@pytest.mark.parametrize("status", [404, 412])
@pytest.mark.parametrize("method", ["write", "write_atomic", "open_atomic"])
def test_a_write_whose_file_is_gone(method: str, status: int, s3: FakeS3, lane: Any) -> None:
    fail(s3, PUT, Fault("NoSuchKey" if status == 404 else "PreconditionFailed", status))
    with pytest.raises(PreconditionFailed) as caught:
        CHANGES[method](lane, "gone")
    assert (caught.value.path, caught.value.status) == ("a", status)
    assert not s3.objects


def test_a_write_into_a_missing_bucket(s3: FakeS3, lane: Any) -> None:
    fail(s3, PUT, Fault("NoSuchBucket", 404))
    with pytest.raises(NotFound, match="bucket"):
        lane.write("a", b"", overwrite=True, if_match="known")


def test_the_parts_of_an_upload_replace_the_version(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    s3.put("a", b"old")
    known = tag(s3)
    lane.write("a", Stream(THREE_PARTS), overwrite=True, if_match=known)
    assert s3.operations() == [CREATE, SEND, SEND, SEND, COMPLETE]
    assert [("IfMatch" in call.params) for call in s3.calls] == [False] * 4 + [True]
    new = s3.objects["a"]
    for other in (known, "other"):
        with pytest.raises(PreconditionFailed):
            lane.write("a", Stream(THREE_PARTS), overwrite=True, if_match=other)
    assert s3.objects["a"] == new
    assert not s3.uploads
    del s3.objects["a"]
    with pytest.raises(PreconditionFailed):
        lane.write("a", Stream(THREE_PARTS), overwrite=True, if_match=known)
    assert not s3.objects


@pytest.mark.parametrize("parts", [False, True])
def test_a_conflict_that_stays_is_settled_by_a_look(parts: bool, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, retry=RetryPolicy(max_attempts=3))
    s3.put("a", b"old")
    content: Any = THREE_PARTS if parts else b"new"
    fail(s3, COMPLETE if parts else PUT, Fault("ConditionalRequestConflict", 409))
    with pytest.raises(BackendUnavailable) as caught:
        lane.write("a", content, overwrite=True, if_match=tag(s3))
    assert caught.value.retryable
    with pytest.raises(PreconditionFailed):
        lane.write("a", content, overwrite=True, if_match="other")
    del s3.objects["a"]
    with pytest.raises(PreconditionFailed):
        lane.write("a", content, overwrite=True, if_match="other")


@pytest.mark.parametrize("status", [404, 412])
@pytest.mark.parametrize("parts", [False, True])
def test_a_lost_response_is_settled_by_a_look(parts: bool, status: int, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART)
    s3.put("a", b"old")
    content = THREE_PARTS if parts else b"new"

    def after(call: Call, _response: Any) -> None:
        if call.operation in (PUT, COMPLETE):
            raise Fault("NoSuchKey" if status == 404 else "PreconditionFailed", status, attempts=2)

    s3.after = after
    result = lane.write("a", content, overwrite=True, if_match=tag(s3))
    assert (result.etag, result.response_lost) == (tag(s3), not parts)
    assert s3.objects["a"].data == content


def test_a_lost_response_of_a_write_that_another_writer_won(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")

    def before(call: Call) -> None:
        if call.operation == PUT:
            s3.put("a", b"theirs")
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.before = before
    with pytest.raises(PreconditionFailed):
        lane.write("a", b"new", overwrite=True, if_match=tag(s3))
    assert s3.objects["a"].data == b"theirs"


def test_a_delete_of_the_version_is_one_request(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")
    known = tag(s3)
    with pytest.raises(PreconditionFailed):
        lane.delete("a", if_match="other", missing_ok=True)
    s3.calls.clear()
    lane.delete("a", if_match=known)
    assert s3.operations() == [DELETE]
    assert not s3.objects
    with pytest.raises(NotFound):
        lane.delete("a", if_match=known)
    lane.delete("a", if_match=known, missing_ok=True)


@pytest.mark.parametrize("missing_ok", [False, True])
@pytest.mark.parametrize("status", [404, 412])
def test_a_delete_of_a_folder(status: int, missing_ok: bool, s3: FakeS3, lane: Any) -> None:
    s3.put("folder/file")
    s3.put("marker/")
    fail(s3, DELETE, Fault("NoSuchKey" if status == 404 else "PreconditionFailed", status))
    for path in ("folder", "marker", "marker/"):
        with pytest.raises(InvalidPath):
            lane.delete(path, if_match=tag(s3, "marker/"), missing_ok=missing_ok)
    with pytest.raises(NotFound):
        lane.delete("absent/", if_match="known")
    assert set(s3.objects) == {"folder/file", "marker/"}


def test_a_delete_whose_response_was_lost(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")

    def after(call: Call, _response: Any) -> None:
        if call.operation == DELETE:
            raise Fault("NoSuchKey", 404, attempts=2)

    s3.after = after
    lane.delete("a", if_match=tag(s3))
    assert not s3.objects


def test_a_delete_that_cannot_be_looked_at(s3: FakeS3, lane: Any) -> None:
    def before(call: Call) -> None:
        if call.operation == DELETE:
            raise Fault("PreconditionFailed", 412)
        raise Fault("AccessDenied", 403)

    s3.before = before
    with pytest.raises(PermissionDenied):
        lane.delete("a", if_match="known", missing_ok=True)


@pytest.mark.parametrize("method", ["copy", "move"])
def test_a_copy_of_the_version_and_of_another(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")
    with pytest.raises(PreconditionFailed) as caught:
        CHANGES[method](lane, "other")
    assert caught.value.path == "a"
    assert set(s3.objects) == {"a"}
    with pytest.raises(NotFound):
        getattr(lane, method)("absent", "b", if_match="other")
    with pytest.raises(PreconditionFailed):
        getattr(lane, method)("a", "a", if_match="other")
    s3.calls.clear()
    CHANGES[method](lane, tag(s3))
    assert s3.operations() == ([HEAD, COPY] if method == "copy" else [HEAD, COPY, DELETE])
    assert s3.calls[1].params["CopySourceIfMatch"] == s3.objects["b"].etag
    assert set(s3.objects) == ({"a", "b"} if method == "copy" else {"b"})


@pytest.mark.parametrize("method", ["copy", "move"])
def test_a_copy_whose_source_changes_after_the_look(method: str, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"old")
    known = tag(s3)

    def before(call: Call) -> None:
        if call.operation == COPY:
            s3.put("a", b"theirs")

    s3.before = before
    with pytest.raises(PreconditionFailed):
        CHANGES[method](lane, known)
    assert set(s3.objects) == {"a"}


@pytest.mark.parametrize("wrong, error", WRONG)
def test_a_tag_that_is_none_is_refused_before_any_request(
    wrong: Any, error: type[Exception], s3: FakeS3, lane: Any
) -> None:
    for method in READS:
        with pytest.raises(error, match="if_match"):
            read(lane, method, if_match=wrong)
    for method in ("read_bytes", "get_file_info"):
        with pytest.raises(error, match="if_none_match"):
            read(lane, method, if_none_match=wrong)
    for change in CHANGES.values():
        with pytest.raises(error, match="if_match"):
            change(lane, wrong)
    assert not s3.calls


def test_options_that_mean_nothing(s3: FakeS3, lane: Any) -> None:
    for method in ("write", "write_atomic", "open_atomic"):
        with pytest.raises(ValueError, match="overwrite=True"):
            getattr(lane, method)("a", *([] if method == "open_atomic" else [b""]), if_match="known")
    for method in ("read", "read_seekable"):
        with pytest.raises(TypeError, match="no option 'if_none_match'"):
            getattr(lane, method)("a", if_none_match="known")
    with pytest.raises(TypeError, match="no option 'if_none_match'"):
        lane.write("a", b"", if_none_match="known")
    with pytest.raises(TypeError, match="no option 'cache_control'"):
        lane.delete("a", cache_control="no-store")
    assert not s3.calls


@pytest.mark.parametrize(
    "trust, lacking",
    [
        (ConditionalWrites(swap=True), {"write", "write_atomic", "open_atomic", "delete", "move"}),
        (ConditionalWrites(swap=True, complete_swap=True), {"delete", "move"}),
        (ConditionalWrites(delete=True), {"write", "write_atomic", "open_atomic"}),
        (None, {"write", "write_atomic", "open_atomic", "delete", "move"}),
    ],
)
def test_an_endpoint_that_is_not_trusted(trust: Any, lacking: set[str], s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(endpoint_url="http://s3.test", conditional_writes=trust)
    s3.put("a", b"old")
    s3.put("b", b"other")
    for method, change in CHANGES.items():
        if method in lacking:
            with pytest.raises(CapabilityNotSupported, match="conditional_writes") as caught:
                change(lane, tag(s3))
            assert caught.value.path == "a"
    assert not s3.calls
    assert Capability.CONDITIONAL_READ in lane.backend.capabilities
    assert lane.read_bytes("a", if_match=tag(s3)) == b"old"
    lane.copy("a", "c", if_match=tag(s3))


@pytest.mark.parametrize("method", ["write", "delete", "move"])
def test_a_server_that_a_probe_shows_to_ignore_the_condition(method: str, s3: FakeS3, open_lane: Any) -> None:
    trust.FINDINGS.forget()
    lane = open_lane(endpoint_url="http://s3.test", conditional_writes="probe")
    s3.conditions = False
    s3.put("a", b"old")
    with pytest.raises(CapabilityNotSupported):
        CHANGES[method](lane, tag(s3))
    assert {key: stored.data for key, stored in s3.objects.items()} == {"a": b"old"}
    trust.FINDINGS.forget()
