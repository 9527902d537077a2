"""Where the store of a filesystem comes from, what filesystems share, and what happens in other processes and loops."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import subprocess
import sys

import fsspec
import pytest

from remote_store.core import (
    AsyncStore,
    BackendNotInstalled,
    CapabilityNotSupported,
    ConfigError,
    DelegatingBackend,
    MemoryBackend,
    Store,
    ThreadedBackend,
)
from remote_store.fsspec import AsyncRemoteStoreFileSystem, RemoteStoreFileSystem
from remote_store.fsspec.names.paths import PROTOCOLS
from remote_store.fsspec.stores.sharing import KEPT, MOST_KEPT

CONFIG = """
[backends.disk]
type = "local"
root = "{root}"

[stores.lake]
backend = "disk"
root_path = "lake"
"""


@pytest.fixture(autouse=True)
def fresh():
    yield
    MemoryBackend.reset()


def disk(tmp_path, **options):
    return fsspec.filesystem("remote-store", url=f"file://{tmp_path}", **options)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_registered(protocol):
    assert fsspec.get_filesystem_class(protocol) is RemoteStoreFileSystem


def test_a_url_of_a_file_reads_and_writes(tmp_path):
    for url in ("remote-store+memory://lake/a/b?c=1#d%20 ", f"remote-store+file://{tmp_path}/x y"):
        with fsspec.open(url, "wb") as file:
            file.write(b"1")
        fs, key = fsspec.url_to_fs(url)
        assert fs.cat_file(key) == b"1"
        assert fs.unstrip_protocol(key) == url
        assert fsspec.open(url).full_name == url
        assert fsspec.url_to_fs(fs.unstrip_protocol(key)) == (fs, key)
    assert (tmp_path / "x y").read_bytes() == b"1"
    with fsspec.open("simplecache::remote-store+memory://lake/a/b?c=1#d%20 ") as file:
        assert file.read() == b"1"


def test_a_configuration_names_the_store(tmp_path):
    path = tmp_path / "stores.toml"
    path.write_text(CONFIG.format(root=tmp_path), "utf-8")
    for kind in (RemoteStoreFileSystem, AsyncRemoteStoreFileSystem):
        fs = kind(config=path, name="lake")
        fs.pipe_file("x", b"1")
        assert (tmp_path / "lake" / "x").read_bytes() == b"1"
        assert fs.unstrip_protocol("x") == "remote-store://x"
        again = pickle.loads(pickle.dumps(fs))
        path.rename(tmp_path / "gone")
        assert pickle.loads(pickle.dumps(again)).cat_file("x") == b"1"
        (tmp_path / "gone").rename(path)
    with fsspec.open("remote-store://x", config=path, name="lake") as file:
        assert file.read() == b"1"


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "none of them"),
        ({"url": "memory://x", "config": {}, "name": "y"}, "url and config"),
        ({"config": {}}, "go together"),
        ({"url": "memory://x", "name": "y"}, "go together"),
        ({"store": Store(MemoryBackend()), "bucket": "b"}, "unknown arguments: bucket"),
        ({"store": MemoryBackend()}, "must be a Store or an AsyncStore, not MemoryBackend"),
    ],
)
def test_what_does_not_name_one_store_is_refused(options, message):
    with pytest.raises(TypeError, match=message):
        fsspec.filesystem("remote-store", **options)


def test_a_wrong_setting_and_a_missing_lane_say_what_to_do(monkeypatch):
    with pytest.raises(ConfigError, match="bukket"):
        fsspec.filesystem("remote-store", url="memory://x", bukket="y")
    monkeypatch.setattr("remote_store.core.config.registry.offered", lambda _group: {})
    for url in ("remote-store+s3://bucket/key", "remote-store+s3+boto3://bucket/key"):
        with pytest.raises(BackendNotInstalled, match="pip install remote-store-boto3"):
            fsspec.open(url).open()


def test_stores_are_not_confused():
    one, two = Store(MemoryBackend()), Store(MemoryBackend())
    first, second = (fsspec.filesystem("remote-store", store=store) for store in (one, two))
    first.pipe_file("x", b"1")
    assert not second.exists("x")
    assert first != second
    assert first == fsspec.filesystem("remote-store", store=one)
    assert first != fsspec.filesystem("remote-store", store=one.child("x"))
    assert len({first, fsspec.filesystem("remote-store", store=one)}) == 1
    assert first != 1
    one.close()
    with pytest.raises(ConnectionError):
        first.ls("")
    assert second.ls("") == []


def bucket(**options):
    options = {"key": "k", "secret": "s", "region_name": "eu-west-1", **options}
    return fsspec.filesystem("remote-store", url="s3+boto3://bucket", **options)


def test_filesystems_of_one_url_share_a_backend_that_no_store_closes():
    first = bucket()
    backend = first.store.backend
    assert bucket() is not first
    assert bucket().store.backend is backend
    assert bucket(secret="other").store.backend is not backend
    assert bucket(secret="other") != first
    first.store.close()
    assert bucket().store.backend is backend
    assert bucket() == first
    alone = bucket(asynchronous=True)
    assert alone.store.backend is not bucket(asynchronous=True).store.backend
    restored = pickle.loads(pickle.dumps(fsspec.filesystem("remote-store", store=Store(backend, "x"))))
    assert restored.store.root_path == "x"
    assert restored.store.backend is pickle.loads(pickle.dumps(restored)).store.backend


def test_only_so_many_stores_are_kept():
    for number in range(MOST_KEPT + 5):
        bucket(secret=f"secret {number}")
    assert len(KEPT) == MOST_KEPT


def test_a_pickle_keeps_the_options(fs):
    fs.pipe_file("x", b"1")
    fs = fsspec.filesystem("remote-store", store=fs.store, copy_globs=True, cache_bytes=100)
    again = pickle.loads(pickle.dumps(fs))
    assert (again.copy_globs, again.storage_options["cache_bytes"], type(again)) == (True, 100, type(fs))
    assert again.cat_file("x") == b"1"
    assert again == fs
    assert hash(again) == hash(fs)
    assert again.__dask_tokenize__() == fs.__dask_tokenize__()


def read(fs, key, queue):
    try:
        queue.put(fs.cat_file(key))
    except Exception as error:  # noqa: BLE001 - the parent looks at it
        queue.put(repr(error))


def on_disk(folder, *, asynchronous):
    return AsyncRemoteStoreFileSystem(url=f"file://{folder}") if asynchronous else disk(folder)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_new_process_reads_with_a_pickle(tmp_path, asynchronous):
    fs = on_disk(tmp_path, asynchronous=asynchronous)
    fs.pipe_file("x", b"1")
    program = "import pickle, sys; sys.stdout.buffer.write(pickle.load(sys.stdin.buffer).cat_file('x'))"
    command = [sys.executable, "-c", program]
    child = subprocess.run(command, input=pickle.dumps(fs), stdout=subprocess.PIPE, timeout=60, check=True)
    assert child.stdout == b"1"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_forked_process_reads(tmp_path, asynchronous):
    fs = on_disk(tmp_path, asynchronous=asynchronous)
    fs.pipe_file("x", b"1")
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=read, args=(fs, "x", queue))
    child.start()
    assert queue.get(timeout=60) == b"1"
    child.join(60)
    assert child.exitcode == 0
    assert fs.cat_file("x") == b"1"


def test_the_event_loop_of_the_caller():
    async def use(store):
        fs = fsspec.filesystem("remote-store", store=store, asynchronous=True)
        async with await fs.open_async("x", "wb", content_type="text/plain") as file:
            assert await file.write(b"12345") == 5
        assert (await fs._info("x"))["ContentType"] == "text/plain"
        async with await fs.open_async("x") as file:
            assert (file.size, file.seek(-2, 2), await file.read(), await file.read()) == (5, 3, b"45", b"")
            assert (file.seek(1), await file.read(2), file.tell()) == (1, b"23", 3)
        with pytest.raises(ValueError, match="closed"):
            await file.read()
        with pytest.raises(KeyError):
            await half(fs)
        file = await fs.open_async("discarded", "wb")
        await file.discard()
        with pytest.raises(FileExistsError):
            await fs.open_async("x", "xb")
        with pytest.raises(FileNotFoundError):
            await fs.open_async("none")
        with pytest.raises(NotImplementedError):
            await fs.open_async("x", "ab")
        with pytest.raises(ValueError, match="binary"):
            await fs.open_async("x", "r")
        for call in (lambda: fs.ls(""), lambda: fs.open("x"), lambda: fs.touch("x")):
            with pytest.raises(RuntimeError, match="asynchronous=True"):
                call()
        with pytest.raises(NotImplementedError, match="transaction"), fs.transaction:
            await fs._pipe_file("y", b"")
        assert await fs._find("") == ["x"]

    async def half(fs):
        async with await fs.open_async("half", "wb") as file:
            await file.write(b"1")
            raise KeyError

    asyncio.run(use(Store(MemoryBackend())))
    asyncio.run(use(AsyncStore(ThreadedBackend(MemoryBackend()))))


def test_the_blocking_methods_work_inside_of_an_event_loop(fs):
    async def use():
        fs.pipe_file("x", b"1")
        with fs.open("x") as file:
            return file.read()

    assert asyncio.run(use()) == b"1"


def test_a_given_loop_does_not_survive_a_fork():
    loop = asyncio.new_event_loop()
    try:
        fs = AsyncRemoteStoreFileSystem(Store(MemoryBackend()), loop=loop)
        assert fs.loop is loop
        fs.process = os.getpid() + 1
        with pytest.raises(RuntimeError, match="forked"):
            fs.ls("")
    finally:
        loop.close()


class Counting(DelegatingBackend):
    """Counts the bytes that whole reads transfer."""

    def __init__(self, backend):
        super().__init__(backend)
        self.moved, self.calls = 0, 0

    def read_bytes(self, path, **options):
        self.calls += 1
        result = super().read_bytes(path, **options)
        self.moved += len(result) if isinstance(result, bytes) else 0
        return result

    def read(self, path, **options):
        self.calls += 1
        file = super().read(path, **options)
        self.moved += file.info.size
        return file


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_cache_is_bounded_and_compares_versions(asynchronous):
    backend = Counting(MemoryBackend())
    store = AsyncStore(ThreadedBackend(backend)) if asynchronous else Store(backend)
    fs = fsspec.filesystem("remote-store", store=store, cache_bytes=400)
    fs.pipe({"a": b"a" * 100, "large": b"l" * 101})
    for _ in range(3):
        assert fs.cat_file("a") == b"a" * 100
        assert fs.cat_file("large") == b"l" * 101
    assert (backend.calls, backend.moved) == (6, 100 + 3 * 101)
    fs.pipe_file("a", b"b" * 100)
    assert [fs.cat_file("a") for _ in range(3)] == [b"b" * 100] * 3
    for number in range(10):
        fs.pipe_file(f"n{number}", bytes(100))
        fs.cat_file(f"n{number}")
    before = backend.moved
    fs.cat_file("a")
    fs.cat_file("n9")
    assert backend.moved == before + 100
    fs.invalidate_cache("n9")
    fs.cat_file("n9")
    fs.invalidate_cache()
    fs.cat_file("n9")
    assert backend.moved == before + 300
    fs.rm("a")
    with pytest.raises(FileNotFoundError):
        fs.cat_file("a")


def test_a_cache_that_is_impossible_is_refused():
    class Plain(MemoryBackend):
        capabilities = frozenset()

    with pytest.raises(CapabilityNotSupported, match="cache_bytes"):
        fsspec.filesystem("remote-store", store=Store(Plain()), cache_bytes=1)
    with pytest.raises(ValueError, match="negative"):
        fsspec.filesystem("remote-store", store=Store(MemoryBackend()), cache_bytes=-1)
