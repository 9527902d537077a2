from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from mutants.memory import MemoryHarness
from remote_store.conformance import BackendConformance, Case
from remote_store.conformance.processes.later import later
from remote_store.conformance.suite.lives import process

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


def test_a_class_may_name_a_module_that_is_not_there() -> None:
    made = type("Made", (Clock,), {"__module__": "a_module.that_was_removed"})
    before = monotonic()
    with later(DAY, made):
        assert made().running() >= before + DAY.total_seconds()


async def waits() -> str:
    async def begin() -> None:
        with later(DAY):
            await asyncio.sleep(0)
            # A timer that begins inside the block ends after it.
            asyncio.get_running_loop().call_later(0.01, ended.set)
            await asyncio.sleep(0)

    ended = asyncio.Event()
    async with asyncio.timeout(30):
        await begin()
        await ended.wait()
    return "in time"


def test_timeouts_and_timers_of_an_event_loop_end_when_they_would_have_ended() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, waits()).result(20) == "in time"


class Described(Case):
    """A case of a backend that says itself that it is one of S3."""

    def begin(self, *, again: int = 0) -> None:
        super().begin(again=again)
        self.kind = "s3"


def test_a_signature_stays_valid_if_only_the_backend_says_that_it_is_one_of_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    ages = []

    def noted(age: timedelta, *kinds: type) -> AbstractContextManager[None]:
        ages.append(age)
        return later(age, *kinds)

    monkeypatch.setattr(process, "later", noted)
    harness = MemoryHarness()
    harness.stated = False
    BackendConformance().test_process_finds_its_files_later(case=Described(harness))
    assert [age < timedelta(minutes=15) for age in ages] == [True]


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
