"""Blocks connections to other machines, because a request there may cost money."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Self

from remote_store.conformance.values.hosts import hosts_of, is_here


class Gate:
    """Observes every connection, and refuses those to another machine unless the gate is open.

    Args:
        is_open: The user has agreed to the cost.

    Attributes:
        host: The first host on another machine; empty if there was none.
    """

    def __init__(self, *, is_open: bool) -> None:
        self.host = ""
        self._open = is_open
        self._hears = False

    def __enter__(self) -> Self:
        # An audit hook cannot be removed; after the block it does nothing.
        sys.addaudithook(self._hear)
        self._hears = True
        return self

    def __exit__(self, *_error: object) -> None:
        self._hears = False

    def ask(self, place: Mapping[str, str]) -> None:
        """Check the hosts in a backend's place, because it may connect without Python's sockets.

        Raises:
            ConnectionRefusedError: A host is another machine, and the gate is closed.
        """
        for host in hosts_of(place):
            self._pass(host)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._hears:
            return
        if event == "socket.getaddrinfo" and isinstance(arguments[0], str | bytes):
            host = arguments[0]
            self._pass(host.decode() if isinstance(host, bytes) else host)
        elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            self._pass(str(arguments[1][0]))

    def _pass(self, host: str) -> None:
        if not is_here(host):
            self.host = self.host or host
            if not self._open:
                raise ConnectionRefusedError(f"{host} is not this machine, and a run may cost money; add --yes")
