"""Prints how many broken backends the suite has caught, and spares the processes of other tests some work."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the score of the run; a backend is caught where every rule that it breaks was red."""
    names: dict[str, set[str]] = {"passed": set(), "failed": set()}
    for ending, found in names.items():
        for report in terminalreporter.getreports(ending):
            found.update(str(value) for name, value in report.user_properties if name == "broken backend")
    run = names["passed"] | names["failed"]
    if run:
        caught = names["passed"] - names["failed"]
        terminalreporter.write_line(f"{len(run)} broken backends, {len(caught)} caught by the rule they break")


@pytest.fixture(scope="module")
def heap_is_frozen() -> None:
    """Exempt what earlier tests left in memory from the garbage collections that a look at a backend makes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def compiled_once(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the many processes of these tests compile what they import only once."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(compiled))
