"""Exceptions of a caller, which a backend must raise unchanged."""

from __future__ import annotations

from collections.abc import Callable

from remote_store.core import BackendUnavailable, NotFound


class Boom(Exception):
    """An exception class that only the caller knows."""


class Stop(BaseException):
    """An exception that is not an `Exception`, like KeyboardInterrupt."""


CALLERS_ERRORS: dict[str, Callable[[], BaseException]] = {
    "own": lambda: Boom("mine"),
    "os_error": lambda: OSError(5, "mine"),
    "another_store": lambda: NotFound("mine", path="their/path", backend="another"),
    "unavailable": lambda: BackendUnavailable("mine", path="their/path", retryable=True),
    "no_exception": lambda: Stop("mine"),
}
