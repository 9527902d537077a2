"""The plan of a read: which range to request next, of which version, and when to give up. It does no I/O."""

from __future__ import annotations

from typing import Any

from remote_store.core.models import ContentDigest
from remote_store.core.retry import RetryPolicy
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.responses import Facts, strong

PROGRESS = 64 * 1024
"""After this many bytes, the count of failures is reset, so that failures in a long read do not add up."""

BLOCK = 1024 * 1024
"""Bytes to read from a body at once. If the connection breaks, the bytes of the current block are lost."""


class ReadPlan:
    """The state of reading a range of one version of an object.

    The first response has the version and the size. Every later request is pinned to that version by `If-Match` and
    begins at the first byte that has not arrived.

    Args:
        call: The `GetObject` of the whole object.
        retry: How many failures in a row to retry.
        start: Offset of the first byte.
        end: Offset after the last byte; `None` for the end of the object.
        etag: Entity tag of the version to read, as the server writes it; `None` if not known yet.
        total: Size of that version; `None` if not known yet.

    Attributes:
        position: Offset of the first byte that has not arrived.
        total: Size of the object; `None` if not known yet.
        block: Bytes to read from a body at once; fewer after a connection broke, so that the next break loses less.
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
        """Bytes that have not arrived, or 0 after `stop`. Known after the first response."""
        if self.end is None:
            raise ValueError("the end is not known before the first response")
        return 0 if self._stopped else max(0, self.end - self.position)

    @property
    def pin(self) -> str | None:
        """The entity tag of the version that is read, for a condition. Known after the first response.

        `None` for a weak entity tag, which `If-Match` never matches (RFC 9110, 13.1.1).
        """
        return strong(self._etag)

    def stop(self) -> None:
        """Stop the read after the current block, even if it runs in another thread."""
        self._stopped = True

    def part(self, size: int) -> ReadPlan:
        """A plan for only the next `size` bytes, of the same version."""
        return self.between(self.position, self.position + size)

    def between(self, start: int, end: int) -> ReadPlan:
        """A plan for these bytes of the same version."""
        return ReadPlan(self._call, self._retry, start=start, end=end, etag=self._etag, total=self.total)

    def request(self) -> Call:
        """The request for all bytes that have not arrived."""
        conditions: dict[str, Any] = {}
        params = self._call.params
        if self.position or self.end is not None:
            conditions["Range"] = f"bytes={self.position}-{'' if self.end is None else self.end - 1}"
            # The checksum of a range that happens to be a part would be that of the part.
            params = {name: value for name, value in params.items() if name != "ChecksumMode"}
        if self.pin is not None:
            conditions["IfMatch"] = self.pin
        return Call("GetObject", {**params, **conditions}) if conditions else self._call

    def opened(self, response: Facts) -> None:
        """Record the version and the size from a response, and check that it is the requested range.

        Raises:
            Fault: The version or the size differs (`PreconditionFailed`), the range differs (`InvalidRange`), or the
                length is unknown (`MissingContentLength`).
        """
        if self._etag is not None and response.etag is not None and bare(response.etag) != bare(self._etag):
            raise Fault("PreconditionFailed", 412, "the server sent a version other than the requested one")
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
                raise Fault("InvalidRange", 206, "the server sent a range other than the requested one")
            total = response.size
        if self.total is not None and total is not None and total != self.total:
            raise Fault("PreconditionFailed", 412, f"the object has {total} bytes now; it had {self.total} before")
        if total is not None:
            self.total = total
        elif self.end is None:
            raise Fault("MissingContentLength", 206, "the Content-Range does not have the size of the object")
        ends = [end for end in (self.end, self.total) if end is not None]
        self.end = min(ends)

    def measured(self, size: int, etag: str | None) -> None:
        """Record the size and the version of the object, when no body is open."""
        self.end = self.total = size
        self._etag = etag

    def refused(self, fault: Fault) -> Fault:
        """The fault to raise if a request after the first one was refused.

        The range lies inside the size that is known by then, so a 416 means that the object was replaced.
        """
        if fault.status != 416:
            return fault
        changed = Fault("PreconditionFailed", 416, "the object is shorter now", fault.request_id)
        changed.__cause__ = fault.__cause__
        return changed

    def advanced(self, count: int) -> None:
        """Record that `count` bytes arrived."""
        self.position += count
        if self._failures and self.position - self._mark >= PROGRESS:
            self._failures = 0

    def check_end(self) -> None:
        """Check, when the body has ended, that all its bytes arrived.

        Raises:
            Fault: Bytes are missing.
        """
        if self.remaining:
            raise Fault("IncompleteBody", None, f"the body ended {self.remaining} bytes early", transport=True)

    def broken(self, fault: Fault) -> float:
        """Seconds to wait before the next request, after the body broke.

        Raises:
            Fault: The given one, if it is not a connection failure, there were too many in a row, the plan was stopped,
                or there is no version to pin the rest to.
        """
        if self._stopped or not fault.transport or (self.pin is None and self.position > self._start):
            raise fault
        self._failures += 1
        self._mark = self.position
        self.block = PROGRESS
        if self._failures >= self._retry.max_attempts:
            raise fault
        return self._retry.delay(self._failures)


def damaged(digest: ContentDigest) -> Fault:
    """The fault of a read whose bytes do not match their checksum."""
    return Fault("ChecksumMismatch", None, f"the {digest.algorithm} of the bytes is not the stored one")
