"""When the rest of a class is not tried: checks hang, no backend can be made, or the storage is gone."""

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
    """What has gone wrong so far, by class.

    Args:
        tier: How much is run; the quick tier waits for fewer checks that hang.
    """

    def __init__(self, tier: str = "full") -> None:
        self._most_hung = MOST if tier in ("full", "soak") else MOST_IN_QUICK
        self._hung: Counter[str] = Counter()
        self._running: Counter[tuple[str, str]] = Counter()
        self._over: dict[str, str] = {}

    def over(self, name: str) -> str:
        """Why the next check of a class is not tried; empty where it is."""
        return escaped(self._over.get(name, ""))

    def note(self, name: str, case: object, error: BaseException | None) -> str:
        """Take the end of a check, and ask the harness about its storage where the check failed.

        Args:
            name: The class.
            case: The case of the check, where it got as far as to have one.
            error: What the check ended with.

        Returns:
            Why the check says nothing of the backend, because the storage is gone; empty otherwise.
        """
        if isinstance(error, CheckHung):
            # Each leaves a thread behind.
            self._hung[name] += 1
            if self._hung[name] >= self._most_hung:
                self._over.setdefault(name, f"{self._most_hung} checks hang before it, so it is not tried")
        unmade = isinstance(error, HarnessFailed)
        unavailable = isinstance(error, BackendUnavailable) or isinstance(
            getattr(error, "__cause__", None), BackendUnavailable
        )
        for kind, shows, told in (
            ("unmade", unmade, f"the harness failed in {MOST} checks running before it: {error}"),
            ("unavailable", unavailable, f"the storage was unavailable in {MOST} checks running before it"),
        ):
            if shows:
                self._running[name, kind] += 1
                self._give_up(name, self._running[name, kind], told)
            elif error is None or isinstance(error, Exception):
                self._running[name, kind] = 0
        if not isinstance(error, Exception | HarnessFailed) or not isinstance(case, AnyCase):
            return ""
        if trouble := _trouble(case):
            self._over[name] = f"{trouble}; it is not tried"
        return trouble

    def _give_up(self, name: str, count: int, told: str) -> None:
        if count >= MOST:
            self._over.setdefault(name, f"{told}, so it is not tried")


def _trouble(case: AnyCase[Any]) -> str:
    # What an author wrote may raise or hang.
    with suppress(Exception):
        return redacted(bounded(case.harness.trouble, SECONDS), case.profile.secrets)
    return ""
