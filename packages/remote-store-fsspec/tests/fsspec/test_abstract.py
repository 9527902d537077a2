"""fsspec's own tests of a filesystem, over every lane."""

from __future__ import annotations

import posixpath
import secrets
from typing import Any

import pytest
from fsspec.tests import abstract


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, shared: Any) -> Any:
        return shared

    @pytest.fixture
    def fs_path(self) -> str:
        return f"test-{secrets.token_hex(8)}"

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
