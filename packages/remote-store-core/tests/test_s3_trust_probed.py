"""`conditional_writes="probe"`: when the endpoint is probed, who shares the result, and what follows a failed probe."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Unpack

import pytest

from honouring import KINDS, Honouring
from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    ConditionalWrites,
    Config,
    RetryPolicy,
    ThreadedBackend,
)
from remote_store.core.config.settings import Settings
from remote_store.core.s3 import AsyncS3Backend, Call, Fault, S3Backend, S3OptionFields, S3Options
from remote_store.core.s3.engine.aio_tasks import join as async_join
from remote_store.core.s3.engine.tasks import join
from remote_store.core.s3.operations import trust
from remote_store.core.s3.operations.trust import FINDINGS
from uploads import PART, Stream

URL = "http://s3.test"
PROBE: dict[str, Any] = {"endpoint_url": URL, "conditional_writes": "probe", "part_size": PART}
LARGE = b"x" * (PART + 1)


class Backend(S3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**{**PROBE, **options}))
        self.s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self.s3)


class AsyncBackend(AsyncS3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**{**PROBE, **options}))
        self.s3 = s3

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self.s3)


@pytest.fixture
def s3(s3: FakeS3) -> Honouring:
    return Honouring()


def probed(s3: FakeS3) -> list[Call]:
    return [call for call in s3.calls if ".remote-store-probe-" in call.params.get("Key", "")]


def sent(s3: FakeS3) -> list[str]:
    """The calls that do not belong to a probe."""
    mine = [call for call in s3.calls if ".remote-store-probe-" not in call.params.get("Key", "")]
    return [call.operation for call in mine if not call.params.get("Prefix", "").startswith(".remote-store-probe-")]


CREATES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "bytes": (lambda lane: lane.write("new", b"x"), ["PutObject"]),
    "stream": (lambda lane: lane.write("new", Stream(b"x")), ["PutObject"]),
    "parts": (
        lambda lane: lane.write("new", LARGE),
        ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"],
    ),
    "copy": (lambda lane: lane.copy("source", "new"), ["CopyObject"]),
    "move": (lambda lane: lane.move("source", "new"), ["HeadObject", "CopyObject", "DeleteObject"]),
}


@pytest.mark.parametrize("name", CREATES)
def test_a_create_probes_once_and_then_is_one_request(name: str, s3: Honouring, open_lane: Any) -> None:
    create, expected = CREATES[name]
    lane = open_lane(**PROBE)
    for _ in range(3):
        s3.objects.clear()
        s3.put("source", b"source")
        s3.calls.clear()
        create(lane)
        assert sorted(sent(s3)) == sorted(expected)
    assert not probed(s3)
    with pytest.raises(AlreadyExists):
        lane.write("new", b"y")
    assert Capability.ATOMIC_CREATE in lane.backend.capabilities


def test_what_depends_on_no_condition_does_not_probe(s3: Honouring, open_lane: Any) -> None:
    s3.put("a", b"abc")
    lane = open_lane(**PROBE)
    lane.write("a", b"new", overwrite=True)
    lane.write("b", LARGE, overwrite=True)
    lane.copy("a", "c", overwrite=True)
    lane.read_bytes("a")
    lane.get_file_info("a")
    lane.list_files("")
    lane.exists("a")
    lane.delete("a")
    lane.delete_folder("none", missing_ok=True)
    lane.check_health()
    assert not probed(s3)


def test_backends_of_both_worlds_share_what_was_found(s3: Honouring) -> None:
    with Backend(s3) as one, Backend(s3) as two:
        one.write("a", b"1")
        count = len(probed(s3))
        two.write("b", b"1")

        async def third() -> None:
            async with AsyncBackend(s3) as backend:
                await backend.write("c", b"1")

        asyncio.run(third())
    assert count == len(probed(s3)) > 0


def test_each_endpoint_and_bucket_is_probed(s3: Honouring) -> None:
    counts = []
    for url, bucket in ((URL, "bucket"), ("http://other.test", "bucket"), (URL, "another"), (URL, "bucket")):
        s3.bucket = bucket
        with Backend(s3, endpoint_url=url) as backend:
            backend.write("a", b"1", overwrite=False)
        s3.objects.clear()
        counts.append(len(probed(s3)))
    assert counts[0] < counts[1] < counts[2] == counts[3]


def test_concurrent_first_creates_in_threads_wait_for_one_probe(s3: Honouring) -> None:
    with Backend(s3) as one, Backend(s3) as two, ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda number: (one, two)[number % 2].write(f"file-{number}", b"x"), range(64)))
    assert sent(s3) == ["PutObject"] * 64
    assert len([call for call in probed(s3) if call.operation == "CopyObject"]) == 6


def test_concurrent_first_creates_in_tasks_wait_for_one_probe(s3: Honouring) -> None:
    async def creates() -> None:
        async with AsyncBackend(s3) as one, AsyncBackend(s3) as two:
            await asyncio.gather(*((one, two)[number % 2].write(f"file-{number}", b"x") for number in range(64)))

    asyncio.run(creates())
    assert sent(s3) == ["PutObject"] * 64
    assert len([call for call in probed(s3) if call.operation == "CopyObject"]) == 6


def test_of_concurrent_creates_of_one_file_one_wins(s3: Honouring) -> None:
    with Backend(s3) as backend, ThreadPoolExecutor(16) as pool:
        writes = [pool.submit(backend.write, "lock", b"%d" % number) for number in range(16)]
        won = [write for write in writes if write.exception() is None]
    assert len(won) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_that_is_not_honoured_is_not_trusted(kind: str, s3: Honouring, open_lane: Any) -> None:
    s3.broken = {kind: "ignores"}
    s3.put("source", b"source")
    lane = open_lane(**PROBE)
    lane.write("a", b"1")
    for name, create in {"put": ("a", b"2"), "complete": ("a", LARGE)}.items():
        with pytest.raises(AlreadyExists):
            lane.write(*create)
        assert name in KINDS
    with pytest.raises(AlreadyExists):
        lane.copy("source", "a")
    assert s3.objects["a"].data == b"1"
    expected = kind not in ("put", "complete", "copy")
    assert (Capability.ATOMIC_CREATE in lane.backend.capabilities) is expected


def test_capabilities_are_declared_until_the_probe_has_shown_otherwise(s3: Honouring, open_lane: Any) -> None:
    s3.broken = {"copy": "ignores"}
    one, two = open_lane(**PROBE), open_lane(**PROBE)
    assert Capability.ATOMIC_CREATE in one.backend.capabilities
    one.write("a", b"1")
    assert Capability.ATOMIC_CREATE not in one.backend.capabilities
    two.exists("a")
    assert Capability.ATOMIC_CREATE not in two.backend.capabilities
    assert Capability.ATOMIC_CREATE not in open_lane(**PROBE).backend.capabilities
    assert Capability.ATOMIC_CREATE in type(one.backend).capabilities


def test_a_bridge_shows_what_its_backend_has_lost(s3: Honouring) -> None:
    s3.broken = {"copy": "ignores"}

    async def bridged() -> tuple[bool, bool]:
        async with ThreadedBackend(Backend(s3)) as bridge:
            before = Capability.ATOMIC_CREATE in bridge.capabilities
            await bridge.write("a", b"1")
            return before, Capability.ATOMIC_CREATE in bridge.capabilities

    assert asyncio.run(bridged()) == (True, False)


def failing(s3: Honouring, times: int = 1_000_000) -> None:
    """Let the first calls of so many probes fail."""
    seen: set[str] = set()

    def before(call: Call) -> None:
        key = call.params.get("Key", "")
        if call.operation == "PutObject" and key.startswith(".remote-store-probe-"):
            seen.add(key)
            if len(seen) <= times:
                raise Fault("AccessDenied", 403)

    s3.before = before


def test_after_a_failed_probe_a_create_is_careful_and_the_next_one_probes_again(
    s3: Honouring, open_lane: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failing(s3, 2)
    lane = open_lane(**PROBE)
    with caplog.at_level(logging.WARNING, "remote_store"):
        lane.write("a", b"1")
        with pytest.raises(AlreadyExists):
            lane.write("a", b"2")
    assert sent(s3) == ["HeadObject", "PutObject", "HeadObject"]
    assert s3.objects["a"].data == b"1"
    (record,) = (record for record in caplog.records if "probe" in record.message)
    assert "'bucket'" in record.message
    assert "AccessDenied" in record.message
    lane.write("b", b"1")
    s3.calls.clear()
    lane.write("c", b"1")
    assert [call.operation for call in s3.calls] == ["PutObject"]


def test_those_who_wait_for_a_probe_that_fails_do_not_probe_themselves(s3: Honouring) -> None:
    gate = threading.Event()

    def before(call: Call) -> None:
        if call in probed(s3) and call.operation == "PutObject":
            gate.wait(10)
            raise Fault("SlowDown", 503)

    s3.before = before
    with Backend(s3) as backend, ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(backend.write, f"file-{number}", b"x") for number in range(8)]
        time.sleep(0.1)
        gate.set()
        for write in writes:
            write.result()
    assert len([call for call in probed(s3) if call.operation == "PutObject"]) == 1
    assert sorted(sent(s3)) == ["HeadObject"] * 8 + ["PutObject"] * 8


def test_if_the_one_who_probes_is_cancelled_another_takes_over(s3: Honouring) -> None:
    async def creates() -> None:
        async with AsyncBackend(s3) as backend:
            first = asyncio.create_task(backend.write("first", b"x"))

            async def cancel() -> None:
                if len(s3.calls) == 10:
                    first.cancel()

            s3.before = lambda _call: cancel()
            second = asyncio.create_task(backend.write("second", b"x"))
            with pytest.raises(asyncio.CancelledError):
                await first
            await second

    asyncio.run(creates())
    assert sent(s3) == ["PutObject"]
    assert list(s3.objects) == ["second"]


def test_a_wait_has_a_bound(s3: Honouring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "LONGEST_WAIT", 0.05)
    place = (URL, "bucket")
    future, is_mine = FINDINGS.begin(place)
    assert is_mine
    with Backend(s3) as backend:
        backend.write("a", b"1")
    assert sent(s3) == ["HeadObject", "PutObject"]
    FINDINGS.end(place, future, trust.Probed(ConditionalWrites.every(True)))
    with Backend(s3) as backend:
        backend.write("b", b"1")
    assert sent(s3)[2:] == ["PutObject"]
    assert not probed(s3)


def test_a_thread_that_blocks_an_event_loop_does_not_wait_for_it(s3: Honouring) -> None:
    place = (URL, "bucket")
    future, _ = FINDINGS.begin(place)

    async def blocks() -> float:
        began = time.monotonic()
        with Backend(s3) as backend:
            backend.write("a", b"1")
        return time.monotonic() - began

    assert asyncio.run(blocks()) < 5
    assert sent(s3) == ["HeadObject", "PutObject"]
    FINDINGS.end(place, future, trust.Probed())


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_join_returns_the_result_in_time_or_nothing(world: str) -> None:
    def joined(future: Future[int], seconds: float) -> int | None:
        return join(future, seconds) if world == "sync" else asyncio.run(async_join(future, seconds))

    future: Future[int] = Future()
    future.set_running_or_notify_cancel()
    assert joined(future, 0.01) is None
    threading.Timer(0.02, future.set_result, [7]).start()
    assert joined(future, 10) == 7
    assert joined(future, 10) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_starts_anew(s3: Honouring) -> None:
    FINDINGS.begin((URL, "running"))
    with Backend(s3) as backend:
        backend.write("a", b"1")
        s3.calls.clear()

        def child() -> tuple[int, list[str]]:
            with Backend(s3) as mine:
                mine.write("b", b"1")
            return len(probed(s3)), sent(s3)

        count, operations = in_fork(child)
    assert count > 50
    assert operations == ["PutObject"]


def test_a_probe_that_takes_too_long_ends_with_the_call(s3: Honouring) -> None:
    def before(call: Call) -> None:
        if call in probed(s3) and call.operation == "CopyObject":
            time.sleep(0.3)

    s3.before = before
    with Backend(s3, retry=RetryPolicy(total_timeout=0.2)) as backend, pytest.raises(BackendUnavailable):
        backend.write("a", b"1")
    deadline = time.monotonic() + 10
    while s3.objects and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not s3.objects
    s3.before = None
    with Backend(s3) as backend:
        backend.write("a", b"1")
    assert sent(s3) == ["PutObject"]


def test_a_documented_condition_is_not_probed(s3: Honouring, open_lane: Any) -> None:
    lane = open_lane(**{**PROBE, "endpoint_url": "https://account.r2.cloudflarestorage.com"})
    lane.write("a", b"1")
    lane.write("b", LARGE)
    assert not probed(s3)
    lane.copy("a", "c")
    assert probed(s3)


def test_aws_is_not_probed(s3: Honouring, open_lane: Any) -> None:
    lane = open_lane(conditional_writes="probe")
    lane.write("a", b"1")
    lane.copy("a", "b")
    assert not probed(s3)


SWAPS: dict[str, Callable[[Any], Any]] = {
    "write": lambda lane: lane.write("a", b"new", overwrite=True, if_match=TAG),
    "parts": lambda lane: lane.write("a", LARGE, overwrite=True, if_match=TAG),
    "delete": lambda lane: lane.delete("a", if_match=TAG),
}
TAG = hashlib.md5(b"abc").hexdigest()


@pytest.mark.parametrize("name", SWAPS)
def test_a_swap_is_one_request_after_the_probe(name: str, s3: Honouring, open_lane: Any) -> None:
    lane = open_lane(**PROBE)
    for number in range(2):
        s3.put("a", b"abc")
        s3.calls.clear()
        SWAPS[name](lane)
        assert bool(probed(s3)) is (number == 0)
    assert {"PutObject", "DeleteObject", "CompleteMultipartUpload"} & set(sent(s3))
    assert "HeadObject" not in sent(s3)


@pytest.mark.parametrize(
    "name, kind, capability",
    [
        ("write", "swap", Capability.COMPARE_AND_SWAP),
        ("parts", "complete_swap", Capability.COMPARE_AND_SWAP),
        ("delete", "delete", Capability.CONDITIONAL_DELETE),
    ],
)
def test_a_condition_that_is_not_honoured_is_refused(
    name: str, kind: str, capability: Capability, s3: Honouring, open_lane: Any
) -> None:
    s3.broken = {kind: "ignores"}
    s3.put("a", b"abc")
    lane = open_lane(**PROBE)
    assert capability in lane.backend.capabilities
    for _ in range(2):
        with pytest.raises(CapabilityNotSupported, match=capability.name) as caught:
            SWAPS[name](lane)
        assert (caught.value.path, caught.value.capability) == ("a", capability.value)
    assert s3.objects["a"].data == b"abc"
    assert capability not in lane.backend.capabilities
    assert not sent(s3)


@pytest.mark.parametrize("name", SWAPS)
def test_a_swap_says_that_the_probe_failed_and_the_next_one_probes_again(
    name: str, s3: Honouring, open_lane: Any
) -> None:
    failing(s3, 1)
    s3.put("a", b"abc")
    lane = open_lane(**PROBE)
    with pytest.raises(CapabilityNotSupported, match="AccessDenied") as caught:
        SWAPS[name](lane)
    assert isinstance(caught.value.__cause__, Fault)
    assert s3.objects["a"].data == b"abc"
    SWAPS[name](lane)


def test_a_backend_that_probes_can_be_pickled() -> None:
    options = S3Options.build(**PROBE)
    assert pickle.loads(pickle.dumps(options)) == options


def test_the_option_can_be_written() -> None:
    def factory(**options: Unpack[S3OptionFields]) -> None:
        raise NotImplementedError

    settings = Settings.of(factory)
    table = Config.from_toml('[backends.b]\ntype = "s3"\nconditional_writes = "probe"\n').backends["b"]
    assert settings.values(table.options) == {"conditional_writes": "probe"}
