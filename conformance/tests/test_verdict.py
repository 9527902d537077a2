from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remote_store.conformance import Rule, rules
from remote_store.conformance.run.verdict import (
    CORE,
    PARTS,
    Gap,
    Grade,
    RuleResult,
    Verdict,
    judge,
    nothing_ran,
    results,
)
from remote_store.conformance.values.outcome import Outcome, Record
from remote_store.core import Capability

PASS, FAIL, ERROR, DEVIATION = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.DEVIATION
UNTESTED, NOT_RUN, NOT_APPLICABLE = Outcome.UNTESTED, Outcome.NOT_RUN, Outcome.NOT_APPLICABLE


def made(identifier: str, capability: Capability | None = None, **fields: Any) -> Rule:
    return Rule(identifier, "MUST", "t.", "r.", "h.", "0.1", capability, **fields)


RULES = [made("X-001"), made("X-002", Capability.READ), made("X-003", Capability.GLOB)]


def record(identifier: str, outcome: Outcome, **facts: Any) -> Record:
    return Record(check=f"test_{identifier}", rules=(identifier,), outcome=outcome, **facts)


def verdict(
    *records: Record, declared: tuple[str, ...] = CORE, gaps: tuple[Gap, ...] = (), catalogue: list[Rule] = RULES
) -> Verdict:
    found = results(catalogue, [rule.id for rule in catalogue], records, {}, "other")
    return judge(found, declared, gaps)


def test_all_that_holds_is_the_core_and_the_capabilities_that_are_declared() -> None:
    core = [record("X-001", PASS), record("X-002", PASS)]
    assert verdict(*core, record("X-003", NOT_APPLICABLE)) == Verdict(Grade.CORE)
    more = verdict(*core, record("X-003", PASS), declared=(*CORE, "GLOB"))
    assert more == Verdict(Grade.CORE_AND_CAPABILITIES, ("GLOB",))
    assert (str(verdict(*core)), str(more)) == ("core", "core + glob")


def test_a_rule_that_is_broken_is_failing_and_named_whatever_else_is() -> None:
    gap = Gap("deselected", {"test_y": 2})
    found = verdict(record("X-001", FAIL), record("X-002", PASS), gaps=(gap,))
    assert found.grade is Grade.FAILING
    assert found.reasons == ("1 rule is broken: X-001", "2 checks were deselected (test_y)")


def test_a_provisional_rule_that_is_broken_is_told_and_turns_nothing_red() -> None:
    catalogue = [*RULES, made("X-004", provisional=True)]
    core = [record("X-001", PASS), record("X-002", PASS), record("X-003", NOT_APPLICABLE)]
    found = verdict(*core, record("X-004", FAIL), catalogue=catalogue)
    assert found.grade is Grade.CORE
    assert found.remarks == ("1 provisional rule is broken: X-004",)


@pytest.mark.parametrize("level", ["SHOULD", "MAY"])
def test_a_rule_that_is_not_a_must_is_told_if_broken_and_turns_nothing_red(level: Any) -> None:
    catalogue = [*RULES, replace(made("X-004"), level=level), replace(made("X-005", provisional=True), level=level)]
    core = [record("X-001", PASS), record("X-002", PASS), record("X-003", NOT_APPLICABLE)]
    found = verdict(*core, record("X-004", FAIL), record("X-005", FAIL), catalogue=catalogue)
    assert found.grade is Grade.CORE
    assert found.remarks == ("1 provisional rule is broken: X-005", "1 recommended rule is broken: X-004")


def test_a_deviation_and_an_untested_rule_are_told_with_the_verdict() -> None:
    found = verdict(record("X-001", DEVIATION), record("X-002", PASS), record("X-003", UNTESTED))
    assert found.grade is Grade.CORE
    assert found.remarks == ("1 rule deviates as declared: X-001", "1 rule is untested: X-003")


def test_the_rules_that_are_untested_are_named_with_the_reason() -> None:
    blind = [record(name, UNTESTED, reason="the harness has no oracle\nmore") for name in ("X-002", "X-003")]
    found = verdict(record("X-001", PASS), *blind)
    assert found.remarks == ("2 rules are untested: X-002, X-003 (the harness has no oracle)",)


@pytest.mark.parametrize(
    "records, reason",
    [
        ([record("X-001", ERROR)], "the harness failed at 1 rule: X-001"),
        ([record("X-001", NOT_RUN, reason="later")], "1 check was skipped: later (test_X-001)"),
        (
            [record("X-002", NOT_APPLICABLE, lacks="READ")],
            "a capability is declared on one instance and not on another: X-002",
        ),
    ],
)
def test_what_was_not_found_out_is_partial_with_its_reason(records: list[Record], reason: str) -> None:
    held = [record("X-001", PASS), record("X-002", PASS)]
    found = verdict(*held, *records)
    assert (found.grade, found.reasons) == (Grade.PARTIAL, (reason,))


def test_a_gap_is_partial_with_its_reason() -> None:
    gap = Gap("deselected by -k 'read'", {f"test_{name}": 1 for name in "abcd"})
    found = verdict(record("X-001", PASS), gaps=(gap,))
    assert found.grade is Grade.PARTIAL
    assert found.reasons == ("4 checks were deselected by -k 'read' (test_a, test_b, test_c, ...)",)


def test_a_backend_that_does_not_claim_the_core_does_not_pass_as_core() -> None:
    found = verdict(record("X-001", PASS), record("X-002", NOT_APPLICABLE, lacks="READ"), declared=("WRITE", "DELETE"))
    assert found.grade is Grade.PARTIAL
    assert found.reasons == ("the core needs READ, WRITE, DELETE, LIST, and the backend does not declare READ, LIST",)


def test_a_core_of_which_nothing_was_found_to_hold_is_partial() -> None:
    found = verdict(record("X-001", PASS), record("X-002", NOT_APPLICABLE))
    assert found.grade is Grade.PARTIAL
    assert found.reasons == ("no rule of READ passed; the core requires at least one of each",)


def test_a_capability_of_which_nothing_was_found_to_hold_is_not_in_the_verdict() -> None:
    core = [record("X-001", PASS), record("X-002", PASS)]
    found = verdict(*core, record("X-003", UNTESTED), declared=(*CORE, "GLOB"))
    assert found.grade is Grade.CORE
    assert "declared, but no rule of it passed: GLOB" in found.remarks


def test_what_works_though_undeclared_is_told() -> None:
    found = verdict(record("X-001", FAIL, under_claimed="COPY"), record("X-002", PASS))
    assert "under-claimed: COPY works although it is not declared" in found.remarks


def test_every_rule_of_the_catalogue_has_a_result() -> None:
    found = results(rules().values(), ["READ-001"], [record("READ-001", PASS)], {}, "s3")
    assert [entry.rule.id for entry in found] == list(rules())
    outcomes = {entry.rule.id: entry.outcome for entry in found}
    assert outcomes["READ-001"] is PASS
    assert outcomes["READ-002"] is NOT_APPLICABLE
    unchecked = [rule.id for rule in rules().values() if rule.untested]
    assert {outcomes[identifier] for identifier in unchecked} == {UNTESTED}


@pytest.mark.parametrize(
    "kind, binding", [("memory", ["X-001"]), ("http", ["X-001", "X-002"]), ("s3", ["X-001", "X-002", "X-003"])]
)
def test_a_rule_for_other_storages_does_not_apply(kind: str, binding: list[str]) -> None:
    catalogue = [made("X-001"), made("X-002", kind="http"), made("X-003", kind="s3", untested="nobody can.")]
    missing = {rule.id: 1 for rule in catalogue}
    both = Record(check="test_both", rules=("X-001", "X-002"), outcome=FAIL, reason="why")
    found = results(catalogue, ["X-001", "X-002"], [both], missing, kind)
    assert [entry.rule.id for entry in found if entry.outcome is not NOT_APPLICABLE] == binding
    assert all("it binds " in entry.reason for entry in found if entry.outcome is NOT_APPLICABLE)
    named = [name for name in ("X-001", "X-002", "X-003") if name in " ".join(judge(found, (), ()).remarks)]
    assert named == [name for name in binding if name == "X-003"]


def test_a_rule_counts_its_checks_by_outcome_and_says_why() -> None:
    records = [record("X-001", PASS), record("X-001", UNTESTED, reason="no eyes"), record("X-001", FAIL, reason="why")]
    found = results(RULES, ["X-001"], records, {"X-001": 2}, "other")[0]
    assert found.outcome is FAIL
    assert found.reason == "why"
    assert found.counts == {PASS: 1, UNTESTED: 1, FAIL: 1, NOT_RUN: 2}


def test_a_rule_of_which_checks_are_missing_was_not_run() -> None:
    found = results(RULES, ["X-001", "X-002"], [record("X-001", PASS)], {"X-001": 3, "X-002": 1}, "other")
    assert [entry.outcome for entry in found] == [NOT_RUN, NOT_RUN, NOT_APPLICABLE]
    assert found[0].reason == "3 of its 4 checks did not run"


@pytest.mark.parametrize(
    "outcome, nothing", [(PASS, False), (FAIL, False), (DEVIATION, False), (NOT_APPLICABLE, True), (UNTESTED, True)]
)
def test_a_run_without_an_executed_rule_says_nothing(outcome: Outcome, nothing: bool) -> None:
    assert nothing_ran(results(RULES, ["X-001"], [record("X-001", outcome)], {}, "other")) is nothing


def _in(area: str, outcome: Outcome, reason: str = "") -> RuleResult:
    entry = replace(next(rule for rule in rules().values() if rule.id.startswith(f"{area}-")), capability=None)
    return RuleResult(entry, outcome, {outcome: 1}, reason)


def test_a_verdict_is_partial_if_no_rule_of_a_whole_area_was_tested() -> None:
    whole = [_in(area, PASS) for area in PARTS]
    assert judge(whole, (), ()).grade is Grade.CORE
    missing = [*whole[:-1], _in("MODEL", UNTESTED, "the machine is not installed")]
    found = judge(missing, (), ())
    assert found.grade is Grade.PARTIAL
    assert found.reasons == ("no rule of MODEL was tested: the machine is not installed",)


def test_rules_of_which_only_some_checks_ran_are_named_too() -> None:
    left_out = record("X-001", UNTESTED, reason="no oracle; to run it, implement `Harness.oracle`")
    found = verdict(record("X-001", PASS), record("X-002", PASS), left_out)
    assert "1 rule is untested: X-001 in part (no oracle; to run it, implement `Harness.oracle`)" in found.remarks
