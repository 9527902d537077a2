"""The memory of a large read: as long as asked for, handed out without a copy, in large pages."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from remote_store.core.s3.buffers import FRESH, allocate

MAPPINGS = Path("/proc/self/smaps")
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")


@pytest.mark.parametrize("size", [0, 1, 1000, FRESH, FRESH + 1])
def test_a_buffer_is_as_long_as_asked_for_and_handed_out_as_bytes(size: int) -> None:
    whole, buffer = allocate(size)
    assert len(buffer) == size
    buffer[:] = b"x" * size
    buffer.release()
    assert whole.getvalue() == b"x" * size


@pytest.mark.skipif(not (MAPPINGS.exists() and HUGE_PAGES.exists()), reason="the system has no huge pages to ask for")
def test_only_a_large_buffer_asks_for_huge_pages() -> None:
    _whole, large = allocate(FRESH)
    _whole, small = allocate(FRESH // 2)
    assert asks_for_huge_pages(large)
    assert not asks_for_huge_pages(small)


def asks_for_huge_pages(buffer: memoryview) -> bool:
    """Whether the mapping that holds the buffer has been advised so, as proc_pid_smaps(5) tells."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer)) + len(buffer) // 2
    inside = False
    for line in MAPPINGS.read_text().splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            start, end = (int(bound, 16) for bound in name.split("-"))
            inside = start <= address < end
        elif inside and name == "VmFlags:":
            return "hg" in values
    raise AssertionError("no mapping holds the buffer")
