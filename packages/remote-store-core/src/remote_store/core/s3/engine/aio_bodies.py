"""Opens, reads, resumes and closes the bodies of objects. No other module reads from a body."""

from __future__ import annotations

import os

from remote_store.core.events import Events
from remote_store.core.io.buffers import allocate
from remote_store.core.s3.engine.aio_connections import AsyncConnections
from remote_store.core.s3.engine.aio_tasks import read_into, sleep
from remote_store.core.s3.engine.requests import Request
from remote_store.core.s3.operations.reading import BLOCK, ReadPlan
from remote_store.core.s3.protocol import responses
from remote_store.core.s3.protocol.calls import AsyncBody, AsyncS3Port, Call, Fault
from remote_store.core.s3.protocol.responses import Facts, Response


async def perform(port: AsyncS3Port, call: Call, events: Events, *, resumed_at: int | None = None) -> Response:
    """Send a call, check its response, and report both. If the check fails, the body is closed.

    Args:
        port: The port.
        call: The call.
        events: Where to report it.
        resumed_at: Offset of the first byte, if the call continues a read whose connection broke.

    Raises:
        Fault: The service refused or did not respond, or its response does not prove that the call succeeded.
    """
    request = Request(events, call, resumed_at)
    try:
        with request:
            request.response = await port.perform(call)
            return responses.read(call, request.response)
    except BaseException:
        if (body := request.response.get("Body")) is not None:
            await body.close()
        raise


class AsyncObjectBody:
    """Reads the remaining bytes of a plan in order, over one connection at a time.

    If the connection breaks, the missing bytes are requested again, pinned to the version. After a seek, the next read
    closes the connection and opens another at the new position. A forked child opens its own.

    Args:
        connections: The connections for requests.
        plan: Which bytes, of which version, and how many failures to retry.
        body: A body that is open at the plan's position, if any.
    """

    def __init__(self, connections: AsyncConnections, plan: ReadPlan, body: AsyncBody | None = None) -> None:
        self._connections = connections
        self._plan = plan
        self._body = body
        self._position = plan.position
        self._process = os.getpid()
        self._broke = False

    async def read(self, size: int) -> bytes:
        """The next `size` bytes, or a few more if the connection returns more; fewer only at the end.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        blocks: list[bytes] = []
        wanted = min(size, self._plan.remaining)
        while wanted > 0:
            body = await self._open()
            try:
                data = await body.read(min(wanted, self._plan.block))
                self._check(len(data))
            except Fault as fault:
                await self._wait_after(fault)
            else:
                await self._advance(len(data))
                blocks.append(data)
                wanted -= len(data)
        # Joining a single block returns it without a copy.
        return b"".join(blocks)

    async def read_into(self, buffer: memoryview) -> int:
        """Fill the buffer and return the number of bytes, which is less than its length only at the plan's end.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        filled = 0
        while wanted := min(len(buffer) - filled, self._plan.remaining):
            body = await self._open()
            try:
                with buffer[filled : filled + min(wanted, self._plan.block)] as block:
                    count = await read_into(body, block)
                self._check(count)
            except Fault as fault:
                await self._wait_after(fault)
            else:
                await self._advance(count)
                filled += count
        return filled

    async def read_rest(self) -> bytes:
        """The remaining bytes of the plan.

        Raises:
            Fault: The object changed, or too many connections in a row broke.
        """
        size = self._plan.remaining
        if 0 < size <= BLOCK:
            body = await self._open()
            try:
                data = await body.read()
                self._plan.advanced(len(data))
                self._plan.check_end()
            except Fault as fault:
                # `body.read` returned nothing, so the retry has to fetch all bytes again.
                self._plan.position -= size - self._plan.remaining
                await self._wait_after(fault)
            else:
                await self.close()
                return data[:size]
        whole, buffer = allocate(self._plan.remaining)
        with buffer:
            await self.read_into(buffer)
        return whole.getvalue()

    async def close(self) -> None:
        """Return the connection to the pool, or close it if its body was not read to the end."""
        body, self._body = self._body, None
        # The connection of a body from before a fork is its parent's, which still reads from it.
        if body is not None and self._process == os.getpid():
            await body.close()

    async def _open(self) -> AsyncBody:
        if self._position != self._plan.position or self._process != os.getpid():
            await self.close()
        if self._body is None:
            self._body = await self._opened()
            self._position = self._plan.position
            self._process = os.getpid()
        return self._body

    async def _opened(self) -> AsyncBody:
        port = await self._connections.port()
        resumed_at = self._plan.position if self._broke else None
        try:
            response = await perform(port, self._plan.request(), self._connections.events, resumed_at=resumed_at)
        except Fault as fault:
            raise self._plan.refused(fault) from fault.__cause__
        assert isinstance(response, Facts)
        body: AsyncBody = response.body
        try:
            self._plan.opened(response)
        except BaseException:
            await body.close()
            raise
        self._broke = False
        return body

    def _check(self, count: int) -> None:
        if not count:
            self._plan.check_end()

    async def _advance(self, count: int) -> None:
        self._plan.advanced(count)
        self._position = self._plan.position
        if not self._plan.remaining:
            await self.close()

    async def _wait_after(self, fault: Fault) -> None:
        await self.close()
        pause = self._plan.broken(fault)
        self._broke = True
        await sleep(pause)


async def fetch(
    connections: AsyncConnections, plan: ReadPlan, buffer: memoryview | None = None, body: AsyncBody | None = None
) -> bytes:
    """Read the remaining bytes of a plan into a buffer, or return them if there is none.

    Raises:
        Fault: The object changed, or too many connections in a row broke.
    """
    source = AsyncObjectBody(connections, plan, body)
    try:
        if buffer is None:
            return await source.read_rest()
        await source.read_into(buffer)
        return b""
    finally:
        await source.close()
