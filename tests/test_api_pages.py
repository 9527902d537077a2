from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import api_pages
from remote_store import conformance
from remote_store.conformance.cli.new import write_project

IMPORT = re.compile(r"^from remote_store\.core import (?:\(\n(?P<names>[^)]+)\)|(?P<one>.+))$", re.MULTILINE)


def test_the_pages_have_every_public_name_of_conformance_once() -> None:
    names = [name for page in api_pages.PAGES.values() for name in page.names if page.module == api_pages.SUITE]
    assert sorted(names) == sorted(conformance.__all__)


def test_every_name_of_a_page_is_public_in_its_module() -> None:
    for page in api_pages.PAGES.values():
        assert set(page.names) <= set(importlib.import_module(page.module).__all__)


def test_the_pages_have_every_class_and_function_of_core_that_a_new_project_imports(tmp_path: Path) -> None:
    written = [write_project(tmp_path / str(kind), "box", is_async=kind) for kind in (False, True)]
    text = "\n".join(path.read_text("utf-8") for paths in written for path in paths if path.suffix == ".py")
    asked = {
        name.strip(" ,")
        for found in IMPORT.finditer(text)
        for name in re.split(r"[,\n]", found["names"] or found["one"])
    }
    # `Content` and `AsyncContent` are unions of types.
    assert asked - {"", "Content", "AsyncContent"} <= api_pages.PUBLIC
    assert "require_canonical" in asked


def test_griffe_understands_every_docstring(caplog: pytest.LogCaptureFixture) -> None:
    pages = api_pages.written()
    assert [record.getMessage() for record in caplog.records] == []
    assert "### Harness.make\n" in pages["harness.md"]
    assert (
        "async def write(\n    path: str,\n    content: AsyncContent,\n    *,\n    overwrite: bool = False,\n"
        in pages["async-backend.md"]
    )
    assert "Its other members are those of `Harness`." in pages["harness.md"]
    assert re.search(r"\| `page_size: int` \| The largest number of keys", pages["harness.md"])
