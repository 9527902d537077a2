from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fsspec
import pytest

from remote_store.core import AsyncStore, MemoryBackend, Store, ThreadedBackend

TREE = ["a/1", "a/b.txt", "a/b/2", "a/b/c/3", "top"]


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend) -> Store:
    return Store(backend)


@pytest.fixture(params=["blocking", "async"])
def fs(request, backend: MemoryBackend) -> Any:
    """A filesystem over an empty store in memory."""
    store = Store(backend) if request.param == "blocking" else AsyncStore(ThreadedBackend(backend))
    return fsspec.filesystem("remote-store", store=store)


@pytest.fixture
def tree(fs: Any) -> Any:
    """A filesystem over some files, each with its key as its content."""
    for name in TREE:
        fs.pipe_file(name, name.encode())
    return fs


@pytest.fixture
def tree_keys() -> list[str]:
    """The keys of `tree`, sorted."""
    return list(TREE)


@pytest.fixture
def plant(backend: MemoryBackend) -> Callable[..., None]:
    """Puts files under keys that no store writes, as other tools may."""

    def plant(*keys: str) -> None:
        backend.write("seed", b"planted")
        for key in keys:
            backend._files[key] = backend._files["seed"]
        backend.delete("seed")

    return plant
