"""Progress is reported once for each byte of every kind of content, from 0 to the end; an exception in it cancels."""

from __future__ import annotations

import asyncio
import functools
import gzip
import io
import itertools
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3
from remote_store.core import AsyncStore, LocalBackend, MemoryBackend, NotFound, Store, ThreadedBackend
from remote_store.core.s3 import AsyncS3Backend, S3Options
from uploads import MIB, PART, Reports, Stream

CONTENT = random.Random(2).randbytes(MIB + 5)


class UploadFile:
    """An async `read`, and no length."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


async def async_chunks(content: bytes) -> AsyncIterator[bytes]:
    yield b""
    yield content[:1]
    yield content[1:]


class Bare:
    """Nothing but a `read`."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


KNOWN: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "view": lambda content: memoryview(bytes(2 * len(content)))[::2],
    "bytes_io": io.BytesIO,
    "list": lambda content: [content[:1], b"", content[1:]],
}
UNKNOWN: dict[str, Callable[[bytes], Any]] = {
    "stream": lambda content: Stream(content, most=100_000),
    "gzip": lambda content: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content, 1))),
    "generator": lambda content: (content[start : start + 70_000] for start in range(0, len(content), 70_000)),
    "bare": Bare,
}
ASYNC = {"upload_file": UploadFile, "async_generator": async_chunks}


class Stopped(BaseException):
    """Like KeyboardInterrupt, which would end the event loop of the test."""


def check(seen: Reports, size: int, *, known: bool) -> None:
    """Every byte was counted once: the reports begin at 0, grow, and end at the last byte."""
    done = [each.done for each in seen]
    assert (done[0], seen[0].delta, done[-1]) == (0, 0, size)
    assert done == sorted(set(done))
    assert [each.delta for each in seen[1:]] == [after - before for before, after in itertools.pairwise(done)]
    assert {each.total for each in seen} == {size if known else None}


def open_stores(tmp_path: Path, s3_backend: Any) -> list[Any]:
    (tmp_path / "root").mkdir()
    return [Store(MemoryBackend(), "team"), Store(LocalBackend(tmp_path / "root")), Store(s3_backend, "team")]


def bridged(tmp_path: Path, s3_backend: Any) -> list[Any]:
    return [
        AsyncStore(ThreadedBackend(MemoryBackend()), "team"),
        AsyncStore(ThreadedBackend(LocalBackend(tmp_path))),
        AsyncStore(s3_backend, "team"),
    ]


@pytest.mark.parametrize("kind", [*KNOWN, *UNKNOWN, *ASYNC, "path"])
def test_an_upload_counts_each_byte_once(open_lane: Any, tmp_path: Path, kind: str) -> None:
    lane = open_lane(part_size=PART)
    stores = (bridged if lane.is_async else open_stores)(tmp_path, lane.backend)
    if kind in ASYNC and not lane.is_async:
        with pytest.raises(TypeError, match="AsyncStore"):
            stores[0].upload(ASYNC[kind](CONTENT), "up", progress=print)
        return
    (tmp_path / "local").write_bytes(CONTENT)
    for store in stores:
        seen = Reports()
        content = tmp_path / "local" if kind == "path" else {**KNOWN, **UNKNOWN, **ASYNC}[kind](CONTENT)
        result = lane.done(store.upload(content, "up", progress=seen))
        assert result.size == len(CONTENT)
        check(seen, len(CONTENT), known=kind in KNOWN or kind == "path")
        assert kind == "view" or lane.done(store.read_bytes("up")) == CONTENT


@pytest.mark.parametrize("content", [b"", [], io.BytesIO(), iter([])], ids=["bytes", "list", "bytes_io", "iterator"])
def test_an_empty_upload_is_reported_once(content: Any) -> None:
    seen = Reports()
    Store(MemoryBackend()).upload(content, "up", progress=seen)
    assert [(each.done, each.delta) for each in seen] == [(0, 0)]


@pytest.mark.parametrize("size", [0, 1, MIB + 5])
def test_a_download_counts_each_byte_once(open_lane: Any, tmp_path: Path, size: int) -> None:
    lane = open_lane()
    for number, store in enumerate((bridged if lane.is_async else open_stores)(tmp_path, lane.backend)):
        seen = Reports()
        lane.done(store.write("down", CONTENT[:size]))
        assert lane.done(store.download("down", tmp_path / f"to{number}", progress=seen)) == size
        check(seen, size, known=True)


def test_several_parts_are_counted_once(open_lane: Any, s3: FakeS3) -> None:
    lane = open_lane(part_size=PART)
    store = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    for content in (bytes(2 * PART + 1), Stream(bytes(2 * PART + 1))):
        seen = Reports()
        lane.done(store.upload(content, "a", overwrite=True, progress=seen))
        check(seen, 2 * PART + 1, known=isinstance(content, bytes))
        assert len(s3.objects["a"].data) == 2 * PART + 1


def test_a_file_that_grows_has_no_total_any_more(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(bytes(2 * MIB))
    seen = Reports()

    def grow(done: int, total: int | None, delta: int) -> None:
        seen(done, total, delta)
        if done == MIB:
            with path.open("ab") as file:
                file.write(b"more")

    with path.open("rb") as stream:
        Store(MemoryBackend()).upload(stream, "up", progress=grow)
    assert [(each.done, each.total) for each in seen][-2:] == [(2 * MIB, 2 * MIB), (2 * MIB + 4, None)]


@pytest.mark.parametrize(
    "error",
    [NotFound("mine", path="theirs"), Stopped(), asyncio.CancelledError(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("at", [0, PART, 2 * PART + 1])
def test_an_exception_cancels_and_leaves_nothing(
    open_lane: Any, s3: FakeS3, tmp_path: Path, error: BaseException, at: int
) -> None:
    def stop(done: int, total: int | None, delta: int) -> None:
        if done >= at:
            raise error

    lane = open_lane(part_size=PART)
    size = 2 * PART + 1
    for store in (bridged if lane.is_async else open_stores)(tmp_path, lane.backend):
        for content in (bytes(size), Stream(bytes(size))):
            with pytest.raises(type(error)) as caught:
                lane.done(store.upload(content, "up", progress=stop))
            assert caught.value is error or (lane.is_async and not isinstance(error, Exception))
            assert not lane.done(store.exists("up"))
        lane.done(store.write("down", bytes(size)))
        with pytest.raises(type(error)):
            lane.done(store.download("down", tmp_path / "to", progress=stop))
        assert {path.name for path in tmp_path.iterdir()} <= {"root", "down"}
    assert not s3.uploads


async def coroutine(done: int, total: int | None, delta: int) -> None:
    raise AssertionError("is never awaited")


class AsyncCall:
    async def __call__(self, done: int, total: int | None, delta: int) -> None:
        raise AssertionError("is never awaited")


class ReturnsACoroutine:
    def __call__(self, done: int, total: int | None, delta: int) -> Any:
        return coroutine(done, total, delta)


WRONG: dict[str, Any] = {
    "int": 5,
    "str": "print",
    "no_argument": lambda: None,
    "one_argument": lambda done: None,
    "two_arguments": lambda done, total: None,
    "four_arguments": lambda done, total, delta, more: None,
    "keyword": lambda *, done, total, delta: None,
    "list": [].append,
}
AWAITED: dict[str, Any] = {"coroutine": coroutine, "async_call": AsyncCall()}


@pytest.mark.parametrize("kind", [*WRONG, *AWAITED])
def test_a_callback_of_the_wrong_shape_is_refused_before_any_request(
    open_lane: Any, s3: FakeS3, tmp_path: Path, kind: str
) -> None:
    lane = open_lane(endpoint_url="http://s3.test")
    store = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    callback = {**WRONG, **AWAITED}[kind]
    message = r"progress\(done, total, delta\)" if kind in WRONG else "progress must be .* not a coroutine function"
    for call in (
        lambda: store.upload(b"x", "a", progress=callback),
        lambda: store.download("a", tmp_path / "to", progress=callback),
    ):
        with pytest.raises(TypeError, match=message):
            lane.done(call())
    assert s3.calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_callback_that_returns_a_coroutine_fails_before_any_request(open_lane: Any, s3: FakeS3) -> None:
    lane = open_lane(endpoint_url="http://s3.test")
    store = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    with pytest.raises(TypeError, match="coroutine"):
        lane.done(store.upload(b"x", "a", progress=ReturnsACoroutine()))
    assert s3.calls == []


class Bar:
    def update(self, done: int, total: int | None = None, *more: object) -> None:
        self.shown = (done, total, *more)


def test_a_callback_may_have_defaults_and_take_more() -> None:
    bar = Bar()
    shown: list[Any] = []
    for callback in (
        bar.update,
        lambda done, total=None, delta=0, bar=None: shown.append((done, total, delta)),
        lambda *report: shown.append(report),
        functools.partial(lambda name, *report: shown.append(report), "a"),
        print,
    ):
        Store(MemoryBackend()).upload(b"content", "a", progress=callback)
    assert bar.shown == (7, 7, 7)
    assert shown == [(0, 7, 0), (7, 7, 7)] * 3


def test_content_that_is_text_is_refused_before_the_first_report() -> None:
    seen = Reports()
    for content in (io.StringIO("text"), ["text"], 5):
        with pytest.raises(TypeError):
            Store(MemoryBackend()).upload(content, "a", progress=seen)  # type: ignore[arg-type]
    assert seen == []


async def test_a_cancelled_upload_does_not_wait_for_a_blocking_source(s3: FakeS3) -> None:
    reached, held = threading.Event(), threading.Event()

    class Stuck:
        def read(self, size: int, /) -> bytes:
            reached.set()
            held.wait(10)
            return b""

    class Awaited(AsyncS3Backend):
        async def _connect(self) -> AsyncFakeS3Port:
            return AsyncFakeS3Port(s3)

    async with AsyncStore(Awaited("bucket", S3Options())) as store:
        task = asyncio.create_task(store.upload(Stuck(), "a", progress=lambda *_: None))
        assert await asyncio.to_thread(reached.wait, 10)
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        assert time.monotonic() - began < 2
        held.set()
    assert task.cancelled()
    assert s3.objects == {}
