from __future__ import annotations

import asyncio
import io
import threading
from collections import Counter
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3, FakeS3Port
from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    CapabilityNotSupported,
    DelegatingBackend,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RetryPolicy,
    Store,
    ThreadedBackend,
    WriteResult,
)
from remote_store.core.s3 import Fault, S3Backend, S3Options
from remote_store.core.stores import swaps


class FakeBackend(S3Backend):
    """The S3 backend on a `FakeS3`."""

    def __init__(self, s3: FakeS3, **options: Any) -> None:
        self._s3 = s3
        super().__init__("bucket", S3Options.build(**{"conditional_writes": True, **options}))

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self._s3)


def plus_one(content: bytes) -> bytes:
    return b"%d" % (int(content) + 1)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swaps, "FIRST_DELAY", 0.0001)


def test_an_update_on_s3_is_two_requests_and_keeps_what_a_put_would_drop() -> None:
    s3 = FakeS3()
    store = Store(FakeBackend(s3), "folder")
    store.write("n", b"1", metadata={"a": "b"}, content_type="text/plain")
    s3.calls.clear()
    tag = s3.objects["folder/n"].etag
    written = store.update("n", plus_one)
    assert s3.operations() == ["GetObject", "PutObject"]
    assert s3.calls[1].params["IfMatch"] == tag
    info = store.get_file_info("n")
    assert (written.path, written.etag, written.size) == ("n", info.etag, 1)
    assert (info.metadata, info.content_type) == ({"a": "b"}, "text/plain")
    assert store.read_bytes("n") == b"2"


@pytest.mark.parametrize("backend", ["memory", "s3"])
def test_an_update_keeps_headers_and_tags(backend: str) -> None:
    s3 = FakeS3()
    store = Store(MemoryBackend() if backend == "memory" else FakeBackend(s3), "folder")
    store.write("n", b"1", cache_control="no-store", content_encoding="x", tags={"a": "b", "c": ""})
    s3.calls.clear()
    store.update("n", plus_one)
    assert s3.operations() in ([], ["GetObject", "GetObjectTagging", "PutObject"])
    info = store.head("n")
    assert (info.cache_control, info.content_encoding, info.tag_count) == ("no-store", "x", 2)
    assert store.get_tags("n") == {"a": "b", "c": ""}
    assert store.read_bytes("n") == b"2"


@pytest.mark.parametrize("backend", ["memory", "s3"])
def test_threads_lose_no_update(backend: str) -> None:
    store = Store(MemoryBackend() if backend == "memory" else FakeBackend(FakeS3()))

    def count() -> None:
        for _ in range(25):
            store.update("n", plus_one, initial=b"0")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read_bytes("n") == b"200"


async def test_tasks_lose_no_update() -> None:
    async def slowly(content: bytes) -> bytes:
        await asyncio.sleep(0)
        return plus_one(content)

    async with AsyncStore(ThreadedBackend(MemoryBackend())) as store:

        async def count() -> None:
            for _ in range(25):
                await store.update("n", slowly, initial=b"0")

        await asyncio.gather(*[count() for _ in range(16)])
        assert await store.read_bytes("n") == b"400"


@pytest.mark.parametrize("error", [RuntimeError("mine"), PreconditionFailed("mine", path="elsewhere"), KeyError()])
def test_what_the_function_raises_passes_and_nothing_is_written(error: Exception) -> None:
    store = Store(MemoryBackend(), "folder")
    store.write("n", b"1")

    def fail(content: bytes) -> bytes:
        raise error

    with pytest.raises(type(error)) as caught:
        store.update("n", fail)
    assert caught.value is error
    assert getattr(error, "path", "elsewhere") == "elsewhere"
    assert store.read_bytes("n") == b"1"


@pytest.mark.parametrize("result", [None, "text", 3])
def test_a_function_that_returns_no_bytes(result: Any) -> None:
    store = Store(MemoryBackend())
    store.write("n", b"1")
    with pytest.raises(TypeError, match="must return bytes"):
        store.update("n", lambda content: result)

    async def coroutine(content: bytes) -> bytes:
        return content

    function: Any = coroutine
    with pytest.raises(TypeError, match="coroutine"):
        store.update("n", function)
    assert store.read_bytes("n") == b"1"


def test_a_file_that_does_not_exist() -> None:
    store = Store(MemoryBackend(), "folder")
    with pytest.raises(NotFound) as caught:
        store.update("n", plus_one)
    assert caught.value.path == "n"
    assert store.update("n", plus_one, initial=b"9").path == "n"
    assert store.read_bytes("n") == b"10"
    store.write("deep/file", b"")
    for folder in ("deep", ""):
        with pytest.raises(InvalidPath):
            store.update(folder, plus_one, initial=b"9")


def test_a_create_that_another_writer_wins_is_tried_again() -> None:
    backend = MemoryBackend()
    store = Store(backend)
    calls = list[bytes]()

    def function(content: bytes) -> bytes:
        calls.append(content)
        if len(calls) == 1:
            backend.write("n", b"theirs")
        return content + b"!"

    store.update("n", function, initial=b"")
    assert calls == [b"", b"theirs"]
    assert store.read_bytes("n") == b"theirs!"


def test_an_update_of_a_file_that_goes_and_comes() -> None:
    backend = MemoryBackend()
    store = Store(backend)
    store.write("n", b"1")
    calls = list[bytes]()

    def function(content: bytes) -> bytes:
        calls.append(content)
        if len(calls) == 1:
            backend.delete("n")
        return content + b"!"

    store.update("n", function, initial=b"new")
    assert calls == [b"1", b"new"]
    assert store.read_bytes("n") == b"new!"


def test_the_attempts_and_the_time_end(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()
    store = Store(backend, "folder")
    store.write("n", b"1")
    calls = Counter[str]()

    def function(content: bytes) -> bytes:
        calls["n"] += 1
        backend.write("folder/n", content + b"!", overwrite=True)
        return b"mine"

    with pytest.raises(PreconditionFailed, match="all 3 attempts") as caught:
        store.update("n", function, retry=RetryPolicy(max_attempts=3))
    assert (calls["n"], caught.value.path, caught.value.retryable) == (3, "n", True)
    assert isinstance(caught.value.__cause__, PreconditionFailed)
    monkeypatch.setattr(swaps, "FIRST_DELAY", 1000)
    with pytest.raises(PreconditionFailed):
        store.update("n", function, retry=RetryPolicy(max_attempts=100, total_timeout=0.000001))
    assert calls["n"] == 4
    with pytest.raises(TypeError, match="RetryPolicy"):
        store.update("n", function, retry=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"conditional_writes": None}, {"conditional_writes": False}])
def test_an_endpoint_that_is_not_trusted_is_refused_before_any_request(options: dict[str, Any]) -> None:
    s3 = FakeS3()
    store = Store(FakeBackend(s3, endpoint_url="http://localhost", **options))
    with pytest.raises(CapabilityNotSupported, match="conditional_writes") as caught:
        store.update("n", plus_one)
    assert (caught.value.capability, caught.value.path) == ("compare_and_swap", "n")
    assert s3.calls == []


def test_a_lost_response_is_not_taken_for_an_update() -> None:
    s3 = FakeS3()
    store = Store(FakeBackend(s3))
    store.write("n", b"1")

    def after(call: Any, _response: Any) -> None:
        if call.operation == "PutObject":
            raise Fault("PreconditionFailed", 412, attempts=2)

    s3.after = after
    with pytest.raises(BackendUnavailable, match="the response to the write was lost") as caught:
        store.update("n", plus_one)
    assert (caught.value.path, caught.value.retryable) == ("n", False)
    assert store.read_bytes("n") == b"2"


class Foreign(DelegatingBackend):
    """A backend whose readers do not describe their file, and which another writer changes between two reads."""

    def read(self, path: str, **options: Any) -> Any:
        return io.BytesIO(self.inner.read_bytes(path))

    def get_file_info(self, path: str, **options: Any) -> Any:
        info = self.inner.get_file_info(path, **options)
        if self.inner.read_bytes(path) == b"1":
            self.inner.write(path, b"5", overwrite=True)
        return info


def test_a_reader_that_does_not_describe_its_file() -> None:
    backend = Foreign(MemoryBackend())
    store = Store(backend)
    store.write("n", b"1")
    store.update("n", plus_one)
    assert store.read_bytes("n") == b"6"


def test_a_result_says_whether_its_response_was_lost() -> None:
    assert WriteResult("a", 1) == WriteResult("a", 1, response_lost=True)
    assert AlreadyExists.http_status == 409
