from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import BackendUnavailable, RetryPolicy
from remote_store.core.s3 import AsyncS3Backend, Call, S3Backend, S3Options
from remote_store.core.s3.engine import tasks
from remote_store.core.s3.engine.allowance import Allowance, allowance_of, health_allowance
from remote_store.core.s3.engine.tasks import in_time

PART = 5 << 20
MIB = 1 << 20


class Blocking(S3Backend):
    def __init__(self, s3: FakeS3, total: float | None = None) -> None:
        self.s3 = s3
        super().__init__("bucket", options(total))

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self.s3)


class Awaited(AsyncS3Backend):
    def __init__(self, s3: FakeS3, total: float | None = None) -> None:
        self.s3 = s3
        super().__init__("bucket", options(total))

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self.s3)


def options(total: float | None) -> S3Options:
    retry = RetryPolicy(total_timeout=total)
    return S3Options.build(part_size=PART, endpoint_url="http://s3.test", conditional_writes=True, retry=retry)


def becomes_true(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_no_total_timeout_is_no_allowance() -> None:
    assert allowance_of(None) is None
    assert allowance_of(2) is not None


def test_only_the_time_of_the_calls_counts() -> None:
    allowance = Allowance(0.2)
    with allowance.counted() as left:
        assert left == 0.2
    time.sleep(0.2)
    with allowance.counted() as left:
        assert left > 0.1
        allowance.check()
        time.sleep(0.2)
        with pytest.raises(BackendUnavailable, match=r"within 0\.2 s.*total_timeout") as caught:
            allowance.check()
    assert caught.value.retryable
    with pytest.raises(BackendUnavailable), allowance.counted():
        pytest.fail("nothing is left")


def test_a_caller_that_gives_up_leaves_the_error_by_which_the_thread_knows_to_stop() -> None:
    allowance = Allowance(5)
    allowance.stop()
    with pytest.raises(BackendUnavailable) as caught:
        allowance.check()
    assert allowance.exceeded() is not caught.value
    assert allowance.error is caught.value


def test_a_health_check_has_less_than_ten_seconds() -> None:
    for seconds in (None, 60.0):
        with health_allowance(seconds).counted() as left:
            assert left == 9
    with health_allowance(2.0).counted() as left:
        assert left == 2


def test_a_call_in_time_returns_its_result_and_raises_its_error() -> None:
    assert in_time(lambda: 3, Allowance(5), never, never) == 3
    for error in (TimeoutError("mine"), StopIteration(), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            in_time(partial(raising, error), Allowance(5), never, never)
        assert caught.value is error


def raising(error: BaseException) -> None:
    raise error


def never(_result: object) -> None:
    pytest.fail("the call was waited for")


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_call_opened_for_nobody_is_dropped(fails: bool) -> None:
    held, dropped = threading.Event(), threading.Event()
    results: list[object] = []
    kept: list[Future[int]] = []

    def call() -> int:
        assert held.wait(10)
        if fails:
            raise ValueError("mine")
        return 3

    def drop(result: int | None) -> None:
        results.append(result)
        dropped.set()

    with pytest.raises(BackendUnavailable):
        in_time(call, Allowance(0.05), drop, kept.append)
    assert results == []
    assert not kept[0].done()
    held.set()
    assert dropped.wait(10)
    assert results == [None if fails else 3]


def test_a_call_runs_here_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert in_time(threading.current_thread, Allowance(5), never, never) is threading.current_thread()


def test_a_write_that_is_given_up_is_aborted_by_its_thread(s3: FakeS3) -> None:
    held = threading.Event()

    def before(call: Call) -> None:
        if call.operation == "UploadPart":
            held.wait(10)

    s3.before = before
    backend = Blocking(s3, 0.2)
    with pytest.raises(BackendUnavailable, match="within 0.2 s") as caught:
        backend.write("a", io.BytesIO(bytes(3 * PART)))
    assert (caught.value.path, caught.value.backend) == ("a", "s3")
    assert s3.uploads
    held.set()
    assert becomes_true(lambda: not s3.uploads)
    assert "a" not in s3.objects
    backend.close()


def test_close_leaves_the_port_open_for_the_abort_of_a_write_that_was_given_up(s3: FakeS3) -> None:
    held, steps = threading.Event(), []

    class Port(FakeS3Port):
        def close(self) -> None:
            steps.append("close")
            super().close()

    class Backend(Blocking):
        def _connect(self) -> FakeS3Port:
            return Port(self.s3)

    def before(call: Call) -> None:
        if call.operation == "UploadPart":
            held.wait(10)
        if call.operation == "AbortMultipartUpload":
            steps.append("abort")

    s3.before = before
    backend = Backend(s3, 0.2)
    with pytest.raises(BackendUnavailable):
        backend.write("a", io.BytesIO(bytes(3 * PART)))
    backend.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        backend.exists("a")
    assert steps == []
    held.set()
    assert becomes_true(lambda: len(steps) == 2)
    assert steps == ["abort", "close"]
    assert not s3.uploads


def test_a_backend_that_was_closed_before_is_not_asked_to_stay_open(s3: FakeS3) -> None:
    held = threading.Event()
    s3.before = lambda _call: held.wait(10)
    backend = Blocking(s3, 0.3)
    closing = threading.Timer(0.05, backend.close)
    closing.start()
    with pytest.raises(BackendUnavailable, match="within 0.3 s"):
        backend.exists("a")
    closing.join()
    held.set()


AT_EXIT = """if True:
    import threading, time
    from remote_store.core import BackendUnavailable
    from remote_store.core.s3.engine.allowance import Allowance
    from remote_store.core.s3.engine.tasks import in_time

    def clean_up():
        time.sleep(0.3)
        print("cleaned up", flush=True)

    try:
        in_time(clean_up, Allowance(0.05), lambda _result: None, lambda _call: None)
    except BackendUnavailable:
        print("given up")
"""


def test_the_interpreter_lets_a_call_that_was_given_up_clean_up() -> None:
    run = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=True)
    assert run.stdout == "given up\ncleaned up\n"


def test_an_interrupted_write_waits_a_moment_for_its_abort(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, sent, wait = threading.current_thread(), threading.Event(), tasks.wait
    interrupts = [KeyboardInterrupt()]

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if threading.current_thread() is caller and interrupts:
            assert sent.wait(10)
            raise interrupts.pop()
        return wait(*arguments, **options)

    def before(call: Call) -> None:
        if call.operation == "UploadPart":
            sent.set()
            time.sleep(0.05)

    monkeypatch.setattr(tasks, "wait", interrupted)
    s3.before = before
    backend = Blocking(s3, 30)
    with pytest.raises(KeyboardInterrupt):
        backend.write("a", io.BytesIO(bytes(3 * PART)))
    assert not s3.uploads
    assert "a" not in s3.objects
    backend.close()


def test_a_source_that_fails_keeps_its_exception(s3: FakeS3) -> None:
    error = ValueError("mine")

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise error

    with pytest.raises(ValueError, match="mine") as caught:
        Blocking(s3, 5).write("a", Failing())
    assert caught.value is error


def test_a_listing_counts_the_time_of_its_pages_only(s3: FakeS3) -> None:
    for number in range(1500):
        s3.put(f"{number:04}")
    rows = Blocking(s3, 1).list_files("")
    assert next(rows).path == "0000"
    time.sleep(1.1)
    assert len(list(rows)) == 1499


def test_a_reader_with_a_limit_reads_the_same_bytes(s3: FakeS3) -> None:
    content = bytes(range(256)) * 40_000
    s3.put("a", content)
    backend = Blocking(s3, 30)
    for opened in (backend.read, backend.read_seekable):
        with opened("a") as file:
            assert file.read(10) == content[:10]
            buffer = bytearray(3 * MIB)
            assert file.readinto(buffer) == len(buffer)  # type: ignore[attr-defined]
            assert buffer == content[10 : 10 + len(buffer)]
            assert file.read() == content[10 + len(buffer) :]
    backend.close()


def test_a_file_that_is_opened_too_late_is_closed(s3: FakeS3) -> None:
    s3.put("a", bytes(MIB))
    held, reached = threading.Event(), threading.Event()

    def before(_call: Call) -> None:
        reached.set()
        held.wait(10)

    s3.before = before
    backend = Blocking(s3, 0.2)
    with pytest.raises(BackendUnavailable, match=r"within 0\.2 s"):
        backend.read("a")
    assert reached.is_set()
    held.set()
    assert becomes_true(lambda: bool(s3.bodies) and not s3.open_bodies())
    backend.close()


def test_a_read_that_is_given_up_closes_its_connection_when_it_ends(s3: FakeS3) -> None:
    s3.put("a", bytes(MIB))
    held = threading.Event()
    backend = Blocking(s3, 0.2)
    file = backend.read("a")
    (body,) = s3.open_bodies()
    read = body.read

    def slow(size: int = -1) -> bytes:
        held.wait(10)
        return read(size)

    body.read = slow  # type: ignore[method-assign]
    with pytest.raises(BackendUnavailable, match=r"within 0\.2 s"):
        file.read(10)
    file.close()
    assert s3.open_bodies() == [body]
    held.set()
    assert becomes_true(lambda: not s3.open_bodies())
    backend.close()


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield bytes(PART)


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "AbortMultipartUpload"])
async def test_a_cancelled_upload_is_aborted_in_the_background(s3: FakeS3, operation: str) -> None:
    reached, held = asyncio.Event(), asyncio.Event()

    class Held(AsyncFakeS3Port):
        async def perform(self, call: Call) -> Any:
            answer = await super().perform(call) if operation == "CreateMultipartUpload" else None
            if call.operation == operation:
                reached.set()
                await held.wait()
            if call.operation == "CompleteMultipartUpload":
                reached.set()
                await asyncio.Event().wait()
            return await super().perform(call) if answer is None else answer

    class Backend(Awaited):
        async def _connect(self) -> AsyncFakeS3Port:
            return Held(self.s3)

    backend = Backend(s3)
    task = asyncio.create_task(backend.write("a", pieces()))
    async with asyncio.timeout(10):
        await reached.wait()
    began = time.monotonic()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert time.monotonic() - began < 1.5
    # The port stays open until the cleanup has ended.
    await backend.close()
    held.set()
    assert await asyncio.to_thread(becomes_true, lambda: not s3.uploads)
    assert "a" not in s3.objects


def test_the_end_of_the_event_loop_does_not_wait_for_a_cleanup_that_hangs() -> None:
    s3 = FakeS3()

    class Hanging(AsyncFakeS3Port):
        async def perform(self, call: Call) -> Any:
            if call.operation in ("UploadPart", "AbortMultipartUpload"):
                await asyncio.Event().wait()
            return await super().perform(call)

    class Backend(Awaited):
        async def _connect(self) -> AsyncFakeS3Port:
            return Hanging(self.s3)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await Backend(s3).write("a", pieces())

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 4


async def test_an_awaited_operation_that_is_given_up_says_so(s3: FakeS3) -> None:
    class Hanging(AsyncFakeS3Port):
        async def perform(self, call: Call) -> Any:
            await asyncio.Event().wait()

    class Backend(Awaited):
        async def _connect(self) -> AsyncFakeS3Port:
            return Hanging(self.s3)

    with pytest.raises(BackendUnavailable, match="within 0.1 s") as caught:
        await Backend(s3, 0.1).read_bytes("a")
    assert caught.value.path == "a"
    assert isinstance(caught.value.__cause__, TimeoutError)
