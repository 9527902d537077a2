"""Checks that open streams, listings, blocks and writes survive a fork, a closed copy, a failure or a pause."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any

from remote_store.conformance.checking.any_case import SERVED
from remote_store.conformance.checking.async_trees import fill, found, taken
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.checking.width import readers_of
from remote_store.conformance.processes.later import later
from remote_store.conformance.suite.aio.endings import endings
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.conformance.suite.aio.lives.forks import BLOCKS, require_forks, used
from remote_store.conformance.suite.aio.lives.process import DAY, SIGNED, SIZE, write
from remote_store.core import AsyncBackend, BackendUnavailable, Capability

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
FAILED = {"smoke": 2, "quick": 8, "full": 60, "soak": 200}
"""How many operations fail in the middle of others."""


class AsyncMiddleSuite:
    """LIFE, PROC: what has begun goes on, whatever happens meanwhile."""

    async def _everything(self, case: AsyncCase, event: Callable[[], Any], what: str) -> None:
        """Begin a stream of each kind, a listing, a block and a write; let the event happen; and finish them.

        The event happens twice: in the source of the write, and after it.
        """
        able = case.backend.capabilities
        content = case.content(SIZE if case.tier == "smoke" else BLOCKS)
        paths, half = await fill(case, "dir/a", "dir/b", "dir/c", data=content), len(content) // 2
        async with AsyncExitStack() as opened:
            methods = ["read", *(["read_seekable"] if Capability.SEEKABLE_READ in able else [])]
            # The event may open one more.
            methods = methods[: readers_of(case) - 1]
            streams = [
                await opened.enter_async_context(await getattr(case.backend, method)(path))
                for method, path in zip(methods, paths, strict=False)
            ]
            begun = [await stream.read(half) for stream in streams]
            listing = case.backend.list_files(case.path("dir"))
            entry = await taken(case, listing)
            writer: Any = None
            if ATOMIC in able:
                writer = await opened.enter_async_context(case.backend.open_atomic(case.path("block")))
                await writer.write(content[:half])
            await write(case.backend, "write", case.path("written"), content, event)
            await event()
            for method, stream, piece in zip(methods, streams, begun, strict=True):
                rest = await stream.read()
                case.expect(piece + rest == content, f"the content of a stream of {method} during {what}", len(rest))
            listed = sorted([entry.path, *await found(listing)])
            case.expect_equal(listed, paths, f"a listing during {what}")
            if writer is not None:
                await writer.write(content[half:])
        for name in ("written", *(["block"] if ATOMIC in able else [])):
            await expect_content(case, name, content)

    @async_check("LIFE-004", needs=(WRITE, READ, LIST))
    async def test_life_a_fork_in_the_middle_of_everything(self, case: AsyncCase) -> None:
        require_forks(case)

        async def fork() -> None:
            try:
                in_fork(partial(used_and_closed, case.backend, case.path("child")))
            except Exception as error:
                case.fail("work in a child that was forked in the middle of other work", "no exception", error)

        await self._everything(case, fork, "a fork")
        await expect_content(case, "child/file", b"child")

    @async_check("LIFE-021", "PROC-005", needs=(WRITE, READ, LIST))
    async def test_life_another_instance_closes_in_the_middle_of_everything(self, case: AsyncCase) -> None:
        case.require_profile("two instances do not share a storage", case.profile.shared)

        async def use() -> None:
            await used_and_closed(case.make(), case.path("other"))

        await self._everything(case, use, "the work and the end of another instance")

    @async_check("LIFE-022", "LIFE-003", needs=(WRITE, READ, LIST))
    async def test_life_a_copy_closes_in_the_middle_of_everything(self, case: AsyncCase) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)

        async def use() -> None:
            try:
                twin = pickle.loads(pickle.dumps(case.backend))
            except Exception as error:
                case.fail("a pickle of a backend that is in use", "a copy", error)
            await used_and_closed(twin, case.path("copy"))

        await self._everything(case, use, "the work and the end of a copy")

    @async_check("LIFE-003", "LIFE-022", needs=(WRITE, READ, LIST))
    async def test_life_copies_by_every_protocol(self, case: AsyncCase) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        await used(case.backend, case.path("dir"))
        backend, told = case.backend, description(case.backend, case.path("dir/file"))
        ways: dict[str, Callable[[], Any]] = {
            f"a pickle of protocol {number}": partial(self._pickled, backend, number)
            for number in range(2, pickle.HIGHEST_PROTOCOL + 1)
        }
        ways["deepcopy"] = partial(copy.deepcopy, backend)
        ways["a pickle of a pickle"] = lambda: self._pickled(self._pickled(backend, 4), 4)
        for what in case.rng.sample(list(ways), 2) if case.tier == "smoke" else ways:
            make = ways[what]
            try:
                twin = make()
            except Exception as error:
                case.fail(f"{what} of the backend", "a copy", error)
            case.expect_equal(description(twin, case.path("dir/file")), told, f"the description of {what}")
            await used_and_closed(twin, case.path("dir"))
            await used(backend, case.path("dir"))

    def _pickled(self, backend: AsyncBackend, protocol: int) -> AsyncBackend:
        twin: AsyncBackend = pickle.loads(pickle.dumps(backend, protocol))
        return twin

    @async_check("PROC-009", needs=(WRITE, READ, LIST))
    async def test_process_meets_failures_in_the_middle_of_everything(self, case: AsyncCase) -> None:
        ends = await endings(case, "ends", FAILED[case.tier])
        half = len(ends) // 2
        rounds = iter((ends[:half], ends[half:]))

        async def fail() -> None:
            for end in next(rounds):
                await end.run()

        await self._everything(case, fail, f"what fails: {', '.join(end.name for end in ends[:8])}")

    @async_check("PROC-007", needs=(WRITE, READ, LIST))
    async def test_process_goes_on_later_with_what_it_began(self, case: AsyncCase) -> None:
        local = case.harness.endpoint is None and case.kind not in SERVED
        age = DAY if local else SIGNED
        ages = iter((age / 2, age))
        with ExitStack() as moved:

            async def wait() -> None:
                # A clock that was moved is not found again.
                moved.close()
                moved.enter_context(later(next(ages), type(case.backend)))

            await self._everything(case, wait, "a long pause")

    @async_check("ERR-009", "LIFE-006", needs=(WRITE, READ, LIST))
    async def test_life_a_closed_backend_refuses_whatever_is_wrong(self, case: AsyncCase) -> None:
        ends = [end for end in await endings(case, "dir") if not end.name.endswith(("before it begins", "': True}"))]
        await case.backend.close()
        for end in ends:
            with case.expect_raises(BackendUnavailable, what=end.name, where=lambda error: not error.retryable):
                await end.attempt()


async def used_and_closed(backend: AsyncBackend, folder: str) -> None:
    """Use an instance, and close it."""
    await used(backend, folder)
    await backend.close()


def description(backend: AsyncBackend, path: str) -> list[object]:
    """What a copy has in common with its original."""
    native = backend.native_path(path)
    # The default text of an object has its address.
    text = ADDRESS.sub("", repr(backend))
    return [type(backend), backend.name, backend.capabilities, text, native, backend.resolve(path)]
