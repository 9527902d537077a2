from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3
from remote_store.core import BackendUnavailable, NotFound
from remote_store.core.s3 import Call, Fault, S3Backend, S3Options
from remote_store.core.s3.engine.loop_port import SMALL_BODY, LoopBody, LoopPort, LoopThread

DATA = bytes(range(256)) * 4096


@pytest.fixture
def loop():
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join()
    running.close()


@pytest.fixture
def thread(loop):
    return LoopThread(loop, os.getpid())


@pytest.fixture
def s3():
    return FakeS3()


@pytest.fixture
def backend(thread, s3):
    class Backend(S3Backend):
        def _connect(self):
            return LoopPort(thread, AsyncFakeS3Port(s3))

    with Backend("bucket", S3Options(conditional_writes=True)) as made:
        yield made


class Pieces:
    """A body that hands out pieces, the last of them perhaps a fault."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.closed = 0

    async def read(self, size=-1, /):
        await asyncio.sleep(0)
        data = b""
        while (self.pieces and not data) or (size < 0 and self.pieces):
            if isinstance(self.pieces[0], Exception):
                raise self.pieces[0]
            piece = self.pieces.pop(0)
            cut = len(piece) if size < 0 else size
            data += piece[:cut]
            if piece[cut:]:
                self.pieces.insert(0, piece[cut:])
        return data

    async def close(self):
        self.closed += 1


def eventually(condition) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_a_backend_over_it_keeps_the_contract(backend, s3):
    assert backend.write("a/k", DATA).size == len(DATA)
    assert backend.read_bytes("a/k") == DATA
    assert backend.read_range("a/k", 5, 10) == DATA[5:15]
    with backend.read("a/k") as whole, backend.read_seekable("a/k") as seekable:
        assert whole.read() == seekable.read() == DATA
    assert [info.path for info in backend.list_files("", recursive=True)] == ["a/k"]
    with pytest.raises(NotFound):
        backend.read_bytes("absent")
    assert not s3.open_bodies()


def test_threads_may_call_at_once(backend):
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: backend.write(f"k{number}", b"%d" % number), range(100)))
        assert list(threads.map(lambda number: backend.read_bytes(f"k{number}"), range(100))) == [
            b"%d" % number for number in range(100)
        ]


def test_a_fault_passes(thread):
    async def refuse():
        raise Fault("NoSuchKey", 404)

    with pytest.raises(Fault, match="NoSuchKey"):
        thread.run(refuse())


def test_a_timeout_of_the_work_is_no_other_exception(thread):
    async def slow():
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        thread.run(slow())


def test_an_interrupted_wait_cancels_the_work(thread, monkeypatch):
    cancelled = threading.Event()

    async def work():
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    really = asyncio.run_coroutine_threadsafe

    def interrupted(coroutine, loop):
        future = really(coroutine, loop)
        time.sleep(0.05)
        monkeypatch.setattr(future, "result", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        return future

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        thread.run(work())
    assert cancelled.wait(10)


def test_the_loop_does_not_wait_for_itself(thread, loop, backend):
    backend.write("k", DATA)
    reader = backend.read("k")

    async def inside():
        for call in (lambda: backend.read_bytes("k"), reader.read):
            with pytest.raises(BackendUnavailable) as caught:
                call()
            assert not caught.value.retryable
        reader.close()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run_coroutine_threadsafe(inside(), loop).result(10)


def test_another_running_loop_is_no_hindrance(backend):
    async def inside():
        backend.write("k", DATA)
        return backend.read_bytes("k")

    assert asyncio.run(inside()) == DATA


def test_another_process_has_no_such_thread(loop):
    elsewhere = LoopThread(loop, os.getpid() + 1)
    body = Pieces(b"x")
    with pytest.raises(Fault) as caught:
        LoopBody(elsewhere, body, 1).read()
    assert caught.value.transport
    LoopBody(elsewhere, body, 1).close()
    assert not body.closed


def test_a_small_body_comes_with_its_answer(thread, s3, monkeypatch):
    s3.put("small", DATA[: SMALL_BODY - 1])
    s3.put("large", DATA[:SMALL_BODY])
    port = LoopPort(thread, AsyncFakeS3Port(s3))
    bodies = [port.perform(Call("GetObject", {"Bucket": "bucket", "Key": key}))["Body"] for key in ("small", "large")]
    waits = []
    monkeypatch.setattr(LoopThread, "run", lambda self, work: waits.append(work.close()) or b"")
    assert bodies[0].read() == DATA[: SMALL_BODY - 1]
    bodies[0].close()
    assert waits == []
    bodies[1].read()
    assert len(waits) == 1


@pytest.mark.parametrize("length", [0, 1, 100, SMALL_BODY + 1])
@pytest.mark.parametrize("ahead", [True, False])
def test_every_way_to_read_yields_the_bytes(thread, length, ahead):
    data = DATA[:length]

    def body():
        made = LoopBody(thread, Pieces(data[:40], data[40:]), length)
        if ahead:
            thread.run(made.take_small())
        return made

    def pieces(made):
        return b"".join(iter(lambda: made.read(7000), b""))

    def filled(made):
        buffer = memoryview(bytearray(length + 10))
        return bytes(buffer[: made.readinto(buffer)])

    def whole(made):
        return made.read() + made.read()

    for read in (pieces, filled, whole):
        made = body()
        assert read(made) == data
        assert made.read() == b""


@pytest.mark.parametrize(
    "read", [lambda body, buffer: bytes(buffer[: body.readinto(buffer)]), lambda body, buffer: body.read(len(buffer))]
)
@pytest.mark.parametrize("ahead", [True, False])
def test_bytes_before_a_fault_count_and_the_fault_comes_next(thread, ahead, read):
    broken = Pieces(b"x" * 10, Fault("Broken", transport=True))
    body = LoopBody(thread, broken, 100)
    if ahead:
        thread.run(body.take_small())
    buffer = memoryview(bytearray(50))
    assert read(body, buffer) == b"x" * 10
    for _ in range(2):
        with pytest.raises(Fault, match="Broken"):
            body.readinto(buffer)
        with pytest.raises(Fault, match="Broken"):
            body.read()
    body.close()
    assert eventually(lambda: broken.closed == 1)


def test_what_is_asked_for_comes_in_one_change_of_threads(thread, monkeypatch):
    body = LoopBody(thread, Pieces(b"ab", b"cd", b"ef"), 6)
    waits = []
    run = LoopThread.run
    monkeypatch.setattr(LoopThread, "run", lambda self, work: waits.append(1) or run(self, work))
    assert body.read(5) == b"abcde"
    assert body.read(5) == b"f"
    assert len(waits) == 2


def test_a_body_that_was_read_to_its_end_is_closed_there(thread):
    ended = Pieces(b"x" * 10)
    body = LoopBody(thread, ended, 10)
    assert body.read() == b"x" * 10
    assert ended.closed == 1
    body.close()
    thread.run(asyncio.sleep(0))
    assert ended.closed == 1


AT_THE_END = """
import asyncio, os, threading
from remote_store.core.s3.engine.loop_port import LoopBody, LoopThread

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()

class Body:
    async def read(self, size=-1): return b""
    async def close(self): pass

class Late:
    body = LoopBody(LoopThread(loop, os.getpid()), Body(), 10)
    def __del__(self, close=body.close): close()

late = Late()
"""


def test_closing_at_the_end_of_the_process_waits_for_nobody():
    done = subprocess.run([sys.executable, "-W", "error", "-c", AT_THE_END], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_health_check_inside_its_own_loop_is_refused_at_once(backend, loop):
    async def inside():
        with pytest.raises(BackendUnavailable, match="async backend"):
            backend.check_health()

    backend.check_health()
    asyncio.run_coroutine_threadsafe(inside(), loop).result(5)
