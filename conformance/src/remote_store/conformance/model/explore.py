"""Runs long histories of calls against the model and reports the shortest one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from remote_store.conformance.checking.case import AnyCase, AsyncCase, Case
from remote_store.conformance.model.actions import Action, Result
from remote_store.conformance.model.program import program
from remote_store.conformance.model.search import Divergence, Ground, search
from remote_store.conformance.values.options import Tier
from remote_store.core import AsyncBackend, Backend


@dataclass(frozen=True, slots=True)
class Budget:
    """The amount of exploration.

    Attributes:
        examples: How many histories.
        actions: How many calls in each.
    """

    examples: int
    actions: int


BUDGETS: dict[Tier, Budget] = {
    "smoke": Budget(examples=3, actions=15),
    "quick": Budget(examples=8, actions=15),
    "full": Budget(examples=16, actions=25),
    "soak": Budget(examples=500, actions=60),
}

# Names that conflict: siblings with a common prefix, a file beside a folder, names that a wildcard matches.
NAMES = ("a", "a/b", "b", "a/b/c", "ab", "a/bc", "ab/c", "a-b", "a.b/c", "b/a")


def explore(
    case: Case,
    perform: Callable[[Backend, Action], Result],
    names: Sequence[str],
    *,
    instances: int = 1,
    share: float = 1,
) -> None:
    """Run histories on a backend; the check fails with the shortest one that differs from the model.

    Args:
        case: The running check.
        perform: Makes a call.
        names: Names of files.
        instances: How many instances of the backend take turns.
        share: The fraction of the tier's budget to use.
    """
    backends = [case.backend, *(case.make() for _ in range(instances - 1))]
    judge(case, _search(case, lambda action: perform(backends[action.instance], action), names, instances, share))


async def async_explore(
    case: AsyncCase,
    perform: Callable[[AsyncBackend, Action], Awaitable[Result]],
    names: Sequence[str],
    *,
    instances: int = 1,
    share: float = 1,
) -> None:
    """The same for an asynchronous backend, whose calls run in this loop while the search runs in a thread."""
    backends = [case.backend, *(case.make() for _ in range(instances - 1))]
    loop = asyncio.get_running_loop()

    async def awaited(action: Action) -> Result:
        return await perform(backends[action.instance], action)

    def wait(action: Action) -> Result:
        return asyncio.run_coroutine_threadsafe(awaited(action), loop).result()

    judge(case, await asyncio.to_thread(_search, case, wait, names, instances, share), asynchronous=True)


def _search(
    case: AnyCase[Any], perform: Callable[[Action], Result], names: Sequence[str], instances: int, share: float
) -> Divergence | None:
    if not case.profile.case_sensitive:
        names = list({name.casefold(): name for name in names}.values())
    ground = Ground(
        names=names,
        folder=case.folder,
        profile=case.profile,
        capabilities=case.backend.capabilities,
        declared=case.harness.deviations.keys(),
        instances=instances,
        perform=perform,
    )
    budget = BUDGETS[case.tier]
    return search(ground, examples=round(budget.examples * share), actions=budget.actions)


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
