"""The memory that a read goes to."""

from __future__ import annotations

import ctypes
import io
import mmap
import sys

POPULATE_WRITE = 23
"""The advice to get memory for writing (madvise(2), since Linux 5.14), which the module `mmap` has no name for."""

WORTH_ADVICE = 128 * 1024
"""Below this size it is mostly memory that malloc has handed out before (mallopt(3), M_MMAP_THRESHOLD)."""

_advise = ctypes.CDLL(None).madvise if sys.platform == "linux" else None


def allocate(size: int) -> tuple[io.BytesIO, memoryview]:
    """A buffer to read into, and the file whose `getvalue` hands it out as `bytes` without a copy."""
    # Memory that is zero already is not written twice, and bytes that nobody else holds are not copied.
    whole = io.BytesIO(bytes(size))
    return whole, whole.getbuffer()


def populate(buffer: memoryview) -> None:
    """Get the memory of a buffer that is about to be filled from Linux at once, not by a fault for each page of 4 KiB.

    It is advice: a system that does not know it gets the memory as it is written.
    """
    if _advise is not None and len(buffer) >= WORTH_ADVICE:
        address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        into_page = address % mmap.PAGESIZE
        _advise(ctypes.c_void_p(address - into_page), ctypes.c_size_t(into_page + len(buffer)), POPULATE_WRITE)
