"""A finished run of the suite, from which every report is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from remote_store.conformance.contract.rulebook import rules
from remote_store.conformance.run.manifest import manifest, rank_of, rules_of
from remote_store.conformance.run.verdict import Gap, RuleResult, Verdict, judge, nothing_ran, results
from remote_store.conformance.values.options import DEFAULT_SEED
from remote_store.conformance.values.outcome import Outcome, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        name: File name of the reports, without the suffix.
        target: The target of the command, or the node id of the test class.
        suite: Name of the suite.
        tier: The tier.
        seed: The number that decided what the checks drew.
        date: When it ended, in UTC.
        subject: The facts about the backend; empty if it was never inspected.
        records: The record of every check.
        rules: The result of every rule.
        gaps: The parts of the suite that did not run.
        verdict: The verdict.
        kind: The kind of storage, which decides what rules bind it.
    """

    name: str
    target: str
    suite: str
    tier: str
    seed: int
    date: datetime
    subject: Mapping[str, Any]
    records: Sequence[Record]
    rules: Sequence[RuleResult]
    gaps: Sequence[Gap]
    verdict: Verdict
    kind: str

    def counts(self) -> Mapping[Outcome, int]:
        """Number of rules per outcome, for all outcomes, in the order of `Outcome`."""
        found = Counter(entry.outcome for entry in self.rules)
        return {outcome: found[outcome] for outcome in Outcome}

    def deviations(self) -> Sequence[Mapping[str, Any]]:
        """The deviations that occurred, each once, with its rules and the number of its checks."""
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for record in self.records:
            if record.deviation is not None:
                row = found.setdefault(tuple(record.deviation.values()), {**record.deviation, "rules": [], "checks": 0})
                row["rules"] = sorted({*row["rules"], *record.rules})
                row["checks"] += 1
        return list(found.values())

    def says_nothing(self) -> bool:
        """Whether no rule was executed."""
        return nothing_ran(self.rules)

    def why_it_says_nothing(self) -> str:
        """That no rule was executed, and how the first check ended that failed."""
        failed = next((record.reason for record in self.records if record.outcome is Outcome.ERROR), "")
        why = f"; the first check ended with: {failed.splitlines()[0]}" if failed else ""
        return f"no rule was executed, so the run says nothing about the backend{why}"


def finished(
    *,
    name: str,
    target: str,
    suite: type,
    tier: str,
    subject: Mapping[str, Any] | None,
    records: Mapping[tuple[str, str], Record],
    gone: Mapping[str, Mapping[str, int]],
    early: str,
    seed: int = DEFAULT_SEED,
) -> Run:
    """Make the run from its records.

    Args:
        name: File name of the reports, without the suffix.
        target: The target of the command, or the node id of the test class.
        suite: The suite.
        tier: The tier.
        subject: The facts about the backend.
        records: The records, by check and variant.
        gone: Number of variants removed from the run, by cause and check.
        early: Why the run ended early; empty if it did not.
        seed: The number that decided what the checks drew.
    """
    ran = Counter(check for check, _ in records)
    missing = {
        check: entry.in_tier(tier) - ran[check]
        for check, entry in manifest(suite).items()
        if ran[check] < entry.in_tier(tier)
    }
    lost = Counter(missing)
    for checks in gone.values():
        lost.subtract(checks)
    why = f"not reached: {early}" if early else "planned but never reported"
    unreported = {check: count for check, count in sorted(lost.items()) if count > 0}
    gaps = [Gap(cause, checks) for cause, checks in gone.items()] + ([Gap(why, unreported)] if unreported else [])
    by_rule: Counter[str] = Counter()
    for check, count in missing.items():
        by_rule.update(dict.fromkeys(manifest(suite)[check].rules, count))
    rank = rank_of(suite)
    ordered = [records[key] for key in sorted(records, key=lambda key: (rank.get(key[0], len(rank)), key[1]))]
    kind = _kind(subject)
    found = results(rules().values(), rules_of(suite), ordered, by_rule, kind)
    return Run(
        name=name,
        target=target,
        suite=suite.__name__,
        tier=tier,
        seed=seed,
        date=datetime.now(UTC),
        subject=subject or {},
        records=ordered,
        rules=found,
        gaps=gaps,
        verdict=judge(found, (subject or {}).get("capabilities", ()), gaps),
        kind=kind,
    )


def _kind(subject: Mapping[str, Any] | None) -> str:
    """The kind of storage. A backend that was never inspected counts as S3, which every rule binds."""
    if not subject:
        return "s3"
    stated = str(subject["profile"]["kind"])
    return stated if subject["stated"] else str(subject["place"].get("kind", stated))
