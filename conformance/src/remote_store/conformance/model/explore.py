"""Runs long histories of calls against the model and reports the shortest one that fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from remote_store.conformance.checking.case import AnyCase, AsyncCase, Case, untested
from remote_store.conformance.model import async_perform
from remote_store.conformance.model.actions import FILL, Action, Result
from remote_store.conformance.model.draws import FEW
from remote_store.conformance.model.program import LONG_LIST, program
from remote_store.conformance.model.search import Divergence, Ground, search
from remote_store.conformance.values.options import Tier
from remote_store.core import AsyncBackend, Backend, ThreadedBackend

Perform: TypeAlias = Callable[[Backend, Action], Result]
AsyncPerform: TypeAlias = Callable[[AsyncBackend, Action], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Budget:
    """The amount of exploration.

    Attributes:
        examples: How many histories.
        actions: How many calls in each.
        names: How many names each uses.
        looks: How many questions about the tree are asked after each; `None` for all.
        first: The calls with one of which each begins, in turns.
    """

    examples: int
    actions: int
    names: int = FEW
    looks: int | None = 0
    first: tuple[Action, ...] = ()


BUDGETS: dict[Tier, Budget] = {
    "smoke": Budget(examples=3, actions=15),
    "quick": Budget(examples=8, actions=15, looks=4),
    "full": Budget(examples=16, actions=25, looks=25),
    "soak": Budget(examples=500, actions=60, looks=None),
}

# Some bugs need many calls before, such as those of a journal that is compacted now and then.
LONG: dict[Tier, Budget] = {
    "smoke": Budget(examples=1, actions=50, names=8),
    "quick": Budget(examples=2, actions=120, names=8),
    "full": Budget(examples=4, actions=250, names=8),
    "soak": Budget(examples=160, actions=250, names=8),
}
NEARBY = 4
"""How many times as many histories a storage in this process takes."""
NEARBY_LOOKS: dict[Tier, int | None] = {"smoke": 4, "quick": 20, "full": None, "soak": None}
"""How many questions about the tree are asked there."""

# Names that conflict: siblings with a common prefix, a file beside a folder, names that a wildcard matches.
NAMES = ("a", "a/b", "b", "a/b/c", "ab", "a/bc", "ab/c", "a-b", "a.b/c", "b/a")
CASES = ("A", "A/b", "a/B", "a.")
# Names in a folder with more entries than a page of the storage, and beside it.
BESIDE_MANY = ("many/0", "many/999", "many/x", "many/10/x", "many-2", "many.x/0", "few/x")


def explore(case: Case, perform: Perform, names: Sequence[str], *, instances: int = 1, share: float = 1) -> None:
    """Run histories on a backend; the check fails with the shortest one that differs from the model.

    Args:
        case: The running check.
        perform: Makes a call.
        names: Names of files.
        instances: How many instances of the backend take turns.
        share: The fraction of the tier's budget to use.
    """
    backends = [case.backend, *(case.make() for _ in range(instances - 1))]
    judge(case, _search(case, [partial(perform, backend) for backend in backends], names, _part(case, share)))


def plain_names(case: AnyCase[Any]) -> list[str]:
    """The names that conflict with each other, also in case, if the storage tells it apart."""
    return [*NAMES, *(CASES if case.profile.case_sensitive else ())]


def explore_pages(case: Case, perform: Perform) -> None:
    """Run histories around a folder with one file, or one folder, more than a page of the storage."""
    judge(case, _search(case, [partial(perform, case.backend)], BESIDE_MANY, _pages(case)))


async def async_explore_pages(case: AsyncCase, perform: AsyncPerform) -> None:
    """The same as `explore_pages` for an asynchronous backend."""
    await _async_judge(case, perform, BESIDE_MANY, 1, _pages(case))


def explore_usages(case: Case, perform: Perform, names: Sequence[str]) -> None:
    """Run long histories on a backend, on another instance, and on the first through `ThreadedBackend`.

    Args:
        case: The running check.
        perform: Makes a call.
        names: Names of files.
    """
    usages: list[Callable[[Action], Result]] = [partial(perform, case.backend), partial(perform, case.make())]
    bridge = ThreadedBackend(case.backend, max_threads=1)
    with asyncio.Runner() as loop:

        def bridged(action: Action) -> Result:
            return loop.run(async_perform.perform(bridge, action))

        if case.profile.threads:
            usages.append(bridged)
        judge(case, _search(case, usages, names, _long(case)))


async def async_explore(
    case: AsyncCase, perform: AsyncPerform, names: Sequence[str], *, instances: int = 1, share: float = 1
) -> None:
    """The same as `explore` for an asynchronous backend."""
    await _async_judge(case, perform, names, instances, _part(case, share))


async def async_explore_usages(case: AsyncCase, perform: AsyncPerform, names: Sequence[str]) -> None:
    """Run long histories whose calls go to two instances of an asynchronous backend, each call in a task of its own."""
    await _async_judge(case, perform, names, 2, _long(case))


async def _async_judge(
    case: AsyncCase, perform: AsyncPerform, names: Sequence[str], instances: int, budget: Budget
) -> None:
    """Search in a thread; the calls run in this loop."""
    backends = [case.backend, *(case.make() for _ in range(instances - 1))]
    loop = asyncio.get_running_loop()

    def waiting(backend: AsyncBackend) -> Callable[[Action], Result]:
        async def awaited(action: Action) -> Result:
            return await perform(backend, action)

        return lambda action: asyncio.run_coroutine_threadsafe(awaited(action), loop).result()

    found = await asyncio.to_thread(_search, case, list(map(waiting, backends)), names, budget)
    judge(case, found, asynchronous=True)


def _long(case: AnyCase[Any]) -> Budget:
    budget = LONG[case.tier]
    return replace(budget, examples=budget.examples * NEARBY) if case.profile.in_process else budget


def _part(case: AnyCase[Any], share: float) -> Budget:
    """A part of the tier's budget; more of it for a storage in this process."""
    budget = BUDGETS[case.tier]
    examples = round(budget.examples * share)
    if not case.profile.in_process:
        return replace(budget, examples=examples)
    more = NEARBY if case.tier == "full" else 1
    return replace(budget, examples=examples * more, looks=NEARBY_LOOKS[case.tier])


def _pages(case: AnyCase[Any]) -> Budget:
    if case.tier in ("smoke", "quick"):
        untested("a folder of more than one page is written in the full tier")
    count = case.profile.page_size + 1
    fills = tuple(Action(FILL, ("many",), numbers=(count, *deep)) for deep in ((), (1,)))
    examples, looks = (4, 60) if case.profile.in_process else (1, 10)
    return Budget(examples, actions=15, names=len(BESIDE_MANY), looks=looks, first=fills)


def _search(
    case: AnyCase[Any], usages: Sequence[Callable[[Action], Result]], names: Sequence[str], budget: Budget
) -> Divergence | None:
    if not case.profile.case_sensitive:
        names = list({name.casefold(): name for name in names}.values())
    ground = Ground(
        names=names,
        folder=case.folder,
        profile=case.profile,
        capabilities=case.backend.capabilities,
        declared=case.deviations.keys(),
        instances=len(usages),
        perform=lambda action: usages[action.instance](action),
        seed=case.seed,
        looks=budget.looks,
        large=case.tier in ("full", "soak"),
        first=budget.first,
    )
    return search(ground, chance=case.seed, examples=budget.examples, actions=budget.actions, few=budget.names)


def judge(case: AnyCase[Any], found: Divergence | None, *, asynchronous: bool = False) -> None:
    """If there is a divergence, fail with a program that reproduces it."""
    if found is None:
        return
    last = found.calls[-1]
    text = program(found.calls, found.folder, asynchronous=asynchronous)
    once = "" if found.again else "\n  (the same calls passed when repeated; the outcomes do not depend on them alone)"
    what = f"{last.action.method} after {len(found.calls) - 1} calls differs from the model{once}\n\n{text}"
    expected = dict.fromkeys(said(outcome, last.came) for outcome in last.expected)
    case.fail(what, " or ".join(expected), last.came.error or said(last.came, last.expected[0]))


def said(outcome: Result, beside: Result) -> str:
    """An outcome as text for a message. Of a long list, what another one does not have is enough.

    Args:
        outcome: The outcome.
        beside: The one that it is compared with.
    """
    if isinstance(outcome.value, list) and len(outcome.value) > LONG_LIST and isinstance(beside.value, list):
        own = list((Counter(outcome.value) - Counter(beside.value)).elements())
        return f"{len(outcome.value):,} entries, with {', '.join(map(repr, own[:LONG_LIST])) or 'no others'}"
    if outcome.error is None:
        return repr(outcome.value)
    path = getattr(outcome.error, "path", None)
    return type(outcome.error).__name__ + (f" about {path!r}" if path is not None else "")
