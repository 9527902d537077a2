"""Runs long histories of calls against the model and reports the shortest one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from remote_store.conformance.checking.case import AnyCase, AsyncCase, Case
from remote_store.conformance.model import async_perform
from remote_store.conformance.model.actions import Action, Result
from remote_store.conformance.model.draws import FEW
from remote_store.conformance.model.program import program
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
    """

    examples: int
    actions: int
    names: int = FEW


BUDGETS: dict[Tier, Budget] = {
    "smoke": Budget(examples=3, actions=15),
    "quick": Budget(examples=8, actions=15),
    "full": Budget(examples=16, actions=25),
    "soak": Budget(examples=500, actions=60),
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

# Names that conflict: siblings with a common prefix, a file beside a folder, names that a wildcard matches.
NAMES = ("a", "a/b", "b", "a/b/c", "ab", "a/bc", "ab/c", "a-b", "a.b/c", "b/a")


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
    """A part of the tier's budget."""
    budget = BUDGETS[case.tier]
    return Budget(examples=round(budget.examples * share), actions=budget.actions)


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
        declared=case.harness.deviations.keys(),
        instances=len(usages),
        perform=lambda action: usages[action.instance](action),
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
    case.fail(what, " or ".join(map(said, last.expected)), last.came.error or said(last.came))


def said(outcome: Result) -> str:
    """An outcome as text for a message."""
    if outcome.error is None:
        return repr(outcome.value)
    path = getattr(outcome.error, "path", None)
    return type(outcome.error).__name__ + (f" about {path!r}" if path is not None else "")
