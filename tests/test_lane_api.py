"""Lanes and the lane API: each lane insists on its version, and nothing is exported that no lane uses."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

import remote_store.core.s3
from remote_store.core.s3 import LANE_API_VERSION, lane_api

ROOT = Path(__file__).resolve().parent.parent
STARTS = {path.parent.name: path for path in ROOT.glob("packages/*/src/remote_store/*/__init__.py")}
INTEGRATIONS = {"dagster", "fsspec", "obstore", "starlette"}
LANES = sorted(STARTS.keys() - {"core"} - INTEGRATIONS)
USERS = [
    *(path for name in LANES for path in STARTS[name].parent.glob("*.py")),
    ROOT / "docs/writing-a-lane.md",
]


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_refuses_another_version_of_the_lane_api(lane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_api, "LANE_API_VERSION", LANE_API_VERSION + 1)
    spec = importlib.util.spec_from_file_location("a_lane", STARTS[lane])
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ImportError, match=f"remote-store-{lane} needs version {LANE_API_VERSION} "):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_imports_nothing_deeper_of_core(lane: str) -> None:
    imported = {
        name
        for path in STARTS[lane].parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    assert {name for name in imported if name.startswith("remote_store.core")} <= {
        "remote_store.core",
        "remote_store.core.s3",
    }


@pytest.mark.parametrize("lane", LANES)
def test_the_version_is_checked_before_anything_else_of_core_is_imported(lane: str) -> None:
    body = ast.parse(STARTS[lane].read_text("utf-8")).body
    checked = next(place for place, node in enumerate(body) if "require_lane_api(" in ast.unparse(node))
    imports = [node for node in body[:checked] if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == [
        "from __future__ import annotations",
        "from remote_store.core.s3 import require_lane_api",
    ]


def test_names_that_one_package_uses_are_explained() -> None:
    found: dict[str, set[str]] = {name: set() for name in remote_store.core.s3.__all__}
    for path in USERS:
        for name in found.keys() & set(re.findall(r"\w+", path.read_text("utf-8"))):
            found[name].add(path.parent.name)
    of_botocore = {name for name, users in found.items() if users == {"botocore"}}
    explained = set(re.findall(r"`(\w+)`", remote_store.core.s3.__doc__ or ""))
    assert "is_foreign" in of_botocore
    assert of_botocore - explained - {"MIB"} == set()


def test_each_name_of_the_lane_api_is_used() -> None:
    text = "\n".join(path.read_text("utf-8") for path in USERS)
    words = set(re.findall(r"\w+", text))
    assert set(remote_store.core.s3.__all__) - words == set()
