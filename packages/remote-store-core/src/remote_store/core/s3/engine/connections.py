"""Holds the port and the threads of each process, made when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from remote_store.core.errors import BackendUnavailable
from remote_store.core.events import Events
from remote_store.core.io.workers import CLOSED, PerProcess, Workers
from remote_store.core.s3.engine.tasks import Tasks
from remote_store.core.s3.protocol.calls import S3Port

T = TypeVar("T")
Connect: TypeAlias = Callable[[], S3Port]

OPERATIONS_AT_ONCE = 4
"""The pool has threads for this many operations with `max_concurrency` calls each. More operations share them."""


class Connection:
    """The port of one process and its threads, both made when first needed.

    Args:
        connect: Makes the port.
        threads: Number of threads for concurrent calls.
    """

    def __init__(self, connect: Connect, threads: int) -> None:
        self._connect = connect
        self._threads = threads
        self._lock = threading.Lock()
        self._port: S3Port | None = None
        self._connected: threading.Event | None = None
        self._workers: Workers | None = None
        self._given_up: set[Future[Any]] = set()
        self._closed = False

    def port(self) -> S3Port:
        """The port. Concurrent calls from several threads return the same one.

        Raises:
            BackendUnavailable: It was closed.
        """
        while (port := self._port) is None:
            with self._lock:
                self._check_open()
                connected = self._connected
                # Another thread may have connected since the check above.
                if self._port is None and connected is None:
                    self._connected = threading.Event()
                    break
            if connected is not None:
                connected.wait()
        return self._connect_once() if port is None else port

    def _connect_once(self) -> S3Port:
        """Connect without holding the lock, because the SDK may look for credentials, which takes long or forks."""
        port: S3Port | None = None
        try:
            port = self._connect()
        finally:
            with self._lock:
                connected, self._connected = self._connected, None
                self._port = None if self._closed else port
            if connected is not None:
                connected.set()
        if self._closed:
            port.close()
            self._check_open()
        return port

    def workers(self) -> Workers:
        """The threads.

        Raises:
            BackendUnavailable: The connection was closed.
        """
        with self._lock:
            self._check_open()
            if self._workers is None:
                self._workers = Workers(self._threads, "remote-store-s3")
            return self._workers

    def keep(self, call: Future[Any]) -> None:
        """Keep the port open until a call that was given up has ended, because it may have to abort an upload."""
        with self._lock:
            self._given_up.add(call)
        call.add_done_callback(self._ended)

    def close(self) -> None:
        """Close the port and end the threads. Calls that hang are not waited for; the last of them closes the port."""
        with self._lock:
            self._closed = True
        if self._workers is not None:
            self._workers.close(wait=True)
        self._close_port()

    def _ended(self, call: Future[Any]) -> None:
        with self._lock:
            self._given_up.discard(call)
        # Nobody is left to tell about an error.
        with suppress(Exception):
            self._close_port()

    def _close_port(self) -> None:
        """Close the port if nothing needs it any more."""
        with self._lock:
            if not self._closed or self._given_up:
                return
            port, self._port = self._port, None
        if port is not None:
            port.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable(CLOSED)


class Connections:
    """The connection of this process; a forked child makes its own.

    Args:
        connect: Makes a port.
        window: Most calls that one operation has in flight.
        events: Where to report requests.

    Attributes:
        events: Where to report requests.
    """

    def __init__(self, connect: Connect, window: int, events: Events) -> None:
        self.events = events
        self._made = PerProcess(lambda: Connection(connect, window * OPERATIONS_AT_ONCE), Connection.close)

    def check_open(self) -> None:
        """Raise if the backend was closed.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        self._made.check_open()

    def port(self) -> S3Port:
        """The port of this process.

        Raises:
            BackendUnavailable: The backend is closed.
        """
        return self._made.get().port()

    def tasks(self) -> Tasks:
        """A new, empty group of calls."""
        return Tasks(lambda: self._made.get().workers())

    def keep(self, call: Future[Any]) -> None:
        """Keep the port open until a call that was given up has ended, unless the backend was closed before."""
        with suppress(BackendUnavailable):
            self._made.get().keep(call)

    def leave(self, cleanup: Callable[[], T], _cause: BaseException) -> T:
        """End an interrupted operation by running its cleanup to its end."""
        return cleanup()

    def close(self) -> None:
        """Close the port of this process. Later calls raise."""
        self._made.close()
