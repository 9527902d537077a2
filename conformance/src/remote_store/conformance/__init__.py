"""The storage contract as checks that any backend can be run against."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remote_store.conformance.case import AsyncCase, Case, not_applicable, untested
    from remote_store.conformance.checking import async_check, check
    from remote_store.conformance.contract import AsyncBackendConformance, BackendConformance
    from remote_store.conformance.deviations import join_deviations, load_deviations
    from remote_store.conformance.expect import CheckFailed
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
    from remote_store.conformance.rulebook import CONTRACT_VERSION, Area, ConfigurationError, Rule, areas, rule, rules

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
    "CONTRACT_VERSION": "rulebook",
    "Area": "rulebook",
    "AsyncBackendConformance": "contract",
    "AsyncCase": "case",
    "AsyncHarness": "harness",
    "BackendConformance": "contract",
    "Case": "case",
    "CheckFailed": "expect",
    "ConfigurationError": "rulebook",
    "Deviation": "harness",
    "Harness": "harness",
    "Oracle": "harness",
    "OracleRefused": "harness",
    "Profile": "harness",
    "RawHead": "harness",
    "Rule": "rulebook",
    "ThreadedHarness": "harness",
    "areas": "rulebook",
    "async_check": "checking",
    "check": "checking",
    "join_deviations": "deviations",
    "load_deviations": "deviations",
    "not_applicable": "case",
    "rule": "rulebook",
    "rules": "rulebook",
    "untested": "case",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ImportError as error:
        from remote_store.conformance.versions import skew

        if wrong := skew():
            raise ImportError(wrong) from error
        raise
    if name != "CONTRACT_VERSION":
        value.__module__ = __name__
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
