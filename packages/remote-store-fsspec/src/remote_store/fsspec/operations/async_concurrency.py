"""Makes several calls at once, in tasks of the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from remote_store.fsspec.operations.concurrency import MOST_AT_ONCE

T = TypeVar("T")


async def gather(calls: Sequence[Callable[[], Awaitable[T]]], *, raising: bool = False) -> list[T | Exception]:
    """Make the calls, `MOST_AT_ONCE` at a time, and return their results in order.

    Args:
        calls: The calls.
        raising: Raise the first exception. The other calls are then cancelled. Otherwise an exception takes the place
            of the result.
    """
    turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def made(call: Callable[[], Awaitable[T]]) -> T | Exception:
        async with turns:
            try:
                return await call()
            except Exception as error:
                if raising:
                    raise
                return error

    tasks = [asyncio.ensure_future(made(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
