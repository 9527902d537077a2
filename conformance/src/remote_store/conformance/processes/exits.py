"""Keeps the code under test from ending the process."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ProcessExit(SystemExit):
    """A call of `os._exit`, which was not made."""


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


def described_exit(error: SystemExit) -> str:
    """What called for the end of the process, and where."""
    call = "os._exit" if isinstance(error, ProcessExit) else "sys.exit"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    place = f" in {frames[-1].name} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{call}({error.code!r}){place}"
