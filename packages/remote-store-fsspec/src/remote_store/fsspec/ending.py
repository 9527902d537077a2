"""Whether a `with` block that an exception ended is what closes a file."""

from __future__ import annotations

import inspect
import sys


def exception_now() -> BaseException | None:
    """The exception that the caller is handling."""
    return sys.exc_info()[1]


def ended_by_exception(known: BaseException | None) -> bool:
    """Whether the caller was called by a method `__exit__`, directly or not, while an exception ends its block.

    `fsspec.open` and pandas wrap the file, and their own `__exit__` closes it in any case.

    Args:
        known: The exception that was being handled when the file was opened. It says nothing about the file.
    """
    error = exception_now()
    if error is None or error is known:
        return False
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name in ("__exit__", "__aexit__"):
            return True
        frame = frame.f_back
    return False
