"""The storage contract as checks that any backend can be run against."""

from __future__ import annotations

from remote_store.conformance.case import AsyncCase, Case, not_applicable, untested
from remote_store.conformance.check import async_check, check
from remote_store.conformance.contract import AsyncBackendConformance, BackendConformance
from remote_store.conformance.deviations import join_deviations, load_deviations
from remote_store.conformance.expect import CheckFailed
from remote_store.conformance.harness import (
    AsyncHarness,
    Deviation,
    Harness,
    Oracle,
    Profile,
    RawHead,
    ThreadedHarness,
)
from remote_store.conformance.rules import CONTRACT_VERSION, Area, ConfigurationError, Rule, areas, rule, rules

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

for _name in set(__all__) - {"CONTRACT_VERSION"}:
    globals()[_name].__module__ = "remote_store.conformance"
