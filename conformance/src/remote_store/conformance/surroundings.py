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
from collections.abc import Iterator, Mapping
from pathlib import Path

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
        "the root logger": (logging.root.level, tuple(logging.root.handlers), logging.root.disabled),
        "the standard streams": (sys.stdin, sys.stdout, sys.stderr),
    }


def _umask() -> int:
    with contextlib.suppress(OSError, ValueError):
        text = Path("/proc/self/status").read_text("utf-8")
        return int(text.partition("Umask:")[2].split(maxsplit=1)[0], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def overheard() -> Iterator[io.StringIO]:
    """What is printed in the block, to either stream."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        yield told
