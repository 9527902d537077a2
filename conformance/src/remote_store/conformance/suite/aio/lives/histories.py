"""Histories of calls, compared with the model."""

from __future__ import annotations

from remote_store.conformance.checking.async_trees import writable
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.model.async_perform import perform
from remote_store.conformance.model.explore import (
    async_explore,
    async_explore_pages,
    async_explore_usages,
    plain_names,
)
from remote_store.core import Capability

WRITE = (Capability.WRITE,)


class AsyncHistorySuite:
    """MODEL: any calls in any order."""

    @async_check("MODEL-001", needs=WRITE)
    async def test_model_any_history(self, case: AsyncCase) -> None:
        await async_explore(case, perform, plain_names(case))

    @async_check("MODEL-001", needs=WRITE)
    async def test_model_around_a_folder_of_more_than_a_page(self, case: AsyncCase) -> None:
        await async_explore_pages(case, perform)

    @async_check("MODEL-002", needs=WRITE)
    async def test_model_hostile_names(self, case: AsyncCase) -> None:
        await async_explore(case, perform, writable(case), share=0.6)

    @async_check("MODEL-003", needs=WRITE)
    async def test_model_instances_in_turns(self, case: AsyncCase) -> None:
        await async_explore(case, perform, plain_names(case), instances=2, share=0.6)

    @async_check("MODEL-004", needs=WRITE)
    async def test_model_long_history_of_several_usages(self, case: AsyncCase) -> None:
        await async_explore_usages(case, perform, [*plain_names(case), *writable(case)])
