from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

import pytest

from remote_store.core import BackendUnavailable, MemoryBackend, ThreadedBackend
from remote_store.core.aio.threads import Threads
from remote_store.core.io.workers import PerProcess, Workers


class NoThreads:
    """Refuses to start threads, as the interpreter does while it shuts down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refused: list[str] = []
        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if not thread.name.startswith(("remote-store", "test")):
                return start(thread)
            self.refused.append(thread.name)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> NoThreads:
    return NoThreads(monkeypatch)


def test_a_call_runs_here_where_no_thread_can_be_started_and_only_once(no_threads: NoThreads) -> None:
    threads: list[threading.Thread] = []
    future: Future[int] = Future()

    def work() -> int:
        threads.append(threading.current_thread())
        return 3

    Workers(2, "test").begin(work, future)
    assert future.result(0) == 3
    assert no_threads.refused
    assert threads == [threading.current_thread()]


def test_a_call_runs_here_if_the_only_thread_is_busy_and_no_other_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = Workers(2, "test")
    held, busy = threading.Event(), threading.Event()
    first: Future[bool] = Future()
    second: Future[threading.Thread] = Future()
    third: Future[threading.Thread] = Future()

    def work() -> bool:
        busy.set()
        return held.wait(10)

    workers.begin(work, first)
    assert busy.wait(10)
    NoThreads(monkeypatch)
    workers.begin(threading.current_thread, second)
    assert second.result(0) is threading.current_thread()
    held.set()
    assert first.result(10)
    workers.close(wait=True)
    workers.begin(threading.current_thread, third)
    assert third.result(0) is threading.current_thread()


def test_as_many_calls_as_threads_run_at_once_and_the_others_wait() -> None:
    workers = Workers(2, "test")
    barrier, held = threading.Barrier(3), threading.Event()
    both: list[Future[bool]] = [Future(), Future()]
    third: Future[int] = Future()

    def work() -> bool:
        barrier.wait(10)
        return held.wait(10)

    for future in both:
        workers.begin(work, future)
    barrier.wait(10)
    workers.begin(lambda: 3, third)
    assert not third.done()
    held.set()
    assert third.result(10) == 3
    workers.close(wait=True)


def test_a_close_does_not_wait_for_a_call_that_hangs() -> None:
    workers = Workers(1, "test")
    held: threading.Event = threading.Event()
    future: Future[bool] = Future()
    workers.begin(lambda: held.wait(10), future)
    began = time.monotonic()
    workers.close(wait=True)
    assert time.monotonic() - began < 2
    assert not future.done()
    held.set()
    assert future.result(10)


def test_the_threads_of_a_pool_that_was_never_closed_end() -> None:
    workers = Workers(3, "test-dropped")
    both: list[Future[threading.Thread]] = [Future(), Future()]
    barrier = threading.Barrier(2)

    def work() -> threading.Thread:
        barrier.wait(10)
        return threading.current_thread()

    for future in both:
        workers.begin(work, future)
    threads = [future.result(10) for future in both]
    assert len(set(threads)) == 2
    del workers
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


async def test_the_threads_of_a_bridge_that_was_never_closed_end() -> None:
    names: list[threading.Thread] = []

    class Telling(MemoryBackend):
        def check_health(self) -> None:
            names.append(threading.current_thread())

    bridge = ThreadedBackend(Telling())
    await bridge.check_health()
    del bridge
    gc.collect()
    (thread,) = names
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()


HANGS = """
    import threading
    from concurrent.futures import Future
    from remote_store.core.io.workers import Workers
    busy = threading.Event()
    Workers(1, "test").begin(lambda: busy.set() or threading.Event().wait(), Future())
    busy.wait(10)
    print("done")
"""


def test_a_call_that_hangs_does_not_keep_the_interpreter_from_exiting() -> None:
    assert run(HANGS).stdout == "done\n"


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), StopIteration()])
def test_an_exception_of_a_call_is_the_outcome_of_its_future(no_threads: NoThreads, error: BaseException) -> None:
    future: Future[None] = Future()

    def work() -> None:
        raise error

    Workers(2, "test").begin(work, future)
    assert future.exception(0) is error


def test_a_cancelled_call_is_never_made() -> None:
    workers = Workers(1, "test")
    held, called = threading.Event(), []
    first: Future[bool] = Future()
    second: Future[None] = Future()
    workers.begin(lambda: held.wait(10), first)
    workers.begin(lambda: called.append(2), second)
    assert second.cancel()
    held.set()
    workers.close(wait=True)
    assert first.result(0)
    assert called == []


def test_two_first_users_share_one_object_and_the_other_is_dropped() -> None:
    barrier = threading.Barrier(2)
    made: list[object] = []
    got: list[object] = []

    def make() -> object:
        barrier.wait(10)
        made.append(object())
        return made[-1]

    shared = PerProcess(make, lambda _: None)
    users = [threading.Thread(target=lambda: got.append(shared.get())) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join(10)
    assert len(made) == 2
    assert len(set(map(id, got))) == 1


def test_an_object_that_is_made_while_close_looks_for_one_is_ended() -> None:
    ended: list[str] = []

    def make() -> str:
        shared.close()
        return "late"

    shared = PerProcess(make, ended.append)
    with pytest.raises(BackendUnavailable, match="closed"):
        shared.get()
    assert ended == ["late"]
    with pytest.raises(BackendUnavailable):
        shared.get()


def test_two_first_users_of_a_bridge_share_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(2)
    made: list[Workers] = []

    class Slow(Workers):
        def __init__(self, size: int, name: str) -> None:
            barrier.wait(10)
            super().__init__(size, name)
            made.append(self)

    monkeypatch.setattr("remote_store.core.aio.threads.Workers", Slow)
    threads = Threads(1)
    names: list[str] = []

    def use() -> None:
        names.append(threads.submit(lambda: threading.current_thread().name).result(10))

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join(10)
    threads.close()
    assert len(made) == 2
    assert len(set(names)) == 1


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def test_a_bridge_works_where_no_thread_can_be_started(no_threads: NoThreads) -> None:
    memory = MemoryBackend()
    async with ThreadedBackend(memory) as bridge:
        await bridge.write("a", b"12345678")
        await bridge.write("b", pieces(b"123", b"45678"))
        async with bridge.open_atomic("c") as file:
            await file.write(b"12345678")
        async with await bridge.read("a") as stream:
            await bridge.write("d", stream)
        assert [info.name async for info in bridge.list_files("")] == ["a", "b", "c", "d"]
        assert {await bridge.read_bytes(name) for name in "abcd"} == {b"12345678"}
    assert no_threads.refused


async def test_content_that_fails_where_no_thread_can_be_started_leaves_nothing(no_threads: NoThreads) -> None:
    error = ValueError("mine")

    async def failing() -> AsyncIterator[bytes]:
        yield b"x"
        raise error

    memory = MemoryBackend()
    async with ThreadedBackend(memory) as bridge:
        with pytest.raises(ValueError, match="mine") as raised:
            await bridge.write("a", failing())
        assert not memory.exists("a")
    assert raised.value is error
    assert raised.value.__context__ is None
    assert no_threads.refused


AT_EXIT = """
    import asyncio, atexit, io, sys, tempfile, traceback
    from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
    from remote_store.core import AsyncStore, MemoryBackend, Store, ThreadedBackend
    from remote_store.core.s3 import AsyncS3Backend, S3Backend, S3Options

    MIB = 1024 * 1024
    DATA = bytes(16 * MIB)
    OPTIONS = S3Options.build(part_size=5 * MIB, endpoint_url="http://s3.test", conditional_writes=True)
    s3 = FakeS3()
    for number in range(2):
        s3.put(f"folder/{number}")
        s3.put(f"folder/{number}\\x01")
    s3.put("large", bytes(24 * MIB))

    class Blocking(S3Backend):
        def _connect(self):
            return FakeS3Port(s3)

    class Awaited(AsyncS3Backend):
        async def _connect(self):
            return AsyncFakeS3Port(s3)

    async def chunks():
        for _ in range(3):
            yield bytes(5 * MIB)

    async def use(backend):
        async with AsyncStore(backend) as store:
            await store.write("a", io.BytesIO(DATA), overwrite=True)
            await store.write("a", chunks(), overwrite=True)
            async with store.open_atomic("a", overwrite=True) as file:
                await file.write(DATA)
            seen = []
            with tempfile.NamedTemporaryFile() as file:
                await store.download("large", file.name, overwrite=True)
                await store.upload(file.name, "b", overwrite=True, progress=lambda *report: seen.append(report))
            assert seen[-1][0] == len(await store.read_bytes("large"))
            assert len([info async for info in store.list_files()]) == 3
            return await store.read_bytes("a")

    def last():
        with Store(Blocking("bucket", OPTIONS)) as store:
            store.write("a", io.BytesIO(DATA))
            assert store.read_bytes("a") == DATA
            assert len(store.read_bytes("large")) == 24 * MIB
            store.delete_folder("folder", recursive=True)
            assert not store.exists("folder")
        for backend in (Awaited("bucket", OPTIONS), ThreadedBackend(Blocking("bucket", OPTIONS))):
            assert asyncio.run(use(backend)) == DATA
        memory = MemoryBackend()
        memory.write("large", bytes(24 * MIB))
        assert asyncio.run(use(ThreadedBackend(memory))) == DATA
        assert not s3.uploads
        print("done")

    atexit.register(last)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_everything_works_in_an_exit_handler() -> None:
    child = run(AT_EXIT)
    assert child.stdout == "done\n", child.stderr[-3000:]


def test_a_bridge_that_is_closed_has_no_threads_left() -> None:
    threads: Any = Threads(1)
    threads.submit(int).result(10)
    threads.close()
    with pytest.raises(BackendUnavailable):
        threads.submit(int)
