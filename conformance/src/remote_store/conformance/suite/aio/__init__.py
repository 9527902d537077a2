"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.aio.atomic import AsyncAtomSuite
from remote_store.conformance.suite.aio.errors import AsyncErrSuite
from remote_store.conformance.suite.aio.paths import AsyncPathSuite
from remote_store.conformance.suite.aio.reading import AsyncReadSuite
from remote_store.conformance.suite.aio.seeking import AsyncSeekSuite
from remote_store.conformance.suite.aio.writing import AsyncWriteSuite

__all__ = [
    "AsyncAtomSuite",
    "AsyncContract",
    "AsyncErrSuite",
    "AsyncPathSuite",
    "AsyncReadSuite",
    "AsyncSeekSuite",
    "AsyncWriteSuite",
]


class AsyncContract(
    AsyncPathSuite,
    AsyncErrSuite,
    AsyncReadSuite,
    AsyncSeekSuite,
    AsyncWriteSuite,
    AsyncAtomSuite,
):
    """Every check that is the same for synchronous and asynchronous backends."""
