"""Checks that programs of calls on the file of `open_atomic` write what they write to a file in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from remote_store.conformance.checking.buffers import VIEWS, WRITABLE, bytes_of, fill
from remote_store.conformance.checking.callers import CALLERS_ERRORS, MORE_ERRORS, Caught
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.suite.aio.expectations import nothing_else
from remote_store.conformance.suite.aio.reading.programs import programs
from remote_store.core import Capability

READ = (Capability.READ, Capability.WRITE)
CALLS = ("write", "write", "write", "write", "reused", "tell", "text", "flush", "lines", "seek", "middle")
APPENDING = ("write", "write", "reused", "tell", "text", "flush", "lines")
SIZES = (0, 1, 7, 16, 4096, 8192, 65536, 70_001, 300_000)
OLD = b"the old content"
SHOWN = 8


class DraftTwin:
    """The file of an `open_atomic` block and a file in memory, which get the same calls.

    Args:
        case: The case.
        draft: The file under test.
    """

    def __init__(self, case: AsyncCase, draft: Any) -> None:
        self._case = case
        self._draft = draft
        self._file = io.BytesIO()
        self._done: list[str] = []

    @property
    def content(self) -> bytes:
        """What has been written."""
        return self._file.getvalue()

    @property
    def told(self) -> str:
        """The latest calls, for messages."""
        return ", ".join(self._done[-SHOWN:])

    async def run(self, calls: Sequence[str], count: int) -> None:
        """Make this many calls, drawn from their names."""
        for _ in range(count):
            await self.step(self._case.rng.choice(calls))

    async def step(self, call: str) -> None:
        """Make one call of this name, with arguments that are drawn."""
        await getattr(self, f"_{call}")()
        if self._case.rng.random() < 0.4:
            await self._tell()

    def _expect(self, observed: object, expected: object, call: str) -> None:
        self._case.expect_equal(
            observed, expected, f"{call} of the file of open_atomic, after {self.told or 'nothing'}"
        )
        self._done.append(call)

    async def _write(self) -> None:
        kind = self._case.rng.choice(list(VIEWS))
        buffer = VIEWS[kind](self._case.content(self._case.rng.choice(SIZES)))
        if memoryview(buffer).c_contiguous:
            data = bytes_of(buffer)
            self._expect(await self._draft.write(buffer), self._file.write(data), f"write({len(data)} bytes of {kind})")

    async def _reused(self) -> None:
        """Write from a buffer that is filled anew for each write."""
        buffer = WRITABLE[self._case.rng.choice(list(WRITABLE))](self._case.rng.choice(SIZES))
        for _ in range(2):
            fill(buffer, self._case.content(len(bytes_of(buffer))))
            expected = self._file.write(bytes_of(buffer))
            self._expect(await self._draft.write(memoryview(buffer)), expected, f"write({expected} bytes, used again)")
        fill(buffer)

    async def _tell(self) -> None:
        self._expect(self._draft.tell(), self._file.tell(), "tell()")

    async def _text(self) -> None:
        text: Any = "text"
        with self._case.expect_raises(TypeError, what="writing text inside the block"):
            await self._draft.write(text)
        self._done.append("write(text)")

    async def _flush(self) -> None:
        if hasattr(self._draft, "flush"):
            await self._draft.flush()
            self._done.append("flush()")

    async def _lines(self) -> None:
        if hasattr(self._draft, "writelines"):
            lines = [self._case.content(size) for size in (3, 0, 100)]
            await self._draft.writelines(iter(lines))
            self._file.writelines(lines)
            self._done.append("writelines(...)")

    async def _seek(self) -> None:
        await self._to(self._case.rng.randrange(len(self.content) + 1))
        await self._write()
        await self._to(len(self.content))

    async def _middle(self) -> None:
        await self._to(len(self.content) // 2)
        self._expect(await self._draft.write(b"middle"), self._file.write(b"middle"), "write(b'middle')")

    async def _to(self, target: int) -> None:
        if not self._draft.seekable():
            return
        whence = self._case.rng.choice((io.SEEK_SET, io.SEEK_CUR, io.SEEK_END))
        offset = target - (0, self._file.tell(), len(self.content))[whence]
        self._expect(await self._draft.seek(offset, whence), self._file.seek(target), f"seek({offset}, {whence})")


class AsyncDraftSuite:
    """Files of `open_atomic` beside files in memory."""

    @async_check("ATOM-007", needs=READ)
    async def test_draft_program(self, case: AsyncCase) -> None:
        count, length = programs(case)
        for number in range(count):
            path = case.path(f"file-{number}")
            if number % 2:
                await case.backend.write(path, OLD)
            async with case.backend.open_atomic(path, overwrite=bool(number % 2)) as draft:
                twin = DraftTwin(case, draft)
                await twin.run(CALLS if case.rng.random() < 0.7 else APPENDING, case.rng.randrange(length))
            observed = await case.backend.read_bytes(path)
            case.expect_equal(observed, twin.content, f"the file of a block whose last calls were {twin.told}")

    @async_check("ATOM-004", needs=READ)
    async def test_draft_program_that_raises(self, case: AsyncCase) -> None:
        errors: dict[str, Any] = {**CALLERS_ERRORS, **MORE_ERRORS, "StopIteration": lambda: StopIteration("mine")}
        kept = []
        for name in errors if case.tier in ("full", "soak") else case.rng.sample(list(errors), 3):
            path, error = case.path(f"file of {name}"), errors[name]()
            if case.rng.random() < 0.5:
                await case.backend.write(path, OLD)
                kept.append(path)
            with Caught() as caught:
                async with case.backend.open_atomic(path, overwrite=True) as draft:
                    await DraftTwin(case, draft).run(CALLS, case.rng.randrange(8))
                    if case.rng.random() < 0.2:
                        await draft.close()
                    raise error
            observed = caught.error
            case.expect(observed is error, f"the {name} of the block is raised unchanged", observed)
        for path in kept:
            case.expect_equal(await case.backend.read_bytes(path), OLD, "the old file of a block that raised")
        await nothing_else(case, kept)

    @async_check("ATOM-003", needs=READ)
    async def test_draft_programs_at_once(self, case: AsyncCase) -> None:
        _, length = programs(case)
        names = ("one", "two", "one")
        await case.backend.write(case.path("one"), OLD)
        twins: list[DraftTwin] = []
        async with AsyncExitStack() as stack:
            for name in names:
                draft = await stack.enter_async_context(case.backend.open_atomic(case.path(name), overwrite=True))
                twins.append(DraftTwin(case, draft))
            for number in range(length):
                await twins[number % 3].step(case.rng.choice(CALLS))
            case.expect_equal(await case.backend.read_bytes(case.path("one")), OLD, "the file while its blocks run")
            case.expect_equal(await case.backend.exists(case.path("two")), False, "exists while the block runs")
            # A block inside these blocks that fails takes nothing from them.
            with suppress(Inner):
                async with case.backend.open_atomic(case.path("two"), overwrite=True) as inner:
                    await inner.write(b"inner")
                    raise Inner
        # The blocks end in the reverse order.
        for name, twin in zip(names[:2], twins[:2], strict=True):
            observed = await case.backend.read_bytes(case.path(name))
            case.expect_equal(observed, twin.content, f"the file {name!r} of a block whose last calls were {twin.told}")
        await nothing_else(case, [case.path("one"), case.path("two")])


class Inner(Exception):
    """Ends a block inside other blocks."""
