"""Code of users passes pyright in its strict mode, and runs. CI's run of mypy covers it too."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
USERS = sorted((ROOT / "tests/typed").glob("*.py"))
RECIPE = re.compile(r'^```python title="(app\.py|documents\.py)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
"""The recipes for libraries and services. pyarrow, which the other one needs, has no types."""


def run(*command: str) -> tuple[int, str]:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.stem)
def test_it_runs(path: Path) -> None:
    assert run(sys.executable, "-P", "-W", "error::ResourceWarning", str(path)) == (0, "")


def test_pyright_accepts_it_and_finds_the_mistakes(tmp_path: Path) -> None:
    recipes = RECIPE.findall((ROOT / "docs/guides/recipes.md").read_text("utf-8"))
    for name, code in recipes:
        (tmp_path / name).write_text(code, "utf-8")
    settings = {
        "include": [str(path) for path in [*USERS, *(tmp_path / name for name, _ in recipes)]],
        "extraPaths": [str(path) for path in ROOT.glob("packages/*/src")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
        # So each mistake must be found by pyright itself.
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    project = tmp_path / "pyrightconfig.json"
    project.write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "basedpyright", "--project", str(project), "--pythonpath", sys.executable]
    status, text = run(*command, "--outputjson")
    found = json.loads(text)
    told = [
        f"{Path(each['file']).name}:{each['range']['start']['line'] + 1} {each['message']}"
        for each in found["generalDiagnostics"]
    ]
    assert (status, told) == (0, [])
    assert found["summary"]["filesAnalyzed"] == len(USERS) + 2
