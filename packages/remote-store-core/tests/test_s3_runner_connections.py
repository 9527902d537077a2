from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import BackendUnavailable
from remote_store.core.s3 import Fault
from remote_store.core.s3.engine.aio_runner import AsyncRunner
from remote_store.core.s3.engine.runner import Runner
from remote_store.core.s3.operations.steps import Start
from runs import HEAD, many, one


def test_close_is_final_and_repeatable(kind: Any) -> None:
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


def test_closing_what_was_never_used_connects_nothing(kind: Any) -> None:
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
    assert runner.run(one(HEAD)).size == 0
    runner.close()


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


def test_no_lock_is_held_while_it_connects(s3: FakeS3) -> None:
    s3.put("a")
    connecting, go_on = threading.Event(), threading.Event()
    failures = [Fault("NoCredentialsError", credentials=True)]
    made: list[FakeS3Port] = []

    def connect() -> FakeS3Port:
        connecting.set()
        assert go_on.wait(30)
        if failures:
            raise failures.pop()
        made.append(FakeS3Port(s3))
        return made[-1]

    runner = Runner(connect, 2)
    outcomes: list[Any] = []

    def work() -> None:
        try:
            outcomes.append(runner.run(one(HEAD)).size)
        except Fault as fault:
            outcomes.append(fault.code)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert connecting.wait(30)
    connection = runner.connections._made.get()
    assert connection._lock.acquire(timeout=5)
    connection._lock.release()
    go_on.set()
    for thread in threads:
        thread.join(30)
    # One fails, and the others connect by themselves, once.
    assert sorted(map(str, outcomes)) == ["0", "0", "NoCredentialsError"]
    assert len(made) == 1
    runner.close()
    assert made[0].closed


def test_a_close_does_not_wait_for_a_connection_that_is_made(s3: FakeS3) -> None:
    connecting, go_on = threading.Event(), threading.Event()
    made: list[FakeS3Port] = []

    def connect() -> FakeS3Port:
        connecting.set()
        assert go_on.wait(30)
        made.append(FakeS3Port(s3))
        return made[-1]

    runner = Runner(connect, 2)
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            runner.run(one(HEAD))
        except BackendUnavailable as error:
            outcome.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert connecting.wait(30)
    runner.close()
    go_on.set()
    worker.join(30)
    assert len(outcome) == 1
    assert [port.closed for port in made] == [True]


def test_a_closed_connection_makes_neither_a_port_nor_threads(s3: FakeS3) -> None:
    runner = Runner(lambda: FakeS3Port(s3), 2)
    connection = runner.connections._made.get()
    runner.close()
    with pytest.raises(BackendUnavailable):
        connection.port()
    with pytest.raises(BackendUnavailable):
        connection.workers()
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
