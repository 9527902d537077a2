"""A rule that a backend is known to break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from remote_store.core.home import public

Raised: TypeAlias = type[BaseException] | str


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A rule that the backend is known to break, and how its checks fail.

    A check that passes, or that fails with another exception, then counts as failed.

    Attributes:
        reason: Why the rule does not hold.
        raises: The exception class that the check raises, or that is the `__cause__` of its failure. A text is the
            dotted name of a class, which is imported when a check runs.
        link: URL of an issue or of further explanation.
        expires: The first day, such as `2027-06-30`, or the first version of the contract, such as `0.3`, for which the
            deviation no longer counts; empty for never.
        checks: Names of the checks it applies to, as shell patterns; all checks of the rule by default.
        variants: Ids of the check's parameters it applies to, as shell patterns; all of them by default.
        sometimes: The check fails in some runs only, as in a race, so a check that passes is not a failure.
        place: Where it is declared, for messages.
    """

    reason: str
    raises: Raised | tuple[Raised, ...] = AssertionError
    link: str = ""
    expires: str = ""
    checks: tuple[str, ...] = ("*",)
    variants: tuple[str, ...] = ("*",)
    sometimes: bool = False
    place: str = ""
