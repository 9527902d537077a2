"""A backend that forwards every call to another one: the base class of wrappers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self, TypeVar, cast

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.capabilities import Capability
from remote_store.core.home import public
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult

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
    `read_bytes` and `read_range`; for all writes `write`, `write_atomic`, `open_atomic`, `copy` and `move`.

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

    async def read(self, path: str) -> AsyncBinaryIO:
        return await self.inner.read(path)

    async def read_seekable(self, path: str) -> AsyncBinaryIO:
        return await self.inner.read_seekable(path)

    async def read_bytes(self, path: str) -> bytes:
        return await self.inner.read_bytes(path)

    async def read_range(self, path: str, start: int, length: int) -> bytes:
        return await self.inner.read_range(path, start, length)

    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return await self.inner.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return await self.inner.write_atomic(
            path, content, overwrite=overwrite, metadata=metadata, content_type=content_type
        )

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AbstractAsyncContextManager[AsyncBinaryIO]:
        return self.inner.open_atomic(path, overwrite=overwrite, metadata=metadata, content_type=content_type)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await self.inner.delete(path, missing_ok=missing_ok)

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

    async def get_file_info(self, path: str) -> FileInfo:
        return await self.inner.get_file_info(path)

    async def get_folder_info(self, path: str) -> FolderInfo:
        return await self.inner.get_folder_info(path)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        await self.inner.move(src, dst, overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        await self.inner.copy(src, dst, overwrite=overwrite)

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
