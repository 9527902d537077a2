"""Runs a part of a check in a forked process."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from remote_store.conformance.values.outcome import NotApplicable

SECONDS = 20.0


def in_fork(call: Callable[[], Any]) -> Any:
    """Call a function in a forked child, a coroutine in a new event loop. Returns its result or raises its exception.

    Raises:
        TimeoutError: The child hangs.
    """
    with forked(lambda _pause: call()) as child:
        return child.result()


class Child:
    """A forked child.

    Args:
        channel: The connection to it.
    """

    def __init__(self, channel: Connection) -> None:
        self._channel = channel

    def paused(self) -> None:
        """Wait until the child pauses.

        Raises:
            TimeoutError: The child hangs.
        """
        self._received()

    def go_on(self) -> None:
        """End the pause of the child."""
        self._channel.send(None)

    def result(self) -> Any:
        """Wait for the end of the child. Returns its result or raises its exception.

        Raises:
            TimeoutError: The child hangs.
        """
        return self._received()

    def _received(self) -> Any:
        if not self._channel.poll(SECONDS):
            raise TimeoutError("the forked child sent no result in time")
        received = self._channel.recv()
        if isinstance(received, Exception):
            raise received
        return received


@contextmanager
def forked(call: Callable[[Callable[[], None]], Any]) -> Iterator[Child]:
    """Call a function in a forked child, a coroutine in a new event loop. The child is gone at the end of the block.

    Args:
        call: Gets a function that pauses the child until `Child.go_on`.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NotApplicable("this platform has no fork")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_send_result, args=(call, theirs), daemon=True)
    with warnings.catch_warnings():
        # The check forks while threads run on purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    try:
        yield Child(ours)
        child.join(SECONDS)
    finally:
        child.kill()
        # Without it the child stays a zombie.
        child.join()
        ours.close()
        theirs.close()


def _send_result(call: Callable[[Callable[[], None]], Any], channel: Connection) -> None:
    def pause() -> None:
        channel.send(None)
        channel.recv()

    try:
        result = call(pause)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:  # noqa: BLE001 - the parent judges it
        result = error
    channel.send(result)
