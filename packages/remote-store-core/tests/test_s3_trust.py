"""Servers that honour some conditions and not others."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any, Unpack

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AlreadyExists,
    Capability,
    ConditionalWrites,
    Config,
    ConfigError,
    InvalidPath,
    NotFound,
    PreconditionFailed,
)
from remote_store.core.config.settings import Settings
from remote_store.core.s3 import Call, Fault, S3OptionFields, S3Options
from uploads import PART, Stream

GIB = 1024**3
URL = "http://s3.test"
HEAD, COPY, DELETE = "HeadObject", "CopyObject", "DeleteObject"
KINDS = {"put": "PutObject", "complete": "CompleteMultipartUpload", "copy": COPY}
MULTIPART = '"0123456789abcdef0123456789abcdef-2"'
LARGE = b"x" * (PART + 1)

CREATES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("put", "bytes", lambda lane: lane.write("taken", b"new")),
    ("put", "stream", lambda lane: lane.write("taken", Stream(b"new"))),
    ("put", "a part exactly", lambda lane: lane.write("taken", LARGE[:PART])),
    ("complete", "many bytes", lambda lane: lane.write("taken", LARGE)),
    ("complete", "long stream", lambda lane: lane.write("taken", Stream(LARGE))),
    ("complete", "file", lambda lane: lane.write("taken", io.BytesIO(LARGE))),
    ("put", "spooled", lambda lane: lane.write_spooled("taken", b"new")),
    ("copy", "copy", lambda lane: lane.copy("source", "taken")),
    ("copy", "move", lambda lane: lane.move("source", "taken")),
    ("complete", "large copy", lambda lane: lane.copy("huge", "taken")),
    ("complete", "large move", lambda lane: lane.move("huge", "taken")),
]


@pytest.mark.parametrize("trusted", [*itertools.product([True, False], repeat=3), (None,) * 3], ids=str)
@pytest.mark.parametrize("kind, name, create", CREATES, ids=[row[1] for row in CREATES])
def test_nothing_is_overwritten_where_only_what_is_honoured_is_trusted(
    trusted: tuple[Any, Any, Any], kind: str, name: str, create: Any, s3: FakeS3, open_lane: Any
) -> None:
    stated = dict(zip(KINDS, trusted, strict=True))
    s3.conditions = {KINDS[kind] for kind, value in stated.items() if value}
    s3.put("source", b"source")
    s3.put("huge", b"huge", size=5 * GIB + 1)
    s3.put("taken", b"old")
    lane = open_lane(endpoint_url=URL, part_size=PART, conditional_writes=ConditionalWrites(**stated, delete=True))
    with pytest.raises(AlreadyExists) as caught:
        create(lane)
    assert caught.value.path == "taken"
    assert s3.objects["taken"].data == b"old"
    assert {"source", "huge"} <= s3.objects.keys()
    assert (Capability.ATOMIC_CREATE in lane.backend.capabilities) is (trusted == (True, True, True))


@pytest.mark.parametrize("kind, name, create", CREATES, ids=[row[1] for row in CREATES])
def test_a_kind_that_is_not_trusted_is_looked_at_and_conditional_all_the_same(
    kind: str, name: str, create: Any, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("source", b"source")
    s3.put("huge", b"huge", size=5 * GIB + 1)
    others = dict.fromkeys(KINDS, True) | {kind: None}
    create(open_lane(endpoint_url=URL, part_size=PART, conditional_writes=ConditionalWrites(**others, delete=True)))
    heads = [number for number, call in enumerate(s3.calls) if call.operation == HEAD and call.params["Key"] == "taken"]
    (commit,) = (number for number, call in enumerate(s3.calls) if call.operation == KINDS[kind])
    assert max(heads) < commit
    assert s3.calls[commit].params["IfNoneMatch"] == "*"


@pytest.mark.parametrize("etag", [None, MULTIPART])
@pytest.mark.parametrize("conditions", [True, False])
def test_a_move_keeps_what_another_writer_creates_meanwhile(
    etag: str | None, conditions: bool, s3: FakeS3, open_lane: Any
) -> None:
    """Between the copy and the delete, somebody else replaces the copy."""
    s3.conditions = conditions
    s3.put("a", b"old", **({"etag": etag} if etag else {}))

    def before(call: Call) -> None:
        if call.operation == DELETE:
            s3.put("b", b"another writer's")

    s3.before = before
    open_lane(endpoint_url=URL, conditional_writes=conditions).move("a", "b")
    assert s3.objects["b"].data == b"another writer's"
    assert s3.operations().count(COPY) == 1


def test_a_move_s_copy_is_pinned_and_conditional(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", etag=MULTIPART)
    open_lane(endpoint_url=URL, conditional_writes=True).move("a", "b")
    (copy,) = (call.params for call in s3.calls if call.operation == COPY)
    assert (copy["CopySourceIfMatch"], copy["IfNoneMatch"]) == (MULTIPART, "*")
    assert s3.calls[-1].params == {"Bucket": "bucket", "Key": "a", "IfMatch": MULTIPART}


def change_before(s3: FakeS3, operation: str, number: int, **facts: Any) -> None:
    """Replace the source right before the given call of an operation."""
    seen = [0]

    def before(call: Call) -> None:
        if call.operation == operation and call.params["Key"] == "a":
            seen[0] += 1
            if seen[0] == number:
                s3.put("a", b"new", **facts)

    s3.before = before


@pytest.mark.parametrize("stated", [False, None, ConditionalWrites(put=True, complete=True, copy=True)])
@pytest.mark.parametrize("facts", [{}, {"etag": MULTIPART}, {"etag": 'W/"weak"'}], ids=["plain", "parts", "weak"])
def test_a_move_deletes_nothing_that_changed_where_the_delete_s_condition_is_not_honoured(
    stated: Any, facts: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.conditions = {"PutObject", "CompleteMultipartUpload", COPY}
    s3.put("a", b"old", **facts)
    change_before(s3, HEAD, 2, **facts)
    with pytest.raises(PreconditionFailed, match="kept") as caught:
        open_lane(endpoint_url=URL, conditional_writes=stated).move("a", "b")
    assert caught.value.path == "a"
    assert (s3.objects["a"].data, s3.objects["b"].data) == (b"new", b"old")
    assert DELETE not in s3.operations()


@pytest.mark.parametrize("stated", [True, False, None])
@pytest.mark.parametrize("status, code", [(501, "NotImplemented"), (405, "MethodNotAllowed")])
@pytest.mark.parametrize("changes", [True, False])
def test_a_server_that_refuses_the_condition_of_a_delete_is_looked_at_again(
    changes: bool, status: int, code: str, stated: bool | None, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"old")

    def before(call: Call) -> None:
        if call.operation == DELETE and "IfMatch" in call.params:
            if changes:
                s3.put("a", b"new")
            raise Fault(code, status)

    s3.before = before
    lane = open_lane(endpoint_url=URL, conditional_writes=stated)
    if changes:
        with pytest.raises(PreconditionFailed):
            lane.move("a", "b")
        assert s3.objects["a"].data == b"new"
    else:
        lane.move("a", "b")
        assert list(s3.objects) == ["b"]
        assert s3.operations()[-3:] == [DELETE, HEAD, DELETE]


@pytest.mark.parametrize("conditions", [True, False])
def test_a_weakly_tagged_source_is_moved_without_pins(conditions: bool, s3: FakeS3, open_lane: Any) -> None:
    s3.conditions = conditions
    s3.put("a", b"abc", etag='W/"abc"')
    open_lane(endpoint_url=URL, conditional_writes=conditions).move("a", "b")
    assert list(s3.objects) == ["b"]
    assert not any(name in call.params for call in s3.calls for name in ("CopySourceIfMatch", "IfMatch"))
    assert s3.operations()[-2:] == [HEAD, DELETE]


def test_a_source_without_tag_and_time_is_never_deleted_by_a_move(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", etag=None, modified=None)

    def after(_call: Call, answer: Any) -> None:
        answer["ResponseMetadata"] = {"HTTPHeaders": {"x-amz-request-id": "R"}}

    s3.after = after
    with pytest.raises(PreconditionFailed):
        open_lane(endpoint_url=URL).move("a", "b")
    assert sorted(s3.objects) == ["a", "b"]


def test_a_source_that_vanishes_before_the_delete_was_moved(s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc")

    def after(call: Call, _answer: Any) -> None:
        if call.operation == COPY:
            del s3.objects["a"]

    s3.after = after
    open_lane(endpoint_url=URL).move("a", "b")
    assert list(s3.objects) == ["b"]
    assert DELETE not in s3.operations()


@pytest.mark.parametrize("endpoint", [{}, {"endpoint_url": URL}, {"endpoint_url": URL, "conditional_writes": True}])
@pytest.mark.parametrize("method", ["copy", "move"])
def test_a_missing_source_outranks_a_file_as_ancestor(
    method: str, endpoint: dict[str, Any], s3: FakeS3, open_lane: Any
) -> None:
    s3.put("file", b"x")
    s3.put("folder/x", b"x")
    lane = open_lane(reject_write_under_file_ancestor=True, **endpoint)
    with pytest.raises(NotFound) as missing:
        getattr(lane, method)("missing", "file/x")
    with pytest.raises(InvalidPath) as folder:
        getattr(lane, method)("folder", "file/x")
    with pytest.raises(InvalidPath) as ancestor:
        getattr(lane, method)("folder/x", "file/x")
    assert [error.value.path for error in (missing, folder, ancestor)] == ["missing", "folder", "file/x"]
    assert sorted(s3.objects) == ["file", "folder/x"]


@pytest.mark.parametrize("given, kept", [({}, False), ({"StorageClass": "STANDARD"}, True)])
def test_a_copy_names_the_storage_class_where_the_options_say_that_there_are_classes(
    given: dict[str, str], kept: bool, s3: FakeS3, open_lane: Any
) -> None:
    s3.put("a", b"abc", described={"StorageClass": "STANDARD_IA"})
    lane = open_lane(endpoint_url=URL, conditional_writes=True, put_options=given)
    lane.copy("a", "b")
    assert s3.operations() == ([HEAD, COPY] if kept else [COPY])
    assert ("StorageClass" in s3.objects["b"].described) is kept


@pytest.mark.parametrize("endpoint", [{}, {"endpoint_url": URL}, {"endpoint_url": URL, "conditional_writes": True}])
def test_a_move_keeps_the_storage_class_everywhere(endpoint: dict[str, Any], s3: FakeS3, open_lane: Any) -> None:
    s3.put("a", b"abc", described={"StorageClass": "STANDARD_IA"})
    open_lane(**endpoint).move("a", "b")
    assert s3.objects["b"].described["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("value", [1, "yes", 0])
def test_a_kind_is_true_false_or_unknown(value: Any) -> None:
    with pytest.raises(TypeError, match="copy of ConditionalWrites"):
        ConditionalWrites(copy=value)


def test_the_kinds_can_be_told_in_a_configuration() -> None:
    def factory(**options: Unpack[S3OptionFields]) -> None:
        raise NotImplementedError

    settings = Settings.of(factory)
    table = Config.from_toml('[backends.b]\ntype = "s3"\nconditional_writes = { put = true, copy = false }\n').backends[
        "b"
    ]
    expected = ConditionalWrites(put=True, copy=False)
    assert settings.values(table.options) == {"conditional_writes": expected}
    assert settings.values({"conditional_writes": '{"put": true, "copy": false}'}) == {"conditional_writes": expected}
    assert settings.values({"conditional_writes": "true"}) == {"conditional_writes": True}
    with pytest.raises(ConfigError, match="delet"):
        settings.values({"conditional_writes": {"delet": True}})


@pytest.mark.parametrize(
    "stated, trusted",
    [(None, False), (True, True), ("probe", False), (ConditionalWrites(put=True, complete=True), False)],
    ids=str,
)
def test_the_options_say_whether_creates_are_trusted(stated: Any, trusted: bool) -> None:
    assert S3Options.build().trusts_conditional_writes
    assert S3Options.build(endpoint_url=URL, conditional_writes=stated).trusts_conditional_writes is trusted
