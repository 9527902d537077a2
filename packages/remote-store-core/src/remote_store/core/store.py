# Generated from packages/remote-store-core/src/remote_store/core/async_store.py by tools/unasync.py; edit that.
"""The store: the class that users call. It accepts typed paths and limits a backend to one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.config.file import Config, config_of, configured, from_environment
from remote_store.core.config.registry import find_backend
from remote_store.core.config.url import from_url
from remote_store.core.errors import InvalidPath, NotFound
from remote_store.core.files import counted, opened, replacing, transfer
from remote_store.core.glob import GlobPattern, name_matcher
from remote_store.core.home import public
from remote_store.core.io.blocks import BlockReader
from remote_store.core.io.chunks import as_stream
from remote_store.core.io.reader import Reader
from remote_store.core.io.source import Content
from remote_store.core.io.streams import check_buffer_size
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.path import RemotePath
from remote_store.core.progress import ProgressCallback, check_progress
from remote_store.core.rebase import Scope
from remote_store.core.scoped import ScopedOpening, ScopedReader

T = TypeVar("T")
Row = TypeVar("Row", bound=FileInfo | FolderEntry)


@public("remote_store.core")
class Store:
    """Files below one folder of a backend.

    Paths are typed as `str`: empty and `.` segments are removed, and `..` is refused. A `RemotePath` is used byte for
    byte, so every path that a listing returned works, whichever tool wrote the key. For a folder, `""` and `"."` mean
    the root. All paths in results and errors are relative to the root. Unless its docstring says otherwise, a method
    has the meaning, cost and errors of the backend's method of the same name. Exceptions raised by your own stream or
    `with` block pass through unchanged.

    Args:
        backend: The backend that stores the files.
        root_path: The folder that becomes the root. It need not exist.
        owns_backend: Whether closing the store closes the backend.

    Raises:
        InvalidPath: `root_path` is malformed.
        TypeError: `backend` is not an `Backend`.
    """

    def __init__(self, backend: Backend, root_path: str = "", *, owns_backend: bool = True) -> None:
        if not isinstance(backend, Backend):
            raise TypeError(f"backend must be of type Backend, not {type(backend).__name__}; for a URL, use from_url")
        self._backend = backend
        self._scope = Scope.at(root_path)
        self._owns_backend = owns_backend

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Make a store from a URL such as `s3+boto3://bucket/prefix?region_name=eu-west-1`, without any I/O.

        Args:
            url: Backend, location and settings. It must not contain credentials.
            options: Settings of the backend as Python values. They override those in the URL.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: The URL is malformed or contains credentials, or a setting is unknown or wrong.
        """
        return cls(*from_url(url, options, find_backend))

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        """Make a configured store. Reads environment variables, and does no other I/O.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: There is no such store, a variable is not set, or a setting is unknown or wrong.
        """
        return cls(*configured(config, name, find_backend))

    @classmethod
    def from_env(cls, prefix: str = "REMOTE_STORE_") -> Self:
        """Make a store from environment variables, without any other I/O.

        `REMOTE_STORE_TYPE` is the type of the backend and `REMOTE_STORE_ROOT_PATH` is the root. Every other variable
        with the prefix is a setting, such as `REMOTE_STORE_BUCKET`. An empty variable counts as unset.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: The type is not set, or a variable is not a setting of the backend or has a wrong value.
        """
        return cls(*from_environment(prefix, find_backend))

    def __repr__(self) -> str:
        return f"Store({self._backend!r}, root_path={self._scope.root!r})"

    @property
    def backend(self) -> Backend:
        """The backend. Its methods take exact keys."""
        return self._backend

    @property
    def root_path(self) -> str:
        """Key of the root in the backend."""
        return self._scope.root

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the backend."""
        return self._backend.capabilities

    def supports(self, capability: Capability) -> bool:
        """Whether the backend has a capability."""
        return capability in self._backend.capabilities

    def child(self, path: str) -> Store:
        """A store whose root is a folder of this store. It shares the backend; closing it leaves the backend open."""
        return Store(self._backend, RemotePath.exact(self._scope.folder(path)), owns_backend=False)

    def exists(self, path: str) -> bool:
        """Whether the path is a file or a folder. `True` for the root, without a request."""
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.exists(key)

    def is_file(self, path: str) -> bool:
        """Whether the path is a file."""
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.is_file(key)

    def is_folder(self, path: str) -> bool:
        """Whether the path is a folder. `True` for the root, without a request."""
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.is_folder(key)

    def read(self, path: str) -> Reader:
        """Open a file for sequential reading. `info` of the result describes the file without another request.

        On S3 this takes 1 request, which also returns the bytes.
        """
        key = self._scope.key(path)
        with self._scope.errors():
            file = self._backend.read(key)
        return ScopedReader.of(file, self._scope, key, partial(self._backend.get_file_info, key))

    def read_seekable(self, path: str, buffer_size: int = 0) -> Reader:
        """Open a file for random access. `info` of the result describes the file without another request.

        On S3 this takes 1 request, and each read takes 1 more. For many small reads, such as the members of a zip
        archive, pass a `buffer_size` of 1 MiB: the file is then fetched in blocks of that size, which later reads
        share.

        Args:
            path: The file.
            buffer_size: Bytes of a block. A read that is longer is one request of its own. Memory: the 8 blocks that
                were used last, and 2 more while they arrive. 0, the default, means that each read requests exactly its
                own bytes.

        Raises:
            TypeError: `buffer_size` is not an `int`.
            ValueError: `buffer_size` is negative.
        """
        check_buffer_size(buffer_size)
        key = self._scope.key(path)
        with self._scope.errors():
            file = self._backend.read_seekable(key)
        reader = ScopedReader.of(file, self._scope, key, partial(self._backend.get_file_info, key))
        return BlockReader(reader, buffer_size, self._scope.path(key)) if buffer_size else reader

    def read_bytes(self, path: str) -> bytes:
        """The whole content of a file."""
        key = self._scope.key(path)
        with self._scope.errors():
            return self._backend.read_bytes(key)

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from offset `start`."""
        key = self._scope.key(path)
        with self._scope.errors():
            return self._backend.read_range(key, start, length)

    def read_text(self, path: str, *, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole content of a file as text. Line endings are not converted.

        Args:
            path: The file.
            encoding: Encoding of the text.
            errors: How to handle bytes that cannot be decoded, as in `bytes.decode`.

        Raises:
            UnicodeDecodeError: The content cannot be decoded.
        """
        content = self.read_bytes(path)
        return content.decode(encoding, errors)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write a whole file. If the write fails, nothing is written."""
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = self._backend.write(
                key, as_stream(content), overwrite=overwrite, metadata=metadata, content_type=content_type
            )
        return self._scope.written(result)

    def write_atomic(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write like `write`; readers see either the old file or the complete new one."""
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = self._backend.write_atomic(
                key, as_stream(content), overwrite=overwrite, metadata=metadata, content_type=content_type
            )
        return self._scope.written(result)

    def write_text(
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
        """Write text as a whole file. Line endings are not converted.

        Args:
            path: The file.
            text: The text.
            encoding: Encoding to use.
            errors: How to handle characters that cannot be encoded, as in `str.encode`.
            overwrite: Replace the file if it exists.
            metadata: User metadata.
            content_type: MIME type to store with the file.

        Raises:
            TypeError: `text` is not a `str`.
            UnicodeEncodeError: A character cannot be encoded.
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}; for bytes, use write")
        content = text.encode(encoding, errors)
        return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AbstractContextManager[BinaryIO]:
        """Open a file to write in pieces. It appears complete when the block ends; after an exception, not at all."""
        key = self._scope.key(path)
        with self._scope.errors():
            opening = self._backend.open_atomic(key, overwrite=overwrite, metadata=metadata, content_type=content_type)
        return ScopedOpening(opening, self._scope, key)

    def upload(
        self,
        source: str | os.PathLike[str] | Content,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        progress: ProgressCallback | None = None,
    ) -> WriteResult:
        """Write the content of a local file or a stream. A stream is left open.

        Args:
            source: Path of a file on the local disk, or a binary stream.
            path: The file to write.
            overwrite: Replace the file if it exists.
            metadata: User metadata.
            content_type: MIME type to store with the file.
            progress: Called with a `Progress` at the start, before any request, and after each block that was read from
                the source. If it raises, nothing is written.

        Raises:
            OSError: The local file cannot be read.
        """
        self._scope.key(path)
        check_progress(progress)
        with opened(source) as stream:
            content = counted(stream, progress)
            return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def download(
        self,
        path: str,
        local_path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: ProgressCallback | None = None,
    ) -> int:
        """Download a file to the local disk and return its length in bytes.

        On S3 this takes 1 request; from 32 MiB, ranges are fetched in parallel. Memory: 32 MiB. The bytes are written
        to a hidden temporary file (mode 0600) beside the local file, which is renamed when it is complete. If the
        download fails, the temporary file is removed and an existing local file is unchanged. An overwritten file keeps
        its mode; a new file gets its mode from the umask. A symbolic link is followed.

        Args:
            path: The file to read.
            local_path: Path of the local file. Its folder must exist.
            overwrite: Replace the local file if it exists.
            progress: Called with a `Progress` at the start and after each block that was written to the local disk. If
                it raises, no local file is left.

        Raises:
            FileExistsError: The local file exists and `overwrite` is `False`.
            OSError: The local file cannot be written, the disk is full, `local_path` is a dangling link, or it is a
                device, a pipe or a socket.
            BackendUnavailable: The number of bytes received is not the size of the file.
        """
        self._scope.key(path)
        check_progress(progress)
        with replacing(local_path, overwrite=overwrite) as target, self.read(path) as stream:
            return transfer(stream, target, path, progress)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete one file, and nothing else."""
        key = self._scope.key(path)
        with self._scope.errors():
            self._backend.delete(key, missing_ok=missing_ok)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete a folder below the root. The root itself cannot be deleted."""
        key = self._scope.key(path)
        with self._scope.errors():
            self._backend.delete_folder(key, recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str = "", *, recursive: bool = False, max_depth: int | None = None, pattern: str | None = None
    ) -> Iterator[FileInfo]:
        """Iterate over the files of a folder, lazily and in unspecified order.

        Args:
            path: The folder.
            recursive: Include the files of subfolders at any depth.
            max_depth: How many levels of subfolders to include; 0 means none. Overrides `recursive`.
            pattern: Yield only files whose name (the last segment) matches. Supports `*`, `?` and `[...]`;
                case-sensitive.

        Raises:
            InvalidPath: The pattern has a reversed range, such as `[z-a]`.
            ValueError: `max_depth` is negative.
        """
        if max_depth is not None:
            recursive = max_depth > 0
        matches = None if pattern is None else name_matcher(pattern, self._backend.name)
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_files(key, recursive=recursive, max_depth=max_depth)
        return self._listed(rows, self._scope.file, matches)

    def list_folders(self, path: str = "") -> Iterator[FolderEntry]:
        """Iterate over the direct subfolders of a folder, lazily and in unspecified order."""
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_folders(key)
        return self._listed(rows, self._scope.entry)

    def iter_children(self, path: str = "") -> Iterator[FileInfo | FolderEntry]:
        """Iterate over the direct files and subfolders of a folder, lazily and in unspecified order."""
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.iter_children(key)
        return self._listed(rows, self._scope.child)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Iterate over the files whose path relative to the root matches a pattern, lazily and in unspecified order."""
        GlobPattern.parse(pattern, self._backend.name)
        with self._scope.errors():
            rows = self._backend.glob(self._scope.pattern(pattern))
        return self._listed(rows, self._scope.file)

    def head(self, path: str) -> FileInfo:
        """Short name of `get_file_info`."""
        return self.get_file_info(path)

    def get_file_info(self, path: str) -> FileInfo:
        """Size, time and other attributes of one file."""
        key = self._scope.key(path)
        with self._scope.errors():
            return self._scope.file(self._backend.get_file_info(key))

    def get_folder_info(self, path: str = "") -> FolderInfo:
        """Totals over all files in a folder and its subfolders. An empty root has totals of 0."""
        key = self._scope.folder(path)
        with self._scope.errors():
            try:
                return self._scope.totals(self._backend.get_folder_info(key))
            except NotFound:
                if not self._scope.is_root(path) or not self._scope.prefix:
                    raise
                return FolderInfo(RemotePath.exact(""), 0, 0)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Move one file. At least one complete copy exists at all times."""
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            self._backend.move(source, target, overwrite=overwrite)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Copy one file with its metadata and content type."""
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            self._backend.copy(source, target, overwrite=overwrite)

    def native_path(self, path: str = "") -> str:
        """The path in the backend's own notation, such as `bucket/prefix/path`. No I/O."""
        return self._backend.native_path(self._scope.folder(path))

    def to_key(self, native_path: str) -> RemotePath:
        """The store's path for a native path: the inverse of `native_path`. No I/O.

        Raises:
            InvalidPath: The path does not belong to the backend, or is outside the root.
        """
        key = self._backend.to_key(native_path)
        if not self._scope.holds(key):
            raise InvalidPath("the path is outside the root of the store; use a path below it", path=native_path)
        return self._scope.path(key)

    def resolve(self, path: str = "") -> ResolutionPlan:
        """The location of a path, with its key in the backend. No I/O; contains no secret."""
        return self._backend.resolve(self._scope.folder(path))

    def ping(self) -> None:
        """Short name of `check_health`."""
        self.check_health()

    def check_health(self) -> None:
        """Send a request to check that the backend can be used."""
        with self._scope.errors():
            self._backend.check_health()

    def unwrap(self, kind: type[T]) -> T:
        """Return the backend's native handle of the given type."""
        return self._backend.unwrap(kind)

    def close(self) -> None:
        """Close the backend if the store owns it. Otherwise does nothing."""
        if self._owns_backend:
            self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _probed(self, path: str) -> str:
        # The store's root counts as an existing folder even when it is empty, like the backend's own root.
        return "" if self._scope.is_root(path) else self._scope.key(path)

    def _listed(
        self,
        rows: Iterator[Row],
        rebased: Callable[[Row], Row],
        matches: Callable[[str], object] | None = None,
    ) -> Iterator[Row]:
        with self._scope.errors():
            try:
                for row in rows:
                    if matches is None or matches(row.name):
                        yield rebased(row)
            finally:
                close = getattr(rows, "close", None)
                if close is not None:
                    close()


@public("remote_store.core")
def open_store(config: Config | Mapping[str, Any] | str | os.PathLike[str], name: str) -> Store:
    """Make a configured store from a `Config`, a dict, or the path of a TOML file.

    Raises:
        BackendNotInstalled: The backend's distribution is not installed.
        ConfigError: The configuration is not valid, or has no such store. The message says what to change.
        OSError: The file cannot be read.
    """
    return Store.from_config(config_of(config), name)
