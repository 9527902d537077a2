"""fsspec's own tests of a filesystem, over every lane."""

from __future__ import annotations

import posixpath
import secrets
from typing import Any

import pytest
from fsspec.tests import abstract

from remote_store.conformance.servers import Server

EMPTIED = [
    f"test_{verb}_{what}_directory"
    for verb in ("copy", "put")
    for what in ("directory_to_existing", "directory_to_new", "glob_to_existing")
]
"""Tests that delete a folder and then list the one above it."""


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, request: pytest.FixtureRequest, shared: Any, server: Server) -> Any:
        if server.kind == "seaweedfs" and request.function.__name__ in EMPTIED:
            reason = "SeaweedFS lists a folder after its last file was deleted"
            raised = (AssertionError, pytest.fail.Exception)
            request.applymarker(pytest.mark.xfail(reason=reason, raises=raised, strict=True))
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
