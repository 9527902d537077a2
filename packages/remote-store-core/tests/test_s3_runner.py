from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import RetryPolicy
from remote_store.core.io.streams import Source
from remote_store.core.io.workers import Workers
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.engine.aio_runner import AsyncRunner
from remote_store.core.s3.engine.runner import Runner
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.operations.steps import (
    CloseBody,
    Drain,
    Fetch,
    Operation,
    Pause,
    ReadBlock,
    Start,
    Wait,
    each,
)
from runs import HEAD, Interruption, many, one

GET = Call("GetObject", {"Bucket": "bucket", "Key": "a"})


def key(name: str) -> Call:
    return Call("HeadObject", {"Bucket": "bucket", "Key": name})


def test_a_call_is_answered_and_a_result_returned(kind: Any) -> None:
    assert kind.run(one(HEAD)).size == 10


def test_a_fault_is_thrown_where_the_operation_waits(kind: Any) -> None:
    def operation() -> Operation[str]:
        try:
            yield key("missing")
        except Fault as fault:
            return fault.code
        return "no fault"

    assert kind.run(operation()) == "404"
    with pytest.raises(Fault):
        kind.run(one(key("missing")))


def test_an_operation_that_asks_for_nothing_needs_no_answer(kind: Any) -> None:
    def operation() -> Operation[int]:
        return 1
        yield

    assert kind.run(operation()) == 1


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_fan_of_calls_answers_in_order_with_faults_among_the_answers(count: int, kind: Any) -> None:
    for number in range(0, count, 2):
        kind.s3.put(str(number), b"x" * number)
    outcomes = kind.run(each([key(str(number)) for number in range(count)], 2))
    told = [outcome.code if isinstance(outcome, Fault) else outcome.size for outcome in outcomes]
    assert told == [number if number % 2 == 0 else "404" for number in range(count)]


@pytest.mark.parametrize("shape", ["fan", "starts"])
def test_no_more_calls_are_under_way_than_the_window_allows(shape: str, kind: Any) -> None:
    lock = threading.Lock()
    under_way = [0]
    seen = []

    def before(_call: Call) -> Any:
        with lock:
            under_way[0] += 1
            seen.append(under_way[0])
        return asyncio.sleep(0.001) if kind.is_async else time.sleep(0.001)

    def after(_call: Call, _answer: Any) -> None:
        with lock:
            under_way[0] -= 1

    kind.s3.before, kind.s3.after = before, after
    calls = [HEAD] * 20
    kind.run(each(calls, 2) if shape == "fan" else many([Start(call, 2) for call in calls]))
    assert len(seen) == 20
    assert 1 <= max(seen) <= 2


def test_answers_come_in_the_order_of_their_beginning(kind: Any) -> None:
    for number in range(5):
        kind.s3.put(str(number), b"x" * number)

    def before(call: Call) -> Any:
        seconds = 0.01 if call.params["Key"] == "0" else 0
        return asyncio.sleep(seconds) if kind.is_async else time.sleep(seconds)

    kind.s3.before = before
    answers = kind.run(many([Start(key(str(number)), 3) for number in range(5)]))
    assert [answer.size for answer in answers] == [0, 1, 2, 3, 4]


def test_waiting_for_nothing_is_no_wait(kind: Any) -> None:
    assert kind.run(one(Wait())) == []
    assert kind.run(one(Drain())) == []
    assert kind.run(each([], 2)) == []


def test_a_fault_of_a_call_under_way_is_raised_at_the_next_beginning_or_at_the_wait(kind: Any) -> None:
    with pytest.raises(Fault) as caught:
        kind.run(many([Start(key("missing"), 1)] + [Start(HEAD, 1)] * 50))
    assert caught.value.code == "404"
    assert len(kind.s3.calls) < 5
    with pytest.raises(Fault):
        kind.run(many([Start(HEAD, 3), Start(key("missing"), 3)]))


@pytest.mark.parametrize("patient", [True, False])
def test_a_drain_lets_nothing_go_on_and_tells_what_succeeded(patient: bool, kind: Any) -> None:
    def operation() -> Operation[Any]:
        yield Start(HEAD, 3)
        yield Start(key("missing"), 3)
        told = yield Drain(patient=patient)
        again = yield Wait()
        return told, again

    told, again = kind.run(operation())
    assert again == []
    if patient or not kind.is_async:
        assert [answer.size for answer in told] == [10]
    calls = len(kind.s3.calls)
    kind.run(one(Pause(0.001)))
    assert len(kind.s3.calls) == calls


@pytest.mark.parametrize("shape", ["starts", "fan"])
def test_a_call_that_is_still_queued_when_another_failed_is_never_sent(shape: str, kind: Any) -> None:
    names = ["broken", *map(str, range(6))]
    window = 9
    held = threading.Event()

    def before(call: Call) -> Any:
        if call.params["Key"] == "broken":
            raise OSError("broken")
        if not kind.is_async:
            assert held.wait(10)
            return None
        return asyncio.sleep(0.05)

    def operation() -> Operation[list[str]]:
        try:
            if shape == "fan":
                yield from each([key(name) for name in names], 2)
            else:
                yield from [Start(key(name), window) for name in names]
                yield Wait()
        except OSError:
            threading.Timer(0.1, held.set).start()
            yield Drain()
        return [call.params["Key"] for call in kind.s3.calls]

    kind.s3.before = before
    if shape == "fan":
        threading.Timer(0.1, held.set).start()
    if not kind.is_async:
        # The threads are shared with other operations, so calls that fit the window may have to queue.
        kind.runner.connections._made.get()._threads = 2
    sent = kind.run(operation())
    assert "broken" in sent
    # A task is never queued but for the room of a fan.
    assert len(sent) <= (len(names) if kind.is_async and shape == "starts" else 4)
    calls = len(kind.s3.calls)
    kind.run(one(Pause(0.01)))
    assert len(kind.s3.calls) == calls


def test_a_failure_is_seen_while_an_earlier_call_is_still_under_way(kind: Any) -> None:
    go_on = threading.Event()

    def before(call: Call) -> Any:
        if call.params["Key"] != "a":
            raise OSError("broken")
        if kind.is_async:
            return asyncio.sleep(30)
        assert go_on.wait(30)
        return None

    def operation() -> Operation[float]:
        began = time.monotonic()
        try:
            yield Start(HEAD, 2)
            yield Start(key("b"), 2)
            yield Wait()
        except OSError:
            go_on.set()
            yield Drain()
        return time.monotonic() - began

    kind.s3.before = before
    assert kind.run(operation()) < 10


def test_blocks_come_from_the_source(kind: Any) -> None:
    def operation() -> Operation[list[bytes]]:
        first = yield ReadBlock(2)
        second = yield ReadBlock(5)
        return [first, second]

    if kind.is_async:
        pytest.skip("awaited sources are tested with uploads")
    assert kind.run(operation(), Source(b"012345")) == [b"01", b"2345"]
    assert kind.run(one(ReadBlock(2))) == b""


@pytest.mark.parametrize(
    "error", [StopIteration("mine"), StopAsyncIteration("mine"), ValueError("mine"), Interruption()]
)
def test_an_exception_on_the_way_is_thrown_in_and_never_a_result(error: BaseException, kind: Any) -> None:
    seen = []

    def operation() -> Operation[str]:
        try:
            yield HEAD
        except BaseException as caught:
            seen.append(caught)
            yield key("b")
            raise
        return "no error"

    def before(call: Call) -> None:
        if call.params["Key"] == "a":
            raise error

    kind.s3.put("b")
    kind.s3.before = before
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted below
        kind.run(operation())
    assert error in (caught.value, caught.value.__cause__, getattr(caught.value.__cause__, "__cause__", None))
    assert [call.params["Key"] for call in kind.s3.calls] == ["a", "b"]
    assert len(seen) == 1


def test_a_body_is_read_and_closed(kind: Any) -> None:
    def operation() -> Operation[Any]:
        plan = ReadPlan(GET, RetryPolicy())
        answer = yield plan.request()
        plan.opened(answer)
        return (yield Fetch(plan, body=answer.body))

    assert kind.run(operation()) == b"0123456789"
    assert not kind.s3.open_bodies()


def test_a_body_that_is_not_wanted_is_closed(kind: Any) -> None:
    def operation() -> Operation[None]:
        answer = yield GET
        yield CloseBody(answer.body)

    kind.run(operation())
    assert not kind.s3.open_bodies()


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("cuts", [[], [0], [9], [3, 2, 0], [10]])
def test_a_fetch_fills_its_buffer_through_cuts(cuts: list[float], silent: bool, kind: Any) -> None:
    kind.s3.cuts, kind.s3.silent_cuts = cuts, silent
    buffer = bytearray(8)
    plan = ReadPlan(GET, RetryPolicy(), start=1, end=9, etag=kind.s3.objects["a"].etag)
    kind.run(one(Fetch(plan, memoryview(buffer))))
    assert buffer == b"12345678"
    assert not kind.s3.open_bodies()


@pytest.mark.parametrize("number", range(1, 5))
def test_a_fetch_that_fails_anywhere_leaves_no_body_open(number: int, kind: Any) -> None:
    kind.s3.cuts = [2] * 9

    def before(_call: Call) -> None:
        if len(kind.s3.calls) == number:
            raise Fault("AccessDenied", 403)

    kind.s3.before = before
    plan = ReadPlan(GET, RetryPolicy(9), end=10, etag=kind.s3.objects["a"].etag)
    with pytest.raises(Fault, match="AccessDenied"):
        kind.run(one(Fetch(plan, memoryview(bytearray(10)))))
    assert len(kind.s3.calls) == number
    assert not kind.s3.open_bodies()


@pytest.mark.parametrize("queued", [True, False])
def test_an_interruption_while_a_call_is_queued_is_waited_for(
    queued: bool, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("a")
    s3.before = lambda _call: time.sleep(0.01)
    begin = Workers.begin

    def interrupted(*arguments: Any) -> Any:
        if queued:
            begin(*arguments)
        raise Interruption

    def operation() -> Operation[Any]:
        try:
            yield Start(HEAD, 2)
        except BaseException:
            told.append((yield Drain()))
            raise

    told: list[Any] = []
    runner = Runner(lambda: FakeS3Port(s3), 2)
    monkeypatch.setattr(Workers, "begin", interrupted)
    with pytest.raises(Interruption):
        runner.run(operation())
    calls = len(s3.calls)
    assert len(told[0]) == calls
    runner.close()
    assert len(s3.calls) == calls


def test_a_cancelled_operation_is_told_and_finishes_its_last_wishes(s3: FakeS3) -> None:
    s3.put("a")
    wishes = []

    def operation() -> Operation[None]:
        try:
            yield Pause(60)
        except BaseException:
            for name in ("b", "c"):
                try:
                    yield key(name)
                except Fault as fault:
                    wishes.append(fault.code)
            raise

    async def race() -> None:
        async def connect() -> AsyncFakeS3Port:
            return AsyncFakeS3Port(s3)

        runner = AsyncRunner(connect, 2)
        task = asyncio.create_task(runner.run(operation()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for _ in range(8):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        await runner.close()

    asyncio.run(race())
    assert wishes == ["404", "404"]


def test_a_cancelled_beginning_leaves_no_task_behind(s3: FakeS3) -> None:
    s3.put("a")

    def operation() -> Operation[None]:
        try:
            for _ in range(9):
                yield Start(HEAD, 2)
            yield Wait()
        except BaseException:
            yield Drain()
            raise

    async def race(steps: int) -> bool:
        async def connect() -> AsyncFakeS3Port:
            return AsyncFakeS3Port(s3)

        runner = AsyncRunner(connect, 2)
        task = asyncio.create_task(runner.run(operation()))
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = task.done()
        task.cancel()
        await asyncio.wait([task])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await runner.close()
        return finished

    steps = 0
    while not asyncio.run(race(steps)):
        steps += 1
    assert steps > 5
