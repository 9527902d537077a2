# Generated from conformance/src/remote_store/conformance/suite/aio/__init__.py by tools/unasync.py; edit that.
"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.reading import ReadSuite

__all__ = ["Contract", "ReadSuite"]


class Contract(ReadSuite):
    """Every check that is the same for synchronous and asynchronous backends."""
