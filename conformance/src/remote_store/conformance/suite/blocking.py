"""Checks for blocking backends only: exceptions that a coroutine cannot raise, and sources that use the backend."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.callers import Caught
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import Failing
from remote_store.core import Backend, Capability

SIZE = 300_000
PATIENCE = 1.0
"""Seconds that a write waits for the one within it."""
LONGEST = 30.0
"""Seconds until a write has read half of its source, also on a slow storage."""
ENDS: dict[str, Callable[[], BaseException]] = {
    "stop_iteration": lambda: StopIteration("mine"),
    "stop_async_iteration": lambda: StopAsyncIteration("mine"),
    "generator_exit": lambda: GeneratorExit("mine"),
}


class Halting(io.RawIOBase):
    """A stream that calls a function between the two halves of its content.

    Args:
        content: The bytes of the stream.
        halfway: The function.
    """

    def __init__(self, content: bytes, halfway: Callable[[], object]) -> None:
        half = len(content) // 2
        self._halves = [io.BytesIO(content[:half]), io.BytesIO(content[half:])]
        self._halfway = halfway

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        count = self._halves[0].readinto(buffer)
        if not count and len(self._halves) > 1:
            del self._halves[0]
            self._halfway()
            count = self._halves[0].readinto(buffer)
        return count


# Streams that backends are tempted to read in a way of their own.
SOURCES: dict[str, Callable[[io.RawIOBase], Any]] = {
    "a raw stream": lambda raw: raw,
    "a buffered stream": io.BufferedReader,
    "a stream with a small buffer": lambda raw: io.BufferedReader(raw, 100),
}


def one_around_the_other(
    backend: Backend, contents: Mapping[str, bytes], source: Callable[[io.RawIOBase], Any]
) -> list[Callable[[], object]]:
    """Two writes, for a thread each. The second begins and ends while the first one reads its source."""
    (around, outer), (within, inner) = contents.items()
    halfway, ended = threading.Event(), threading.Event()

    def pause() -> None:
        halfway.set()
        # A backend may let one write wait for another one.
        ended.wait(PATIENCE)

    def write_within() -> None:
        halfway.wait(LONGEST)
        try:
            backend.write(within, source(Halting(inner, lambda: None)))
        finally:
            ended.set()

    return [partial(backend.write, around, source(Halting(outer, pause))), write_within]


class BlockingSuite:
    @pytest.mark.parametrize("name", ENDS)
    @check("ERR-012")
    def test_error_of_a_source_that_ends_an_iteration(self, case: Case, name: str) -> None:
        for good in (0, 70_000, (case.profile.part_size or 0) + 1):
            for method in (case.backend.write, case.backend.write_atomic):
                if method == case.backend.write_atomic and Capability.ATOMIC_WRITE not in case.backend.capabilities:
                    continue
                source: Any = Failing(good, error := ENDS[name]())
                self._expect_itself(case, error, partial(method, case.path("file"), source))
            case.expect_equal(case.backend.exists(case.path("file")), False, f"exists after {good:,} bytes")

    @pytest.mark.parametrize("name", ENDS)
    @check("ATOM-004")
    def test_atomic_open_with_the_end_of_an_iteration(self, case: Case, name: str) -> None:
        def fail() -> None:
            with case.backend.open_atomic(case.path("file")) as stream:
                stream.write(b"half" * 10_000)
                raise error

        error = ENDS[name]()
        self._expect_itself(case, error, fail)
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists after the block")

    @check("WRITE-016", needs=(Capability.READ,))
    def test_write_in_the_middle_of_another_one(self, case: Case) -> None:
        for number, (name, source) in enumerate(SOURCES.items()):
            contents = {case.path(f"{number}/{each}"): case.content(SIZE) for each in ("around", "within")}
            for outcome in case.together(one_around_the_other(case.backend, contents, source)):
                case.expect(not isinstance(outcome, Exception), f"two writes from {name} at a time", outcome)
            for path, content in contents.items():
                kept = case.backend.read_bytes(path)
                case.expect(kept == content, f"{path!r}, from {name}, has its own content", f"{len(kept):,} bytes")

    def _expect_itself(self, case: Case, error: BaseException, call: Callable[[], object]) -> None:
        with Caught() as caught:
            call()
        observed = caught.error
        case.expect(observed is error, "the caller's exception is raised unchanged", observed)
