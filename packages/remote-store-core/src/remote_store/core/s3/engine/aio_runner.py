"""Runs operations: performs their steps through a port, concurrently if the operation starts several."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.events import Events
from remote_store.core.s3.engine.aio_bodies import fetch, perform
from remote_store.core.s3.engine.aio_connections import AsyncConnect, AsyncConnections
from remote_store.core.s3.engine.aio_tasks import AsyncTasks, finish, sleep
from remote_store.core.s3.operations.steps import (
    Carrier,
    CloseBody,
    Drain,
    Fetch,
    Operation,
    Pause,
    ReadBlock,
    Start,
    Step,
    Wait,
    carried,
    finished,
    throwable,
)
from remote_store.core.s3.protocol.calls import AsyncS3Port, Call, Fault

T = TypeVar("T")


class AsyncRunner:
    """Runs operations through the port of this process. A forked child makes its own.

    An async port is bound to the event loop that uses it first.

    Args:
        connect: Makes the port.
        window: Most calls that one operation has in flight.
        events: Where to report requests; `None` for the logger alone.

    Attributes:
        connections: The port, and the tasks or threads for concurrent calls.
    """

    def __init__(self, connect: AsyncConnect, window: int, events: Events | None = None) -> None:
        self.connections = AsyncConnections(connect, window, events or Events("s3"))

    def check_open(self) -> None:
        """Raise if the backend was closed.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        self.connections.check_open()

    async def port(self) -> AsyncS3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed, or belongs to another event loop.
        """
        return await self.connections.port()

    async def close(self) -> None:
        """Close the port of this process. Later calls raise."""
        await self.connections.close()

    async def run(self, operation: Operation[T], source: AsyncSource | None = None) -> T:
        """Run an operation to its end. If it is interrupted, its cleanup steps still run.

        Raises:
            Fault: The operation did not handle a fault.
            RemoteStoreError: The operation raised it.
        """
        port = await self.port()
        tasks = self.connections.tasks()
        response: Any = None
        error: BaseException | None = None
        interrupted = False
        try:
            while True:
                try:
                    step = operation.send(response) if error is None else operation.throw(error)
                    response = error = None
                    take = partial(self._take, step, port, source, tasks)
                    response = await (finish(take) if interrupted else take())
                except StopIteration as stop:
                    if finished(operation):
                        return stop.value  # type: ignore[no-any-return]
                    error = throwable(stop)
                except Carrier as carrier:
                    error = carrier
                    if finished(operation):
                        break
                except BaseException as caught:
                    if finished(operation):
                        raise
                    interrupted = interrupted or not isinstance(caught, Exception)
                    error = throwable(caught)
            raise carried(error)
        finally:
            error = None

    async def _take(self, step: Step, port: AsyncS3Port, source: AsyncSource | None, tasks: AsyncTasks) -> Any:
        match step:
            case Call():
                return await perform(port, step, self.connections.events)
            case ReadBlock():
                return await source.read_block(step.size) if source is not None else b""
            case Fetch():
                return await fetch(self.connections, step.plan, step.buffer, step.body)
            case Start():
                take = partial(self._take, step.step, port, None, tasks)
                return await tasks.begin(partial(_or_fault, take) if step.keeps_fault else take, step.window)
            case Wait():
                return await tasks.results()
            case Drain():
                return await tasks.drain(patient=step.patient)
            case CloseBody():
                return await step.body.close()
            case Pause():
                return await sleep(step.seconds)


async def _or_fault(take: Any) -> Any:
    try:
        return await take()
    except Fault as fault:
        return fault
