"""Calls the function that returns the credentials, from any thread."""

from __future__ import annotations

import inspect
import threading

from remote_store.core.callbacks import check_callback
from remote_store.core.credentials import CredentialsFunction


def check_function(function: CredentialsFunction | None) -> None:
    """Refuse a coroutine function, since there is no event loop to await it in.

    Raises:
        TypeError: It is one.
    """
    check_callback("credentials", function)


def new_lock() -> threading.Lock:
    """A lock for threads."""
    return threading.Lock()


def ask(function: CredentialsFunction) -> object:
    """The result of the function."""
    found = function()
    if inspect.iscoroutine(found):
        # Otherwise Python warns that it was never awaited.
        found.close()
    return found
