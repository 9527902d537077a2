from __future__ import annotations

from collections.abc import Iterator

import pytest

from mutants.memory import MemoryHarness
from mutants.running import Check, CheckRun, Ending, checks_of, run
from remote_store.conformance import Oracle, rules
from remote_store.conformance.checking.case import AnyCase

FOREIGN = [*(f"PATH-{number:03}" for number in range(10, 16)), "LIST-023", "DEL-017"]


class Blind(MemoryHarness):
    """A harness that knows no other way to the storage."""

    def isolated(self) -> Blind:
        return Blind(self.kind)

    @property
    def oracle(self) -> Oracle | None:
        return None


def every_check(harness: MemoryHarness) -> Iterator[Check]:
    """Every check of the suite once, with all its parameters, but for the histories, which need no oracle."""
    found = {
        (check.name, check.variant): check
        for identifier in rules()
        if not identifier.startswith("MODEL")
        for check in checks_of(identifier, harness)
    }
    yield from found.values()


def test_what_asks_the_oracle_is_untested_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    oracle = AnyCase.oracle.fget
    assert oracle is not None
    monkeypatch.setattr(AnyCase, "oracle", property(lambda case: (asked.add(case.name), oracle(case))[1]))
    sighted, blind = MemoryHarness(), Blind()
    ended = {check: run(check, sighted, "quick") for check in every_check(sighted)}
    asking = {check for check in ended if check.name in asked}
    assert len(asking) > 10
    for check in asking:
        outcome = run(check, blind, "quick")
        if ended[check].ending is Ending.GREEN:
            assert "untested: the harness has no oracle" in outcome.told, str(outcome)


@pytest.mark.parametrize("identifier", FOREIGN)
def test_a_rule_about_foreign_keys_never_passes_without_an_oracle(identifier: str) -> None:
    harness = Blind()
    outcomes: list[CheckRun] = [run(check, harness) for check in checks_of(identifier, harness)]
    assert {(outcome.ending, "untested" in outcome.told) for outcome in outcomes} == {(Ending.SKIPPED, True)}
