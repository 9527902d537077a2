"""Wraps a blocking backend as an async one."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Generic, NamedTuple, ParamSpec, Self, TypeVar, Unpack, cast, overload

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.aio.pulled import GuardedStream, NoThread, PulledStream, WriteStopped, spooled
from remote_store.core.aio.reader import AsyncReader
from remote_store.core.aio.streams import AsyncSource, async_as_stream, check_async_content, is_async_stream
from remote_store.core.aio.threaded_file import ThreadedFile, ThreadedReader, close_quietly
from remote_store.core.aio.threads import Threads, ended
from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.errors import BackendUnavailable
from remote_store.core.home import public
from remote_store.core.io.source import BUFFERS, AsyncBinaryIO, AsyncContent, Content
from remote_store.core.models import (
    FileInfo,
    FileVersion,
    FolderEntry,
    FolderInfo,
    NotModified,
    Outcome,
    PresignedPost,
    ResolutionPlan,
    UnfinishedUpload,
    WriteResult,
)
from remote_store.core.options import (
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    PostCondition,
    ReadOptions,
    WriteOptions,
    taken,
)

P = ParamSpec("P")
T = TypeVar("T")
PAGE = 256


class Forwarded:
    """The capabilities of the blocking backend, which may find them out at the first look, and lose some later.

    A subclass that sets `capabilities` on the class or the instance hides this descriptor.
    """

    def __get__(self, bridge: ThreadedBackend | None, owner: type) -> object:
        return self if bridge is None else bridge._backend.capabilities  # noqa: SLF001 - of its only user


@public("remote_store.core")
class ThreadedBackend(AsyncBackend):
    """An async backend that runs the calls of a blocking backend in a bounded number of threads.

    Bodies and listings are passed on in blocks. An instance is not bound to an event loop; several may use it, even at
    the same time.

    A cancelled call raises the cancellation within half a second, and its thread goes on until the blocking call ends.
    A cancelled read raises it at once; its thread closes the file that it opened. A cancelled call that changes files
    waits up to 0.4 s for its thread. A write ends at its next read of the content and leaves nothing. If all content
    has been read, or it is `bytes`, the thread may be waiting for the server, and its write, like a copy, move or
    delete, may still take effect after the cancellation was raised. To find out, look at the file once the time limits
    of the blocking backend have passed; on S3, each request ends within `connect_timeout` plus six times
    `read_timeout`, and a body that is sent has more time. A thread that hangs occupies one of `max_threads` until
    then, and delays neither `close` nor the exit of the interpreter.

    Writes of async content have a second pool of threads, so their content may be read through this same backend. Such
    content must not itself wait for a write of async content while `max_threads` of these writes run.

    Args:
        backend: The blocking backend. Closing this backend closes it too.
        max_threads: Largest number of calls that run at once. The same number of writes of async content may run too.

    Raises:
        TypeError: `backend` is not of type `Backend`, or `max_threads` is not an `int`.
        ValueError: `max_threads` is less than 1.
    """

    capabilities: frozenset[Capability] = cast("frozenset[Capability]", Forwarded())

    def __init__(self, backend: Backend, *, max_threads: int = 32) -> None:
        if not isinstance(backend, Backend):
            hint = "; it is async already, so use it with an AsyncStore" if isinstance(backend, AsyncBackend) else ""
            raise TypeError(f"backend must be of type Backend, not {type(backend).__name__}{hint}")
        if not isinstance(max_threads, int) or isinstance(max_threads, bool):
            raise TypeError(f"max_threads must be an int, not {type(max_threads).__name__}")
        if max_threads < 1:
            raise ValueError(f"max_threads must be at least 1, not {max_threads}")
        self._backend = backend
        self._threads = Threads(max_threads)
        self._writers = Threads(max_threads)
        self._closed = False
        self.name = backend.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._backend!r})"

    async def exists(self, path: str) -> bool:
        return await self._call(self._backend.exists, path)

    async def is_file(self, path: str) -> bool:
        return await self._call(self._backend.is_file, path)

    async def is_folder(self, path: str) -> bool:
        return await self._call(self._backend.is_folder, path)

    async def read(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self._open(partial(self._backend.read, path, **taken(self._backend.read, options, path)), path)

    async def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self._open(
            partial(self._backend.read_seekable, path, **taken(self._backend.read_seekable, options, path)), path
        )

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        return await self._call(
            partial(self._backend.read_bytes, path, **taken(self._backend.read_bytes, options, path))
        )

    async def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        return await self._call(
            partial(self._backend.read_range, path, start, length, **taken(self._backend.read_range, options, path))
        )

    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        described = {
            "overwrite": overwrite,
            "metadata": metadata,
            "content_type": content_type,
            **taken(self._backend.write, options, path),
        }
        put = partial(self._backend.write, **described)
        return await self._put(put, path, content)

    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        described = {
            "overwrite": overwrite,
            "metadata": metadata,
            "content_type": content_type,
            **taken(self._backend.write_atomic, options, path),
        }
        put = partial(self._backend.write_atomic, **described)
        return await self._put(put, path, content)

    @asynccontextmanager
    async def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> AsyncIterator[AsyncBinaryIO]:
        self._check_open()
        described = {
            "overwrite": overwrite,
            "metadata": metadata,
            "content_type": content_type,
            **taken(self._backend.open_atomic, options, path),
        }
        manager = self._backend.open_atomic(path, **described)
        drop = partial(manager.__exit__, WriteStopped, WriteStopped(), None)
        file = await self._threads.finish(manager.__enter__, undo=lambda _: drop())
        try:
            yield ThreadedFile(file, self._threads)
        except BaseException as error:
            leave = partial(manager.__exit__, type(error), error, error.__traceback__)
            if isinstance(error, asyncio.CancelledError):
                await ended(self._threads.release(leave))
                raise
            if not await self._threads.finish(leave, instead=leave):
                raise
        else:
            await self._threads.finish(partial(manager.__exit__, None, None, None), instead=drop)

    async def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        await self._finish(
            partial(self._backend.delete, path, missing_ok=missing_ok, **taken(self._backend.delete, options, path))
        )

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._finish(self._backend.delete_folder, path, recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        self._check_open()
        return self._stream(self._backend.list_files(path, recursive=recursive, max_depth=max_depth))

    def list_folders(self, path: str) -> AsyncIterator[FolderEntry]:
        self._check_open()
        return self._stream(self._backend.list_folders(path))

    def iter_children(self, path: str) -> AsyncIterator[FileInfo | FolderEntry]:
        self._check_open()
        return self._stream(self._backend.iter_children(path))

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        return await self._call(
            partial(self._backend.get_file_info, path, **taken(self._backend.get_file_info, options, path))
        )

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self._call(self._backend.get_folder_info, path)

    async def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        await self._finish(
            partial(self._backend.move, src, dst, overwrite=overwrite, **taken(self._backend.move, options, src))
        )

    async def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        await self._finish(
            partial(self._backend.copy, src, dst, overwrite=overwrite, **taken(self._backend.copy, options, src))
        )

    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        self._check_open()
        return self._stream(self._backend.glob(pattern))

    def native_path(self, key: str) -> str:
        return self._backend.native_path(key)

    def to_key(self, path: str) -> str:
        return self._backend.to_key(path)

    def resolve(self, key: str) -> ResolutionPlan:
        return self._backend.resolve(key)

    async def check_health(self) -> None:
        await self._call(self._backend.check_health)

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type: the blocking backend itself, or one of its handles."""
        self._check_open()
        if kind is not object and isinstance(self._backend, kind):
            return self._backend
        return self._backend.unwrap(kind)

    async def read_ranges(
        self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]
    ) -> list[bytes]:
        return await self._call(partial(self._backend.read_ranges, path, ranges, **options))

    def delete_many(self, paths: Iterable[str]) -> AsyncIterator[Outcome[None]]:
        self._check_open()

        def outcomes() -> Iterator[Outcome[None]]:
            # A backend may delete before it returns an iterator, so it is called in a thread.
            yield from self._backend.delete_many(paths)

        return self._stream(outcomes())

    async def presign(
        self,
        path: str,
        *,
        method: str = "GET",
        expires_in: float | timedelta = 3600,
        content_type: str | None = None,
        response_headers: Mapping[str, str] | None = None,
        version_id: str | None = None,
    ) -> str:
        call = partial(
            self._backend.presign,
            path,
            method=method,
            expires_in=expires_in,
            content_type=content_type,
            response_headers=response_headers,
            version_id=version_id,
        )
        return await self._call(call)

    async def presign_post(
        self,
        prefix: str,
        conditions: Sequence[PostCondition] = (),
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        call = partial(
            self._backend.presign_post,
            prefix,
            expires_in=expires_in,
            max_size=max_size,
            content_type=content_type,
            conditions=conditions,
        )
        return await self._call(call)

    async def probe_conditions(self, prefix: str) -> ConditionalWrites:
        return await self._finish(self._backend.probe_conditions, prefix)

    def list_uploads(self, path: str) -> AsyncIterator[UnfinishedUpload]:
        self._check_open()
        return self._stream(self._backend.list_uploads(path))

    async def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        return await self._finish(self._backend.abort_uploads, path, older_than=older_than)

    async def resume_upload(
        self,
        path: str,
        content: AsyncContent,
        *,
        record: Mapping[str, str],
        keep: Callable[[Mapping[str, str]], object],
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        described: dict[str, Any] = {
            "overwrite": overwrite,
            "metadata": metadata,
            "content_type": content_type,
        }
        passed = taken(self._backend.resume_upload, options, path)
        put = partial(self._backend.resume_upload, record=record, keep=keep, **described, **passed)
        return await self._put(put, path, content)

    def list_versions(self, path: str) -> AsyncIterator[FileVersion]:
        self._check_open()
        return self._stream(self._backend.list_versions(path))

    async def restore_version(self, path: str, version_id: str) -> WriteResult:
        return await self._finish(self._backend.restore_version, path, version_id)

    async def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        return await self._call(self._backend.get_tags, path, version_id=version_id)

    async def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        await self._finish(self._backend.set_tags, path, tags, version_id=version_id)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # The other threads may all be waiting for a server.
        closer = Threads(1)
        try:
            await closer.finish(self._backend.close)
        finally:
            for threads in (closer, self._threads, self._writers):
                threads.close()

    async def __aenter__(self) -> Self:
        await self._call(self._backend.__enter__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self.name)

    async def _call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check_open()
        return await self._threads.call(partial(method, *args, **kwargs))

    async def _finish(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._check_open()
        return await self._threads.finish(partial(method, *args, **kwargs))

    async def _open(self, opening: Callable[[], BinaryIO], path: str) -> AsyncReader:
        self._check_open()
        file = await self._threads.call(opening, abandon=close_result)
        return ThreadedReader(file, self._threads, partial(self.get_file_info, path))

    async def _put(self, put: Callable[[str, Content], WriteResult], path: str, content: AsyncContent) -> WriteResult:
        self._check_open()
        check_async_content(content := async_as_stream(content))
        if isinstance(content, BUFFERS):
            return await self._threads.finish(partial(put, path, content))
        # A file of a threaded backend is read directly in the writing thread.
        stream = content.blocking or content if isinstance(content, ThreadedFile) else content
        if is_async_stream(stream):
            source = AsyncSource(stream)
            pulled = PulledStream(source, asyncio.get_running_loop())
            try:
                return await self._writers.finish(partial(put, path, cast("BinaryIO", pulled)), stop=pulled.stop)
            except WriteStopped as stopped:
                # The content itself raised a cancellation, which no thread can pass on.
                raise source.failure or stopped from stopped
            except NoThread:
                pass
            async with spooled(source) as file:
                return put(path, file)
        guarded = GuardedStream(cast("BinaryIO", stream))
        return await self._threads.finish(partial(put, path, cast("BinaryIO", guarded)), stop=guarded.stop)

    async def _stream(self, rows: Iterator[T]) -> AsyncIterator[T]:
        shared = SharedRows(rows)
        count = 1
        try:
            while True:
                taken = await self._threads.call(partial(shared.take, count))
                for row in taken.rows:
                    yield row
                if taken.error is not None:
                    raise taken.error
                if len(taken.rows) < count:
                    return
                # The first row comes without delay; longer pages save thread switches.
                count = min(count * 2, PAGE)
        except asyncio.CancelledError:
            self._threads.release(shared.close)
            raise
        except GeneratorExit:
            await ended(self._threads.release(shared.close))
            raise


class Rows(NamedTuple, Generic[T]):
    """Some rows of a listing, and the error that was raised after them."""

    rows: list[T]
    error: Exception | None


class SharedRows(Generic[T]):
    """A listing that different threads may advance and close.

    Args:
        rows: The listing.
    """

    def __init__(self, rows: Iterator[T]) -> None:
        self._rows = rows
        self._lock = threading.Lock()

    def take(self, count: int) -> Rows[T]:
        """Up to `count` rows; fewer only at the end, or before an error."""
        taken: list[T] = []
        with self._lock:
            try:
                for row in itertools.islice(self._rows, count):
                    taken.append(row)  # noqa: PERF402 - keeps the rows before an error
            except Exception as error:  # noqa: BLE001 - the caller raises it again
                return Rows(taken, error)
        return Rows(taken, None)

    def close(self) -> None:
        """Close the listing early, once a `take` in progress has returned."""
        with self._lock:
            close = getattr(self._rows, "close", None)
            if close is not None:
                close()


def close_result(future: Future[BinaryIO]) -> None:
    """Close the file once the call that opens it has ended."""

    def close(ended: Future[BinaryIO]) -> None:
        if ended.exception() is None:
            close_quietly(ended.result())

    future.add_done_callback(close)
