"""The pytest plugin. It imports the suite only once a conformance class has been collected."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from remote_store.conformance.values.options import DEFAULT_SEED, PROPERTY, SHOWN_CALLS, TIERS, seed_of

if TYPE_CHECKING:
    from remote_store.conformance.run.session import Session

CONTRACT = "remote_store.conformance.suite.conformance"
_key: pytest.StashKey[Session] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("remote-store conformance")
    group.addoption(
        "--conformance-report",
        dest="conformance_report",
        metavar="DIR",
        help="write JSON, JUnit, HTML and a badge of each conformance class into this folder",
    )
    group.addoption(
        "--conformance-deviations",
        dest="conformance_deviations",
        metavar="FILE",
        help="TOML file of known deviations",
    )
    group.addoption(
        "--conformance-rule",
        dest="conformance_rules",
        metavar="ID",
        action="append",
        help="run only the checks of this rule, which makes the verdict partial; may be repeated",
    )
    group.addoption(
        "--conformance-tier",
        dest="conformance_tier",
        choices=TIERS,
        default="full",
        help="how much to run: smoke runs one variant of each check, quick a few, soak repeats races (default: full)",
    )
    group.addoption(
        "--conformance-timeout",
        dest="conformance_timeout",
        metavar="SECONDS",
        type=float,
        help="time limit of one check (default: the profile's, or 30 in smoke and quick, 300 in full and soak)",
    )
    group.addoption(
        "--conformance-keep-going",
        dest="conformance_keep_going",
        action="store_true",
        help="run all checks even if one of the first, on which the others rely, fails",
    )
    group.addoption(
        "--conformance-all-calls",
        dest="conformance_all_calls",
        action="store_true",
        help=f"show all calls that a failed check made, not only the last {SHOWN_CALLS}",
    )
    group.addoption(
        "--conformance-seed",
        dest="conformance_seed",
        metavar="SEED",
        type=seed_of,
        default=DEFAULT_SEED,
        help="number that decides what the checks draw from long lists of contents and names, or `random` (default: 0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the `clause` marker and the listener, and check the options."""
    config.addinivalue_line("markers", "clause(*ids): the contract clauses that a test checks")
    if hasattr(config, "workerinput"):
        config.option.conformance_seed = config.workerinput["conformance_seed"]
    config.pluginmanager.register(Listener(config))
    if (seconds := config.getoption("conformance_timeout")) is not None and not seconds > 0:
        raise pytest.UsageError(f"conformance: --conformance-timeout is {seconds:g}; it must be more than 0 seconds")
    if config.getoption("conformance_rules") or config.getoption("conformance_deviations"):
        _refuse_wrong_options(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Create the session if a conformance class was collected. The order of its first checks is not for others."""
    watch = session(config) if CONTRACT in sys.modules else None
    if watch is not None:
        watch.collected(items)
    yield
    if watch is not None:
        watch.put_first(items)


def _refuse_wrong_options(config: pytest.Config) -> None:
    from remote_store.conformance.contract.rulebook import ConfigurationError
    from remote_store.conformance.run.session import chosen_rules
    from remote_store.conformance.suite.conformance import from_file

    try:
        chosen_rules(config)
        from_file(config)
    except ConfigurationError as error:
        raise pytest.UsageError(f"conformance: {error}") from error


class Listener:
    """Collects the records of checks that run here or in other processes."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the record of a check."""
        for name, value in report.user_properties:
            if name == PROPERTY:
                session(self.config).take(json.loads(str(value)))
        # pytest-xdist makes this report when a worker dies, and it belongs to no phase of the test.
        if report.when not in ("setup", "call", "teardown") and report.failed and CONTRACT in sys.modules:
            session(self.config).crashed(report.nodeid, str(report.longrepr))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a pytest-xdist worker the seed of the run, which it would otherwise draw anew."""
        node.workerinput["conformance_seed"] = self.config.option.conformance_seed

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Collect what a pytest-xdist worker sends besides the records."""
        sent = getattr(node, "workeroutput", {}).get(PROPERTY)
        if sent and not error:
            session(self.config).receive(sent)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Compute the verdicts; a pytest-xdist worker sends its results to the controller instead."""
        watch = self.config.stash.get(_key, None)
        if watch is None:
            return
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[PROPERTY] = watch.send()
        else:
            from remote_store.conformance.report.terminal import write_reports

            watch.finish(session, exitstatus)
            write_reports(watch, session)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the verdicts."""
        watch = self.config.stash.get(_key, None)
        if watch is not None:
            from remote_store.conformance.report.terminal import show

            show(watch, terminalreporter)


def session(config: pytest.Config) -> Session:
    """The session of this run, created on first use."""
    if _key not in config.stash:
        from remote_store.conformance.run.session import Session

        config.stash[_key] = Session(config)
        config.pluginmanager.register(config.stash[_key])
    return config.stash[_key]
