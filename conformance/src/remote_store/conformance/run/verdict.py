"""Computes the verdict of a run from its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from remote_store.conformance.contract.rulebook import Rule, out_of_scope
from remote_store.conformance.values.outcome import Outcome, Record, fold

CORE = ("READ", "WRITE", "DELETE", "LIST")
PARTS = ("PATH", "ERR", "READ", "WRITE", "LIST", "DEL", "LIFE", "MODEL")
"""The areas without which a verdict is partial. They bind every backend."""
MOST_NAMED = 40
EXECUTED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.DEVIATION})


class Grade(StrEnum):
    """How well a backend keeps the contract."""

    FAILING = "failing"
    """A required rule is broken."""
    PARTIAL = "partial"
    """No rule is known to be broken, but not everything that counts was tested."""
    CORE = "core"
    """Every rule of the core holds. No rule of a further capability passed."""
    CORE_AND_CAPABILITIES = "core + capabilities"
    """Every rule of the core and of the named capabilities holds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of the suite that did not run, and why.

    Attributes:
        cause: Why they did not run, as the end of a sentence that begins with "they were".
        checks: Number of missing variants, by check.
    """

    cause: str
    checks: Mapping[str, int]

    def __str__(self) -> str:
        count = sum(self.checks.values())
        named = ", ".join(list(self.checks)[:3]) + (", ..." if len(self.checks) > 3 else "")
        return f"{_count(count, 'check was', 'checks were')} {self.cause} ({named})"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule.

    Attributes:
        rule: The rule.
        outcome: The first outcome of its checks in the order of `Outcome`.
        counts: Number of checks, with their variants, per outcome.
        reason: Why it has this outcome; empty if it passed.
        records: The records of its checks.
    """

    rule: Rule
    outcome: Outcome
    counts: Mapping[Outcome, int]
    reason: str
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict.

    Attributes:
        grade: How well the backend keeps the contract.
        capabilities: Names of the capabilities beyond the core whose rules hold.
        reasons: Why it is failing or partial.
        remarks: Further facts, such as deviations and untested rules.
    """

    grade: Grade
    capabilities: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        if self.grade is Grade.CORE_AND_CAPABILITIES:
            return f"core + {', '.join(name.lower() for name in self.capabilities)}"
        return self.grade.value


def results(
    rules: Iterable[Rule], checked: Iterable[str], records: Iterable[Record], missing: Mapping[str, int], kind: str
) -> tuple[RuleResult, ...]:
    """The result of every rule.

    Args:
        rules: Every rule of the catalogue.
        checked: Ids of the rules that the suite has a check for.
        records: The records of the checks.
        missing: Number of variants without a record, by the id of the rule.
        kind: The kind of storage. A rule that does not bind it does not apply.
    """
    by_rule: dict[str, list[Record]] = {}
    for record in records:
        for identifier in record.rules:
            by_rule.setdefault(identifier, []).append(record)
    known = set(checked)
    return tuple(
        _result(rule, rule.id in known, by_rule.get(rule.id, []), missing.get(rule.id, 0))
        if rule.binds(kind)
        else RuleResult(rule, Outcome.NOT_APPLICABLE, {}, out_of_scope(rule))
        for rule in rules
    )


def _result(rule: Rule, checked: bool, records: list[Record], missing: int) -> RuleResult:
    if rule.untested:
        return RuleResult(rule, Outcome.UNTESTED, {}, rule.untested)
    if not checked:
        return RuleResult(rule, Outcome.NOT_APPLICABLE, {}, "it applies to the other kind of backend (sync or async)")
    counts = Counter(record.outcome for record in records)
    if missing:
        counts[Outcome.NOT_RUN] += missing
    outcome = fold(counts)
    reason = next((record.reason for record in records if record.outcome is outcome), "")
    if outcome is Outcome.NOT_RUN and not reason:
        reason = f"{missing:,} of its {missing + len(records):,} checks did not run"
    return RuleResult(rule, outcome, counts, reason, tuple(records))


def judge(found: Iterable[RuleResult], declared: Iterable[str], gaps: Iterable[Gap]) -> Verdict:
    """Compute the verdict from the results of the rules.

    Args:
        found: The result of every rule.
        declared: Names of the capabilities that the live backend declares.
        gaps: The parts of the suite that did not run.
    """
    entries, capabilities = list(found), list(declared)
    failed = [entry for entry in entries if entry.outcome is Outcome.FAIL and entry.rule.is_required]
    reasons = [f"{_count(len(failed), 'rule is', 'rules are')} broken: {_named(failed)}"] if failed else []
    gaps_found = [*map(str, gaps), *_holes(entries, capabilities)]
    more = tuple(sorted(set(capabilities) - set(CORE)))
    held = tuple(name for name in more if _holds(entries, name))
    remarks = tuple(_remarks(entries, [name for name in more if name not in held and _ran(entries, name)]))
    if failed:
        return Verdict(Grade.FAILING, reasons=(*reasons, *gaps_found), remarks=remarks)
    if gaps_found:
        return Verdict(Grade.PARTIAL, reasons=tuple(gaps_found), remarks=remarks)
    if held:
        return Verdict(Grade.CORE_AND_CAPABILITIES, held, remarks=remarks)
    return Verdict(Grade.CORE, remarks=remarks)


def nothing_ran(found: Iterable[RuleResult]) -> bool:
    """Whether no check passed, failed or deviated, so that the run says nothing about the backend."""
    return not any(EXECUTED & entry.counts.keys() for entry in found)


def _holes(entries: list[RuleResult], declared: list[str]) -> Iterable[str]:
    """Reasons why the core or a declared capability was not fully tested."""
    lacking = [name for name in CORE if name not in declared]
    if lacking and any(entry.records for entry in entries):
        yield f"the core needs {', '.join(CORE)}, and the backend does not declare {', '.join(lacking)}"
    elif unproven := [
        name for name in CORE if _of(entries, name) and _ran(entries, name) and not _holds(entries, name)
    ]:
        yield f"no rule of {', '.join(unproven)} passed; the core requires at least one of each"
    for part in PARTS:
        own = [entry for entry in entries if entry.rule.id.startswith(f"{part}-")]
        lacking_part = [entry for entry in own if entry.outcome is Outcome.UNTESTED and not entry.rule.untested]
        if lacking_part and not any(EXECUTED & entry.counts.keys() for entry in own):
            yield f"no rule of {part} was tested: {lacking_part[0].reason.partition(chr(10))[0]}"
    if errors := [entry for entry in entries if entry.outcome is Outcome.ERROR]:
        yield f"the harness failed at {_count(len(errors), 'rule', 'rules')}: {_named(errors)}"
    odd = [entry for entry in entries if any(record.lacks in declared for record in entry.records if record.lacks)]
    if odd:
        yield f"a capability is declared on one instance and not on another: {_named(odd)}"
    yield from _skipped(entries)


def _skipped(entries: list[RuleResult]) -> Iterable[str]:
    """One line per reason why checks were skipped, with their names unless they are too many."""
    reasons: dict[str, dict[tuple[str, str], None]] = {}
    for entry in entries:
        for record in entry.records:
            if record.outcome is Outcome.NOT_RUN:
                reasons.setdefault(record.reason, {})[record.check, record.variant] = None
    for reason, checks in reasons.items():
        names = dict.fromkeys(check for check, _ in checks)
        named = f" ({', '.join(names)})" if len(names) <= MOST_NAMED else ""
        yield f"{_count(len(checks), 'check was', 'checks were')} skipped: {reason}{named}"


def _holds(entries: list[RuleResult], capability: str) -> bool:
    return any(Outcome.PASS in entry.counts for entry in _of(entries, capability))


def _ran(entries: list[RuleResult], capability: str) -> bool:
    own = _of(entries, capability)
    return any(entry.records for entry in own) and all(entry.outcome is not Outcome.NOT_RUN for entry in own)


def _of(entries: list[RuleResult], capability: str) -> list[RuleResult]:
    return [entry for entry in entries if entry.rule.capability and entry.rule.capability.name == capability]


def _remarks(entries: list[RuleResult], unproven: list[str]) -> Iterable[str]:
    if deviating := [entry for entry in entries if entry.outcome is Outcome.DEVIATION]:
        yield f"{_count(len(deviating), 'rule deviates', 'rules deviate')} as declared: {_named(deviating)}"
    broken = [entry for entry in entries if entry.outcome is Outcome.FAIL]
    if new := [entry for entry in broken if entry.rule.provisional]:
        yield f"{_count(len(new), 'provisional rule is', 'provisional rules are')} broken: {_named(new)}"
    if advice := [entry for entry in broken if not entry.rule.provisional and not entry.rule.is_required]:
        yield f"{_count(len(advice), 'recommended rule is', 'recommended rules are')} broken: {_named(advice)}"
    yield from _untested(entries)
    undeclared = Counter(lack for entry in entries if (lack := _lacks(entry)))
    if undeclared:
        named = ", ".join(f"{count} of {name}" for name, count in undeclared.most_common())
        yield f"rules that do not apply because the capability is not declared: {named}"
    if unproven:
        yield f"declared, but no rule of it passed: {', '.join(unproven)}"
    claims = sorted({record.under_claimed for entry in entries for record in entry.records if record.under_claimed})
    if claims:
        yield f"under-claimed: {', '.join(claims)} works although it is not declared"


def _lacks(entry: RuleResult) -> str:
    """The undeclared capability because of which a rule does not apply; empty if that is not the reason."""
    lacking = next((record.lacks for record in entry.records if record.lacks), "")
    return lacking if entry.outcome is Outcome.NOT_APPLICABLE else ""


def _untested(entries: list[RuleResult]) -> Iterable[str]:
    """One line per reason, with the ids of the rules that are untested, or of which some checks are."""
    reasons: dict[str, dict[str, None]] = {}
    for entry in entries:
        if entry.outcome is Outcome.UNTESTED:
            reasons.setdefault(entry.reason.partition("\n")[0], {})[entry.rule.id] = None
        elif entry.outcome is Outcome.PASS:
            for record in entry.records:
                if record.outcome is Outcome.UNTESTED:
                    reasons.setdefault(record.reason.partition("\n")[0], {})[f"{entry.rule.id} in part"] = None
    for reason, names in sorted(reasons.items(), key=lambda row: -len(row[1])):
        line = f"{_count(len(names), 'rule is', 'rules are')} untested: {', '.join(names)}"
        yield f"{line} ({reason})" if reason else line


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _named(entries: list[RuleResult]) -> str:
    return ", ".join(entry.rule.id for entry in entries[:8]) + (", ..." if len(entries) > 8 else "")
