"""Deletes of many objects and reads of many ranges on S3: requests, outcomes, and what a failure leaves."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    InvalidPath,
    NotFound,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.operations.ranges import GAP, LONGEST_GROUP, grouped

BULK, DELETE, HEAD, GET, LIST = "DeleteObjects", "DeleteObject", "HeadObject", "GetObject", "ListObjectsV2"
MIB = 1024 * 1024
DATA = random.Random(2).randbytes(12 * MIB)


def errors(outcomes: list[Outcome[None]]) -> dict[str, type | None]:
    return {outcome.path: outcome.error and type(outcome.error) for outcome in outcomes}


def spans(s3: FakeS3) -> list[str]:
    return [call.params["Range"].removeprefix("bytes=") for call in s3.calls if call.operation == GET]


def test_a_thousand_objects_are_one_request(s3: FakeS3, lane: Any) -> None:
    keys = [f"d/{number}" for number in range(2001)]
    for key in [*keys, "d/kept"]:
        s3.put(key, b"x")
    outcomes = lane.delete_many(iter(keys))
    assert [outcome.path for outcome in outcomes if outcome.error is None] == keys
    assert list(s3.objects) == ["d/kept"]
    assert s3.operations() == [BULK] * 3


def test_a_missing_object_counts_as_deleted(s3: FakeS3, lane: Any) -> None:
    assert errors(lane.delete_many(["none", "none"])) == {"none": None}
    assert s3.calls[0].params["Delete"] == {"Objects": [{"Key": "none"}]}


def test_nothing_to_delete_is_no_request(s3: FakeS3, lane: Any) -> None:
    assert lane.delete_many([]) == []
    assert errors(lane.delete_many(["", "a\0b", "a" * 1025])) == dict.fromkeys(["", "a\0b", "a" * 1025], InvalidPath)
    assert s3.calls == []


def test_what_is_no_path_is_an_outcome(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"x")
    outcomes = lane.delete_many([["list"], "a", None])
    assert [type(outcome.error) for outcome in outcomes if outcome.path != "a"] == [TypeError, TypeError]
    assert not s3.objects


def test_odd_keys_are_deleted_one_by_one(s3: FakeS3, lane: Any) -> None:
    odd = ["d/\x01", "d/end\n", "d/\ufffe"]
    for key in [*odd, "d/a", "/lead", "a//b", "d/*", "da"]:
        s3.put(key, b"x")
    asked = [*odd, "d/a", "/lead", "a//b", "d/*"]
    assert errors(lane.delete_many(asked)) == dict.fromkeys(asked)
    assert list(s3.objects) == ["da"]
    assert sorted(call.params["Key"] for call in s3.calls if call.operation == DELETE) == sorted(odd)


def test_markers_of_folders_are_kept(s3: FakeS3, lane: Any) -> None:
    s3.put("d/")
    s3.put("d/a", b"x")
    s3.put("odd/", b"content")
    found = errors(lane.delete_many(["d", "d/", "odd/", "none/"]))
    assert found == {"d": None, "d/": InvalidPath, "odd/": None, "none/": None}
    assert sorted(s3.objects) == ["d/", "d/a"]


def test_each_object_has_its_own_error(s3: FakeS3, lane: Any) -> None:
    for key in "abcd":
        s3.put(key, b"x")

    def after(call: Call, answer: Any) -> None:
        if call.operation == BULK:
            answer["Deleted"] = [{"Key": "a"}]
            answer["Errors"] = [
                {"Key": "b", "Code": "AccessDenied", "Message": "no"},
                {"Key": "c", "Code": "NoSuchKey"},
                {"Key": "stranger", "Code": "InternalError"},
            ]
            s3.put("d", b"x")

    s3.after = after
    outcomes = lane.delete_many(["a", "b", "c", "d"])
    assert errors(outcomes) == {"a": None, "b": PermissionDenied, "c": None, "d": None}
    error = next(outcome.error for outcome in outcomes if outcome.path == "b")
    assert (error.path, error.code, error.backend) == ("b", "AccessDenied", "s3")
    assert s3.operations() == [BULK, DELETE]
    assert "d" not in s3.objects


@pytest.mark.parametrize("fault", [Fault("NotImplemented", 501), Fault("MethodNotAllowed", 405)])
def test_a_server_without_bulk_deletes_is_asked_one_by_one(s3: FakeS3, lane: Any, fault: Fault) -> None:
    for key in "abc":
        s3.put(key, b"x")

    def before(call: Call) -> None:
        if call.operation == BULK:
            raise fault
        if call.operation == DELETE and call.params["Key"] == "b":
            raise Fault("AccessDenied", 403)

    s3.before = before
    assert errors(lane.delete_many("abc")) == {"a": None, "b": PermissionDenied, "c": None}
    assert list(s3.objects) == ["b"]


def test_a_batch_that_fails_does_not_end_the_others(s3: FakeS3, lane: Any) -> None:
    keys = [f"{number:04}" for number in range(1500)]
    for key in keys:
        s3.put(key, b"x")

    def before(call: Call) -> None:
        if call.operation == BULK and call.params["Delete"]["Objects"][0]["Key"] == "0000":
            raise Fault("SlowDown", 503, "busy")

    s3.before = before
    outcomes = lane.delete_many(keys)
    assert sorted(s3.objects) == keys[:1000]
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert [outcome.path for outcome in failed] == keys[:1000]
    assert all(outcome.error.path == outcome.path and outcome.error.retryable for outcome in failed)
    assert len({id(outcome.error) for outcome in failed}) == 1000


def test_where_there_is_no_bucket_there_is_no_file(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane()
    s3.bucket = "another"
    assert errors(lane.delete_many(["a", "b/"])) == {"a": None, "b/": None}


def test_a_closed_backend_is_an_error_of_each_path(s3: FakeS3, lane: Any) -> None:
    lane.close()
    assert errors(lane.delete_many(["a", "b"])) == {"a": BackendUnavailable, "b": BackendUnavailable}


def test_an_exception_of_the_paths_passes(s3: FakeS3, lane: Any) -> None:
    s3.put("0", b"x")

    def paths() -> Any:
        yield "0"
        raise NotFound("mine", path="elsewhere")

    with pytest.raises(NotFound) as caught:
        lane.delete_many(paths())
    assert (caught.value.path, caught.value.backend) == ("elsewhere", None)
    assert list(s3.objects) == ["0"]


def test_a_store_tells_its_own_paths(s3: FakeS3, lane: Any) -> None:
    for key in ("team/a", "team/b", "a"):
        s3.put(key, b"x")

    def after(call: Call, answer: Any) -> None:
        if call.operation == BULK:
            answer["Errors"] = [{"Key": "team/b", "Code": "AccessDenied"}]

    s3.after = after
    store = AsyncStore(lane.backend, "team") if lane.is_async else Store(lane.backend, "team")
    outcomes = lane.done(store.delete_many(["./a", "b", "", "a"]))
    assert errors(outcomes) == {"./a": None, "a": None, "b": PermissionDenied, "": InvalidPath}
    assert next(outcome.error.path for outcome in outcomes if outcome.path == "b") == "b"
    assert list(s3.objects) == ["a"]


@pytest.mark.parametrize(
    "ranges, groups",
    [
        ([], []),
        ([(5, 0)], []),
        ([(5, 2)], [(5, 7, [0])]),
        ([(9, 1), (0, 2), (5, 0), (4, 2)], [(0, 10, [1, 3, 0])]),
        ([(0, 5), (0, 5), (2, 1), (3, 9)], [(0, 12, [0, 1, 2, 3])]),
        ([(0, 1), (1 + GAP, 1)], [(0, GAP + 2, [0, 1])]),
        ([(0, 1), (2 + GAP, 1)], [(0, 1, [0]), (GAP + 2, GAP + 3, [1])]),
        ([(0, LONGEST_GROUP), (LONGEST_GROUP, 1)], [(0, LONGEST_GROUP, [0]), (LONGEST_GROUP, LONGEST_GROUP + 1, [1])]),
        ([(0, LONGEST_GROUP - 1), (LONGEST_GROUP - 1, 1)], [(0, LONGEST_GROUP, [0, 1])]),
        ([(3, 2), (0, 9 * LONGEST_GROUP), (0, 1)], [(0, 9 * LONGEST_GROUP, [1, 2, 0])]),
    ],
)
def test_neighbours_form_groups(ranges: list[tuple[int, int]], groups: list[tuple[int, int, list[int]]]) -> None:
    assert [(group.start, group.end, group.members) for group in grouped(ranges)] == groups


def test_groups_hold_every_range_and_are_bounded() -> None:
    rng = random.Random(3)
    for _ in range(50):
        ranges = [(rng.randrange(20 * MIB), rng.choice([0, 1, 1000, MIB, 6 * MIB])) for _ in range(30)]
        groups = grouped(ranges)
        held = {place: group for group in groups for place in group.members}
        assert held.keys() == {place for place, (_, length) in enumerate(ranges) if length}
        for place, group in held.items():
            assert group.start <= ranges[place][0]
            assert ranges[place][0] + ranges[place][1] <= group.end
        longest = {id(group): max(ranges[place][1] for place in group.members) for group in groups}
        assert all(group.end - group.start <= max(LONGEST_GROUP, longest[id(group)]) for group in groups)


def test_ranges_come_in_the_order_asked(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA)
    rng = random.Random(4)
    ranges = [(rng.randrange(13 * MIB), rng.choice([0, 1, 700, 2 * MIB])) for _ in range(40)]
    assert lane.read_ranges("a", ranges) == [DATA[start : start + length] for start, length in ranges]
    assert len(s3.calls) < 12
    tags = {call.params.get("IfMatch") for call in s3.calls[1:]}
    assert tags == {s3.objects["a"].etag}


def test_neighbours_share_a_request(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA)
    ranges = [(8 * MIB, 10), (0, 10), (100, 10), (8 * MIB, 10), (8 * MIB + 5, 20)]
    assert lane.read_ranges("a", ranges) == [DATA[start : start + length] for start, length in ranges]
    assert sorted(spans(s3)) == ["0-109", f"{8 * MIB}-{8 * MIB + 24}"]


def test_no_byte_is_no_request(s3: FakeS3, lane: Any) -> None:
    assert lane.read_ranges("none", []) == []
    assert lane.read_ranges("none", [(0, 0), (7, 0)]) == [b"", b""]
    assert s3.calls == []


def test_ranges_past_the_end_are_short_or_empty(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")
    far = 5 * MIB
    assert lane.read_ranges("a", [(8, 5), (far, 1), (10, 1), (0, 1), (2 * far, 1)]) == [b"89", b"", b"", b"0", b""]
    assert spans(s3) == ["0-12"]
    assert lane.read_ranges("a", [(far, 1), (10, 1)]) == [b"", b""]
    s3.put("empty")
    assert lane.read_ranges("empty", [(0, 1), (far, 1)]) == [b"", b""]


@pytest.mark.parametrize(
    "path, error", [("", InvalidPath), ("none", NotFound), ("d", InvalidPath), ("d/", InvalidPath)]
)
def test_what_is_no_file_has_no_ranges(s3: FakeS3, lane: Any, path: str, error: type[Exception]) -> None:
    s3.put("d/")
    s3.put("d/x", b"x")
    with pytest.raises(error):
        lane.read_ranges(path, [(0, 1), (5 * MIB, 1)])


@pytest.mark.parametrize("ranges", [[(-1, 2)], [(0, -1)], [(0, 1), (0, "1")], [(0,)], ["01"], [5]])
def test_bad_ranges_are_refused_before_a_request(s3: FakeS3, lane: Any, ranges: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        lane.read_ranges("a", ranges)
    assert s3.calls == []


def test_ranges_of_two_versions_are_never_mixed(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA)
    calls: list[Call] = []

    def before(call: Call) -> None:
        calls.append(call)
        if len(calls) == 2:
            s3.put("a", DATA[::-1])

    s3.before = before
    with pytest.raises(PreconditionFailed):
        lane.read_ranges("a", [(0, 1), (3 * MIB, 1), (6 * MIB, 1)])


def test_a_range_that_breaks_is_fetched_again(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA)
    s3.cuts = [3, 5]
    assert lane.read_ranges("a", [(0, 10), (5 * MIB, 10)]) == [DATA[:10], DATA[5 * MIB : 5 * MIB + 10]]
    assert len(s3.calls) == 4


def test_a_large_range_is_split(s3: FakeS3, open_lane: Any) -> None:
    content = DATA + DATA
    s3.put("a", content)
    lane = open_lane(part_size=5 * MIB, max_concurrency=2)
    ranges = [(10, 1), (1, 20 * MIB), (21 * MIB, 2), (6 * MIB, 5)]
    assert lane.read_ranges("a", ranges) == [content[start : start + length] for start, length in ranges]
    assert len(s3.calls) == 4


def test_a_failing_group_leaves_no_body_open(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA)

    def before(call: Call) -> None:
        if call.operation == GET and call.params["Range"].startswith(f"bytes={6 * MIB}"):
            raise Fault("AccessDenied", 403)

    s3.before = before
    with pytest.raises(PermissionDenied) as caught:
        lane.read_ranges("a", [(number * 2 * MIB, 1) for number in range(6)])
    assert caught.value.path == "a"


def test_a_size_that_the_range_does_not_tell_is_asked_for(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"x" * 20)

    def after(call: Call, answer: Any) -> None:
        if call.operation == GET and len(s3.calls) == 1:
            answer["ContentRange"] = answer["ContentRange"].replace("/20", "/*")

    s3.after = after
    assert lane.read_ranges("a", [(0, 10), (5 * MIB, 1)]) == [b"x" * 10, b""]


def test_an_object_without_a_version_is_still_checked(s3: FakeS3, lane: Any) -> None:
    s3.put("a", DATA, etag='W/"weak"')

    def before(call: Call) -> None:
        if len(s3.calls) == 2:
            s3.objects["a"] = replace(s3.objects["a"], data=DATA[:-1], size=len(DATA) - 1)

    s3.before = before
    with pytest.raises((PreconditionFailed, RemoteStoreError)):
        lane.read_ranges("a", [(0, 1), (5 * MIB, 1)])
