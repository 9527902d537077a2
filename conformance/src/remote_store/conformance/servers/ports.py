"""Ports on loopback that nothing listens on."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

# Below the range of ports for outgoing connections.
PORTS = range(10_300, 32_000)


def dead_endpoint() -> str:
    """Return an http URL on loopback where nothing listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, all different."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for port in random.sample(PORTS, 2_000):
            if len(found) == count:
                break
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    if len(found) < count:
        raise OSError(f"found no {count} free ports on 127.0.0.1")
    return found
