"""How a check can end: the seven outcomes, the exceptions that end a check early, and the record of a check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from _pytest.outcomes import Skipped, XFailed

    from remote_store.conformance.values.deviation import Deviation
    from remote_store.core import Capability
else:
    Skipped, XFailed = pytest.skip.Exception, pytest.xfail.Exception


# Exceptions with which pytest ends a test. None is an `Exception`, and a backend must not raise them.
SIGNALS: tuple[type[BaseException], ...] = (pytest.skip.Exception, pytest.fail.Exception)
RAISED: tuple[type[BaseException], ...] = (Exception, *SIGNALS)


class Outcome(StrEnum):
    """The result of a check or a rule. If the checks of a rule differ, the outcome listed first here counts."""

    FAIL = "fail"
    """The backend broke the rule."""
    ERROR = "error"
    """The harness failed, so the check says nothing about the backend."""
    DEVIATION = "deviation"
    """It failed exactly as its deviation declares."""
    NOT_RUN = "not-run"
    """It was skipped or deselected."""
    PASS = "pass"  # noqa: S105 - an outcome, not a password
    """The rule holds."""
    UNTESTED = "untested"
    """No check exists, or the harness lacks the means to run it."""
    NOT_APPLICABLE = "not-applicable"
    """The backend does not promise this."""


class NotApplicable(Skipped):
    """Ends a check because its rule does not apply to the backend.

    Attributes:
        lacks: The undeclared capability, if that is the reason.
    """

    def __init__(self, reason: str, lacks: Capability | None = None) -> None:
        super().__init__(f"not applicable: {reason}")
        self.lacks = lacks


class Untested(Skipped):
    """Ends a check because the harness lacks the means to run it.

    Args:
        reason: What is lacking.
        remedy: What the author can do; empty if nothing.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(f"untested: {reason}" + (f"; to run it, {remedy}" if remedy else ""))


class Withheld(Untested):
    """Ends a check before a call that could do harm on this storage. The check may run on another storage."""


class Blocked(Skipped):
    """Ends a check before it calls a method that hung in an earlier check. The check counts as not run."""


class KnownDeviation(XFailed):
    """Ends a check that failed exactly as its deviation says.

    Attributes:
        deviation: That deviation.
    """

    def __init__(self, deviation: Deviation) -> None:
        super().__init__(f"deviation: {deviation.reason}")
        self.deviation = deviation


class ExcusedFailure(XFailed):
    """Ends a failed check of which no rule is required. The failure is shown but does not change the verdict."""


class HarnessFailed(BaseException):
    """The author's harness raised an exception, which is the cause.

    Not an `Exception`, so that a check which expects an error of the backend does not catch it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One check that ran or was skipped.

    Attributes:
        check: Name of the check.
        variant: Its parameters.
        rules: Ids of the rules that it checks.
        outcome: How it ended.
        reason: The full explanation; empty if it passed.
        seconds: Duration.
        requests: Number of requests that reached the endpoint; `None` without an endpoint.
        sent: Number of bytes in these requests; `None` without an endpoint.
        retries: How often it was repeated, as `Profile.attempts` allows.
        waited: Seconds that it waited for `Profile.settles_within`.
        seed: Seed of its random bytes.
        node: Its node id in pytest.
        lacks: Name of the undeclared capability because of which it does not apply; empty otherwise.
        under_claimed: Name of a capability that works although it is not declared.
        left: The folder that could not be removed; empty otherwise.
        hung: It exceeded its time limit.
        deviation: Reason, link and expiry of the deviation it failed as; `None` otherwise.
    """

    check: str
    variant: str = ""
    rules: tuple[str, ...]
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    requests: int | None = None
    sent: int | None = None
    retries: int = 0
    waited: float = 0.0
    seed: str = ""
    node: str = ""
    lacks: str = ""
    under_claimed: str = ""
    left: str = ""
    hung: bool = False
    deviation: Mapping[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The record as data that JSON can hold."""
        return {**asdict(self), "rules": list(self.rules), "outcome": self.outcome.value}

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record from the data of `as_dict`."""
        return cls(**{**data, "rules": tuple(data["rules"]), "outcome": Outcome(data["outcome"])})


def fold(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that comes first in `Outcome`; untested if there are none."""
    order = list(Outcome)
    return min(outcomes, key=order.index, default=Outcome.UNTESTED)
