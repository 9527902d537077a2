"""Checks of what a cancelled operation leaves in its process and its instance, for asynchronous backends only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.processes.held import held, held_after_collection, own_temporary_folder
from remote_store.conformance.processes.surroundings import changes, no_root_handlers, overheard, surroundings
from remote_store.conformance.suite.aio.lives.leftovers import PATIENCE, POLL, expect_work
from remote_store.conformance.suite.aio.operations import operations
from remote_store.core import Capability, RemoteStoreError

NEEDS = (Capability.READ, Capability.WRITE, Capability.LIST)
TURNS = (0, 1, 2, 3, 5, 9, 17)
"""How often the event loop turns before the task is cancelled."""
ROUNDS: Mapping[str, int] = {"smoke": 0, "quick": 1, "full": len(TURNS), "soak": 3 * len(TURNS)}
"""How often each operation is cancelled, after another number of turns each time; none in smoke but a few."""
FEW = 4
PROBED = 8
"""After how many cancelled operations every operation is tried."""


class AsyncCancellingSuite:
    """ASYNC-003, PROC-001 and PROC-002: what is left of an operation that is cancelled."""

    @async_check("ASYNC-003", "PROC-001", "PROC-002", needs=NEEDS)
    async def test_async_a_cancelled_operation_leaves_all_as_it_was(self, case: AsyncCase) -> None:
        rounds, number = ROUNDS[case.tier], 0
        with own_temporary_folder() as folder, overheard() as printed, no_root_handlers():
            await case.backend.exists(case.path("first"))
            await expect_work(case, case.backend, case.backend, "first", "nothing")
            before, start = surroundings(), held_after_collection(folder)
            for turn in range(max(1, rounds)):
                async for operation in operations(case, f"dir-{turn}"):
                    number += 1
                    if not rounds and number > FEW:
                        break
                    turns = TURNS[turn % len(TURNS)] if rounds > 1 else case.rng.choice(TURNS)
                    task = asyncio.ensure_future(operation.run())
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    task.cancel()
                    # It may have ended before.
                    with suppress(asyncio.CancelledError, RemoteStoreError):
                        await task
                    what = f"{operation.name} that was cancelled after {turns} turns of the event loop"
                    for name, was, now in changes(before, surroundings()):
                        case.expect_equal(now, was, f"{name} after {what}")
                    case.expect_equal(printed.getvalue(), "", f"the text that was printed until {what}")
                    if not number % PROBED:
                        await expect_work(case, case.backend, case.backend, f"{number}", what)
            await self._expect_little(case, start, folder, number)

    async def _expect_little(self, case: AsyncCase, start: Mapping[str, int], folder: Path, number: int) -> None:
        """Fail if half as much is held as there were operations, which is more than a pool needs."""
        patience = PATIENCE
        while patience > 0 and any(count - start[name] > number / 2 for name, count in held(folder).items()):
            await asyncio.sleep(POLL)
            patience -= POLL
        for name, count in held_after_collection(folder).items():
            case.expect(
                count - start[name] <= max(4, number / 2), f"no more {name} after {number} cancelled calls", count
            )
