"""Prints how many broken backends the suite has caught."""

from __future__ import annotations

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
