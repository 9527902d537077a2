"""The memory that a read goes to."""

from __future__ import annotations

import ctypes
import io
import mmap
import sys

from remote_store.core.s3.options import MIB

FRESH = 32 * MIB
"""From this size on malloc takes memory that nobody had before (mallopt(3), M_MMAP_THRESHOLD)."""


def allocate(size: int) -> tuple[io.BytesIO, memoryview]:
    """A buffer to read into, and the file whose `getvalue` hands it out as `bytes` without a copy."""
    # Memory that is zero already is not written twice, and bytes that nobody else holds are not copied.
    whole = io.BytesIO(bytes(size))
    buffer = whole.getbuffer()
    if size >= FRESH and sys.platform == "linux":
        advise_huge_pages(buffer)
    return whole, buffer


def advise_huge_pages(buffer: memoryview) -> None:
    """Ask Linux for pages of 2 MiB: to get memory in pages of 4 KiB takes half of the time of a large read.

    Memory stays as it is where the system has no such pages or does not want any (madvise(2), MADV_HUGEPAGE).
    """
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    into_page = address % mmap.PAGESIZE
    start, length = ctypes.c_void_p(address - into_page), ctypes.c_size_t(into_page + len(buffer))
    ctypes.CDLL(None).madvise(start, length, mmap.MADV_HUGEPAGE)
