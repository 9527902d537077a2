from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from typing import Any

import pytest

from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.checking.recorder import KEPT, CallLog, Recorder, brief
from remote_store.core import AsyncBackend, MemoryBackend, NotFound, PresignedPost, ThreadedBackend


class Talking(MemoryBackend):
    def exists(self, path: str) -> bool:
        return self.is_file(path) or super().exists(path)


@pytest.fixture
def log() -> CallLog:
    return CallLog()


@pytest.fixture
def recorder() -> Any:
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_calls_are_noted_with_what_came_of_them(log: CallLog, recorder: Recorder) -> None:
    backend = Talking()
    recorder.watch(backend, log)
    backend.write("a", b"x" * 1000, overwrite=True)
    with pytest.raises(NotFound):
        backend.read_bytes("b")
    written, read = log.lines()
    assert written.startswith("write('a', <1,000 bytes b'xxx")
    assert ", overwrite=True) -> WriteResult(path='a', size=1000" in written
    assert read.startswith("read_bytes('b') raised NotFound: ")


class Signing(MemoryBackend):
    def presign(self, path: str, **options: Any) -> str:
        return f"https://s3.example/{path}?X-Amz-Signature=5ec12e7"

    def presign_post(self, prefix: str, **options: Any) -> PresignedPost:
        return PresignedPost("https://s3.example", {"key": prefix, "policy": "5ec12e7"})


def test_urls_and_forms_are_noted_without_what_is_in_them(log: CallLog, recorder: Recorder) -> None:
    backend = Signing()
    recorder.watch(backend, log)
    assert "5ec12e7" in backend.presign("a")
    assert backend.presign_post("b/", max_size=9).fields["policy"] == "5ec12e7"
    assert log.lines() == ["presign('a') -> ***", "presign_post('b/', max_size=9) -> ***"]


def test_calls_of_another_adapter_are_told_apart(log: CallLog, recorder: Recorder) -> None:
    backend, peer = Talking(), MemoryBackend()
    recorder.watch(backend, log)
    recorder.watch(peer, log, prefix="peer: ")
    backend.exists("a")
    peer.exists("a")
    assert log.lines() == ["exists('a') -> False", "peer: exists('a') -> False"]


def test_calls_that_a_backend_makes_to_itself_are_not_noted(log: CallLog, recorder: Recorder) -> None:
    backend = Talking()
    recorder.watch(backend, log)
    assert backend.exists("a") is False
    assert log.lines() == ["exists('a') -> False"]


def test_the_backend_stays_what_it_is(log: CallLog, recorder: Recorder) -> None:
    backend, other = Talking(), Talking()
    signature = inspect.signature(Talking.write)
    recorder.watch(backend, log)
    assert type(backend) is Talking
    assert backend.exists == backend.exists
    assert inspect.signature(backend.write) == signature.replace(parameters=list(signature.parameters.values())[1:])
    assert type(pickle.loads(pickle.dumps(backend))) is Talking
    with backend as entered:
        assert entered is backend
    other.exists("a")
    assert log.lines() == ["close() -> None"]


def test_everything_is_put_back() -> None:
    before = {**vars(MemoryBackend)}, {**vars(Talking)}
    recorder, log, backend = Recorder(), CallLog(), Talking()
    recorder.watch(backend, log)
    assert vars(Talking)["exists"] is not before[1]["exists"]
    recorder.close()
    assert ({**vars(MemoryBackend)}, {**vars(Talking)}) == before
    backend.exists("a")
    assert log.lines() == []


def test_threads_are_noted_too(log: CallLog, recorder: Recorder) -> None:
    backend = Talking()
    recorder.watch(backend, log)
    threads = [threading.Thread(target=backend.exists, args=("a",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.lines() == ["exists('a') -> False"] * 5


async def test_coroutines_are_noted_and_stay_coroutines(log: CallLog, recorder: Recorder) -> None:
    backend: AsyncBackend = ThreadedBackend(MemoryBackend())
    recorder.watch(backend, log)
    assert inspect.iscoroutinefunction(backend.write)
    await asyncio.gather(backend.write("a", b"1"), backend.exists("b"))
    assert sorted(line.partition("(")[0] for line in log.lines()) == ["exists", "write"]
    assert log.lines()[1] == "exists('b') -> False"


def test_only_the_last_calls_are_kept(log: CallLog, recorder: Recorder) -> None:
    backend = Talking()
    recorder.watch(backend, log)
    for _ in range(KEPT + 3):
        backend.exists("a")
    lines = log.lines()
    assert (len(lines), lines[0]) == (KEPT + 1, "... 3 earlier calls")


def test_a_call_that_does_not_end_is_seen(log: CallLog, recorder: Recorder) -> None:
    class Slow(MemoryBackend):
        def exists(self, path: str) -> bool:
            return release.wait(10)

    release, backend = threading.Event(), Slow()
    recorder.watch(backend, log)
    thread = threading.Thread(target=backend.exists, args=("a",))
    thread.start()
    while not log.lines():
        pass
    assert log.lines() == ["exists('a') has not returned"]
    release.set()
    thread.join()


def test_a_guard_is_asked_before_the_call(log: CallLog, recorder: Recorder) -> None:
    def guard(method: str, path: object) -> None:
        raise LookupError(method, path)

    backend = Talking()
    recorder.watch(backend, log, guard)
    with pytest.raises(LookupError, match=r"\('delete', 'a'\)"):
        backend.delete("a")
    with pytest.raises(LookupError, match=r"\('move', 'a'\)"):
        backend.move(src="a", dst="b")
    assert log.lines() == []


def test_a_storage_that_takes_its_time_is_waited_for_and_the_time_is_counted(recorder: Recorder) -> None:
    log, backend = CallLog(settles_within=0.02), Talking()
    recorder.watch(backend, log)
    backend.exists("a")
    assert log.waited == 0
    backend.write("a", b"")
    backend.write("b", b"")
    assert log.waited == 0
    backend.exists("a")
    backend.exists("b")
    assert 0 < log.waited <= 0.02


def test_secrets_in_options_are_not_noted(log: CallLog) -> None:
    log.begin("write", ("a",), {"password": "hunter2", "overwrite": True})
    assert log.lines() == ["write('a', password=***, overwrite=True) has not returned"]


@pytest.mark.parametrize(
    "value, expected",
    [
        (None, "None"),
        ("a", "'a'"),
        (b"abc", "b'abc'"),
        (memoryview(b"abc"), "b'abc'"),
        (object(), "<object>"),
        (iter([1]), "<list_iterator>"),
        ("x" * 200, "'" + "x" * 79 + "..."),
    ],
)
def test_a_value_is_told_in_a_few_words(value: object, expected: str) -> None:
    assert brief(value) == expected


def test_a_forked_child_records_though_the_lock_was_taken(recorder: Recorder, log: CallLog) -> None:
    backend = MemoryBackend()
    recorder.watch(backend, log)
    with log._lock:
        assert in_fork(lambda: backend.exists("a")) is False


class Plain(ThreadedBackend):
    def read_range(self, path: str, start: int, length: int) -> bytes:  # type: ignore[override]
        return b"plain"


async def test_an_async_method_that_is_no_coroutine_function_is_named(log: CallLog, recorder: Recorder) -> None:
    backend = Plain(MemoryBackend())
    recorder.watch(backend, log)
    with pytest.raises(
        TypeError, match=r"`read_range` is not a coroutine function; .* \(.*test_recorder.py, line \d+\)"
    ):
        await backend.read_range("file", 0, 1)  # type: ignore[misc]


def test_texts_that_look_alike_are_told_apart() -> None:
    assert brief(["é", "e\u0301"]) == r"['\xe9', 'e\u0301']"
    assert brief("\u212a") == r"'\u212a'"
    assert brief("é") == "'é'"
