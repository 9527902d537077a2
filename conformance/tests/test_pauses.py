from __future__ import annotations

import asyncio
import time

from remote_store.conformance.processes.pauses import short_pauses

LONG = 3600.0


def test_pauses_are_short_within_the_block_only() -> None:
    sleep, sleep_awaited = time.sleep, asyncio.sleep
    with short_pauses(0.001):
        time.sleep(LONG)
        assert asyncio.run(asyncio.sleep(LONG, "result")) == "result"
    assert (time.sleep, asyncio.sleep) == (sleep, sleep_awaited)


def test_a_pause_that_is_shorter_stays_as_it_is() -> None:
    with short_pauses(LONG):
        time.sleep(0)
        assert asyncio.run(asyncio.sleep(0, "result")) == "result"
