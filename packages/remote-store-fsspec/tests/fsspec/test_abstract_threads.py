"""fsspec's own tests of a filesystem, over an async store that makes its calls in threads."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
import test_abstract
from fsspec.tests import abstract

from remote_store.core import AsyncStore, MemoryBackend, ThreadedBackend


class Fixtures(test_abstract.Fixtures):
    @pytest.fixture
    def fs(self) -> Any:
        store = AsyncStore(ThreadedBackend(MemoryBackend()))
        return fsspec.filesystem("remote-store", store=store, copy_globs=True)


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...
