"""Groups the failed checks of a report by their probable cause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Mapping[str, Any]

CALLS = re.compile(r"\n  calls:(?P<lines>(?:\n    .*)*)")
EARLIER = re.compile(r"    \.\.\. (?P<count>[\d,]+) earlier calls")
METHOD = re.compile(r"(?P<method>\w+)\(")
RAISED = re.compile(r" raised (?P<error>(?P<kind>[\w.]+)(?:: .*)?)$")
# What differs from check to check: the folder of the check, what an error says about the path, and numbers.
VARYING = re.compile(r"'?conformance-[0-9a-f]{16}[^\s,)\]]*'?| \[[^\]]*\]$|0x[0-9a-f]+|\d+")


@dataclass(frozen=True, slots=True)
class BrokenRules:
    """Failed checks of the same rules.

    Attributes:
        rules: Ids of the rules.
        checks: The failed checks, the one with the fewest calls first.
    """

    rules: tuple[str, ...]
    checks: list[Check] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures that probably have one cause.

    Attributes:
        outcome: `fail` or `error`.
        text: The cause: an exception, or the method whose call came last.
        broken: The broken rules, the simplest first: the one that fails after the fewest calls, and of those the one
            about the method that was called last.
    """

    outcome: str
    text: str
    broken: list[BrokenRules]


def causes_of(report: Mapping[str, Any]) -> list[Cause]:
    """The causes of all failures: those of the backend before those of the harness, then in the order of the run."""
    rules_of = {entry["id"]: entry for entry in report["rules"]}
    order = {identifier: number for number, identifier in enumerate(rules_of)}

    def simplicity(entry: BrokenRules) -> tuple[int, bool, int]:
        first = entry.rules[0]
        return calls_of(entry.checks[0]), method_of(entry.checks[0]) not in rules_of[first]["text"], order[first]

    found: dict[tuple[str, str], dict[tuple[str, ...], BrokenRules]] = {}
    for check in sorted(report["checks"], key=calls_of):
        if check["outcome"] in ("fail", "error"):
            rules = tuple(check["rules"])
            same = found.setdefault((check["outcome"], cause_of(check)), {})
            same.setdefault(rules, BrokenRules(rules)).checks.append(check)
    causes = [Cause(outcome, text, sorted(same.values(), key=simplicity)) for (outcome, text), same in found.items()]
    place = {id(check): number for number, check in enumerate(report["checks"])}
    causes.sort(key=lambda cause: (cause.outcome == "error", place[id(cause.broken[0].checks[0])]))
    return causes


def cause_of(check: Check) -> str:
    """The probable cause of a failed check.

    This is the exception of the last call, if the check failed because of it. Otherwise it is the last call's method,
    whose result was probably wrong.
    """
    reason, calls = check["reason"], _calls(check)
    raised = RAISED.search(calls[-1]) if calls else None
    if raised is not None and raised["kind"] in reason.partition("\n  calls:")[0]:
        return VARYING.sub("…", raised["error"])
    method = method_of(check)
    if method:
        return f"an unexpected result; the last call was {method}"
    return VARYING.sub("…", reason.partition("\n")[0])


def method_of(check: Check) -> str:
    """The method of the last call; empty if there was no call."""
    calls = _calls(check)
    found = METHOD.search(calls[-1]) if calls else None
    return found["method"] if found else ""


def calls_of(check: Check) -> int:
    """How many calls a failed check made."""
    calls = _calls(check)
    earlier = EARLIER.match(calls[0]) if calls else None
    return len(calls) if earlier is None else len(calls) - 1 + int(earlier["count"].replace(",", ""))


def _calls(check: Check) -> list[str]:
    found = CALLS.search(check["reason"])
    return found["lines"].split("\n")[1:] if found else []
