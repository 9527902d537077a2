"""A backend that forwards every call to another one: the base class of wrappers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast, overload

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.home import public
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
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

T = TypeVar("T")


class Forwarded:
    """An attribute of the inner backend. A wrapper that sets the attribute on itself hides it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, wrapper: AsyncDelegatingBackend | None, owner: type) -> object:
        return self if wrapper is None else getattr(wrapper.inner, self._name)


@public("remote_store.core")
class AsyncDelegatingBackend(AsyncBackend):
    """Forwards every member of the contract to `inner`, so that a subclass overrides only what it changes.

    Each method calls the method of the same name, and no other: `read_bytes` does not call `read`, and `write_atomic`
    does not call `write`. Override all methods that your change is about: for all reads `read`, `read_seekable`,
    `read_bytes`, `read_range` and `read_ranges`; for all writes `write`, `write_atomic`, `open_atomic`, `copy` and
    `move`; for all deletes `delete`, `delete_folder`, `delete_many` and `move`.

    `name` and `capabilities` are those of `inner`, which may lose capabilities after its first requests. A subclass may
    set its own, on the class or on the instance. Errors have the name of `inner`. The end of a `with` block calls
    `close`. A wrapper pickles if its attributes do.

    Args:
        inner: The backend to forward to. Closing the wrapper closes it too.

    Attributes:
        inner: The backend to forward to.

    Raises:
        TypeError: `inner` is not of type `AsyncBackend`.
    """

    name: str = cast("str", Forwarded())
    capabilities: frozenset[Capability] = cast("frozenset[Capability]", Forwarded())

    def __init__(self, inner: AsyncBackend) -> None:
        if not isinstance(inner, AsyncBackend):
            raise TypeError(f"inner must be of type AsyncBackend, not {type(inner).__name__}")
        self.inner = inner

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"

    async def exists(self, path: str) -> bool:
        return await self.inner.exists(path)

    async def is_file(self, path: str) -> bool:
        return await self.inner.is_file(path)

    async def is_folder(self, path: str) -> bool:
        return await self.inner.is_folder(path)

    async def read(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self.inner.read(path, **taken(self.inner.read, options, path))

    async def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self.inner.read_seekable(path, **taken(self.inner.read_seekable, options, path))

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        return await self.inner.read_bytes(path, **taken(self.inner.read_bytes, options, path))

    async def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        return await self.inner.read_range(path, start, length, **taken(self.inner.read_range, options, path))

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
        return await self.inner.write(
            path,
            content,
            overwrite=overwrite,
            metadata=metadata,
            content_type=content_type,
            **taken(self.inner.write, options, path),
        )

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
        return await self.inner.write_atomic(
            path,
            content,
            overwrite=overwrite,
            metadata=metadata,
            content_type=content_type,
            **taken(self.inner.write_atomic, options, path),
        )

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> AbstractAsyncContextManager[AsyncBinaryIO]:
        return self.inner.open_atomic(
            path,
            overwrite=overwrite,
            metadata=metadata,
            content_type=content_type,
            **taken(self.inner.open_atomic, options, path),
        )

    async def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        await self.inner.delete(path, missing_ok=missing_ok, **taken(self.inner.delete, options, path))

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self.inner.delete_folder(path, recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        return self.inner.list_files(path, recursive=recursive, max_depth=max_depth)

    def list_folders(self, path: str) -> AsyncIterator[FolderEntry]:
        return self.inner.list_folders(path)

    def iter_children(self, path: str) -> AsyncIterator[FileInfo | FolderEntry]:
        return self.inner.iter_children(path)

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        return await self.inner.get_file_info(path, **taken(self.inner.get_file_info, options, path))

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self.inner.get_folder_info(path)

    async def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        await self.inner.move(src, dst, overwrite=overwrite, **taken(self.inner.move, options, src))

    async def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        await self.inner.copy(src, dst, overwrite=overwrite, **taken(self.inner.copy, options, src))

    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        return self.inner.glob(pattern)

    def native_path(self, key: str) -> str:
        return self.inner.native_path(key)

    def to_key(self, path: str) -> str:
        return self.inner.to_key(path)

    def resolve(self, key: str) -> ResolutionPlan:
        return self.inner.resolve(key)

    async def check_health(self) -> None:
        await self.inner.check_health()

    def unwrap(self, kind: type[T]) -> T:
        return self.inner.unwrap(kind)

    async def read_ranges(
        self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]
    ) -> list[bytes]:
        return await self.inner.read_ranges(path, ranges, **options)

    def delete_many(self, paths: Iterable[str]) -> AsyncIterator[Outcome[None]]:
        return self.inner.delete_many(paths)

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
        return await self.inner.presign(
            path,
            method=method,
            expires_in=expires_in,
            content_type=content_type,
            response_headers=response_headers,
            version_id=version_id,
        )

    async def presign_post(
        self,
        prefix: str,
        conditions: Sequence[PostCondition] = (),
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        return await self.inner.presign_post(
            prefix, conditions, expires_in=expires_in, max_size=max_size, content_type=content_type
        )

    async def probe_conditions(self, prefix: str) -> ConditionalWrites:
        return await self.inner.probe_conditions(prefix)

    def list_uploads(self, path: str) -> AsyncIterator[UnfinishedUpload]:
        return self.inner.list_uploads(path)

    async def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        return await self.inner.abort_uploads(path, older_than=older_than)

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
        passed = taken(self.inner.resume_upload, options, path)
        return await self.inner.resume_upload(path, content, record=record, keep=keep, **described, **passed)

    def list_versions(self, path: str) -> AsyncIterator[FileVersion]:
        return self.inner.list_versions(path)

    async def restore_version(self, path: str, version_id: str) -> WriteResult:
        return await self.inner.restore_version(path, version_id)

    async def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        return await self.inner.get_tags(path, version_id=version_id)

    async def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        await self.inner.set_tags(path, tags, version_id=version_id)

    async def close(self) -> None:
        await self.inner.close()

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A subclass that overrides `close` has to be closed too. Closing twice does nothing.
        try:
            await self.close()
        finally:
            await self.inner.__aexit__(kind, error, traceback)
