"""Reads ahead: fetches ranges of an object before the caller requests them."""

from __future__ import annotations

import os
from collections import deque
from functools import partial

from remote_store.core.s3.engine.aio_bodies import fetch
from remote_store.core.s3.engine.aio_connections import AsyncConnections
from remote_store.core.s3.operations.fetching import length_ahead
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.protocol.options import S3Options


class AsyncReadAhead:
    """Fetches the rest of an object as concurrent ranges, and returns them in order.

    Each range is pinned to the version of the plan, and is resumed if its connection breaks. Memory: the ranges in
    flight and the one that was returned last, which together are smaller than `max_concurrency` parts.

    Args:
        connections: The connections for requests.
        options: The options of the backend.
        plan: The read, positioned at the first byte to fetch.

    Attributes:
        position: Offset of the next byte to return.
    """

    def __init__(self, connections: AsyncConnections, options: S3Options, plan: ReadPlan) -> None:
        self._connections = connections
        self._rest = plan.part(plan.remaining)
        self._length = length_ahead(options)
        self._window = options.max_concurrency
        self._ranges: deque[ReadPlan] = deque()
        self._tasks = connections.tasks()
        self._process = os.getpid()
        self.position = plan.position

    def stands_at(self, position: int) -> bool:
        """Whether the next byte is at this offset. `False` in a forked child, which does not have the connections."""
        return self.position == position and self._process == os.getpid()

    async def next(self) -> bytes:
        """The next range; empty only at the end.

        Raises:
            Fault: The object changed, or too many connections of this range broke in a row.
        """
        await self._begin()
        data: bytes = await self._tasks.first()
        self._ranges.popleft()
        self.position += len(data)
        # Keeps the connections busy while the caller processes this range.
        await self._begin()
        return data

    async def _begin(self) -> None:
        while len(self._ranges) < self._window and self._rest.remaining:
            part = self._rest.part(min(self._length, self._rest.remaining))
            self._rest.position += part.remaining
            self._ranges.append(part)
            await self._tasks.begin(partial(fetch, self._connections, part))

    async def stop(self) -> None:
        """Stop fetching. Tasks are cancelled; threads end after their current block."""
        if self._process == os.getpid():
            for part in self._ranges:
                part.stop()
            await self._tasks.abandon()
        self._ranges.clear()
