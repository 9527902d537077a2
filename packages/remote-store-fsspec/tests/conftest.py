from __future__ import annotations

from typing import Any

import fsspec
import pytest

from remote_store.core import AsyncStore, MemoryBackend, Store, ThreadedBackend


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
