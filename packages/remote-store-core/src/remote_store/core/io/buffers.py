"""The memory that a read goes to."""

from __future__ import annotations

import io

from remote_store.core.errors import RemoteStoreError


def allocate(size: int) -> tuple[io.BytesIO, memoryview]:
    """A buffer to read into, and the file whose `getvalue` hands it out as `bytes` without a copy.

    Raises:
        RemoteStoreError: There is no memory for it.
    """
    # Memory that is zero already is not written twice, and bytes that nobody else holds are not copied.
    try:
        whole = io.BytesIO(bytes(size))
    except (MemoryError, OverflowError) as error:
        raise RemoteStoreError(f"{size} bytes do not fit into memory; read the file in ranges") from error
    return whole, whole.getbuffer()
