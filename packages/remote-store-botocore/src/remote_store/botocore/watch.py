"""Ends requests that take too long, by shutting down their connections.

botocore's timeouts limit each wait for bytes, so a server that sends a byte a second is never too slow for them, and no
public name of botocore leads to the socket. The stack of the waiting thread does: the innermost method of a socket, a
connection or a response there belongs to the request. The stack is looked at only once a request has taken too long.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from time import monotonic
from types import FrameType
from typing import Any

from botocore.config import Config

from remote_store.botocore.settings import DOCUMENT_WAITS
from remote_store.core.s3 import KIB, Fault

PIECE = 256 * KIB
"""The server must take this many bytes of a body within `read_timeout`."""

ANY_TIME = 1e9
"""Seconds, for a client without a timeout."""

TICKS = 20
"""A request that takes too long is ended late by at most this fraction of its limit."""

SHORTEST_TICK = 0.05
LONGEST_TICK = 1.0
IDLE_TICKS = 10
"""The watching thread ends after this many ticks without a request."""


class Limit:
    """The time limit of what the calling thread does next.

    Args:
        seconds: The limit.

    Attributes:
        seconds: The limit.
        thread: The thread.
        attempts: How many attempts have begun, if each begins the limit again.
        expired: Whether the connection was shut down since the last start.
        lock: Held while the connection is shut down.
    """

    __slots__ = ("_until", "attempts", "expired", "lock", "seconds", "thread")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.thread = threading.get_ident()
        self.lock = threading.Lock()
        self._until = monotonic() + seconds
        self.attempts = 0
        self.expired = False

    def restart(self) -> None:
        """Begin again, for the next attempt."""
        # A shutdown in progress belongs to the last attempt.
        with self.lock:
            self._until = monotonic() + self.seconds
            self.attempts += 1
            self.expired = False

    def is_over(self, now: float) -> bool:
        """Whether the limit has passed and the connection is still open."""
        return now > self._until and not self.expired

    def fault(self) -> Fault:
        """The fault of a request that was ended by its limit."""
        message = f"the bytes did not arrive within {self.seconds:g} s"
        return Fault("TooSlow", message=message, transport=True, attempts=max(1, self.attempts))


class Watch:
    """Watches the requests of one client, and shuts down the connection of each that takes too long.

    A thread does this while there are requests. If it cannot be started, for example in an `atexit` handler, requests
    have no limit besides those of the SDK.

    Args:
        config: The configuration of the client, with its timeouts.
        attempts: How many attempts have one limit together. With 1, `restart` is called at each attempt.
    """

    def __init__(self, config: Config, *, attempts: int) -> None:
        self._read_wait: float = config.read_timeout or ANY_TIME
        self._body_wait = DOCUMENT_WAITS * self._read_wait
        self._request_wait = (config.connect_timeout or ANY_TIME) + self._read_wait + self._body_wait
        self._attempts = attempts
        self._limits: dict[int, Limit] = {}
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._closed = False
        self._tick = LONGEST_TICK
        self._runs = False

    def request(self, size: int) -> AbstractContextManager[None]:
        """Limit the request that the calling thread sends in the block.

        Args:
            size: Bytes of its body.

        Raises:
            Fault: The request took too long.
        """
        return self._over(Limit(self._attempts * (self._request_wait + size // PIECE * self._read_wait)))

    def reading(self) -> AbstractContextManager[None]:
        """Limit the read of a block of a body that the calling thread does in the block.

        Raises:
            Fault: The bytes took too long.
        """
        return self._over(Limit(self._body_wait))

    @contextmanager
    def _over(self, limit: Limit) -> Iterator[None]:
        # A handler that the user registered may use the same backend.
        outer = self._limits.get(limit.thread)
        self._limits[limit.thread] = limit
        if not self._runs or limit.seconds < self._tick * TICKS:
            self._start(limit.seconds)
        try:
            try:
                yield
            finally:
                # A shutdown in progress must not hit the next request on the same connection.
                with limit.lock:
                    if outer is None:
                        del self._limits[limit.thread]
                    else:
                        self._limits[limit.thread] = outer
        except Exception as error:
            if limit.expired:
                raise limit.fault() from error
            raise
        # http.client takes a connection that ends in the headers for the end of the headers.
        if limit.expired:
            raise limit.fault()

    def restart(self, **_event: Any) -> None:
        """Handle botocore's `before-send`: the limit of the calling thread begins again at each attempt."""
        limit = self._limits.get(threading.get_ident())
        if limit is not None:
            limit.restart()

    def close(self) -> None:
        """End the thread as soon as there are no requests."""
        self._closed = True
        self._woken.set()

    def _start(self, seconds: float) -> None:
        with self._starting:
            self._tick = min(self._tick, max(SHORTEST_TICK, seconds / TICKS))
            if not self._runs:
                with suppress(RuntimeError):
                    threading.Thread(target=self._run, name="remote-store-watch", daemon=True).start()
                    self._runs = True

    def _run(self) -> None:
        idle = 0
        while idle < IDLE_TICKS:
            self._woken.wait(self._tick)
            self._woken.clear()
            now = monotonic()
            limits = list(self._limits.values())
            idle = 0 if limits else IDLE_TICKS if self._closed else idle + 1
            for limit in limits:
                if limit.is_over(now):
                    with limit.lock:
                        if self._limits.get(limit.thread) is limit and limit.is_over(now):
                            limit.expired = shut_down(limit.thread)
        with self._starting:
            self._runs = False
            left = min((limit.seconds for limit in list(self._limits.values())), default=None)
        if left is not None:
            self._start(left)


def shut_down(thread: int) -> bool:
    """Shut down the connection for which a thread waits below our own code. Returns whether there is one."""
    frame: FrameType | None = sys._current_frames().get(thread)  # noqa: SLF001 - documented
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("remote_store."):
        owner = frame.f_locals.get("self")
        number = descriptor(owner)
        if number is not None:
            with suppress(OSError), socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as same:
                # The thread may have closed its socket meanwhile, and another one may have got the number.
                if descriptor(owner) == number:
                    same.shutdown(socket.SHUT_RDWR)
                    return True
        frame = frame.f_back
    return False


def descriptor(owner: object) -> int | None:
    """The descriptor of the socket of a connection, a response or a socket; `None` for others and if it is closed."""
    if isinstance(owner, HTTPConnection):
        owner = owner.sock
    if not isinstance(owner, socket.socket | socket.SocketIO | HTTPResponse):
        return None
    try:
        number = owner.fileno()
    except (OSError, ValueError):
        return None
    return number if number >= 0 else None
