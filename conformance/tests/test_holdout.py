from __future__ import annotations

import pytest

from holdout.collected import BASES, SETS, fingerprint, harness_of, members, verdicts
from mutants.running import Ending, checks_of, run
from remote_store.conformance import rules

JUDGED = {name: found for name in SETS if (found := verdicts(name)) is not None}


@pytest.mark.parametrize("name", JUDGED)
def test_a_set_is_what_its_first_run_has_judged(name: str) -> None:
    found = JUDGED[name]
    assert found["sources"] == fingerprint(name)
    assert [(row["backend"], row["breaks"], row["bug"]) for row in found["verdicts"]] == [
        (held.target, held.breaks, held.bug) for held in members(name)
    ]


@pytest.mark.parametrize("name", SETS)
def test_every_backend_of_a_set_names_a_rule_and_says_its_bug(name: str) -> None:
    for held in members(name):
        assert held.breaks in rules()
        assert held.bug.endswith(".")
        assert any(base in BASES for base in held.kind.__mro__)


@pytest.mark.parametrize("base", BASES)
def test_the_correct_backend_of_a_set_keeps_a_rule(base: type) -> None:
    harness = harness_of(base)
    endings = {run(check, harness).ending for check in checks_of("READ-003", harness)}
    assert endings <= {Ending.GREEN, Ending.SKIPPED}
    assert Ending.GREEN in endings
