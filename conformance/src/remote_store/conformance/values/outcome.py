"""How a check can end: the seven outcomes, the signals that end a check early, and a record of each check that ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from _pytest.outcomes import Skipped, XFailed

    from remote_store.conformance.harness import Deviation
    from remote_store.core import Capability
else:
    Skipped, XFailed = pytest.skip.Exception, pytest.xfail.Exception


# What ends a check for pytest; none is an `Exception`, and no backend has any business with them.
SIGNALS: tuple[type[BaseException], ...] = (pytest.skip.Exception, pytest.fail.Exception)
RAISED: tuple[type[BaseException], ...] = (Exception, *SIGNALS)


class Outcome(StrEnum):
    """How a check or a rule came out, in the order in which one outweighs the next where a rule has several."""

    FAIL = "fail"
    """The backend broke the rule."""
    ERROR = "error"
    """The harness failed, so nothing can be said of the backend."""
    DEVIATION = "deviation"
    """It does not hold, exactly as it was declared."""
    NOT_RUN = "not-run"
    """Somebody chose not to run it."""
    PASS = "pass"  # noqa: S105 - an outcome, no password
    """It holds."""
    UNTESTED = "untested"
    """No check exists for it, or the harness has no means to find out."""
    NOT_APPLICABLE = "not-applicable"
    """The backend makes no such promise."""


class NotApplicable(Skipped):
    """Ends a check, because the backend makes no such promise.

    Attributes:
        lacks: The capability that it does not declare, where it is for that.
    """

    def __init__(self, reason: str, lacks: Capability | None = None) -> None:
        super().__init__(f"not applicable: {reason}")
        self.lacks = lacks


class Untested(Skipped):
    """Ends a check, because the harness offers no way to find out."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"untested: {reason}")


class Withheld(Untested):
    """Ends a check before a call that could do harm on this storage; it may be run on another."""


class KnownDeviation(XFailed):
    """Ends a check that failed exactly as its deviation says.

    Attributes:
        deviation: That deviation.
    """

    def __init__(self, deviation: Deviation) -> None:
        super().__init__(f"deviation: {deviation.reason}")
        self.deviation = deviation


class ProvisionalFailure(XFailed):
    """Ends a check that failed and whose rules are all provisional: a failure that is shown and turns nothing red."""


class HarnessFailed(BaseException):
    """What the author wrote around the backend raised; its exception is the cause.

    It is no `Exception`, so that a check that waits for an error of the backend does not take it for one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One check that ran, or was to run.

    Attributes:
        check: Name of the check.
        variant: Its parameters.
        rules: Ids of the rules that it is about.
        outcome: How it ended.
        reason: Why, in full; empty where it passed.
        seconds: How long it took.
        requests: How many requests reached the endpoint in front of the server; `None` without an endpoint.
        sent: How many bytes those requests carried.
        retries: How often it was tried again, which only a profile can allow.
        waited: Seconds that it waited for the storage to settle, which only a profile can ask for.
        seed: What its random bytes were made from.
        node: Its node id in pytest.
        lacks: Name of the capability for want of which it does not apply.
        under_claimed: Name of a capability that works though it is not declared.
        left: The namespace that could not be removed.
        hung: It did not end in its time.
        deviation: Reason, link and expiry of the deviation that it showed.
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
        """Everything as plain data that travels between processes."""
        return {**asdict(self), "rules": list(self.rules), "outcome": self.outcome.value}

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Self:
        """The record of `as_dict`."""
        return cls(**{**data, "rules": tuple(data["rules"]), "outcome": Outcome(data["outcome"])})


def fold(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that outweighs the others; untested where there is none."""
    order = list(Outcome)
    return min(outcomes, key=order.index, default=Outcome.UNTESTED)
