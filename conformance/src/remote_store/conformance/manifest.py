"""What a suite consists of, so that a run can be compared with what it should have been."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from types import MappingProxyType
from typing import Any, TypeVar

from remote_store.conformance.checking import identifiers_of
from remote_store.conformance.rulebook import rules

T = TypeVar("T")
QUICK_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class Expected:
    """One check as the suite has it.

    Attributes:
        rules: Ids of the rules that it is about.
        variants: How many sets of parameters it has.
    """

    rules: tuple[str, ...]
    variants: int

    def in_tier(self, tier: str) -> int:
        """How many of its variants a tier runs."""
        return min(self.variants, QUICK_VARIANTS) if tier == "quick" else self.variants


@cache
def manifest(suite: type) -> Mapping[str, Expected]:
    """Every check of a suite by its name."""
    return MappingProxyType(
        {
            name: Expected(identifiers_of(method), prod(map(len, _axes(method))))
            for name in dir(suite)
            if identifiers_of(method := getattr(suite, name))
        }
    )


@cache
def rules_of(suite: type) -> tuple[str, ...]:
    """Ids of the rules that a suite has a check for, in the order of the catalogue."""
    checked = {identifier for expected in manifest(suite).values() for identifier in expected.rules}
    return tuple(identifier for identifier in rules() if identifier in checked)


@cache
def overridden(kind: type, suite: type) -> tuple[str, ...]:
    """What a class of tests has put in the place of the suite's own: checks, and the fixture that feeds them."""
    return tuple(
        name
        for name in (*manifest(suite), "case")
        if inspect.getattr_static(kind, name, None) is not inspect.getattr_static(suite, name)
    )


def quick(items: Sequence[T], order: Callable[[T], Any]) -> list[T]:
    """The few variants of one check that the quick tier runs, spread over all: the first, the last, some between.

    Args:
        items: The variants, in whatever order.
        order: What they are sorted by.
    """
    ordered = sorted(items, key=order)
    if len(ordered) <= QUICK_VARIANTS:
        return ordered
    last, steps = len(ordered) - 1, QUICK_VARIANTS - 1
    return [ordered[round(step * last / steps)] for step in range(QUICK_VARIANTS)]


def _axes(method: Any) -> Iterator[Sequence[Any]]:
    for mark in getattr(method, "pytestmark", ()):
        if mark.name == "parametrize":
            values = mark.args[1] if len(mark.args) > 1 else mark.kwargs["argvalues"]
            yield list(values)
