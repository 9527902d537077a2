# Generated from conformance/src/remote_store/conformance/suite/aio/errors/limits.py by tools/unasync.py; edit that.
"""Calls end in time, whatever the server does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found
from remote_store.conformance.checking.wire import require_option, require_s3
from remote_store.conformance.http.faults import Stall, Trickle, WireFault
from remote_store.core import BackendUnavailable, Capability, RetryPolicy

LATE = 2.0
"""Seconds that a busy machine may add."""

HANG = 4.0
"""Seconds for which the server is silent."""


class LimitSuite:
    """LIFE: limits of time."""

    @check("LIFE-024", needs=(Capability.WRITE, Capability.READ, Capability.DELETE, Capability.LIST))
    def test_life_the_total_timeout_ends_an_operation(self, case: Case) -> None:
        require_s3(case)
        require_option(case, "retry")
        fill(case, "file", data=b"old")
        backend, path = case.make(retry=RetryPolicy(max_attempts=3, total_timeout=0.5)), case.path("file")
        calls: dict[str, Any] = {
            "read_bytes": partial(backend.read_bytes, path),
            "write": partial(backend.write, path, b"new", overwrite=True),
            "delete": partial(backend.delete, path),
            "list_files": partial(found, backend.list_files(case.folder)),
        }
        for name, call in calls.items():
            with ends(case, Stall(HANG), name, 0.5):
                call()

    @check("LIFE-025", needs=(Capability.WRITE, Capability.LIST))
    def test_life_bytes_that_trickle_end_too(self, case: Case) -> None:
        require_s3(case)
        for option in ("retry", "connect_timeout", "read_timeout"):
            require_option(case, option)
        fill(case, "file")
        backend = case.make(retry=RetryPolicy.disabled(), connect_timeout=0.5, read_timeout=0.1)
        with ends(case, Trickle(0.01), "list_files", 0.5 + 10 * 0.1):
            found(backend.list_files(case.folder))


@contextmanager
def ends(case: Case, fault: WireFault, what: str, seconds: float) -> Iterator[None]:
    """Inject a fault into all requests of the block, which must raise BackendUnavailable within some seconds."""
    case.endpoint.inject(fault, times=None)
    began = time.monotonic()
    try:
        with case.expect_raises(BackendUnavailable, what=what, where=lambda error: error.retryable):
            yield
    finally:
        case.endpoint.clear_faults()
    took = time.monotonic() - began
    case.expect(took < seconds + LATE, f"{what} ends within {seconds:g} s", f"{took:.1f} s")
