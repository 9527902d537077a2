"""One end of a proxied connection: a socket with its HTTP state."""

from __future__ import annotations

import selectors
import socket
import struct

import h11

__all__ = ["Channel", "Closed", "readable", "undelivered"]

_PIECE = 256 * 1024
_PACKET = 64 * 1024
_HEAD_LIMIT = 128 * 1024


class Closed(Exception):
    """The connection is closed."""


class Channel:
    """One socket with its HTTP state; small output is buffered.

    Args:
        connection: A connected socket.
        role: The role of this end: the server for a client's socket, the client for a server's.
    """

    def __init__(self, connection: socket.socket, role: type[h11.CLIENT | h11.SERVER]) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.http = h11.Connection(role, max_incomplete_event_size=_HEAD_LIMIT)
        self._output: list[bytes] = []
        self._waiting = 0

    @property
    def idle(self) -> bool:
        """Whether both sides have finished the current request."""
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE

    def send(self, event: h11.Event) -> None:
        """Send an event; it may be buffered until the next `flush`."""
        data = self.http.send(event)
        if data:
            self._output.append(data)
            self._waiting += len(data)
            if self._waiting >= _PACKET:
                self.flush()

    def flush(self) -> None:
        """Send the buffered output; needed before each wait for the other end."""
        if self._output:
            data = b"".join(self._output)
            self._output.clear()
            self._waiting = 0
            self.socket.sendall(data)

    def receive(self) -> None:
        """Wait for bytes from the other end, or for the end of the connection."""
        self.http.receive_data(self.socket.recv(_PIECE))

    def event(self) -> h11.Event:
        """Return the next event, waiting for it.

        Raises:
            Closed: The other end closed the connection between two messages.
            RemoteProtocolError: It closed the connection within a message, or does not speak HTTP.
        """
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.receive()
        if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
            raise Closed
        return event


def readable(timeout: float | None, *sockets: socket.socket) -> list[socket.socket]:
    """Return the sockets that are readable or were closed by their peer.

    Args:
        timeout: Seconds to wait for one of them; None waits forever.
        sockets: The sockets to look at.
    """
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select(timeout)}
    return [each for each in sockets if each in ready]


def undelivered(connection: socket.socket) -> int:
    """Return how many sent bytes the peer's kernel has not acknowledged yet; 0 if the platform does not tell."""
    try:
        import fcntl
        import termios

        return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0])
    except (ImportError, OSError):
        return 0
