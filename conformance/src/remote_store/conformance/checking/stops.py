"""The methods of a backend that hung or ended the process in an earlier check, so that no other check calls them."""

from __future__ import annotations

from remote_store.conformance.values.outcome import Blocked

LATER, LEAST_SECONDS = 1 / 3, 10.0
"""The share of its time limit that a check has once another has hung, and the seconds that it always has."""


class Stops:
    """What stopped checks so far, shared by the checks of one class."""

    def __init__(self) -> None:
        self._methods: dict[str, str] = {}
        self._hung = False

    def hung(self, method: str, check: str) -> None:
        """Note that a check exceeded its time limit.

        Args:
            method: The method that did not return; empty if it is unknown.
            check: The check.
        """
        self._hung = True
        self._methods.setdefault(method, f"did not return in {check}")

    def exited(self, method: str, check: str) -> None:
        """Note that a method called for the end of the process."""
        self._methods.setdefault(method, f"called for the end of the process in {check}")

    def refuse(self, method: str) -> None:
        """End the check before it calls such a method.

        Raises:
            Blocked: The method stopped an earlier check.
        """
        if method in self._methods:
            raise Blocked(f"`{method}` {self._methods[method]}, so no other check calls it")

    def limit(self, seconds: float) -> float:
        """The time limit of the next check, given the one of the first."""
        return min(seconds, max(LEAST_SECONDS, seconds * LATER)) if self._hung else seconds
