"""A folder of a backend, accessed through `Store.child`, as a backend: the contract applies to it too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

from remote_store.core import (
    AsyncBackend,
    AsyncBinaryIO,
    AsyncContent,
    AsyncStore,
    ConditionalReadOptions,
    ConditionalWrites,
    CopyOptions,
    DeleteOptions,
    FileInfo,
    FileVersion,
    FolderEntry,
    FolderInfo,
    MoveOptions,
    NotModified,
    Outcome,
    PostCondition,
    PresignedPost,
    ReadOptions,
    RemotePath,
    ResolutionPlan,
    UnfinishedUpload,
    WriteOptions,
    WriteResult,
    check_max_depth,
)
from remote_store.core.rebase import Scope

T = TypeVar("T")


class AsyncChildBackend(AsyncBackend):
    """Passes each call to the child of a store, with paths unchanged.

    Args:
        backend: The backend below; it is closed with this one.
        folder: The folder that becomes the root.
    """

    def __init__(self, backend: AsyncBackend, folder: str) -> None:
        self.name = backend.name
        self.capabilities = backend.capabilities
        self._parent = AsyncStore(backend)
        self._store = self._parent.child(folder)

    async def exists(self, path: str) -> bool:
        return await self._store.exists(exact(path))

    async def is_file(self, path: str) -> bool:
        return await self._store.is_file(exact(path))

    async def is_folder(self, path: str) -> bool:
        return await self._store.is_folder(exact(path))

    async def read(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self._store.read(exact(path), **options)

    async def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        return await self._store.read_seekable(exact(path), **options)

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        return await self._store.read_bytes(exact(path), **options)

    async def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        return await self._store.read_range(exact(path), start, length, **options)

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
        return await self._store.write(
            exact(path), content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
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
        return await self._store.write_atomic(
            exact(path), content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Any:
        return self._store.open_atomic(
            exact(path), overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )

    async def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        await self._store.delete(exact(path), missing_ok=missing_ok, **options)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        await self._store.delete_folder(exact(path), recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        check_max_depth(max_depth)
        # A store ignores `recursive` if `max_depth` is given.
        return self._store.list_files(exact(path), recursive=recursive, max_depth=max_depth if recursive else None)

    def list_folders(self, path: str) -> AsyncIterator[FolderEntry]:
        return self._store.list_folders(exact(path))

    def iter_children(self, path: str) -> AsyncIterator[FileInfo | FolderEntry]:
        return self._store.iter_children(exact(path))

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        return await self._store.get_file_info(exact(path), **options)

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self._store.get_folder_info(exact(path))

    async def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        await self._store.move(exact(src), exact(dst), overwrite=overwrite, **options)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        await self._store.copy(exact(src), exact(dst), overwrite=overwrite, **options)

    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        return self._store.glob(pattern)

    def native_path(self, key: str) -> str:
        return self._store.native_path(exact(key))

    def to_key(self, path: str) -> str:
        return self._store.to_key(path)

    def resolve(self, key: str) -> ResolutionPlan:
        # A store returns the key in the storage.
        return replace(self._store.resolve(exact(key)), key=key)

    async def check_health(self) -> None:
        await self._store.check_health()

    def unwrap(self, kind: type[T]) -> T:
        return self._store.unwrap(kind)

    async def read_ranges(
        self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]
    ) -> list[bytes]:
        return await self._store.read_ranges(exact(path), ranges, **options)

    def delete_many(self, paths: Iterable[str]) -> AsyncIterator[Outcome[None]]:
        return self._store.delete_many(map(exact, paths))

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
        return await self._store.presign(
            exact(path),
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
        return await self._store.presign_post(
            exact(prefix),
            expires_in=expires_in,
            max_size=max_size,
            content_type=content_type,
            conditions=conditions,
        )

    async def probe_conditions(self, prefix: str) -> ConditionalWrites:
        return await self._store.probe_conditions(exact(prefix))

    def list_uploads(self, path: str) -> AsyncIterator[UnfinishedUpload]:
        return self._store.list_uploads(exact(path))

    async def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        return await self._store.abort_uploads(exact(path), older_than=older_than)

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
        # A store has no such method: its `upload` calls that of its backend.
        scope = Scope.at(exact(self._store.root_path))
        key = scope.key(exact(path))
        described: dict[str, Any] = {"overwrite": overwrite, "metadata": metadata, "content_type": content_type}
        with scope.errors(key):
            result = await self._store.backend.resume_upload(
                key, content, record=record, keep=keep, **described, **options
            )
        return scope.written(result)

    def list_versions(self, path: str) -> AsyncIterator[FileVersion]:
        return self._store.list_versions(exact(path))

    async def restore_version(self, path: str, version_id: str) -> WriteResult:
        return await self._store.restore_version(exact(path), version_id)

    async def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        return await self._store.get_tags(exact(path), version_id=version_id)

    async def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        await self._store.set_tags(exact(path), tags, version_id=version_id)

    async def close(self) -> None:
        await self._parent.close()

    async def __aenter__(self) -> Self:
        # Entering a store does not call its backend.
        await self._parent.backend.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"


def exact(path: str) -> str:
    """The path as a type from a listing, which the store does not normalise; the root stays the root."""
    return RemotePath.exact(path) if isinstance(path, str) and path else path
