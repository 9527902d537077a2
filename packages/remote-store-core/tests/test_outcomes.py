"""Many calls at once: which outcomes come, how many calls are in flight, and what is left when it ends early."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import os
import signal
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NoReturn

import pytest

from remote_store.core import (
    AsyncDelegatingBackend,
    AsyncStore,
    BackendUnavailable,
    DelegatingBackend,
    InvalidPath,
    MemoryBackend,
    NotFound,
    Outcome,
    Store,
    ThreadedBackend,
)
from remote_store.core.aio import outcomes as awaited
from remote_store.core.io import outcomes as blocking
from remote_store.core.io import workers

PATHS = [f"f{number}" for number in range(200)]


class Interruption(BaseException):
    pass


class Slow(DelegatingBackend):
    """Counts the reads in flight. Each takes a moment; `act` may do something else."""

    def __init__(self, seconds: float = 0.002) -> None:
        super().__init__(MemoryBackend())
        self.seconds = seconds
        self.begun: list[str] = []
        self.running = self.most = 0
        self.act: Callable[[str], object] = lambda _path: None
        self._lock = threading.Lock()
        for path in PATHS:
            self.inner.write(path, path.encode())

    def read_bytes(self, path: str, **_options: Any) -> bytes:
        with self._lock:
            self.begun.append(path)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            time.sleep(self.seconds)
            self.act(path)
            return self.inner.read_bytes(path)
        finally:
            with self._lock:
                self.running -= 1


class AsyncSlow(AsyncDelegatingBackend):
    def __init__(self, seconds: float = 0.002) -> None:
        self.blocking = Slow(seconds)
        super().__init__(ThreadedBackend(self.blocking.inner))
        self.begun = self.blocking.begun
        self.running = self.most = 0
        self.act: Callable[[str], object] = lambda _path: None

    async def read_bytes(self, path: str, **_options: Any) -> bytes:
        self.begun.append(path)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.blocking.seconds)
            self.act(path)
            return self.blocking.inner.read_bytes(path)
        finally:
            self.running -= 1


class World:
    """A store, sync or async, whose iterators are used alike."""

    def __init__(self, name: str, loop: asyncio.Runner) -> None:
        self.is_async = name == "async"
        self.loop = loop
        self.backend: Any = AsyncSlow() if self.is_async else Slow()
        self.store: Any = AsyncStore(self.backend) if self.is_async else Store(self.backend)

    def each(self, outcomes: Any, act: Callable[[Outcome[Any]], object]) -> None:
        """Call a function with each outcome, in a loop."""
        if not self.is_async:
            for outcome in outcomes:
                act(outcome)
            return

        async def loop() -> None:
            async for outcome in outcomes:
                act(outcome)

        self.loop.run(loop())

    def all(self, outcomes: Any) -> list[Outcome[Any]]:
        found: list[Outcome[Any]] = []
        self.each(outcomes, found.append)
        return found

    def items(self, items: Iterator[Any]) -> Any:
        """The items as an async iterator, if the store is async."""
        return aiterate(items) if self.is_async else items

    def left(self) -> list[str]:
        """The threads and tasks that are left."""
        gc.collect()
        self.loop.run(asyncio.sleep(0.01))
        tasks = asyncio.all_tasks(self.loop.get_loop())
        return [thread.name for thread in threading.enumerate() if "many" in thread.name] + list(map(repr, tasks))


async def aiterate(items: Iterator[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with asyncio.Runner() as loop:
        made = World(request.param, loop)
        yield made
        assert made.left() == []


def test_modules_written_twice_take_the_same_arguments() -> None:
    for name, function in inspect.getmembers(awaited, inspect.isfunction):
        if function.__module__ == awaited.__name__ and not name.startswith("_"):
            twin = getattr(blocking, name.removeprefix("async_"))
            assert list(inspect.signature(function).parameters) == list(inspect.signature(twin).parameters)


def test_each_path_has_its_outcome(world: World) -> None:
    outcomes = world.all(world.store.read_many([*PATHS[:50], "none", "a/../b", "", "./f1", "f1", "f1"]))
    assert sorted(outcome.path for outcome in outcomes) == sorted(
        [*PATHS[:50], "none", "a/../b", "", "./f1", "f1", "f1"]
    )
    failed = {outcome.path: outcome.error for outcome in outcomes if outcome.error is not None}
    assert failed.keys() == {"none", "a/../b", ""}
    assert isinstance(failed["none"], NotFound)
    assert isinstance(failed["a/../b"], InvalidPath)
    assert isinstance(failed[""], InvalidPath)
    assert all(outcome.value == outcome.path.removeprefix("./").encode() for outcome in outcomes if not outcome.error)


def test_paths_are_taken_no_faster_than_outcomes(world: World) -> None:
    taken: list[str] = []

    def paths() -> Iterator[str]:
        for path in PATHS:
            taken.append(path)
            yield path

    seen: list[Outcome[Any]] = []
    behind: list[int] = []

    def act(outcome: Outcome[Any]) -> None:
        seen.append(outcome)
        behind.append(len(taken) - len(seen))

    world.each(world.store.read_many(world.items(paths()), max_concurrency=7), act)
    assert len(seen) == len(PATHS)
    assert max(behind) <= 6
    assert world.backend.most == 7


def test_results_that_wait_count_too(world: World) -> None:
    world.each(world.store.read_many(PATHS[:30], max_concurrency=3), lambda _: time.sleep(0.004))
    assert world.backend.most <= 3


def test_nothing_happens_before_the_first_outcome_is_wanted(world: World) -> None:
    taken: list[str] = []
    outcomes = world.store.read_many(path for path in map(str, range(9)) if taken.append(path) is None)
    assert taken == []
    del outcomes


@pytest.mark.parametrize("most", [1, 2, 5])
def test_an_exception_in_the_loop_ends_it(world: World, most: int) -> None:
    def act(outcome: Outcome[Any]) -> None:
        raise Interruption(outcome.path)

    with pytest.raises(Interruption):
        world.each(world.store.read_many(PATHS, max_concurrency=most), act)
    assert world.left() == []
    begun = len(world.backend.begun)
    assert begun <= most
    time.sleep(0.02)
    assert (len(world.backend.begun), world.backend.running) == (begun, 0)


@pytest.mark.parametrize("error", [ValueError("mine"), Interruption("mine"), NotFound("mine", path="f1")])
@pytest.mark.parametrize("method", ["read_many", "delete_many"])
def test_an_exception_of_the_paths_ends_it_unchanged(world: World, error: BaseException, method: str) -> None:
    def paths() -> Iterator[str]:
        yield from PATHS[:5]
        raise error

    child = world.store.child("some/folder")
    with pytest.raises(type(error)) as caught:
        world.all(getattr(child, method)(world.items(paths())))
    assert caught.value is error
    assert getattr(error, "path", "f1") == "f1"


def test_a_signal_in_a_call_ends_it(world: World) -> None:
    def act(path: str) -> None:
        if path == "f3":
            raise Interruption(path)

    world.backend.act = act
    with pytest.raises(Interruption):
        world.all(world.store.read_many(PATHS, max_concurrency=4))


def test_one_call_at_a_time_runs_in_the_callers_thread() -> None:
    backend = Slow()
    threads: set[int] = set()
    backend.act = lambda _path: threads.add(threading.get_ident())
    assert len(list(Store(backend).read_many(PATHS[:9], max_concurrency=1))) == 9
    assert threads == {threading.get_ident()}
    assert backend.most == 1


def test_calls_know_the_callers_context(world: World) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")
    seen: set[str] = set()
    world.backend.act = lambda _path: seen.add(variable.get())
    variable.set("caller")
    context = contextvars.copy_context()
    if world.is_async:

        async def run() -> None:
            variable.set("caller")
            async for _ in world.store.read_many(PATHS[:9]):
                pass

        world.loop.run(run())
    else:
        context.run(world.all, world.store.read_many(PATHS[:9]))
    assert seen == {"caller"}


def test_no_thread_that_can_be_started_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    backend = Slow(0)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert len(list(Store(backend).read_many(PATHS))) == len(PATHS)
    assert backend.most == 1


def test_a_call_that_hangs_delays_the_end_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "LEAVING", 0.05)
    gate = threading.Event()
    backend = Slow(0)
    backend.act = lambda path: gate.wait(30) if path != "f0" else None
    outcomes = Store(backend).read_many(PATHS, max_concurrency=3)
    assert next(outcomes).path == "f0"
    began = time.monotonic()
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 0.05 + 2 * workers.GRACE + 1
    gate.set()
    for thread in threading.enumerate():
        if "many" in thread.name:
            thread.join(5)


def test_an_interrupt_does_not_wait_for_calls_that_hang() -> None:
    gate = threading.Event()
    backend = Slow(0)
    backend.act = lambda _path: gate.wait(30)
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(Store(backend).read_many(PATHS, max_concurrency=3))
    assert time.monotonic() - began < 0.2 + 2 * workers.GRACE + 3
    assert len(backend.begun) == 3
    gate.set()
    for thread in threading.enumerate():
        if "many" in thread.name:
            thread.join(5)
    assert len(backend.begun) == 3


def test_the_event_loop_that_waits_is_known() -> None:
    async def run() -> set[Any]:
        backend = Slow()
        seen: set[Any] = set()
        backend.act = lambda _path: seen.add(workers.waiting_loop.get())
        list(Store(backend).read_many(PATHS[:5]))
        return {loop is asyncio.get_running_loop() for loop in seen}

    assert asyncio.run(run()) == {True}


def test_a_cancelled_loop_leaves_no_call() -> None:
    async def run() -> None:
        backend = AsyncSlow(seconds=30)

        async def loop() -> None:
            async for _ in AsyncStore(backend).read_many(PATHS, max_concurrency=5):
                pass

        task = asyncio.create_task(loop())
        await asyncio.sleep(0.05)
        assert backend.running == 5
        task.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 1
        assert (backend.running, len(backend.begun)) == (0, 5)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_call_that_is_deaf_to_cancellation_delays_the_end_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited, "LEAVING", 0.05)

    async def deaf(number: int) -> int:
        try:
            await asyncio.sleep(60 * number)
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)
        return number

    async def run() -> float:
        rows: Any = awaited.async_unordered(awaited.async_each(range(3)), deaf, 3)
        assert await anext(rows) == 0
        began = time.monotonic()
        await rows.aclose()
        return time.monotonic() - began

    assert asyncio.run(run()) < 0.4


class Held:
    """A result that can be watched."""


def test_results_are_not_kept(world: World) -> None:
    made: weakref.WeakSet[Held] = weakref.WeakSet()
    alive: list[int] = []

    def make(_item: str) -> Held:
        made.add(held := Held())
        return held

    async def make_async(item: str) -> Held:
        return make(item)

    def note(_outcome: object) -> None:
        gc.collect()
        alive.append(len(made))

    if world.is_async:
        world.each(awaited.async_unordered(awaited.async_each(PATHS[:30]), make_async, 3), note)
    else:
        world.each(blocking.unordered(blocking.each(PATHS[:30]), make, 3), note)
    # Those outstanding, and the one that the loop holds.
    assert max(alive) <= 4


def test_contents_that_fail_are_outcomes(world: World) -> None:
    def broken() -> Iterator[bytes]:
        yield b"1"
        raise OSError("disk")

    pairs = [("new/1", b"1"), ("new/2", broken()), ("f1", b"taken"), ("", b""), ("new/3", "text"), ("new/4", b"4")]
    outcomes = {outcome.path: outcome for outcome in world.all(world.store.write_many(pairs))}
    assert outcomes["new/1"].result().size == 1
    assert str(outcomes["new/2"].error) == "disk"
    assert isinstance(outcomes["f1"].error, FileExistsError)
    assert isinstance(outcomes[""].error, InvalidPath)
    assert isinstance(outcomes["new/3"].error, TypeError)
    listed = [
        outcome.path
        for outcome in world.all(world.store.head_many(["new/1", "new/2", "new/3", "new/4"]))
        if outcome.error is None
    ]
    assert sorted(listed) == ["new/1", "new/4"]
    again = world.all(world.store.write_many(world.items(iter([("f1", b"new")])), overwrite=True, metadata={"a": "b"}))
    assert again[0].result().metadata == {"a": "b"}


def test_outcomes_tell_the_paths_of_the_child(world: World) -> None:
    child = world.store.child("team/a*b")
    pairs = [("x", b"1"), ("./y", b"2"), ("x", b"3")]
    written = {outcome.path: outcome for outcome in world.all(child.write_many(pairs, max_concurrency=1))}
    assert written["./y"].result().path == "y"
    assert world.all(world.store.read_many(["team/a*b/y"]))[0].result() == b"2"
    for outcomes in (child.read_many(["none"]), child.head_many(["none"]), child.copy_many([("none", "other")])):
        [outcome] = world.all(outcomes)
        assert (type(outcome.error), outcome.path, getattr(outcome.error, "path", "")) == (NotFound, "none", "none")


def test_copies_name_source_and_target(world: World) -> None:
    pairs = [("f1", "copy/1"), ("f1", "copy/2"), ("none", "copy/3"), ("f2", "f3")]
    outcomes = world.all(world.store.copy_many(pairs))
    assert sorted((outcome.path, outcome.target) for outcome in outcomes) == sorted(pairs)
    failed = {outcome.target: type(outcome.error).__name__ for outcome in outcomes if outcome.error}
    assert failed == {"copy/3": "NotFound", "f3": "AlreadyExists"}
    assert world.all(world.store.copy_many([("f2", "f3")], overwrite=True))[0].error is None


@pytest.mark.parametrize("method", ["read_many", "head_many", "delete_many", "write_many", "copy_many"])
def test_bad_arguments_are_refused_at_once(world: World, method: str) -> None:
    call = getattr(world.store, method)
    for items in ("f1", b"f1", 3, None):
        with pytest.raises(TypeError):
            call(items)
    if method != "delete_many":
        for number, error in ((0, ValueError), (-1, ValueError), (True, TypeError), ("2", TypeError), (2.0, TypeError)):
            with pytest.raises(error, match="max_concurrency"):
                call([], max_concurrency=number)
    assert world.all(call([])) == []


@pytest.mark.parametrize("items", [["ab"], {"ab": b""}, [("a", "b", "c")], [None]])
@pytest.mark.parametrize("method", ["write_many", "copy_many"])
def test_what_is_no_pair_ends_it(world: World, method: str, items: Any) -> None:
    with pytest.raises(TypeError, match="tuple of two"):
        world.all(getattr(world.store, method)(items))
    assert not [path for path in ("a", "b") if world.all(world.store.head_many([path]))[0].error is None]


def test_unknown_options_are_refused_at_once(world: World) -> None:
    with pytest.raises(TypeError, match="colour"):
        world.store.write_many([("a", b"")], colour="red")
    with pytest.raises(ValueError, match="if_match"):
        world.store.write_many([("a", b"")], if_match="tag")


def test_a_closed_store_is_an_error_of_each_path(world: World) -> None:
    world.loop.run(world.store.close()) if world.is_async else world.store.close()
    inner = world.backend.blocking.inner if world.is_async else world.backend.inner
    inner.close()
    for method in ("head_many", "delete_many"):
        outcomes = world.all(getattr(world.store, method)(["a", "./a", "b"]))
        assert sorted(outcome.path for outcome in outcomes) == ["./a", "a", "b"]
        assert all(isinstance(outcome.error, BackendUnavailable) for outcome in outcomes), outcomes


def test_the_paths_are_taken_in_the_callers_thread() -> None:
    threads: set[int] = set()

    def paths() -> Iterator[str]:
        for path in PATHS:
            threads.add(threading.get_ident())
            yield path

    async def run() -> None:
        store = AsyncStore(ThreadedBackend(Slow().inner))
        for method in (store.read_many, store.delete_many):
            async for outcome in method(paths()):
                outcome.result()

    asyncio.run(run())
    assert threads == {threading.get_ident()}


def test_a_bridge_advances_the_paths_in_one_thread_at_a_time() -> None:
    busy = threading.Lock()

    def paths() -> Iterator[str]:
        for path in PATHS:
            assert busy.acquire(blocking=False)
            time.sleep(0.0005)
            busy.release()
            yield path

    async def run() -> list[Outcome[None]]:
        return [outcome async for outcome in ThreadedBackend(Slow().inner).delete_many(paths())]

    assert [outcome.path for outcome in asyncio.run(run()) if outcome.error is None] == PATHS
