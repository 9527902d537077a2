"""Runs one check of the suite against one harness; the only interface between the mutants and the suite."""

from __future__ import annotations

import itertools
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from remote_store.conformance import (
    AsyncBackendConformance,
    AsyncCase,
    AsyncHarness,
    BackendConformance,
    Case,
    CheckFailed,
    Harness,
)
from remote_store.conformance.checking.decorators import identifiers_of
from remote_store.conformance.values.options import Tier
from remote_store.conformance.values.outcome import ExcusedFailure, HarnessFailed

AnyHarness = Harness | AsyncHarness
SUITE = ("remote_store.conformance.suite", "remote_store.conformance.checking.wire")
BETWEEN = ("contextlib", "remote_store.conformance.checking.recorder", "remote_store.conformance.checking.trees")
BACKENDS = ("remote_store.core", "mutants.")
MISFIT = re.compile(r"TypeError: \w+\.\w+\(\) (got an unexpected keyword|got multiple values|takes \d|missing \d)")
"""A method of a mutant that does not take the arguments of the one that it overrides: a mistake in the mutant."""


class Ending(Enum):
    """How a check ended: passed, failed because of the backend, skipped, or inconclusive."""

    GREEN = "green"
    RED = "red"
    SKIPPED = "skipped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the suite with one combination of its parameters.

    Attributes:
        name: Name of its method.
        variant: Its parameters as text.
        parameters: Its parameters.
    """

    name: str
    variant: str
    parameters: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class CheckRun:
    """How one check ended.

    Attributes:
        check: The check.
        ending: How it ended.
        told: The exception, in one line.
    """

    check: Check
    ending: Ending
    told: str = ""

    def __str__(self) -> str:
        return f"{self.ending.value}: {self.check.name}[{self.check.variant}] {self.told}".rstrip()


def checks_of(identifier: str, harness: AnyHarness) -> Iterator[Check]:
    """Every check of a rule with every combination of its parameters, in source order."""
    suite = suite_of(harness)
    for name in dir(suite):
        method = getattr(suite, name)
        if identifier in identifiers_of(method):
            for row in combinations(method.pytestmark):
                yield Check(name, "-".join(text for text, _, _ in row), {key: value for _, key, value in row})


def run(check: Check, harness: AnyHarness, tier: Tier = "full") -> CheckRun:
    """Run a check.

    Args:
        check: One of `checks_of`.
        harness: The harness of the backend.
        tier: How much the check does.
    """
    kind: Any = AsyncCase if isinstance(harness, AsyncHarness) else Case
    case = kind(harness, check.name, check.variant, tier=tier)
    try:
        getattr(suite_of(harness)(), check.name)(case=case, **check.parameters)
    except ExcusedFailure as failed:
        return CheckRun(check, Ending.CRASHED if MISFIT.search(str(failed)) else Ending.RED, str(failed))
    except (pytest.skip.Exception, pytest.xfail.Exception) as ended:
        return CheckRun(check, Ending.SKIPPED, str(ended))
    except HarnessFailed as error:
        return CheckRun(check, Ending.CRASHED, str(error))
    except Exception as error:  # noqa: BLE001 - every end is an outcome
        told = f"{type(error).__name__}: " + " ".join(str(error).partition("  hint:")[0].split())
        by_mutant = (isinstance(error, CheckFailed) or by_backend(error)) and not MISFIT.search(told)
        return CheckRun(check, Ending.RED if by_mutant else Ending.CRASHED, told)
    return CheckRun(check, Ending.GREEN)


def by_backend(error: Exception) -> bool:
    """Whether an exception came from the backend, and not from the check, the harness or the oracle.

    A NameError or the like in the mutant's own code is a mistake in the mutant, and does not count.
    """
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = max((number for number, name in enumerate(modules) if name.startswith(SUITE)), default=len(modules))
    # Between a check and the backend are context managers, the recorder, and functions that read listings.
    called = next((name for name in modules[last + 1 :] if name not in BETWEEN), "")
    return called.startswith(BACKENDS) and not isinstance(error, AttributeError | NameError)


def suite_of(harness: AnyHarness) -> type[BackendConformance | AsyncBackendConformance]:
    """The suite for a harness."""
    return AsyncBackendConformance if isinstance(harness, AsyncHarness) else BackendConformance


def combinations(marks: list[pytest.Mark]) -> Iterator[list[tuple[str, str, Any]]]:
    """Every combination of a check's `parametrize` marks: its id, and the name and value of each parameter."""
    axes = []
    for mark in marks:
        if mark.name == "parametrize":
            names = [name.strip() for name in mark.args[0].split(",")]
            rows = [row if len(names) > 1 else (row,) for row in mark.args[1]]
            axes.append([[(str(value), key, value) for key, value in zip(names, row, strict=True)] for row in rows])
    for combination in itertools.product(*axes):
        yield list(itertools.chain.from_iterable(combination))
