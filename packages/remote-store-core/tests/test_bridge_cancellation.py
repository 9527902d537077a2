from __future__ import annotations

import asyncio
import gc
import io
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from remote_store.core import (
    FileInfo,
    LocalBackend,
    MemoryBackend,
    ThreadedBackend,
)
from remote_store.core.aio.threads import Threads


class Caller(Exception):
    pass


class Gate:
    """Lets a thread say that it has arrived, and holds it until it may go on."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.opened = threading.Event()

    def wait(self) -> None:
        self.arrived.set()
        assert self.opened.wait(30)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.arrived.wait, 30)


def becomes_true(condition: Callable[[], bool]) -> bool:
    """Wait, without a bound of its own besides the test's, for what another thread does."""
    while not condition():
        time.sleep(0.01)
    return True


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_cancelled_listing_is_closed_behind_the_page_that_is_on_its_way() -> None:
    gate = Gate()
    closed = threading.Event()

    class Slow(MemoryBackend):
        def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
            try:
                gate.wait()
                yield FileInfo("a", "a", 0)
            finally:
                closed.set()

    rows: Any = ThreadedBackend(Slow()).list_files("")
    task = asyncio.ensure_future(anext(rows))
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not closed.is_set()
    gate.opened.set()
    assert await asyncio.to_thread(closed.wait, 30)


async def test_a_cancelled_write_of_awaited_content_leaves_nothing(
    bridge: ThreadedBackend, memory: MemoryBackend
) -> None:
    waiting = asyncio.Event()
    seen = []

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(bridge.write("a", endless()))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]
    assert not memory.exists("a")


async def test_a_cancelled_write_of_a_blocking_stream_ends_at_its_next_read(tmp_path: Path) -> None:
    gate = Gate()

    class Held(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            gate.wait()
            return b"x" * (size or 1)

    task = asyncio.ensure_future(ThreadedBackend(LocalBackend(tmp_path)).write("a", Held()))
    await gate.reached()
    task.cancel()
    await asyncio.sleep(0.05)
    # Its thread is inside a read, and the task waits for it, but not for long.
    assert not task.done()
    task.cancel()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(tmp_path) == []


async def test_a_cancelled_open_closes_what_it_opened() -> None:
    gate = Gate()
    opened: list[BinaryIO] = []

    class Slow(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            gate.wait()
            opened.append(super().read(path))
            return opened[0]

    backend = Slow()
    backend.write("a", b"x")
    bridge = ThreadedBackend(backend)
    task = asyncio.ensure_future(bridge.read("a"))
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.opened.set()
    assert await asyncio.to_thread(becomes_true, lambda: bool(opened) and opened[0].closed)


async def test_a_cancelled_read_closes_the_file() -> None:
    gate = Gate()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            gate.wait()
            return super().read(size)

    class SlowBackend(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return slow

    slow = Slow(b"123")
    file = await ThreadedBackend(SlowBackend()).read("a")
    task = asyncio.ensure_future(file.read(1))
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert file.closed
    assert not slow.closed
    with pytest.raises(ValueError, match="cancelled"):
        await file.read()
    await file.close()
    gate.opened.set()
    assert await asyncio.to_thread(becomes_true, lambda: slow.closed)


async def test_a_cancellation_inside_open_atomic_commits_nothing(
    bridge: ThreadedBackend, memory: MemoryBackend
) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with bridge.open_atomic("a") as file:
            await file.write(b"x")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not memory.exists("a")


async def test_a_cancelled_entry_of_open_atomic_keeps_nothing(tmp_path: Path) -> None:
    gate = Gate()
    local = LocalBackend(tmp_path)
    entered = local.open_atomic

    class Slow(LocalBackend):
        def open_atomic(self, path: str, **options: Any) -> Any:
            manager = entered(path, **options)
            enter = manager.__enter__

            class Held:
                def __enter__(self) -> BinaryIO:
                    file = enter()
                    gate.wait()
                    return file

                __exit__ = staticmethod(manager.__exit__)

            return Held()

    async def work() -> None:
        async with ThreadedBackend(Slow(tmp_path)).open_atomic("a"):
            pytest.fail("the block is not entered")

    task = asyncio.ensure_future(work())
    await gate.reached()
    task.cancel()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(tmp_path) == []


async def test_a_call_that_waits_for_a_thread_can_be_cancelled() -> None:
    gate = Gate()
    threads = Threads(1)
    calls: list[str] = []
    first = asyncio.ensure_future(threads.finish(gate.wait))
    await gate.reached()
    second = asyncio.ensure_future(threads.finish(lambda: calls.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.opened.set()
    await first
    assert calls == []


async def test_a_close_that_waits_for_a_thread_happens_though_it_is_cancelled() -> None:
    gate = Gate()
    opened = io.BytesIO(b"x")

    class Held(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return opened

        def check_health(self) -> None:
            gate.wait()

    bridge = ThreadedBackend(Held(), max_threads=1)
    file = await bridge.read("a")
    busy = asyncio.ensure_future(bridge.check_health())
    await gate.reached()
    closing = asyncio.ensure_future(file.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await busy
    assert opened.closed


@pytest.mark.parametrize("error", [None, Caller()], ids=["clean", "raising"])
async def test_an_exit_of_open_atomic_that_is_cancelled_before_it_begins_keeps_nothing(
    tmp_path: Path, error: Exception | None
) -> None:
    gate = Gate()
    inside = asyncio.Event()

    class Held(LocalBackend):
        def check_health(self) -> None:
            gate.wait()

    bridge = ThreadedBackend(Held(tmp_path), max_threads=1)

    async def work() -> None:
        async with bridge.open_atomic("a") as file:
            await file.write(b"x")
            inside.set()
            await gate.reached()
            if error is not None:
                raise error

    task = asyncio.ensure_future(work())
    await inside.wait()
    busy = asyncio.ensure_future(bridge.check_health())
    await gate.reached()
    # It goes on to the exit, whose thread is taken.
    await asyncio.wait([task], timeout=0.2)
    task.cancel()
    await asyncio.sleep(0)
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await busy
    assert files_below(tmp_path) == []


async def test_the_failure_of_a_call_that_was_stopped_is_nothing_that_the_event_loop_reports() -> None:
    gate = Gate()
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    def fail() -> None:
        gate.wait()
        raise Caller

    task = asyncio.ensure_future(Threads(1).finish(fail, stop=gate.opened.set))
    await gate.reached()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert reported == []


async def within(seconds: float, waiting: Awaitable[Any]) -> None:
    """Await something that is cancelled after 0.1 s and must end soon after that, on a busy machine too."""
    clock = asyncio.get_running_loop().time
    began = clock()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await waiting
    assert clock() - began < 0.1 + seconds + 1


class Hanging(MemoryBackend):
    """Hangs in every call until the gate is opened."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    def read(self, path: str) -> BinaryIO:
        self.gate.wait()
        return super().read(path)

    def read_bytes(self, path: str) -> bytes:
        self.gate.wait()
        return super().read_bytes(path)

    def write(self, path: str, content: Any, **options: Any) -> Any:
        self.gate.wait()
        return super().write(path, content, **options)

    def delete(self, path: str, **options: Any) -> None:
        self.gate.wait()

    def move(self, src: str, dst: str, **options: Any) -> None:
        self.gate.wait()

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        self.gate.wait()
        yield FileInfo("a", "a", 0)

    def check_health(self) -> None:
        self.gate.wait()

    def close(self) -> None:
        self.gate.wait()


async def rows(backend: ThreadedBackend) -> list[str]:
    return [info.name async for info in backend.list_files("")]


@pytest.mark.parametrize(
    "call",
    [
        lambda backend: backend.read("a"),
        lambda backend: backend.read_bytes("a"),
        lambda backend: backend.write("a", b"x"),
        lambda backend: backend.write("a", io.BytesIO(b"x")),
        lambda backend: backend.delete("a"),
        lambda backend: backend.move("a", "b"),
        lambda backend: backend.check_health(),
        rows,
        lambda backend: backend.close(),
    ],
    ids=["read", "read_bytes", "write", "stream", "delete", "move", "check_health", "list", "close"],
)
async def test_a_cancelled_call_ends_though_its_thread_hangs(call: Callable[[ThreadedBackend], Awaitable[Any]]) -> None:
    gate = Gate()
    backend = ThreadedBackend(Hanging(gate), max_threads=1)
    await within(0.5, call(backend))
    gate.opened.set()


async def test_the_result_of_an_abandoned_open_is_undone_later(tmp_path: Path) -> None:
    gate = Gate()
    undone: list[str] = []

    def work() -> str:
        gate.wait()
        return "made"

    threads = Threads(1)
    await within(0.5, threads.finish(work, undo=undone.append))
    assert undone == []
    gate.opened.set()
    assert await asyncio.to_thread(becomes_true, lambda: undone == ["made"])


def test_the_end_of_an_abandoned_call_does_not_need_the_event_loop(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    ended = threading.Event()

    def fail() -> None:
        try:
            gate.wait()
            raise Caller
        finally:
            ended.set()

    threads = Threads(1)
    asyncio.run(within(0.5, threads.finish(fail)))
    gate.opened.set()
    assert ended.wait(10)
    assert threads.submit(int).result(10) == 0
    assert caplog.records == []


async def test_a_close_needs_no_thread_of_those_that_hang() -> None:
    gate = Gate()
    memory = Hanging(gate)
    backend = ThreadedBackend(memory, max_threads=1)
    await within(0.5, backend.read_bytes("a"))
    memory.close = lambda: None  # type: ignore[method-assign]
    async with asyncio.timeout(5):
        await backend.close()
    gate.opened.set()
