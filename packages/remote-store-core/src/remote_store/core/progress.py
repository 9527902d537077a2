"""Reports how far an upload or a download is."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Protocol

from remote_store.core.callbacks import check_callback
from remote_store.core.home import public


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is.

    The first report has 0 bytes, and each later one has more than the one before it, up to the last byte.

    Attributes:
        done: Bytes so far.
        total: Bytes in all; `None` if it is not known.
        delta: Bytes since the report before; 0 in the first one.
    """

    done: int
    total: int | None
    delta: int


@public("remote_store.core")
class ProgressCallback(Protocol):
    """A function that is called with each `Progress`, in the thread (in async code the event loop) of the transfer.

    An exception that it raises passes unchanged and cancels the transfer: nothing is written, and nothing is left.
    """

    def __call__(self, progress: Progress, /) -> object:
        """Show the progress. The result is ignored; it must not be a coroutine."""
        ...


class Meter:
    """Counts the bytes of a transfer, and reports them.

    Args:
        callback: Called once at the start, and after each step.
        total: Bytes in all; `None` if it is not known.
    """

    def __init__(self, callback: ProgressCallback | None, total: int | None) -> None:
        self._callback = callback
        self._total = total
        self.done = 0
        self._report(0)

    def add(self, count: int) -> None:
        """Report more bytes.

        Args:
            count: Number of bytes; none are not reported.
        """
        self.done += count
        if self._total is not None and self.done > self._total:
            # The file has grown since it was measured.
            self._total = None
        if count:
            self._report(count)

    def _report(self, delta: int) -> None:
        if self._callback is None:
            return
        result = self._callback(Progress(self.done, self._total, delta))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("progress must be a plain function, not a coroutine function")


def check_progress(callback: object) -> None:
    """Check that a callback can be called with a `Progress`.

    Raises:
        TypeError: It cannot be called, takes other arguments, or is a coroutine function.
    """
    check_callback("progress", callback, "Progress(done, total, delta)")
