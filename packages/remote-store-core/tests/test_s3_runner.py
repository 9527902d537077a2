from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from remote_store.conformance.fake_s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import BackendUnavailable, RetryPolicy
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.aio_runner import AsyncRunner, finish
from remote_store.core.s3.reading import ReadPlan
from remote_store.core.s3.runner import Runner
from remote_store.core.s3.steps import CloseBody, Drain, Fetch, Operation, Pause, ReadBlock, ReadBody, Start, Wait
from remote_store.core.streams import Source

HEAD = Call("HeadObject", {"Bucket": "bucket", "Key": "a"})
GET = Call("GetObject", {"Bucket": "bucket", "Key": "a"})


class Interruption(BaseException):
    pass


class Kind:
    """A runner, sync or async, over an S3 server in memory."""

    def __init__(self, s3: FakeS3, name: str, loop: asyncio.Runner, window: int = 2) -> None:
        self.s3 = s3
        self.is_async = name == "async"
        self.ports: list[Any] = []
        self._loop = loop
        self.runner = AsyncRunner(self._connect_async, window) if self.is_async else Runner(self._connect, window)

    def _connect(self) -> FakeS3Port:
        self.ports.append(FakeS3Port(self.s3))
        return self.ports[-1]

    async def _connect_async(self) -> AsyncFakeS3Port:
        await asyncio.sleep(0)
        self.ports.append(AsyncFakeS3Port(self.s3))
        return self.ports[-1]

    def done(self, value: Any) -> Any:
        return self._loop.run(value) if inspect.iscoroutine(value) else value

    def run(self, operation: Operation[Any], source: Any = None) -> Any:
        return self.done(self.runner.run(operation, source))

    def close(self) -> None:
        self.done(self.runner.close())


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest, s3: FakeS3) -> Any:
    s3.put("a", b"0123456789")
    with asyncio.Runner() as loop:
        made = Kind(s3, request.param, loop)
        yield made
        made.close()
        assert all(port.closed for port in made.ports)


def one(step: Any) -> Operation[Any]:
    return (yield step)


def many(steps: list[Any]) -> Operation[Any]:
    yield from steps
    return (yield Wait())


def key(name: str) -> Call:
    return Call("HeadObject", {"Bucket": "bucket", "Key": name})


def test_a_call_is_answered_and_a_result_returned(kind: Kind) -> None:
    assert kind.run(one(HEAD))["ContentLength"] == 10


def test_a_fault_is_thrown_where_the_operation_waits(kind: Kind) -> None:
    def operation() -> Operation[str]:
        try:
            yield key("missing")
        except Fault as fault:
            return fault.code
        return "no fault"

    assert kind.run(operation()) == "404"
    with pytest.raises(Fault):
        kind.run(one(key("missing")))


def test_an_operation_that_asks_for_nothing_needs_no_answer(kind: Kind) -> None:
    def operation() -> Operation[int]:
        return 1
        yield

    assert kind.run(operation()) == 1


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_fan_of_calls_answers_in_order_with_faults_among_the_answers(count: int, kind: Kind) -> None:
    for number in range(0, count, 2):
        kind.s3.put(str(number), b"x" * number)
    outcomes = kind.run(one(tuple(key(str(number)) for number in range(count))))
    told = [outcome.code if isinstance(outcome, Fault) else outcome["ContentLength"] for outcome in outcomes]
    assert told == [number if number % 2 == 0 else "404" for number in range(count)]


@pytest.mark.parametrize("shape", ["fan", "starts"])
def test_no_more_calls_are_under_way_than_the_window_allows(shape: str, kind: Kind) -> None:
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
    kind.run(one(tuple(calls)) if shape == "fan" else many([Start(call, 2) for call in calls]))
    assert len(seen) == 20
    assert 1 <= max(seen) <= 2


def test_answers_come_in_the_order_of_their_beginning(kind: Kind) -> None:
    for number in range(5):
        kind.s3.put(str(number), b"x" * number)

    def before(call: Call) -> Any:
        seconds = 0.01 if call.params["Key"] == "0" else 0
        return asyncio.sleep(seconds) if kind.is_async else time.sleep(seconds)

    kind.s3.before = before
    answers = kind.run(many([Start(key(str(number)), 3) for number in range(5)]))
    assert [answer["ContentLength"] for answer in answers] == [0, 1, 2, 3, 4]


def test_waiting_for_nothing_is_no_wait(kind: Kind) -> None:
    assert kind.run(one(Wait())) == []
    assert kind.run(one(Drain())) == []
    assert kind.run(one(())) == []


def test_a_fault_of_a_call_under_way_is_raised_at_the_next_beginning_or_at_the_wait(kind: Kind) -> None:
    with pytest.raises(Fault) as caught:
        kind.run(many([Start(key("missing"), 1)] + [Start(HEAD, 1)] * 50))
    assert caught.value.code == "404"
    assert len(kind.s3.calls) < 5
    with pytest.raises(Fault):
        kind.run(many([Start(HEAD, 3), Start(key("missing"), 3)]))


@pytest.mark.parametrize("patient", [True, False])
def test_a_drain_lets_nothing_go_on_and_tells_what_succeeded(patient: bool, kind: Kind) -> None:
    def operation() -> Operation[Any]:
        yield Start(HEAD, 3)
        yield Start(key("missing"), 3)
        told = yield Drain(patient=patient)
        again = yield Wait()
        return told, again

    told, again = kind.run(operation())
    assert again == []
    if patient or not kind.is_async:
        assert [answer["ContentLength"] for answer in told] == [10]
    calls = len(kind.s3.calls)
    kind.run(one(Pause(0.001)))
    assert len(kind.s3.calls) == calls


def test_blocks_come_from_the_source(kind: Kind) -> None:
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
def test_an_exception_on_the_way_is_thrown_in_and_never_a_result(error: BaseException, kind: Kind) -> None:
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


def test_a_body_is_read_and_closed(kind: Kind) -> None:
    def operation() -> Operation[Any]:
        plan = ReadPlan(GET, RetryPolicy())
        answer = yield plan.request()
        plan.opened(answer)
        return (yield ReadBody(plan, answer["Body"]))

    assert kind.run(operation()) == b"0123456789"
    assert not kind.s3.open_bodies()


def test_a_body_that_is_not_wanted_is_closed(kind: Kind) -> None:
    def operation() -> Operation[None]:
        answer = yield GET
        yield CloseBody(answer["Body"])

    kind.run(operation())
    assert not kind.s3.open_bodies()


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("cuts", [[], [0], [9], [3, 2, 0], [10]])
def test_a_fetch_fills_its_buffer_through_cuts(cuts: list[float], silent: bool, kind: Kind) -> None:
    kind.s3.cuts, kind.s3.silent_cuts = cuts, silent
    buffer = bytearray(8)
    plan = ReadPlan(GET, RetryPolicy(), start=1, end=9, etag=kind.s3.objects["a"].etag)
    kind.run(one(Fetch(plan, memoryview(buffer))))
    assert buffer == b"12345678"
    assert not kind.s3.open_bodies()


@pytest.mark.parametrize("number", range(1, 5))
def test_a_fetch_that_fails_anywhere_leaves_no_body_open(number: int, kind: Kind) -> None:
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


def test_close_is_final_and_repeatable(kind: Kind) -> None:
    kind.run(one(HEAD))
    kind.run(many([Start(HEAD, 1)]))
    kind.close()
    kind.close()
    assert [port.closed for port in kind.ports] == [True]
    for act in (lambda: kind.run(one(HEAD)), lambda: kind.done(kind.runner.port()), kind.runner.check_open):
        with pytest.raises(BackendUnavailable, match="closed") as caught:
            act()
        assert not caught.value.retryable
    assert len(kind.ports) == 1


def test_closing_what_was_never_used_connects_nothing(kind: Kind) -> None:
    kind.close()
    assert kind.ports == []


def test_a_connection_that_cannot_be_made_is_tried_again_later(s3: FakeS3) -> None:
    s3.put("a")
    failures = [Fault("NoCredentialsError", credentials=True)]

    def connect() -> FakeS3Port:
        if failures:
            raise failures.pop()
        return FakeS3Port(s3)

    runner = Runner(connect, 2)
    with pytest.raises(Fault):
        runner.run(one(HEAD))
    assert runner.run(one(HEAD))["ContentLength"] == 0
    runner.close()


# ---- threads and processes


def together(count: int, act: Callable[[int], None]) -> list[BaseException]:
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def work(number: int) -> None:
        barrier.wait(30)
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_thirty_two_threads_at_once_make_one_connection(s3: FakeS3) -> None:
    s3.put("a", b"0123456789")
    made = []

    def connect() -> FakeS3Port:
        time.sleep(0.01)
        made.append(FakeS3Port(s3))
        return made[-1]

    runner = Runner(connect, 4)
    answers = []
    assert together(32, lambda number: answers.extend(runner.run(many([Start(HEAD, 4)] * 3)))) == []
    assert len(made) == 1
    assert len(answers) == 96
    assert threads_of_the_pool() <= 16
    runner.close()
    assert made[0].closed
    assert threads_of_the_pool() == 0


def threads_of_the_pool() -> int:
    return sum(thread.name.startswith("remote-store-s3") for thread in threading.enumerate())


def test_a_connection_that_is_made_while_it_is_closed_is_closed_too(s3: FakeS3) -> None:
    s3.put("a")
    made: list[FakeS3Port] = []
    connecting, go_on = threading.Event(), threading.Event()

    def connect() -> FakeS3Port:
        connecting.set()
        assert go_on.wait(30)
        made.append(FakeS3Port(s3))
        return made[-1]

    runner = Runner(connect, 2)
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(runner.run(one(HEAD)))
        except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
            outcome.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert connecting.wait(30)
    closer = threading.Thread(target=runner.close)
    closer.start()
    go_on.set()
    worker.join(30)
    closer.join(30)
    assert len(outcome) == 1
    assert [port.closed for port in made] == [True]


def test_a_closed_connection_makes_neither_a_port_nor_threads(s3: FakeS3) -> None:
    runner = Runner(lambda: FakeS3Port(s3), 2)
    connection = runner._connection()
    runner.close()
    with pytest.raises(BackendUnavailable):
        connection.port()
    with pytest.raises(BackendUnavailable):
        connection.executor()
    assert threads_of_the_pool() == 0


def test_starts_from_many_threads_share_a_bounded_pool(s3: FakeS3) -> None:
    s3.put("a")
    s3.before = lambda _call: time.sleep(0.001)
    runner = Runner(lambda: FakeS3Port(s3), 2)
    assert together(10, lambda number: runner.run(many([Start(HEAD, 2)] * 10))) == []
    assert 0 < threads_of_the_pool() <= 8
    runner.close()


def in_child(runner: Runner, made: list[int], answers: Any) -> None:
    try:
        answer = runner.run(many([Start(HEAD, 2)] * 3))
        answers.put((len(answer), made))
        runner.close()
    except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
        answers.put(repr(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is not available here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("used", [True, False])
def test_a_forked_child_connects_by_itself(used: bool, s3: FakeS3) -> None:
    s3.put("a")
    made: list[int] = []

    def connect() -> FakeS3Port:
        made.append(os.getpid())
        return FakeS3Port(s3)

    runner = Runner(connect, 2)
    if used:
        runner.run(many([Start(HEAD, 2)] * 3))
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=in_child, args=(runner, made, answers))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() == (3, [os.getpid()] * used + [child.pid])
    runner.run(one(HEAD))
    assert made == [os.getpid()]
    runner.close()


@pytest.mark.parametrize("queued", [True, False])
def test_an_interruption_while_a_call_is_queued_is_waited_for(
    queued: bool, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("a")
    s3.before = lambda _call: time.sleep(0.01)
    submit = ThreadPoolExecutor.submit

    def interrupted(*arguments: Any) -> Any:
        if queued:
            submit(*arguments)
        raise Interruption

    def operation() -> Operation[Any]:
        try:
            yield Start(HEAD, 2)
        except BaseException:
            told.append((yield Drain()))
            raise

    told: list[Any] = []
    runner = Runner(lambda: FakeS3Port(s3), 2)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(Interruption):
        runner.run(operation())
    calls = len(s3.calls)
    assert len(told[0]) == calls
    runner.close()
    assert len(s3.calls) == calls


# ---- event loops and cancellation


def test_thirty_two_tasks_at_once_make_one_connection(s3: FakeS3) -> None:
    s3.put("a")
    made = []

    async def connect() -> AsyncFakeS3Port:
        await asyncio.sleep(0)
        made.append(AsyncFakeS3Port(s3))
        return made[-1]

    async def race() -> None:
        runner = AsyncRunner(connect, 2)
        await asyncio.gather(*(runner.run(one(HEAD)) for _ in range(32)))
        await runner.close()

    asyncio.run(race())
    assert [port.closed for port in made] == [True]


def test_another_event_loop_is_refused(s3: FakeS3) -> None:
    s3.put("a")

    async def connect() -> AsyncFakeS3Port:
        return AsyncFakeS3Port(s3)

    runner = AsyncRunner(connect, 2)
    asyncio.run(runner.run(one(HEAD)))
    with pytest.raises(BackendUnavailable, match="event loop"):
        asyncio.run(runner.run(one(HEAD)))


def in_child_awaited(runner: AsyncRunner, made: list[int], answers: Any) -> None:
    async def work() -> int:
        answer = await runner.run(many([Start(HEAD, 2)] * 3))
        await runner.close()
        return len(answer)

    try:
        answers.put((asyncio.run(work()), made))
    except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
        answers.put(repr(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is not available here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("used", [True, False])
def test_a_forked_child_connects_by_itself_in_a_loop_of_its_own(used: bool, s3: FakeS3) -> None:
    s3.put("a")
    made: list[int] = []
    ports: list[AsyncFakeS3Port] = []

    async def connect() -> AsyncFakeS3Port:
        made.append(os.getpid())
        ports.append(AsyncFakeS3Port(s3))
        return ports[-1]

    async def work() -> None:
        runner = AsyncRunner(connect, 2)
        if used:
            await runner.run(one(HEAD))
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        child = context.Process(target=in_child_awaited, args=(runner, made, answers))
        child.start()
        child.join(30)
        assert child.exitcode == 0
        assert answers.get() == (3, [os.getpid()] * used + [child.pid])
        await runner.run(one(HEAD))
        assert made == [os.getpid()]
        await runner.close()

    asyncio.run(work())
    assert [port.closed for port in ports] == [True]


def test_an_async_connection_that_is_made_while_it_is_closed_is_closed_too(s3: FakeS3) -> None:
    s3.put("a")
    made = []

    async def race() -> None:
        go_on = asyncio.Event()

        async def connect() -> AsyncFakeS3Port:
            await go_on.wait()
            made.append(AsyncFakeS3Port(s3))
            return made[-1]

        runner = AsyncRunner(connect, 2)
        tasks = [asyncio.create_task(runner.run(one(HEAD))) for _ in range(2)]
        await asyncio.sleep(0)
        await runner.close()
        go_on.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in outcomes] == [BackendUnavailable] * 2

    asyncio.run(race())
    assert [port.closed for port in made] == [True]


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


@pytest.mark.parametrize("times", [1, 5])
def test_work_that_must_end_ends_however_often_it_is_cancelled(times: int) -> None:
    async def race() -> None:
        done = []

        async def work() -> int:
            for _ in range(10):
                await asyncio.sleep(0)
            done.append(True)
            return 7

        task = asyncio.create_task(finish(work()))
        for _ in range(times):
            await asyncio.sleep(0)
            task.cancel()
        assert await task == 7
        assert done == [True]

    asyncio.run(race())


def test_an_error_of_work_that_must_end_is_raised() -> None:
    async def broken() -> None:
        await asyncio.sleep(0)
        raise Fault("Broken")

    with pytest.raises(Fault, match="Broken"):
        asyncio.run(finish(broken()))


def test_the_twins_have_the_same_methods() -> None:
    blocking = {name for name in vars(Runner) if not name.startswith("_")}
    awaited = {name for name in vars(AsyncRunner) if not name.startswith("_")}
    assert blocking == awaited == {"check_open", "port", "close", "run"}
    for name in blocking | {"__init__"}:
        assert parameters(Runner, name) == parameters(AsyncRunner, name), name


def parameters(of: type, name: str) -> list[tuple[str, Any, Any]]:
    signature = inspect.signature(getattr(of, name))
    return [(item.name, item.kind, item.default) for item in signature.parameters.values()]
