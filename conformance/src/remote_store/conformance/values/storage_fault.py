"""The ways in which a storage fails."""

from __future__ import annotations

from enum import Enum

from remote_store.core.home import public


@public("remote_store.conformance")
class StorageFault(Enum):
    """How a storage fails. `Harness.faulty` returns an instance each of whose operations meets the fault.

    Attributes:
        UNREACHABLE: No connection can be made, so an operation has no effect.
        TIMEOUT: The storage does not answer in time, and the operation has no effect.
        LOST_DURING: The connection is lost while content is sent or received: a read has received a part of it, and a
            write has not been committed.
        LOST_AFTER: The connection is lost after the storage has done what it was asked, before the client knows.
        FULL: The storage has no space for the content of a write. Other operations work.
    """

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    LOST_DURING = "lost during"
    LOST_AFTER = "lost after"
    FULL = "full"
