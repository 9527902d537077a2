from __future__ import annotations

import asyncio
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import copying
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Drain
from remote_store.core.s3.protocol.responses import Begun, Facts, Tags

GIB = 1024**3
HEAD, COPY, DELETE, TAGS = "HeadObject", "CopyObject", "DeleteObject", "GetObjectTagging"
CREATE, SEND, COMPLETE, ABORT = (
    "CreateMultipartUpload",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
)
CUSTOM = {"endpoint_url": "http://s3.test", "conditional_writes": True}
ENDPOINTS = pytest.mark.parametrize("endpoint", [{}, CUSTOM], ids=["aws", "custom"])
FACTS: dict[str, Any] = {
    "metadata": {"m": "1"},
    "tags": (("t", "a b"), ("u", "")),
    "described": {
        "ContentType": "text/plain",
        "CacheControl": "no-cache",
        "ContentEncoding": "gzip",
        "ContentDisposition": "inline",
        "ContentLanguage": "de",
        "StorageClass": "STANDARD_IA",
    },
}


def facts(s3: FakeS3, key: str) -> dict[str, Any]:
    found = s3.objects[key]
    return {"metadata": found.metadata, "tags": found.tags, "described": found.described}


@pytest.mark.parametrize("size", [3, 5 * GIB, 5 * GIB + 1])
def test_a_copy_keeps_all_that_stands_beside_the_bytes(size: int, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(put_options={"StorageClass": "GLACIER", "Tagging": "x=y", "CacheControl": "no-store"})
    s3.put("a", b"abc", size=size, **FACTS)
    lane.copy("a", "b")
    assert (s3.objects["b"].data, s3.objects["b"].size) == (b"abc", size)
    assert facts(s3, "b") == FACTS
    assert s3.operations() == ([HEAD, COPY] if size <= 5 * GIB else [HEAD, TAGS, CREATE, *[SEND] * 6, COMPLETE])


def test_a_large_copy_is_pinned_and_covers_every_byte(s3: FakeS3, open_lane: Any) -> None:
    etag = s3.put("a", b"abc", size=7 * GIB + 5).etag
    open_lane().copy("a", "b", overwrite=True)
    parts = [call.params for call in s3.calls if call.operation == SEND]
    assert sorted(part["PartNumber"] for part in parts) == list(range(1, 9))
    assert {part["CopySourceIfMatch"] for part in parts} == {etag}
    by_number = {part["PartNumber"]: part["CopySourceRange"] for part in parts}
    assert by_number[1] == f"bytes=0-{GIB - 1}"
    assert by_number[8] == f"bytes={7 * GIB}-{7 * GIB + 4}"
    assert s3.objects["b"].size == 7 * GIB + 5


def test_a_custom_endpoint_says_itself_that_a_source_is_too_large(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"abc", size=5 * GIB + 1, **FACTS)
    lane.copy("a", "b")
    assert s3.operations() == [COPY, HEAD, TAGS, CREATE, *[SEND] * 6, COMPLETE]
    assert facts(s3, "b") == FACTS


def test_a_source_that_is_refused_for_another_reason_is_not_copied_in_parts(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == COPY:
            raise Fault("InvalidRequest", 400)

    s3.before = before
    with pytest.raises(RemoteStoreError) as caught:
        lane.copy("a", "b")
    assert caught.value.code == "InvalidRequest"
    assert s3.operations() == [COPY, HEAD]


def test_a_server_without_tags_copies_without_them(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", size=6 * GIB)

    def before(call: Call) -> None:
        if call.operation == TAGS:
            raise Fault("NotImplemented", 501)

    s3.before = before
    open_lane().copy("a", "b")
    assert s3.objects["b"].size == 6 * GIB


def test_tags_that_cannot_be_read_are_not_lost(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", size=6 * GIB, **FACTS)

    def before(call: Call) -> None:
        if call.operation == TAGS:
            raise Fault("AccessDenied", 403)

    s3.before = before
    with pytest.raises(PermissionDenied) as caught:
        open_lane().copy("a", "b")
    assert caught.value.path == "a"
    assert "b" not in s3.objects


def test_keys_of_the_customer_are_handed_in_for_both_ends() -> None:
    keys = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k", "SSECustomerKeyMD5": "m"}
    bucket = Bucket("bucket", S3Options.build(put_options=keys))
    operation = copying.copy(bucket, "a", "b", overwrite=True)
    assert next(operation).params == {"Bucket": "bucket", "Key": "a", **keys}
    call = operation.send(Facts(6 * GIB, '"e"'))
    assert call.operation == TAGS
    start = operation.send(Tags(()))
    assert keys.items() <= start.step.params.items()
    operation.send(None)
    part = operation.send([Begun("u")]).step
    expected = {**keys, **{f"CopySource{name}": value for name, value in keys.items()}}
    assert expected.items() <= part.params.items()
    assert operation.throw(Fault("SlowDown", 503)) == Drain()
    assert operation.send([]).operation == ABORT
    with pytest.raises(Fault, match="SlowDown"):
        operation.send({})


@pytest.mark.parametrize(
    "operation, fault, kind",
    [
        (CREATE, Fault("AccessDenied", 403), PermissionDenied),
        (SEND, Fault("SlowDown", 503), BackendUnavailable),
        (SEND, Fault("NoSuchKey", 404), NotFound),
        (SEND, Fault("PreconditionFailed", 412), PreconditionFailed),
        (COMPLETE, Fault("InternalError", 200), BackendUnavailable),
        (COMPLETE, Fault("PreconditionFailed", 412), AlreadyExists),
    ],
)
def test_a_large_copy_that_fails_leaves_nothing(
    operation: str, fault: Fault, kind: type[RemoteStoreError], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", size=6 * GIB)

    def before(call: Call) -> None:
        if call.operation == operation and call.params.get("PartNumber") in (None, 3):
            raise fault

    s3.before = before
    with pytest.raises(kind) as caught:
        open_lane(max_concurrency=2).copy("a", "b")
    assert type(caught.value) is kind
    assert caught.value.path == ("b" if kind is AlreadyExists else "a")
    assert list(s3.objects) == ["a"]


def test_a_large_copy_whose_source_changes_is_refused(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", size=6 * GIB)

    def before(call: Call) -> None:
        if call.params.get("PartNumber") == 4:
            s3.put("a", b"new", size=6 * GIB)

    s3.before = before
    with pytest.raises(PreconditionFailed) as caught:
        open_lane(max_concurrency=2).move("a", "b")
    assert caught.value.path == "a"
    assert list(s3.objects) == ["a"]


def test_a_cancelled_large_copy_leaves_nothing(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", size=6 * GIB)

    async def attempt(backend: Any, steps: int) -> bool:
        task = asyncio.create_task(backend.move("a", "b", overwrite=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        return finished

    steps, finished = 0, False
    while not finished:
        lane = open_lane(max_concurrency=2)
        if not lane.is_async:
            pytest.skip("only awaited copies are cancelled")
        s3.objects.pop("b", None)
        s3.put("a", b"abc", size=6 * GIB)
        finished = lane.done(attempt(lane.backend, steps))
        assert not s3.uploads
        assert any(key in s3.objects and s3.objects[key].data == b"abc" for key in "ab")
        steps += 1
    assert list(s3.objects) == ["b"]


@ENDPOINTS
def test_a_taken_destination_is_kept(endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(**endpoint)
    for size in (3, 6 * GIB):
        s3.put("a", b"abc", size=size)
        s3.put("b", b"old")
        for method in (lane.copy, lane.move):
            with pytest.raises(AlreadyExists) as caught:
                method("a", "b")
            assert caught.value.path == "b"
            assert s3.objects["b"].data == b"old"
            assert "a" in s3.objects


def test_a_server_that_ignores_conditions_is_looked_at_first(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(endpoint_url="http://s3.test")
    s3.conditions = False
    s3.put("a", b"abc")
    s3.put("b", b"old")
    with pytest.raises(AlreadyExists):
        lane.copy("a", "b")
    with pytest.raises(NotFound):
        lane.copy("missing", "b")
    assert s3.objects["b"].data == b"old"


@pytest.mark.parametrize("trusted", [True, False])
def test_a_server_that_refuses_the_condition_of_a_copy_is_asked_without(
    trusted: bool, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if "IfNoneMatch" in call.params:
            raise Fault("NotImplemented", 501)

    s3.before = before
    lane = open_lane(endpoint_url="http://s3.test", conditional_writes=trusted)
    if trusted:
        with pytest.raises(RemoteStoreError):
            lane.copy("a", "b")
    else:
        lane.copy("a", "b")
    assert ("b" in s3.objects) is not trusted


@ENDPOINTS
def test_a_copy_whose_answer_was_lost_is_known_by_what_it_made(
    endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", metadata={"m": "1"})

    def after(call: Call, _answer: Any) -> None:
        if call.operation == COPY:
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.after = after
    open_lane(**endpoint).copy("a", "b")
    assert s3.objects["b"].data == b"abc"


@pytest.mark.parametrize("other", [{"data": b"abd"}, {"metadata": {"m": "2"}}, {"described": {"ContentType": "x/y"}}])
def test_a_destination_of_somebody_else_is_never_taken_for_our_copy(
    other: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", metadata={"m": "1"})
    s3.put("b", **{"data": b"abc", "metadata": {"m": "1"}, **other})

    def before(call: Call) -> None:
        if call.operation == COPY:
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.before = before
    with pytest.raises(AlreadyExists):
        open_lane().move("a", "b")
    assert sorted(s3.objects) == ["a", "b"]


@pytest.mark.parametrize("endpoint", [{}, {"endpoint_url": "http://s3.test"}], ids=["trusted", "untrusted"])
def test_a_destination_that_may_not_be_looked_at_is_named(endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(**endpoint)
    s3.put("a", b"abc")
    s3.put("b", b"old")

    def before(call: Call) -> None:
        if call.operation == HEAD and call.params["Key"] == "b":
            raise Fault("403", 403)

    s3.before = before
    for method in (lane.copy, lane.move):
        with pytest.raises(PermissionDenied) as caught:
            method("a", "b")
        assert (caught.value.path, caught.value.backend) == ("b", "s3")
    assert s3.objects["b"].data == b"old"


def test_a_pin_that_fails_on_a_free_destination_is_a_changed_source(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == COPY:
            s3.put("a", b"%d" % len(s3.calls))

    s3.before = before
    for overwrite in (False, True):
        with pytest.raises(PreconditionFailed) as caught:
            open_lane().copy("a", "b", overwrite=overwrite)
        assert caught.value.path == "a"
    assert list(s3.objects) == ["a"]


def test_onto_itself_nothing_happens(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane()
    s3.put("a", b"abc")
    s3.put("d/x", b"1")
    for method in (lane.copy, lane.move):
        for overwrite in (False, True):
            method("a", "a", overwrite=overwrite)
            with pytest.raises(NotFound):
                method("b", "b", overwrite=overwrite)
            with pytest.raises(InvalidPath):
                method("d", "d", overwrite=overwrite)
    assert set(s3.operations()) == {HEAD, "ListObjectsV2"}
    assert s3.objects["a"].data == b"abc"


@ENDPOINTS
def test_a_move_deletes_the_source_by_its_tag(endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    etag = s3.put("a", b"abc", **FACTS).etag
    open_lane(**endpoint).move("a", "b")
    assert s3.calls[-1] == Call(DELETE, {"Bucket": "bucket", "Key": "a", "IfMatch": etag})
    assert list(s3.objects) == ["b"]


@ENDPOINTS
@pytest.mark.parametrize("size", [3, 6 * GIB])
def test_an_object_of_parts_is_moved_although_its_copy_has_another_tag(
    size: int, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", size=size, etag='"0123456789abcdef0123456789abcdef-2"')
    open_lane(**endpoint).move("a", "b")
    assert list(s3.objects) == ["b"]
    assert s3.objects["b"].size == size
    assert len([call for call in s3.calls if call.operation in (COPY, CREATE)]) == 1


@ENDPOINTS
@pytest.mark.parametrize("encryption", ["SSEKMSKeyId", "SSECustomerAlgorithm"])
def test_an_encrypted_object_is_moved_although_its_copy_has_another_tag(
    encryption: str, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", etag='"of the source"', described={encryption: "x"})
    open_lane(**endpoint).move("a", "b")
    assert list(s3.objects) == ["b"]


@ENDPOINTS
def test_an_object_that_becomes_encrypted_is_moved(endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc")

    def after(call: Call, answer: Any) -> None:
        if call.operation == COPY:
            answer["CopyObjectResult"]["ETag"] = '"of the copy"'

    s3.after = after
    open_lane(put_options={"ServerSideEncryption": "aws:kms"}, **endpoint).move("a", "b")
    assert list(s3.objects) == ["b"]


@ENDPOINTS
@pytest.mark.parametrize("etag", [None, '"0123456789abcdef0123456789abcdef-2"'])
def test_a_source_that_changes_while_it_is_moved_is_never_lost(
    etag: str | None, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"old", **({"etag": etag} if etag else {}))

    def before(call: Call) -> None:
        if call.operation == DELETE:
            s3.put("a", b"new", etag=f'"{len(s3.calls)}"')

    s3.before = before
    with pytest.raises(PreconditionFailed, match="kept") as caught:
        open_lane(**endpoint).move("a", "b")
    assert caught.value.path == "a"
    assert s3.objects["a"].data == b"new"
    assert s3.objects["b"].data == b"old"


def test_a_source_of_parts_that_keeps_changing_is_never_lost(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0", etag='"x-2"')

    def before(call: Call) -> None:
        if call.operation == DELETE:
            s3.put("a", b"%d" % len(s3.calls), etag=f'"{len(s3.calls)}-2"')

    s3.before = before
    with pytest.raises(PreconditionFailed, match="kept"):
        lane.move("a", "b")
    assert s3.operations() == [HEAD, COPY, DELETE, HEAD]
    assert s3.objects["a"].data == b"3"
    assert s3.objects["b"].data == b"0"


@ENDPOINTS
@pytest.mark.parametrize("status, code", [(412, "PreconditionFailed"), (404, "NoSuchKey")])
@pytest.mark.parametrize("etag", ['"x"', '"x-2"'])
def test_a_source_that_vanishes_while_it_is_moved_was_moved(
    etag: str, status: int, code: str, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", etag=etag)

    def before(call: Call) -> None:
        if call.operation == DELETE:
            s3.objects.pop("a", None)
            raise Fault(code, status)

    s3.before = before
    open_lane(**endpoint).move("a", "b")
    assert list(s3.objects) == ["b"]


def test_a_bucket_that_vanishes_while_a_file_is_moved_is_no_success(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == DELETE:
            raise Fault("NoSuchBucket", 404)

    s3.before = before
    with pytest.raises(NotFound, match="bucket"):
        lane.move("a", "b")


@pytest.mark.parametrize("fault", [Fault("AccessDenied", 403), Fault("SlowDown", 503)])
def test_a_move_that_cannot_delete_says_so_and_keeps_both(fault: Fault, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == DELETE:
            raise fault

    s3.before = before
    with pytest.raises((PermissionDenied, BackendUnavailable)) as caught:
        lane.move("a", "b")
    assert caught.value.path == "a"
    assert sorted(s3.objects) == ["a", "b"]


def test_a_server_without_conditional_deletes_is_asked_without(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == DELETE and "IfMatch" in call.params:
            raise Fault("NotImplemented", 501)

    s3.before = before
    lane.move("a", "b")
    assert s3.operations() == [HEAD, COPY, DELETE, HEAD, DELETE]
    assert list(s3.objects) == ["b"]


@ENDPOINTS
@pytest.mark.parametrize("operation", [HEAD, COPY, "ListObjectsV2"])
def test_a_move_that_cannot_copy_deletes_nothing(
    operation: str, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc")

    def before(call: Call) -> None:
        if call.operation == operation:
            raise Fault("SlowDown", 503)

    s3.before = before
    if operation in (HEAD, COPY):
        with pytest.raises(BackendUnavailable):
            open_lane(**endpoint).move("a", "b")
        assert list(s3.objects) == ["a"]
        assert DELETE not in s3.operations()
    else:
        open_lane(**endpoint).move("a", "b")
        assert list(s3.objects) == ["b"]
