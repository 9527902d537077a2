# Generated from packages/remote-store-core/src/remote_store/core/async_store.py by tools/unasync.py; edit that.
"""The store: the class that users call. It accepts typed paths and limits a backend to one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, Unpack, overload

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
from remote_store.core.io.reader import Reader
from remote_store.core.io.source import Content
from remote_store.core.io.streams import as_stream, check_buffer_size, check_max_depth
from remote_store.core.kinds import instead_of
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, NotModified, ResolutionPlan, WriteResult
from remote_store.core.options import (
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    ReadOptions,
    WriteOptions,
    given,
    require,
)
from remote_store.core.path import RemotePath
from remote_store.core.progress import Progress, check_progress
from remote_store.core.rebase import Scope
from remote_store.core.resumed_downloads import continue_transfer, identity, resuming
from remote_store.core.scoped import ScopedOpening, ScopedReader
from remote_store.core.stores.bulk import Bulk
from remote_store.core.stores.integrity import Integrity
from remote_store.core.stores.sharing import Sharing
from remote_store.core.stores.swapping import Swapping
from remote_store.core.stores.uploads import Uploads
from remote_store.core.stores.versions import Versions

T = TypeVar("T")
Row = TypeVar("Row", bound=FileInfo | FolderEntry)


@public("remote_store.core")
class Store(
    Bulk,
    Integrity,
    Sharing,
    Swapping,
    Uploads,
    Versions,
):
    """Files below one folder of a backend.

    Paths are typed as `str`: empty and `.` segments are removed, and `..` is refused. A `RemotePath` is used byte for
    byte, so every path that a listing returned works, whichever tool wrote the key. For a folder, `""` and `"."` mean
    the root. All paths in results and errors are relative to the root.

    Every method can raise `BackendUnavailable` (the service did not answer, or the store is closed) and
    `PermissionDenied`; these and all other errors are a `RemoteStoreError`. Exceptions raised by your own stream or
    `with` block pass through unchanged. `docs/guides/async.md` says how long a call may take, and what still happens
    below a call that was cancelled or given up: a write that the server has received may still take effect.

    The number of requests in the docstrings is that of a success on S3. To say whether a missing file is a folder, a
    method that needs a file sends 1 more before it raises.

    Args:
        backend: The backend that stores the files.
        root_path: The folder that becomes the root. It need not exist.
        owns_backend: Whether closing the store closes the backend.

    Raises:
        InvalidPath: `root_path` is malformed.
        TypeError: `backend` is of another type.

    Example:
        The examples of the methods begin with this store.

        >>> from remote_store.core import Store
        >>> store = Store.from_url("memory://")
        >>> written = store.write("greeting.txt", b"hello")
        >>> written = store.write("reports/november.csv", b"23,99")
    """

    def __init__(self, backend: Backend, root_path: str = "", *, owns_backend: bool = True) -> None:
        if not isinstance(backend, Backend):
            raise TypeError(f"backend must be of type Backend, not {type(backend).__name__}; {instead_of(backend)}")
        self._backend = backend
        self._scope = Scope.at(root_path)
        self._owns_backend = owns_backend

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Make a store from a URL such as `s3+boto3://bucket/prefix?region_name=eu-west-1`. Sends no request.

        Args:
            url: Backend, location and settings. It must not contain credentials.
            options: Settings of the backend as Python values. They override those in the URL.

        Returns:
            A store that owns its backend.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: The URL is malformed or contains credentials, or a setting is unknown or wrong.

        Example:
            >>> store = Store.from_url("memory://")
            >>> store.exists("greeting.txt")
            False
        """
        return cls(*from_url(url, options, find_backend))

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        """Make a configured store. Reads environment variables. Sends no request.

        Args:
            config: The configuration, as `Config.from_file` reads it.
            name: Name of the store in the configuration.

        Returns:
            A store that owns its backend.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: There is no such store, a variable is not set, or a setting is unknown or wrong.

        Example:
            >>> from remote_store.core import Config
            >>> tables = {"backends": {"main": {"type": "memory"}}, "stores": {"lake": {"backend": "main"}}}
            >>> store = Store.from_config(Config.from_dict(tables), "lake")
            >>> store.root_path
            ''
        """
        return cls(*configured(config, name, find_backend))

    @classmethod
    def from_env(cls, prefix: str = "REMOTE_STORE_") -> Self:
        """Make a store from environment variables. Sends no request.

        `REMOTE_STORE_TYPE` is the type of the backend and `REMOTE_STORE_ROOT_PATH` is the root. Every other variable
        with the prefix is a setting, such as `REMOTE_STORE_BUCKET`. An empty variable counts as unset.

        Args:
            prefix: What the names of the variables begin with.

        Returns:
            A store that owns its backend.

        Raises:
            BackendNotInstalled: The backend's distribution is not installed.
            ConfigError: The type is not set, or a variable is not a setting of the backend or has a wrong value.

        Example:
            >>> import os
            >>> os.environ["REMOTE_STORE_TYPE"] = "memory"
            >>> os.environ["REMOTE_STORE_ROOT_PATH"] = "team"
            >>> Store.from_env().root_path
            'team'
        """
        return cls(*from_environment(prefix, find_backend))

    def __repr__(self) -> str:
        return f"Store({self._backend!r}, root_path={self._scope.root!r})"

    @property
    def backend(self) -> Backend:
        """The backend. Its methods take exact keys. Sends no request.

        Returns:
            The backend that the store was made with.

        Example:
            >>> store.backend.name
            'memory'
        """
        return self._backend

    @property
    def root_path(self) -> str:
        """Key of the root in the backend. Sends no request.

        Returns:
            The key; `""` if the root of the store is that of the backend.

        Example:
            >>> store.child("reports").root_path
            'reports'
        """
        return self._scope.root

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the backend can do. Sends no request.

        Returns:
            The capabilities of the backend, as far as they are known without a request.

        Example:
            >>> from remote_store.core import Capability
            >>> Capability.ATOMIC_CREATE in store.capabilities
            True
        """
        return self._backend.capabilities

    def supports(self, capability: Capability) -> bool:
        """Whether the backend has a capability. Sends no request.

        Args:
            capability: The capability. Without it, the methods that need it raise `CapabilityNotSupported`.

        Returns:
            Whether it is in `capabilities`.

        Example:
            >>> from remote_store.core import Capability
            >>> store.supports(Capability.READ)
            True
        """
        return capability in self._backend.capabilities

    def child(self, path: str) -> Store:
        """A store whose root is a folder of this store. It shares the backend; closing it leaves the backend open.

        Sends no request. The folder need not exist.

        Args:
            path: The folder.

        Returns:
            The store below.

        Raises:
            InvalidPath: The path is malformed.

        Example:
            >>> reports = store.child("reports")
            >>> reports.read_bytes("november.csv")
            b'23,99'
        """
        return Store(self._backend, RemotePath.exact(self._scope.folder(path)), owns_backend=False)

    def exists(self, path: str) -> bool:
        """Whether the path is a file or a folder. `True` for the root.

        On S3: 1 request for a file, 2 for a folder or nothing, none for the root.

        Args:
            path: The path; `""` is the root.

        Returns:
            `False` only if the service said that there is neither. A refused request is an error.

        Raises:
            InvalidPath: The path is malformed.
            PermissionDenied: The service did not let the caller look.

        Example:
            >>> store.exists("greeting.txt"), store.exists("reports"), store.exists("none")
            (True, True, False)
        """
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.exists(key)

    def is_file(self, path: str) -> bool:
        """Whether the path is a file. `False` for the root.

        On S3: 1 request, none for the root.

        Args:
            path: The path; `""` is the root.

        Returns:
            `False` for a folder, and if nothing exists. A refused request is an error.

        Raises:
            InvalidPath: The path is malformed.
            PermissionDenied: The service did not let the caller look.

        Example:
            >>> store.is_file("greeting.txt"), store.is_file("reports")
            (True, False)
        """
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.is_file(key)

    def is_folder(self, path: str) -> bool:
        """Whether the path is a folder. `True` for the root.

        On S3: 1 request, none for the root. A folder exists there if some key begins with its path and a slash.

        Args:
            path: The path; `""` is the root.

        Returns:
            `False` for a file, and if nothing exists. A refused request is an error.

        Raises:
            InvalidPath: The path is malformed.
            PermissionDenied: The service did not let the caller look.

        Example:
            >>> store.is_folder("reports"), store.is_folder("greeting.txt")
            (True, False)
        """
        key = self._probed(path)
        with self._scope.errors():
            return self._backend.is_folder(key)

    def read(self, path: str, **options: Unpack[ReadOptions]) -> Reader:
        """Open a file for sequential reading. All reads return bytes of one version of the file.

        `info` of the result describes the file without another request, and `iter_chunks` streams its bytes.

        On S3: 1 request, from whose response the bytes are read, and 1 more for a read after a seek. If the connection
        is slow and much is left, ranges are fetched ahead, several at once.

        Args:
            path: The file.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            A binary file. Close it, best with `with`: it holds a connection.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: Raised by the returned file if the file is replaced while it is read.

        Example:
            >>> with store.read("greeting.txt") as file:
            ...     print(file.info.size, file.read(4))
            5 b'hell'
        """
        key = self._scope.key(path)
        with self._scope.errors():
            file = self._backend.read(key, **self._passed(self._backend.read, ReadOptions, key, options))
        return ScopedReader.of(file, self._scope, key, partial(self._backend.get_file_info, key, **given(options)))

    def read_seekable(self, path: str, buffer_size: int = 0, **options: Unpack[ReadOptions]) -> Reader:
        """Open a file for random access. All reads return bytes of one version of the file.

        `info` of the result describes the file without another request.

        On S3: 1 request, and 1 more for each read. For many small reads, such as the members of a zip archive, pass a
        `buffer_size` of 1 MiB: the file is then fetched in blocks of that size, which later reads share.

        Args:
            path: The file.
            buffer_size: Bytes of a block. A read that is longer is one request of its own. Memory: the 8 blocks that
                were used last, and 2 more while they arrive. 0, the default, means that each read requests exactly its
                own bytes.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            A binary file that can seek. Close it, best with `with`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            CapabilityNotSupported: The backend does not have `SEEKABLE_READ`.
            PreconditionFailed: Raised by the returned file if the file is replaced while it is read.
            TypeError: `buffer_size` is not an `int`.
            ValueError: `buffer_size` is negative.

        Example:
            >>> with store.read_seekable("greeting.txt") as file:
            ...     position = file.seek(-2, 2)
            ...     print(position, file.read())
            3 b'lo'
        """
        check_buffer_size(buffer_size)
        key = self._scope.key(path)
        with self._scope.errors():
            file = self._backend.read_seekable(
                key, **self._passed(self._backend.read_seekable, ReadOptions, key, options)
            )
        reader = ScopedReader.of(file, self._scope, key, partial(self._backend.get_file_info, key, **given(options)))
        return BlockReader(reader, buffer_size, self._scope.path(key)) if buffer_size else reader

    @overload
    def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        """Read a whole file into memory, from a single version.

        On S3: 1 request; from 32 MiB, several at once for ranges of the file.

        Args:
            path: The file.
            options: `if_match`, `if_none_match` and `version_id`; see `ConditionalReadOptions`.

        Returns:
            The content.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: The file was replaced while it was read.

        Example:
            >>> store.read_bytes("greeting.txt")
            b'hello'
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._scope.content(
                self._backend.read_bytes(
                    key, **self._passed(self._backend.read_bytes, ConditionalReadOptions, key, options)
                )
            )

    def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        """Read up to `length` bytes from offset `start`; fewer, or none, if the file ends first.

        On S3: 1 request; from 32 MiB, several at once.

        Args:
            path: The file.
            start: Offset of the first byte.
            length: Number of bytes.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            The bytes of the range.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            ValueError: `start` or `length` is negative.

        Example:
            >>> store.read_range("greeting.txt", 1, 3)
            b'ell'
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._backend.read_range(
                key, start, length, **self._passed(self._backend.read_range, ReadOptions, key, options)
            )

    def read_text(
        self, path: str, *, encoding: str = "utf-8", errors: str = "strict", **options: Unpack[ReadOptions]
    ) -> str:
        """Read a whole file as text. Line endings are not converted.

        On S3: 1 request, as `read_bytes`.

        Args:
            path: The file.
            encoding: Encoding of the text.
            errors: How to handle bytes that cannot be decoded, as in `bytes.decode`.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            The text.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            UnicodeDecodeError: The content cannot be decoded.

        Example:
            >>> store.read_text("greeting.txt")
            'hello'
        """
        content = self.read_bytes(path, **options)
        return content.decode(encoding, errors)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write a whole file. If the write fails, nothing is written.

        A stream is read from its current position to its end and is left open. Exceptions raised by the content pass
        through unchanged.

        On S3: 1 request up to `part_size` (8 MiB), n + 2 for n parts above it. With `overwrite=False`, 1 more if the
        endpoint is not known to honour conditional writes.

        Args:
            path: The file.
            content: Bytes, anything with `read(n)`, or an iterable of bytes.
            overwrite: Replace the file if it exists.
            metadata: User metadata. Names and values are ASCII, names in lower case. At most 900 entries, and 2,048
                bytes of names and values.
            content_type: MIME type to store with the file.
            options: `if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.

        Returns:
            The file as the service confirmed it: size, ETag, version and checksum.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, not canonical, or too long.
            TypeError: The content is text, yields text, or is neither bytes, nor a stream, nor an iterable.
            ValueError: The metadata cannot be stored unchanged.
            CapabilityNotSupported: Metadata, or a content type that the backend would lose, was given and the backend
                does not have `USER_METADATA`.

        Example:
            >>> written = store.write("new.txt", b"content", metadata={"author": "ada"})
            >>> written.path, written.size
            ('new.txt', 7)
        """
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = self._backend.write(
                key,
                as_stream(content),
                overwrite=overwrite,
                metadata=metadata,
                content_type=content_type,
                **self._written(self._backend.write, key, options, overwrite=overwrite),
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
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write like `write`; readers see either the old file or the complete new one.

        On S3: the same as `write`, which is atomic there.

        Args:
            path: The file.
            content: Bytes, anything with `read(n)`, or an iterable of bytes.
            overwrite: Replace the file if it exists.
            metadata: User metadata. Names and values are ASCII, names in lower case. At most 900 entries, and 2,048
                bytes of names and values.
            content_type: MIME type to store with the file.
            options: `if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.

        Returns:
            The file as the service confirmed it.

        Raises:
            CapabilityNotSupported: The backend does not have `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, not canonical, or too long.
            TypeError: The content is text, yields text, or is neither bytes, nor a stream, nor an iterable.
            ValueError: The metadata cannot be stored unchanged.

        Example:
            >>> written = store.write_atomic("new.txt", (line.encode() for line in ["one", "two"]))
            >>> written.size
            6
        """
        key = self._scope.key(path)
        with self._scope.errors(key):
            result = self._backend.write_atomic(
                key,
                as_stream(content),
                overwrite=overwrite,
                metadata=metadata,
                content_type=content_type,
                **self._written(self._backend.write_atomic, key, options, overwrite=overwrite),
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
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write text as a whole file. Line endings are not converted.

        On S3: the same as `write`.

        Args:
            path: The file.
            text: The text.
            encoding: Encoding to use.
            errors: How to handle characters that cannot be encoded, as in `str.encode`.
            overwrite: Replace the file if it exists.
            metadata: User metadata, as in `write`.
            content_type: MIME type to store with the file.
            options: `if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.

        Returns:
            The file as the service confirmed it.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, or malformed.
            TypeError: `text` is not a `str`.
            UnicodeEncodeError: A character cannot be encoded.

        Example:
            >>> written = store.write_text("new.txt", "größe")
            >>> written.size
            7
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}; for bytes, use write")
        content = text.encode(encoding, errors)
        return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options)

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> AbstractContextManager[BinaryIO]:
        """Open a file to write in pieces. It appears complete when the block ends; after an exception, not at all.

        The pieces are kept in memory, and on the local disk once there are more than a few MiB.

        On S3: the requests of `write`, sent when the block ends. With `overwrite=False`, 1 more when it begins.

        Args:
            path: The file.
            overwrite: Replace the file if it exists.
            metadata: User metadata. Names and values are ASCII, names in lower case. At most 900 entries, and 2,048
                bytes of names and values.
            content_type: MIME type to store with the file.
            options: `if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.

        Returns:
            A context manager of a writable and seekable binary file.

        Raises:
            CapabilityNotSupported: The backend does not have `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`. Raised at the end of the block if another writer
                created the file during the block.
            InvalidPath: The path is the root, not canonical, or too long.
            ValueError: The metadata cannot be stored unchanged.

        Example:
            >>> with store.open_atomic("new.txt") as file:
            ...     count = file.write(b"first, ")
            ...     count = file.write(b"second")
            >>> store.read_bytes("new.txt")
            b'first, second'
        """
        key = self._scope.key(path)
        with self._scope.errors():
            passed = self._written(self._backend.open_atomic, key, options, overwrite=overwrite)
            opening = self._backend.open_atomic(
                key, overwrite=overwrite, metadata=metadata, content_type=content_type, **passed
            )
        return ScopedOpening(opening, self._scope, key)

    def upload(
        self,
        source: str | os.PathLike[str] | Content,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        progress: Progress | None = None,
        resume: bool = False,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write a local file, or any content that `write` takes, and report the progress. A stream is left open.

        With `resume=True`, a multipart upload of a local file is left open if it fails or the process is killed. A
        hidden record beside the local file (mode 0600) has its id. The next call with `resume=True` and the same path,
        metadata and options goes on with that upload, and with no other: it sends the parts whose digest is not that
        of the local file as it is now, and completes it. The conditions `overwrite=False` and `if_match` are checked
        at the end. To give up, remove the record, and call `abort_uploads`.

        On S3: the same as `write`. A call that goes on sends 1 request per 1,000 parts, 1 per missing part, and 1 more.

        Args:
            source: Path of a file on the local disk, or content. A `str` is a path. To upload a file that others append
                to, pass the open file.
            path: The file to write.
            overwrite: Replace the file if it exists.
            metadata: User metadata, as in `write`.
            content_type: MIME type to store with the file.
            progress: Called as `progress(done, total, delta)` at the start, before any request, and after each block
                that was read from the source, with the bytes so far, the bytes in all (`None` if the length is not
                known) and the bytes since the last call. Parts that were sent by an earlier call are read and count,
                too. If it raises, nothing is written.
            resume: Go on where an earlier call stopped, and leave the upload open if this one fails.
            options: `if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.

        Returns:
            The file as the service confirmed it.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            BlockingIOError: With `resume=True`, another call is uploading the local file to the same path.
            CapabilityNotSupported: `resume` needs `MULTIPART_UPLOADS`.
            InvalidPath: The path is the root, or malformed.
            OSError: The local file cannot be read, it changed during the upload, or no record can be written beside it.
            ValueError: With `resume=True`, the source is not the path of a regular file, or there is a `checksum`.
            TypeError: The content is not bytes, or `progress` cannot be called as `progress(done, total, delta)`.

        Example:
            >>> written = store.upload(b"content", "new.txt", progress=print)
            0 7 0
            7 7 7
        """
        self._scope.key(path)
        check_progress(progress)
        if resume:
            return self._resume_upload(
                source,
                path,
                overwrite=overwrite,
                metadata=metadata,
                content_type=content_type,
                progress=progress,
                **options,
            )
        with opened(source) as stream:
            content = counted(stream, progress)
            return self.write(
                path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
            )

    def download(
        self,
        path: str,
        local_path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> int:
        """Download a file to the local disk.

        The bytes are written to a hidden temporary file (mode 0600) beside the local file, which is renamed when it is
        complete. If the download fails, the temporary file is removed and an existing local file is unchanged. An
        overwritten file keeps its mode; a new file gets its mode from the umask. A symbolic link is followed.

        With `resume=True`, the temporary file is kept if the download fails or the process is killed, together with a
        record of the version that it belongs to. The next call with `resume=True` goes on behind its last whole block,
        of at most 32 MiB, if the file still has the same ETag; else it starts anew. Bytes are used again only if their
        checksum is the recorded one. The complete file is checked against the checksum of the service, if that covers
        the whole file.

        On S3: 1 request; from 32 MiB, several at once for ranges of the file. Memory: 32 MiB. A download that goes on
        costs 1 request to look at the file, and 1 per block of 8 to 32 MiB.

        Args:
            path: The file to read.
            local_path: Path of the local file. Its folder must exist.
            overwrite: Replace the local file if it exists.
            progress: Called as `progress(done, total, delta)` at the start and after each block that was written to the
                local disk, with the bytes so far, the bytes in all (`None` if the length is not known) and the bytes
                since the last call. A download that goes on starts with the bytes that are there. If it raises, no
                local file is left.
            resume: Go on where an earlier call stopped, and keep the temporary file if this one fails.

        Returns:
            The length of the file in bytes.

        Raises:
            NotFound: The file does not exist.
            FileExistsError: The local file exists and `overwrite` is `False`.
            OSError: The local file cannot be written, the disk is full, `local_path` is a dangling link, or it is a
                device, a pipe or a socket.
            BlockingIOError: With `resume=True`, another call is downloading to the same file.
            BackendUnavailable: The number of bytes received is not the size of the file.
            ChecksumMismatch: The bytes do not match the checksum of the file.
            CapabilityNotSupported: `resume` needs `SEEKABLE_READ`.
            TypeError: `progress` cannot be called as `progress(done, total, delta)`.

        Example:
            >>> store.download("greeting.txt", "copy.txt")
            5
        """
        key = self._scope.key(path)
        check_progress(progress)
        if resume:
            with self._scope.errors():
                require(Capability.SEEKABLE_READ, "resume=True", self._backend.capabilities, key, self._backend.name)
            source = identity(self._backend.resolve(key))
            with resuming(local_path, source, overwrite=overwrite) as partial_file:
                opened = self.read_seekable(path) if partial_file.claims else self.read(path)
                with opened as stream:
                    return continue_transfer(stream, partial_file, path, progress)
        with replacing(local_path, overwrite=overwrite) as target, self.read(path) as stream:
            return transfer(stream, target, path, progress)

    def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        """Delete one file, and nothing else.

        On S3: 2 requests.

        Args:
            path: The file.
            missing_ok: Do nothing if the file does not exist.
            options: `if_match` and `version_id`; see `DeleteOptions`.

        Raises:
            NotFound: The file does not exist and `missing_ok` is `False`.
            InvalidPath: The path is the root, a folder, or malformed, even if `missing_ok` is `True`.

        Example:
            >>> store.delete("greeting.txt")
            >>> store.delete("greeting.txt", missing_ok=True)
        """
        key = self._scope.key(path)
        with self._scope.errors():
            self._backend.delete(
                key, missing_ok=missing_ok, **self._passed(self._backend.delete, DeleteOptions, key, options)
            )

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete a folder and everything below it, but not a file of the same name. The root cannot be deleted.

        On S3: 2 requests per 1,000 files.

        Args:
            path: The folder.
            recursive: Delete the files in it, too.
            missing_ok: Do nothing if the folder does not exist.

        Raises:
            NotFound: The folder does not exist and `missing_ok` is `False`.
            DirectoryNotEmpty: The folder is not empty and `recursive` is `False`.
            InvalidPath: The path is the root, a file, or malformed, even if `missing_ok` is `True`.
            RemoteStoreError: Some files could not be deleted. `paths` contains them.

        Example:
            >>> store.delete_folder("reports", recursive=True)
            >>> store.exists("reports/november.csv")
            False
        """
        key = self._scope.key(path)
        with self._scope.errors():
            self._backend.delete_folder(key, recursive=recursive, missing_ok=missing_ok)

    def list_files(
        self, path: str = "", *, recursive: bool = False, max_depth: int | None = None, pattern: str | None = None
    ) -> Iterator[FileInfo]:
        """Iterate over the files of a folder, lazily and in unspecified order. Yields nothing if there is no folder.

        On S3: 1 request per 1,000 keys, whatever the number of folders.

        Args:
            path: The folder; `""` is the root.
            recursive: Include the files of subfolders at any depth.
            max_depth: How many levels of subfolders to include; 0 means none. Overrides `recursive`.
            pattern: Yield only files whose name (the last segment) matches. To match whole paths, use `glob`. Supports
                `*`, `?` and `[...]`; case-sensitive.

        Returns:
            An iterator. What the listing of the service does not contain, such as metadata on S3, is `None`.

        Raises:
            InvalidPath: The pattern has a slash, or a reversed range, such as `[z-a]`.
            TypeError: `max_depth` is not an `int`.
            ValueError: `max_depth` is negative.
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.

        Example:
            >>> for info in store.list_files(recursive=True, pattern="*.csv"):
            ...     print(info.path, info.size)
            reports/november.csv 5
        """
        check_max_depth(max_depth)
        if max_depth is not None:
            recursive = max_depth > 0
        matches = None if pattern is None else name_matcher(pattern, self._backend.name)
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_files(key, recursive=recursive, max_depth=max_depth)
        return self._listed(rows, self._scope.file, matches)

    def list_folders(self, path: str = "") -> Iterator[FolderEntry]:
        """Iterate over the direct subfolders of a folder, lazily and in unspecified order.

        On S3: 1 request per 1,000 entries.

        Args:
            path: The folder; `""` is the root.

        Returns:
            An iterator. It yields nothing if there is no folder.

        Raises:
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.

        Example:
            >>> for folder in store.list_folders():
            ...     print(folder.path)
            reports
        """
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.list_folders(key)
        return self._listed(rows, self._scope.entry)

    def iter_children(self, path: str = "") -> Iterator[FileInfo | FolderEntry]:
        """Iterate over the direct files and subfolders of a folder, lazily and in unspecified order.

        On S3: 1 request per 1,000 entries.

        Args:
            path: The folder; `""` is the root.

        Returns:
            An iterator. It yields nothing if there is no folder.

        Raises:
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.

        Example:
            >>> sorted([child.name for child in store.iter_children()])
            ['greeting.txt', 'reports']
        """
        key = self._scope.folder(path)
        with self._scope.errors():
            rows = self._backend.iter_children(key)
        return self._listed(rows, self._scope.child)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Iterate over the files whose path relative to the root matches a pattern, lazily and in unspecified order.

        `*` and `?` match within a segment, a segment `**` matches any number of segments, and `[...]` matches one
        character of a set. Write `[*]` to match a literal star.

        On S3: 1 request per 1,000 keys that begin like the pattern, up to its first wildcard.

        Args:
            pattern: The pattern.

        Returns:
            An iterator.

        Raises:
            InvalidPath: The pattern is empty or has a `..` segment.
            CapabilityNotSupported: The backend does not have `GLOB`.

        Example:
            >>> for info in store.glob("**/*.csv"):
            ...     print(info.path)
            reports/november.csv
        """
        GlobPattern.parse(pattern, self._backend.name)
        with self._scope.errors():
            rows = self._backend.glob(self._scope.pattern(pattern))
        return self._listed(rows, self._scope.file)

    @overload
    def head(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    def head(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    def head(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        """Short name of `get_file_info`.

        On S3: 1 request.

        Args:
            path: The file.
            options: `if_match`, `if_none_match` and `version_id`; see `ConditionalReadOptions`.

        Returns:
            The attributes. What the service did not say is `None`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.

        Example:
            >>> info = store.head("greeting.txt")
            >>> info.size
            5
        """
        return self.get_file_info(path, **options)

    @overload
    def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        """Size, time and other attributes of one file.

        On S3: 1 request.

        Args:
            path: The file.
            options: `if_match`, `if_none_match` and `version_id`; see `ConditionalReadOptions`.

        Returns:
            The attributes. What the service did not say is `None`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.

        Example:
            >>> info = store.get_file_info("greeting.txt")
            >>> info.name, info.size
            ('greeting.txt', 5)
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._scope.found(
                self._backend.get_file_info(
                    key, **self._passed(self._backend.get_file_info, ConditionalReadOptions, key, options)
                )
            )

    def get_folder_info(self, path: str = "") -> FolderInfo:
        """Totals over all files in a folder and its subfolders. An empty root has totals of 0.

        On S3: 1 request per 1,000 files.

        Args:
            path: The folder; `""` is the root.

        Returns:
            The number of files, their size, and the time of the latest write.

        Raises:
            NotFound: The folder does not exist.
            InvalidPath: The path is a file, or malformed.

        Example:
            >>> info = store.get_folder_info("reports")
            >>> info.file_count, info.total_size
            (1, 5)
        """
        key = self._scope.folder(path)
        with self._scope.errors():
            try:
                return self._scope.totals(self._backend.get_folder_info(key))
            except NotFound:
                if not self._scope.is_root(path) or not self._scope.prefix:
                    raise
                return FolderInfo(RemotePath.exact(""), 0, 0)

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        """Move one file. At least one complete copy exists at all times. Moving a file onto itself changes nothing.

        On S3: 3 requests, and 1 more for each condition that the endpoint is not known to honour. S3 has no rename: the
        server copies the bytes.

        Args:
            src: The file to move.
            dst: Its new path.
            overwrite: Replace `dst` if it exists.
            options: `if_match`, for `src`; see `MoveOptions`.

        Raises:
            NotFound: `src` does not exist.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.
            PreconditionFailed: `src` changed during the move. `src` is kept, and `dst` has the version that was copied.

        Example:
            >>> store.move("greeting.txt", "archive/greeting.txt")
            >>> store.exists("greeting.txt")
            False
        """
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            self._backend.move(
                source, target, overwrite=overwrite, **self._passed(self._backend.move, MoveOptions, source, options)
            )

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        """Copy one file with its metadata and content type. Copying a file onto itself changes nothing.

        On S3: 1 or 2 requests, and 1 per part above 5 GiB. The server copies the bytes.

        Args:
            src: The file to copy.
            dst: The path of the copy.
            overwrite: Replace `dst` if it exists.
            options: `if_match` and `version_id`, for `src`; see `CopyOptions`.

        Raises:
            NotFound: `src` does not exist.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.

        Example:
            >>> store.copy("greeting.txt", "greeting.bak")
            >>> store.read_bytes("greeting.bak")
            b'hello'
        """
        source, target = self._scope.key(src), self._scope.key(dst)
        with self._scope.errors():
            self._backend.copy(
                source, target, overwrite=overwrite, **self._passed(self._backend.copy, CopyOptions, source, options)
            )

    def native_path(self, path: str = "") -> str:
        """The path in the backend's own notation, such as `bucket/prefix/path`. Sends no request.

        Args:
            path: A file or a folder; `""` is the root. It need not exist.

        Returns:
            The native path.

        Raises:
            InvalidPath: The path is malformed.

        Example:
            >>> store.native_path("greeting.txt")
            'memory://greeting.txt'
        """
        return self._backend.native_path(self._scope.folder(path))

    def to_key(self, native_path: str) -> RemotePath:
        """The store's path for a native path: the inverse of `native_path`. Sends no request.

        Args:
            native_path: A path in the backend's own notation.

        Returns:
            The path, which every method takes as it is.

        Raises:
            InvalidPath: The path does not belong to the backend, or is outside the root.

        Example:
            >>> path = store.to_key("memory://greeting.txt")
            >>> store.read_text(path)
            'hello'
        """
        key = self._backend.to_key(native_path)
        if not self._scope.holds(key):
            raise InvalidPath("the path is outside the root of the store; use a path below it", path=native_path)
        return self._scope.path(key)

    def resolve(self, path: str = "") -> ResolutionPlan:
        """The location of a path, with its key in the backend. Sends no request; contains no secret.

        Args:
            path: A file or a folder; `""` is the root. It need not exist.

        Returns:
            The kind of backend, its name, the key, the native path, and details such as bucket and region.

        Raises:
            InvalidPath: The path is malformed.

        Example:
            >>> store.child("reports").resolve("november.csv").key
            'reports/november.csv'
        """
        return self._backend.resolve(self._scope.folder(path))

    def ping(self) -> None:
        """Short name of `check_health`.

        On S3: 1 request, which lists 1 key. The answer comes within 10 s, with all retries.

        Raises:
            NotFound: The bucket or the base folder does not exist.
            PermissionDenied: The service rejected the credentials.
            BackendUnavailable: The service did not respond.

        Example:
            >>> store.ping()
        """
        self.check_health()

    def check_health(self) -> None:
        """Send a request to check that the backend can be used.

        On S3: 1 request, which lists 1 key. The answer comes within 10 s, with all retries.

        Raises:
            NotFound: The bucket or the base folder does not exist.
            PermissionDenied: The service rejected the credentials.
            BackendUnavailable: The service did not respond.

        Example:
            >>> store.check_health()
        """
        with self._scope.errors():
            self._backend.check_health()

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type. The contract does not cover calls made through it.

        On S3: no request. The docstring of the lane lists its handles.

        Args:
            kind: The type, such as the client of an SDK.

        Returns:
            The handle, which belongs to the backend: do not close it.

        Raises:
            CapabilityNotSupported: The backend has no handle of that type.

        Example:
            On the boto3 lane, `store.unwrap(botocore.client.BaseClient)` is the client. In memory there is no handle.

            >>> from remote_store.core import CapabilityNotSupported
            >>> try:
            ...     store.unwrap(dict)
            ... except CapabilityNotSupported as error:
            ...     print(error.capability)
            unwrap
        """
        return self._backend.unwrap(kind)

    def close(self) -> None:
        """Close the backend if the store owns it. Otherwise does nothing. Sends no request.

        Afterwards every method that needs the backend raises `BackendUnavailable`. Closing again does nothing. A `with`
        block closes the store at its end.

        Example:
            >>> store.close()
        """
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
    """Make a configured store from a `Config`, a dict, or the path of a TOML file. Sends no request.

    Args:
        config: The configuration; a `str` is the path of a file.
        name: Name of the store in the configuration.

    Returns:
        A store that owns its backend.

    Raises:
        BackendNotInstalled: The backend's distribution is not installed.
        ConfigError: The configuration is not valid, or has no such store. The message says what to change.
        OSError: The file cannot be read.

    Example:
        >>> from remote_store.core import open_store
        >>> tables = {"backends": {"main": {"type": "memory"}}, "stores": {"lake": {"backend": "main"}}}
        >>> store = open_store(tables, "lake")
        >>> store.exists("nothing.txt")
        False
    """
    return Store.from_config(config_of(config), name)
