"""Checks of what an operation leaves in its process and in its instance, however it ends."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from remote_store.conformance.checking.async_trees import found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.processes.held import held, held_after_collection, own_temporary_folder
from remote_store.conformance.processes.surroundings import changes, no_root_handlers, overheard, surroundings
from remote_store.conformance.suite.aio.endings import AsyncEnding, endings, files_of
from remote_store.conformance.suite.aio.lives.process import elsewhere
from remote_store.conformance.suite.aio.operations import operations
from remote_store.core import AsyncBackend, Capability

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST
ROUNDS, MORE_ROUNDS = 2, 6
"""Rounds of all operations, and those that follow if something was left, since a pool may still grow."""
PATIENCE = 3.0
"""Seconds that threads and connections have to end."""
POLL = 0.25
SEEN: Mapping[str, int | None] = {"smoke": 15, "quick": 45, "full": None, "soak": None}
"""How many ends the process is compared after."""
ROUNDS_OF: Mapping[str, int | None] = {"smoke": 8, "quick": 18, "full": None, "soak": None}
"""How many ends are repeated to see what they keep."""
PROBED: Mapping[str, int | None] = {"smoke": 1, "quick": 9, "full": 60, "soak": None}
"""How many ends every other operation is tried after."""
AGAIN = 6
"""How often each stream is closed early."""


class AsyncLeftoverSuite:
    """PROC-001 and PROC-002: what is left of an operation."""

    @async_check("PROC-001", needs=(READ, WRITE, LIST))
    async def test_process_is_left_as_it_was(self, case: AsyncCase) -> None:
        for what, (earlier, was, now) in case.traces.first.items():
            case.expect_equal(now, was, f"{what} after {earlier}")
        await self._compared(case, operations(case, "dir"))

    @async_check("PROC-001", needs=(READ, WRITE, LIST))
    async def test_process_is_left_as_it_was_by_what_fails(self, case: AsyncCase) -> None:
        await self._compared(case, each_of(await endings(case, "dir", SEEN[case.tier])))

    async def _compared(self, case: AsyncCase, steps: AsyncIterator[Any]) -> None:
        with overheard() as printed, no_root_handlers():
            before = surroundings()
            async for step in steps:
                await step.run()
                for what, was, now in changes(before, surroundings()):
                    case.expect_equal(now, was, f"{what} after {step.name}")
                case.expect_equal(printed.getvalue(), "", f"the text that was printed until the end of {step.name}")

    @async_check("PROC-002", needs=(READ, WRITE, LIST))
    async def test_process_keeps_nothing_of_an_operation(self, case: AsyncCase) -> None:
        folders = [f"dir-{number}" for number in range(1 + ROUNDS + MORE_ROUNDS)]
        await self._expect_nothing_kept(
            case, [partial(operations, case, folder) for folder in folders], "all operations"
        )

    @async_check("PROC-002", needs=(READ, WRITE, LIST))
    async def test_process_keeps_nothing_of_what_fails(self, case: AsyncCase) -> None:
        ends = await endings(case, "dir", ROUNDS_OF[case.tier])
        await self._expect_nothing_kept(case, [partial(each_of, ends)] * (1 + ROUNDS + MORE_ROUNDS), "calls that fail")

    async def _expect_nothing_kept(self, case: AsyncCase, rounds: list[Any], what: str) -> None:
        with own_temporary_folder() as folder:
            # Pools and caches fill in a first round.
            async for step in rounds[0]():
                await step.run()
            kept = await self._kept(case, folder, rounds[1 : 1 + ROUNDS], 0)
            if kept:
                kept = await self._kept(case, folder, rounds[1 + ROUNDS :], PATIENCE)
            for resource, (count, name) in kept.items():
                case.fail(
                    f"{resource} after {MORE_ROUNDS} rounds of {what}",
                    "no more than before",
                    f"{count} more, most of them after {name}",
                )
            await case.backend.close()

    async def _kept(
        self, case: AsyncCase, folder: Path, rounds: list[Any], seconds: float
    ) -> Mapping[str, tuple[int, str]]:
        """The resources of which each round kept one or more: how many, and the operation that kept the most."""
        # What earlier checks have left for the garbage collection must not be closed during this one.
        start = held_after_collection(folder)
        kept = {resource: Counter[str]() for resource in start}
        for steps in rounds:
            async for step in steps():
                before = held(folder)
                await step.run()
                for resource, count in held(folder).items():
                    kept[resource][step.name] += count - before[resource]
        deadline = monotonic() + seconds
        end = held(folder)
        while any(end[resource] - count >= len(rounds) for resource, count in start.items()):
            end = held_after_collection(folder)
            if monotonic() >= deadline:
                break
            # What is being closed may need a turn of the event loop.
            sleep(POLL)
            await case.backend.exists(case.path("missing"))
        grown = {resource: end[resource] - count for resource, count in start.items()}
        return {
            resource: (count, kept[resource].most_common(1)[0][0])
            for resource, count in grown.items()
            if count >= len(rounds)
        }

    @async_check("READ-017", needs=(READ, WRITE, LIST))
    async def test_read_streams_that_end_early_again_and_again(self, case: AsyncCase) -> None:
        # A pool or a limit of 50 is reached by the 51st.
        ends = [end for end in await endings(case, "dir") if end.name.startswith("read") and "is closed" in end.name]
        for end in case.rng.sample(ends, 4) if case.tier == "smoke" else ends * AGAIN:
            await end.run()
        await expect_work(case, case.backend, case.backend, "end", "many streams that were closed early")

    @async_check("LIFE-003", needs=(READ, WRITE, LIST))
    async def test_life_a_pickle_after_each_operation(self, case: AsyncCase) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        async for operation in operations(case, "dir"):
            await operation.run()
            try:
                pickle.loads(pickle.dumps(case.backend))
            except Exception as error:
                case.fail(f"a pickle of the backend after {operation.name}", "a copy", error)

    @async_check("PROC-002", needs=(READ, WRITE, LIST))
    async def test_process_finds_an_instance_as_good_as_new(self, case: AsyncCase) -> None:
        ends = await endings(case, "dir", PROBED[case.tier])
        others = [case.make()] if case.profile.shared else []
        for number, end in enumerate(ends):
            await end.run()
            turn = None if case.tier == "soak" else number % 3
            # A transaction that is still open shows to another instance only.
            other = others[0] if others else case.backend
            if turn in (None, 0):
                await expect_work(case, case.backend, other, f"{number}", end.name)
            # A lock that a thread may take twice shows to another thread only.
            if turn in (None, 1):
                again = partial(expect_work, case, case.backend, case.backend)
                call = partial(again, f"{number}-elsewhere", f"{end.name}, elsewhere")
                await (elsewhere(case, call) if case.profile.threads else call())
            if turn in (None, 2):
                name = f"{end.name}, in another instance"
                await expect_work(case, other, case.backend, f"{number}-other", name)
        kept = await found(case.backend.list_files(case.path("dir"), recursive=True))
        case.expect_equal(kept, files_of(case, "dir"), "the files after everything")


async def expect_work(case: AsyncCase, backend: AsyncBackend, reader: AsyncBackend, name: str, after: str) -> None:
    """Fail unless every operation that the backend declares works after another one has ended.

    Args:
        case: The case.
        backend: The instance that changes files.
        reader: The instance that sees the changes.
        name: A name for the folder.
        after: What has ended, for messages.
    """
    folder, able, what = case.path(f"new-{name}"), backend.capabilities, f"after {after}"
    one, two, expected = f"{folder}/one", f"{folder}/below/two", dict[str, bytes]()
    await backend.write(one, iter([b"first ", b"content"]))
    await backend.write(two, b"second", overwrite=True)
    expected |= {one: b"first content", two: b"second"}
    if Capability.ATOMIC_WRITE in able:
        await backend.write_atomic(one, b"atomic", overwrite=True)
        async with backend.open_atomic(f"{folder}/three") as stream:
            await stream.write(b"third")
        expected |= {one: b"atomic", f"{folder}/three": b"third"}
    if Capability.COPY in able:
        await backend.copy(one, f"{folder}/copy")
        expected[f"{folder}/copy"] = expected[one]
    if Capability.MOVE in able:
        await backend.move(one, f"{folder}/moved")
        expected[f"{folder}/moved"] = expected.pop(one)
    listed = await found(reader.list_files(folder, recursive=True))
    case.expect_equal(listed, sorted(expected), f"the files {what}")
    for path, content in expected.items():
        async with await reader.read(path) as stream:
            case.expect_equal(await stream.read(), content, f"the content of a file {what}")
    if Capability.METADATA in able:
        case.expect_equal((await reader.get_file_info(two)).size, len(b"second"), f"the size of a file {what}")
    if Capability.DELETE in able:
        await backend.delete(two)
        case.expect_equal(await reader.exists(two), False, f"exists of a deleted file {what}")
        await backend.delete_folder(folder, recursive=True)
        case.expect_equal(await found(reader.list_files(folder, recursive=True)), [], f"the files {what}")


async def each_of(steps: list[AsyncEnding]) -> AsyncIterator[AsyncEnding]:
    """The steps, one after the other."""
    left = list(steps)
    while left:
        yield left.pop(0)
