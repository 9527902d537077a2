"""Stores, bridges, and the S3 backends and runners over a server in memory, sync and async called alike."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from typing import Any, Protocol

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import MemoryBackend, Store, ThreadedBackend
from remote_store.core.s3 import AsyncS3Backend, Call, Fault, S3Backend, S3Options
from remote_store.core.s3.engine.aio_runner import AsyncRunner
from remote_store.core.s3.engine.reader import SEQUENTIAL_BLOCK
from remote_store.core.s3.engine.runner import Runner
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.operations.trust import FINDINGS
from remote_store.core.s3.protocol.responses import read

DATA = random.Random(1).randbytes(3 * SEQUENTIAL_BLOCK + 123)


class SyncFakeBackend(S3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**options))
        self.s3 = s3
        self.ports: list[FakeS3Port] = []

    def _connect(self) -> FakeS3Port:
        self.ports.append(FakeS3Port(self.s3))
        return self.ports[-1]


class AsyncFakeBackend(AsyncS3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**options))
        self.s3 = s3
        self.ports: list[AsyncFakeS3Port] = []

    async def _connect(self) -> AsyncFakeS3Port:
        await asyncio.sleep(0)
        self.ports.append(AsyncFakeS3Port(self.s3))
        return self.ports[-1]


class Lane:
    """A backend, sync or async, whose methods are called alike."""

    def __init__(self, backend: SyncFakeBackend | AsyncFakeBackend, loop: asyncio.Runner) -> None:
        self.backend = backend
        self.is_async = isinstance(backend, AsyncFakeBackend)
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **options: self.done(getattr(self.backend, name)(*args, **options))

    def done(self, value: Any) -> Any:
        """What an awaitable comes to, and the items of an iterator of either kind."""
        if inspect.isawaitable(value):
            return self._loop.run(awaited(value))
        if isinstance(value, AsyncIterator) and not hasattr(value, "read"):
            return self._loop.run(gather(value))
        return list(value) if isinstance(value, Iterator) and not hasattr(value, "read") else value

    def write_spooled(self, path: str, *pieces: bytes, error: BaseException | None = None, **options: Any) -> None:
        if self.is_async:
            self._loop.run(self._write_async(path, pieces, error, options))
            return
        with self.backend.open_atomic(path, **options) as file:
            for piece in pieces:
                file.write(piece)
            if error is not None:
                raise error

    async def _write_async(
        self, path: str, pieces: tuple[bytes, ...], error: BaseException | None, options: dict[str, Any]
    ) -> None:
        async with self.backend.open_atomic(path, **options) as file:
            for piece in pieces:
                await file.write(piece)
            if error is not None:
                raise error


class OpenLane(Protocol):
    def __call__(self, **options: Any) -> Lane: ...


async def awaited(value: Awaitable[Any]) -> Any:
    return await value


async def gather(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


class File:
    """A reader of either kind, whose methods are called alike."""

    def __init__(self, lane: Lane, opener: str) -> None:
        self.lane = lane
        self.raw = getattr(lane, opener)("a")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.lane.done(getattr(self.raw, name)(*args))


class Opened(Protocol):
    def __call__(self, how: str = "read", data: bytes = DATA, on: Lane | None = None) -> File: ...


class Drive(Protocol):
    def __call__(self, operation: Operation[Any], *answers: Any) -> tuple[Any, list[Any]]: ...


def checked(step: Any, answer: Any) -> Any:
    """The answer as a runner gives it to an operation, and the fault of one that proves nothing."""
    if not isinstance(step, Call) or not isinstance(answer, Mapping):
        return answer
    try:
        return read(step, answer)
    except Fault as fault:
        return fault


@pytest.fixture
def drive() -> Drive:
    """Feeds an operation by hand: answers are checked and sent, exceptions thrown; its result, and its steps."""

    def driver(operation: Operation[Any], *answers: Any) -> tuple[Any, list[Any]]:
        steps = [next(operation)]
        left = list(answers)
        while True:
            assert left, f"no answer left for {steps[-1]}"
            answer = checked(steps[-1], left.pop(0))
            try:
                threw = isinstance(answer, BaseException)
                steps.append(operation.throw(answer) if threw else operation.send(answer))
            except StopIteration as stop:
                assert not left
                return stop.value, steps

    return driver


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeS3]:
    """A server that must hold no open body and no open upload when the test has ended."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0.0)
    FINDINGS.forget()
    server = FakeS3()
    yield server
    assert not server.open_bodies()
    assert not server.uploads


@pytest.fixture(params=["sync", "async"])
def open_lane(request: pytest.FixtureRequest, s3: FakeS3) -> Generator[OpenLane]:
    """Opens a backend, trusted on AWS unless options say otherwise; all of them are closed at the end."""
    opened: list[Lane] = []
    with asyncio.Runner() as loop:

        def opener(**options: Any) -> Lane:
            kind = SyncFakeBackend if request.param == "sync" else AsyncFakeBackend
            opened.append(Lane(kind(s3, **options), loop))
            return opened[-1]

        yield opener
        for lane in opened:
            lane.close()
            assert all(port.closed for port in lane.backend.ports)


@pytest.fixture
def lane(open_lane: OpenLane) -> Lane:
    """A backend with a custom endpoint that is trusted for conditional writes."""
    return open_lane(endpoint_url="http://s3.test", conditional_writes=True)


@pytest.fixture(params=["", "team", "team/a b", "x*[y]?"])
def store(request: pytest.FixtureRequest) -> Store:
    """A store at one of several roots, with strangers beside it."""
    backend = MemoryBackend()
    if request.param:
        backend.write("other/stranger", b"")
        backend.write("teammate/x", b"")
    return Store(backend, request.param)


@pytest.fixture
def memory() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def bridge(memory: MemoryBackend) -> ThreadedBackend:
    return ThreadedBackend(memory)


class Kind:
    """A runner, sync or async, over an S3 server in memory."""

    def __init__(self, s3: FakeS3, name: str, loop: asyncio.Runner, window: int = 2) -> None:
        self.s3 = s3
        self.is_async = name == "async"
        self.ports: list[Any] = []
        self._loop = loop
        self.runner = AsyncRunner(self._connect_async, window) if self.is_async else Runner(self._connect, window)

    def _connect(self) -> FakeS3Port:
        self.ports.append(FakeS3Port(self.s3))
        return self.ports[-1]

    async def _connect_async(self) -> AsyncFakeS3Port:
        await asyncio.sleep(0)
        self.ports.append(AsyncFakeS3Port(self.s3))
        return self.ports[-1]

    def done(self, value: Any) -> Any:
        return self._loop.run(value) if inspect.iscoroutine(value) else value

    def run(self, operation: Operation[Any], source: Any = None) -> Any:
        return self.done(self.runner.run(operation, source))

    def close(self) -> None:
        self.done(self.runner.close())


@pytest.fixture
def opened(s3: FakeS3, lane: Lane) -> Generator[Opened]:
    """Writes an object and opens it; all that it opened is closed at the end, twice."""
    files: list[File] = []

    def opener(how: str = "read", data: bytes = DATA, on: Lane | None = None) -> File:
        s3.put("a", data)
        files.append(File(on or lane, how))
        return files[-1]

    yield opener
    for file in files:
        file.close()
        file.close()
        assert file.raw.closed


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest, s3: FakeS3) -> Any:
    s3.put("a", b"0123456789")
    with asyncio.Runner() as loop:
        made = Kind(s3, request.param, loop)
        yield made
        made.close()
        assert all(port.closed for port in made.ports)
