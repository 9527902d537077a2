from __future__ import annotations

import pytest

import cost_table
from remote_store.conformance import BackendConformance
from remote_store.conformance.run.cost import SOAK, Cost, expected, table
from remote_store.conformance.run.manifest import manifest
from remote_store.core import Capability

ALL = [capability.name for capability in Capability]


def test_most_checks_have_a_recorded_cost() -> None:
    names = set(manifest(BackendConformance))
    assert len(names & table().keys()) > 0.9 * len(names)
    assert all(requests >= 0 and sent >= 0 for requests, sent in table().values())


def test_a_run_costs_what_its_checks_have_cost() -> None:
    checks = {name: entry for name, entry in manifest(BackendConformance).items() if "READ-001" in entry.rules}
    assert checks.keys() <= table().keys()
    requests = sum(entry.variants * table()[name][0] for name, entry in checks.items())
    sent = sum(entry.variants * table()[name][1] for name, entry in checks.items())
    assert expected(BackendConformance, "full", ["READ-001"], ALL) == Cost(round(requests), round(sent))


def test_a_tier_and_the_capabilities_decide_about_the_cost() -> None:
    full = expected(BackendConformance, "full", [], ALL)
    quick = expected(BackendConformance, "quick", [], ALL)
    soak = expected(BackendConformance, "soak", [], ALL)
    few = expected(BackendConformance, "full", [], ["READ"])
    assert 0 < few.requests < full.requests
    assert 0 < quick.requests < full.requests
    assert soak.requests == pytest.approx(SOAK * full.requests, rel=0.01)
    assert 1_000 < full.requests < 100_000


def test_a_check_without_a_record_costs_what_checks_do_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.conformance.run.cost.table", lambda: {"a": (1.0, 10.0), "b": (3.0, 30.0)})
    variants = sum(entry.variants for entry in manifest(BackendConformance).values() if "READ-001" in entry.rules)
    assert expected(BackendConformance, "full", ["READ-001"], ALL) == Cost(2 * variants, 20 * variants)


def test_a_cost_is_told_in_words() -> None:
    assert str(Cost(1234, 5_600_000)) == "about 1,234 requests, 5.6 MB in total"


def test_the_table_is_made_of_a_report() -> None:
    rows = [
        {"check": "test_b", "outcome": "pass", "requests": 1, "sent": 10},
        {"check": "test_b", "outcome": "fail", "requests": 2, "sent": 0},
        {"check": "test_b", "outcome": "not-applicable", "requests": 0, "sent": 0},
        {"check": "test_a", "outcome": "deviation", "requests": 4, "sent": 0},
    ]
    assert cost_table.table({"checks": rows}) == {"test_a": [4.0, 0.0], "test_b": [1.5, 5.0]}
    with pytest.raises(ValueError, match="no endpoint"):
        cost_table.table({"checks": [{**rows[0], "requests": None}]})
