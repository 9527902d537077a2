"""Every call ends: against servers that are silent, slow or endless, on every lane, sync and async."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.core import AsyncBackend, Backend, BackendUnavailable, RetryPolicy
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

BLOCKING: dict[str, Callable[..., Backend]] = {
    "boto3": S3Boto3Backend,
    "s3fs": S3FsBackend,
    "pyarrow": S3PyArrowBackend,
}
AWAITED: dict[str, Callable[..., AsyncBackend]] = {
    "boto3": AsyncS3Boto3Backend,
    "s3fs": AsyncS3FsBackend,
    "pyarrow": AsyncS3PyArrowBackend,
}
SHORT = {"connect_timeout": 0.2, "read_timeout": 0.1, "retry": RetryPolicy(max_attempts=1)}
LONGEST = 0.2 + 6 * 0.1
"""What a request may take with these timeouts."""

SLACK = 5.0
"""Seconds that a busy machine may add."""

each_lane = pytest.mark.parametrize("lane", sorted(BLOCKING))


class Slow:
    """An HTTP server that reads nothing after it was connected, or sends a head and then a few bytes again and again.

    Args:
        head: Sent at once; `None` to stay silent.
        again: Sent every 20 ms after that.
        takes: Bytes to take from the request every 20 ms, before the response.
    """

    def __init__(self, head: bytes | None = None, again: bytes = b"", takes: int | None = None) -> None:
        self._head, self._again, self._takes = head, again, takes
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while self._takes is not None and connection.recv(self._takes):
                time.sleep(0.02)
            if self._head is None:
                return
            connection.recv(1 << 16)
            connection.sendall(self._head)
            while True:
                connection.sendall(self._again)
                time.sleep(0.02)
        self.ended.set()


@pytest.fixture
def silent() -> Iterator[Slow]:
    with Slow() as server:
        yield server


def place(server: Slow, **options: Any) -> dict[str, Any]:
    return {"endpoint_url": server.url, "region_name": "us-east-1", "key": "key", "secret": "secret", **options}


def elapsed(act: Callable[[], Any]) -> tuple[float, BaseException | None]:
    began = time.monotonic()
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - the test looks at whatever comes
        return time.monotonic() - began, error
    return time.monotonic() - began, None


def together(acts: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, BaseException | None]]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return dict(zip(acts, pool.map(elapsed, acts.values()), strict=True))


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield bytes(5 << 20)


async def listed(backend: AsyncBackend) -> list[Any]:
    return [info async for info in backend.list_files("")]


async def spooled(backend: AsyncBackend) -> None:
    async with backend.open_atomic("a") as file:
        await file.write(b"x")


CALLS: dict[str, Callable[[AsyncBackend], Awaitable[Any]]] = {
    "read": lambda backend: backend.read("a"),
    "read_seekable": lambda backend: backend.read_seekable("a"),
    "read_bytes": lambda backend: backend.read_bytes("a"),
    "write": lambda backend: backend.write("a", b"x", overwrite=True),
    "write_stream": lambda backend: backend.write("a", io.BytesIO(bytes(20 << 20)), overwrite=True),
    "write_chunks": lambda backend: backend.write("a", chunks(), overwrite=True),
    "open_atomic": spooled,
    "delete": lambda backend: backend.delete("a"),
    "delete_folder": lambda backend: backend.delete_folder("a", recursive=True),
    "copy": lambda backend: backend.copy("a", "b"),
    "move": lambda backend: backend.move("a", "b", overwrite=True),
    "list": listed,
    "exists": lambda backend: backend.exists("a"),
    "check_health": lambda backend: backend.check_health(),
}


async def timed_out(call: Awaitable[Any]) -> float:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await call
    return time.monotonic() - began


async def lag() -> float:
    """How late the event loop of a busy machine was in total, until it is cancelled."""
    late = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.02)
            late += max(0.0, time.monotonic() - began - 0.03)
    return late


@each_lane
def test_a_timeout_ends_every_awaited_call_within_a_second(lane: str, silent: Slow) -> None:
    async def main() -> tuple[dict[str, float], float]:
        backend = AWAITED[lane]("bucket", part_size=5 << 20, **place(silent))
        measuring = asyncio.create_task(lag())
        times = await asyncio.gather(*(timed_out(call(backend)) for call in CALLS.values()))
        began = time.monotonic()
        await backend.close()
        measuring.cancel()
        return {**dict(zip(CALLS, times, strict=True)), "close": time.monotonic() - began}, await measuring

    began = time.monotonic()
    times, late = asyncio.run(main())
    assert {name: seconds for name, seconds in times.items() if seconds > 1 + late} == {}
    assert time.monotonic() - began < 1 + SLACK


@each_lane
def test_a_timeout_ends_a_read_whose_body_stalls(lane: str) -> None:
    head = b'HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\nETag: "e"\r\nContent-Length: 100000\r\n\r\nabc'

    async def main() -> float:
        backend = AWAITED[lane]("bucket", **place(server))
        stream = await backend.read("a")
        seconds = await timed_out(stream.read())
        await stream.close()
        await backend.close()
        return seconds

    with Slow(head) as server:
        assert asyncio.run(main()) < 1


PROGRAM = """
import asyncio, sys, time
from test_time_limits import AWAITED, CALLS
async def main():
    backend = AWAITED[sys.argv[1]]("bucket", endpoint_url=sys.argv[2], region_name="r", key="k", secret="s")
    try:
        async with asyncio.timeout(0.3):
            await asyncio.gather(*(call(backend) for call in CALLS.values()))
    except TimeoutError:
        print("done")
asyncio.run(main())
"""


@each_lane
def test_the_interpreter_exits_though_threads_still_wait(lane: str, silent: Slow) -> None:
    command = [sys.executable, "-c", PROGRAM, lane, silent.url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "done\n", done.stderr[-2000:]


OK = b'HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\nETag: "e"\r\n'


def trickles() -> dict[str, tuple[Slow, Callable[[Backend], Any]]]:
    long = OK + b"Content-Length: 100000\r\n\r\n"
    return {
        "line": (Slow(OK, b"x"), lambda backend: backend.get_file_info("a")),
        "fields": (Slow(OK, b"a: b\r\n"), lambda backend: backend.delete("a")),
        "continue": (Slow(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), lambda backend: backend.write("a", bytes(2 << 20))),
        "early": (Slow(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), lambda backend: backend.is_file("a")),
        "document": (Slow(long + b"<?xml", b" "), lambda backend: list(backend.list_files(""))),
        "copy": (Slow(long + b"<?xml", b" "), lambda backend: backend.copy("a", "b", overwrite=True)),
        "body": (Slow(long, b"x"), lambda backend: backend.read_bytes("a")),
        "stream": (Slow(long, b"x"), lambda backend: backend.read("a").read(50_000)),
        "upload": (Slow(takes=1), lambda backend: backend.write("a", bytes(4 << 20), overwrite=True)),
        "health": (Slow(OK, b"x"), lambda backend: backend.check_health()),
    }


@each_lane
def test_a_request_ends_though_bytes_keep_arriving(lane: str) -> None:
    servers = trickles()
    for server, _ in servers.values():
        server.__enter__()
    try:
        backends = {name: BLOCKING[lane]("bucket", **place(server, **SHORT)) for name, (server, _) in servers.items()}
        outcomes = together({name: partial(servers[name][1], backends[name]) for name in servers})
        closing, _ = elapsed(lambda: [backend.close() for backend in backends.values()])
    finally:
        for server, _ in servers.values():
            server.__exit__()
    wrong = {name: error for name, (_, error) in outcomes.items() if not isinstance(error, BackendUnavailable)}
    # A lane may refuse a 103 at once.
    wrong.pop("early", None)
    assert wrong == {}
    assert all(error.retryable for _, error in outcomes.values() if isinstance(error, BackendUnavailable))
    # An upload has more time, for each 256 KiB.
    late = {name: seconds for name, (seconds, _) in outcomes.items() if seconds > LONGEST + 16 * 0.1 + SLACK}
    assert late == {}
    assert closing < SLACK


@each_lane
def test_a_body_that_trickles_is_not_believed_to_be_whole(lane: str) -> None:
    with Slow(OK + b"Content-Length: 10\r\n\r\n123") as server:
        backend = BLOCKING[lane]("bucket", **place(server, **SHORT))
        _, error = elapsed(lambda: backend.read_bytes("a"))
        assert isinstance(error, BackendUnavailable)
        backend.close()


LIMITED = {"retry": RetryPolicy(max_attempts=5, total_timeout=0.3)}


def check_limited(outcomes: dict[str, tuple[float, BaseException | None]], allowed: float = 0.3) -> None:
    for name, (seconds, error) in outcomes.items():
        assert isinstance(error, BackendUnavailable), (name, error)
        assert error.retryable, name
        assert f"within {allowed} s" in error.message, (name, error)
        assert seconds < allowed + 0.5 + SLACK, name


@each_lane
def test_the_total_timeout_limits_a_blocking_operation(lane: str, silent: Slow) -> None:
    backend = BLOCKING[lane]("bucket", part_size=5 << 20, **place(silent, **LIMITED))
    calls: dict[str, Callable[[], Any]] = {
        "read": lambda: backend.read("a"),
        "read_bytes": lambda: backend.read_bytes("a"),
        "write": lambda: backend.write("a", b"x", overwrite=True),
        "parts": lambda: backend.write("a", io.BytesIO(bytes(20 << 20)), overwrite=True),
        "delete": lambda: backend.delete("a"),
        "list": lambda: list(backend.list_files("")),
        "check_health": backend.check_health,
    }
    check_limited(together(calls))
    assert elapsed(backend.close)[0] < SLACK


@each_lane
def test_the_total_timeout_limits_an_awaited_operation(lane: str, silent: Slow) -> None:
    async def main() -> dict[str, tuple[float, BaseException | None]]:
        backend = AWAITED[lane]("bucket", part_size=5 << 20, **place(silent, **LIMITED))

        async def timed(call: Awaitable[Any]) -> tuple[float, BaseException | None]:
            began = time.monotonic()
            try:
                await call
            except Exception as error:  # noqa: BLE001 - the test looks at whatever comes
                return time.monotonic() - began, error
            return time.monotonic() - began, None

        names = ["read", "read_bytes", "write", "write_chunks", "delete", "list", "check_health"]
        outcomes = await asyncio.gather(*(timed(CALLS[name](backend)) for name in names))
        await backend.close()
        return dict(zip(names, outcomes, strict=True))

    check_limited(asyncio.run(main()))


@pytest.mark.parametrize("lane", ["boto3", "s3fs"])
def test_a_reader_counts_the_time_of_its_calls_only(lane: str) -> None:
    head = OK + b"Content-Length: 1000000\r\n\r\n" + bytes(400_000)
    with Slow(head) as server:
        backend = BLOCKING[lane]("bucket", **place(server, retry=RetryPolicy(total_timeout=1.5)))
        reader = backend.read("a")
        time.sleep(1.5)
        assert reader.read(10) == bytes(10)
        check_limited({"read": elapsed(lambda: reader.read(900_000))}, 1.5)
        # Nothing is left for another read, and closing it waits for nothing.
        check_limited({"again": elapsed(lambda: reader.read(900_000))}, 1.5)
        assert elapsed(reader.close)[0] < 0.5
        backend.close()


@each_lane
def test_timeouts_have_the_same_defaults(lane: str, silent: Slow) -> None:
    options = BLOCKING[lane]("bucket", **place(silent))._bucket.options  # type: ignore[attr-defined]
    assert (options.connect_timeout, options.read_timeout) == (10, 30)


@each_lane
def test_a_health_check_answers_within_ten_seconds(lane: str, silent: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.core.s3.engine.allowance.HEALTH_SECONDS", 0.3)
    backend = BLOCKING[lane]("bucket", **place(silent))
    seconds, error = elapsed(backend.check_health)
    assert isinstance(error, BackendUnavailable)
    assert error.retryable
    assert seconds < SLACK
    backend.close()
