"""An HTTP proxy in front of any server, which counts requests and injects faults."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from remote_store.conformance.http.exchange import Exchange
from remote_store.conformance.http.faults import Request, WireFault
from remote_store.core.home import public

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from types import TracebackType

__all__ = ["Endpoint", "Injection"]

_JOIN_SECONDS = 10.0


@public("remote_store.conformance")
@dataclass(slots=True)
class Injection:
    """A fault that waits for its requests.

    Attributes:
        fault: The fault.
        operation: The S3 API operation it applies to; None is any.
        times: How many requests get it; None is all.
        after: How many matching requests pass unchanged before.
        match: A further condition.
        hits: How many requests got it.
        passed: How many matching requests passed unchanged.
    """

    fault: WireFault
    operation: str | None = None
    times: int | None = 1
    after: int = 0
    match: Callable[[Request], bool] | None = None
    hits: int = field(default=0, init=False)
    passed: int = field(default=0, init=False)

    def take(self, request: Request) -> bool:
        """Tell whether the request gets the fault, and count it."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.operation not in (None, request.operation) or (self.match is not None and not self.match(request)):
            return False
        if self.passed < self.after:
            self.passed += 1
            return False
        self.hits += 1
        return True


@public("remote_store.conformance")
class Endpoint:
    """A proxy on loopback that forwards requests to one server while the block runs.

    It keeps connections alive on both sides, streams bodies both ways, and passes the Host header on, so that a
    signature that a client made for the endpoint's address stays valid. A request counts as soon as its head has
    arrived, before the server sees it.

    Args:
        upstream: The server, such as `"http://127.0.0.1:9000"`.

    Attributes:
        url: The address for clients.

    Raises:
        ValueError: `upstream` is not a plain http URL of host and port.
    """

    def __init__(self, upstream: str) -> None:
        parts = urllib.parse.urlsplit(upstream)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"upstream must be http://host:port, not {upstream!r}")
        self._upstream = (parts.hostname, parts.port or 80)
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._recordings: list[list[Request]] = []
        self._injections: list[Injection] = []
        self._exchanges: dict[Exchange, threading.Thread] = {}
        self._errors: list[Exception] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._address: tuple[str, int] = self._listener.getsockname()
        self._acceptor = threading.Thread(target=self._accept, name="endpoint", daemon=True)
        self.url = f"http://127.0.0.1:{self._address[1]}"

    @property
    def requests(self) -> list[Request]:
        """The requests since the start or the last `reset`."""
        with self._lock:
            return list(self._requests)

    @property
    def connections(self) -> frozenset[Hashable]:
        """The client connections that are open now. Those that an earlier set does not have were opened after it."""
        with self._lock:
            return frozenset(self._exchanges)

    @property
    def open_connections(self) -> int:
        """How many client connections are open now."""
        return len(self.connections)

    def operations(self) -> list[str]:
        """The operations of `requests`, in order of arrival."""
        return [request.operation for request in self.requests]

    def count(self, operation: str | None = None) -> int:
        """How many requests have arrived, in total or of one operation."""
        return sum(operation in (None, name) for name in self.operations())

    def reset(self) -> None:
        """Forget the requests and the faults."""
        with self._lock:
            self._requests.clear()
            self._injections.clear()

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Request]]:
        """Yield a list that collects the requests that arrive inside the block."""
        recording: list[Request] = []
        with self._lock:
            self._recordings.append(recording)
        try:
            yield recording
        finally:
            with self._lock:
                self._recordings = [other for other in self._recordings if other is not recording]

    def inject(
        self,
        fault: WireFault,
        *,
        operation: str | None = None,
        times: int | None = 1,
        after: int = 0,
        match: Callable[[Request], bool] | None = None,
    ) -> Injection:
        """Inject a fault into later requests.

        A request that matches several injections gets all of them in the order of their injection, until one of them
        responds to it or ends the connection.

        Args:
            fault: The fault.
            operation: Only for this S3 API operation; None is any.
            times: For how many requests; None is all.
            after: How many matching requests pass unchanged before.
            match: A further condition; it must not call the endpoint.
        """
        injection = Injection(fault, operation, times, after, match)
        with self._lock:
            self._injections.append(injection)
        return injection

    def clear_faults(self) -> None:
        """Forget the faults; a fault that is already happening continues."""
        with self._lock:
            self._injections.clear()

    def close(self) -> None:
        """Close every connection and wait for the threads. A second call does nothing.

        Raises:
            ExceptionGroup: Functions of `RunFunction`, `RewriteBody` or `match` raised exceptions.
        """
        if self._closing:
            return
        self._closing = True
        if self._acceptor.is_alive():
            # Nothing else wakes a blocked accept on every platform.
            with contextlib.suppress(OSError):
                socket.create_connection(self._address, timeout=_JOIN_SECONDS).close()
            self._acceptor.join(_JOIN_SECONDS)
        self._listener.close()
        with self._lock:
            exchanges = dict(self._exchanges)
        for exchange in exchanges:
            exchange.abort()
        for thread in exchanges.values():
            thread.join(_JOIN_SECONDS)
        if self._errors:
            raise ExceptionGroup("functions that were injected into the endpoint raised exceptions", self._errors)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closing:
                client.close()
                return
            exchange = Exchange(client, self._upstream, self._arrived, self._failed)
            thread = threading.Thread(target=self._serve, args=(exchange,), name="endpoint-connection", daemon=True)
            with self._lock:
                self._exchanges[exchange] = thread
            thread.start()

    def _serve(self, exchange: Exchange) -> None:
        try:
            exchange.run()
        finally:
            # It counts as open until the client can see that it is closed.
            with self._lock:
                del self._exchanges[exchange]

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._errors.append(error)

    def _arrived(self, request: Request) -> list[WireFault]:
        with self._lock:
            self._requests.append(request)
            for recording in self._recordings:
                recording.append(request)
            return [injection.fault for injection in self._injections if injection.take(request)]
