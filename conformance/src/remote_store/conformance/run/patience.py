"""Decides when to skip the rest of a class: a first check fails, checks hang, or the harness or the storage fails."""

from __future__ import annotations

from collections import Counter
from typing import Any

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.checking.expect import CheckHung
from remote_store.conformance.processes.exits import contained
from remote_store.conformance.processes.watchdog import Hung
from remote_store.conformance.values.outcome import HarnessFailed, Outcome
from remote_store.conformance.values.redaction import escaped, redacted
from remote_store.core import BackendUnavailable

MOST = 10
"""This many checks may end with an error of the harness, or in a row because the storage is unavailable."""
MOST_HUNG = 3
SECONDS = 30.0


class Patience:
    """Counts failures by class, and skips the rest of a class after too many."""

    def __init__(self) -> None:
        self._count: Counter[tuple[str, str]] = Counter()
        self._failed: dict[str, list[str]] = {}
        self._over: dict[str, str] = {}

    def over(self, name: str, *, is_first: bool = False) -> str:
        """Why the next check of a class is skipped; empty if it runs.

        Args:
            name: The class.
            is_first: It is one of the checks that run before all others.
        """
        if failed := self._failed.get(name) if not is_first else None:
            told = ", ".join(failed)
            self._over.setdefault(
                name,
                f"{'a first check' if len(failed) == 1 else f'{len(failed)} of the first checks'} failed ({told}), and "
                "the others rely on it; mend it first, or run all checks with --keep-going",
            )
        return escaped(self._over.get(name, ""))

    def note_first(self, name: str, check: str) -> None:
        """Note that one of the first checks of a class failed."""
        self._failed.setdefault(name, []).append(check)

    def note(self, name: str, case: object, error: BaseException | None, outcome: Outcome = Outcome.PASS) -> str:
        """Count the result of a check. If the check failed, ask the harness whether the storage can be reached.

        Args:
            name: The class.
            case: The case of the check, if it was created.
            error: The exception that ended the check, if any.
            outcome: How the check ended.

        Returns:
            Why the storage can no longer be reached, so the check says nothing about the backend; empty otherwise.
        """
        if isinstance(error, CheckHung):
            # Each hanging check leaves a thread behind.
            self._add(name, "hung", MOST_HUNG, f"{MOST_HUNG} earlier checks hang")
        if isinstance(error, HarnessFailed) or outcome is Outcome.ERROR:
            self._add(name, "error", MOST, f"the harness failed in {MOST} checks, at last with: {error}")
        if isinstance(error, BackendUnavailable) or isinstance(getattr(error, "__cause__", None), BackendUnavailable):
            self._add(name, "unavailable", MOST, f"the storage was unavailable in {MOST} checks in a row")
        elif error is None or isinstance(error, Exception):
            self._count[name, "unavailable"] = 0
        if not isinstance(error, Exception | HarnessFailed) or not isinstance(case, AnyCase):
            return ""
        if trouble := trouble_of(case):
            self._over[name] = trouble
        return trouble

    def _add(self, name: str, kind: str, most: int, reason: str) -> None:
        self._count[name, kind] += 1
        if self._count[name, kind] >= most:
            self._over.setdefault(name, reason)


def trouble_of(case: AnyCase[Any]) -> str:
    """Why the storage of a case can no longer be reached, as its harness says; empty if it can."""
    try:
        return redacted(contained(case.harness.trouble, min(SECONDS, case.timeout)), case.profile.secrets)
    except Hung as hung:
        return f"trouble() of the harness hangs: {hung}"
    except Exception:  # noqa: BLE001 - it is the author's code
        return ""
