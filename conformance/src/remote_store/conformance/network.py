"""A gate before servers that are not on this machine, because a request there may cost money."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit


class Gate:
    """Lets connections of Python's sockets to this machine through, and no others while it is closed.

    Attributes:
        host: The first host elsewhere that was asked for; empty where none was.
    """

    def __init__(self) -> None:
        self.host = ""
        self._closed = False
        self._hooked = False

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Close the gate for the block."""
        if not self._hooked:
            # An audit hook stays as long as the process; while the gate is open it does nothing.
            sys.addaudithook(self._hear)
            self._hooked = True
        self._closed = True
        try:
            yield
        finally:
            self._closed = False

    def ask(self, place: Mapping[str, str]) -> None:
        """Look for a host elsewhere in what a backend says of its place; it may speak without Python's sockets.

        Raises:
            ConnectionRefusedError: There is one, and the gate is closed.
        """
        for text in place.values():
            if (host := urlsplit(text).hostname) and "://" in text:
                self._refuse(host)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo" and isinstance(arguments[0], str | bytes):
            host = arguments[0]
            self._refuse(host.decode() if isinstance(host, bytes) else host)
        elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            self._refuse(str(arguments[1][0]))

    def _refuse(self, host: str) -> None:
        if self._closed and not is_here(host):
            self.host = self.host or host
            raise ConnectionRefusedError(f"{host} is not this machine, and nobody has agreed to its cost")


def is_here(host: str) -> bool:
    """Whether a host is this machine by its name or its address."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
