"""How blocking calls differ from awaited ones: they run in threads, cannot be cancelled, and pause their thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION, Future, wait
from time import sleep
from typing import Any, TypeVar

from remote_store.core.io.workers import Workers
from remote_store.core.s3.protocol.calls import Body

__all__ = ["Tasks", "finish", "read_into", "sleep"]

T = TypeVar("T")


class Tasks:
    """Calls that are under way at once, each in a thread.

    Args:
        workers: Gives the threads when they are first needed.
    """

    def __init__(self, workers: Callable[[], Workers]) -> None:
        self._workers = workers
        self._begun: list[Future[Any]] = []
        self._running: list[Future[Any]] = []

    def begin(self, call: Callable[[], Any], window: int | None = None) -> None:
        """Begin a call and go on.

        Args:
            call: What to do.
            window: How many may be under way; the call begins when there is room, and the failure of a call that has
                ended is raised instead. `None` begins it at once.
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
            # Ctrl-C can come after the call was queued: what has begun is waited for, what has not never will.
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
        """The result of the oldest call, which is forgotten then."""
        wait(self._begun[:1])
        future = self._begun.pop(0)
        self._running = [other for other in self._running if other is not future]
        return future.result()

    def results(self) -> list[Any]:
        """The results of all calls in the order of their beginning, or the first failure."""
        wait(self._begun, return_when=FIRST_EXCEPTION)
        results = [future.result() for future in self._begun if future.done()]
        self._forget()
        return results

    def drain(self, *, patient: bool) -> list[Any]:
        """Wait until nothing is under way; the results of the calls that succeeded.

        Args:
            patient: Make the calls that still wait for a thread instead of cancelling them.
        """
        if not patient:
            for future in self._begun:
                future.cancel()
        # A cancelled call that is queued counts as done only when a thread meets it.
        begun = [future for future in self._begun if not future.cancelled()]
        wait(begun)
        self._forget()
        return [future.result() for future in begun if future.exception() is None]

    def abandon(self) -> None:
        """Cancel the calls that wait for a thread, and leave those alone that have one."""
        for future in self._begun:
            future.cancel()
        self._forget()

    def _forget(self) -> None:
        self._begun.clear()
        self._running.clear()


def finish(call: Callable[[], T]) -> T:
    """Make a call to its end: a thread is never cancelled."""
    return call()


def read_into(body: Body, buffer: memoryview) -> int:
    """Read from a body into a buffer; 0 at the end."""
    return body.readinto(buffer)
