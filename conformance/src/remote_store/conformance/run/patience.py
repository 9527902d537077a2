"""Decides when to skip the rest of a class: checks hang, no backend can be made, or the storage is unavailable."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.checking.expect import CheckHung
from remote_store.conformance.processes.watchdog import bounded
from remote_store.conformance.values.outcome import HarnessFailed
from remote_store.conformance.values.redaction import escaped, redacted
from remote_store.core import BackendUnavailable

MOST = 10
MOST_IN_QUICK = 3
SECONDS = 60.0


class Patience:
    """Counts failures by class, and skips the rest of a class after too many.

    Args:
        tier: The tier. Smoke and quick give up after fewer hanging checks.
    """

    def __init__(self, tier: str = "full") -> None:
        self._most_hung = MOST if tier in ("full", "soak") else MOST_IN_QUICK
        self._hung: Counter[str] = Counter()
        self._running: Counter[tuple[str, str]] = Counter()
        self._over: dict[str, str] = {}

    def over(self, name: str) -> str:
        """Why the next check of a class is skipped; empty if it runs."""
        return escaped(self._over.get(name, ""))

    def note(self, name: str, case: object, error: BaseException | None) -> str:
        """Count the result of a check. If the check failed, ask the harness whether the storage can be reached.

        Args:
            name: The class.
            case: The case of the check, if it was created.
            error: The exception that ended the check, if any.

        Returns:
            Why the storage can no longer be reached, so the check says nothing about the backend; empty otherwise.
        """
        if isinstance(error, CheckHung):
            # Each hanging check leaves a thread behind.
            self._hung[name] += 1
            if self._hung[name] >= self._most_hung:
                self._over.setdefault(name, f"{self._most_hung} earlier checks hang, so it was skipped")
        unmade = isinstance(error, HarnessFailed)
        unavailable = isinstance(error, BackendUnavailable) or isinstance(
            getattr(error, "__cause__", None), BackendUnavailable
        )
        for kind, shows, reason in (
            ("unmade", unmade, f"the harness failed in {MOST} checks in a row: {error}"),
            ("unavailable", unavailable, f"the storage was unavailable in {MOST} checks in a row"),
        ):
            if shows:
                self._running[name, kind] += 1
                self._give_up(name, self._running[name, kind], reason)
            elif error is None or isinstance(error, Exception):
                self._running[name, kind] = 0
        if not isinstance(error, Exception | HarnessFailed) or not isinstance(case, AnyCase):
            return ""
        if trouble := _trouble(case):
            self._over[name] = f"{trouble}; it was skipped"
        return trouble

    def _give_up(self, name: str, count: int, reason: str) -> None:
        if count >= MOST:
            self._over.setdefault(name, f"{reason}, so it was skipped")


def _trouble(case: AnyCase[Any]) -> str:
    # The author's code may raise or hang.
    with suppress(Exception):
        return redacted(bounded(case.harness.trouble, SECONDS), case.profile.secrets)
    return ""
