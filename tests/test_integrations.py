from __future__ import annotations

from pathlib import Path

import pytest

import integrations
from lane_alone import ROOT

PAGES = sorted(path for path in integrations.PAGES.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_each_page_runs_in_an_environment(page: Path) -> None:
    named = f'"docs/{page.name}"'
    tests = [test for folder in integrations.FOLDERS.values() for test in folder.glob("test_*.py")]
    running = [test for test in tests if named in test.read_text("utf-8") and "pages.follow" in test.read_text("utf-8")]
    assert running, f"no environment runs docs/integrations/{page.name}; name {named} in a test that follows the page"


@pytest.mark.parametrize("name", integrations.FOLDERS)
def test_each_requirement_of_an_environment_has_a_lower_bound(name: str) -> None:
    foreign = [line for line in integrations.wanted(name) if not line.startswith("remote-store-")]
    assert [line for line in foreign if ">=" not in line and "~=" not in line] == []


def test_ci_runs_the_smoke_tests() -> None:
    assert "tools/integrations.py --smoke" in (ROOT / ".ci" / "run").read_text("utf-8")
