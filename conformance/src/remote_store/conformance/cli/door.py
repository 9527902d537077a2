"""Runs the suite without a test file: pytest in this process on a generated module, without your pytest settings.

The plugin computes the verdict as it does for a test file.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import pytest

from remote_store.conformance import plugin
from remote_store.conformance.checking.subject import SECONDS
from remote_store.conformance.cli.places import is_url
from remote_store.conformance.cli.target import harness_of
from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.harness import AnyHarness, AsyncHarness
from remote_store.conformance.processes.witness import Witness
from remote_store.conformance.run.run import Run
from remote_store.conformance.run.session import Session
from remote_store.conformance.suite.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.values.outcome import Outcome, Record

MODULE = "test_conformance.py"
MOST_DEAD_WORKERS = 2
FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
SOURCE = """\
from remote_store.conformance.cli.door import suite_for

{name} = suite_for({target!r}, {timeout!r})
"""


class Broke(Exception):
    """The suite itself failed, not the backend or the harness."""


_known: dict[str, AnyHarness[Any]] = {}


def known_harness(target: str, timeout: float | None) -> AnyHarness[Any]:
    """The harness of a target, made once per process, with the time limit that the command states."""
    if target not in _known:
        _known[target] = harness_of(target, timeout or SECONDS)
    return _known[target]


@contextmanager
def target_for(name: str, harness: AnyHarness[Any]) -> Iterator[str]:
    """A target with this name for a harness that is there already, until the block ends."""
    _known[name] = harness
    try:
        yield name
    finally:
        del _known[name]


def suite_for(target: str, timeout: float | None) -> type:
    """The test class for a target. The factory is called with this time limit, if there is one."""
    harness = known_harness(target, timeout)
    suite = AsyncBackendConformance if isinstance(harness, AsyncHarness) else BackendConformance
    return type(class_name(target), (suite,), {"harness": harness, "target": target, "__module__": "test_conformance"})


def class_name(target: str) -> str:
    """The name of the test class for a target."""
    name = target.partition("://")[0] if is_url(target) else target.rpartition(":")[2].rpartition(".")[2]
    return "Test" + re.sub(r"\W", "_", name)


def run_target(
    target: str,
    options: Sequence[str],
    *,
    workers: str | None,
    out: TextIO,
    timeout: float | None,
    plugins: Sequence[object] = (),
) -> tuple[Run, Sequence[Path]]:
    """Run the suite against a target. Returns the run and the paths of its reports.

    Args:
        target: The target, which has been validated.
        options: Options of the plugin.
        workers: Number of pytest-xdist processes; `None` to run in this process.
        out: The stream for the progress.
        timeout: The time limit that the command states; `None` for that of the profile or the tier.
        plugins: Further plugins of pytest.

    Raises:
        ConfigurationError: The harness cannot be used.
        Broke: The run has no verdict.
    """
    with Witness() as witness, tempfile.TemporaryDirectory(prefix="conformance-") as folder, _shut_off():
        progress = ProgressLine(out, witness)
        module = Path(folder).resolve() / MODULE
        module.write_text(SOURCE.format(name=class_name(target), target=target, timeout=timeout), "utf-8")
        (module.parent / "pytest.ini").write_text("[pytest]\naddopts =\n", "utf-8")
        limits = [f"--conformance-timeout={timeout}"] if timeout else []
        parallel = ["-p", "xdist", "-n", workers, f"--max-worker-restart={MOST_DEAD_WORKERS}"] if workers else []
        base = ["-c", str(module.parent / "pytest.ini"), "--rootdir", str(module.parent), "-p", "no:cacheprovider"]
        shown = ["-p", plugin.__name__, "--import-mode=importlib", "--tb=short", "-q"]
        pytest.main([*base, *shown, *limits, *parallel, *options, str(module)], plugins=[progress, *plugins])
    watch = progress.watch
    if watch is not None and watch.error:
        raise ConfigurationError(watch.error)
    if watch is None or not watch.runs:
        raise Broke(progress.trouble or "no check was collected")
    return watch.runs[0], watch.written


@contextmanager
def _shut_off() -> Iterator[None]:
    """Hide pytest's environment variables until the block ends."""
    before = {name: os.environ.pop(name, None) for name in FOREIGN}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def make_current_folder_importable() -> None:
    """Put the current folder on `sys.path`, as `python -m` does."""
    if os.getcwd() not in sys.path:  # noqa: PTH109 - sys.path holds strings
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds strings


class ProgressLine:
    """Shows the progress of a run instead of pytest's own output."""

    def __init__(self, out: TextIO, witness: Witness) -> None:
        self.watch: Session | None = None
        self.trouble = ""
        self._out = out
        self._witness = witness
        self._total = 0
        self._ended = 0
        self._failed = 0
        self._shown = 0
        self._began = time.monotonic()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Remove pytest's reporter before pytest-xdist uses it."""
        config.pluginmanager.unregister(name="terminalreporter")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Register for the record of every check."""
        self.watch = plugin.session(session.config)
        self.watch.listeners.append(self._ended_one)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Store the number of checks."""
        self._total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    # pytest passes hook arguments by name.
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Store the number of checks that a pytest-xdist worker collected."""
        self._total = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note the check that begins."""
        self._witness.note(nodeid.rpartition("::")[2])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Store why the collection failed."""
        if report.failed:
            self.trouble = str(report.longrepr)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Store an internal error of pytest."""
        self.trouble = str(excrepr)

    def _ended_one(self, record: Record) -> None:
        self._ended += 1
        self._failed += record.outcome in (Outcome.FAIL, Outcome.ERROR)
        if not self._total:
            return
        seconds = time.monotonic() - self._began
        text = f"{self._ended:,} of {self._total:,} checks, {self._failed or 'none'} failed, {seconds:.0f} s"
        percent = 100 * self._ended // self._total
        if self._out.isatty():
            rest = "\n" if self._ended == self._total else f"  {record.check}"
            self._say(f"\r\x1b[K{percent:>3} %  {text}{rest}")
        elif percent // 10 > self._shown:
            self._shown = percent // 10
            self._say(f"{percent:>3} %  {text}\n")

    def _say(self, text: str) -> None:
        # If the reader of the output is gone, the run must still write its reports.
        with suppress(OSError):
            self._out.write(text)
            self._out.flush()
