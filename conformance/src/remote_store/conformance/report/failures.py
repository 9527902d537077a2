"""The failures of a run as lines of text: each cause once, with the simplest check that shows it."""

from __future__ import annotations

from collections.abc import Iterator

from remote_store.conformance.report.causes import Cause, Check, causes_of
from remote_store.conformance.report.report import report_of
from remote_store.conformance.run.run import Run

SHOWN_CAUSES = 10
SHOWN_RULES = 12


def failures(run: Run) -> Iterator[str]:
    """The failures, grouped by their probable cause, each with one check in full."""
    causes = causes_of(report_of(run))
    for cause in causes[:SHOWN_CAUSES]:
        yield from _told(cause)
    if len(causes) > SHOWN_CAUSES:
        yield f"... and {len(causes) - SHOWN_CAUSES:,} more causes; see the report\n"


def _told(cause: Cause) -> Iterator[str]:
    simplest, *others = cause.broken
    first = simplest.checks[0]
    yield f"{cause.outcome.upper()} {' '.join(simplest.rules)}  {_name(first)}"
    yield from (f"  {line}" for line in first["reason"].splitlines())
    more = len(simplest.checks) - 1
    if more:
        yield f"  and {more:,} more {'check' if more == 1 else 'checks'} of {' '.join(simplest.rules)}"
    rules = dict.fromkeys(name for entry in others for name in entry.rules if name not in simplest.rules)
    if rules:
        verb = "failed at" if cause.outcome == "error" else "also broke"
        named = ", ".join([*rules][:SHOWN_RULES]) + (", ..." if len(rules) > SHOWN_RULES else "")
        yield f"  probably the same cause {verb} {len(rules):,} more {'rule' if len(rules) == 1 else 'rules'}: {named}"
    yield ""


def _name(check: Check) -> str:
    return f"{check['check']}[{check['variant']}]" if check["variant"] else str(check["check"])
