"""Takes the steps of operations to a port, over threads where several are to be under way."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from remote_store.core.errors import BackendUnavailable
from remote_store.core.s3.buffers import allocate, populate
from remote_store.core.s3.calls import Body, Call, Fault, S3Port
from remote_store.core.s3.reading import PIECE, ReadPlan
from remote_store.core.s3.steps import (
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
    finished,
)
from remote_store.core.streams import Source

T = TypeVar("T")
CLOSED = "the backend is closed; make a new one"


class Connection:
    """The port of one process and its threads, both made when first needed.

    Args:
        connect: Makes the port.
        threads: How many threads there are for calls under way at once.
    """

    def __init__(self, connect: Callable[[], S3Port], threads: int) -> None:
        self._connect = connect
        self._threads = threads
        self._lock = threading.Lock()
        self._port: S3Port | None = None
        self._executor: Executor | None = None
        self._closed = False

    def port(self) -> S3Port:
        """The port; threads that ask at once get the same one.

        Raises:
            BackendUnavailable: It was closed.
        """
        port = self._port
        if port is None:
            with self._lock:
                self._check_open()
                if self._port is None:
                    self._port = self._connect()
                port = self._port
        return port

    def executor(self) -> Executor:
        """The threads.

        Raises:
            BackendUnavailable: They were ended.
        """
        with self._lock:
            self._check_open()
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="remote-store-s3")
            return self._executor

    def close(self) -> None:
        """Close the port and end the threads."""
        with self._lock:
            self._closed = True
            port, self._port = self._port, None
            if self._executor is not None:
                self._executor.shutdown()
            if port is not None:
                port.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable(CLOSED)


class Runner:
    """Runs operations over the port of this process; a forked child makes its own.

    Args:
        connect: Makes the port.
        window: How many calls of one operation may be under way.
    """

    def __init__(self, connect: Callable[[], S3Port], window: int) -> None:
        self._connect = connect
        self._window = window
        self._connections: dict[int, Connection] = {}
        self._closed = False

    def check_open(self) -> None:
        """Refuse to go on after `close`.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        if self._closed:
            raise BackendUnavailable(CLOSED)

    def port(self) -> S3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        return self._connection().port()

    def close(self) -> None:
        """Close the port of this process, for good."""
        self._closed = True
        connection = self._connections.pop(os.getpid(), None)
        if connection is not None:
            connection.close()

    def _connection(self) -> Connection:
        self.check_open()
        process = os.getpid()
        connection = self._connections.get(process)
        if connection is None:
            connection = self._connections.setdefault(process, Connection(self._connect, self._window * 4))
        return connection

    def run(self, operation: Operation[T], source: Source | None = None) -> T:
        """Run an operation to its end, its last wishes included when anything, Ctrl-C too, interrupts it.

        Raises:
            Fault: The operation let one pass.
            RemoteStoreError: The operation decided so.
        """
        connection = self._connection()
        port = connection.port()
        started: list[Future[Any]] = []
        answer: Any = None
        error: BaseException | None = None
        try:
            while True:
                try:
                    step = operation.send(answer) if error is None else operation.throw(error)
                    answer = error = None
                    answer = self._take(step, port, source, started)
                except StopIteration as stop:
                    if finished(operation):
                        return stop.value  # type: ignore[no-any-return]
                    error = stop
                except BaseException as caught:
                    if finished(operation):
                        raise
                    error = caught
        finally:
            error = None

    def _take(self, step: Step, port: S3Port, source: Source | None, started: list[Future[Any]]) -> Any:
        match step:
            case Call():
                return port.perform(step)
            case ReadBlock():
                return source.read_block(step.size) if source is not None else b""
            case ReadBody():
                return read_body(port, step.plan, step.body)
            case Fetch():
                return fetch(port, step.plan, step.buffer)
            case Start():
                return self._start(step, port, started)
            case Wait():
                answers = [future.result() for future in started]
                started.clear()
                return answers
            case Drain():
                begun = [future for future in started if not future.cancelled()]
                wait(begun)
                started.clear()
                return [future.result() for future in begun if future.exception() is None]
            case CloseBody():
                return step.body.close()
            case Pause():
                return time.sleep(step.seconds)
            case _:
                return self._fan_out(step, port)

    def _start(self, start: Start, port: S3Port, started: list[Future[Any]]) -> None:
        under_way = [future for future in started if not future.done()]
        while len(under_way) >= start.window:
            under_way = list(wait(under_way, return_when=FIRST_COMPLETED).not_done)
        for begun in started:
            if begun.done():
                begun.result()
        future: Future[Any] = Future()
        executor = self._connection().executor()
        try:
            started.append(future)
            executor.submit(self._settle, future, start.step, port)
        except BaseException:
            # Ctrl-C can come after the call was queued: what has begun is waited for, what has not never will.
            future.cancel()
            raise

    def _settle(self, future: Future[Any], step: Step, port: S3Port) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self._take(step, port, None, []))
        except BaseException as error:  # noqa: BLE001 - the operation gets it
            future.set_exception(error)

    def _fan_out(self, calls: tuple[Call, ...], port: S3Port) -> list[Outcome]:
        if len(calls) == 1:
            return [_outcome(port, calls[0])]
        futures: list[Future[Outcome]] = []
        try:
            for call in calls:
                under_way = [future for future in futures if not future.done()]
                if len(under_way) >= self._window:
                    wait(under_way, return_when=FIRST_COMPLETED)
                futures.append(self._connection().executor().submit(_outcome, port, call))
        finally:
            wait(futures)
        return [future.result() for future in futures]


def _outcome(port: S3Port, call: Call) -> Outcome:
    try:
        return port.perform(call)
    except Fault as fault:
        return fault


def open_body(port: S3Port, plan: ReadPlan) -> Body:
    """Ask for what the plan still has to read.

    Raises:
        Fault: The object changed, or the service refused or did not answer.
    """
    answer = port.perform(plan.request())
    body: Body = answer["Body"]
    try:
        plan.opened(answer)
    except BaseException:
        body.close()
        raise
    return body


def fetch(port: S3Port, plan: ReadPlan, buffer: memoryview, body: Body | None = None) -> None:
    """Read what the plan still has to read into the buffer, going on where a connection broke.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    filled = 0
    while True:
        if body is None:
            body = open_body(port, plan)
        try:
            while wanted := min(plan.remaining, len(buffer) - filled):
                piece = buffer[filled : filled + min(wanted, plan.piece)]
                populate(piece)
                count = body.readinto(piece)
                if not count:
                    plan.check_end()
                plan.advanced(count)
                filled += count
        except Fault as fault:
            seconds = plan.broken(fault)
        else:
            return
        finally:
            body.close()
        body = None
        time.sleep(seconds)


def read_body(port: S3Port, plan: ReadPlan, body: Body) -> bytes:
    """Read what the plan still has to read, as one value that was copied once.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    size = plan.remaining
    if size <= PIECE:
        try:
            data = body.read()
            plan.advanced(len(data))
            plan.check_end()
            return data[:size]
        except Fault as fault:
            plan.position -= size - plan.remaining
            seconds = plan.broken(fault)
        finally:
            body.close()
        time.sleep(seconds)
        return _read_large(port, plan, None)
    return _read_large(port, plan, body)


def _read_large(port: S3Port, plan: ReadPlan, body: Body | None) -> bytes:
    whole, buffer = allocate(plan.remaining)
    with buffer:
        fetch(port, plan, buffer, body)
    return whole.getvalue()
