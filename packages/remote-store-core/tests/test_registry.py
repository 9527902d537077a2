from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AsyncStore,
    BackendNotInstalled,
    ConfigError,
    LaneChoice,
    MemoryBackend,
    Store,
    choose_async_lane,
    choose_lane,
)
from remote_store.core.aio.bridge import ThreadedBackend
from remote_store.core.config.registry import ASYNC_GROUP, GROUP, find_async_backend, find_backend

Install = Callable[..., None]

MODULE = """
from remote_store.core import MemoryBackend
from remote_store.core.aio.bridge import ThreadedBackend

class Mine(MemoryBackend):
    name = "{name}"
    def __init__(self, bucket="", size: int = 1):
        super().__init__()
        self.bucket, self.size = bucket, size

class AsyncMine(ThreadedBackend):
    def __init__(self, bucket="", size: int = 1):
        super().__init__(Mine(bucket, size))

def function(**options):
    return Mine()

def nothing():
    return "no backend"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lays a distribution with entry points into a folder on the path, as an installer does, and nothing else there."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *(entry for entry in sys.path if not holds_distributions(entry))])

    def lay(distribution: str, entries: dict[str, str], group: str = GROUP, code: str = MODULE) -> None:
        module = distribution.replace("-", "_")
        (site / f"{module}.py").write_text(code.format(name=distribution), "utf-8")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8")
        lines = [f"{name} = {module}:{member}" for name, member in entries.items()]
        with (info / "entry_points.txt").open("a", encoding="utf-8") as file:
            file.write("\n".join([f"[{group}]", *lines, ""]))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return lay


def holds_distributions(entry: str) -> bool:
    return any(Path(entry).glob("*.dist-info"))


def test_a_third_partys_backend_is_found_by_its_type(install: Install) -> None:
    install("acme-store", {"acme": "Mine"})
    adapter = find_backend("acme")
    assert (adapter.type, adapter.distribution) == ("acme", "acme-store")
    assert adapter.make("b", size=3).name == "acme-store"


def test_a_function_may_make_the_backend(install: Install) -> None:
    install("acme-store", {"acme": "function"})
    assert isinstance(find_backend("acme").make(), MemoryBackend)


def test_what_is_made_must_be_a_backend(install: Install) -> None:
    install("acme-store", {"acme": "nothing"})
    with pytest.raises(ConfigError, match=r"'acme' of acme-store returned a str, not a Backend"):
        find_backend("acme").make()


@pytest.mark.parametrize("lane", ["s3-boto3", "s3-s3fs", "s3-pyarrow"])
def test_a_known_type_that_is_not_installed_names_the_command(install: Install, lane: str) -> None:
    for find in (find_backend, find_async_backend):
        with pytest.raises(BackendNotInstalled, match=f"pip install remote-store-{lane[3:]}$") as caught:
            find(lane)
        assert isinstance(caught.value, ModuleNotFoundError)
        assert (caught.value.type, caught.value.distribution) == (lane, f"remote-store-{lane[3:]}")


@pytest.mark.parametrize(
    "typo, hint",
    [
        ("s3-boto", "did you mean 's3-boto3'"),
        ("acm", "did you mean 'acme'"),
        ("zzz", "acme, s3, s3-boto3, s3-pyarrow, s3-s3fs"),
    ],
)
def test_an_unknown_type_gets_the_nearest_or_all(install: Install, typo: str, hint: str) -> None:
    install("acme-store", {"acme": "Mine"})
    for find in (find_backend, find_async_backend):
        with pytest.raises(ConfigError, match=hint):
            find(typo)


def test_two_distributions_with_one_name_are_both_named(install: Install) -> None:
    install("acme-store", {"acme": "Mine", "solo": "Mine"})
    install("rival-store", {"acme": "Mine"})
    with pytest.raises(ConfigError, match="acme-store and rival-store"):
        find_backend("acme")
    assert find_backend("solo").distribution == "acme-store"
    assert "acme_store" in sys.modules
    assert "rival_store" not in sys.modules


def test_only_the_chosen_adapter_is_imported(install: Install) -> None:
    install("remote-store-boto3", {"s3-boto3": "Mine"})
    install("remote-store-s3fs", {"s3-s3fs": "Mine"})
    assert find_backend("s3").distribution == "remote-store-boto3"
    assert "remote_store_s3fs" not in sys.modules


LANES = {"s3-boto3": "remote-store-boto3", "s3-s3fs": "remote-store-s3fs", "s3-pyarrow": "remote-store-pyarrow"}


@pytest.mark.parametrize(
    "installed, chosen, chosen_async",
    [
        ("s3-boto3 s3-s3fs s3-pyarrow", "s3-boto3", "s3-s3fs"),
        ("s3-s3fs s3-pyarrow", "s3-s3fs", "s3-s3fs"),
        ("s3-boto3 s3-pyarrow", "s3-boto3", "s3-boto3"),
        ("s3-pyarrow", "s3-pyarrow", "s3-pyarrow"),
    ],
)
def test_s3_is_the_best_lane_installed(install: Install, installed: str, chosen: str, chosen_async: str) -> None:
    for lane in installed.split():
        install(LANES[lane], {lane: "Mine"})
    for choice, name in ((choose_lane(), chosen), (choose_async_lane(), chosen_async)):
        assert isinstance(choice, LaneChoice)
        assert (choice.type, choice.distribution) == (name, LANES[name])
        assert choice.reason.startswith(name)
    assert find_backend("s3").type == chosen
    assert find_async_backend("s3").type == chosen_async


def test_the_reason_names_the_better_lanes_that_are_missing(install: Install) -> None:
    install("remote-store-pyarrow", {"s3-pyarrow": "Mine"})
    assert "remote-store-boto3, remote-store-s3fs not installed" in choose_lane().reason
    assert "remote-store-s3fs, remote-store-boto3 not installed" in choose_async_lane().reason


def test_without_any_lane_s3_names_the_command(install: Install) -> None:
    with pytest.raises(BackendNotInstalled, match="pip install remote-store-boto3$"):
        choose_lane()
    with pytest.raises(BackendNotInstalled, match="pip install remote-store-s3fs$"):
        choose_async_lane()
    with pytest.raises(BackendNotInstalled, match="type 's3' needs"):
        find_backend("s3")


def test_an_async_backend_is_preferred_and_a_sync_one_serves_in_threads(install: Install) -> None:
    install("acme-store", {"both": "Mine", "sync": "Mine"})
    install("acme-store", {"both": "AsyncMine", "async": "AsyncMine"}, ASYNC_GROUP)
    assert type(find_async_backend("both").make()).__name__ == "AsyncMine"
    assert type(find_async_backend("async").make()).__name__ == "AsyncMine"
    bridged = find_async_backend("sync").make("b", size=3)
    assert type(bridged) is ThreadedBackend
    assert bridged.name == "acme-store"
    assert type(find_backend("both").make()).__name__ == "Mine"
    with pytest.raises(ConfigError, match="did you mean 'sync'"):
        find_backend("async")


def test_an_adapter_whose_sdk_is_missing_says_which_distribution_it_is(install: Install) -> None:
    install("acme-store", {"acme": "Mine"}, code="import no_such_sdk\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_sdk") as caught:
        find_backend("acme")
    assert not isinstance(caught.value, BackendNotInstalled)
    assert "pip install --upgrade acme-store" in caught.value.__notes__[0]


def test_an_entry_point_that_leads_nowhere_is_an_error(install: Install) -> None:
    install("acme-store", {"acme": "Absent"})
    with pytest.raises(ConfigError, match="acme_store:Absent of acme-store, which does not exist"):
        find_backend("acme")


def test_core_offers_what_needs_nothing_else() -> None:
    assert find_backend("memory").distribution == "remote-store-core"
    assert find_backend("local").distribution == "remote-store-core"
    assert isinstance(Store.from_url("memory://").backend, MemoryBackend)


async def test_cores_backends_serve_async_stores_too(tmp_path: Path) -> None:
    for url in ("memory:///team", f"file://{tmp_path}?create=true"):
        async with AsyncStore.from_url(url) as store:
            await store.write("a", b"1")
            assert await store.read_bytes("a") == b"1"


def test_errors_pickle_and_show_their_home() -> None:
    error: Any = BackendNotInstalled("text", type="t", distribution="d")
    assert type(error).__module__ == ConfigError.__module__ == LaneChoice.__module__ == "remote_store.core"
    assert (str(error), error.type, error.distribution) == ("text", "t", "d")


def test_a_family_of_types_is_found_by_its_beginning(install: Install) -> None:
    install("acme-store", {"acme-*": "Mine", "acme-two": "function"})
    adapter = find_backend("acme-one-more")
    assert (adapter.type, adapter.distribution) == ("acme-one-more", "acme-store")
    assert find_async_backend("acme-one").make().name == "acme-store"
    assert find_backend("acme-two").factory is not adapter.factory
    for name in ("acme", "acmes-one"):
        with pytest.raises(ConfigError, match="unknown type of backend"):
            find_backend(name)


def test_two_distributions_of_one_family_are_refused(install: Install) -> None:
    install("acme-store", {"acme-*": "Mine"})
    install("acme-again", {"acme-*": "Mine"})
    with pytest.raises(ConfigError, match=r"registered by acme-again and acme-store"):
        find_backend("acme-one")
