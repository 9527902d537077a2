"""Reading ahead: ranges of an object are fetched before they are asked for."""

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
    """Fetches the rest of an object as ranges, several at once, and hands them out in order.

    Each range is pinned to the version of the plan, and resumed by itself where its connection breaks. Memory: the
    ranges under way and the one that was handed out last, which together are smaller than `max_concurrency` parts.

    Args:
        connections: Where requests go.
        options: The options of the backend.
        plan: The read, which stands at the first byte to fetch.

    Attributes:
        position: Offset of the next byte to hand out.
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
        """Whether the next byte is the one at this offset; never in a forked child, which has no connection of it."""
        return self.position == position and self._process == os.getpid()

    async def next(self) -> bytes:
        """The next range, not empty before the end.

        Raises:
            Fault: The object changed, or too many connections of this range broke in a row.
        """
        await self._begin()
        data: bytes = await self._tasks.first()
        self._ranges.popleft()
        self.position += len(data)
        # The connections stay busy while the caller works on this range.
        await self._begin()
        return data

    async def _begin(self) -> None:
        while len(self._ranges) < self._window and self._rest.remaining:
            part = self._rest.part(min(self._length, self._rest.remaining))
            self._rest.position += part.remaining
            self._ranges.append(part)
            await self._tasks.begin(partial(fetch, self._connections, part))

    async def stop(self) -> None:
        """Want nothing more. A task is cancelled; a thread ends when its next block has come."""
        if self._process == os.getpid():
            for part in self._ranges:
                part.stop()
            await self._tasks.abandon()
        self._ranges.clear()
