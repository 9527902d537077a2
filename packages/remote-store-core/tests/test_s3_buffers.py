"""The memory of a read: as long as asked for, handed out without a copy, there before it is written to."""

from __future__ import annotations

import platform
import re
import sys

import pytest

from remote_store.core.s3.buffers import WORTH_ADVICE, allocate, populate

MIB = 1024 * 1024
KERNEL = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])


@pytest.mark.parametrize("size", [0, 1, 1000, MIB, 3 * MIB + 1])
def test_a_buffer_is_as_long_as_asked_for_and_handed_out_as_bytes(size: int) -> None:
    whole, buffer = allocate(size)
    assert len(buffer) == size
    populate(buffer)
    buffer[:] = b"x" * size
    buffer.release()
    assert whole.getvalue() == b"x" * size


def test_what_was_written_already_stays() -> None:
    whole, buffer = allocate(2 * WORTH_ADVICE)
    buffer[WORTH_ADVICE - 1 : WORTH_ADVICE + 1] = b"ab"
    populate(buffer[1:])
    populate(buffer[WORTH_ADVICE:])
    buffer.release()
    assert whole.getvalue() == bytes(WORTH_ADVICE - 1) + b"ab" + bytes(WORTH_ADVICE - 1)


@pytest.mark.skipif(sys.platform != "linux" or KERNEL < (5, 14), reason="the system does not know the advice")
def test_memory_that_was_populated_is_written_without_faults() -> None:
    size = 64 * MIB
    assert faults_of_writing(size, populated=False) >= 10 * faults_of_writing(size, populated=True)


def faults_of_writing(size: int, *, populated: bool) -> int:
    """How many pages the kernel has to bring while a fresh buffer is written."""
    import resource

    whole, buffer = allocate(size)
    if populated:
        populate(buffer)
    data = bytes(MIB)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for start in range(0, size, MIB):
        buffer[start : start + MIB] = data
    after = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    buffer.release()
    assert len(whole.getvalue()) == size
    return after - before
