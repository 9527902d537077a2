"""The memory that a read goes to."""

from __future__ import annotations

import io


def allocate(size: int) -> tuple[io.BytesIO, memoryview]:
    """A buffer to read into, and the file whose `getvalue` hands it out as `bytes` without a copy."""
    # Memory that is zero already is not written twice, and bytes that nobody else holds are not copied.
    whole = io.BytesIO(bytes(size))
    return whole, whole.getbuffer()
