"""Makes an async port usable from threads: each call runs in an event loop while the calling thread waits."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar, cast

from remote_store.core.errors import BackendUnavailable
from remote_store.core.home import public
from remote_store.core.io.workers import keep_working, running_loop, waiting_loop
from remote_store.core.s3.protocol.calls import AsyncBody, AsyncS3Port, AsyncSigningPort, Call, Fault
from remote_store.core.s3.protocol.options import KIB

T = TypeVar("T")

SMALL_BODY = 64 * KIB


@public("remote_store.core.s3")
@dataclass(frozen=True, slots=True)
class LoopThread:
    """An event loop that runs in a thread.

    Attributes:
        loop: The event loop.
        process: Id of the process that the thread belongs to.
    """

    loop: asyncio.AbstractEventLoop
    process: int

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and wait for it. If the wait is interrupted, the coroutine is cancelled.

        Raises:
            Fault: The thread does not exist, in a forked child or at the end of the process.
            BackendUnavailable: Called in the loop's own thread, where it would deadlock.
        """
        if self.loop in (running_loop(), waiting_loop.get()):
            work.close()
            raise BackendUnavailable("requests run in this event loop; inside it, use the async backend")
        if not self._alive():
            work.close()
            raise Fault("NoLoop", message="the event loop of the connection is not in this process", transport=True)
        keep_working(self.loop)
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the loop without waiting for it. Can be called from any thread, even from a finalizer."""
        if self._alive():
            asyncio.run_coroutine_threadsafe(work, self.loop)
        else:
            work.close()

    def _alive(self) -> bool:
        return os.getpid() == self.process and not sys.is_finalizing()


@public("remote_store.core.s3")
class LoopPort:
    """Performs S3 calls in an event loop, from any number of other threads.

    Args:
        thread: The event loop.
        port: The port in that loop.
    """

    def __init__(self, thread: LoopThread, port: AsyncS3Port) -> None:
        self._thread = thread
        self._port = port

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return the response, with a `LoopBody` as the `Body` of a `GetObject`.

        Raises:
            Fault: The service refused or did not respond.
            BackendUnavailable: Called in the loop's own thread, where it would deadlock.
        """
        return self._thread.run(self._perform(call))

    def presign(self, call: Call, seconds: int) -> str:
        """Make a URL that allows the call, if the port in the loop can.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
            BackendUnavailable: Called in the loop's own thread, where it would deadlock.
        """
        return self._thread.run(cast("AsyncSigningPort", self._port).presign(call, seconds))

    def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """Make a form that allows the call, if the port in the loop can.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
            BackendUnavailable: Called in the loop's own thread, where it would deadlock.
        """
        return self._thread.run(cast("AsyncSigningPort", self._port).presign_post(call, seconds))

    def close(self) -> None:
        """Close the port."""
        self._thread.run(self._port.close())

    async def _perform(self, call: Call) -> Mapping[str, Any]:
        response = await self._port.perform(call)
        if "Body" not in response:
            return response
        body = LoopBody(self._thread, response["Body"], response.get("ContentLength"))
        await body.take_small()
        return {**response, "Body": body}


class LoopBody:
    """The bytes of a `GetObject` response, for threads.

    Args:
        thread: The event loop that reads them.
        body: The body in that loop.
        length: Its `Content-Length`; `None` if there was none.
    """

    __slots__ = ("_ahead", "_body", "_left", "_thread")

    def __init__(self, thread: LoopThread, body: AsyncBody, length: int | None) -> None:
        self._thread = thread
        self._body = body
        self._left = -1 if length is None else length
        self._ahead = BytesIO()

    async def take_small(self) -> None:
        """Read a small body together with its response, to save a thread switch. A fault is raised at the next read."""
        if 0 <= self._left < SMALL_BODY:
            buffer = bytearray(max(1, self._left))
            with suppress(Fault):
                self._ahead = BytesIO(buffer[: await self._fill(memoryview(buffer))])

    def read(self, size: int = -1, /) -> bytes:
        """Read `size` bytes, fewer at the end or before a fault; all the rest for -1; empty at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        return self._ahead.read(size) or (self._thread.run(self._gather(size)) if self._left else b"")

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and return the number of bytes, fewer at the end or before a fault; 0 at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        return self._ahead.readinto(buffer) or (self._thread.run(self._fill(buffer)) if self._left else 0)

    def close(self) -> None:
        """Close the connection in the background, unless the body was read to its end, which closes it too."""
        if self._left:
            self._thread.start(self._body.close())

    async def _read(self, size: int) -> bytes:
        data = await self._body.read(size) if self._left else b""
        self._left -= len(data)
        if not self._left:
            await self._body.close()
        return data

    async def _gather(self, size: int) -> bytes:
        if size < 0:
            return await self._read(size)
        return b"".join([data async for data in self._blocks(size)])

    async def _fill(self, buffer: memoryview) -> int:
        filled = 0
        async for data in self._blocks(len(buffer)):
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    async def _blocks(self, size: int) -> AsyncIterator[bytes]:
        left = size
        while left:
            try:
                data = await self._read(left)
            except Fault:
                if left < size:
                    # The next read raises it again; the bytes before it are returned.
                    break
                raise
            if not data:
                break
            yield data
            left -= len(data)
