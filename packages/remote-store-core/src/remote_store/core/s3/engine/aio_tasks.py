"""Runs concurrent calls as asyncio tasks. The counterpart for blocking calls is `tasks`."""

from __future__ import annotations

import asyncio
from asyncio import sleep
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from remote_store.core.s3.protocol.calls import AsyncBody

__all__ = ["AsyncTasks", "finish", "read_into", "sleep"]

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
        """Cancel all calls and wait until they have ended. If the waiting task is cancelled meanwhile, raise that then.

        Raises:
            CancelledError: The waiting task was cancelled; all calls have ended.
        """
        draining = asyncio.create_task(self.drain(patient=False))
        cancelled: asyncio.CancelledError | None = None
        while not draining.done():
            try:
                await asyncio.shield(draining)
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
    """Run a call to its end, even if the waiting task is cancelled repeatedly."""
    task = asyncio.create_task(call())
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()


async def read_into(body: AsyncBody, buffer: memoryview) -> int:
    """Read from a body into a buffer and return the number of bytes; 0 at the end. Copies the bytes."""
    data = await body.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)
