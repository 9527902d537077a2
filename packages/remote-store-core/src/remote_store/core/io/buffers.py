"""Allocates the memory for whole-file reads."""

from __future__ import annotations

import io

from remote_store.core.errors import RemoteStoreError


def allocate(size: int) -> tuple[io.BytesIO, memoryview]:
    """A buffer to read into, and a `BytesIO` whose `getvalue` returns it as `bytes` without a copy.

    Raises:
        RemoteStoreError: The memory cannot be allocated.
    """
    # `bytes(size)` is zeroed by the system, and `BytesIO` does not copy bytes that have no other reference.
    try:
        whole = io.BytesIO(bytes(size))
    except (MemoryError, OverflowError) as error:
        raise RemoteStoreError(f"the file's {size} bytes do not fit into memory; read it in ranges") from error
    return whole, whole.getbuffer()
