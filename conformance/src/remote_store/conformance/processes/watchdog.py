"""Limits the time of a call, even if it hangs in a lock or in native code."""

from __future__ import annotations

import contextvars
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from remote_store.conformance.processes.origin import may_be_the_authors

T = TypeVar("T")
# `os._exit` is patched while a backend is tested.
exit_now = os._exit


class Hung(Exception):
    """A call exceeded its time limit. Its thread keeps running."""


def bounded(call: Callable[[], T], seconds: float, name: str = "conformance-check") -> T:
    """Run a call in a new thread, and give up on it after this many seconds.

    A thread that hangs in a lock, a socket or an extension cannot be stopped. It is a daemon thread, so the
    interpreter does not wait for it.

    Raises:
        Hung: The call exceeded the time limit.
    """
    __tracebackhide__ = True
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        __tracebackhide__ = True
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            errors.append(error)

    arguments: tuple[Any, ...] = (run,)
    thread = threading.Thread(target=contextvars.copy_context().run, args=arguments, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Hung(f"it did not return within {seconds:g} seconds{_where(thread)}")
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()
    return results[0]


@contextmanager
def ended_if_hung(what: str, seconds: float, code: int) -> Iterator[None]:
    """End the process with this code if the block exceeds the time limit, and write a line that says where it hangs.

    For what has to run in the main thread, such as the import of a module, and so cannot be given up.

    Args:
        what: The beginning of the line, such as `package.module cannot be imported`.
        seconds: The time limit.
        code: The exit code.
    """
    main = threading.current_thread()

    def end() -> None:
        _end_with(f"{what}: it did not end within {seconds:g} seconds{_where(main)}", code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_with(message: str, code: int) -> None:
    with suppress(OSError):
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{message}\n".encode())
    exit_now(code)


def _where(thread: threading.Thread) -> str:
    """The innermost function of the author or of a package in which a thread is; empty if there is none."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - documented
    while frame is not None:
        if may_be_the_authors(file := frame.f_code.co_filename):
            return f"; it is in {frame.f_code.co_name} ({file}, line {frame.f_lineno})"
        frame = frame.f_back
    return ""


GRACE_SECONDS, POLL_SECONDS = 10.0, 0.2
_codes: list[int] = []


def end_in_spite_of_threads(code: int) -> None:
    """End the process with this code soon after its main thread returns, and write a line that says what waits.

    Without this the interpreter waits forever for a hanging thread of a pool or a hanging exit handler. Call it in the
    main thread.
    """
    _codes.append(code)
    if len(_codes) == 1:
        arguments = (_outermost(inspect.currentframe()),)
        threading.Thread(target=_end, args=arguments, name="conformance-end", daemon=True).start()


def _end(outermost: FrameType) -> None:
    while _is_running(outermost):
        time.sleep(POLL_SECONDS)
    time.sleep(GRACE_SECONDS)
    _end_with(f"the process is ended, as {GRACE_SECONDS:g} seconds after its work {_waiting()} still ran", _codes[-1])


def _waiting() -> str:
    """What keeps the interpreter from ending: threads, for which it waits first, or an exit handler."""
    threads = [
        thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]
    named = [f"thread {thread.name}{_where(thread)}" for thread in threads]
    return ", ".join(named) or f"an exit handler (atexit){_where(threading.main_thread())}"


def _outermost(frame: FrameType | None) -> FrameType:
    """The outermost frame of the thread."""
    assert frame is not None
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def _is_running(frame: FrameType) -> bool:
    """Whether a frame is still running."""
    try:
        frame.clear()
    except RuntimeError:
        return True
    return False


def main_thread_hint(error: BaseException) -> str:
    """A hint if a backend does what only the main thread may do, such as to replace a signal handler."""
    if isinstance(error, ValueError) and "main thread" in str(error):
        return "; a backend runs in any thread, and the handlers of signals belong to the program, not to a backend"
    return ""
