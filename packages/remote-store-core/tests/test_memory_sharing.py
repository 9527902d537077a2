"""Which stores in memory share their files, and for how long."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Config,
    ConfigError,
    InvalidPath,
    MemoryBackend,
    Store,
    open_async_store,
    open_store,
)

TOML = """
[backends.lake]
type = "memory"

[backends.attic]
type = "memory"

[backends.named]
type = "memory"
bucket = "${BUCKET:-shared}"

[stores.raw]
backend = "lake"
root_path = "raw"

[stores.all]
backend = "lake"

[stores.old]
backend = "attic"

[stores.named]
backend = "named"
"""
CONFIG = Config.from_toml(TOML)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """A new process has no files in memory."""
    MemoryBackend.reset()
    yield
    MemoryBackend.reset()


def files(store: Store) -> list[str]:
    return sorted(info.path for info in store.list_files(recursive=True))


def test_stores_of_one_configuration_and_name_share_their_files() -> None:
    with Store.from_config(CONFIG, "raw") as one, Store.from_config(CONFIG, "raw") as other:
        one.write("a", b"1", metadata={"by": "one"}, content_type="text/plain")
        assert other.read_bytes("a") == b"1"
        assert other.head("a") == one.head("a")
        with pytest.raises(AlreadyExists):
            other.write("a", b"2")
        other.delete("a")
        assert not one.exists("a")


def test_the_same_file_read_again_is_the_same_configuration(tmp_path: Path) -> None:
    path = tmp_path / "stores.toml"
    path.write_text(TOML, "utf-8")
    with open_store(path, "raw") as store:
        store.write("a", b"1")
    assert files(open_store(path, "raw")) == files(Store.from_config(Config.from_toml(TOML), "raw")) == ["a"]
    tables = {name: CONFIG.stores[name] for name in reversed(CONFIG.stores)}
    assert files(Store.from_config(Config(CONFIG.backends, tables), "raw")) == ["a"]


def test_stores_that_name_one_backend_see_the_same_tree_and_others_do_not() -> None:
    Store.from_config(CONFIG, "raw").write("a", b"1")
    assert files(Store.from_config(CONFIG, "all")) == ["raw/a"]
    assert files(Store.from_config(CONFIG, "old")) == []
    elsewhere = Config.from_toml(TOML + "[stores.more]\nbackend = 'lake'\n")
    assert files(Store.from_config(elsewhere, "raw")) == []


def test_the_name_of_a_configured_bucket_differs_in_each_process() -> None:
    """The configuration may hold secrets, which a digest of it would let others guess."""
    code = f"""if True:
        from remote_store.core import Config, Store
        print(repr(Store.from_config(Config.from_toml({TOML!r}), "raw").backend))
    """
    run = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)]
    assert run[0] != run[1]


def test_sync_and_async_stores_share() -> None:
    async def run() -> bytes:
        async with AsyncStore.from_config(CONFIG, "raw") as store:
            await store.write("b", b"2")
            return await store.read_bytes("a")

    with Store.from_config(CONFIG, "raw") as store:
        store.write("a", b"1")
        assert asyncio.run(run()) == b"1"
        assert store.read_bytes("b") == b"2"

    async def again() -> bytes:
        async with open_async_store(CONFIG, "raw") as store:
            return await store.read_bytes("b")

    assert asyncio.run(again()) == b"2"


def test_the_environment_is_a_place_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("REMOTE_STORE_", "OTHER_"):
        monkeypatch.setenv(f"{prefix}TYPE", "memory")
    with Store.from_env() as store:
        store.write("a", b"1")
    assert files(Store.from_env()) == ["a"]
    assert asyncio.run(AsyncStore.from_env().read_bytes("a")) == b"1"
    assert files(Store.from_env("OTHER_")) == []
    monkeypatch.setenv("REMOTE_STORE_BUCKET", "lake")
    assert files(Store.from_env()) == []
    Store(MemoryBackend("lake")).write("b", b"2")
    assert files(Store.from_env()) == ["b"]


@pytest.mark.parametrize("url", ["memory://lake", "memory://lake/", "MEMORY://lake", "memory://?bucket=lake"])
def test_a_bucket_is_one_whoever_names_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "lake")
    with Store.from_url(url) as store:
        store.write("d/a", b"1")
    assert files(Store(MemoryBackend("lake"))) == ["d/a"]
    assert files(Store.from_url("memory://lake/d")) == ["a"]
    assert files(Store.from_config(CONFIG, "named")) == ["d/a"]
    assert asyncio.run(AsyncStore.from_url(url).read_bytes("d/a")) == b"1"
    assert files(Store(MemoryBackend("Lake"))) == files(Store.from_url("memory://other")) == []


@pytest.mark.parametrize(
    "make", [MemoryBackend, lambda: Store.from_url("memory://"), lambda: Store.from_url("memory:///d")]
)
def test_what_has_no_name_is_private(make: Any) -> None:
    one, other = make(), make()
    one.write("a", b"1")
    assert (one.exists("a"), other.exists("a")) == (True, False)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_closing_one_store_loses_nothing_of_another(order: tuple[int, int]) -> None:
    stores = [Store.from_config(CONFIG, "raw") for _ in range(2)]
    stores[0].write("a", b"1")
    first, second = (stores[number] for number in order)
    first.close()
    with pytest.raises(BackendUnavailable):
        first.read_bytes("a")
    assert second.read_bytes("a") == b"1"
    second.close()
    assert Store.from_config(CONFIG, "raw").read_bytes("a") == b"1"


def test_a_private_backend_lets_go_of_its_files_when_it_is_closed() -> None:
    backend = MemoryBackend()
    backend.write("a", b"1")
    backend.close()
    assert backend._files == {}


def test_a_reset_empties_every_bucket_and_no_private_backend() -> None:
    private, shared = MemoryBackend(), MemoryBackend("lake")
    for backend in (private, shared):
        backend.write("a", b"1")
    MemoryBackend.reset()
    assert (private.exists("a"), shared.exists("a")) == (True, False)
    shared.write("a", b"2")
    assert MemoryBackend("lake").read_bytes("a") == b"2"


def test_of_many_creators_in_many_stores_one_wins() -> None:
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        backend = MemoryBackend("lake")
        start.wait(30)
        try:
            backend.write("a", bytes([number]) * 1000)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert MemoryBackend("lake").read_bytes("a") == bytes([won.index(True)]) * 1000


@pytest.mark.parametrize("copied", [lambda backend: pickle.loads(pickle.dumps(backend)), copy.copy, copy.deepcopy])
def test_a_copy_of_a_shared_backend_shares(copied: Any) -> None:
    backend = MemoryBackend("lake")
    backend.write("a", b"1")
    other = copied(backend)
    other.write("b", b"2")
    backend.delete("a")
    assert (other.exists("a"), backend.read_bytes("b")) == (False, b"2")
    assert repr(other) == repr(backend) == "MemoryBackend('lake')"


def test_a_pickle_that_comes_late_brings_no_deleted_file_back() -> None:
    backend = MemoryBackend("lake")
    backend.write("a", b"1")
    pickled = pickle.dumps(backend)
    backend.delete("a")
    assert not pickle.loads(pickled).exists("a")


def in_child(backend: MemoryBackend, answers: Any) -> None:
    backend.write("b", b"2")
    answers.send((backend.read_bytes("a"), files(Store(MemoryBackend("lake")))))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_with_the_files_and_then_has_its_own() -> None:
    backend = MemoryBackend("lake")
    backend.write("a", b"1")
    context = multiprocessing.get_context("fork")
    answers, sender = context.Pipe(duplex=False)
    child = context.Process(target=in_child, args=(backend, sender))
    with backend._lock:
        child.start()
    assert answers.poll(30)
    assert answers.recv() == (b"1", ["a", "b"])
    child.join(30)
    assert files(Store(backend)) == ["a"]


SENT = """
import pickle, sys
from remote_store.core import MemoryBackend
backend = pickle.loads(sys.stdin.buffer.read())
backend.write("b", b"2")
print(backend.read_bytes("a"), sorted(file.path for file in MemoryBackend("lake").list_files("")))
"""


def test_a_backend_that_is_sent_to_another_process_takes_its_files_along() -> None:
    backend = MemoryBackend("lake")
    backend.write("a", b"1")
    run = subprocess.run([sys.executable, "-c", SENT], input=pickle.dumps(backend), capture_output=True, check=False)
    assert (run.stdout.decode().strip(), run.stderr) == ("b'1' ['a', 'b']", b"")
    assert files(Store(backend)) == ["a"]


def test_paths_name_the_bucket() -> None:
    backend = MemoryBackend("lake")
    assert backend.native_path("d/a") == backend.resolve("d/a").native_path == "memory://lake/d/a"
    assert (backend.to_key("memory://lake/d/a"), backend.to_key(backend.native_path(""))) == ("d/a", "")
    with pytest.raises(InvalidPath):
        backend.to_key("memory://lakeside/a")


def test_a_bucket_is_a_text_with_something_in_it() -> None:
    with pytest.raises(ValueError, match="bucket is empty"):
        MemoryBackend("")
    wrong: Any = 1
    with pytest.raises(TypeError, match="bucket must be a str, not int"):
        MemoryBackend(wrong)
    with pytest.raises(ConfigError, match="unknown setting 'buckets'; did you mean 'bucket'"):
        Store.from_url("memory://?buckets=lake")
