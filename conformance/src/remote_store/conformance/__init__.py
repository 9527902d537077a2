"""The storage contract as checks that any backend can be run against."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remote_store.conformance.checking.case import AsyncCase, Case, not_applicable, untested
    from remote_store.conformance.checking.decorators import async_check, check
    from remote_store.conformance.checking.expect import CheckFailed
    from remote_store.conformance.contract.deviations import join_deviations, load_deviations
    from remote_store.conformance.contract.rulebook import (
        CONTRACT_VERSION,
        Area,
        ConfigurationError,
        Rule,
        areas,
        rule,
        rules,
    )
    from remote_store.conformance.harness import (
        AsyncHarness,
        Deviation,
        Harness,
        Oracle,
        OracleRefused,
        Profile,
        RawHead,
        ThreadedHarness,
    )
    from remote_store.conformance.suite.conformance import AsyncBackendConformance, BackendConformance

__all__ = [
    "CONTRACT_VERSION",
    "Area",
    "AsyncBackendConformance",
    "AsyncCase",
    "AsyncHarness",
    "BackendConformance",
    "Case",
    "CheckFailed",
    "ConfigurationError",
    "Deviation",
    "Harness",
    "Oracle",
    "OracleRefused",
    "Profile",
    "RawHead",
    "Rule",
    "ThreadedHarness",
    "areas",
    "async_check",
    "check",
    "join_deviations",
    "load_deviations",
    "not_applicable",
    "rule",
    "rules",
    "untested",
]

# A pytest plugin lives in this package, and a run of pytest without a conformance class must not pay for the suite.
_HOMES = {
    "CONTRACT_VERSION": "contract.rulebook",
    "Area": "contract.rulebook",
    "AsyncBackendConformance": "suite.conformance",
    "AsyncCase": "checking.case",
    "AsyncHarness": "harness",
    "BackendConformance": "suite.conformance",
    "Case": "checking.case",
    "CheckFailed": "checking.expect",
    "ConfigurationError": "contract.rulebook",
    "Deviation": "harness",
    "Harness": "harness",
    "Oracle": "harness",
    "OracleRefused": "harness",
    "Profile": "harness",
    "RawHead": "harness",
    "Rule": "contract.rulebook",
    "ThreadedHarness": "harness",
    "areas": "contract.rulebook",
    "async_check": "checking.decorators",
    "check": "checking.decorators",
    "join_deviations": "contract.deviations",
    "load_deviations": "contract.deviations",
    "not_applicable": "checking.case",
    "rule": "contract.rulebook",
    "rules": "contract.rulebook",
    "untested": "checking.case",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ImportError as error:
        from remote_store.conformance.contract.versions import skew

        if wrong := skew():
            raise ImportError(wrong) from error
        raise
    if name != "CONTRACT_VERSION":
        value.__module__ = __name__
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
