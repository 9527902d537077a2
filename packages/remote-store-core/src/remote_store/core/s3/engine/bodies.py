# Generated from packages/remote-store-core/src/remote_store/core/s3/engine/aio_bodies.py by tools/unasync.py; edit
# that.
"""Bodies of objects: opened, read, resumed where a connection broke, and closed. Nothing else reads from a body."""

from __future__ import annotations

import os

from remote_store.core.io.buffers import allocate
from remote_store.core.s3.engine.connections import Connections
from remote_store.core.s3.engine.tasks import read_into, sleep
from remote_store.core.s3.operations.reading import BLOCK, ReadPlan
from remote_store.core.s3.protocol import responses
from remote_store.core.s3.protocol.calls import Body, Call, Fault, S3Port
from remote_store.core.s3.protocol.responses import Facts, Response


def perform(port: S3Port, call: Call) -> Response:
    """Send a call and check its response; the body of a response that is refused is closed.

    Raises:
        Fault: The service refused or did not answer, or its response does not prove that the call succeeded.
    """
    response = port.perform(call)
    try:
        return responses.read(call, response)
    except BaseException:
        if (body := response.get("Body")) is not None:
            body.close()
        raise


class ObjectBody:
    """The bytes that a plan still has to read, in order, over one connection after another.

    A connection that breaks is replaced by a pinned request for the bytes that are missing. One that is open somewhere
    else than the plan stands, after a seek, is closed at the next read. A forked child reads over one of its own.

    Args:
        connections: Where requests go.
        plan: Which bytes, of which version, and how many failures are borne.
        body: The body of a response, if one is open where the plan stands.
    """

    def __init__(self, connections: Connections, plan: ReadPlan, body: Body | None = None) -> None:
        self._connections = connections
        self._plan = plan
        self._body = body
        self._position = plan.position
        self._process = os.getpid()

    def read(self, size: int) -> bytes:
        """The next `size` bytes, a few more where the connection gives them; fewer only at the end.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        blocks: list[bytes] = []
        wanted = min(size, self._plan.remaining)
        while wanted > 0:
            body = self._open()
            try:
                data = body.read(min(wanted, self._plan.block))
                self._check(len(data))
            except Fault as fault:
                self._wait_after(fault)
            else:
                self._advance(len(data))
                blocks.append(data)
                wanted -= len(data)
        # The join of one block is that block: nothing is copied.
        return b"".join(blocks)

    def read_into(self, buffer: memoryview) -> int:
        """Fill a buffer, which stays short only where the plan ends; the number of bytes.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        filled = 0
        while wanted := min(len(buffer) - filled, self._plan.remaining):
            body = self._open()
            try:
                with buffer[filled : filled + min(wanted, self._plan.block)] as block:
                    count = read_into(body, block)
                self._check(count)
            except Fault as fault:
                self._wait_after(fault)
            else:
                self._advance(count)
                filled += count
        return filled

    def read_rest(self) -> bytes:
        """All that the plan still has to read.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        size = self._plan.remaining
        if 0 < size <= BLOCK:
            body = self._open()
            try:
                data = body.read()
                self._plan.advanced(len(data))
                self._plan.check_end()
            except Fault as fault:
                # A body that fails in the middle of this hands out nothing.
                self._plan.position -= size - self._plan.remaining
                self._wait_after(fault)
            else:
                self.close()
                return data[:size]
        whole, buffer = allocate(self._plan.remaining)
        with buffer:
            self.read_into(buffer)
        return whole.getvalue()

    def close(self) -> None:
        """Give the connection back, or close it if its body was not read to the end."""
        body, self._body = self._body, None
        # The connection of a body from before a fork is its parent's, which still reads from it.
        if body is not None and self._process == os.getpid():
            body.close()

    def _open(self) -> Body:
        if self._position != self._plan.position or self._process != os.getpid():
            self.close()
        if self._body is None:
            self._body = self._opened()
            self._position = self._plan.position
            self._process = os.getpid()
        return self._body

    def _opened(self) -> Body:
        port = self._connections.port()
        try:
            response = perform(port, self._plan.request())
        except Fault as fault:
            raise self._plan.refused(fault) from fault.__cause__
        assert isinstance(response, Facts)
        body: Body = response.body
        try:
            self._plan.opened(response)
        except BaseException:
            body.close()
            raise
        return body

    def _check(self, count: int) -> None:
        if not count:
            self._plan.check_end()

    def _advance(self, count: int) -> None:
        self._plan.advanced(count)
        self._position = self._plan.position
        if not self._plan.remaining:
            self.close()

    def _wait_after(self, fault: Fault) -> None:
        self.close()
        sleep(self._plan.broken(fault))


def fetch(
    connections: Connections, plan: ReadPlan, buffer: memoryview | None = None, body: Body | None = None
) -> bytes:
    """Read what a plan still has to read: into a buffer, or as one value.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    source = ObjectBody(connections, plan, body)
    try:
        if buffer is None:
            return source.read_rest()
        source.read_into(buffer)
        return b""
    finally:
        source.close()
