"""Checks that a function of the caller can be called as the library will call it."""

from __future__ import annotations

import inspect


def check_callback(name: str, callback: object, *parameters: str, awaited: bool = False) -> None:
    """Check that a callback can be called with one argument for each parameter.

    Args:
        name: Name of the callback, for the message.
        callback: The callback; `None` if there is none.
        *parameters: Names of what it is called with, for the message.
        awaited: Whether it may be a coroutine function.

    Raises:
        TypeError: It cannot be called, takes other arguments, or is a coroutine function. The message shows no default
            value of a parameter, since it may be a secret.
    """
    if callback is None:
        return
    shape = f"{name}({', '.join(parameters)})"
    if not callable(callback):
        kind = type(callback).__name__
        raise TypeError(f"{name} must be a function that is called as {shape}, not {kind}")
    if not awaited and is_coroutine_function(callback):
        raise TypeError(f"{name} must be a plain function, not a coroutine function")
    try:
        signature = inspect.signature(callback)
    except ValueError:
        # Some functions written in C have no signature.
        return
    try:
        signature.bind(*parameters)
    except TypeError as error:
        takes = ", ".join(signature.parameters)
        raise TypeError(f"{name} is called as {shape}, and ({takes}) does not take that: {error}") from error


def is_coroutine_function(function: object) -> bool:
    """Whether a call of the function has to be awaited, as far as that is known without a call."""
    method = getattr(function, "__call__", None)  # noqa: B004 - it may be a coroutine function
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(method)
