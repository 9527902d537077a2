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
from remote_store.core.io.workers import GRACE, PerProcess, Workers, settle, threads_can_start

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
            return await result_of(future, waiter)
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
        """Await a call with side effects. A cancellation is raised when the call has ended, or after `GRACE` seconds.

        Args:
            function: The function to call.
            stop: Called after a cancellation to make the running call end early.
            undo: Called with the call's result after a cancellation, in a thread of the pool.
            instead: Called if the cancellation came before the call had a thread, so that it is never made.
        """
        future = self.submit(function)
        waiter = asyncio.wrap_future(future)
        try:
            return await result_of(future, waiter)
        except asyncio.CancelledError:
            if stop is not None:
                stop()
            waiter.cancel()
            if not future.cancel():
                await ended(future if undo is None else self._undone(future, undo))
            elif instead is not None:
                await ended(self.release(instead))
            raise

    def _undone(self, future: Future[T], undo: Callable[[T], Any]) -> Future[Any]:
        """A future that ends when a call has ended and its result was passed to `undo`."""
        last: Future[Any] = Future()

        def then(call: Future[T]) -> None:
            if call.exception() is None:
                release = self.release(partial(undo, call.result()))
                release.add_done_callback(lambda _: last.set_result(None))
            else:
                last.set_result(None)

        future.add_done_callback(then)
        return last

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


async def result_of(future: Future[T], waiter: asyncio.Future[T]) -> T:
    """The result of a call in a thread, or the very exception that it raised: asyncio replaces a TimeoutError.

    Args:
        future: The call.
        waiter: The future of the event loop that waits for it.
    """
    await asyncio.wait([waiter])
    failed = not waiter.cancelled() and waiter.exception() is not None
    return future.result() if failed else waiter.result()


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


async def ended(future: Future[Any]) -> None:
    """Wait until a call has ended or failed, but only `GRACE` seconds, even if the wait is cancelled."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_: object) -> None:
        # The event loop may be closed when a call ends that was not waited for.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    waiting = asyncio.ensure_future(done.wait())
    until = loop.time() + GRACE
    while not waiting.done() and (left := until - loop.time()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([waiting], timeout=left)
    waiting.cancel()
