"""The plan of a read: which range comes next, of which version, and when to give up. It does no I/O."""

from __future__ import annotations

from typing import Any

from remote_store.core.retry import RetryPolicy
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.responses import Facts, strong

PROGRESS = 64 * 1024
"""Bytes after which earlier failures are forgotten, so that many cuts in a long read do not add up."""

BLOCK = 1024 * 1024
"""Bytes to ask a body for at once; a connection that breaks loses the block that is under way."""


class ReadPlan:
    """One pass over a range of one version of an object.

    The first response tells the version and the size; every later request is pinned to that version and begins at the
    first byte that has not arrived.

    Args:
        call: The `GetObject` of the whole object.
        retry: How many failures in a row are borne.
        start: Offset of the first byte.
        end: Offset behind the last byte; `None` for the end of the object.
        etag: The version to read, where it is known already, as the server writes it.
        total: Size of that version, where it is known already.

    Attributes:
        position: Offset of the first byte that has not arrived.
        total: Size of the object; `None` before it is known.
        block: Bytes to ask a body for at once: few after a connection broke, so that the next break loses little.
    """

    __slots__ = (
        "_call",
        "_etag",
        "_failures",
        "_mark",
        "_retry",
        "_start",
        "_stopped",
        "block",
        "end",
        "position",
        "total",
    )

    def __init__(
        self,
        call: Call,
        retry: RetryPolicy,
        *,
        start: int = 0,
        end: int | None = None,
        etag: str | None = None,
        total: int | None = None,
    ) -> None:
        self._call = call
        self._retry = retry
        self._etag = etag
        self._failures = 0
        self._mark = start
        self._start = start
        self._stopped = False
        self.position = start
        self.end = end
        self.block = BLOCK
        self.total = total

    @property
    def remaining(self) -> int:
        """Bytes that have not arrived and are still wanted; known after the first response."""
        if self.end is None:
            raise ValueError("the end is known after the first response")
        return 0 if self._stopped else max(0, self.end - self.position)

    @property
    def pin(self) -> str | None:
        """The version that is read, for a condition; known after the first response.

        `None` where no condition can hold it: a weak entity tag never compares equal in `If-Match` (RFC 9110, 13.1.1).
        """
        return strong(self._etag)

    def stop(self) -> None:
        """Want nothing more: whoever reads it, in another thread maybe, ends after the block that is under way."""
        self._stopped = True

    def part(self, size: int) -> ReadPlan:
        """A plan for the next `size` bytes alone, of the same version."""
        end = self.position + size
        return ReadPlan(self._call, self._retry, start=self.position, end=end, etag=self._etag, total=self.total)

    def request(self) -> Call:
        """The request for all that has not arrived."""
        conditions: dict[str, Any] = {}
        if self.position or self.end is not None:
            conditions["Range"] = f"bytes={self.position}-{'' if self.end is None else self.end - 1}"
        if self.pin is not None:
            conditions["IfMatch"] = self.pin
        return Call("GetObject", {**self._call.params, **conditions}) if conditions else self._call

    def opened(self, response: Facts) -> None:
        """Take note of a response: the version, the size, and that it is the range that was asked for.

        Raises:
            Fault: It is another version or has another size (`PreconditionFailed`), is another range
                (`InvalidRange`), or of unknown length.
        """
        if self._etag is not None and response.etag is not None and bare(response.etag) != bare(self._etag):
            raise Fault("PreconditionFailed", 412, "the server answered with another version than the one asked for")
        self._etag = response.etag if self._etag is None else self._etag
        if response.length is None:
            raise Fault("MissingContentLength", 200, "the response to GetObject has no Content-Length")
        total: int | None
        if not response.partial:
            total = response.length
            if self.position or (self.end is not None and self.end < total):
                raise Fault("InvalidRange", 200, "the server ignored the range")
        else:
            last = response.first + response.length
            wrong_end = self.end is not None and (last > self.end or (response.size is None and last < self.end))
            if response.first != self.position or wrong_end:
                raise Fault("InvalidRange", 206, "the server answered with another range than the one asked for")
            total = response.size
        if self.total is not None and total is not None and total != self.total:
            raise Fault("PreconditionFailed", 412, f"the object has {total} bytes now, and had {self.total} before")
        if total is not None:
            self.total = total
        elif self.end is None:
            raise Fault("MissingContentLength", 206, "the server answered with a range and does not say of how much")
        ends = [end for end in (self.end, self.total) if end is not None]
        self.end = min(ends)

    def refused(self, fault: Fault) -> Fault:
        """What it means that a request for bytes of the object that is being read was refused.

        Its end is known by then, so a range behind the end (416) says that the object is another one now.
        """
        if fault.status != 416:
            return fault
        changed = Fault("PreconditionFailed", 416, "the object is shorter now", fault.request_id)
        changed.__cause__ = fault.__cause__
        return changed

    def advanced(self, count: int) -> None:
        """Take note of bytes that arrived."""
        self.position += count
        if self._failures and self.position - self._mark >= PROGRESS:
            self._failures = 0

    def check_end(self) -> None:
        """Take note that the body ended.

        Raises:
            Fault: It ended before its last byte.
        """
        if self.remaining:
            raise Fault("IncompleteBody", None, f"the body ended {self.remaining} bytes early", transport=True)

    def broken(self, fault: Fault) -> float:
        """Seconds to wait before the next request, after a body that broke.

        Raises:
            Fault: The one given, where it is no matter of the connection, there were too many in a row, nothing more is
                wanted, or no version is known that the rest could be pinned to.
        """
        if self._stopped or not fault.transport or (self.pin is None and self.position > self._start):
            raise fault
        self._failures += 1
        self._mark = self.position
        self.block = PROGRESS
        if self._failures >= self._retry.max_attempts:
            raise fault
        return self._retry.delay(self._failures)
