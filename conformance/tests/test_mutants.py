from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mutants.memory import MemoryHarness
from mutants.paths import EmptyRootIsNothing
from mutants.registry import Broken, broken, every, harness_of
from mutants.running import AnyHarness, CheckRun, Ending, checks_of, run
from remote_store.conformance import ConfigurationError, rule, rules
from remote_store.core import MemoryBackend


def named(kind: type, identifier: str) -> str:
    return f"{identifier}-{kind.__name__}"


BROKEN = every()
KILLS = [(mutant, identifier) for mutant in BROKEN for identifier in mutant.rules]
CONTROLS = sorted(
    {(mutant.control, identifier) for mutant, identifier in KILLS}, key=lambda pair: (pair[1], pair[0].__name__)
)
REQUIRED = 60


def red(kind: type, identifier: str) -> list[CheckRun]:
    """The checks of a rule up to the first one that a backend fails."""
    harness, outcomes = harness_of(kind, identifier), list[CheckRun]()
    for check in checks_of(identifier, harness):
        outcomes.append(run(check, harness))
        if outcomes[-1].ending is Ending.RED:
            break
    return outcomes


@pytest.mark.parametrize(
    "mutant, identifier", KILLS, ids=[named(mutant.kind, identifier) for mutant, identifier in KILLS]
)
def test_a_broken_backend_is_red_at_the_rule_that_it_breaks(
    mutant: Broken, identifier: str, record_property: Callable[[str, Any], None]
) -> None:
    record_property("broken backend", mutant.name)
    outcomes = red(mutant.kind, identifier)
    told = "\n".join(map(str, outcomes))
    assert outcomes[-1].ending is Ending.RED, f"{mutant.bug}\n{rule(identifier).text}\n{told}"


@pytest.mark.parametrize("control, identifier", CONTROLS, ids=[named(*pair) for pair in CONTROLS])
def test_a_backend_that_is_right_is_green_at_every_rule_that_its_copies_break(control: type, identifier: str) -> None:
    harness = harness_of(control, identifier)
    outcomes = [run(check, harness) for check in checks_of(identifier, harness)]
    assert [str(outcome) for outcome in outcomes if outcome.ending in (Ending.RED, Ending.CRASHED)] == []
    assert Ending.GREEN in [outcome.ending for outcome in outcomes]


def test_every_rule_that_binds_everybody_catches_a_broken_backend() -> None:
    binding = {entry.id for entry in rules().values() if entry.level != "MAY" and not entry.untested}
    assert sorted(binding - {identifier for _, identifier in KILLS}) == []


def test_there_are_enough_broken_backends_and_each_has_one_bug_of_its_own() -> None:
    assert len(BROKEN) >= REQUIRED
    assert len({mutant.name for mutant in BROKEN}) == len(BROKEN)
    assert len({(mutant.control, mutant.bug) for mutant in BROKEN}) == len(BROKEN)


class LeansOnNothing(MemoryBackend):
    """Names what does not exist."""

    def is_file(self, path: str) -> bool:
        return self.no_such_helper(path)  # type: ignore[attr-defined, no-any-return]


class TakesOtherArguments(MemoryBackend):
    """Does not take the arguments of the method that it overrides."""

    def _commit(self, path: str, content: bytes) -> Any:  # type: ignore[override]
        return None


class RefusesToBeAsked(MemoryHarness):
    @property
    def oracle(self) -> Any:
        raise OSError("the oracle is ill")


@pytest.mark.parametrize(
    "harness, identifier, ending",
    [
        (MemoryHarness(LeansOnNothing), "PATH-007", Ending.CRASHED),
        (MemoryHarness(TakesOtherArguments), "LIFE-022", Ending.CRASHED),
        (MemoryHarness(TakesOtherArguments), "MODEL-001", Ending.CRASHED),
        (RefusesToBeAsked(), "PATH-014", Ending.CRASHED),
        (MemoryHarness(), "COST-001", Ending.SKIPPED),
        (MemoryHarness(), "PATH-007", Ending.GREEN),
        (MemoryHarness(EmptyRootIsNothing), "PATH-007", Ending.RED),
    ],
)
def test_only_a_backend_that_breaks_the_rule_is_caught(harness: AnyHarness, identifier: str, ending: Ending) -> None:
    assert {run(check, harness).ending for check in checks_of(identifier, harness)} == {ending}


def test_a_broken_backend_names_a_rule_its_bug_and_what_it_is_a_copy_of() -> None:
    with pytest.raises(ConfigurationError, match="NOT-001"):
        broken("NOT-001")(LeansOnNothing)
    for kind in (type("Mute", (MemoryBackend,), {}), type("Stranger", (), {"__doc__": "Has no base that is right."})):
        with pytest.raises(TypeError, match="docstring"):
            broken("PATH-001")(kind)
