"""Checks for blocking backends only: exceptions that a coroutine cannot raise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import Failing
from remote_store.core import Capability

ENDS: dict[str, Callable[[], BaseException]] = {
    "stop_iteration": lambda: StopIteration("mine"),
    "stop_async_iteration": lambda: StopAsyncIteration("mine"),
    "generator_exit": lambda: GeneratorExit("mine"),
}


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

    def _expect_itself(self, case: Case, error: BaseException, call: Callable[[], object]) -> None:
        observed: BaseException | None = None
        try:
            call()
        except BaseException as raised:
            observed = raised
        case.expect(observed is error, "the caller's exception is raised unchanged", observed)
