"""Blocking calls, made in a bounded number of threads and awaited."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

from remote_store.core.errors import BackendUnavailable

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A pool of threads that starts with its first call, belongs to no event loop, and starts anew in a forked child.

    Args:
        size: Largest number of threads; further calls wait for one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._closed = False
        self._process = 0
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return type(self), (self._size,)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function in a thread, in a copy of the context of now.

        Raises:
            BackendUnavailable: The pool is closed.
        """
        if self._process != os.getpid():
            self._start_anew()
        call = partial(contextvars.copy_context().run, contained, partial(function, *args, **kwargs))
        with self._lock:
            if self._closed:
                raise BackendUnavailable("the backend is closed; make a new one")
            self._pool = self._pool or ThreadPoolExecutor(self._size, "remote-store")
            return self._pool.submit(call)

    async def call(self, function: Callable[[], T], *, abandon: Callable[[Future[T]], None] | None = None) -> T:
        """Await a call that may be left alone: a cancellation ends the wait at once.

        Args:
            function: What to call.
            abandon: Gets the future of a call that a cancellation left running, or finished unseen.
        """
        future = self.submit(function)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
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
            return await asyncio.shield(waiter)
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
        with self._lock:
            self._closed = True
            if self._pool is not None:
                self._pool.shutdown(wait=False)

    def _start_anew(self) -> None:
        # A forked child has neither the threads of its parent nor, perhaps, who held the lock.
        self._lock = threading.Lock()
        self._pool = None
        self._process = os.getpid()


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
