from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from remote_store.core.io.workers import Workers
from remote_store.core.s3.engine.aio_tasks import AsyncTasks
from remote_store.core.s3.engine.tasks import Tasks


class Result:
    """Something that a weak reference can follow, in the place of the bytes of a range."""


def test_a_result_that_was_handed_out_is_forgotten() -> None:
    workers = Workers(2, "test")
    tasks = Tasks(lambda: workers)
    for _ in range(3):
        tasks.begin(Result)
    followed = weakref.ref(tasks.first())
    gc.collect()
    assert followed() is None
    assert [type(result) for result in tasks.results()] == [Result, Result]


async def test_a_result_of_a_task_that_was_handed_out_is_forgotten() -> None:
    async def make() -> Result:
        return Result()

    tasks = AsyncTasks()
    for _ in range(3):
        await tasks.begin(make)
    followed = weakref.ref(await tasks.first())
    await asyncio.sleep(0)
    gc.collect()
    assert followed() is None
    assert [type(result) for result in await tasks.results()] == [Result, Result]


async def test_a_cancellation_while_calls_are_abandoned_is_raised_at_their_end() -> None:
    ended = []

    async def call() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    tasks = AsyncTasks()
    await tasks.begin(call)
    await asyncio.sleep(0)
    waiting = asyncio.create_task(tasks.abandon())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [True]
