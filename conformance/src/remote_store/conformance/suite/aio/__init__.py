"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.aio.reading import AsyncReadSuite

__all__ = ["AsyncContract", "AsyncReadSuite"]


class AsyncContract(AsyncReadSuite):
    """Every check that is the same for synchronous and asynchronous backends."""
