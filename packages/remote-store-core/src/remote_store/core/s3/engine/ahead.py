# Generated from packages/remote-store-core/src/remote_store/core/s3/engine/aio_ahead.py by tools/unasync.py; edit that.
"""Reads ahead: fetches ranges of an object before the caller requests them."""

from __future__ import annotations

import os
from collections import deque
from functools import partial

from remote_store.core.s3.engine.bodies import fetch
from remote_store.core.s3.engine.connections import Connections
from remote_store.core.s3.operations.fetching import length_ahead
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.protocol.options import S3Options


class ReadAhead:
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

    def __init__(self, connections: Connections, options: S3Options, plan: ReadPlan) -> None:
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

    def next(self) -> bytes:
        """The next range; empty only at the end.

        Raises:
            Fault: The object changed, or too many connections of this range broke in a row.
        """
        self._begin()
        data: bytes = self._tasks.first()
        self._ranges.popleft()
        self.position += len(data)
        # Keeps the connections busy while the caller processes this range.
        self._begin()
        return data

    def _begin(self) -> None:
        while len(self._ranges) < self._window and self._rest.remaining:
            part = self._rest.part(min(self._length, self._rest.remaining))
            self._rest.position += part.remaining
            self._ranges.append(part)
            self._tasks.begin(partial(fetch, self._connections, part))

    def stop(self) -> None:
        """Stop fetching. Tasks are cancelled; threads end after their current block."""
        if self._process == os.getpid():
            for part in self._ranges:
                part.stop()
            self._tasks.abandon()
        self._ranges.clear()
