"""How awaited calls differ from blocking ones: they run as tasks, can be cancelled, and pause the task that waits."""

from __future__ import annotations

import asyncio
from asyncio import sleep
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from remote_store.core.s3.protocol.calls import AsyncBody

__all__ = ["AsyncTasks", "finish", "read_into", "sleep"]

T = TypeVar("T")


class AsyncTasks:
    """Calls that are under way at once, each as a task of the running event loop."""

    def __init__(self) -> None:
        self._begun: list[asyncio.Task[Any]] = []
        self._running: list[asyncio.Task[Any]] = []

    async def begin(self, call: Callable[[], Coroutine[Any, Any, Any]], window: int | None = None) -> None:
        """Begin a call and go on.

        Args:
            call: What to do.
            window: How many may be under way; the call begins when there is room, and the failure of a call that has
                ended is raised instead. `None` begins it at once.
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
        """The result of the oldest call, which is forgotten then."""
        # Unlike `await` itself, it leaves the task alone when it is cancelled.
        await asyncio.wait(self._begun[:1])
        task = self._begun.pop(0)
        self._running = [other for other in self._running if other is not task]
        return task.result()

    async def results(self) -> list[Any]:
        """The results of all calls in the order of their beginning, or the first failure."""
        if self._begun:
            await asyncio.wait(self._begun, return_when=asyncio.FIRST_EXCEPTION)
        results = [task.result() for task in self._begun if task.done()]
        self._forget()
        return results

    async def drain(self, *, patient: bool) -> list[Any]:
        """Wait until nothing is under way; the results of the calls that succeeded.

        Args:
            patient: Let every call come to its own end instead of cancelling it.
        """
        if not patient:
            for task in self._begun:
                task.cancel()
        # A task that has ended may belong to an event loop that is closed.
        if running := [task for task in self._begun if not task.done()]:
            await asyncio.wait(running)
        results = [task.result() for task in self._begun if not task.cancelled() and task.exception() is None]
        self._forget()
        return results

    async def abandon(self) -> None:
        """Cancel everything that is under way and wait for its end, whoever is cancelled meanwhile."""
        await finish(lambda: self.drain(patient=False))

    def _forget(self) -> None:
        self._begun.clear()
        self._running.clear()


def _seen(task: asyncio.Task[Any]) -> None:
    """Keep the event loop from reporting a failure that nobody asks for any more."""
    _ = task.cancelled() or task.exception()


async def finish(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Make a call to its end, however often the task that waits for it is cancelled meanwhile."""
    task = asyncio.create_task(call())
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()


async def read_into(body: AsyncBody, buffer: memoryview) -> int:
    """Read from a body into a buffer; 0 at the end. An awaited body hands out bytes only, so they are copied."""
    data = await body.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)
