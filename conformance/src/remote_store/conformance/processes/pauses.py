"""Shortens the pauses that a backend makes before it tries a request again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

__all__ = ["short_pauses"]


@contextmanager
def short_pauses(longest: float = 0.05) -> Iterator[None]:
    """Cap `time.sleep` and `asyncio.sleep` in this process until the block ends.

    Rules check attempts and their results, never how long a backend waits between two attempts. An SDK may wait for
    seconds.

    Args:
        longest: Seconds that a pause may take.
    """
    sleep, sleep_awaited = time.sleep, asyncio.sleep

    def shortened(seconds: float) -> None:
        sleep(min(seconds, longest))

    async def shortened_awaited(delay: float, result: Any = None) -> Any:
        return await sleep_awaited(min(delay, longest), result)

    with mock.patch("time.sleep", shortened), mock.patch("asyncio.sleep", shortened_awaited):
        yield
