from __future__ import annotations

import pytest

from remote_store.conformance import AsyncBackendConformance, BackendConformance, Case
from remote_store.conformance.checking import check, identifiers_of
from remote_store.conformance.manifest import QUICK_VARIANTS, manifest, overridden, quick, rules_of


class Suite:
    @pytest.mark.parametrize("one", [1, 2, 3])
    @pytest.mark.parametrize("two", argvalues=["a", "b"])
    @check("READ-001", "READ-002")
    def test_many(self, case: Case, one: int, two: str) -> None:
        case.expect(one, two)

    @check("ERR-001")
    def test_one(self, case: Case) -> None:
        case.expect(case, "it")

    def test_is_no_check(self) -> None:
        raise NotImplementedError

    @pytest.fixture
    def case(self) -> None:
        raise NotImplementedError


class Own(Suite):
    def test_one(self) -> None:  # type: ignore[override]
        raise NotImplementedError

    def test_more(self) -> None:
        raise NotImplementedError


def test_a_manifest_has_every_check_with_its_rules_and_the_number_of_its_variants() -> None:
    found = manifest(Suite)
    assert set(found) == {"test_many", "test_one"}
    assert found["test_many"].rules == ("READ-001", "READ-002")
    assert (found["test_many"].variants, found["test_one"].variants) == (6, 1)
    assert (found["test_many"].in_tier("full"), found["test_many"].in_tier("quick")) == (6, QUICK_VARIANTS)
    assert found["test_one"].in_tier("quick") == 1
    assert rules_of(Suite) == ("ERR-001", "READ-001", "READ-002")


@pytest.mark.parametrize("suite", [BackendConformance, AsyncBackendConformance])
def test_the_suites_have_a_check_for_most_of_the_catalogue(suite: type) -> None:
    assert len(rules_of(suite)) > 300
    assert all(identifiers_of(getattr(suite, name)) for name in manifest(suite))


def test_what_a_class_puts_in_the_place_of_the_suites_own_is_seen() -> None:
    class OtherCase(Suite):
        @pytest.fixture
        def case(self) -> None:
            raise NotImplementedError

    assert overridden(Suite, Suite) == ()
    assert overridden(Own, Suite) == ("test_one",)
    assert overridden(OtherCase, Suite) == ("case",)


@pytest.mark.parametrize("count", [1, QUICK_VARIANTS, QUICK_VARIANTS + 1, 50])
def test_the_quick_tier_takes_a_few_variants_spread_over_all(count: int) -> None:
    items = list(range(count))
    taken = quick(items[::-1], lambda item: item)
    assert len(taken) == len(set(taken)) == min(count, QUICK_VARIANTS)
    assert (taken[0], taken[-1]) == (items[0], items[-1])
    assert taken == quick(items, lambda item: item)
