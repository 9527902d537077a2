from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

import third_party

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PUBLIC = {"remote_store.core", "remote_store.conformance", "remote_store.conformance.s3"}
each_project = pytest.mark.parametrize("name", third_party.NAMES)


def test_the_projects_are_found() -> None:
    assert {"fsspec", "sqlite"} <= set(third_party.NAMES)


@each_project
def test_a_foreign_project_is_no_member_of_the_workspace(name: str) -> None:
    folder = third_party.EXAMPLES / name
    patterns = WORKSPACE["tool"]["uv"]["workspace"]["members"]
    assert not any(folder.match(str(ROOT / pattern)) for pattern in patterns)
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    assert "uv" not in project["tool"]
    assert "remote-store-core~=0.1.0" in project["project"]["dependencies"]


@each_project
def test_a_foreign_project_imports_public_names_only(name: str) -> None:
    asked = [
        (node.module, alias.name)
        for path in (third_party.EXAMPLES / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("remote_store")
        for alias in node.names
    ]
    assert {module for module, _ in asked} <= PUBLIC
    assert [word for module, word in asked if word not in importlib.import_module(str(module)).__all__] == []


def test_our_distributions_come_from_their_wheels_with_their_extras() -> None:
    wheels = {"remote-store-conformance": Path("/dist/conformance.whl")}
    line = third_party.pinned("remote-store-conformance[endpoint,servers]>=0.1", wheels)
    assert line == "remote-store-conformance[endpoint,servers] @ file:///dist/conformance.whl"
    assert third_party.pinned("pytest>=8", wheels) == "pytest>=8"
