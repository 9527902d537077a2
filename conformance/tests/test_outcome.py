from __future__ import annotations

import itertools
import json

import pytest

from remote_store.conformance import Deviation
from remote_store.conformance.values.outcome import (
    ExcusedFailure,
    HarnessFailed,
    KnownDeviation,
    NotApplicable,
    Outcome,
    Record,
    Untested,
    Withheld,
    fold,
)
from remote_store.core import Capability


def test_there_are_seven_outcomes() -> None:
    names = {"pass", "fail", "not-applicable", "deviation", "not-run", "error", "untested"}
    assert {outcome.value for outcome in Outcome} == names


def test_of_two_outcomes_the_worse_known_one_counts() -> None:
    order = [
        Outcome.FAIL,
        Outcome.ERROR,
        Outcome.DEVIATION,
        Outcome.NOT_RUN,
        Outcome.PASS,
        Outcome.UNTESTED,
        Outcome.NOT_APPLICABLE,
    ]
    for first, second in itertools.combinations(order, 2):
        assert fold([first, second]) is fold([second, first]) is first
    assert fold([]) is Outcome.UNTESTED


def test_what_ends_a_check_early_is_a_skip_or_an_expected_failure_to_any_pytest() -> None:
    for signal in (NotApplicable("no wings"), Untested("no eyes"), Withheld("no")):
        assert isinstance(signal, pytest.skip.Exception)
    for failure in (KnownDeviation(Deviation(reason="known")), ExcusedFailure("new")):
        assert isinstance(failure, pytest.xfail.Exception)
    assert str(NotApplicable("no wings", Capability.MOVE)) == "not applicable: no wings"
    assert NotApplicable("no wings", Capability.MOVE).lacks is Capability.MOVE
    assert str(Untested("no eyes")) == "untested: no eyes"


def test_a_failure_of_the_harness_is_not_caught_with_the_errors_of_a_backend() -> None:
    assert not isinstance(HarnessFailed("make() raised"), Exception)


def test_a_record_travels_as_plain_data() -> None:
    record = Record(
        check="test_x",
        variant="a-b",
        rules=("READ-001", "READ-002"),
        outcome=Outcome.DEVIATION,
        deviation={"reason": "known", "link": "", "expires": "2027-01-01"},
    )
    assert Record.of_dict(json.loads(json.dumps(record.as_dict()))) == record
