# Generated from conformance/src/remote_store/conformance/suite/aio/__init__.py by tools/unasync.py; edit that.
"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.atomic import AtomSuite
from remote_store.conformance.suite.errors import ErrSuite
from remote_store.conformance.suite.paths import PathSuite
from remote_store.conformance.suite.reading import ReadSuite
from remote_store.conformance.suite.seeking import SeekSuite
from remote_store.conformance.suite.writing import WriteSuite

__all__ = [
    "AtomSuite",
    "Contract",
    "ErrSuite",
    "PathSuite",
    "ReadSuite",
    "SeekSuite",
    "WriteSuite",
]


class Contract(
    PathSuite,
    ErrSuite,
    ReadSuite,
    SeekSuite,
    WriteSuite,
    AtomSuite,
):
    """Every check that is the same for synchronous and asynchronous backends."""
