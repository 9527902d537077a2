"""Threads for blocking calls, one pool a process, and what happens where no thread can be started."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from remote_store.core.errors import BackendUnavailable

P = ParamSpec("P")
T = TypeVar("T")
CLOSED = "the backend is closed; make a new one"


class Workers:
    """A bounded pool of threads. Where no thread can be started, a call runs in the thread that asks for it.

    The interpreter starts no threads once it ends, so none in an `atexit` handler; the system may also refuse one.

    Args:
        size: Largest number of threads; further calls wait for one.
        name: What the names of the threads begin with.
    """

    def __init__(self, size: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(size, name)

    def begin(self, function: Callable[[], T], future: Future[T]) -> None:
        """Call the function in a thread, or here, and settle the future; a cancelled future is never begun."""
        # Who pops it does it, and nothing keeps it alive afterwards.
        pending = [partial(settle, future, function)]

        def work() -> None:
            with suppress(IndexError):
                pending.pop()()

        try:
            self._pool.submit(work)
        except RuntimeError:
            # The pool may have queued the work before it failed to start a thread.
            work()

    def close(self, *, wait: bool) -> None:
        """End the threads when the calls that were begun have ended."""
        self._pool.shutdown(wait=wait)


class PerProcess(Generic[T]):
    """One object for each process that asks for it, so that a forked child makes its own, until it is closed.

    Args:
        make: Makes it, without any I/O; of several made at once all but one are dropped unused.
        end: Ends it; called again for one that is ended already.
    """

    def __init__(self, make: Callable[[], T], end: Callable[[T], object]) -> None:
        self._make = make
        self._end = end
        self._made: dict[int, T] = {}
        self._closed = False

    def get(self) -> T:
        """The object of this process.

        Raises:
            BackendUnavailable: It was closed.
        """
        self.check_open()
        process = os.getpid()
        made = self._made.get(process)
        if made is None:
            made = self._made.setdefault(process, self._make())
            if self._closed:
                # `close` may have looked before this one was there.
                self._end(made)
                self.check_open()
        return made

    def check_open(self) -> None:
        """Refuse to go on after `close`.

        Raises:
            BackendUnavailable: It was closed.
        """
        if self._closed:
            raise BackendUnavailable(CLOSED)

    def close(self) -> None:
        """End the object of this process, and hand out no other."""
        self._closed = True
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            self._end(made)


def settle(future: Future[T], function: Callable[[], T]) -> None:
    """Call the function and give its outcome to the future, unless that was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
        future.set_exception(error)
    else:
        future.set_result(result)


def threads_can_start() -> bool:
    """Whether the interpreter still starts threads: it does not once the main thread has ended."""
    return threading.main_thread().is_alive()


class CallingThread(ThreadPoolExecutor):
    """An executor without threads: a call runs in the thread that submits it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call the function now."""
        future: Future[T] = Future()
        settle(future, partial(fn, *args, **kwargs))
        return future


def keep_working(loop: asyncio.AbstractEventLoop) -> None:
    """Let an event loop do the calls that it gives to threads itself, once no thread can be started."""
    if not threads_can_start():
        loop.set_default_executor(CallingThread())
