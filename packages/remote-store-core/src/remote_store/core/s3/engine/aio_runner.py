"""Takes the steps of operations to an async port, over tasks where several are to be under way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.errors import BackendUnavailable
from remote_store.core.io.buffers import allocate
from remote_store.core.io.workers import CLOSED, keep_working
from remote_store.core.s3.operations.reading import PIECE, ReadPlan
from remote_store.core.s3.operations.steps import (
    Carrier,
    CloseBody,
    Drain,
    Fetch,
    Operation,
    Outcome,
    Pause,
    ReadBlock,
    ReadBody,
    Start,
    Step,
    Wait,
    carried,
    finished,
    throwable,
)
from remote_store.core.s3.protocol import responses
from remote_store.core.s3.protocol.calls import AsyncBody, AsyncS3Port, Call, Fault
from remote_store.core.s3.protocol.responses import Answer, Facts

T = TypeVar("T")


class AsyncConnection:
    """The port of one process and the event loop that it belongs to, the one that used it first.

    Args:
        connect: Makes the port.
    """

    def __init__(self, connect: Callable[[], Awaitable[AsyncS3Port]]) -> None:
        self._connect = connect
        self._lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port: AsyncS3Port | None = None
        self._closed = False

    async def port(self) -> AsyncS3Port:
        """The port; tasks that ask at once get the same one.

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


class AsyncRunner:
    """Runs operations over one port, in the event loop that used it first; a forked child makes its own.

    Args:
        connect: Makes the port.
        window: How many calls of one operation may be under way.
    """

    def __init__(self, connect: Callable[[], Awaitable[AsyncS3Port]], window: int) -> None:
        self._connect = connect
        self._window = window
        # What a child has of its parent's connection stays untouched, because closing it would reach the parent.
        self._connections: dict[int, AsyncConnection] = {}
        self._closed = False

    def check_open(self) -> None:
        """Refuse to go on after `close`.

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
        connection = self._connections.get(process)
        if connection is None:
            connection = self._connections.setdefault(process, AsyncConnection(self._connect))
        return await connection.port()

    async def close(self) -> None:
        """Close the port of this process, for good."""
        self._closed = True
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            await connection.close()

    async def run(self, operation: Operation[T], source: AsyncSource | None = None) -> T:
        """Run an operation to its end, its last wishes included when anything, a cancellation too, interrupts it.

        Raises:
            Fault: The operation let one pass.
            RemoteStoreError: The operation decided so.
        """
        port = await self.port()
        started: list[asyncio.Task[Any]] = []
        answer: Any = None
        error: BaseException | None = None
        interrupted = False
        try:
            while True:
                try:
                    step = operation.send(answer) if error is None else operation.throw(error)
                    answer = error = None
                    taking = self._take(step, port, source, started)
                    answer = await (finish(taking) if interrupted else taking)
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
                    interrupted = interrupted or not isinstance(caught, Exception)
            raise carried(error)
        finally:
            error = None

    async def _take(
        self, step: Step, port: AsyncS3Port, source: AsyncSource | None, started: list[asyncio.Task[Any]]
    ) -> Any:
        match step:
            case Call():
                return await perform(port, step)
            case ReadBlock():
                return await source.read_block(step.size) if source is not None else b""
            case ReadBody():
                return await read_body(port, step.plan, step.body)
            case Fetch():
                return await fetch(port, step.plan, step.buffer)
            case Start():
                return await self._start(step, port, started)
            case Wait():
                return await self._wait(started)
            case Drain():
                return await self._drain(started, patient=step.patient)
            case CloseBody():
                return await step.body.close()
            case Pause():
                return await asyncio.sleep(step.seconds)
            case _:
                return await self._fan_out(step, port)

    async def _start(self, start: Start, port: AsyncS3Port, started: list[asyncio.Task[Any]]) -> None:
        under_way = {task for task in started if not task.done()}
        while len(under_way) >= start.window:
            _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in started:
            if task.done():
                task.result()
        started.append(asyncio.create_task(self._take(start.step, port, None, [])))

    async def _wait(self, started: list[asyncio.Task[Any]]) -> list[Any]:
        if started:
            # Unlike `gather`, it leaves the tasks alone when it is cancelled itself.
            await asyncio.wait(started, return_when=asyncio.FIRST_EXCEPTION)
        answers = [task.result() for task in started if task.done()]
        started.clear()
        return answers

    async def _drain(self, started: list[asyncio.Task[Any]], *, patient: bool) -> list[Any]:
        for task in started:
            if not patient:
                task.cancel()
        if started:
            await asyncio.wait(started)
        answers = [task.result() for task in started if not task.cancelled() and task.exception() is None]
        started.clear()
        return answers

    async def _fan_out(self, calls: tuple[Call, ...], port: AsyncS3Port) -> list[Outcome]:
        room = asyncio.Semaphore(self._window)

        async def outcome(call: Call) -> Outcome:
            async with room:
                try:
                    return await perform(port, call)
                except Fault as fault:
                    return fault

        tasks = [asyncio.create_task(outcome(call)) for call in calls]
        try:
            return await self._wait(tasks)
        finally:
            await finish(self._drain(tasks, patient=False))


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Do the work to its end, however often the task that waits for it is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()


async def perform(port: AsyncS3Port, call: Call) -> Answer:
    """Send a call and check its answer; the body of an answer that is refused is closed.

    Raises:
        Fault: The service refused or did not answer, or its answer does not prove that the call succeeded.
    """
    told = await port.perform(call)
    try:
        return responses.read(call, told)
    except BaseException:
        if (body := told.get("Body")) is not None:
            await body.close()
        raise


async def open_body(port: AsyncS3Port, plan: ReadPlan) -> AsyncBody:
    """Ask for what the plan still has to read.

    Raises:
        Fault: The object changed, or the service refused or did not answer.
    """
    try:
        answer = await perform(port, plan.request())
    except Fault as fault:
        raise plan.refused(fault) from fault.__cause__
    assert isinstance(answer, Facts)
    body: AsyncBody = answer.body
    try:
        plan.opened(answer)
    except BaseException:
        await body.close()
        raise
    return body


async def fetch(port: AsyncS3Port, plan: ReadPlan, buffer: memoryview, body: AsyncBody | None = None) -> None:
    """Read what the plan still has to read into the buffer, going on where a connection broke.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    filled = 0
    while True:
        if body is None:
            body = await open_body(port, plan)
        try:
            while wanted := min(plan.remaining, len(buffer) - filled):
                data = await body.read(min(wanted, plan.piece))
                if not data:
                    plan.check_end()
                buffer[filled : filled + len(data)] = data
                plan.advanced(len(data))
                filled += len(data)
        except Fault as fault:
            seconds = plan.broken(fault)
        else:
            return
        finally:
            await body.close()
        body = None
        await asyncio.sleep(seconds)


async def read_body(port: AsyncS3Port, plan: ReadPlan, body: AsyncBody) -> bytes:
    """Read what the plan still has to read, as one value.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    size = plan.remaining
    if size <= PIECE:
        try:
            data = await body.read()
            plan.advanced(len(data))
            plan.check_end()
            return data[:size]
        except Fault as fault:
            plan.position -= size - plan.remaining
            seconds = plan.broken(fault)
        finally:
            await body.close()
        await asyncio.sleep(seconds)
        return await _read_large(port, plan, None)
    return await _read_large(port, plan, body)


async def _read_large(port: AsyncS3Port, plan: ReadPlan, body: AsyncBody | None) -> bytes:
    whole, buffer = allocate(plan.remaining)
    with buffer:
        await fetch(port, plan, buffer, body)
    return whole.getvalue()
