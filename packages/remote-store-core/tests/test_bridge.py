from __future__ import annotations

import asyncio
import contextvars
import io
import multiprocessing
import pickle
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, BinaryIO, cast

import pytest

from remote_store.core import (
    AlreadyExists,
    AsyncBinaryIO,
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    FileInfo,
    MemoryBackend,
    NotFound,
    ThreadedBackend,
)


class Caller(Exception):
    pass


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

    with pytest.raises(TypeError, match="encode text"):
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


class Flaky(io.BufferedIOBase):
    """Fails at its eleventh byte while `fails` is true. A failed read does not move the position."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.fails = True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        return self._checked(self._file.read(size))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._checked(self._file.readline(-1 if size is None else size))

    def _checked(self, data: bytes) -> bytes:
        if self.fails and self.tell() > 10:
            self._file.seek(-len(data), io.SEEK_CUR)
            raise BackendUnavailable("the connection broke")
        return data


async def test_no_byte_is_lost_when_a_read_fails() -> None:
    content = b"one\ntwo\nthree\nfour\n"
    opened: list[Flaky] = []

    class Broken(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            opened.append(Flaky(content))
            return cast("BinaryIO", opened[-1])

    file = await ThreadedBackend(Broken()).read("a")
    lines = aiter(file)
    assert [await anext(lines), await anext(lines)] == [b"one\n", b"two\n"]
    with pytest.raises(BackendUnavailable):
        await anext(lines)
    assert file.tell() == 8
    opened[0].fails = False
    assert [line async for line in file] == [b"three\n", b"four\n"]

    file = await ThreadedBackend(Broken()).read("a")
    async for line in file:
        assert line == b"one\n"
        break
    for read in (file.read, partial(file.read, 10), partial(file.readinto, bytearray(10))):
        with pytest.raises(BackendUnavailable):
            await read()
        assert file.tell() == 4
    opened[1].fails = False
    assert await file.read(10) == content[4:14]
    assert await file.read() == content[14:]


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


@pytest.mark.parametrize("kind", [TimeoutError, asyncio.TimeoutError, KeyError])
async def test_an_exception_of_blocking_content_is_the_very_one(bridge: ThreadedBackend, kind: type[Exception]) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise error

    error = kind("mine")
    with pytest.raises(kind) as caught:
        await bridge.write("a", Broken())
    assert caught.value is error


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
    wrong: Any = "4"
    with pytest.raises(TypeError, match="max_threads must be an int, not str"):
        ThreadedBackend(memory, max_threads=wrong)
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


def test_the_capabilities_are_those_of_the_blocking_backend_at_each_look() -> None:
    class Late(MemoryBackend):
        looks = 0

        @property
        def capabilities(self) -> frozenset[Capability]:  # type: ignore[override]
            Late.looks += 1
            return frozenset({Capability.READ} if Late.looks == 1 else ())

    bridge = ThreadedBackend(Late())
    assert Late.looks == 0
    assert (bridge.capabilities, bridge.capabilities) == ({Capability.READ}, frozenset())
    bridge.capabilities = frozenset({Capability.LIST})
    assert bridge.capabilities == {Capability.LIST}
