"""Thread pools for blocking calls, one per process, with a fallback for when no thread can be started."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Generic, ParamSpec, TypeVar

from remote_store.core.errors import BackendUnavailable

P = ParamSpec("P")
T = TypeVar("T")
CLOSED = "the backend is closed; make a new one"

GRACE = 0.4
"""Seconds that an interrupted call waits for its cleanup. The cleanup then goes on in the background."""

waiting_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("waiting_loop", default=None)
"""The event loop of the thread that waits for this one, if it runs one."""


class Workers:
    """A bounded pool of daemon threads. If no thread can be started, a call runs in the calling thread.

    The interpreter starts no threads while it shuts down, for example in an `atexit` handler. The system may also
    refuse to start one. A thread that still waits for a server when the interpreter exits does not delay the exit. The
    threads of a pool that was not closed end when it is garbage-collected.

    Args:
        size: Largest number of threads; further calls wait for one.
        name: Prefix of the threads' names.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._shared = Shared()
        self._threads: list[threading.Thread] = []
        self._closed = False
        weakref.finalize(self, self._shared.end, self._threads).atexit = False

    def begin(self, function: Callable[[], T], future: Future[T]) -> None:
        """Call the function in a thread, or here, and set the future's result, unless the future was cancelled."""
        # The thread that pops the call runs it, and no reference to it remains.
        calls: deque[Callable[[], None]] = deque([partial(settle, future, function)])
        with self._shared.lock:
            # A call that is begun after the pool was closed belongs to an operation that goes on.
            here = self._closed or sys.is_finalizing() or not self._hand_over(calls)
        if here:
            calls.pop()()

    def close(self, *, wait: bool) -> None:
        """End the threads once the calls that were begun have ended.

        Args:
            wait: Wait for them, `GRACE` seconds at most.
        """
        with self._shared.lock:
            self._closed = True
        self._shared.end(self._threads)
        until = monotonic() + GRACE
        for thread in self._threads if wait else ():
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - monotonic()))

    def _hand_over(self, calls: deque[Callable[[], None]]) -> bool:
        """Give a call to an idle thread, to a new one, or to the next that is free. Returns whether there is one."""
        if self._shared.free <= 0 and len(self._threads) < self._size:
            name = f"{self._name}_{len(self._threads)}"
            thread = threading.Thread(target=self._shared.work, args=(calls,), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # A busy thread may wait for this very call.
                return False
            self._threads.append(thread)
        else:
            self._shared.free -= 1
            self._shared.waiting.put(calls)
        return True


class Shared:
    """What the threads of a pool share. It does not refer to the pool, which can so be garbage-collected.

    Attributes:
        lock: Held while `free` changes.
        free: Number of idle threads minus the number of waiting calls.
        waiting: The calls that wait for a thread, and `None` for each thread that shall end.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.free = 0
        # A garbage collection in the middle of `put` or `get` may call `end`, which this queue allows.
        self.waiting: SimpleQueue[deque[Callable[[], None]] | None] = SimpleQueue()

    def work(self, calls: deque[Callable[[], None]] | None) -> None:
        """Make a call, then those that wait."""
        while calls is not None:
            calls.pop()()
            with self.lock:
                self.free += 1
            calls = self.waiting.get()

    def end(self, threads: list[threading.Thread]) -> None:
        """End the threads after the calls that wait."""
        for _ in threads:
            self.waiting.put(None)


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


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


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
