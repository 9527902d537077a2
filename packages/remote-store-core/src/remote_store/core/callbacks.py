"""Checks a function of the caller before the work begins that is to call it."""

from __future__ import annotations

import inspect


def check_callback(name: str, callback: object, argument: str) -> None:
    """Check that a callback can be called with one argument.

    Args:
        name: Name of the parameter, for the message.
        callback: The callback; `None` if there is none.
        argument: What it is called with, for the message.

    Raises:
        TypeError: It cannot be called, takes other arguments, or is a coroutine function.
    """
    if callback is None:
        return
    if not callable(callback):
        raise TypeError(f"{name} must be a function that takes a {argument}, not {type(callback).__name__}")
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(callback.__call__):
        raise TypeError(f"{name} must be a plain function, not a coroutine function")
    try:
        signature = inspect.signature(callback)
    except ValueError:
        # Some functions written in C have no signature.
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(f"{name} is called with one {argument}, and {signature} does not take it") from error
