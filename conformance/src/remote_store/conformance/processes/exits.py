"""Keeps the code under test from ending the process."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from remote_store.conformance.processes.origin import origin
from remote_store.conformance.processes.watchdog import bounded

T = TypeVar("T")


class ProcessExit(SystemExit):
    """A call of `os._exit`, which was not made."""


class Ended(Exception):
    """The code under test called for the end of the process, which goes on. The text says how and where."""


def contained(call: Callable[[], T], seconds: float) -> T:
    """The result of a call in a new thread, which has a time limit and cannot end this process.

    Signals reach the main thread only, so a `KeyboardInterrupt` in the new thread is not the user's.

    Raises:
        Hung: The call exceeded the time limit.
        Ended: The call, or another thread meanwhile, called `sys.exit` or `os._exit`, or raised `KeyboardInterrupt`.
    """
    __tracebackhide__ = True
    try:
        return exits_refused(partial(bounded, partial(_with_ordinary_errors, call), seconds))
    except SystemExit as error:
        raise Ended(described_exit(error)) from error


def _with_ordinary_errors(call: Callable[[], T]) -> T:
    __tracebackhide__ = True
    try:
        return call()
    except (SystemExit, KeyboardInterrupt) as error:
        raise Ended(described_exit(error)) from error


def exits_refused(call: Callable[[], T]) -> T:
    """The result of a call during which `os._exit` raises `ProcessExit` in this process. Forked children still exit.

    Raises:
        ProcessExit: The call, or another thread meanwhile, called `os._exit`.
    """
    __tracebackhide__ = True
    refused: list[SystemExit] = []
    end, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() != process:
            end(status)
        error = ProcessExit(status)
        refused.append(error)
        raise error

    os._exit = refuse  # type: ignore[assignment]
    try:
        result = call()
    finally:
        os._exit = end
    for error in refused:
        raise error
    return result


def described_exit(error: SystemExit | KeyboardInterrupt) -> str:
    """What called for the end of the process, and where."""
    if isinstance(error, KeyboardInterrupt):
        return f"KeyboardInterrupt{origin(error)}"
    return f"{'os._exit' if isinstance(error, ProcessExit) else 'sys.exit'}({error.code!r}){origin(error)}"
