# Generated from conformance/src/remote_store/conformance/suite/aio/reading/programs.py by tools/unasync.py; edit that.
"""Checks that streams do what a file in memory does, in programs of calls that are drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.width import is_near, readers_of
from remote_store.conformance.suite.reading.seeking import require_method
from remote_store.conformance.suite.reading.twins import (
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


def programs(case: Case) -> tuple[int, int]:
    """How many programs the case makes, and how many calls in each."""
    return PROGRAMS[case.tier] if case.tier in ("smoke", "soak") or is_near(case) else FAR


def drawn_text(case: Case) -> bytes:
    """The bytes of a file; one that is not larger than a block in the smoke tier."""
    sizes = [size for size in SIZES_OF_FILES if case.tier != "smoke" or size <= SMALL]
    return text(case, case.rng.choice(sizes))


class ProgramSuite:
    """Streams beside files in memory."""

    @check("READ-010", needs=WRITE)
    def test_program_of_reads(self, case: Case) -> None:
        self._alone(case, "read", FORWARD)

    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-006", needs=WRITE)
    def test_program_of_lines(self, case: Case, method: str) -> None:
        require_method(case, method)
        self._alone(case, method, LINEWISE)

    @check("SEEK-007", needs=WRITE)
    def test_program_of_seeks_in_a_stream_of_read(self, case: Case) -> None:
        self._alone(case, "read", EVERYTHING)

    @check("SEEK-001", needs=WRITE)
    def test_program_of_seeks(self, case: Case) -> None:
        self._alone(case, "read_seekable", SEEKING)

    @check("SEEK-005", needs=WRITE)
    def test_program_of_readinto(self, case: Case) -> None:
        self._alone(case, "read_seekable", FILLING)

    @check("SEEK-002", needs=WRITE)
    def test_program_of_everything(self, case: Case) -> None:
        self._alone(case, "read_seekable", EVERYTHING)

    @check("READ-015", needs=WRITE)
    def test_program_of_several_readers(self, case: Case) -> None:
        self._together(case, "read")

    @check("SEEK-013", needs=WRITE)
    def test_program_of_several_seekable_readers(self, case: Case) -> None:
        self._together(case, "read_seekable")

    @pytest.mark.parametrize("method", METHODS)
    @check("READ-001", needs=WRITE)
    def test_program_between_other_calls(self, case: Case, method: str) -> None:
        require_method(case, method)
        others, (count, length) = OTHERS if is_near(case) else OTHERS[:3], programs(case)
        content, path = drawn_text(case), case.path("file")
        case.backend.write(path, content)
        for _ in range(count):
            with getattr(case.backend, method)(path) as stream:
                twin = Twin(case, stream, content, f"a stream of {method}")
                for _ in range(length // 2):
                    case.rng.choice(others)(case)
                    twin.step(case.rng.choice(EVERYTHING))

    @pytest.mark.parametrize("method", METHODS)
    @check("READ-013", needs=WRITE)
    def test_program_while_overwritten(self, case: Case, method: str) -> None:
        require_method(case, method)
        self._while_changed(case, method, overwrite)

    @pytest.mark.parametrize("method", METHODS)
    @check("READ-014", needs=DELETE)
    def test_program_while_deleted(self, case: Case, method: str) -> None:
        require_method(case, method)
        self._while_changed(case, method, delete)

    @pytest.mark.parametrize("method", METHODS)
    @check("READ-016", needs=WRITE)
    def test_program_after_the_end_of_a_stream(self, case: Case, method: str) -> None:
        require_method(case, method)
        content = text(case, 100_000)
        case.backend.write(case.path("file"), content)
        for call, ask in CLOSED.items():
            stream = getattr(case.backend, method)(case.path("file"))
            with stream:
                Twin(case, stream, content, f"a stream of {method}").run(("read", "readline", "lines"), 2)
                # Inside its own block, so that it is closed twice.
                stream.close()
            stream.close()
            case.expect_equal(stream.closed, True, "closed of a stream that was closed three times")
            with case.expect_raises(ValueError, what=f"{call} of a stream that is closed"):
                ask(stream)

    @pytest.mark.parametrize("method", METHODS)
    @check("READ-017", needs=WRITE)
    def test_program_that_is_abandoned(self, case: Case, method: str) -> None:
        require_method(case, method)
        content = text(case, 300_000)
        case.backend.write(case.path("file"), content)
        for _ in range(ABANDONED[case.tier] if is_near(case) else 5):
            with suppress(Abandoned):
                with getattr(case.backend, method)(case.path("file")) as stream:
                    twin = Twin(case, stream, content, f"a stream of {method}")
                    twin.run(("lines", "readline", "readinto", "seek"), case.rng.randrange(3))
                    if case.rng.random() < 0.5:
                        raise Abandoned
        case.expect_equal(case.backend.read_bytes(case.path("file")), content, "the content after the streams")

    def _alone(self, case: Case, method: str, calls: Sequence[str]) -> None:
        count, length = programs(case)
        for number in range(count):
            path, content = case.path(f"file-{number}"), drawn_text(case)
            case.backend.write(path, content)
            with getattr(case.backend, method)(path) as stream:
                told = f"a stream of {method}"
                Twin(case, stream, content, told, strict=method == "read_seekable").run(calls, length)

    def _together(self, case: Case, method: str) -> None:
        count, length = programs(case)
        # Three streams of one file and two of another, as far as the storage has room for them.
        names = ("one", "two", "one", "two", "one")[: min(5 if count > 1 else 3, readers_of(case))]
        for _ in range(count):
            # Of one size, so that one content may be taken for the other.
            size = case.rng.choice(SIZES_OF_FILES[:10])
            contents = {name: text(case, size) for name in ("one", "two")}
            for name, content in contents.items():
                case.backend.write(case.path(name), content, overwrite=True)
            with ExitStack() as stack:
                twins = []
                for number, name in enumerate(names):
                    stream = stack.enter_context(getattr(case.backend, method)(case.path(name)))
                    twins.append(Twin(case, stream, contents[name], f"stream {number} of {method}, of {name!r},"))
                for _ in range(length // len(twins)):
                    # The same call on each, so that what one keeps may be taken for the other's.
                    call, state = case.rng.choice(EVERYTHING), case.rng.getstate()
                    for twin in twins:
                        case.rng.setstate(state)
                        twin.step(call)
                for _ in range(length):
                    case.rng.choice(twins).step(case.rng.choice(EVERYTHING))
                # The end of one is not the end of the others.
                twins.pop(case.rng.randrange(len(twins))).stream.close()
                for twin in twins:
                    twin.run(EVERYTHING, 2)

    def _while_changed(self, case: Case, method: str, change: Callable[[Case, str, bytes], Any]) -> None:
        count, length = programs(case)
        for number in range(count):
            path, old = case.path(f"file-{number}"), drawn_text(case)
            new = drawn_text(case) if case.rng.random() < 0.5 else text(case, len(old))
            case.backend.write(path, old)
            with getattr(case.backend, method)(path) as stream:
                twin = Twin(case, stream, old, f"a stream of {method} of a file that has changed,")
                twin.run(EVERYTHING, case.rng.randrange(4))
                change(case, path, new)
                with suppress(PreconditionFailed, *([NotFound] if change is delete else [])):
                    twin.run(EVERYTHING, length)
                if change is not delete:
                    with getattr(case.backend, method)(path) as second:
                        fresh = Twin(case, second, new, f"a stream of {method} of the new version")
                        fresh.run(EVERYTHING, length // 4)
                        fresh.step("rest")


ABANDONED = {"smoke": 5, "quick": 20, "full": 150, "soak": 1000}


class Abandoned(Exception):
    """Ends the block of a stream."""


def overwrite(case: Case, path: str, new: bytes) -> None:
    """Replace a file in one of the ways that the backend has."""
    ways = [case.backend.write]
    if Capability.ATOMIC_WRITE in case.backend.capabilities:
        ways.append(case.backend.write_atomic)
    case.rng.choice(ways)(path, new, overwrite=True)


def delete(case: Case, path: str, new: bytes) -> None:
    """Delete a file."""
    case.backend.delete(path)


def first_byte(stream: Any) -> object:
    """The first byte of a stream, by `readinto`."""
    return stream.readinto(bytearray(1))


def first_line(stream: Any) -> object:
    """The first line of a stream, by iteration."""
    return [line for line in stream]


CLOSED: dict[str, Callable[[Any], Any]] = {
    "read()": lambda stream: stream.read(),
    "read(0)": lambda stream: stream.read(0),
    "readline()": lambda stream: stream.readline(),
    "readinto()": first_byte,
    "iteration": first_line,
}


def _write(case: Case) -> None:
    content: Any = case.content(100_000)
    case.backend.write(case.path("other"), content if case.rng.random() < 0.5 else io.BytesIO(content), overwrite=True)


def _look(case: Case) -> None:
    case.expect_equal(case.backend.exists(case.path("none")), False, "exists of no file")


def _read(case: Case) -> None:
    with suppress(NotFound):
        case.backend.read_bytes(case.path("other"))


def _list(case: Case) -> None:
    if Capability.LIST in case.backend.capabilities:
        for _ in case.backend.list_files(case.folder):
            break


def _delete(case: Case) -> None:
    if Capability.DELETE in case.backend.capabilities:
        case.backend.delete(case.path("other"), missing_ok=True)


def _copy(case: Case) -> None:
    if Capability.COPY in case.backend.capabilities:
        case.backend.copy(case.path("file"), case.path("other"), overwrite=True)


def _draft(case: Case) -> None:
    if Capability.ATOMIC_WRITE in case.backend.capabilities:
        with case.backend.open_atomic(case.path("other"), overwrite=True) as draft:
            draft.write(b"other")


def _range(case: Case) -> None:
    case.backend.read_range(case.path("file"), 5, 5)


OTHERS: tuple[Callable[[Case], Any], ...] = (
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
