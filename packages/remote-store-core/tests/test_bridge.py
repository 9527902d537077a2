from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import multiprocessing
import pickle
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from remote_store.core import (
    AlreadyExists,
    AsyncBinaryIO,
    Backend,
    BackendUnavailable,
    CapabilityNotSupported,
    FileInfo,
    LocalBackend,
    MemoryBackend,
    NotFound,
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


@pytest.fixture
def memory() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def bridge(memory: MemoryBackend) -> ThreadedBackend:
    return ThreadedBackend(memory)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


class AwaitedStream:
    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    async def read(self, size: int = -1, /) -> bytes:
        await asyncio.sleep(0)
        return self._file.read(min(size, 3))


async def test_every_kind_of_content_is_written(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    contents: list[Any] = [
        b"12345678",
        bytearray(b"12345678"),
        memoryview(b"12345678"),
        io.BytesIO(b"12345678"),
        AwaitedStream(b"12345678"),
        pieces(b"123", b"", b"45678"),
    ]
    for content in contents:
        result = await bridge.write("a", content, overwrite=True)
        assert (result.size, memory.read_bytes("a")) == (8, b"12345678")


@pytest.mark.parametrize("content", ["text", io.StringIO("text"), None, 3, object()])
async def test_what_is_no_content_is_refused(bridge: ThreadedBackend, memory: MemoryBackend, content: Any) -> None:
    with pytest.raises(TypeError):
        await bridge.write("a", content)
    assert not memory.exists("a")


async def test_an_iterable_of_text_is_refused(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    async def text() -> AsyncIterator[Any]:
        yield "text"

    with pytest.raises(TypeError, match="binary"):
        await bridge.write("a", text())
    assert not memory.exists("a")


async def test_an_exception_of_the_content_passes_unchanged(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    error = Caller("mine")

    async def failing() -> AsyncIterator[bytes]:
        yield b"x"
        raise error

    with pytest.raises(Caller) as raised:
        await bridge.write("a", failing())
    assert raised.value is error
    assert not memory.exists("a")


async def test_exceptions_of_the_backend_pass_unchanged(bridge: ThreadedBackend) -> None:
    with pytest.raises(NotFound) as raised:
        await bridge.read_bytes("missing")
    assert raised.value.path == "missing"


async def test_a_stream_of_this_bridge_is_content_even_with_one_thread(memory: MemoryBackend) -> None:
    memory.write("a", b"x" * 100_000)
    async with ThreadedBackend(memory, max_threads=1) as bridge:
        async with await bridge.read("a") as source:
            await bridge.write("b", source)

        async def doubled() -> AsyncIterator[bytes]:
            async with await bridge.read("a") as source:
                while block := await source.read(30_000):
                    yield block * 2

        await asyncio.wait_for(bridge.write("c", doubled()), 30)
        assert (memory.get_file_info("b").size, memory.get_file_info("c").size) == (100_000, 200_000)


async def test_many_writes_of_awaited_content_run_on_few_threads(memory: MemoryBackend) -> None:
    async with ThreadedBackend(memory, max_threads=2) as bridge:
        await asyncio.gather(*(bridge.write(f"k{number}", pieces(b"a", b"b")) for number in range(50)))
        assert memory.get_folder_info("").total_size == 100


async def test_a_file_has_the_methods_of_io(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    memory.write("a", b"one\ntwo\nthree")
    file = await bridge.read("a")
    assert (file.readable(), file.writable(), file.seekable(), file.closed) == (True, False, True, False)
    assert await file.readline() == b"one\n"
    assert file.tell() == 4
    buffer = bytearray(3)
    assert (await file.readinto(buffer), bytes(buffer)) == (3, b"two")
    assert await file.seek(-5, io.SEEK_END) == 8
    assert await file.read() == b"three"
    await file.seek(0)
    assert [line async for line in file] == [b"one\n", b"two\n", b"three"]
    await file.close()
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        await file.read()


async def test_reading_goes_on_after_the_last_line_that_was_used(
    bridge: ThreadedBackend, memory: MemoryBackend
) -> None:
    memory.write("a", b"".join(b"%d\n" % number for number in range(1000, 2000)))

    async def used(lines: int) -> AsyncBinaryIO:
        file = await bridge.read("a")
        async for _ in file:
            lines -= 1
            if not lines:
                break
        return file

    file = await used(2)
    assert file.tell() == 10
    assert await file.readline(2) == b"10"
    assert await file.readline() == b"02\n"
    assert await file.read(7) == b"1003\n10"
    buffer = bytearray(4)
    assert (await file.readinto(buffer), bytes(buffer)) == (4, b"04\n1")
    assert len(await file.read(4000)) == 4000
    assert file.tell() == 4026
    assert len(await file.read()) == 5000 - 4026
    file = await used(2)
    assert await file.seek(5, io.SEEK_CUR) == 15
    assert [line async for line in file] == [b"%d\n" % number for number in range(1003, 2000)]
    file = await used(2)
    await bridge.write("rest", file)
    assert memory.read_bytes("rest") == memory.read_bytes("a")[10:]
    file = await used(1)
    assert len(await file.read()) == 4995
    file = await used(1)
    await file.close()
    with pytest.raises(ValueError, match="closed"):
        await file.readline()


async def test_open_atomic_commits_on_a_clean_exit_only(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    async with bridge.open_atomic("a", content_type="text/plain") as file:
        assert await file.write(b"12") == 2
        assert not memory.exists("a")
    assert (memory.read_bytes("a"), memory.get_file_info("a").content_type) == (b"12", "text/plain")
    error = Caller("mine")
    with pytest.raises(Caller) as raised:  # noqa: PT012 - the block is what is tested
        async with bridge.open_atomic("b") as file:
            await file.write(b"12")
            raise error
    assert raised.value is error
    assert not memory.exists("b")
    with pytest.raises(AlreadyExists):
        async with bridge.open_atomic("a"):
            pytest.fail("the block is not entered")


class Counted(MemoryBackend):
    """Says how far its listing was pulled, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.pulled = 0
        self.ended_in: threading.Thread | None = None

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        def rows() -> Iterator[FileInfo]:
            try:
                for number in range(5000):
                    self.pulled += 1
                    yield FileInfo(f"{number}", f"{number}", 0)
                raise NotFound("the bucket is gone")
            finally:
                self.ended_in = threading.current_thread()

        return rows()


async def test_a_listing_is_pulled_as_it_is_used() -> None:
    counted = Counted()
    bridge = ThreadedBackend(counted)
    rows = bridge.list_files("")
    assert counted.pulled == 0
    await anext(rows)
    assert counted.pulled == 1
    for _ in range(999):
        await anext(rows)
    assert counted.pulled < 1000 + 256


async def test_a_listing_that_breaks_gives_what_came_before_and_the_error() -> None:
    rows = []
    with pytest.raises(NotFound):  # noqa: PT012 - the block is what is tested
        async for row in ThreadedBackend(Counted()).list_files(""):
            rows.append(row)  # noqa: PERF401 - what came before the error is asserted
    assert len(rows) == 5000


async def test_a_listing_that_is_left_early_is_closed_in_a_thread() -> None:
    counted = Counted()
    rows: Any = ThreadedBackend(counted).list_files("")
    await anext(rows)
    assert counted.ended_in is None
    await rows.aclose()
    assert counted.ended_in not in (None, threading.main_thread())


async def test_arguments_of_listings_are_checked_at_the_call(bridge: ThreadedBackend) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        bridge.list_files("", recursive=True, max_depth=-1)


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
    # Its thread is inside a read, and the task waits for it.
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


async def test_threads_are_bounded(memory: MemoryBackend) -> None:
    running = 0
    most = 0
    lock = threading.Lock()
    both = threading.Barrier(2)

    class Busy(MemoryBackend):
        def exists(self, path: str) -> bool:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            both.wait(30)
            with lock:
                running -= 1
            return True

    bridge = ThreadedBackend(Busy(), max_threads=2)
    await asyncio.gather(*(bridge.exists("a") for _ in range(10)))
    assert most == 2


async def test_context_variables_reach_the_backend_and_the_content() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Seeing(MemoryBackend):
        def exists(self, path: str) -> bool:
            seen.append(variable.get())
            return True

    async def content() -> AsyncIterator[bytes]:
        seen.append(variable.get())
        yield b"x"

    variable.set("mine")
    bridge = ThreadedBackend(Seeing())
    await bridge.exists("a")
    await bridge.write("b", content())
    assert seen == ["mine", "mine"]


async def test_a_stop_iteration_of_a_stream_does_not_hang(bridge: ThreadedBackend) -> None:
    class Odd(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(bridge.write("a", Odd()), 30)


async def test_a_timeout_of_the_content_is_the_callers(bridge: ThreadedBackend) -> None:
    async def slow() -> AsyncIterator[bytes]:
        raise TimeoutError("mine")
        yield b""

    with pytest.raises(TimeoutError, match="mine"):
        await bridge.write("a", slow())


def test_one_instance_serves_several_event_loops(memory: MemoryBackend) -> None:
    bridge = ThreadedBackend(memory)
    for number in range(3):
        asyncio.run(bridge.write(f"k{number}", pieces(b"x")))
    loops = [
        threading.Thread(target=lambda: asyncio.run(bridge.write("same", pieces(b"x"), overwrite=True))) for _ in "123"
    ]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert memory.get_folder_info("").file_count == 4


async def test_closing_is_final_and_closes_the_backend(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    memory.write("a", b"12")
    file = await bridge.read("a")
    async with bridge:
        pass
    await bridge.close()
    with pytest.raises(BackendUnavailable):
        memory.exists("a")
    for call in (
        bridge.exists("a"),
        bridge.write("a", b""),
        bridge.delete("a"),
        bridge.check_health(),
        bridge.__aenter__(),
    ):
        with pytest.raises(BackendUnavailable) as raised:
            await call
        assert not raised.value.retryable
    for listing in (bridge.list_files, bridge.list_folders, bridge.iter_children, bridge.glob):
        with pytest.raises(BackendUnavailable):
            listing("")
    with pytest.raises(BackendUnavailable):
        async with bridge.open_atomic("a"):
            pytest.fail("the block is not entered")
    await file.close()
    assert file.closed


async def test_what_it_is_comes_from_the_backend(bridge: ThreadedBackend, memory: MemoryBackend) -> None:
    assert (bridge.name, bridge.capabilities) == (memory.name, memory.capabilities)
    assert bridge.unwrap(MemoryBackend) is memory
    assert bridge.unwrap(Backend) is memory  # type: ignore[type-abstract]
    with pytest.raises(CapabilityNotSupported):
        bridge.unwrap(dict)
    assert bridge.to_key(bridge.native_path("a/b")) == "a/b"
    assert bridge.resolve("a").key == "a"
    assert repr(bridge) == "ThreadedBackend(MemoryBackend())"


def test_at_least_one_thread(memory: MemoryBackend) -> None:
    with pytest.raises(ValueError, match="max_threads"):
        ThreadedBackend(memory, max_threads=0)


async def test_it_pickles(bridge: ThreadedBackend) -> None:
    await bridge.write("a", b"12")
    copy = pickle.loads(pickle.dumps(bridge))
    assert await copy.read_bytes("a") == b"12"


def in_child(bridge: ThreadedBackend, answers: Any) -> None:
    answers.send(asyncio.run(bridge.read_bytes("a")))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_threads_of_its_own(bridge: ThreadedBackend) -> None:
    asyncio.run(bridge.write("a", b"12"))
    context = multiprocessing.get_context("fork")
    answers, sender = context.Pipe(duplex=False)
    child = context.Process(target=in_child, args=(bridge, sender))
    child.start()
    assert answers.poll(30)
    assert answers.recv() == b"12"
    child.join(30)
    assert child.exitcode == 0


async def test_every_operation_goes_through(bridge: ThreadedBackend) -> None:
    await bridge.write_atomic("d/a", b"123", metadata={"k": "v"})
    assert [await bridge.exists("d"), await bridge.is_file("d"), await bridge.is_folder("d")] == [True, False, True]
    async with await bridge.read_seekable("d/a") as file:
        await file.seek(1)
        assert await file.read(1) == b"2"
    assert await bridge.read_range("d/a", 1, 5) == b"23"
    assert (await bridge.get_file_info("d/a")).metadata == {"k": "v"}
    assert (await bridge.get_folder_info("d")).total_size == 3
    await bridge.copy("d/a", "d/b")
    await bridge.move("d/b", "c")
    assert {row.path async for row in bridge.iter_children("")} == {"c", "d"}
    assert [row.path async for row in bridge.list_folders("")] == ["d"]
    assert [row.path async for row in bridge.list_files("", recursive=True, max_depth=0)] == ["c"]
    assert [row.path async for row in bridge.glob("d/*")] == ["d/a"]
    await bridge.check_health()
    await bridge.delete("c")
    await bridge.delete_folder("d", recursive=True)
    assert [row async for row in bridge.iter_children("")] == []
