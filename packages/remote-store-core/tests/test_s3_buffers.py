"""The memory of a read: as long as asked for, handed out without a copy, there before it is written to."""

from __future__ import annotations

import platform
import re
import sys

import pytest

from remote_store.conformance.fake_s3 import FakeS3
from remote_store.core import RetryPolicy
from remote_store.core.s3 import Call
from remote_store.core.s3.buffers import WORTH_ADVICE, allocate, populate
from remote_store.core.s3.reading import ReadPlan
from remote_store.core.s3.runner import read_body

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


class CountingBody:
    """Counts how many pages the kernel has to bring while the bytes of an answer are written."""

    def __init__(self) -> None:
        self.faults = 0

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("a large body is read into a buffer")

    def readinto(self, buffer: memoryview, /) -> int:
        data = bytes(len(buffer))
        before = faults()
        buffer[:] = data
        self.faults += faults() - before
        return len(buffer)

    def close(self) -> None:
        """There is no connection to give back."""


@pytest.mark.skipif(sys.platform != "linux" or KERNEL < (5, 14), reason="the system does not know the advice")
def test_a_large_read_writes_to_memory_that_is_there() -> None:
    size = 64 * MIB
    plan = ReadPlan(Call("GetObject", {}), RetryPolicy(), end=size)
    port, body = FakeS3(), CountingBody()
    assert len(read_body(port, plan, body)) == size
    assert 10 * body.faults <= faults_of_writing(size)


def faults_of_writing(size: int) -> int:
    """The same for a fresh buffer that nobody asked the kernel about."""
    _whole, buffer = allocate(size)
    body = CountingBody()
    for start in range(0, size, MIB):
        body.readinto(buffer[start : start + MIB])
    return body.faults


def faults() -> int:
    """How many pages the kernel has brought for this thread."""
    # Windows has no such module.
    import resource

    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
