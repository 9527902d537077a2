"""Makes several calls at once, in threads. The counterpart for asyncio tasks is `async_concurrency`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

T = TypeVar("T")

MOST_AT_ONCE: Final = 16
"""Calls in flight."""


def gather(calls: Sequence[Callable[[], T]], *, raising: bool = False) -> list[T | Exception]:
    """Make the calls, `MOST_AT_ONCE` at a time, and return their results in order.

    Args:
        calls: The calls.
        raising: Raise the first exception. Calls that have not begun are then not made. Otherwise an exception takes
            the place of the result.
    """
    if len(calls) < 2:
        return [_made(call, raising=raising) for call in calls]
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(calls)), "remote-store-fsspec") as pool:
        futures = [pool.submit(copy_context().run, _made, call, raising=raising) for call in calls]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _made(call: Callable[[], T], *, raising: bool) -> T | Exception:
    try:
        return call()
    except Exception as error:
        if raising:
            raise
        return error
