"""Runs concurrent calls in threads, which cannot be cancelled. The counterpart for async calls is `aio_tasks`."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION, Future, wait
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from time import sleep
from typing import Any, TypeVar

from remote_store.core.io.workers import GRACE, Workers, running_loop, settle, waiting_loop
from remote_store.core.s3.engine.allowance import Allowance
from remote_store.core.s3.protocol.calls import Body

__all__ = ["Tasks", "finish", "in_time", "join", "read_into", "sleep"]

T = TypeVar("T")

GIVEN_UP: set[Future[Any]] = set()
"""Calls of this process that were given up and still run in a thread."""


class Tasks:
    """Concurrent calls, each in a thread.

    Args:
        workers: Returns the thread pool. Called when it is first needed.
    """

    def __init__(self, workers: Callable[[], Workers]) -> None:
        self._workers = workers
        self._begun: list[Future[Any]] = []
        self._running: list[Future[Any]] = []

    def begin(self, call: Callable[[], Any], window: int | None = None) -> None:
        """Start a call in the background.

        Args:
            call: The call.
            window: Most calls in flight. The call waits for room; if an earlier call has failed meanwhile, its
                exception is raised instead. `None` starts the call at once.
        """
        if window is not None:
            self._make_room(window)
        future: Future[Any] = Future()
        workers = self._workers()
        try:
            self._begun.append(future)
            self._running.append(future)
            workers.begin(call, future)
        except BaseException:
            # Ctrl-C can come after the call was queued. A call that has begun is waited for; another never begins.
            future.cancel()
            raise

    def _make_room(self, window: int) -> None:
        while True:
            ended = [future for future in self._running if future.done()]
            self._running = [future for future in self._running if future not in ended]
            for future in ended:
                future.result()
            if len(self._running) < window:
                return
            wait(self._running, return_when=FIRST_COMPLETED)

    def first(self) -> Any:
        """Wait for the oldest call, remove it from the group and return its result."""
        wait(self._begun[:1])
        future = self._begun.pop(0)
        self._running = [other for other in self._running if other is not future]
        return future.result()

    def results(self) -> list[Any]:
        """The results of all calls in the order of their start. Raises the first failure."""
        wait(self._begun, return_when=FIRST_EXCEPTION)
        results = [future.result() for future in self._begun if future.done()]
        self._forget()
        return results

    def drain(self, *, patient: bool) -> list[Any]:
        """Wait until no call is in flight, and return the results of those that succeeded.

        Args:
            patient: Run the calls that still wait for a thread instead of cancelling them.
        """
        if not patient:
            for future in self._begun:
                future.cancel()
        # `wait` would wait for a cancelled call until a thread takes it from the queue.
        begun = [future for future in self._begun if not future.cancelled()]
        wait(begun)
        self._forget()
        return [future.result() for future in begun if future.exception() is None]

    def abandon(self) -> None:
        """Cancel the calls that wait for a thread. Running calls continue."""
        for future in self._begun:
            future.cancel()
        self._forget()

    def _forget(self) -> None:
        self._begun.clear()
        self._running.clear()


def finish(call: Callable[[], T]) -> T:
    """Run a call of a cleanup to its end; a thread is never cancelled."""
    return call()


def in_time(
    call: Callable[[], T],
    allowance: Allowance,
    dropped: Callable[[T | None], object],
    keep: Callable[[Future[Any]], object],
) -> T:
    """Run a call in a thread of its own, and wait for it only as long as it may take.

    The thread has the context variables of the calling thread. If it cannot be started, the call runs here.

    Args:
        call: The call.
        allowance: The time that it may take.
        dropped: Frees what a call that was not waited for has opened. Called in its thread when it has ended, with its
            result, or with `None` if it failed.
        keep: Keeps open what a call that was not waited for still uses. Called at once.

    Raises:
        BackendUnavailable: It took longer than it may.
    """
    future: Future[T] = Future()
    context = copy_context()
    context.run(waiting_loop.set, running_loop())
    work = partial(settle, future, partial(context.run, call))
    with allowance.counted() as left:
        try:
            Thread(target=work, name="remote-store-limited", daemon=True).start()
        except RuntimeError:
            work()
        given_up = True
        try:
            given_up = not wait([future], left).done
        except BaseException:
            # Ctrl-C often ends the program, so the call gets a moment to clean up.
            allowance.stop()
            wait([future], GRACE)
            raise
        finally:
            if given_up:
                # The call cleans up and ends at its next step.
                allowance.stop()
                keep(future)
                GIVEN_UP.add(future)
                future.add_done_callback(partial(_drop, dropped))
                future.add_done_callback(GIVEN_UP.discard)
        if given_up:
            raise allowance.exceeded()
        return future.result()


def _drop(dropped: Callable[[T | None], object], ended: Future[T]) -> None:
    # Nobody is left to tell about an error.
    with suppress(Exception):
        dropped(None if ended.exception() else ended.result())


@atexit.register
def finish_given_up() -> None:
    """At the exit of the interpreter, let calls that were given up clean up, for `GRACE` seconds at most."""
    wait(list(GIVEN_UP), GRACE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=GIVEN_UP.clear)


def join(future: Future[T], seconds: float) -> T | None:
    """The result of a future of any thread or event loop; `None` if it does not come in time.

    A thread that blocks an event loop does not wait, because the result may have to come from that loop.
    """
    blocks_a_loop = running_loop() is not None or waiting_loop.get() is not None
    return future.result() if wait([future], 0 if blocks_a_loop else seconds).done else None


def read_into(body: Body, buffer: memoryview) -> int:
    """Read from a body into a buffer and return the number of bytes; 0 at the end."""
    return body.readinto(buffer)
