from __future__ import annotations

import pytest

from remote_store.conformance import AsyncBackendConformance, BackendConformance, Case
from remote_store.conformance.checking.decorators import check, identifiers_of
from remote_store.conformance.run.manifest import MOST_VARIANTS, in_tier, manifest, overridden, rules_of
from remote_store.conformance.values.options import TIERS


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
    assert [found["test_many"].in_tier(tier) for tier in TIERS] == [1, 4, 6, 6]
    assert [found["test_one"].in_tier(tier) for tier in TIERS] == [1, 1, 1, 1]
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


@pytest.mark.parametrize("count", [1, 4, 5, 50])
def test_the_quick_tier_takes_a_few_variants_spread_over_all(count: int) -> None:
    items = list(range(count))
    taken = in_tier("quick", items[::-1], int)
    assert len(taken) == len(set(taken)) == min(count, MOST_VARIANTS["quick"])
    assert (taken[0], taken[-1]) == (items[0], items[-1])
    assert taken == in_tier("quick", items, int)


def test_the_smoke_tier_takes_one_variant_which_differs_from_class_to_class() -> None:
    items = list(range(4))
    taken = {owner: in_tier("smoke", items, int, owner) for owner in "abcdefghijklmnop"}
    assert all(len(variants) == 1 for variants in taken.values())
    assert {variants[0] for variants in taken.values()} == set(items)
    assert taken == {owner: in_tier("smoke", items[::-1], int, owner) for owner in taken}


@pytest.mark.parametrize("tier", ["full", "soak"])
def test_the_other_tiers_take_every_variant(tier: str) -> None:
    assert in_tier(tier, [3, 1, 2], int) == [1, 2, 3]
