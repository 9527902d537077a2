"""The whole contract as one class, synchronous and asynchronous; an author subclasses it."""

from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.case import AsyncCase, Case
from remote_store.conformance.check import validate
from remote_store.conformance.harness import AsyncHarness, Harness
from remote_store.conformance.rules import ConfigurationError
from remote_store.conformance.suite import Contract
from remote_store.conformance.suite.aio import AsyncContract
from remote_store.conformance.suite.asynchronous import AsyncTaskSuite
from remote_store.conformance.suite.standard import StandardSuite
from remote_store.core import AsyncBackend, Backend


class BackendConformance(Contract, StandardSuite):
    """Every check for a synchronous backend.

    A subclass whose name begins with `Test` sets `harness`, or overrides `make` where nothing else is to be said.
    """

    harness: Harness | None = None

    def make(self) -> Backend:
        """A new backend; only for a subclass without a harness."""
        raise ConfigurationError(f"{type(self).__name__} needs a harness, or a make() that returns a backend")

    @pytest.fixture
    def case(self, request: pytest.FixtureRequest) -> Case:
        """What every check is given."""
        suite = self

        class Made(Harness):
            def make(self, **_options: Any) -> Backend:
                return suite.make()

        case = Case(self.harness or Made(), *named(request))
        validate(type(self), case)
        return case


class AsyncBackendConformance(AsyncContract, AsyncTaskSuite):
    """Every check for an asynchronous backend; used like `BackendConformance`."""

    harness: AsyncHarness | None = None

    def make(self) -> AsyncBackend:
        """A new backend; only for a subclass without a harness."""
        raise ConfigurationError(f"{type(self).__name__} needs a harness, or a make() that returns a backend")

    @pytest.fixture
    def case(self, request: pytest.FixtureRequest) -> AsyncCase:
        """What every check is given."""
        suite = self

        class Made(AsyncHarness):
            def make(self, **_options: Any) -> AsyncBackend:
                return suite.make()

        case = AsyncCase(self.harness or Made(), *named(request))
        validate(type(self), case)
        return case


def named(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and parameters of the running check."""
    callspec = getattr(request.node, "callspec", None)
    return request.node.originalname, callspec.id if callspec is not None else ""
