"""What the updates of blocking and async stores share: the caller's function, and the time between two attempts."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from remote_store.core.capabilities import Capability
from remote_store.core.errors import BackendUnavailable, PreconditionFailed, RemoteStoreError
from remote_store.core.io.source import Buffer
from remote_store.core.models import FileInfo
from remote_store.core.options import NEEDS
from remote_store.core.retry import RetryPolicy

Update: TypeAlias = Callable[[bytes], Buffer]
AsyncUpdate: TypeAlias = Callable[[bytes], Buffer | Awaitable[Buffer]]

FIRST_DELAY = 0.01
LONGEST_DELAY = 1.0
CONFLICTS = RetryPolicy(max_attempts=100, total_timeout=120)
"""How long an update tries by default. A conflict means that another writer made progress, so it is no failure."""


class Attempts:
    """Counts the attempts of one update.

    Args:
        path: The file.
        retry: How many attempts to make, and how long to go on.

    Raises:
        TypeError: `retry` is not a `RetryPolicy`.
    """

    def __init__(self, path: str, retry: RetryPolicy) -> None:
        if not isinstance(retry, RetryPolicy):
            raise TypeError(f"retry must be a RetryPolicy, not {type(retry).__name__}")
        self._path = path
        self._retry = retry
        self._lost = 0
        self._began = time.monotonic()

    def delay(self, conflict: RemoteStoreError) -> float:
        """Seconds to wait after a conflict: exponential backoff with full jitter, at most 1 s.

        Args:
            conflict: The error of the attempt.

        Raises:
            PreconditionFailed: There are no more attempts, or there is no more time.
        """
        self._lost += 1
        seconds = random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self._lost, 16)))
        most = self._retry.total_timeout
        waited = time.monotonic() - self._began
        if self._lost < self._retry.max_attempts and (most is None or waited + seconds < most):
            return seconds
        message = (
            f"other writers changed the file during all {self._lost} attempts, so it was not updated; "
            "try again, or raise max_attempts or total_timeout of retry"
        )
        error = PreconditionFailed(message, path=self._path, backend=conflict.backend, retryable=True)
        raise error from conflict


def kept(info: FileInfo, capabilities: frozenset[Capability]) -> dict[str, object]:
    """The attributes of a file that an update writes again, because a write replaces all of them.

    Args:
        info: The file.
        capabilities: The capabilities of the backend.
    """
    found: dict[str, object] = {}
    if Capability.USER_METADATA in capabilities:
        found = {"metadata": info.metadata, "content_type": info.content_type}
    headers = ("cache_control", "content_disposition", "content_encoding", "expires")
    for name in (*headers, "storage_class"):
        if NEEDS[name] in capabilities:
            found[name] = getattr(info, name)
    return {name: value for name, value in found.items() if value is not None}


def lost(path: str, backend: str) -> BackendUnavailable:
    """The error of an update whose last response was lost, so that another writer may have written the same bytes."""
    message = (
        "the response to the write was lost; the file has the new content, but another writer may have written the "
        "same, so the update may be missing; check the file before you call again"
    )
    return BackendUnavailable(message, path=path, backend=backend)


def called(function: Update, content: bytes) -> Buffer:
    """The new content, from the caller's function.

    Raises:
        TypeError: It is not bytes.
    """
    return _checked(function(content))


async def async_called(function: AsyncUpdate, content: bytes) -> Buffer:
    """The same for a function that may be a coroutine function."""
    made = function(content)
    return _checked(await made if inspect.isawaitable(made) else made)


def _checked(made: object) -> Buffer:
    if isinstance(made, bytes | bytearray | memoryview):
        return made
    if inspect.iscoroutine(made):
        made.close()
    raise TypeError(f"the function must return bytes, not {type(made).__name__}")


def pause(seconds: float) -> None:
    """Wait between two attempts."""
    time.sleep(seconds)


async def async_pause(seconds: float) -> None:
    """The same for a coroutine."""
    await asyncio.sleep(seconds)
