"""Backends with bugs that only asyncio tasks reveal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, cast

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import (
    AsyncBinaryIO,
    Backend,
    BackendUnavailable,
    FileInfo,
    MemoryBackend,
    ThreadedBackend,
    WriteResult,
)
from remote_store.core.s3 import Call


async def gathered(content: Any) -> AsyncIterator[bytes]:
    """The pieces of an async iterable or an async stream."""
    if hasattr(content, "__aiter__"):
        async for piece in content:
            yield piece
    else:
        while piece := await content.read(100_000):
            yield piece


def awaited(content: Any) -> bool:
    """Whether a content is an async iterable or an async stream."""
    return hasattr(content, "__aiter__") or asyncio.iscoroutinefunction(getattr(content, "read", None))


class Gathers(ThreadedBackend):
    """A bridge that collects async content with a method that a subclass breaks."""

    async def gather(self, content: Any, _path: str, _options: dict[str, Any]) -> bytes:
        """The bytes of a content."""
        return b"".join([piece async for piece in gathered(content)])

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if awaited(content):
            content = await self.gather(content, path, options)
        return await super().write(path, content, **options)


@broken("ASYNC-001", "ASYNC-007")
class KeepsWhatCame(Gathers):
    """Commits the part received so far if a write is cancelled or its source fails."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        data = bytearray()
        try:
            async for piece in gathered(content):
                data += piece
        except BaseException:
            await super().write(path, bytes(data), **options)
            raise
        return bytes(data)


@broken("ASYNC-002")
class ClearsTheWayFirst(Gathers):
    """Deletes the old file before it awaits the new content."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        if options.get("overwrite"):
            await self.delete(path, missing_ok=True)
        return await super().gather(content, path, options)


@broken("ASYNC-003")
class LosesItsTurn(ThreadedBackend):
    """A cancelled read never releases its slot."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.places = 5

    async def read_bytes(self, path: str, **options: Any) -> Any:
        if not self.places:
            raise BackendUnavailable("all connections are taken", path=path, backend=self.name, retryable=True)
        self.places -= 1
        content = await super().read_bytes(path, **options)
        self.places += 1
        return content


@broken("ASYNC-004", "LIFE-001")
class OneAnswerForAllTasks(ThreadedBackend):
    """Keeps the last response in an attribute of the instance, so tasks read each other's responses."""

    async def read_bytes(self, path: str, **options: Any) -> Any:
        self._answer = await super().read_bytes(path, **options)
        await asyncio.sleep(0)
        return self._answer


@broken("ASYNC-005")
class EndsAtAnEmptyPiece(Gathers):
    """Treats an empty piece of an async iterable as its end."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        data = bytearray()
        async for piece in gathered(content):
            if not piece:
                break
            data += piece
        return bytes(data)


@broken("ASYNC-006")
class ReadsOnce(Gathers):
    """Reads an async stream only once and drops the rest."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        if hasattr(content, "__aiter__"):
            return await super().gather(content, path, options)
        return cast("bytes", await content.read(1_000_000))


@broken("ASYNC-007")
class WrapsTheSourcesErrors(Gathers):
    """Replaces an exception of an async source by an error of its own."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        try:
            return await super().gather(content, path, options)
        except Exception as error:
            raise BackendUnavailable("the write failed", path=path, backend=self.name) from error


@broken("ASYNC-008")
class GoesOnWhenClosed(ThreadedBackend):
    """A closed listing starts again when it is iterated."""

    def list_files(self, path: str, **options: Any) -> Any:
        return Restarting(lambda: super(GoesOnWhenClosed, self).list_files(path, **options))


class Restarting:
    """An iterator that `aclose` resets to its start."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._rows = start()

    def __aiter__(self) -> Restarting:
        return self

    async def __anext__(self) -> FileInfo:
        return cast("FileInfo", await anext(self._rows))

    async def aclose(self) -> None:
        """Start again."""
        await self._rows.aclose()
        self._rows = self._start()


@broken("ASYNC-009")
class WritesOneAtATime(Gathers):
    """Refuses a write while another one waits for its content."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        self._busy = True
        data = await super().gather(content, path, options)
        self._busy = False
        return data

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if self.__dict__.get("_busy"):
            raise BackendUnavailable("another write is under way", path=path, backend=self.name, retryable=True)
        return await super().write(path, content, **options)


@broken("ASYNC-010")
class CommitsWhenCancelled(ThreadedBackend):
    """Commits the bytes written although the `open_atomic` block was cancelled."""

    @asynccontextmanager
    async def open_atomic(self, path: str, **options: Any) -> AsyncIterator[AsyncBinaryIO]:
        async with super().open_atomic(path, **options) as stream:
            with suppress(asyncio.CancelledError):
                yield stream


@broken("ASYNC-011")
class TakesAwaitedStreamsOnly(ThreadedBackend):
    """Awaits the result of every stream's `read`, even if it is bytes."""

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "read") and not hasattr(content, "__aiter__"):
            content = b"".join([piece async for piece in gathered(content)])
        return await super().write(path, content, **options)


@broken("ASYNC-012")
class SharesOneRead(ThreadedBackend):
    """Tasks that read one file share a task; cancelling one reader cancels all of them."""

    async def read_bytes(self, path: str, **options: Any) -> Any:
        reads = self.__dict__.setdefault("_reads", {})
        if path not in reads:
            reads[path] = asyncio.ensure_future(super().read_bytes(path, **options))
            reads[path].add_done_callback(lambda _: reads.pop(path))
        return cast("bytes", await reads[path])


@broken("ASYNC-013")
class EncodesTextOfSources(Gathers):
    """Encodes text of an async source instead of raising TypeError."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        pieces = [piece async for piece in gathered(content)]
        return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)


class Unclosed:
    """A stream that its context does not close."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._stream:
            yield line


@broken("ASYNC-014")
class LeavesStreamsOpen(ThreadedBackend):
    """Streams stay open after their context ends."""

    async def read(self, path: str, **options: Any) -> AsyncBinaryIO:
        return cast("AsyncBinaryIO", Unclosed(await super().read(path, **options)))


class NeverAborts(HttpPort):
    """A port that does not abort unfinished uploads."""

    def perform(self, call: Call) -> Any:
        return {} if call.operation == "AbortMultipartUpload" else super().perform(call)


@broken("ASYNC-015", "S3-005", "S3-007", "WIRE-026")
class LeavesUploads(HttpBackend):
    """Does not abort an upload that it cannot finish."""

    port = NeverAborts


@broken("ASYNC-004", "LIFE-001", "LIFE-002")
class NeedsItsOwnThread(MemoryBackend):
    """Refuses a call while another thread uses the connection."""

    def _file(self, path: str) -> Any:
        if self.__dict__.get("_inside"):
            raise BackendUnavailable("the connection is in use", path=path, backend=self.name, retryable=True)
        self._inside = True
        try:
            time.sleep(0.001)
            return super()._file(path)
        finally:
            self._inside = False
