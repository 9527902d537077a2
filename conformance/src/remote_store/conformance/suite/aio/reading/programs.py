"""Checks that streams do what a file in memory does, in programs of calls that are drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.width import is_near, readers_of
from remote_store.conformance.suite.aio.reading.seeking import require_method
from remote_store.conformance.suite.aio.reading.twins import (
    EVERYTHING,
    FILLING,
    FORWARD,
    LINEWISE,
    SEEKING,
    SIZES_OF_FILES,
    Twin,
    text,
)
from remote_store.core import Capability, NotFound, PreconditionFailed

WRITE = (Capability.WRITE,)
DELETE = (Capability.WRITE, Capability.DELETE)
METHODS = ("read", "read_seekable")
PROGRAMS = {"smoke": (1, 8), "quick": (2, 25), "full": (12, 50), "soak": (60, 100)}
"""How many programs, and how many calls in each, by tier."""
FAR = (2, 15)
"""The same in the full tier, if each call may be a request."""
SMALL = 100_001
"""The largest file in the smoke tier."""


def programs(case: AsyncCase) -> tuple[int, int]:
    """How many programs the case makes, and how many calls in each."""
    return PROGRAMS[case.tier] if case.tier in ("smoke", "soak") or is_near(case) else FAR


def drawn_text(case: AsyncCase) -> bytes:
    """The bytes of a file; one that is not larger than a block in the smoke tier."""
    sizes = [size for size in SIZES_OF_FILES if case.tier != "smoke" or size <= SMALL]
    return text(case, case.rng.choice(sizes))


class AsyncProgramSuite:
    """Streams beside files in memory."""

    @async_check("READ-010", needs=WRITE)
    async def test_program_of_reads(self, case: AsyncCase) -> None:
        await self._alone(case, "read", FORWARD)

    @pytest.mark.parametrize("method", METHODS)
    @async_check("SEEK-006", needs=WRITE)
    async def test_program_of_lines(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        await self._alone(case, method, LINEWISE)

    @async_check("SEEK-007", needs=WRITE)
    async def test_program_of_seeks_in_a_stream_of_read(self, case: AsyncCase) -> None:
        await self._alone(case, "read", EVERYTHING)

    @async_check("SEEK-001", needs=WRITE)
    async def test_program_of_seeks(self, case: AsyncCase) -> None:
        await self._alone(case, "read_seekable", SEEKING)

    @async_check("SEEK-005", needs=WRITE)
    async def test_program_of_readinto(self, case: AsyncCase) -> None:
        await self._alone(case, "read_seekable", FILLING)

    @async_check("SEEK-002", needs=WRITE)
    async def test_program_of_everything(self, case: AsyncCase) -> None:
        await self._alone(case, "read_seekable", EVERYTHING)

    @async_check("READ-015", needs=WRITE)
    async def test_program_of_several_readers(self, case: AsyncCase) -> None:
        await self._together(case, "read")

    @async_check("SEEK-013", needs=WRITE)
    async def test_program_of_several_seekable_readers(self, case: AsyncCase) -> None:
        await self._together(case, "read_seekable")

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-001", needs=WRITE)
    async def test_program_between_other_calls(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        others, (count, length) = OTHERS if is_near(case) else OTHERS[:3], programs(case)
        content, path = drawn_text(case), case.path("file")
        await case.backend.write(path, content)
        for _ in range(count):
            async with await getattr(case.backend, method)(path) as stream:
                twin = Twin(case, stream, content, f"a stream of {method}")
                for _ in range(length // 2):
                    await case.rng.choice(others)(case)
                    await twin.step(case.rng.choice(EVERYTHING))

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-013", needs=WRITE)
    async def test_program_while_overwritten(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        await self._while_changed(case, method, overwrite)

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-014", needs=DELETE)
    async def test_program_while_deleted(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        await self._while_changed(case, method, delete)

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-016", needs=WRITE)
    async def test_program_after_the_end_of_a_stream(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        content = text(case, 100_000)
        await case.backend.write(case.path("file"), content)
        for call, ask in CLOSED.items():
            stream = await getattr(case.backend, method)(case.path("file"))
            async with stream:
                await Twin(case, stream, content, f"a stream of {method}").run(("read", "readline", "lines"), 2)
                # Inside its own block, so that it is closed twice.
                await stream.close()
            await stream.close()
            case.expect_equal(stream.closed, True, "closed of a stream that was closed three times")
            with case.expect_raises(ValueError, what=f"{call} of a stream that is closed"):
                await ask(stream)

    @pytest.mark.parametrize("method", METHODS)
    @async_check("READ-017", needs=WRITE)
    async def test_program_that_is_abandoned(self, case: AsyncCase, method: str) -> None:
        require_method(case, method)
        content = text(case, 300_000)
        await case.backend.write(case.path("file"), content)
        for _ in range(ABANDONED[case.tier] if is_near(case) else 5):
            with suppress(Abandoned):
                async with await getattr(case.backend, method)(case.path("file")) as stream:
                    twin = Twin(case, stream, content, f"a stream of {method}")
                    await twin.run(("lines", "readline", "readinto", "seek"), case.rng.randrange(3))
                    if case.rng.random() < 0.5:
                        raise Abandoned
        case.expect_equal(await case.backend.read_bytes(case.path("file")), content, "the content after the streams")

    async def _alone(self, case: AsyncCase, method: str, calls: Sequence[str]) -> None:
        count, length = programs(case)
        for number in range(count):
            path, content = case.path(f"file-{number}"), drawn_text(case)
            await case.backend.write(path, content)
            async with await getattr(case.backend, method)(path) as stream:
                told = f"a stream of {method}"
                await Twin(case, stream, content, told, strict=method == "read_seekable").run(calls, length)

    async def _together(self, case: AsyncCase, method: str) -> None:
        count, length = programs(case)
        # Three streams of one file and two of another, as far as the storage has room for them.
        names = ("one", "two", "one", "two", "one")[: min(5 if count > 1 else 3, readers_of(case))]
        for _ in range(count):
            # Of one size, so that one content may be taken for the other.
            size = case.rng.choice(SIZES_OF_FILES[:10])
            contents = {name: text(case, size) for name in ("one", "two")}
            for name, content in contents.items():
                await case.backend.write(case.path(name), content, overwrite=True)
            async with AsyncExitStack() as stack:
                twins = []
                for number, name in enumerate(names):
                    stream = await stack.enter_async_context(await getattr(case.backend, method)(case.path(name)))
                    twins.append(Twin(case, stream, contents[name], f"stream {number} of {method}, of {name!r},"))
                for _ in range(length // len(twins)):
                    # The same call on each, so that what one keeps may be taken for the other's.
                    call, state = case.rng.choice(EVERYTHING), case.rng.getstate()
                    for twin in twins:
                        case.rng.setstate(state)
                        await twin.step(call)
                for _ in range(length):
                    await case.rng.choice(twins).step(case.rng.choice(EVERYTHING))
                # The end of one is not the end of the others.
                await twins.pop(case.rng.randrange(len(twins))).stream.close()
                for twin in twins:
                    await twin.run(EVERYTHING, 2)

    async def _while_changed(
        self, case: AsyncCase, method: str, change: Callable[[AsyncCase, str, bytes], Any]
    ) -> None:
        count, length = programs(case)
        for number in range(count):
            path, old = case.path(f"file-{number}"), drawn_text(case)
            new = drawn_text(case) if case.rng.random() < 0.5 else text(case, len(old))
            await case.backend.write(path, old)
            async with await getattr(case.backend, method)(path) as stream:
                twin = Twin(case, stream, old, f"a stream of {method} of a file that has changed,")
                await twin.run(EVERYTHING, case.rng.randrange(4))
                await change(case, path, new)
                with suppress(PreconditionFailed, *([NotFound] if change is delete else [])):
                    await twin.run(EVERYTHING, length)
                if change is not delete:
                    async with await getattr(case.backend, method)(path) as second:
                        fresh = Twin(case, second, new, f"a stream of {method} of the new version")
                        await fresh.run(EVERYTHING, length // 4)
                        await fresh.step("rest")


ABANDONED = {"smoke": 5, "quick": 20, "full": 150, "soak": 1000}


class Abandoned(Exception):
    """Ends the block of a stream."""


async def overwrite(case: AsyncCase, path: str, new: bytes) -> None:
    """Replace a file in one of the ways that the backend has."""
    ways = [case.backend.write]
    if Capability.ATOMIC_WRITE in case.backend.capabilities:
        ways.append(case.backend.write_atomic)
    await case.rng.choice(ways)(path, new, overwrite=True)


async def delete(case: AsyncCase, path: str, new: bytes) -> None:
    """Delete a file."""
    await case.backend.delete(path)


async def first_byte(stream: Any) -> object:
    """The first byte of a stream, by `readinto`."""
    return await stream.readinto(bytearray(1))


async def first_line(stream: Any) -> object:
    """The first line of a stream, by iteration."""
    return [line async for line in stream]


CLOSED: dict[str, Callable[[Any], Any]] = {
    "read()": lambda stream: stream.read(),
    "read(0)": lambda stream: stream.read(0),
    "readline()": lambda stream: stream.readline(),
    "readinto()": first_byte,
    "iteration": first_line,
}


async def _write(case: AsyncCase) -> None:
    content: Any = case.content(100_000)
    await case.backend.write(
        case.path("other"), content if case.rng.random() < 0.5 else io.BytesIO(content), overwrite=True
    )


async def _look(case: AsyncCase) -> None:
    case.expect_equal(await case.backend.exists(case.path("none")), False, "exists of no file")


async def _read(case: AsyncCase) -> None:
    with suppress(NotFound):
        await case.backend.read_bytes(case.path("other"))


async def _list(case: AsyncCase) -> None:
    if Capability.LIST in case.backend.capabilities:
        async for _ in case.backend.list_files(case.folder):
            break


async def _delete(case: AsyncCase) -> None:
    if Capability.DELETE in case.backend.capabilities:
        await case.backend.delete(case.path("other"), missing_ok=True)


async def _copy(case: AsyncCase) -> None:
    if Capability.COPY in case.backend.capabilities:
        await case.backend.copy(case.path("file"), case.path("other"), overwrite=True)


async def _draft(case: AsyncCase) -> None:
    if Capability.ATOMIC_WRITE in case.backend.capabilities:
        async with case.backend.open_atomic(case.path("other"), overwrite=True) as draft:
            await draft.write(b"other")


async def _range(case: AsyncCase) -> None:
    await case.backend.read_range(case.path("file"), 5, 5)


OTHERS: tuple[Callable[[AsyncCase], Any], ...] = (
    _write,
    _read,
    _list,
    _look,
    _delete,
    _copy,
    _draft,
    _range,
)
"""Calls that have nothing to do with a stream that is open."""
