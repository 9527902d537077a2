"""A bound on how long a call may take, whatever it hangs in."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Hung(Exception):
    """A call did not end in its time; its thread is left behind."""


def bounded(call: Callable[[], T], seconds: float, name: str = "conformance-check") -> T:
    """Make a call in a thread of its own, and give up on it after so many seconds.

    A thread that hangs in a lock, a socket or an extension cannot be ended; it is a daemon, so nobody waits for it.

    Raises:
        Hung: The call did not end in time.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            errors.append(error)

    arguments: tuple[Any, ...] = (run,)
    thread = threading.Thread(target=contextvars.copy_context().run, args=arguments, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Hung(f"no answer within {seconds:g} seconds")
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()
    return answers[0]
