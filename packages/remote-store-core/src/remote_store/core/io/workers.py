"""Thread pools for blocking calls, one per process, with a fallback for when no thread can be started."""

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
    """A bounded pool of threads. If no thread can be started, a call runs in the calling thread.

    The interpreter starts no threads while it shuts down, for example in an `atexit` handler. The system may also
    refuse to start one.

    Args:
        size: Largest number of threads; further calls wait for one.
        name: Prefix of the threads' names.
    """

    def __init__(self, size: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(size, name)

    def begin(self, function: Callable[[], T], future: Future[T]) -> None:
        """Call the function in a thread, or here, and set the future's result, unless the future was cancelled."""
        # The thread that pops the call runs it, and no reference to it remains.
        pending = [partial(settle, future, function)]

        def work() -> None:
            with suppress(IndexError):
                pending.pop()()

        try:
            self._pool.submit(work)
        except RuntimeError:
            # The pool may have queued the work before it failed to start a thread, so both may pop.
            work()

    def close(self, *, wait: bool) -> None:
        """End the threads once their calls have ended."""
        self._pool.shutdown(wait=wait)


class PerProcess(Generic[T]):
    """Holds one object per process, so that a forked child makes its own.

    Args:
        make: Makes the object without I/O. If several threads make one at once, one is kept and the others are dropped.
        end: Ends the object. May be called twice for the same object.
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
                # `close` may have run just before this object was stored.
                self._end(made)
                self.check_open()
        return made

    def check_open(self) -> None:
        """Raise if it was closed.

        Raises:
            BackendUnavailable: It was closed.
        """
        if self._closed:
            raise BackendUnavailable(CLOSED)

    def close(self) -> None:
        """End the object of this process. `get` then raises."""
        self._closed = True
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            self._end(made)


def settle(future: Future[T], function: Callable[[], T]) -> None:
    """Call the function and set its result or exception on the future, unless the future was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - the future passes it on
        future.set_exception(error)
    else:
        future.set_result(result)


def threads_can_start() -> bool:
    """Whether the interpreter can start threads. It cannot once the main thread has ended."""
    return threading.main_thread().is_alive()


class CallingThread(ThreadPoolExecutor):
    """An executor without threads: a call runs in the thread that submits it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call the function now."""
        future: Future[T] = Future()
        settle(future, partial(fn, *args, **kwargs))
        return future


def keep_working(loop: asyncio.AbstractEventLoop) -> None:
    """If no thread can be started, make the event loop run its executor calls in its own thread."""
    if not threads_can_start():
        loop.set_default_executor(CallingThread())
