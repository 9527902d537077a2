"""Checks for asynchronous backends only: cancellation, tasks, and async sources."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, TypeVar, cast

from remote_store.conformance.checking.async_trees import fill, found, taken
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import async_settles, part_size, require_s3, uploads
from remote_store.conformance.http.faults import Stall
from remote_store.core import AsyncBackend, AsyncBinaryIO, Capability, NotFound

T = TypeVar("T")
WRITE = (Capability.WRITE,)
TASKS = 64
LOOP_TASKS = 12
SECONDS = 30.0
PROMPT = 2.0
"""Half a second, and what a busy machine may add."""


class Waiting:
    """An async source that yields its first pieces and then waits for an event.

    Args:
        pieces: What it yields before it waits.
        rest: What it yields afterwards.
    """

    def __init__(self, *pieces: bytes, rest: bytes = b"") -> None:
        self._pieces = pieces
        self._rest = rest
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        self.reached.set()
        await self.released.wait()
        yield self._rest


class AsyncReads:
    """An object whose only method is an async `read` that returns less than requested."""

    def __init__(self, content: bytes) -> None:
        self._content = BytesIO(content)

    async def read(self, size: int = -1, /) -> bytes:
        await asyncio.sleep(0)
        return self._content.read(min(size, 7001) if size >= 0 else size)


class Hanging:
    """A blocking source whose `read` hangs in its thread until it is released."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def read(self, size: int = -1, /) -> bytes:
        self.reached.set()
        self.released.wait(SECONDS)
        return b""


class AsyncTaskSuite:
    """ASYNC: tasks, cancellation, async sources."""

    async def _soon(self, case: AsyncCase, waiting: Awaitable[T], what: str) -> T:
        try:
            return await asyncio.wait_for(waiting, SECONDS)
        except TimeoutError as error:
            case.fail(what, f"within {SECONDS:.0f} seconds", error)

    async def _cancelled(self, task: asyncio.Task[Any], case: AsyncCase) -> None:
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=SECONDS)
        case.expect(bool(done), "a cancelled operation ends")
        case.expect(task.cancelled(), "the operation is cancelled", task)

    @async_check("ASYNC-001", needs=WRITE)
    async def test_async_a_cancelled_write_leaves_nothing(self, case: AsyncCase) -> None:
        source = Waiting(b"x" * 1000, rest=b"y")
        task = asyncio.create_task(case.backend.write(case.path("file"), source))
        await self._soon(case, source.reached.wait(), "the source is read")
        await self._cancelled(task, case)
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists")
        case.expect_equal(await found(case.backend.list_files(case.folder, recursive=True)), [], "the files")

    @async_check("ASYNC-002", needs=WRITE)
    async def test_async_a_cancelled_overwrite_keeps_the_old(self, case: AsyncCase) -> None:
        await fill(case, "file", data=b"old")
        source = Waiting(b"x" * 1000, rest=b"y")
        task = asyncio.create_task(case.backend.write(case.path("file"), source, overwrite=True))
        await self._soon(case, source.reached.wait(), "the source is read")
        await self._cancelled(task, case)
        case.expect_equal(await case.backend.read_bytes(case.path("file")), b"old", "the content")

    @async_check("ASYNC-003", needs=WRITE)
    async def test_async_a_cancelled_read_leaves_the_backend_working(self, case: AsyncCase) -> None:
        content = case.content(2_000_000)
        await fill(case, "file", data=content)
        for _ in range(10):
            task = asyncio.create_task(case.backend.read_bytes(case.path("file")))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=SECONDS)
            case.expect(task.done(), "a cancelled read ends")
        case.expect_equal(await case.backend.read_bytes(case.path("file")), content, "the content")

    @async_check("ASYNC-003", needs=WRITE)
    async def test_async_a_read_that_hangs_can_be_cancelled(self, case: AsyncCase) -> None:
        require_s3(case)
        content = case.content(2_000_000)
        await fill(case, "file", data=content)
        case.endpoint.inject(Stall(5, after_bytes=1000), operation="GetObject")
        with case.expect_raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await case.backend.read_bytes(case.path("file"))
        case.expect_equal(await case.backend.read_bytes(case.path("file")), content, "the content")

    @async_check("ASYNC-004", needs=WRITE)
    async def test_async_many_tasks_at_once(self, case: AsyncCase) -> None:
        contents = [case.content(1000 + number) for number in range(TASKS)]

        async def work(number: int) -> bytes:
            path = case.path(str(number))
            await case.backend.write(path, contents[number])
            return await case.backend.read_bytes(path)

        answers = await case.together([partial(work, number) for number in range(TASKS)])
        case.expect(answers == contents, "each task reads what it wrote", [a for a in answers if a not in contents])
        listed = await found(case.backend.list_files(case.folder))
        case.expect_equal(listed, sorted(case.path(str(number)) for number in range(TASKS)), "the files")

    @async_check("ASYNC-005")
    async def test_async_an_async_iterable_is_written(self, case: AsyncCase) -> None:
        pieces = [b"", b"one", b"", b"x" * 300_000, b"end"]

        async def iterate() -> AsyncIterator[bytes]:
            for piece in pieces:
                await asyncio.sleep(0)
                yield piece

        result = await case.backend.write(case.path("file"), iterate())
        content = b"".join(pieces)
        case.expect_equal(result.size, len(content), "the size in the result")
        case.expect_equal(await case.backend.read_bytes(case.path("file")), content, "the content")

    @async_check("ASYNC-005")
    async def test_async_an_async_iterable_of_many_parts(self, case: AsyncCase) -> None:
        content = case.content(2 * part_size(case) + 3)

        async def iterate() -> AsyncIterator[bytes]:
            for start in range(0, len(content), 777_777):
                yield content[start : start + 777_777]

        await case.backend.write(case.path("file"), iterate())
        case.expect(await case.backend.read_bytes(case.path("file")) == content, "the content is exact")

    @async_check("ASYNC-006")
    async def test_async_an_async_reader_is_written(self, case: AsyncCase) -> None:
        for size in (0, 1, 300_000):
            content = case.content(size)
            source = cast("AsyncBinaryIO", AsyncReads(content))
            await case.backend.write(case.path(str(size)), source)
            case.expect_equal(await case.backend.read_bytes(case.path(str(size))), content, "the content")

    @async_check("ASYNC-007")
    async def test_async_an_exception_of_an_async_source(self, case: AsyncCase) -> None:
        mine = RuntimeError("mine")

        async def iterate() -> AsyncIterator[bytes]:
            yield b"x" * 100_000
            raise mine

        with case.expect_raises(RuntimeError) as caught:
            await case.backend.write(case.path("file"), iterate())
        case.expect(caught.error is mine, "the exception is the source's own", caught.error)
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists")

    @async_check("ASYNC-008", needs=WRITE)
    async def test_async_a_listing_is_closed_early(self, case: AsyncCase) -> None:
        expected = await fill(case, *[f"{number:03}" for number in range(20)])
        for _ in range(10):
            listing = case.backend.list_files(case.folder)
            case.expect((await taken(case, listing)).path in expected, "the first file is one of them")
            closing: Any = getattr(listing, "aclose", None)
            if closing is not None:
                await closing()
                case.expect_equal([info async for info in listing], [], "the entries after the close")
        case.expect_equal(await found(case.backend.list_files(case.folder)), expected, "the files")

    @async_check("ASYNC-009")
    async def test_async_the_loop_goes_on_while_a_source_waits(self, case: AsyncCase) -> None:
        source = Waiting(b"first", rest=b" second")

        async def release() -> None:
            await source.reached.wait()
            try:
                await case.backend.write(case.path("other"), b"other")
            finally:
                source.released.set()

        writes = asyncio.gather(case.backend.write(case.path("file"), source), release(), return_exceptions=True)
        answers = await self._soon(case, writes, "a write ends while the source of another waits")
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        case.expect_equal(errors, [], "the exceptions of two writes at once")
        case.expect_equal(await case.backend.read_bytes(case.path("file")), b"first second", "the content")

    @async_check("ASYNC-010")
    async def test_async_a_cancelled_open_atomic_commits_nothing(self, case: AsyncCase) -> None:
        inside = asyncio.Event()

        async def work() -> None:
            async with case.backend.open_atomic(case.path("file")) as stream:
                await stream.write(b"x" * 1000)
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await self._soon(case, inside.wait(), "the block is entered")
        await self._cancelled(task, case)
        case.expect_equal(await found(case.backend.list_files(case.folder, recursive=True)), [], "the files")

    @async_check("ASYNC-011")
    async def test_async_a_blocking_stream_is_written(self, case: AsyncCase) -> None:
        content = case.content(300_000)
        stream = BytesIO(content)
        await case.backend.write(case.path("file"), stream)
        case.expect_equal(await case.backend.read_bytes(case.path("file")), content, "the content")
        case.expect_equal((stream.closed, stream.tell()), (False, len(content)), "closed and position of the stream")

    @async_check("ASYNC-012", needs=WRITE)
    async def test_async_a_cancelled_task_disturbs_no_other(self, case: AsyncCase) -> None:
        content = case.content(500_000)
        await fill(case, "file", data=content)
        tasks = [asyncio.create_task(case.backend.read_bytes(case.path("file"))) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await self._soon(case, asyncio.gather(*tasks, return_exceptions=True), "every task ends")
        case.expect(all(answer == content for answer in answers[1::2]), "the other tasks read the whole file")

    @async_check("ASYNC-013")
    async def test_async_text_of_an_async_source(self, case: AsyncCase) -> None:
        async def iterate() -> AsyncIterator[Any]:
            yield b"bytes"
            yield "text"

        with case.expect_raises(TypeError):
            await case.backend.write(case.path("file"), iterate())
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists")

    @async_check("ASYNC-014", needs=WRITE)
    async def test_async_a_stream_is_a_file(self, case: AsyncCase) -> None:
        await fill(case, "file", data=b"one\ntwo\nthree")
        async with await case.backend.read(case.path("file")) as stream:
            case.expect_equal(await stream.readline(), b"one\n", "the first line")
            case.expect_equal([line async for line in stream], [b"two\n", b"three"], "the other lines")
        case.expect_equal(stream.closed, True, "closed after the context")
        with case.expect_raises(NotFound, path=case.path("absent")):
            await case.backend.read(case.path("absent"))

    @async_check("ASYNC-015")
    async def test_async_a_cancelled_upload_is_aborted(self, case: AsyncCase) -> None:
        size = part_size(case)
        if uploads(case):
            not_applicable("there were unfinished uploads before the check")
        source = Waiting(b"x" * (2 * size), rest=b"y")
        task = asyncio.create_task(case.backend.write(case.path("file"), source))
        await self._soon(case, source.reached.wait(), "the source is read")
        await self._cancelled(task, case)
        # The call ends at once, and a part that is on its way may keep the server busy for a moment.
        await async_settles(lambda: not uploads(case))
        case.expect_equal(uploads(case), [], "the unfinished uploads")
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists")

    @async_check("ASYNC-016", needs=WRITE)
    async def test_async_a_cancelled_write_does_not_wait_for_its_thread(self, case: AsyncCase) -> None:
        source = Hanging()
        task = asyncio.create_task(case.backend.write(case.path("file"), cast("BinaryIO", source)))
        try:
            case.expect(await asyncio.to_thread(source.reached.wait, SECONDS), "the source is read")
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=PROMPT)
            case.expect(bool(done), "a cancelled write ends although its source hangs")
            case.expect(task.cancelled(), "the write is cancelled", task)
        finally:
            source.released.set()
            await asyncio.wait([task])
        await asyncio.sleep(0.1)
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists, after the source has ended")

    @async_check("ASYNC-016", needs=WRITE)
    async def test_async_a_cancelled_call_does_not_wait_for_the_server(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file")
        path = case.path("file")
        calls: dict[str, Any] = {
            "read_bytes": partial(case.backend.read_bytes, path),
            "write": partial(case.backend.write, path, b"new", overwrite=True),
            "delete": partial(case.backend.delete, path),
            "list_files": partial(found, case.backend.list_files(case.folder)),
        }
        case.endpoint.inject(Stall(4), times=None)
        for name, call in calls.items():
            task = asyncio.create_task(call())
            await asyncio.sleep(0.1)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=PROMPT)
            case.expect(bool(done), f"a cancelled {name} ends although the server hangs")
        case.endpoint.clear_faults()

    @async_check("ASYNC-017", needs=(Capability.WRITE, Capability.READ))
    async def test_async_a_second_event_loop(self, case: AsyncCase) -> None:
        here, there = case.content(1000), case.content(1000)
        await self._round_trips(case.backend, case.path("before"), here)
        fresh = case.make()
        ours = partial(self._round_trips, case.backend, case.path("here"), here)
        theirs = asyncio.to_thread(lambda: asyncio.run(self._in_a_loop_of_its_own(fresh, case.path("there"), there)))
        first, second = await asyncio.gather(ours(), theirs)
        case.expect_equal(first, [here] * LOOP_TASKS, "the results in the first loop")
        case.expect_equal(second, [there] * LOOP_TASKS, "the results in the second loop")
        third = await self._round_trips(case.backend, case.path("after"), here)
        case.expect_equal(third, [here] * LOOP_TASKS, "the results in the first loop after the second has ended")

    async def _in_a_loop_of_its_own(self, backend: AsyncBackend, folder: str, content: bytes) -> list[bytes]:
        try:
            return await self._round_trips(backend, folder, content)
        finally:
            await backend.close()

    async def _round_trips(self, backend: AsyncBackend, folder: str, content: bytes) -> list[bytes]:
        async def there_and_back(path: str) -> bytes:
            await backend.write(path, content)
            return await backend.read_bytes(path)

        return await asyncio.gather(*(there_and_back(f"{folder}/{number}") for number in range(LOOP_TASKS)))
