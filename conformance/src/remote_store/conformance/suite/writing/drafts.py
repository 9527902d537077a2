# Generated from conformance/src/remote_store/conformance/suite/aio/writing/drafts.py by tools/unasync.py; edit that.
"""Checks that programs of calls on the file of `open_atomic` write what they write to a file in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from remote_store.conformance.checking.buffers import VIEWS, WRITABLE, bytes_of, fill
from remote_store.conformance.checking.callers import CALLERS_ERRORS, MORE_ERRORS, Caught
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.suite.expectations import nothing_else
from remote_store.conformance.suite.reading.programs import programs
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

    def __init__(self, case: Case, draft: Any) -> None:
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

    def run(self, calls: Sequence[str], count: int) -> None:
        """Make this many calls, drawn from their names."""
        for _ in range(count):
            self.step(self._case.rng.choice(calls))

    def step(self, call: str) -> None:
        """Make one call of this name, with arguments that are drawn."""
        getattr(self, f"_{call}")()
        if self._case.rng.random() < 0.4:
            self._tell()

    def _expect(self, observed: object, expected: object, call: str) -> None:
        self._case.expect_equal(
            observed, expected, f"{call} of the file of open_atomic, after {self.told or 'nothing'}"
        )
        self._done.append(call)

    def _write(self) -> None:
        kind = self._case.rng.choice(list(VIEWS))
        buffer = VIEWS[kind](self._case.content(self._case.rng.choice(SIZES)))
        if memoryview(buffer).c_contiguous:
            data = bytes_of(buffer)
            self._expect(self._draft.write(buffer), self._file.write(data), f"write({len(data)} bytes of {kind})")

    def _reused(self) -> None:
        """Write from a buffer that is filled anew for each write."""
        buffer = WRITABLE[self._case.rng.choice(list(WRITABLE))](self._case.rng.choice(SIZES))
        for _ in range(2):
            fill(buffer, self._case.content(len(bytes_of(buffer))))
            expected = self._file.write(bytes_of(buffer))
            self._expect(self._draft.write(memoryview(buffer)), expected, f"write({expected} bytes, used again)")
        fill(buffer)

    def _tell(self) -> None:
        self._expect(self._draft.tell(), self._file.tell(), "tell()")

    def _text(self) -> None:
        text: Any = "text"
        with self._case.expect_raises(TypeError, what="writing text inside the block"):
            self._draft.write(text)
        self._done.append("write(text)")

    def _flush(self) -> None:
        if hasattr(self._draft, "flush"):
            self._draft.flush()
            self._done.append("flush()")

    def _lines(self) -> None:
        if hasattr(self._draft, "writelines"):
            lines = [self._case.content(size) for size in (3, 0, 100)]
            self._draft.writelines(iter(lines))
            self._file.writelines(lines)
            self._done.append("writelines(...)")

    def _seek(self) -> None:
        self._to(self._case.rng.randrange(len(self.content) + 1))
        self._write()
        self._to(len(self.content))

    def _middle(self) -> None:
        self._to(len(self.content) // 2)
        self._expect(self._draft.write(b"middle"), self._file.write(b"middle"), "write(b'middle')")

    def _to(self, target: int) -> None:
        if not self._draft.seekable():
            return
        whence = self._case.rng.choice((io.SEEK_SET, io.SEEK_CUR, io.SEEK_END))
        offset = target - (0, self._file.tell(), len(self.content))[whence]
        self._expect(self._draft.seek(offset, whence), self._file.seek(target), f"seek({offset}, {whence})")


class DraftSuite:
    """Files of `open_atomic` beside files in memory."""

    @check("ATOM-007", needs=READ)
    def test_draft_program(self, case: Case) -> None:
        count, length = programs(case)
        for number in range(count):
            path = case.path(f"file-{number}")
            if number % 2:
                case.backend.write(path, OLD)
            with case.backend.open_atomic(path, overwrite=bool(number % 2)) as draft:
                twin = DraftTwin(case, draft)
                twin.run(CALLS if case.rng.random() < 0.7 else APPENDING, case.rng.randrange(length))
            observed = case.backend.read_bytes(path)
            case.expect_equal(observed, twin.content, f"the file of a block whose last calls were {twin.told}")

    @check("ATOM-004", needs=READ)
    def test_draft_program_that_raises(self, case: Case) -> None:
        errors: dict[str, Any] = {**CALLERS_ERRORS, **MORE_ERRORS, "StopIteration": lambda: StopIteration("mine")}
        kept = []
        for name in errors if case.tier in ("full", "soak") else case.rng.sample(list(errors), 3):
            path, error = case.path(f"file of {name}"), errors[name]()
            if case.rng.random() < 0.5:
                case.backend.write(path, OLD)
                kept.append(path)
            with Caught() as caught:
                with case.backend.open_atomic(path, overwrite=True) as draft:
                    DraftTwin(case, draft).run(CALLS, case.rng.randrange(8))
                    if case.rng.random() < 0.2:
                        draft.close()
                    raise error
            observed = caught.error
            case.expect(observed is error, f"the {name} of the block is raised unchanged", observed)
        for path in kept:
            case.expect_equal(case.backend.read_bytes(path), OLD, "the old file of a block that raised")
        nothing_else(case, kept)

    @check("ATOM-003", needs=READ)
    def test_draft_programs_at_once(self, case: Case) -> None:
        _, length = programs(case)
        names = ("one", "two", "one")
        case.backend.write(case.path("one"), OLD)
        twins: list[DraftTwin] = []
        with ExitStack() as stack:
            for name in names:
                draft = stack.enter_context(case.backend.open_atomic(case.path(name), overwrite=True))
                twins.append(DraftTwin(case, draft))
            for number in range(length):
                twins[number % 3].step(case.rng.choice(CALLS))
            case.expect_equal(case.backend.read_bytes(case.path("one")), OLD, "the file while its blocks run")
            case.expect_equal(case.backend.exists(case.path("two")), False, "exists while the block runs")
            # A block inside these blocks that fails takes nothing from them.
            with suppress(Inner):
                with case.backend.open_atomic(case.path("two"), overwrite=True) as inner:
                    inner.write(b"inner")
                    raise Inner
        # The blocks end in the reverse order.
        for name, twin in zip(names[:2], twins[:2], strict=True):
            observed = case.backend.read_bytes(case.path(name))
            case.expect_equal(observed, twin.content, f"the file {name!r} of a block whose last calls were {twin.told}")
        nothing_else(case, [case.path("one"), case.path("two")])


class Inner(Exception):
    """Ends a block inside other blocks."""
