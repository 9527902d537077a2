from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    RetryPolicy,
    Store,
)
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import fetching
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.reading import PROGRESS, ReadPlan
from remote_store.core.s3.operations.steps import CloseBody, Fetch, Start, Wait
from remote_store.core.s3.protocol import responses
from remote_store.core.s3.protocol.responses import Facts

MIB = 1024 * 1024
GIB = 1024 * MIB
PART = 5 * MIB
CALL = Call("GetObject", {"Bucket": "bucket", "Key": "a"})
RESET = Fault("Reset", transport=True)


def opened(size: int = 100, start: int = 0, end: int | None = None, attempts: int = 3) -> ReadPlan:
    plan = ReadPlan(CALL, RetryPolicy(attempts), start=start, end=end)
    plan.opened(facts(answer(size, start)))
    return plan


def facts(told: dict[str, Any]) -> Facts:
    signed = {"ResponseMetadata": {"HTTPHeaders": {"x-amz-request-id": "1"}}}
    read = responses.read(CALL, {"Body": None, **told, **signed})
    assert isinstance(read, Facts)
    return read


def answer(size: int, start: int = 0, etag: str | None = '"e"', **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"ContentLength": size - start, "ETag": etag}
    return told | ({"ContentRange": f"bytes {start}-{size - 1}/{size}"} if start else {}) | more


@pytest.mark.parametrize(
    "start, end, text",
    [(0, None, None), (5, None, "bytes=5-"), (0, 1, "bytes=0-0"), (5, 10, "bytes=5-9")],
)
def test_the_first_request_names_the_range_and_no_version(start: int, end: int | None, text: str | None) -> None:
    request = ReadPlan(CALL, RetryPolicy(), start=start, end=end).request()
    assert request.params.get("Range") == text
    assert "IfMatch" not in request.params


def test_every_later_request_is_pinned_and_begins_where_bytes_are_missing() -> None:
    plan = opened()
    plan.advanced(40)
    assert plan.request().params == {**CALL.params, "Range": "bytes=40-99", "IfMatch": '"e"'}
    assert plan.part(10).request().params == {**CALL.params, "Range": "bytes=40-49", "IfMatch": '"e"'}


def test_a_known_version_is_asked_for_from_the_start() -> None:
    assert ReadPlan(CALL, RetryPolicy(), etag='"e"').request().params == {**CALL.params, "IfMatch": '"e"'}


def test_the_end_is_unknown_until_the_first_answer() -> None:
    plan = ReadPlan(CALL, RetryPolicy())
    with pytest.raises(ValueError, match="first response"):
        _ = plan.remaining
    plan.opened(facts(answer(7)))
    assert (plan.remaining, plan.total, plan.pin) == (7, 7, '"e"')


def test_a_range_past_the_end_is_cut_to_the_object() -> None:
    plan = opened(size=100, start=90, end=200)
    assert (plan.remaining, plan.total, plan.end) == (10, 100, 100)


@pytest.mark.parametrize(
    "told, code",
    [
        (answer(100, 40, '"other"'), "PreconditionFailed"),
        (answer(100), "InvalidRange"),
        (answer(100, 40, ContentRange="bytes 41-99/100", ContentLength=59), "InvalidRange"),
        (answer(100, 40, ContentRange="bytes 40-98/100", ContentLength=60), "BrokenAnswer"),
        ({"ETag": '"e"', "ContentRange": "bytes 40-100/100"}, "BrokenAnswer"),
        ({"ETag": '"e"'}, "MissingContentLength"),
    ],
)
def test_a_wrong_answer_is_a_fault(told: dict[str, Any], code: str) -> None:
    plan = opened()
    plan.advanced(40)
    with pytest.raises(Fault) as caught:
        plan.opened(facts(told))
    assert caught.value.code == code
    assert not caught.value.transport


def test_a_server_that_ignores_a_range_from_the_start_is_refused_before_the_whole_is_read() -> None:
    plan = ReadPlan(CALL, RetryPolicy(), start=0, end=10)
    with pytest.raises(Fault) as caught:
        plan.opened(facts(answer(100)))
    assert caught.value.code == "InvalidRange"


def test_a_range_that_covers_the_object_may_be_answered_whole() -> None:
    plan = ReadPlan(CALL, RetryPolicy(), start=0, end=200)
    plan.opened(facts(answer(100)))
    assert plan.remaining == 100


def test_quotes_make_no_other_version() -> None:
    plan = opened()
    plan.advanced(40)
    plan.opened(facts(answer(100, 40, "e")))
    assert plan.remaining == 60


def test_a_range_of_unknown_total_is_not_cut_short() -> None:
    plan = ReadPlan(CALL, RetryPolicy(), start=5, end=25)
    plan.opened(facts({"ContentLength": 20, "ETag": '"e"', "ContentRange": "bytes 5-24/*"}))
    assert (plan.total, plan.remaining) == (None, 20)
    with pytest.raises(Fault) as caught:
        ReadPlan(CALL, RetryPolicy(), start=5, end=50).opened(
            facts({"ContentLength": 20, "ETag": '"e"', "ContentRange": "bytes 5-24/*"})
        )
    assert caught.value.code == "InvalidRange"


@pytest.mark.parametrize("told", [answer(80, 40), answer(120, 40), answer(100, 40, ContentRange="bytes 40-99/160")])
def test_another_size_is_another_object(told: dict[str, Any]) -> None:
    plan = opened()
    plan.advanced(40)
    plans = [plan, plan.part(60), ReadPlan(CALL, RetryPolicy(), start=40, end=100, etag='"e"', total=100)]
    for again in plans:
        with pytest.raises(Fault) as caught:
            again.opened(facts(told))
        assert caught.value.code in ("PreconditionFailed", "InvalidRange")


def test_a_range_that_nobody_asked_for_says_of_how_much_it_is() -> None:
    with pytest.raises(Fault, match="MissingContentLength"):
        ReadPlan(CALL, RetryPolicy()).opened(facts(answer(10, ContentRange="bytes 0-9/*")))


def test_a_short_body_is_a_broken_connection() -> None:
    plan = opened()
    plan.advanced(99)
    with pytest.raises(Fault, match="1 bytes early") as caught:
        plan.check_end()
    assert caught.value.transport
    plan.advanced(1)
    plan.check_end()
    assert plan.remaining == 0


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_failures_without_progress_are_borne_as_often_as_the_policy_says(attempts: int) -> None:
    plan = opened(attempts=attempts)
    borne = 0
    while borne < attempts - 1:
        assert plan.broken(RESET) >= 0
        borne += 1
    with pytest.raises(Fault) as caught:
        plan.broken(RESET)
    assert caught.value is RESET


def test_progress_forgets_failures_and_less_than_that_does_not() -> None:
    plan = opened(size=100 * PROGRESS, attempts=2)
    for _ in range(10):
        plan.broken(RESET)
        plan.advanced(PROGRESS)
    plan.broken(RESET)
    plan.advanced(PROGRESS - 1)
    with pytest.raises(Fault, match="Reset"):
        plan.broken(RESET)


def test_progress_in_small_steps_is_progress() -> None:
    plan = opened(size=100 * PROGRESS, attempts=2)
    plan.broken(RESET)
    for _ in range(16):
        plan.advanced(PROGRESS // 16)
    assert plan.broken(RESET) >= 0


def test_a_body_is_asked_for_no_more_than_counts_as_progress_once_a_connection_broke() -> None:
    plan = opened(100 * MIB)
    assert plan.block > PROGRESS
    plan.broken(RESET)
    plan.advanced(50 * MIB)
    assert plan.block == PROGRESS


@pytest.mark.parametrize("fault", [Fault("PreconditionFailed", 412), Fault("AccessDenied", 403), Fault("Slow", 503)])
def test_what_is_no_matter_of_the_connection_ends_the_read(fault: Fault) -> None:
    with pytest.raises(Fault) as caught:
        opened().broken(fault)
    assert caught.value is fault


def test_a_read_that_cannot_be_pinned_is_not_resumed() -> None:
    plan = ReadPlan(CALL, RetryPolicy())
    plan.opened(facts(answer(100, etag=None)))
    assert plan.broken(RESET) >= 0
    plan.advanced(1)
    with pytest.raises(Fault, match="Reset"):
        plan.broken(RESET)


BUCKET = Bucket("bucket", S3Options.build(part_size=PART, max_concurrency=3))


def test_a_small_object_is_read_over_the_body_that_is_open() -> None:
    operation = fetching.read_bytes(BUCKET, "a")
    next(operation)
    step = operation.send(facts({**answer(4 * PART - 1), "Body": "body"}))
    assert isinstance(step, Fetch)
    assert (step.body, step.plan.remaining) == ("body", 4 * PART - 1)


@pytest.mark.parametrize(
    "size, length", [(4 * PART, 2 * PART), (6 * PART + 1, 3 * PART), (100 * PART - 1, 4 * PART)], ids=str
)
def test_a_large_object_is_read_as_pinned_ranges_and_not_over_the_open_body(size: int, length: int) -> None:
    operation = fetching.read_bytes(BUCKET, "a")
    next(operation)
    assert operation.send(facts({**answer(size), "Body": "body"})) == CloseBody("body")
    step = operation.send(None)
    seen = []
    while isinstance(step, Start):
        assert isinstance(step.step, Fetch)
        assert step.window == 3
        seen.append((step.step.plan.request().params["Range"], len(step.step.buffer)))
        step = operation.send(None)
    bounds = [(start, min(start + length, size)) for start in range(0, size, length)]
    assert seen == [(f"bytes={start}-{end - 1}", end - start) for start, end in bounds]
    assert isinstance(step, Wait)
    with pytest.raises(StopIteration) as caught:
        operation.send([None] * len(bounds))
    assert len(caught.value.value) == size


@pytest.mark.parametrize(
    "options, etag", [({"max_concurrency": 1, "part_size": PART}, '"e"'), ({"part_size": PART}, None)]
)
def test_no_ranges_at_once_without_room_or_without_a_version(options: dict[str, Any], etag: str | None) -> None:
    operation = fetching.read_bytes(Bucket("bucket", S3Options.build(**options)), "a")
    next(operation)
    step = operation.send(facts({**answer(10 * PART, etag=etag), "Body": "body"}))
    assert isinstance(step, Fetch)


def test_a_body_that_came_with_a_wrong_answer_is_closed() -> None:
    operation = fetching.read_range(BUCKET, "a", 5, 10)
    next(operation)
    assert operation.send(facts({**answer(100), "Body": "body"})) == CloseBody("body")
    with pytest.raises(Fault, match="ignored the range"):
        operation.send(None)


@pytest.mark.parametrize("start, length", [(0, 0), (0, 1), (3, 4), (9, 1), (9, 5), (10, 1), (50, 5), (0, 10), (0, 99)])
def test_a_range_is_what_slicing_says(start: int, length: int, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")
    s3.put("empty")
    assert lane.read_range("a", start, length) == b"0123456789"[start : start + length]
    assert lane.read_range("empty", start, length) == b""


def test_a_large_range_is_fetched_as_ranges(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    data = bytes(range(256)) * (5 * PART // 256)
    s3.put("a", data)
    assert lane.read_range("a", 3, 4 * PART + 10) == data[3 : 4 * PART + 13]
    assert s3.operations() == ["GetObject"] * 3
    assert all("IfMatch" in call.params for call in s3.calls[1:])


@pytest.mark.parametrize("part_size", [8 * MIB, 16 * MIB, 24 * MIB, 64 * MIB, 5 * GIB])
def test_large_parts_are_no_reason_to_read_over_one_connection(part_size: int, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=part_size)
    s3.put("a", bytes(33 * MIB))
    assert len(lane.read_bytes("a")) == 33 * MIB
    with_ranges = [call.params["Range"] for call in s3.calls[1:]]
    assert with_ranges == [
        f"bytes=0-{16 * MIB - 1}",
        f"bytes={16 * MIB}-{32 * MIB - 1}",
        f"bytes={32 * MIB}-{33 * MIB - 1}",
    ]
    s3.calls.clear()
    stream = lane.read("a")
    assert lane.done(stream.readinto(bytearray(32 * MIB))) == 32 * MIB
    lane.done(stream.close())
    assert len(s3.calls) == 5


@pytest.mark.parametrize("room, block", [(1, MIB), (2, 4 * MIB), (6, 6 * MIB)])
def test_a_reader_says_how_large_a_block_keeps_its_connections_busy(
    room: int, block: int, s3: FakeS3, open_lane: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "UNIT", MIB)
    lane = open_lane(max_concurrency=room)
    data = bytes(range(256)) * (9 * MIB // 256)
    s3.put("folder/a", data)
    s3.put("folder/small", data[: 4 * MIB - 1])
    store = (AsyncStore if lane.is_async else Store)(lane.backend, "folder")
    for name, size in (("a", block), ("small", MIB)):
        file = lane.done(store.read(name))
        assert file.block_size == size
        lane.done(file.close())
    exact = lane.done(store.read_seekable("a"))
    assert exact.block_size == MIB
    lane.done(exact.close())
    s3.calls.clear()
    lane.done(store.download("a", tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == data
    ranges = [call.params.get("Range") for call in s3.calls]
    assert (len(ranges) > 4) is (room > 1)


@pytest.mark.parametrize("part_size", [PART, 8 * MIB, 16 * MIB, 5 * GIB])
@pytest.mark.parametrize("size", [32 * MIB, 96 * MIB, 1000 * MIB])
@pytest.mark.parametrize("concurrency", [2, 4, 16])
def test_ranges_keep_all_connections_busy_and_stay_short(part_size: int, size: int, concurrency: int) -> None:
    options = S3Options.build(part_size=part_size, max_concurrency=concurrency)
    length = fetching.range_length(options, size)
    assert length <= 32 * MIB
    assert -(-size // length) >= min(concurrency, size // min(part_size, 8 * MIB) // 2)


def test_a_large_object_that_changes_meanwhile_is_never_mixed(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    s3.put("a", b"1" * (5 * PART))

    def before(call: Call) -> None:
        if "IfMatch" in call.params:
            s3.objects["a"] = s3.put("b", b"2" * (5 * PART))

    s3.before = before
    with pytest.raises(PreconditionFailed) as caught:
        lane.read_bytes("a")
    assert caught.value.path == "a"
    assert not s3.open_bodies()


def test_a_large_object_is_read_through_cuts_in_every_range(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, max_concurrency=2)
    data = bytes(range(256)) * (5 * PART // 256)
    s3.put("a", data)
    s3.cuts = [0, 100_000, 3 * MIB, 1, 200_000, 0, PART - 1]
    assert lane.read_bytes("a") == data
    assert len(s3.calls) == 1 + 2 + 6


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("cut", range(11))
def test_a_small_object_is_read_whole_wherever_it_is_cut(cut: int, silent: bool, s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")
    s3.cuts, s3.silent_cuts = [cut], silent
    assert lane.read_bytes("a") == b"0123456789"
    s3.cuts = [cut]
    assert lane.read_range("a", 2, 5) == b"23456"


@pytest.mark.parametrize("silent", [True, False])
def test_a_read_that_is_cut_for_ever_gives_up(silent: bool, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(retry=RetryPolicy(3))
    s3.put("a", b"0123456789")
    s3.cuts, s3.silent_cuts = [1] * 99, silent
    with pytest.raises(BackendUnavailable) as caught:
        lane.read_bytes("a")
    assert (caught.value.path, caught.value.retryable) == ("a", True)
    assert s3.operations() == ["GetObject"] * 3


def test_one_attempt_is_one_attempt(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(retry=RetryPolicy.disabled())
    s3.put("a", b"0123456789")
    s3.cuts = [5]
    with pytest.raises(BackendUnavailable):
        lane.read_bytes("a")
    assert s3.operations() == ["GetObject"]


def test_an_object_that_changes_between_two_requests_is_never_mixed(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")
    s3.cuts, s3.silent_cuts = [5], True

    def before(call: Call) -> None:
        if "IfMatch" in call.params:
            s3.put("a", b"abcdefghij")

    s3.before = before
    with pytest.raises(PreconditionFailed) as caught:
        lane.read_bytes("a")
    assert caught.value.path == "a"


def test_an_object_that_vanishes_while_it_is_read_is_missing(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")
    s3.cuts = [5]

    def before(call: Call) -> None:
        if "IfMatch" in call.params:
            s3.objects.clear()

    s3.before = before
    with pytest.raises(NotFound) as caught:
        lane.read_bytes("a")
    assert caught.value.path == "a"


def test_a_server_without_ranges_does_not_hand_out_the_wrong_bytes(s3: FakeS3, lane: Any) -> None:
    s3.put("a", b"0123456789")

    def after(call: Call, told: Any) -> None:
        told.pop("ContentRange", None)
        told["ContentLength"] = 10

    s3.after = after
    for start in (0, 2):
        with pytest.raises(RemoteStoreError) as caught:
            lane.read_range("a", start, 3)
        assert caught.value.code == "InvalidRange"


def test_ranges_that_are_fetched_at_once_stop_when_one_of_them_fails() -> None:
    options = S3Options.build(part_size=5 * 1024 * 1024, max_concurrency=2)
    plan = ReadPlan(CALL, RetryPolicy(), start=0, end=40 * 1024 * 1024, etag='"e"', total=40 * 1024 * 1024)
    operation = fetching.fill(options, plan, memoryview(bytearray(plan.remaining)))
    started = [next(operation), operation.send(None)]
    parts = [step.step.plan for step in started if isinstance(step, Start) and isinstance(step.step, Fetch)]
    assert len(parts) == 2
    assert all(part.remaining for part in parts)
    operation.throw(Fault("PreconditionFailed", 412))
    assert [part.remaining for part in parts] == [0, 0]
