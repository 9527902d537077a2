"""The memory of a read: as long as asked for, and handed out without a copy."""

from __future__ import annotations

import pytest

from remote_store.core.io.buffers import allocate

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 1000, MIB, 3 * MIB + 1])
def test_a_buffer_is_as_long_as_asked_for_and_handed_out_as_bytes(size: int) -> None:
    whole, buffer = allocate(size)
    assert len(buffer) == size
    buffer[:] = b"x" * size
    buffer.release()
    assert whole.getvalue() == b"x" * size
