"""What was found to go wrong below one SDK or another, held to on every lane."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import botocore
import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance import RawHead
from remote_store.conformance.checking.wire import async_settles, settles
from remote_store.conformance.faults import Answer
from remote_store.conformance.s3 import (
    MOTO,
    SEAWEEDFS,
    AsyncS3Harness,
    S3Harness,
    S3Target,
    installed_async_lanes,
    installed_lanes,
    started,
)
from remote_store.core import (
    AsyncBackend,
    AsyncStore,
    Backend,
    BackendUnavailable,
    PermissionDenied,
    RetryPolicy,
    Store,
    choose_async_lane,
    choose_lane,
)
from remote_store.core.s3 import S3OptionFields
from remote_store.core.s3.operations import copying
from remote_store.s3fs import AsyncS3FsBackend

NO_CREDENTIALS = [
    ({}, {}, "NoCredentialsError"),
    ({"AWS_ACCESS_KEY_ID": "only"}, {}, "PartialCredentialsError"),
    ({}, {"profile": "absent"}, "ProfileNotFound"),
]
Lanes = dict[str, tuple[Callable[..., Backend], Callable[..., AsyncBackend]]]

each_lane = pytest.mark.parametrize("name", ["boto3", "s3fs", "pyarrow"])
MIB = 1024 * 1024
PATTERNS = ["a*b", "a?b", "[ab]", "a**", "a{b,c}", "%2A"]
NEIGHBOURS = ["axb", "ab", "a", "b", "axxb", "ac"]


def test_each_lane_is_held_to_what_the_others_see(lanes: Lanes) -> None:
    for name, (blocking, awaited) in lanes.items():
        others = {f"s3-{other}" for other in lanes} - {f"s3-{name}"}
        assert S3Harness(blocking, MOTO, peers=installed_lanes()).peers.keys() == others
        assert AsyncS3Harness(awaited, MOTO, peers=installed_async_lanes()).peers.keys() == others


@pytest.mark.parametrize("target", [MOTO, SEAWEEDFS], ids=["moto", "seaweedfs"])
def test_every_lane_says_all_that_another_says_of_a_file(lanes: Lanes, target: S3Target) -> None:
    harness = S3Harness(lanes["boto3"][0], target, peers=installed_lanes())
    with ExitStack() as stack:
        backends = {"s3-boto3": stack.enter_context(harness.make())}
        backends |= {name: stack.enter_context(make()) for name, make in harness.peers.items()}
        for name, backend in backends.items():
            backend.write(f"{name}/small", b"x", metadata={"a": "b"}, content_type="text/csv")
            backend.write(f"{name}/large", io.BytesIO(bytes(6 * MIB)), metadata={"c": "d"}, content_type="text/plain")
            for path, size, metadata, kind in (
                (f"{name}/small", 1, {"a": "b"}, "text/csv"),
                (f"{name}/large", 6 * MIB, {"c": "d"}, "text/plain"),
            ):
                assert harness.oracle.raw_head(path) == RawHead(size, metadata, kind, "STANDARD", {})
                first, *others = [other.get_file_info(path) for other in backends.values()]
                assert others == [first] * 2
            first_listing, *listings = [list(other.list_files(name)) for other in backends.values()]
            assert listings == [first_listing] * 2


@pytest.fixture
def harness(lane: Callable[..., Backend]) -> Iterator[S3Harness]:
    harness = S3Harness(lane, MOTO)
    harness.endpoint.reset()
    yield harness
    harness.endpoint.reset()


@pytest.fixture
def backend(harness: S3Harness) -> Iterator[Backend]:
    with harness.make() as backend:
        yield backend


@pytest.fixture
def async_harness(async_lane: Callable[..., AsyncBackend]) -> AsyncS3Harness:
    harness = AsyncS3Harness(async_lane, MOTO)
    harness.endpoint.reset()
    return harness


@pytest.mark.parametrize("name", PATTERNS)
def test_a_name_is_never_a_pattern(harness: S3Harness, backend: Backend, name: str) -> None:
    for key in (name, *NEIGHBOURS):
        harness.oracle.raw_put(key, key.encode())
    backend.copy(name, f"{name}.copy")
    backend.move(f"{name}.copy", f"{name}.moved")
    assert backend.read_bytes(f"{name}.moved") == name.encode()
    backend.delete(f"{name}.moved")
    backend.delete(name)
    assert sorted(harness.oracle.raw_list()) == sorted(NEIGHBOURS)


async def test_a_name_is_never_a_pattern_awaited(async_harness: AsyncS3Harness) -> None:
    async with async_harness.make() as backend:
        for name in PATTERNS:
            for key in (name, *NEIGHBOURS):
                async_harness.oracle.raw_put(key, key.encode())
            await backend.copy(name, f"{name}.copy")
            await backend.move(f"{name}.copy", f"{name}.moved")
            await backend.delete(f"{name}.moved")
            await backend.delete(name)
            assert sorted(async_harness.oracle.raw_list()) == sorted(NEIGHBOURS), name


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst", "lz4", "zip"])
@pytest.mark.parametrize("content", [gzip.compress(b"packed " * 1000), b"not packed " * 1000], ids=["packed", "plain"])
def test_a_name_packs_and_unpacks_nothing(
    harness: S3Harness, backend: Backend, tmp_path: Any, suffix: str, content: bytes
) -> None:
    whole, piped, built, sent = (f"{name}.{suffix}" for name in ("whole", "piped", "built", "sent"))
    store, file = Store(backend, owns_backend=False), tmp_path / f"file.{suffix}"
    file.write_bytes(content)
    store.write(whole, content)
    store.write(piped, io.BytesIO(content))
    with store.open_atomic(built) as target:
        target.write(content)
    store.upload(file, sent)
    for key in (whole, piped, built, sent):
        assert harness.oracle.raw_get(key) == content
        assert store.read_bytes(key) == content
        assert store.read_range(key, 1, len(content)) == content[1:]
        with store.read(key) as stream, store.read_seekable(key) as seekable:
            assert stream.read() == seekable.read() == content
            assert (stream.seek(3), stream.read(4)) == (3, content[3:7])
        store.download(key, tmp_path / key)
        assert (tmp_path / key).read_bytes() == content
        assert store.head(key).size == len(content)


def test_a_large_read_is_ranges_at_once_of_one_version(harness: S3Harness, backend: Backend) -> None:
    content = random.Random(0).randbytes(21 * MIB)
    harness.oracle.raw_put("large", content)
    with harness.endpoint.recording() as sent:
        assert backend.read_bytes("large") == content
    first, *others = sent
    assert len(others) == 3
    assert "if-match" not in first.headers
    assert {request.headers["if-match"].strip('"') for request in others} == {backend.get_file_info("large").etag}


def test_the_last_file_takes_its_folder_along(harness: S3Harness, backend: Backend) -> None:
    backend.write("deleted/deep/file", b"x")
    backend.write("moved/deep/file", b"x")
    backend.delete("deleted/deep/file")
    backend.move("moved/deep/file", "file")
    assert harness.oracle.raw_list() == ["file"]


@pytest.fixture(scope="module")
def large() -> S3Harness:
    """A bucket of a real server with an object of 200 MiB and all that can stand beside its bytes."""
    tagged = {"Tagging": "project=lake", "CacheControl": "no-cache"}
    harness = S3Harness(S3Boto3Backend, SEAWEEDFS, part_size=16 * MIB, put_options=tagged)
    with harness.make() as backend:
        blocks = io.BytesIO(random.Random(0).randbytes(MIB) * 200)
        backend.write("large", blocks, metadata={"author": "ada"}, content_type="text/csv")
    return harness


@pytest.mark.parametrize("in_parts", [False, True], ids=["whole", "in_parts"])
def test_a_copy_of_200_mib_keeps_what_stands_beside_the_bytes(
    lane: Callable[..., Backend], large: S3Harness, monkeypatch: pytest.MonkeyPatch, in_parts: bool
) -> None:
    harness = S3Harness(lane, SEAWEEDFS)
    harness.bucket = large.bucket
    harness.endpoint.reset()
    if in_parts:
        # As if the limit of S3's own for one request were below the size.
        monkeypatch.setattr(copying, "LARGEST_COPY", 100 * MIB)
        monkeypatch.setattr(copying, "GIB", 64 * MIB)
        harness.endpoint.inject(Answer(400, "EntityTooLarge"), operation="CopyObject")
    with harness.make() as backend:
        backend.copy("large", "copy", overwrite=True)
        assert harness.endpoint.count("UploadPartCopy") == (4 if in_parts else 0)
        expected = RawHead(200 * MIB, {"author": "ada"}, "text/csv", "STANDARD", {"project": "lake"})
        assert harness.oracle.raw_head("large") == harness.oracle.raw_head("copy") == expected
        for start in (0, 64 * MIB - 10, 128 * MIB - 10, 200 * MIB - 20):
            assert backend.read_range("copy", start, 20) == backend.read_range("large", start, 20)
        backend.delete("copy")
    assert harness.oracle.raw_uploads() == []


class Died(Exception):
    pass


def dying(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield b"x" * MIB
    raise Died


class Dying(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._blocks = dying(size)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return next(self._blocks)


@pytest.mark.parametrize("size", [0, 2 * MIB, 13 * MIB])
def test_a_source_that_dies_leaves_nothing(harness: S3Harness, backend: Backend, size: int) -> None:
    def build() -> None:
        with backend.open_atomic("built") as target:
            for block in dying(size):
                target.write(block)

    for write in (lambda: backend.write("written", Dying(size)), build):
        with pytest.raises(Died):
            write()
    assert harness.oracle.raw_list() == []
    assert harness.oracle.raw_uploads() == []


@pytest.mark.parametrize("size", [0, 2 * MIB, 13 * MIB])
async def test_an_async_source_that_dies_leaves_nothing(async_harness: AsyncS3Harness, size: int) -> None:
    async def source() -> AsyncIterator[bytes]:
        for block in dying(size):
            yield block

    async with async_harness.make() as backend:
        with pytest.raises(Died):
            await backend.write("written", source())
    assert async_harness.oracle.raw_list() == []
    assert async_harness.oracle.raw_uploads() == []


async def lines(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield b"%d\n" % number


async def read_all(backend: AsyncBackend, key: str, dice: random.Random) -> None:
    async with await backend.read(key) as stream:
        while await stream.read(dice.randrange(1, MIB)):
            pass


async def list_all(backend: AsyncBackend) -> None:
    async for _ in backend.list_files("small"):
        await asyncio.sleep(0)


async def test_200_tasks_that_are_cancelled_at_random_leave_nothing(async_harness: AsyncS3Harness) -> None:
    dice, room = random.Random(7), 16
    backend = async_harness.make(max_connections=room)
    await backend.write("large", b"x" * 6 * MIB)
    for number in range(20):
        await backend.write(f"small/{number}", b"x" * 2000)
    work: list[Callable[[int], Any]] = [
        lambda number: backend.write(f"up/{number}", io.BytesIO(b"x" * 6 * MIB)),
        lambda number: backend.read_bytes("large"),
        lambda number: backend.read_bytes(f"small/{number % 20}"),
        lambda number: backend.write(f"put/{number}", lines(2000)),
        lambda number: backend.copy("large", f"copied/{number}"),
        lambda number: read_all(backend, "large", dice),
        lambda number: list_all(backend),
    ]
    tasks = [asyncio.ensure_future(work[number % len(work)](number)) for number in range(200)]
    waiting = tasks
    while waiting:
        dice.choice(waiting).cancel()
        _, pending = await asyncio.wait(waiting, timeout=dice.random() * 0.01)
        waiting = [task for task in waiting if task in pending]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert any(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    # On a loaded machine, an abort ends after the cancellation was raised.
    assert await asyncio.to_thread(settles, lambda: async_harness.oracle.raw_uploads() == [])
    # What an upload committed is whole.
    assert {info.size async for info in backend.list_files("up")} <= {6 * MIB}
    # Each of the connections can be had again.
    readers = await asyncio.gather(*(backend.read("large") for _ in range(room)))
    for reader in readers:
        await reader.close()
    gc.collect()
    await backend.close()
    # The client stays open until the last abort has ended.
    assert await async_settles(lambda: async_harness.endpoint.open_connections == 0)


def test_a_second_event_loop_is_served_or_refused(async_harness: AsyncS3Harness) -> None:
    backend = async_harness.make()
    asyncio.run(backend.write("k", b"x"))

    async def again() -> bytes | BackendUnavailable:
        try:
            async with asyncio.timeout(30):
                return await backend.read_bytes("k")
        except BackendUnavailable as error:
            return error
        finally:
            await backend.close()

    outcome = asyncio.run(again())
    assert outcome == b"x" or (
        isinstance(outcome, BackendUnavailable) and "event loop" in str(outcome) and not outcome.retryable
    )


def test_a_blocking_backend_works_inside_a_running_event_loop(backend: Backend) -> None:
    async def inside() -> tuple[bytes, list[str]]:
        backend.write("k", io.BytesIO(b"x" * 6 * MIB))
        with backend.read("k") as stream:
            return stream.read(), [info.path for info in backend.list_files("")]

    assert asyncio.run(inside()) == (b"x" * 6 * MIB, ["k"])


WRONG = [
    ("part_sise", {"part_sise": 1}),
    ("endpoint_url", {"client_options": {"endpoint_url": "http://127.0.0.1:9"}}),
    ("max_attempts", {"client_options": {"max_attempts": 3}}),
    ("config", {"client_options": {"config": {"retries": 3}}}),
    ("secret", {"key": "half"}),
    ("part_size", {"part_size": 1}),
    ("tls_ca_bundle", {"tls_ca_bundle": "absent.pem"}),
    ("addressing_style", {"addressing_style": "dns"}),
]


@each_lane
@pytest.mark.parametrize("named, options", WRONG, ids=[name for name, _ in WRONG])
def test_an_option_that_cannot_be_honoured_is_refused_by_name(
    lanes: Lanes, name: str, named: str, options: dict[str, Any]
) -> None:
    for make in lanes[name]:
        with pytest.raises((TypeError, ValueError, FileNotFoundError), match=named):
            make("bucket", **options)


@each_lane
def test_every_lane_takes_the_options_of_every_lane(lanes: Lanes, name: str) -> None:
    bundle = Path(botocore.__file__).with_name("cacert.pem")
    options: S3OptionFields = {
        "endpoint_url": "http://127.0.0.1:9",
        "region_name": "eu-central-1",
        "key": "KEY",
        "secret": "HIDDEN",
        "session_token": "HIDDEN",
        "addressing_style": "path",
        "tls_ca_bundle": str(bundle),
        "retry": RetryPolicy.disabled(),
        "connect_timeout": 1.0,
        "read_timeout": 1.0,
        "max_connections": 4,
        "part_size": 5 * MIB,
        "grow_parts": False,
        "max_concurrency": 2,
        "conditional_writes": True,
        "put_options": {"CacheControl": "no-cache"},
        "reject_write_under_file_ancestor": True,
        "client_options": {"use_ssl": True},
        "on_event": print,
    }
    assert {*options, "profile", "anon", "credentials"} == set(S3OptionFields.__annotations__)
    for make in lanes[name]:
        backend = make("bucket", **options)
        assert "HIDDEN" not in repr(backend)
        assert backend.native_path("k") == "bucket/k"
        assert make("bucket", profile="absent").name == make("bucket", anon=True).name == f"s3-{name}"


@each_lane
@pytest.mark.parametrize("environment, options, code", NO_CREDENTIALS, ids=[code for *_, code in NO_CREDENTIALS])
async def test_missing_credentials_are_no_permission_and_no_request(
    lanes: Lanes,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    environment: dict[str, str],
    options: dict[str, str],
    code: str,
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    _, endpoint = started(MOTO.server)
    blocking, awaited = lanes[name]
    with endpoint.recording() as sent:
        with blocking("bucket", endpoint_url=endpoint.url, region_name="us-east-1", **options) as backend:
            with pytest.raises(PermissionDenied) as caught:
                backend.read_bytes("k")
            assert (caught.value.code, caught.value.retryable) == (code, False)
        async with awaited("bucket", endpoint_url=endpoint.url, region_name="us-east-1", **options) as other:
            with pytest.raises(PermissionDenied, match="k"):
                await other.read_bytes("k")
    assert sent == []


def test_s3_is_the_lane_that_suits_and_says_why() -> None:
    assert (choose_lane().type, choose_lane().distribution) == ("s3-boto3", "remote-store-boto3")
    assert "depends on boto3 only" in choose_lane().reason
    assert (choose_async_lane().type, choose_async_lane().distribution) == ("s3-s3fs", "remote-store-s3fs")
    assert "natively async" in choose_async_lane().reason
    with Store.from_url("s3://bucket?region_name=eu-central-1") as store:
        assert type(store.backend) is S3Boto3Backend
    assert type(AsyncStore.from_url("s3://bucket?region_name=eu-central-1").backend) is AsyncS3FsBackend


@each_lane
def test_each_lane_is_found_by_its_type(lanes: Lanes, name: str) -> None:
    url = f"s3+{name}://bucket?region_name=eu-central-1"
    assert type(Store.from_url(url).backend) is lanes[name][0]
    assert type(AsyncStore.from_url(url).backend) is lanes[name][1]
