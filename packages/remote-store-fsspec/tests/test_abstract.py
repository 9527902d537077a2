"""fsspec's own tests of a filesystem, over a store in memory. The folder `fsspec` has them over the others."""

from __future__ import annotations

import posixpath
from typing import Any

import fsspec
import pytest
from fsspec.tests import abstract

from remote_store.core import MemoryBackend, Store


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self) -> Any:
        return fsspec.filesystem("remote-store", store=Store(MemoryBackend()), copy_globs=True)

    @pytest.fixture
    def fs_path(self) -> str:
        return "folder"

    @pytest.fixture
    def fs_join(self):
        return posixpath.join

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...
