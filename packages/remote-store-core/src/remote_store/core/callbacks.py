"""Checks that a function of the caller can be called as the library will call it."""

from __future__ import annotations

import inspect


def check_callback(name: str, callback: object, *parameters: str) -> None:
    """Check that a callback can be called with one argument for each parameter.

    Args:
        name: Name of the callback, for the message.
        callback: The callback; `None` if there is none.
        *parameters: Names of what it is called with, for the message.

    Raises:
        TypeError: It cannot be called, takes other arguments, or is a coroutine function.
    """
    if callback is None:
        return
    shape = f"{name}({', '.join(parameters)})"
    if not callable(callback):
        kind = type(callback).__name__
        raise TypeError(f"{name} must be a function that is called as {shape}, not {kind}")
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(callback.__call__):
        raise TypeError(f"{name} must be a plain function, not a coroutine function")
    try:
        signature = inspect.signature(callback)
    except ValueError:
        # Some functions written in C have no signature.
        return
    try:
        signature.bind(*parameters)
    except TypeError as error:
        raise TypeError(f"{name} is called as {shape}, and {signature} does not take that: {error}") from error
