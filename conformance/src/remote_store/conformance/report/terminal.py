"""Shows a session on pytest's terminal, and writes the reports of `--conformance-report`."""

from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.report.report import write
from remote_store.conformance.report.summary import sections
from remote_store.conformance.run.session import Session
from remote_store.conformance.values.redaction import escaped

MOST_IN_FULL = 4
"""Up to this many classes are each shown in full. With more, conforming classes share one line per server."""


def write_reports(watch: Session, session: pytest.Session) -> None:
    """Write the reports of every run into the folder of `--conformance-report`, if given."""
    folder = watch.config.getoption("conformance_report")
    if not folder:
        return
    try:
        for run in watch.runs:
            watch.written += write(run, watch.config.invocation_params.dir / folder)
    except ConfigurationError as error:
        watch.error, session.exitstatus = str(error), pytest.ExitCode.USAGE_ERROR


def show(watch: Session, terminal: Any) -> None:
    """Write the verdicts to pytest's terminal."""
    if watch.error:
        terminal.section("conformance")
        terminal.write_line(f"configuration error: {escaped(watch.error)}", red=True)
    many = len(watch.runs) > MOST_IN_FULL and watch.config.get_verbosity() < 1
    for title, lines in sections(watch.runs, brief=many):
        terminal.section(title)
        for line in lines:
            terminal.write_line(escaped(line))
    if many and watch.written:
        terminal.write_line(f"{len(watch.written)} report files are in {watch.written[0].parent}")
    for path in () if many else watch.written:
        terminal.write_line(f"report    {path}")
