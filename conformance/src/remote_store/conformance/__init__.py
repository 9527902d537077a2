"""The storage contract as checks that any backend can be run against."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remote_store.conformance.checking.case import AsyncCase, Case
    from remote_store.conformance.checking.decorators import async_check, check
    from remote_store.conformance.checking.ends import not_applicable, untested
    from remote_store.conformance.checking.expect import CheckFailed
    from remote_store.conformance.contract.deviations import join_deviations, load_deviations
    from remote_store.conformance.contract.rule_pages import RulePage, rule_pages
    from remote_store.conformance.contract.rulebook import (
        CONTRACT_VERSION,
        Area,
        ConfigurationError,
        Rule,
        areas,
        rule,
        rules,
    )
    from remote_store.conformance.endpoint import Endpoint, Injection
    from remote_store.conformance.harness import (
        AsyncHarness,
        Harness,
        Oracle,
        OracleRefused,
        Profile,
        RawHead,
        ThreadedHarness,
    )
    from remote_store.conformance.processes.elsewhere import NotImportable, Seen, use_elsewhere
    from remote_store.conformance.stores.harness import AsyncChildHarness, ChildHarness
    from remote_store.conformance.suite.conformance import AsyncBackendConformance, BackendConformance
    from remote_store.conformance.values.deviation import Deviation
    from remote_store.conformance.values.storage_fault import StorageFault

__all__ = [
    "CONTRACT_VERSION",
    "Area",
    "AsyncBackendConformance",
    "AsyncCase",
    "AsyncChildHarness",
    "AsyncHarness",
    "BackendConformance",
    "Case",
    "CheckFailed",
    "ChildHarness",
    "ConfigurationError",
    "Deviation",
    "Endpoint",
    "Harness",
    "Injection",
    "NotImportable",
    "Oracle",
    "OracleRefused",
    "Profile",
    "RawHead",
    "Rule",
    "RulePage",
    "Seen",
    "StorageFault",
    "ThreadedHarness",
    "areas",
    "async_check",
    "check",
    "join_deviations",
    "load_deviations",
    "not_applicable",
    "rule",
    "rule_pages",
    "rules",
    "untested",
    "use_elsewhere",
]

__version__ = version("remote-store-conformance")

# A pytest plugin lives in this package, and a run of pytest without a conformance class must not pay for the suite.
_NAMES = {
    "checking.case": ("AsyncCase", "Case"),
    "checking.decorators": ("async_check", "check"),
    "checking.ends": ("not_applicable", "untested"),
    "checking.expect": ("CheckFailed",),
    "contract.deviations": ("join_deviations", "load_deviations"),
    "contract.rule_pages": ("RulePage", "rule_pages"),
    "contract.rulebook": ("CONTRACT_VERSION", "Area", "ConfigurationError", "Rule", "areas", "rule", "rules"),
    "endpoint": ("Endpoint", "Injection"),
    "harness": (
        "AsyncHarness",
        "Harness",
        "Oracle",
        "OracleRefused",
        "Profile",
        "RawHead",
        "ThreadedHarness",
    ),
    "processes.elsewhere": ("NotImportable", "Seen", "use_elsewhere"),
    "stores.harness": ("AsyncChildHarness", "ChildHarness"),
    "values.deviation": ("Deviation",),
    "values.storage_fault": ("StorageFault",),
    "suite.conformance": ("AsyncBackendConformance", "BackendConformance"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_HOMES[name]}")
    except ImportError as error:
        from remote_store.conformance.contract.versions import skew

        if wrong := skew():
            raise ImportError(wrong) from error
        raise
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
