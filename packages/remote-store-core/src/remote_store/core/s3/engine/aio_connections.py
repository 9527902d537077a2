"""Holds the async port of each process, made when it is first needed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from remote_store.core.errors import BackendUnavailable
from remote_store.core.events import Events
from remote_store.core.io.workers import CLOSED, keep_working
from remote_store.core.s3.engine.aio_tasks import AsyncTasks, Left
from remote_store.core.s3.protocol.calls import AsyncS3Port

T = TypeVar("T")
AsyncConnect: TypeAlias = Callable[[], Awaitable[AsyncS3Port]]


class AsyncConnection:
    """The port of one process, bound to the event loop that uses it first.

    Args:
        connect: Makes the port.
    """

    def __init__(self, connect: AsyncConnect) -> None:
        self._connect = connect
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port: AsyncS3Port | None = None
        self._closed = False

    async def port(self) -> AsyncS3Port:
        """The port. Concurrent calls from several tasks return the same one.

        Raises:
            BackendUnavailable: It was closed, or belongs to another event loop.
        """
        loop = asyncio.get_running_loop()
        keep_working(loop)
        if self._port is None:
            async with self._lock:
                if self._port is None:
                    self._port, self._loop = await self._connected(), loop
        if self._loop is not loop:
            raise BackendUnavailable("the backend belongs to another event loop; make one for each loop")
        return self._port

    async def _connected(self) -> AsyncS3Port:
        self._check_open()
        port = await self._connect()
        if self._closed:
            await port.close()
        self._check_open()
        return port

    async def close(self) -> None:
        """Close the port."""
        self._closed = True
        port, self._port = self._port, None
        if port is not None:
            await port.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable(CLOSED)


class AsyncConnections:
    """The connection of this process; a forked child makes its own.

    Args:
        connect: Makes a port.
        _window: Not used; the blocking counterpart needs it for its number of threads.
        events: Where to report requests.

    Attributes:
        events: Where to report requests.
    """

    def __init__(self, connect: AsyncConnect, _window: int, events: Events) -> None:
        self.events = events
        self._connect = connect
        # A forked child never closes its parent's connection, because that would affect the parent.
        self._made: dict[int, AsyncConnection] = {}
        self._left = Left()
        self._closed = False

    def check_open(self) -> None:
        """Raise if the backend was closed.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        if self._closed:
            raise BackendUnavailable(CLOSED)

    async def port(self) -> AsyncS3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed, or belongs to another event loop.
        """
        self.check_open()
        process = os.getpid()
        connection = self._made.get(process)
        if connection is None:
            connection = self._made.setdefault(process, AsyncConnection(self._connect))
        return await connection.port()

    def tasks(self) -> AsyncTasks:
        """A new, empty group of calls."""
        return AsyncTasks()

    async def leave(self, cleanup: Callable[[], Coroutine[Any, Any, T]], cause: BaseException) -> T:
        """End an interrupted operation: wait `GRACE` seconds for its cleanup, which then goes on in the background.

        Args:
            cleanup: Ends the operation. It raises what the operation raises.
            cause: What interrupted the operation, raised if the cleanup is not waited for.
        """
        return await self._left.leave(cleanup, cause)

    def keep(self, _call: Any) -> None:
        """Nothing: a call that was given up is cancelled. The blocking counterpart keeps the port open for it."""

    async def close(self) -> None:
        """Close the port of this process, after the cleanups in the background. Later calls raise."""
        self._closed = True
        connection = self._made.pop(os.getpid(), None)
        if connection is not None and not self._left.close_after(connection.close):
            await connection.close()
