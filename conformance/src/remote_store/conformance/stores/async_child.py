"""A folder of a backend, accessed through `Store.child`, as a backend: the contract applies to it too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from remote_store.core import (
    AsyncBackend,
    AsyncBinaryIO,
    AsyncContent,
    AsyncStore,
    FileInfo,
    FolderEntry,
    FolderInfo,
    RemotePath,
    ResolutionPlan,
    WriteResult,
    check_max_depth,
)

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

    async def read(self, path: str) -> AsyncBinaryIO:
        return await self._store.read(exact(path))

    async def read_seekable(self, path: str) -> AsyncBinaryIO:
        return await self._store.read_seekable(exact(path))

    async def read_bytes(self, path: str) -> bytes:
        return await self._store.read_bytes(exact(path))

    async def read_range(self, path: str, start: int, length: int) -> bytes:
        return await self._store.read_range(exact(path), start, length)

    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return await self._store.write(
            exact(path), content, overwrite=overwrite, metadata=metadata, content_type=content_type
        )

    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return await self._store.write_atomic(
            exact(path), content, overwrite=overwrite, metadata=metadata, content_type=content_type
        )

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Any:
        return self._store.open_atomic(exact(path), overwrite=overwrite, metadata=metadata, content_type=content_type)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self._store.delete(exact(path), missing_ok=missing_ok)

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

    async def get_file_info(self, path: str) -> FileInfo:
        return await self._store.get_file_info(exact(path))

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self._store.get_folder_info(exact(path))

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        await self._store.move(exact(src), exact(dst), overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        await self._store.copy(exact(src), exact(dst), overwrite=overwrite)

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
