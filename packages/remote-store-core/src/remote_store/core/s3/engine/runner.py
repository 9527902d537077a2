"""Takes the steps of operations to a port, over threads where several are to be under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION, Future, wait
from functools import partial
from typing import Any, TypeVar

from remote_store.core.errors import BackendUnavailable
from remote_store.core.io.buffers import allocate
from remote_store.core.io.streams import Source
from remote_store.core.io.workers import CLOSED, PerProcess, Workers
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
from remote_store.core.s3.protocol.calls import Body, Call, Fault, S3Port
from remote_store.core.s3.protocol.responses import Answer, Facts

T = TypeVar("T")


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
        self._workers: Workers | None = None
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

    def workers(self) -> Workers:
        """The threads.

        Raises:
            BackendUnavailable: They were ended.
        """
        with self._lock:
            self._check_open()
            if self._workers is None:
                self._workers = Workers(self._threads, "remote-store-s3")
            return self._workers

    def close(self) -> None:
        """Close the port and end the threads."""
        with self._lock:
            self._closed = True
            port, self._port = self._port, None
            if self._workers is not None:
                self._workers.close(wait=True)
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
        self._window = window
        self._connections = PerProcess(lambda: Connection(connect, window * 4), Connection.close)

    def check_open(self) -> None:
        """Refuse to go on after `close`.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        self._connections.check_open()

    def port(self) -> S3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        return self._connections.get().port()

    def close(self) -> None:
        """Close the port of this process, for good."""
        self._connections.close()

    def run(self, operation: Operation[T], source: Source | None = None) -> T:
        """Run an operation to its end, its last wishes included when anything, Ctrl-C too, interrupts it.

        Raises:
            Fault: The operation let one pass.
            RemoteStoreError: The operation decided so.
        """
        port = self.port()
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
                    error = throwable(stop)
                except Carrier as carrier:
                    error = carrier
                    if finished(operation):
                        break
                except BaseException as caught:
                    if finished(operation):
                        raise
                    error = throwable(caught)
            raise carried(error)
        finally:
            error = None

    def _take(self, step: Step, port: S3Port, source: Source | None, started: list[Future[Any]]) -> Any:
        match step:
            case Call():
                return perform(port, step)
            case ReadBlock():
                return source.read_block(step.size) if source is not None else b""
            case ReadBody():
                return read_body(port, step.plan, step.body)
            case Fetch():
                return fetch(port, step.plan, step.buffer)
            case Start():
                return self._start(step, port, started)
            case Wait():
                return _answers(started)
            case Drain():
                return _drained(started, patient=step.patient)
            case CloseBody():
                return step.body.close()
            case Pause():
                return time.sleep(step.seconds)
            case _:
                return self._fan_out(step, port)

    def _start(self, start: Start, port: S3Port, started: list[Future[Any]]) -> None:
        _make_room(started, start.window)
        self._begin(partial(self._take, start.step, port, None, []), started)

    def _begin(self, function: Callable[[], Any], begun: list[Future[Any]]) -> None:
        future: Future[Any] = Future()
        workers = self._connections.get().workers()
        try:
            begun.append(future)
            workers.begin(function, future)
        except BaseException:
            # Ctrl-C can come after the call was queued: what has begun is waited for, what has not never will.
            future.cancel()
            raise

    def _fan_out(self, calls: tuple[Call, ...], port: S3Port) -> list[Outcome]:
        if len(calls) == 1:
            return [_outcome(port, calls[0])]
        futures: list[Future[Outcome]] = []
        try:
            for call in calls:
                _make_room(futures, self._window)
                self._begin(partial(_outcome, port, call), futures)
            return _answers(futures)
        finally:
            _drained(futures, patient=False)


def _make_room(started: list[Future[Any]], window: int) -> None:
    under_way = [future for future in started if not future.done()]
    while len(under_way) >= window:
        under_way = list(wait(under_way, return_when=FIRST_COMPLETED).not_done)
    for begun in started:
        if begun.done():
            begun.result()


def _answers(started: list[Future[T]]) -> list[T]:
    wait(started, return_when=FIRST_EXCEPTION)
    answers = [future.result() for future in started if future.done()]
    started.clear()
    return answers


def _drained(started: list[Future[T]], *, patient: bool) -> list[T]:
    if not patient:
        for future in started:
            future.cancel()
    # A cancelled call that is queued counts as done only when a thread meets it.
    begun = [future for future in started if not future.cancelled()]
    wait(begun)
    started.clear()
    return [future.result() for future in begun if future.exception() is None]


def _outcome(port: S3Port, call: Call) -> Outcome:
    try:
        return perform(port, call)
    except Fault as fault:
        return fault


def perform(port: S3Port, call: Call) -> Answer:
    """Send a call and check its answer; the body of an answer that is refused is closed.

    Raises:
        Fault: The service refused or did not answer, or its answer does not prove that the call succeeded.
    """
    told = port.perform(call)
    try:
        return responses.read(call, told)
    except BaseException:
        if (body := told.get("Body")) is not None:
            body.close()
        raise


def open_body(port: S3Port, plan: ReadPlan) -> Body:
    """Ask for what the plan still has to read.

    Raises:
        Fault: The object changed, or the service refused or did not answer.
    """
    try:
        answer = perform(port, plan.request())
    except Fault as fault:
        raise plan.refused(fault) from fault.__cause__
    assert isinstance(answer, Facts)
    body: Body = answer.body
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
