"""Reports how far an upload or a download is."""

from __future__ import annotations

import inspect
from typing import Protocol

from remote_store.core.callbacks import check_callback
from remote_store.core.home import public


@public("remote_store.core")
class Progress(Protocol):
    """A function that is called as `progress(done, total, delta)` while bytes are transferred.

    The first call has the bytes that are there already: 0, unless a download is resumed. Each later one has more than
    the one before it, up to the last byte. It is called in the thread of the transfer, in async code in that of the
    event loop.
    """

    def __call__(self, done: int, total: int | None, delta: int, /) -> object:
        """Show how far the transfer is.

        Args:
            done: Bytes so far, with those of earlier calls if the transfer is resumed.
            total: Bytes in all; `None` if the length is not known.
            delta: Bytes since the call before; 0 in the first call.

        Returns:
            Anything; it is ignored. It must not be a coroutine.

        Raises:
            BaseException: Passes unchanged and cancels the transfer: nothing is written, and nothing is left, except
                what `resume=True` keeps for the next call.
        """
        ...


class Meter:
    """Counts the bytes of a transfer, and reports them.

    Args:
        callback: Called once at the start, and after each step.
        total: Bytes in all; `None` if it is not known.
        done: Bytes that are there already.
    """

    def __init__(self, callback: Progress | None, total: int | None, done: int = 0) -> None:
        self._callback = callback
        self._total = total
        self.done = done
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
        result = self._callback(self.done, self._total, delta)
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("progress must be a plain function, not a coroutine function")


def check_progress(callback: object) -> None:
    """Check that a callback can be called as `progress(done, total, delta)`.

    Raises:
        TypeError: It cannot be called, takes other arguments, or is a coroutine function.
    """
    check_callback("progress", callback, "done", "total", "delta")
