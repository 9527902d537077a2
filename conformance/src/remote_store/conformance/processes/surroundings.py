"""What belongs to a process as a whole, and so to nobody who is only used in it."""

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
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

# Nepal's, in a form that needs no data of zones.
ZONE = "NPT-5:45"
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGALRM", "SIGCHLD")
    if hasattr(signal, name)
]


def surroundings() -> Mapping[str, object]:
    """The state of the process as far as it is everybody's, by what it is called."""
    return {
        "the umask": _umask(),
        "the default timeout of sockets": socket.getdefaulttimeout(),
        "the current folder": os.getcwd(),  # noqa: PTH109 - it is compared as a text
        "the environment": dict(os.environ),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the time zone": (time.tzname, time.timezone),
        "the handlers of signals": {signal.Signals(number).name: signal.getsignal(number) for number in SIGNALS},
        "the hooks for exceptions": (sys.excepthook, threading.excepthook),
        "the limit of recursion": sys.getrecursionlimit(),
        "the collection of garbage": (gc.isenabled(), gc.get_threshold()),
        "the filters of warnings": tuple(warnings.filters),
        "where modules are looked for": tuple(sys.path),
        "the root logger": (logging.root.level, tuple(logging.root.handlers), logging.root.disabled),
        "the standard streams": (sys.stdin, sys.stdout, sys.stderr),
    }


def open_files() -> int:
    """How many files and sockets the process has open; 0 where nobody can tell."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - it must not open more than it counts
    return 0


def _umask() -> int:
    with contextlib.suppress(OSError, ValueError):
        text = Path("/proc/self/status").read_text("utf-8")
        return int(text.partition("Umask:")[2].split(maxsplit=1)[0], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def another_zone() -> Iterator[None]:
    """Let the process be in another time zone until the block ends, where the platform can."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = ZONE
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
    """What is printed in the block, to either stream."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        yield told
