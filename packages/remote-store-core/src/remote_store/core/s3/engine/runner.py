# Generated from packages/remote-store-core/src/remote_store/core/s3/engine/aio_runner.py by tools/unasync.py; edit
# that.
"""Runs operations: performs their steps through a port, concurrently if the operation starts several."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from remote_store.core.events import Events
from remote_store.core.io.streams import Source
from remote_store.core.s3.engine.bodies import fetch, perform
from remote_store.core.s3.engine.connections import Connect, Connections
from remote_store.core.s3.engine.tasks import Tasks, finish, sleep
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
from remote_store.core.s3.protocol.calls import Call, Fault, S3Port

T = TypeVar("T")


class Runner:
    """Runs operations through the port of this process. A forked child makes its own.

    An async port is bound to the event loop that uses it first.

    Args:
        connect: Makes the port.
        window: Most calls that one operation has in flight.
        events: Where to report requests; `None` for the logger alone.

    Attributes:
        connections: The port, and the tasks or threads for concurrent calls.
    """

    def __init__(self, connect: Connect, window: int, events: Events | None = None) -> None:
        self.connections = Connections(connect, window, events or Events("s3"))

    def check_open(self) -> None:
        """Raise if the backend was closed.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        self.connections.check_open()

    def port(self) -> S3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed, or belongs to another event loop.
        """
        return self.connections.port()

    def close(self) -> None:
        """Close the port of this process. Later calls raise."""
        self.connections.close()

    def run(self, operation: Operation[T], source: Source | None = None) -> T:
        """Run an operation to its end. If it is interrupted, its cleanup steps still run.

        Raises:
            Fault: The operation did not handle a fault.
            RemoteStoreError: The operation raised it.
        """
        port = self.port()
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
                    response = finish(take) if interrupted else take()
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

    def _take(self, step: Step, port: S3Port, source: Source | None, tasks: Tasks) -> Any:
        match step:
            case Call():
                return perform(port, step, self.connections.events)
            case ReadBlock():
                return source.read_block(step.size) if source is not None else b""
            case Fetch():
                return fetch(self.connections, step.plan, step.buffer, step.body)
            case Start():
                take = partial(self._take, step.step, port, None, tasks)
                return tasks.begin(partial(_or_fault, take) if step.keeps_fault else take, step.window)
            case Wait():
                return tasks.results()
            case Drain():
                return tasks.drain(patient=step.patient)
            case CloseBody():
                return step.body.close()
            case Pause():
                return sleep(step.seconds)


def _or_fault(take: Any) -> Any:
    try:
        return take()
    except Fault as fault:
        return fault
