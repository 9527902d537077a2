"""The one way from a fault, or a refusal of core's own, to the error that a user sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.errors import RemoteStoreError
from remote_store.core.io.streams import Source
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.faults import typed


@contextmanager
def contract_errors(
    backend: str, path: str | None = None, content: Source | AsyncSource | None = None
) -> Iterator[None]:
    """Raise a fault as the error of the contract that it means, and tell each error its backend and path.

    The SDK's exception becomes the cause. An error that knows its path keeps it.

    Args:
        backend: Name of the backend.
        path: The path that the call is about.
        content: What the call writes; the exceptions of the caller's own stream pass unchanged.

    Raises:
        RemoteStoreError: A fault, or an error of core, came out of the block.
    """
    try:
        yield
    except Fault as fault:
        error = typed(fault, path=path)
        error.backend = backend
        raise error from error.__cause__
    except RemoteStoreError as error:
        if content is None or content.failure is not error:
            error.backend = error.backend or backend
            error.path = path if error.path is None else error.path
        raise
