"""Runs concurrent calls as asyncio tasks. The counterpart for blocking calls is `tasks`."""

from __future__ import annotations

import asyncio
from asyncio import sleep
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from remote_store.core.io.workers import GRACE
from remote_store.core.s3.engine.allowance import Allowance
from remote_store.core.s3.protocol.calls import AsyncBody

__all__ = ["AsyncTasks", "Left", "finish", "in_time", "join", "read_into", "sleep"]

T = TypeVar("T")


class AsyncTasks:
    """Concurrent calls, each a task of the running event loop."""

    def __init__(self) -> None:
        self._begun: list[asyncio.Task[Any]] = []
        self._running: list[asyncio.Task[Any]] = []

    async def begin(self, call: Callable[[], Coroutine[Any, Any, Any]], window: int | None = None) -> None:
        """Start a call in the background.

        Args:
            call: The call.
            window: Most calls in flight. The call waits for room; if an earlier call has failed meanwhile, its
                exception is raised instead. `None` starts the call at once.
        """
        if window is not None:
            await self._make_room(window)
        task = asyncio.create_task(call())
        task.add_done_callback(_seen)
        self._begun.append(task)
        self._running.append(task)

    async def _make_room(self, window: int) -> None:
        while True:
            ended = [task for task in self._running if task.done()]
            self._running = [task for task in self._running if task not in ended]
            for task in ended:
                task.result()
            if len(self._running) < window:
                return
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def first(self) -> Any:
        """Wait for the oldest call, remove it from the group and return its result."""
        # Unlike `await task`, cancelling this wait does not cancel the task.
        await asyncio.wait(self._begun[:1])
        task = self._begun.pop(0)
        self._running = [other for other in self._running if other is not task]
        return task.result()

    async def results(self) -> list[Any]:
        """The results of all calls in the order of their start. Raises the first failure."""
        if self._begun:
            await asyncio.wait(self._begun, return_when=asyncio.FIRST_EXCEPTION)
        results = [task.result() for task in self._begun if task.done()]
        self._forget()
        return results

    async def drain(self, *, patient: bool) -> list[Any]:
        """Wait until no call is in flight, and return the results of those that succeeded.

        Args:
            patient: Let all calls finish instead of cancelling them.
        """
        if not patient:
            for task in self._begun:
                task.cancel()
        # A finished task is not awaited, because its event loop may be closed.
        if running := [task for task in self._begun if not task.done()]:
            await asyncio.wait(running)
        results = [task.result() for task in self._begun if not task.cancelled() and task.exception() is None]
        self._forget()
        return results

    async def abandon(self) -> None:
        """Cancel all calls and wait until they have ended, `GRACE` seconds at most.

        Raises:
            CancelledError: The waiting task was cancelled meanwhile.
        """
        draining = asyncio.create_task(self.drain(patient=False))
        cancelled: asyncio.CancelledError | None = None
        clock = asyncio.get_running_loop().time
        until = clock() + GRACE
        while not draining.done() and (left := until - clock()) > 0:
            try:
                await asyncio.wait([draining], timeout=left)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    def _forget(self) -> None:
        self._begun.clear()
        self._running.clear()


def _seen(task: asyncio.Task[Any]) -> None:
    """Read the exception, so that asyncio does not log it as never retrieved."""
    _ = task.cancelled() or task.exception()


async def finish(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await a call of a cleanup that was itself cancelled, for example at the end of the event loop.

    Raises:
        TimeoutError: It took longer than `GRACE` seconds.
    """
    async with asyncio.timeout(GRACE):
        return await call()


async def in_time(
    call: Callable[[], Coroutine[Any, Any, T]],
    allowance: Allowance,
    _dropped: Callable[[T | None], object],
    _keep: Callable[[Any], object],
) -> T:
    """Await a call, and cancel it if it takes longer than it may.

    Args:
        call: The call.
        allowance: The time that it may take.
        _dropped: Not used; the blocking counterpart needs it for calls that go on.
        _keep: Not used either.

    Raises:
        BackendUnavailable: It was cancelled.
    """
    with allowance.counted() as left:
        limit = asyncio.timeout(left)
        try:
            async with limit:
                return await call()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise allowance.exceeded() from error


class Left:
    """Cleanups of interrupted operations that go on in the background."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def leave(self, cleanup: Callable[[], Coroutine[Any, Any, T]], cause: BaseException) -> T:
        """Await a cleanup, but only `GRACE` seconds, even if the wait is cancelled. It then goes on in the background.

        Args:
            cleanup: Ends the operation. It raises what the operation raises.
            cause: What interrupted the operation, raised if the cleanup is not waited for.
        """
        results: list[T] = []
        task = self._kept(_failure(cleanup, results))
        clock = asyncio.get_running_loop().time
        until = clock() + GRACE
        while not task.done() and (left := until - clock()) > 0:
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=left)
        if not task.done() or task.cancelled():
            raise cause
        if (error := task.result()) is not None:
            raise error
        return results.pop()

    def close_after(self, close: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Call `close` in the background when all cleanups have ended. Returns whether there are any."""
        loop = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is loop]

        async def last() -> None:
            try:
                await asyncio.wait(tasks)
            finally:
                await close()

        if tasks:
            self._kept(last())
        return bool(tasks)

    def _kept(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        # The event loop references a task only weakly.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _failure(call: Callable[[], Coroutine[Any, Any, T]], results: list[T]) -> BaseException | None:
    """Await a call, keep its result, and return its exception. A task that raises KeyboardInterrupt ends its loop."""
    try:
        results.append(await call())
    except BaseException as error:  # noqa: BLE001 - the waiting task raises it
        return error
    return None


async def join(future: Future[T], seconds: float) -> T | None:
    """The result of a future of any thread or event loop; `None` if it does not come in time."""
    waiting = asyncio.wrap_future(future)
    try:
        await asyncio.wait([waiting], timeout=seconds)
    finally:
        # A future that ends after this event loop would otherwise log an error.
        waiting.cancel()
    return future.result() if future.done() else None


async def read_into(body: AsyncBody, buffer: memoryview) -> int:
    """Read from a body into a buffer and return the number of bytes; 0 at the end. Copies the bytes."""
    data = await body.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)
