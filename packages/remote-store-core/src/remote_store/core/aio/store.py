"""The store: a backend as its users see it, with paths as people type them and a folder as its root."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.aio.files import async_counted, async_opened, async_replacing, async_transfer
from remote_store.core.aio.scoped import AsyncScopedFile, AsyncScopedOpening
from remote_store.core.capabilities import Capability
from remote_store.core.config.file import Config, config_of, configured, from_environment
from remote_store.core.config.registry import find_async_backend
from remote_store.core.config.url import from_url
from remote_store.core.errors import InvalidPath, NotFound
from remote_store.core.glob import GlobPattern, name_matcher
from remote_store.core.home import public
from remote_store.core.io.files import Progress
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.path import RemotePath
from remote_store.core.rebase import Scope

T = TypeVar("T")
Row = TypeVar("Row", bound=FileInfo | FolderEntry)


@public("remote_store.core")
class AsyncStore:
    """Files below one folder of a backend.

    A path is a `str` as people type it: empty and `.` segments drop, `..` is refused. A `RemotePath` is taken byte for
    byte, so that what a listing returned reaches its file whoever named it. `""` and `"."` mean the root, where a
    folder is meant. All paths that come back, in answers and in errors, are relative to the root. A method means,
    costs and raises what the backend's method of that name does; an exception of the caller's own stream or block
    passes unchanged.

    Args:
        backend: Where the files live.
        root_path: The folder that becomes the root; it need not exist.
        owns_backend: Whether closing the store closes the backend.

    Raises:
        InvalidPath: `root_path` is malformed.
        TypeError: `backend` is no `AsyncBackend`.
    """

    def __init__(self, backend: AsyncBackend, root_path: str = "", *, owns_backend: bool = True) -> None:
        if not isinstance(backend, AsyncBackend):
            raise TypeError(f"backend is no AsyncBackend but a {type(backend).__name__}; from_url takes a URL")
        self._backend = backend
        self._scope = Scope.at(root_path)
        self._owns_backend = owns_backend

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Make a store from a URL such as `s3+boto3://bucket/prefix?region_name=eu-west-1`, without any I/O.

        Args:
            url: Backend, place and settings, but never credentials.
            options: Settings of the backend as Python values; they win over those in the URL.

        Raises:
            BackendNotInstalled: The backend's distribution is missing.
            ConfigError: The URL is malformed or holds credentials, or a setting is unknown or wrong.
        """
        return cls(*from_url(url, options, find_async_backend))

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        """Make a store of a configuration, without any I/O but the reading of environment variables.

        Raises:
            BackendNotInstalled: The backend's distribution is missing.
            ConfigError: There is no such store, a variable is not set, or a setting is unknown or wrong.
        """
        return cls(*configured(config, name, find_async_backend))

    @classmethod
    def from_env(cls, prefix: str = "REMOTE_STORE_") -> Self:
        """Make a store from environment variables, without any other I/O.

        `REMOTE_STORE_TYPE` is the type of the backend, `REMOTE_STORE_ROOT_PATH` the root, and every other variable
        with the prefix a setting, such as `REMOTE_STORE_BUCKET`. An empty variable counts as unset.

        Raises:
            BackendNotInstalled: The backend's distribution is missing.
            ConfigError: The type is not set, or a variable is no setting, or has a wrong value.
        """
        return cls(*from_environment(prefix, find_async_backend))

    def __repr__(self) -> str:
        return f"AsyncStore({self._backend!r}, root_path={self._scope.root!r})"

    @property
    def backend(self) -> AsyncBackend:
        """The backend, whose paths are exact keys."""
        return self._backend

    @property
    def root_path(self) -> str:
        """Key of the root inside the backend."""
        return self._scope.root

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the backend promises."""
        return self._backend.capabilities

    def supports(self, capability: Capability) -> bool:
        """Whether the backend promises this."""
        return capability in self._backend.capabilities

    def child(self, path: str) -> AsyncStore:
        """The store of a folder. It shares the backend, and closing it leaves the backend open."""
        return AsyncStore(self._backend, RemotePath.exact(self._scope.folder(path)), owns_backend=False)

    async def exists(self, path: str) -> bool:
        """Whether a file or a folder is there; the root always is, without a request."""
        key = self._probed(path)
        with self._scope.errors():
            return await self._backend.exists(key)

    async def is_file(self, path: str) -> bool:
        """Whether a file is there."""
        key = self._probed(path)
        with self._scope.errors():
            return await self._backend.is_file(key)

    async def is_folder(self, path: str) -> bool:
        """Whether a folder is there; the root always is, without a request."""
        key = self._probed(path)
        with self._scope.errors():
            return await self._backend.is_folder(key)

    async def read(self, path: str) -> AsyncBinaryIO:
        """Open a file for reading from its start."""
        key = self._scope.key(path)
        with self._scope.errors():
            return AsyncScopedFile.over(await self._backend.read(key), self._scope, key)

    async def read_seekable(self, path: str) -> AsyncBinaryIO:
        """Open a file for random access."""
        key = self._scope.key(path)
        with self._scope.errors():
            return AsyncScopedFile.over(await self._backend.read_seekable(key), self._scope, key)

    async def read_bytes(self, path: str) -> bytes:
        """The whole content of a file."""
        key = self._scope.key(path)
        with self._scope.errors():
            return await self._backend.read_bytes(key)

    async def read_range(self, path: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from offset `start`."""
        key = self._scope.key(path)
        with self._scope.errors():
            return await self._backend.read_range(key, start, length)

    async def read_text(self, path: str, *, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole content of a file as text; line ends stay as they are.

        Args:
            path: The file.
            encoding: How the text is encoded.
            errors: What to do with bytes that are no text, as in `bytes.decode`.

        Raises:
            UnicodeDecodeError: The content is no such text.
        """
        content = await self.read_bytes(path)
        return content.decode(encoding, errors)

    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write a whole file, or nothing."""
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = await self._backend.write(
                key, content, overwrite=overwrite, metadata=metadata, content_type=content_type
            )
        return self._scope.written(result)

    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write like `write`; a reader sees the old file or the whole new one."""
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = await self._backend.write_atomic(
                key, content, overwrite=overwrite, metadata=metadata, content_type=content_type
            )
        return self._scope.written(result)

    async def write_text(
        self,
        path: str,
        text: str,
        *,
        encoding: str = "utf-8",
        errors: str = "strict",
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write a whole file of text; line ends stay as they are.

        Args:
            path: The file.
            text: The text.
            encoding: How to encode it.
            errors: What to do with characters that the encoding lacks, as in `str.encode`.
            overwrite: Replace a file that exists.
            metadata: The user's own metadata.
            content_type: MIME type to store with the file.

        Raises:
            TypeError: `text` is no `str`.
            UnicodeEncodeError: The encoding lacks a character.
        """
        if not isinstance(text, str):
            raise TypeError(f"text is a str, not {type(text).__name__}; bytes are written with write")
        content = text.encode(encoding, errors)
        return await self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AbstractAsyncContextManager[AsyncBinaryIO]:
        """Open a file to be written piece by piece; it appears whole on a clean exit, else not at all."""
        key = self._scope.key(path)
        with self._scope.errors():
            opening = self._backend.open_atomic(key, overwrite=overwrite, metadata=metadata, content_type=content_type)
        return AsyncScopedOpening(opening, self._scope, key)

    async def upload(
        self,
        source: str | os.PathLike[str] | AsyncContent,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        progress: Progress | None = None,
    ) -> WriteResult:
        """Write the content of a local file, or of a stream, which stays open.

        Args:
            source: Path of a file on the local disk, or a binary stream.
            path: The file to write.
            overwrite: Replace a file that exists.
            metadata: The user's own metadata.
            content_type: MIME type to store with the file.
            progress: Called with the number of bytes read from the source so far.

        Raises:
            OSError: The local file cannot be read.
        """
        self._scope.key(path)
        async with async_opened(source) as stream:
            content = async_counted(stream, progress)
            return await self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    async def download(
        self,
        path: str,
        local_path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Read a file into a local file, and say its length in bytes: 1 request on S3, ranges at once from 32 MiB on.

        The local file appears whole: until then the bytes are in a hidden file beside it with mode 0600, which a
        failure removes, leaving an old file as it was. An old file keeps its mode, a new one has what the umask leaves.
        A link is followed to the file that it names. Memory: 32 MiB.

        Args:
            path: The file to read.
            local_path: Path of the file on the local disk; its folder exists.
            overwrite: Replace a local file that exists.
            progress: Called with the number of bytes written so far.

        Raises:
            FileExistsError: The local file exists and `overwrite` is `False`.
            OSError: The local file cannot be written, the disk is full, a link leads nowhere, or there is a device, a
                pipe or a socket.
            BackendUnavailable: Another number of bytes arrived than the file has.
        """
        self._scope.key(path)
        async with async_replacing(local_path, overwrite=overwrite) as target, await self.read(path) as stream:
            return await async_transfer(stream, target, path, progress)

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete one file, and nothing else."""
        key = self._scope.key(path)
        with self._scope.errors():
            await self._backend.delete(key, missing_ok=missing_ok)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete a folder below the root; the root itself is refused."""
        key = self._scope.key(path)
        with self._scope.errors():
            await self._backend.delete_folder(key, recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str = "", *, recursive: bool = False, max_depth: int | None = None, pattern: str | None = None
    ) -> AsyncIterator[FileInfo]:
        """The files of a folder, lazily, in no promised order.

        Args:
            path: The folder.
            recursive: Also the files of its subfolders, at any depth.
            max_depth: How many levels of subfolders to include; where given it decides alone, and 0 means none.
            pattern: Only files whose name, the last segment, matches, with `*`, `?` and `[...]`; case counts.

        Raises:
            InvalidPath: The pattern has a range that ends before it begins, such as `[z-a]`.
            ValueError: `max_depth` is negative.
        """
        if max_depth is not None:
            recursive = max_depth > 0
        matches = None if pattern is None else name_matcher(pattern, self._backend.name)
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_files(key, recursive=recursive, max_depth=max_depth)
        return self._listed(rows, self._scope.file, matches)

    def list_folders(self, path: str = "") -> AsyncIterator[FolderEntry]:
        """The folders directly in a folder, lazily, in no promised order."""
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_folders(key)
        return self._listed(rows, self._scope.entry)

    def iter_children(self, path: str = "") -> AsyncIterator[FileInfo | FolderEntry]:
        """The files and the folders directly in a folder, lazily, in no promised order."""
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.iter_children(key)
        return self._listed(rows, self._scope.child)

    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        """The files whose path, relative to the root, matches a pattern, lazily, in no promised order."""
        GlobPattern.parse(pattern, self._backend.name)
        with self._scope.errors():
            rows = self._backend.glob(self._scope.pattern(pattern))
        return self._listed(rows, self._scope.file)

    async def head(self, path: str) -> FileInfo:
        """The facts of one file; the short name of `get_file_info`."""
        return await self.get_file_info(path)

    async def get_file_info(self, path: str) -> FileInfo:
        """The facts of one file."""
        key = self._scope.key(path)
        with self._scope.errors():
            return self._scope.file(await self._backend.get_file_info(key))

    async def get_folder_info(self, path: str = "") -> FolderInfo:
        """The totals of one folder, at every depth; the root always has them."""
        key = self._scope.folder(path)
        with self._scope.errors():
            try:
                return self._scope.totals(await self._backend.get_folder_info(key))
            except NotFound:
                if not self._scope.is_root(path) or not self._scope.prefix:
                    raise
                return FolderInfo(RemotePath.exact(""), 0, 0)

    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Move one file; at least one whole copy exists at any time."""
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            await self._backend.move(source, target, overwrite=overwrite)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Copy one file with its metadata and content type."""
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            await self._backend.copy(source, target, overwrite=overwrite)

    def native_path(self, path: str = "") -> str:
        """The path in the backend's own notation, such as `bucket/prefix/path`; no I/O."""
        return self._backend.native_path(self._scope.folder(path))

    def to_key(self, native_path: str) -> RemotePath:
        """The path of a native path; the inverse of `native_path`, no I/O.

        Raises:
            InvalidPath: The path does not belong to the backend, or lies outside the root.
        """
        key = self._backend.to_key(native_path)
        if not self._scope.holds(key):
            raise InvalidPath("the path lies outside the root of the store", path=native_path)
        return self._scope.path(key)

    def resolve(self, path: str = "") -> ResolutionPlan:
        """Where the path would live, with its key inside the backend; no I/O, no secret."""
        return self._backend.resolve(self._scope.folder(path))

    async def ping(self) -> None:
        """Ask the service whether it can be worked with; the short name of `check_health`."""
        await self.check_health()

    async def check_health(self) -> None:
        """Ask the service whether it can be worked with."""
        with self._scope.errors():
            await self._backend.check_health()

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the backend's native handle of the given type."""
        return self._backend.unwrap(kind)

    async def close(self) -> None:
        """Close the backend, for good, if the store owns it; of any other store it does nothing."""
        if self._owns_backend:
            await self._backend.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _probed(self, path: str) -> str:
        # The backend's own root stands for the store's, which is a folder whether or not anything is in it.
        return "" if self._scope.is_root(path) else self._scope.key(path)

    async def _listed(
        self,
        rows: AsyncIterator[Row],
        rebased: Callable[[Row], Row],
        matches: Callable[[str], object] | None = None,
    ) -> AsyncIterator[Row]:
        with self._scope.errors():
            try:
                async for row in rows:
                    if matches is None or matches(row.name):
                        yield rebased(row)
            finally:
                close = getattr(rows, "aclose", None)
                if close is not None:
                    await close()


@public("remote_store.core")
def open_async_store(config: Config | Mapping[str, Any] | str | os.PathLike[str], name: str) -> AsyncStore:
    """Make a store of a configuration: one that was read, tables as in its TOML, or the path of a TOML file.

    Raises:
        BackendNotInstalled: The backend's distribution is missing.
        ConfigError: The configuration or the store is wrong; the text says what to change.
        OSError: The file cannot be read.
    """
    return AsyncStore.from_config(config_of(config), name)
