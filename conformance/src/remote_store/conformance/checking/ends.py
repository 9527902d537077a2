"""Two ways in which a check ends because it cannot say anything about the backend."""

from __future__ import annotations

from typing import NoReturn

from remote_store.conformance.checking.remedies import remedy_of
from remote_store.conformance.values.outcome import NotApplicable, Untested
from remote_store.core import Capability
from remote_store.core.home import public


@public("remote_store.conformance")
def not_applicable(reason: str, lacks: Capability | None = None) -> NoReturn:
    """End the check because the rule does not apply to the backend."""
    raise NotApplicable(reason, lacks)


@public("remote_store.conformance")
def untested(reason: str) -> NoReturn:
    """End the check as untested because the harness lacks the means to run it."""
    raise Untested(reason, remedy_of(reason))
