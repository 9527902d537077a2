"""Backends that are wrong in what only tasks see."""

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
    """The pieces of a content that is iterated or read by awaiting."""
    if hasattr(content, "__aiter__"):
        async for piece in content:
            yield piece
    else:
        while piece := await content.read(100_000):
            yield piece


def awaited(content: Any) -> bool:
    """Whether a content is read by awaiting."""
    return hasattr(content, "__aiter__") or asyncio.iscoroutinefunction(getattr(content, "read", None))


class Gathers(ThreadedBackend):
    """A bridge that gathers content that is awaited, by a method that a subclass gets wrong."""

    async def gather(self, content: Any, _path: str, _options: dict[str, Any]) -> bytes:
        """The bytes of a content."""
        return b"".join([piece async for piece in gathered(content)])

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if awaited(content):
            content = await self.gather(content, path, options)
        return await super().write(path, content, **options)


@broken("ASYNC-001", "ASYNC-007")
class KeepsWhatCame(Gathers):
    """Writes what has come of a content whose writer is cancelled or fails."""

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
    """Deletes the old file before it waits for the new content."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        if options.get("overwrite"):
            await self.delete(path, missing_ok=True)
        return await super().gather(content, path, options)


@broken("ASYNC-003")
class LosesItsTurn(ThreadedBackend):
    """Gives the place of a read that is cancelled to nobody."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.places = 5

    async def read_bytes(self, path: str) -> bytes:
        if not self.places:
            raise BackendUnavailable("all connections are taken", path=path, backend=self.name, retryable=True)
        self.places -= 1
        content = await super().read_bytes(path)
        self.places += 1
        return content


@broken("ASYNC-004", "LIFE-001")
class OneAnswerForAllTasks(ThreadedBackend):
    """Keeps the answer to the last read of all tasks in the instance, and takes it from there."""

    async def read_bytes(self, path: str) -> bytes:
        self._answer = await super().read_bytes(path)
        await asyncio.sleep(0)
        return self._answer


@broken("ASYNC-005")
class EndsAtAnEmptyPiece(Gathers):
    """Takes an empty piece of an async iterable for its end."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        data = bytearray()
        async for piece in gathered(content):
            if not piece:
                break
            data += piece
        return bytes(data)


@broken("ASYNC-006")
class ReadsOnce(Gathers):
    """Takes the first read of an async stream for all of it."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        if hasattr(content, "__aiter__"):
            return await super().gather(content, path, options)
        return cast("bytes", await content.read(1_000_000))


@broken("ASYNC-007")
class WrapsTheSourcesErrors(Gathers):
    """Turns an exception of an async source into an error of its own."""

    async def gather(self, content: Any, path: str, options: dict[str, Any]) -> bytes:
        try:
            return await super().gather(content, path, options)
        except Exception as error:
            raise BackendUnavailable("the write failed", path=path, backend=self.name) from error


@broken("ASYNC-008")
class GoesOnWhenClosed(ThreadedBackend):
    """Begins a listing anew that was closed."""

    def list_files(self, path: str, **options: Any) -> Any:
        return Restarting(lambda: super(GoesOnWhenClosed, self).list_files(path, **options))


class Restarting:
    """An iterator that a close takes back to its start."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._rows = start()

    def __aiter__(self) -> Restarting:
        return self

    async def __anext__(self) -> FileInfo:
        return cast("FileInfo", await anext(self._rows))

    async def aclose(self) -> None:
        """Begin anew."""
        await self._rows.aclose()
        self._rows = self._start()


@broken("ASYNC-009")
class WritesOneAtATime(Gathers):
    """Refuses a write as long as another one waits for its content."""

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
    """Commits what an `open_atomic` block has written when it is cancelled."""

    @asynccontextmanager
    async def open_atomic(self, path: str, **options: Any) -> AsyncIterator[AsyncBinaryIO]:
        async with super().open_atomic(path, **options) as stream:
            with suppress(asyncio.CancelledError):
                yield stream


@broken("ASYNC-011")
class TakesAwaitedStreamsOnly(ThreadedBackend):
    """Awaits what the `read` of every stream gives, bytes too."""

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if hasattr(content, "read") and not hasattr(content, "__aiter__"):
            content = b"".join([piece async for piece in gathered(content)])
        return await super().write(path, content, **options)


@broken("ASYNC-012")
class SharesOneRead(ThreadedBackend):
    """Lets tasks that read one file wait for one task, which the first of them that is cancelled takes along."""

    async def read_bytes(self, path: str) -> bytes:
        reads = self.__dict__.setdefault("_reads", {})
        if path not in reads:
            reads[path] = asyncio.ensure_future(super().read_bytes(path))
            reads[path].add_done_callback(lambda _: reads.pop(path))
        return cast("bytes", await reads[path])


@broken("ASYNC-013")
class EncodesTextOfSources(Gathers):
    """Encodes text of an async source, where it should refuse it."""

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
    """Opens streams that the end of their context leaves open."""

    async def read(self, path: str) -> AsyncBinaryIO:
        return cast("AsyncBinaryIO", Unclosed(await super().read(path)))


class NeverAborts(HttpPort):
    """A port that leaves unfinished uploads to a rule of the bucket."""

    def perform(self, call: Call) -> Any:
        return {} if call.operation == "AbortMultipartUpload" else super().perform(call)


@broken("ASYNC-015", "S3-005", "S3-007", "WIRE-026")
class LeavesUploads(HttpBackend):
    """Does not abort an upload that it cannot finish."""

    port = NeverAborts


@broken("ASYNC-004", "LIFE-001", "LIFE-002")
class NeedsItsOwnThread(MemoryBackend):
    """Answers in one thread at a time, and refuses the others."""

    def _file(self, path: str) -> Any:
        if self.__dict__.get("_inside"):
            raise BackendUnavailable("the connection is in use", path=path, backend=self.name, retryable=True)
        self._inside = True
        try:
            time.sleep(0.001)
            return super()._file(path)
        finally:
            self._inside = False
