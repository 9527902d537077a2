"""The checks of a suite, with which a run is compared to find out what is missing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from types import MappingProxyType
from typing import Any, TypeVar
from zlib import crc32

from remote_store.conformance.checking.decorators import identifiers_of
from remote_store.conformance.contract.rulebook import rules

T = TypeVar("T")
FIRST = "test_first_"
MOST_VARIANTS = {"smoke": 1, "quick": 4}
"""The largest number of variants of one check per tier. The other tiers run all variants."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One check of the suite.

    Attributes:
        rules: Ids of the rules that it checks.
        variants: Number of its sets of parameters.
    """

    rules: tuple[str, ...]
    variants: int

    def in_tier(self, tier: str) -> int:
        """Number of its variants that a tier runs."""
        return min(self.variants, MOST_VARIANTS.get(tier, self.variants))


@cache
def manifest(suite: type) -> Mapping[str, Expected]:
    """Every check of a suite by name, in the order in which they run: that of its bases and of their source."""
    names = dict.fromkeys(name for kind in suite.__mro__ for name in vars(kind))
    return MappingProxyType(
        {
            name: Expected(identifiers_of(method), prod(map(len, _axes(method))))
            for name in names
            if identifiers_of(method := getattr(suite, name))
        }
    )


@cache
def rank_of(suite: type) -> Mapping[str, int]:
    """The place of every check of a suite in the order in which they run."""
    return MappingProxyType({name: place for place, name in enumerate(manifest(suite))})


def first_of(suite: type) -> tuple[str, ...]:
    """The checks of a suite that run before all others, and without which these say nothing."""
    return tuple(name for name in manifest(suite) if name.startswith(FIRST))


@cache
def rules_of(suite: type) -> tuple[str, ...]:
    """Ids of the rules that a suite has a check for, in the order of the catalogue."""
    checked = {identifier for expected in manifest(suite).values() for identifier in expected.rules}
    return tuple(identifier for identifier in rules() if identifier in checked)


@cache
def overridden(kind: type, suite: type) -> tuple[str, ...]:
    """Names of the checks that a test class overrides, and `case` if it overrides that fixture."""
    return tuple(
        name
        for name in (*manifest(suite), "case")
        if inspect.getattr_static(kind, name, None) is not inspect.getattr_static(suite, name)
    )


def in_tier(tier: str, items: Sequence[T], order: Callable[[T], Any], owner: str = "") -> list[T]:
    """Choose the variants of one check that a tier runs.

    Several variants are spread evenly from the first to the last. A single one depends on the owner, so several classes
    together run more variants than one class. The choice is the same in every run.

    Args:
        tier: The tier.
        items: The variants, in any order.
        order: The sort key.
        owner: Name of the class and the check that the variants belong to.
    """
    most = MOST_VARIANTS.get(tier, len(items))
    ordered = sorted(items, key=order)
    if len(ordered) <= most:
        return ordered
    if most == 1:
        return [ordered[crc32(owner.encode()) % len(ordered)]]
    last, steps = len(ordered) - 1, most - 1
    return [ordered[round(step * last / steps)] for step in range(most)]


def _axes(method: Any) -> Iterator[Sequence[Any]]:
    for mark in getattr(method, "pytestmark", ()):
        if mark.name == "parametrize":
            values = mark.args[1] if len(mark.args) > 1 else mark.kwargs["argvalues"]
            yield list(values)
