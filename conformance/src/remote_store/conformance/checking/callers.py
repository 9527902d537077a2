"""Exceptions of a caller, which a backend must raise unchanged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from types import TracebackType
from typing import Self

import pytest

from remote_store.core import BackendUnavailable, NotFound


class Boom(Exception):
    """An exception class that only the caller knows."""


class Stop(BaseException):
    """An exception that is not an `Exception`, like KeyboardInterrupt."""


class Caught:
    """Catches the exception of a block, whatever it is. What ends the check, such as a skip, passes.

    Attributes:
        error: The exception; `None` if the block raised none.
    """

    error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        self.error = error
        return not isinstance(error, pytest.skip.Exception)


def _unavailable() -> BackendUnavailable:
    return BackendUnavailable("mine", path="their/path", retryable=True)


CALLERS_ERRORS: dict[str, Callable[[], BaseException]] = {
    "own": lambda: Boom("mine"),
    "os_error": lambda: OSError(5, "mine"),
    "another_store": lambda: NotFound("mine", path="their/path", backend="another"),
    "unavailable": _unavailable,
    "no_exception": lambda: Stop("mine"),
}

# Exceptions that a backend may take for one of its own, or for the end of the stream.
MORE_ERRORS: dict[str, Callable[[], Exception]] = {
    "unavailable": _unavailable,
    "EOFError": lambda: EOFError("mine"),
    "KeyError": lambda: KeyError("mine"),
    "IndexError": lambda: IndexError("mine"),
    "ValueError": lambda: ValueError("mine"),
    "TypeError": lambda: TypeError("mine"),
    "AttributeError": lambda: AttributeError("mine"),
    "FileNotFoundError": lambda: FileNotFoundError(2, "mine", "their-file"),
    "FileExistsError": lambda: FileExistsError(17, "mine", "their-file"),
    "PermissionError": lambda: PermissionError(13, "mine"),
    "TimeoutError": lambda: TimeoutError("mine"),
    "ConnectionResetError": lambda: ConnectionResetError(104, "mine"),
    "BrokenPipeError": lambda: BrokenPipeError(32, "mine"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "mine"),
    "MemoryError": lambda: MemoryError("mine"),
    "OperationalError": lambda: sqlite3.OperationalError("mine"),
    "RuntimeError": lambda: RuntimeError("mine"),
    "NotImplementedError": lambda: NotImplementedError("mine"),
}
