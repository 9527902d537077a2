"""The time that one operation may take, however many calls, retries and pauses it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from remote_store.core.errors import BackendUnavailable

TOTAL = "raise total_timeout, or try again"
HEALTH = "the service did not answer; check endpoint_url, network and timeouts, then try again"
HEALTH_SECONDS = 9.0
"""Seconds within which `check_health` answers."""


class Allowance:
    """Counts the time that the calls of one operation take, and not the time between them.

    Args:
        seconds: The time that they may take together.
        advice: What to do when it is used up.

    Attributes:
        error: The error that `check` raised, by which the operation is known to be given up.
        abandoned: Whether a thread continues a call that is not waited for.
    """

    __slots__ = ("_advice", "_seconds", "_spent", "_until", "abandoned", "error")

    def __init__(self, seconds: float, advice: str = TOTAL) -> None:
        self._seconds = seconds
        self._advice = advice
        self._spent = 0.0
        self._until = 0.0
        self.error: BackendUnavailable | None = None
        self.abandoned = False

    @contextmanager
    def counted(self) -> Iterator[float]:
        """Count the time that the block takes, and yield how many seconds are left.

        Raises:
            BackendUnavailable: None are left.
        """
        left = self._seconds - self._spent
        if left <= 0:
            raise self.exceeded()
        began = monotonic()
        self._until = began + left
        try:
            yield left
        finally:
            self._spent += monotonic() - began

    def check(self) -> None:
        """Raise if no time is left. Can be called from another thread than that of `counted`.

        Raises:
            BackendUnavailable: No time is left.
        """
        if monotonic() >= self._until:
            self.error = self.exceeded()
            raise self.error

    def stop(self) -> None:
        """Leave no time for a call that another thread continues."""
        self.abandoned = True
        self._until = 0.0
        self._spent = max(self._spent, self._seconds)

    def exceeded(self) -> BackendUnavailable:
        """The error of an operation that has used up its time."""
        message = f"the operation did not end within {self._seconds:g} s and was given up; {self._advice}"
        return BackendUnavailable(message, retryable=True)


def allowance_of(seconds: float | None) -> Allowance | None:
    """The allowance of a new operation; `None` if it may take any time."""
    return None if seconds is None else Allowance(seconds)


def health_allowance(seconds: float | None) -> Allowance:
    """The allowance of a health check."""
    return Allowance(HEALTH_SECONDS, HEALTH) if seconds is None or seconds > HEALTH_SECONDS else Allowance(seconds)
