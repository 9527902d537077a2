"""Process-wide settings, which a backend must not change."""

from __future__ import annotations

import contextlib
import gc
import io
import locale
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from remote_store.conformance.processes.settings import GROWING, settings

try:
    import resource
except ImportError:  # Windows
    LIMITS = {}
else:
    LIMITS = {"files": resource.RLIMIT_NOFILE, "bytes of a file": resource.RLIMIT_FSIZE, "stack": resource.RLIMIT_STACK}

# Nepal's time, in the POSIX form, which needs no time zone database.
ZONE = "NPT-5:45"
ZONES = {
    "nepal": ZONE,
    "far_west": "WST11",
    "far_east": "EST-14",
    "daylight_saving_all_year": "NYT5NYDT,0/0,J365/25",
}
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGALRM", "SIGCHLD", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]


def surroundings() -> Mapping[str, object]:
    """Process-wide settings, and those of this thread, by name."""
    return {
        **shared_settings(),
        "the umask": oct(_umask()),
        "the exception hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "the module search path": tuple(sys.path),
        "the root logger": (logging.root.level, tuple(logging.root.handlers), logging.root.disabled),
        "the level of logging": logging.root.manager.disable,
        "the resource limits": {name: resource.getrlimit(number) for name, number in LIMITS.items()},
        "the folder for temporary files": tempfile.gettempdir(),
        "the standard streams": (sys.stdin, sys.stdout, sys.stderr),
        **settings(),
    }


def shared_settings() -> Mapping[str, object]:
    """Settings that all threads share, that are cheap to read, and that the suite does not change between checks."""
    return {
        "the umask": oct(mask) if (mask := _umask_of_system()) is not None else "",
        "the default socket timeout": socket.getdefaulttimeout(),
        "the current folder": os.getcwd(),  # noqa: PTH109 - it is compared as text
        "the environment": dict(os.environ),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the time zone": (time.tzname, time.timezone),
        "the signal handlers": {signal.Signals(number).name: signal.getsignal(number) for number in SIGNALS},
        "the recursion limit": sys.getrecursionlimit(),
        "the garbage collector": (gc.isenabled(), gc.get_threshold(), gc.get_debug(), _callbacks()),
        "the switch interval": sys.getswitchinterval(),
    }


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    """What differs between two results of `surroundings`: its name, what it was, and what it is."""
    for what, was in before.items():
        now = after.get(what)
        if was == now:
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            keys = [key for key in (was if what in GROWING else was | now) if was.get(key) != now.get(key)]
            if keys:
                yield what, {key: was.get(key) for key in keys}, {key: now.get(key) for key in keys}
        else:
            yield what, was, now


def open_files() -> int:
    """Number of open files and sockets of the process; 0 if unknown."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - it must not open more than it counts
    return 0


def _callbacks() -> list[object]:
    """What the garbage collector calls, without the callback that Hypothesis adds when the suite draws a history."""
    return [each for each in gc.callbacks if not str(getattr(each, "__module__", "")).startswith("hypothesis")]


def _umask() -> int:
    known = _umask_of_system()
    if known is not None:
        return known
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _umask_of_system() -> int | None:
    """The umask without changing it for a moment, which other threads would see; `None` if the system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        text = Path("/proc/self/status").read_text("utf-8")
        return int(text.partition("Umask:")[2].split(maxsplit=1)[0], 8)
    return None


@contextlib.contextmanager
def another_zone(zone: str = ZONE) -> Iterator[None]:
    """Switch the process to another time zone until the block ends, if the platform supports it.

    Args:
        zone: The zone, as the environment variable `TZ` has it.
    """
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    _use_zone()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        _use_zone()


def _use_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()


@contextlib.contextmanager
def overheard() -> Iterator[io.StringIO]:
    """Capture what the block prints to standard output and standard error."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


@contextlib.contextmanager
def no_root_handlers() -> Iterator[None]:
    """Take the handlers from the root logger until the block ends, as in a program that has not configured logging."""
    root, handlers, last_resort = logging.root, list(logging.root.handlers), logging.lastResort
    root.handlers[:] = []
    # Otherwise a warning of any logger would be printed.
    logging.lastResort = logging.NullHandler()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        logging.lastResort = last_resort
