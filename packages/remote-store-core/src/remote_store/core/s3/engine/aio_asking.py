"""Calls the function that returns the credentials, from an event loop."""

from __future__ import annotations

import asyncio
import inspect

from remote_store.core.callbacks import is_coroutine_function
from remote_store.core.credentials import CredentialsFunction


def check_function(_function: CredentialsFunction | None) -> None:
    """Nothing: an event loop can call any function. The blocking counterpart refuses coroutine functions."""


def new_lock() -> asyncio.Lock:
    """A lock for the tasks of one event loop."""
    return asyncio.Lock()


async def ask(function: CredentialsFunction) -> object:
    """The result of the function. A plain function runs in a thread, so that it does not block the event loop."""
    found = function() if is_coroutine_function(function) else await asyncio.to_thread(function)
    return await found if inspect.isawaitable(found) else found
