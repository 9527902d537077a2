from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The blocks of a guide build on each other; `test_guide.py` runs them in their order.
GUIDES = {ROOT / "docs/writing-a-backend.md", ROOT / "docs/writing-an-async-backend.md"}
"""Pages whose code needs the project that they write; `test_guide.py` and `test_async_guide.py` run it."""
PAGES = [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - GUIDES)]
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def blocks() -> list[tuple[str, str]]:
    """Where each block of Python in the documentation stands, and its code."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("code")) + 1
            found.append((f"{page.relative_to(ROOT)}:{line}", match["code"]))
    return found


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # No file of the working directory is to stand in for a package.
    environment = os.environ | {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error::ResourceWarning"}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("where, code", blocks(), ids=[where for where, _ in blocks()])
def test_what_the_documentation_shows_runs(where: str, code: str, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(code, "utf-8")
    result = run(str(script), cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), where


def test_the_readme_shows_something_that_runs() -> None:
    assert any(where.startswith("README.md") for where, _ in blocks())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs_and_says_that_all_is_well(example: Path, tmp_path: Path) -> None:
    result = run(str(example), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith("All results are as expected")
