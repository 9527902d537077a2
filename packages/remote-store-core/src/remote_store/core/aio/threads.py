"""Runs blocking calls in a bounded number of threads and awaits them."""

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
    """A pool of threads that starts at its first call, is not bound to an event loop, and restarts in a forked child.

    If no thread can be started, for example in an `atexit` handler, a call runs in the thread that submits it.

    Args:
        size: Largest number of threads; further calls wait for one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers = PerProcess(lambda: Workers(size, "remote-store"), lambda workers: workers.close(wait=False))

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return type(self), (self._size,)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread, in a copy of the current context.

        Raises:
            BackendUnavailable: The pool is closed.
        """
        workers = self._workers.get()
        future: Future[T] = Future()
        workers.begin(partial(contextvars.copy_context().run, contained, partial(function, *args, **kwargs)), future)
        return future

    async def call(self, function: Callable[[], T], *, abandon: Callable[[Future[T]], None] | None = None) -> T:
        """Await a call without side effects. A cancellation ends the wait at once.

        Args:
            function: The function to call.
            abandon: Called after a cancellation with the future of the call, unless the call was never begun.
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
        """Await a call with side effects. A cancellation is raised only when the call has ended.

        Args:
            function: The function to call.
            stop: Called after a cancellation to make the running call end early.
            undo: Called with the call's result after a cancellation.
            instead: Called if the cancellation came before the call had a thread, so that it is never made.
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
        """Call a function that frees resources, in a thread, or here if the pool is closed."""
        try:
            return self.submit(function)
        except BackendUnavailable:
            done: Future[object] = Future()
            with suppress(Exception):
                function()
            done.set_result(None)
            return done

    def close(self) -> None:
        """Accept no further calls. Running calls finish."""
        self._workers.close()


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in a thread, or here if no thread can be started, and return its result.

    Raises:
        RuntimeError: The call raised `StopIteration`, which a coroutine cannot raise.
    """
    future: Future[T] = Future()
    call = partial(settle, future, partial(function, *args, **kwargs))
    if threads_can_start():
        await asyncio.to_thread(call)
    else:
        call()
    return future.result()


async def outcome(waiter: asyncio.Future[T]) -> T:
    """The result of a call. Cancelling this wait does not cancel the call.

    If the call failed, this coroutine raises its exception. With a plain `await`, the event loop would throw the
    exception into the coroutine, which would take a `GeneratorExit` for a request to end.
    """
    await asyncio.wait([waiter])
    return waiter.result()


def contained(function: Callable[[], T]) -> T:
    """Call a function whose result an event loop awaits.

    Raises:
        RuntimeError: It raised `StopIteration`.
    """
    try:
        return function()
    except StopIteration as error:
        # An event loop never delivers a StopIteration, so the caller would wait forever.
        raise RuntimeError("a blocking call raised StopIteration") from error


async def ended(future: Future[Any] | asyncio.Future[Any]) -> None:
    """Wait until a call has ended or failed, even if the wait is cancelled."""
    waiter = asyncio.wrap_future(future)
    while not waiter.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([waiter])
    # Reading the exception keeps asyncio from logging it as never retrieved.
    _ = waiter.cancelled() or waiter.exception()
