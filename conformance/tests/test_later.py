from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from time import monotonic

from remote_store.conformance.processes.later import later

DAY = timedelta(days=1)


class Clock:
    """Looks at the clock in the ways of a backend."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def running(self) -> float:
        return monotonic()


class Derived(Clock):
    """Has its methods from a base."""


def test_every_clock_is_moved_and_moved_back() -> None:
    clock, before = Derived(), monotonic()
    start = clock.now()
    with later(DAY, Derived):
        assert start + DAY <= clock.now() < start + 2 * DAY
        assert start + DAY - timedelta(seconds=1) <= clock.today() < start + 2 * DAY
        assert clock.running() >= before + DAY.total_seconds()
        assert isinstance(start, datetime)
    assert clock.now() < start + DAY
    assert clock.running() < before + DAY.total_seconds()
