"""Runs operations: performs their steps through a port, concurrently if the operation starts several."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.events import Events
from remote_store.core.s3.engine.aio_bodies import fetch, perform
from remote_store.core.s3.engine.aio_connections import AsyncConnect, AsyncConnections
from remote_store.core.s3.engine.aio_tasks import AsyncTasks, finish, in_time, join, sleep
from remote_store.core.s3.engine.allowance import Allowance
from remote_store.core.s3.operations.fetching import Opened
from remote_store.core.s3.operations.steps import (
    Carrier,
    CloseBody,
    Drain,
    Fetch,
    Join,
    Operation,
    Pause,
    ReadBlock,
    Sign,
    Start,
    Step,
    Wait,
    carried,
    finished,
    throwable,
)
from remote_store.core.s3.protocol.calls import AsyncS3Port, AsyncSigningPort, Call, Fault

T = TypeVar("T")
Take: TypeAlias = Callable[[Step], Any]


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

    async def run(
        self, operation: Operation[T], source: AsyncSource | None = None, allowance: Allowance | None = None
    ) -> T:
        """Run an operation to its end. If it is interrupted, its cleanup steps still run.

        Args:
            operation: The operation.
            source: The caller's content.
            allowance: The time that the operation may take; `None` if any.

        Raises:
            Fault: The operation did not handle a fault.
            RemoteStoreError: The operation raised it.
            BackendUnavailable: The operation took longer than it may.
        """
        if allowance is None:
            return await self._run(operation, source, None)
        return await in_time(partial(self._run, operation, source, allowance), allowance, _close, self.connections.keep)

    async def _run(self, operation: Operation[T], source: AsyncSource | None, allowance: Allowance | None) -> T:
        port = await self.port()
        take = partial(self._take, port, source, self.connections.tasks())
        return await self._drive(operation, take, allowance, None)

    async def _drive(
        self, operation: Operation[T], take: Take, allowance: Allowance | None, error: BaseException | None
    ) -> T:
        """Perform the steps of an operation, from its start, or from an interruption that is thrown into it."""
        response: Any = None
        cleans_up, interrupted = error is not None, False
        try:
            while True:
                try:
                    step = operation.send(response) if error is None else operation.throw(error)
                    response = error = None
                    if allowance is not None:
                        allowance.check()
                    response = await (finish(partial(take, step)) if interrupted else take(step))
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
                    error = throwable(caught)
                    if not isinstance(caught, Exception) or (allowance is not None and caught is allowance.error):
                        if not cleans_up:
                            cleanup = partial(self._drive, operation, take, None, error)
                            return await self.connections.leave(cleanup, caught)
                        interrupted = True
            raise carried(error)
        finally:
            error = None

    async def _take(self, port: AsyncS3Port, source: AsyncSource | None, tasks: AsyncTasks, step: Step) -> Any:
        match step:
            case Call():
                return await perform(port, step, self.connections.events)
            case ReadBlock():
                return await source.read_block(step.size) if source is not None else b""
            case Fetch():
                return await fetch(self.connections, step.plan, step.buffer, step.body)
            case Start():
                take = partial(self._take, port, None, tasks, step.step)
                return await tasks.begin(partial(_or_fault, take) if step.keeps_fault else take, step.window)
            case Wait():
                return await tasks.results()
            case Drain():
                return await tasks.drain(patient=step.patient)
            case CloseBody():
                return await step.body.close()
            case Sign():
                return await sign(port, step)
            case Pause():
                return await sleep(step.seconds)
            case Join():
                return await join(step.future, step.seconds)


async def sign(port: AsyncS3Port, step: Sign) -> Any:
    """Sign a call. The lane declares `PRESIGN`, so its port can."""
    signing = cast("AsyncSigningPort", port)
    if step.call.operation == "PostObject":
        return await signing.presign_post(step.call, step.seconds)
    return await signing.presign(step.call, step.seconds)


async def _close(result: object) -> None:
    """Close the body of an object that was opened for nobody."""
    if isinstance(result, Opened) and result.body is not None:
        await result.body.close()


async def _or_fault(take: Any) -> Any:
    try:
        return await take()
    except Fault as fault:
        return fault
