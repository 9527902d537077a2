"""Blocking calls, made in a bounded number of threads and awaited."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

from remote_store.core.errors import BackendUnavailable
from remote_store.core.io.workers import PerProcess, Workers, settle, threads_can_start

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A pool of threads that starts with its first call, belongs to no event loop, and starts anew in a forked child.

    Where no thread can be started, as in an `atexit` handler, a call runs in the thread that submits it.

    Args:
        size: Largest number of threads; further calls wait for one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers = PerProcess(lambda: Workers(size, "remote-store"), lambda workers: workers.close(wait=False))

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return type(self), (self._size,)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread, in a copy of the context of now.

        Raises:
            BackendUnavailable: The pool is closed.
        """
        workers = self._workers.get()
        future: Future[T] = Future()
        workers.begin(partial(contextvars.copy_context().run, contained, partial(function, *args, **kwargs)), future)
        return future

    async def call(self, function: Callable[[], T], *, abandon: Callable[[Future[T]], None] | None = None) -> T:
        """Await a call that may be left alone: a cancellation ends the wait at once.

        Args:
            function: What to call.
            abandon: Gets the future of a call that a cancellation left running, or finished unseen.
        """
        future = self.submit(function)
        waiter = asyncio.wrap_future(future)
        try:
            return await outcome(waiter)
        except asyncio.CancelledError:
            waiter.cancel()
            if not future.cancel() and abandon is not None:
                abandon(future)
            raise

    async def finish(
        self,
        function: Callable[[], T],
        *,
        stop: Callable[[], None] | None = None,
        undo: Callable[[T], Any] | None = None,
        instead: Callable[[], Any] | None = None,
    ) -> T:
        """Await a call that has effects: a cancellation is raised only when the call has ended.

        Args:
            function: What to call.
            stop: Asks a running call to end early.
            undo: Called with the result that a cancellation made unwanted.
            instead: Called where a cancellation came before the call had a thread, so that it is never made.
        """
        future = self.submit(function)
        waiter = asyncio.wrap_future(future)
        try:
            return await outcome(waiter)
        except asyncio.CancelledError:
            if stop is not None:
                stop()
            if not future.cancel():
                await ended(waiter)
                if undo is not None and future.exception() is None:
                    await ended(self.release(partial(undo, future.result())))
            elif instead is not None:
                await ended(self.release(instead))
            raise

    def release(self, function: Callable[[], object]) -> Future[object]:
        """Call a function that frees something, in a thread, or here where the pool is closed."""
        try:
            return self.submit(function)
        except BackendUnavailable:
            done: Future[object] = Future()
            with suppress(Exception):
                function()
            done.set_result(None)
            return done

    def close(self) -> None:
        """Take no further call; those that run come to their end."""
        self._workers.close()


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a blocking call, made in a thread, or here once no thread can be started.

    Raises:
        RuntimeError: The call raised `StopIteration`, which no coroutine can raise.
    """
    future: Future[T] = Future()
    call = partial(settle, future, partial(function, *args, **kwargs))
    if threads_can_start():
        await asyncio.to_thread(call)
    else:
        call()
    return future.result()


async def outcome(waiter: asyncio.Future[T]) -> T:
    """The result of a call; a cancellation of this wait leaves the call alone.

    An event loop throws the exception of an awaited future into the coroutine, which takes a `GeneratorExit` for a
    request to end. Here the coroutine raises it.
    """
    await asyncio.wait([waiter])
    return waiter.result()


def contained(function: Callable[[], T]) -> T:
    """Call a function whose outcome an event loop waits for.

    Raises:
        RuntimeError: It raised `StopIteration`.
    """
    try:
        return function()
    except StopIteration as error:
        # An event loop never delivers a StopIteration, and who awaits it would wait for ever.
        raise RuntimeError("a blocking call raised StopIteration") from error


async def ended(future: Future[Any] | asyncio.Future[Any]) -> None:
    """Wait until a call has ended, whatever its end and whoever cancels the wait."""
    waiter = asyncio.wrap_future(future)
    while not waiter.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([waiter])
    # Looking at the exception keeps the event loop from reporting it as unseen.
    _ = waiter.cancelled() or waiter.exception()
