"""Whether a `with` block that an exception ended is what closes a file."""

from __future__ import annotations

import inspect
import sys

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
    error = exception_now()
    if error is None or error is known:
        return False
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "__exit__":
            module: str = frame.f_globals.get("__name__", "")
            if module.partition(".")[0] in WRAPPERS:
                return True
        frame = frame.f_back
    return False
