"""Whether a `with` block that an exception ended is what closes a file."""

from __future__ import annotations

import inspect
import sys
from types import FrameType

WRAPPERS = {"contextlib", "dask", "fsspec", "pandas", "upath", "xarray"}
"""Packages with a context manager around files that closes them whether or not an exception ends the block."""


def exception_now() -> BaseException | None:
    """The exception that the caller is handling."""
    return sys.exc_info()[1]


def ended_by_exception(known: BaseException | None) -> bool:
    """Whether the `__exit__` of one of the `WRAPPERS` made this call, directly or not, and an exception ends its block.

    A class of yours that closes a file in its own `__exit__` has seen the exception, and may have written about it.

    Args:
        known: The exception that was being handled when the file was opened. It says nothing about the file.
    """
    if exception_now() is None:
        return False
    frame = inspect.currentframe()
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name == "__exit__" and module.partition(".")[0] in WRAPPERS:
            # A wrapper may also close a file in order while its caller handles an exception.
            error = _given_to(frame)
            if error is not None and error is not known:
                return True
        frame = frame.f_back
    return False


def _given_to(frame: FrameType) -> BaseException | None:
    """The exception that an `__exit__` was called with."""
    names, rest, _, values = inspect.getargvalues(frame)
    given = [*(values.get(name) for name in names[1:]), *(values.get(rest, ()) if rest else ())]
    return next((value for value in given if isinstance(value, BaseException)), None)
