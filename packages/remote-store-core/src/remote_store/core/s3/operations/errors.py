"""Converts faults to errors of the contract, and adds backend and path to errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.capabilities import Capability
from remote_store.core.errors import CapabilityNotSupported, RemoteStoreError
from remote_store.core.io.streams import Source
from remote_store.core.options import NEEDS
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.faults import is_unimplemented, typed

OF_OBJECTS = frozenset({Capability.CHECKSUMS, Capability.CONTENT_HEADERS, Capability.STORAGE_OPTIONS, Capability.TAGS})
"""The capabilities whose options are headers of a write."""


@contextmanager
def contract_errors(
    backend: str | None = None, path: str | None = None, content: Source | AsyncSource | None = None
) -> Iterator[None]:
    """Raise a fault as an error of the contract, and set backend and path of every error.

    The SDK's exception becomes the cause. An error that already has a backend or a path keeps it, so an operation on
    two paths uses this around the calls about its second path.

    Args:
        backend: Name of the backend; `None` if a block around this one sets it.
        path: The path that the calls are about.
        content: The content that the call writes. Exceptions of the caller's stream pass unchanged.

    Raises:
        RemoteStoreError: The block raised a fault or an error of core.
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


def contract_error(error: Fault | RemoteStoreError, backend: str, path: str) -> RemoteStoreError:
    """The error of the contract for what kept an operation from one of its paths, with backend and path."""
    found = typed(error, path=path) if isinstance(error, Fault) else error
    found.backend = found.backend or backend
    found.path = path if found.path is None else found.path
    return found


@contextmanager
def refused_options(key: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Raise `CapabilityNotSupported` if the service says that it does not implement a header of the block's write.

    Args:
        key: The key that is written.
        options: The optional keyword arguments of the write.

    Raises:
        CapabilityNotSupported: The response has status 501 or the code `NotImplemented`, and there are options.
    """
    try:
        yield
    except Fault as fault:
        names = [name for name in options if NEEDS[name] in OF_OBJECTS]
        if not names or not is_unimplemented(fault):
            raise
        needed = {NEEDS[name].value for name in names}
        message = f"the service does not implement {' or '.join(names)} of this write; leave it out"
        lacks = needed.pop() if len(needed) == 1 else ""
        raise CapabilityNotSupported(message, capability=lacks, path=key) from fault.__cause__ or fault
