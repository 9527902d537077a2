"""What the tests of uploads share: a stream that breaks, a server that fails, and a list of the progress."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core.s3 import Call

MIB = 1024 * 1024
PART = 5 * MIB
HEAD, GET, PUT = "HeadObject", "GetObject", "PutObject"
CREATE, SEND, COMPLETE, ABORT = "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"
THREE_PARTS = b"1" * PART + b"2" * PART + b"3"


class Stream(io.RawIOBase):
    """A stream of unknown length that gives as little as it likes, and breaks where it is told to."""

    def __init__(self, data: bytes, *, most: int = PART, breaks_at: int | None = None, error: Any = None) -> None:
        self._data = data
        self._most = most
        self._breaks_at = breaks_at
        self._error = error
        self.at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._breaks_at is not None and self.at >= self._breaks_at:
            raise self._error
        data = self._data[self.at : self.at + min(size, self._most)]
        self.at += len(data)
        return data


class Report(NamedTuple):
    """What a progress function was called with."""

    done: int
    total: int | None
    delta: int


class Reports(list[Report]):
    """A progress function that keeps what it was called with."""

    def __call__(self, done: int, total: int | None, delta: int, /) -> None:
        self.append(Report(done, total, delta))


def fail(s3: FakeS3, operation: str, fault: BaseException, *, number: int | None = None, times: int = 99) -> None:
    """Let a call fail before it takes effect."""
    left = [times]

    def before(call: Call) -> None:
        if call.operation == operation and number in (None, call.params.get("PartNumber")) and left[0]:
            left[0] -= 1
            raise fault

    s3.before = before


def left_nothing(s3: FakeS3, old: bytes | None) -> None:
    assert not s3.uploads
    assert (s3.objects["a"].data if "a" in s3.objects else None) == old
    names = s3.operations()
    if CREATE in names and ABORT in names:
        assert SEND not in names[names.index(ABORT) :]
