"""The whole contract as one class for synchronous and one for asynchronous backends; authors subclass them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from remote_store.conformance.checking.case import AsyncCase, Case
from remote_store.conformance.checking.decorators import validate
from remote_store.conformance.checking.stops import Stops
from remote_store.conformance.checking.subject import Subject, look
from remote_store.conformance.checking.traces import Traces
from remote_store.conformance.contract.deviations import has_expired, join_deviations, load_deviations
from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.harness import AnyHarness, AsyncFactoryHarness, AsyncHarness, FactoryHarness, Harness
from remote_store.conformance.suite import Contract
from remote_store.conformance.suite.aio import AsyncContract
from remote_store.conformance.suite.asynchronous import AsyncTaskSuite
from remote_store.conformance.suite.blocking import BlockingSuite
from remote_store.conformance.suite.cancelling import AsyncCancellingSuite
from remote_store.conformance.suite.standard import StandardSuite
from remote_store.conformance.values.deviation import Deviation
from remote_store.conformance.values.options import DEFAULT_SEED, SHOWN_CALLS, Tier
from remote_store.conformance.values.outcome import HarnessFailed
from remote_store.core import AsyncBackend, Backend
from remote_store.core.home import public

C = TypeVar("C", Case, AsyncCase)
_subjects: dict[type, Subject | ConfigurationError] = {}
_validated: set[type] = set()
_stops: dict[type, Stops] = {}
_traces: dict[type, Traces] = {}


@public("remote_store.conformance")
class BackendConformance(Contract, StandardSuite, BlockingSuite):
    """Every check for a synchronous backend.

    A subclass whose name begins with `Test` sets `harness`, or only overrides `make`.

    Attributes:
        harness: Access to the storage, and facts about it.
        target: The target of `remote-store-conformance run`; empty in a test file.
    """

    harness: Harness | None = None
    target: str = ""

    def make(self) -> Backend:
        """Return a new backend. Override it only in a subclass without a harness."""
        raise ConfigurationError(f"{type(self).__name__} needs a harness, or a make() that returns a backend")

    @pytest.fixture
    def case(self, request: pytest.FixtureRequest) -> Case:
        """The case of each check."""
        return _ready(self, request.config, Case, named(request), _repeat(self, request))

    def known_harness(self) -> Harness:
        """The harness, or one for `make`."""
        return self.harness or FactoryHarness(self.make)


@public("remote_store.conformance")
class AsyncBackendConformance(AsyncContract, AsyncTaskSuite, AsyncCancellingSuite):
    """Every check for an asynchronous backend; used like `BackendConformance`."""

    harness: AsyncHarness | None = None
    target: str = ""

    def make(self) -> AsyncBackend:
        """Return a new backend. Override it only in a subclass without a harness."""
        raise ConfigurationError(f"{type(self).__name__} needs a harness, or a make() that returns a backend")

    @pytest.fixture
    def case(self, request: pytest.FixtureRequest) -> AsyncCase:
        """The case of each check."""
        return _ready(self, request.config, AsyncCase, named(request), _repeat(self, request))

    def known_harness(self) -> AsyncHarness:
        """The harness, or one for `make`."""
        return self.harness or AsyncFactoryHarness(self.make)


SUITES = (BackendConformance, AsyncBackendConformance)


def suite_of(kind: type) -> type | None:
    """The test class as a suite; `None` if it is not one."""
    return next((suite for suite in SUITES if issubclass(kind, suite)), None)


def subject_of(kind: type) -> Subject | None:
    """The backend of a test class, as found by the inspection before its first check; `None` before that."""
    found = _subjects.get(kind)
    return found if isinstance(found, Subject) else None


def passes(kind: type, name: str, config: pytest.Config) -> bool:
    """Whether a check without parameters passes or does not apply. It is run apart from pytest."""
    suite: Any = kind()
    check = (name, "")
    is_sync = issubclass(kind, BackendConformance)
    case = _ready(suite, config, Case, check) if is_sync else _ready(suite, config, AsyncCase, check)
    try:
        getattr(suite, name)(case)
    except (pytest.skip.Exception, pytest.xfail.Exception):
        return True
    except (Exception, HarnessFailed):
        return False
    return True


def _ready(suite: Any, config: pytest.Config, case_type: type[C], check: tuple[str, str], repeat: str = "") -> C:
    """The case of a check, after the backend was inspected.

    Raises:
        ConfigurationError: The harness cannot be used.
    """
    kind = type(suite)
    harness: AnyHarness[Any] = suite.known_harness()
    if kind not in _subjects:
        try:
            with _traces.setdefault(kind, Traces()).watching("the inspection of the backend"):
                _subjects[kind] = look(harness, timeout=config.getoption("conformance_timeout", None))
        except ConfigurationError as error:
            _subjects[kind] = error
    found = _subjects[kind]
    if isinstance(found, ConfigurationError):
        raise ConfigurationError(str(found)) from found.__cause__
    harness.profile = found.profile
    tier: Tier = config.getoption("conformance_tier", "full")
    case = case_type(
        harness,
        *check,
        tier=tier,
        seed=config.getoption("conformance_seed", DEFAULT_SEED),
        repeat=repeat,
        timeout=config.getoption("conformance_timeout", None),
        stops=_stops.setdefault(kind, Stops()),
        traces=_traces.setdefault(kind, Traces()),
        shown_calls=None if config.getoption("conformance_all_calls", False) else SHOWN_CALLS,
    )
    case.kind = found.storage_kind
    case.deviations = join_deviations(from_file(config), case.deviations)
    if kind not in _validated:
        validate(kind, case)
        _validated.add(kind)
    return case


def from_file(config: pytest.Config) -> Mapping[str, tuple[Deviation, ...]]:
    """The deviations of the file named on the command line; none without one.

    Raises:
        ConfigurationError: The file is wrong, or one of its deviations has expired.
    """
    path: str | None = config.getoption("conformance_deviations", None)
    return known_deviations(config.invocation_params.dir / path) if path else {}


@cache
def known_deviations(path: Path) -> Mapping[str, tuple[Deviation, ...]]:
    """The deviations of a file, after checking that none has expired.

    Raises:
        ConfigurationError: The file is wrong, or one of its deviations has expired.
    """
    found = load_deviations(path)
    expired = {deviation.place: deviation for row in found.values() for deviation in row if has_expired(deviation)}
    if expired:
        told = "; ".join(f"{place} ({deviation.expires}): {deviation.reason}" for place, deviation in expired.items())
        raise ConfigurationError(f"deviations have expired; fix the backend or set a new `expires`: {told}")
    return found


def _repeat(suite: Any, request: pytest.FixtureRequest) -> str:
    """The command that runs the check again and draws the same."""
    tier = request.config.getoption("conformance_tier", "full")
    seed = request.config.getoption("conformance_seed", DEFAULT_SEED)
    prefix = "--" if suite.target else "--conformance-"
    drawn = f" {prefix}tier {tier}" if tier != "full" else ""
    drawn += f" {prefix}seed {seed}" if seed != DEFAULT_SEED else ""
    if not suite.target:
        return f"pytest {request.node.nodeid!r}{drawn}"
    rules = " ".join(f"--rule {identifier}" for identifier in getattr(request.function, "clauses", ()))
    return f"remote-store-conformance run {shlex.quote(suite.target)} {rules}{drawn}"


def named(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and parameters of the running check."""
    callspec = getattr(request.node, "callspec", None)
    return request.node.originalname, callspec.id if callspec is not None else ""
