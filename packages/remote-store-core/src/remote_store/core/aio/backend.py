"""The contract that a backend keeps: what its author writes, and what a store calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self, TypeVar

from remote_store.core.capabilities import Capability
from remote_store.core.home import public
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult

T = TypeVar("T")


@public("remote_store.core")
class AsyncBackend(ABC):
    """One place where files live. Every method is abstract: a backend keeps the contract whole or says what it lacks.

    Paths are exact keys, `""` is the root. A method that writes refuses a key that is not canonical; one that reads,
    deletes or copies from takes any key that a listing returned. A folder's path may end in a slash.

    Attributes:
        name: Name of the backend, shown in errors, such as `s3-boto3`.
        capabilities: What it promises; declared on the class, narrowed on an instance that promises less.
    """

    name: str
    capabilities: frozenset[Capability]

    @abstractmethod
    async def exists(self, path: str) -> bool:
        """Whether a file or a folder is there; `True` for the root without a look."""

    @abstractmethod
    async def is_file(self, path: str) -> bool:
        """Whether a file is there; `False` for the root."""

    @abstractmethod
    async def is_folder(self, path: str) -> bool:
        """Whether a folder is there; `True` for the root without a look."""

    @abstractmethod
    async def read(self, path: str) -> AsyncBinaryIO:
        """Open a file for reading from its start.

        Every read after the first is of the same version of the file.

        Raises:
            NotFound: There is no such file.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: Later, from the stream: the file changed while it was read.
        """

    @abstractmethod
    async def read_seekable(self, path: str) -> AsyncBinaryIO:
        """Open a file for random access; nothing is read that was not asked for.

        Raises:
            NotFound: There is no such file.
            InvalidPath: The path is the root, a folder, or malformed.
            CapabilityNotSupported: The backend has no `SEEKABLE_READ`.
            PreconditionFailed: Later, from the stream: the file changed while it was read.
        """

    @abstractmethod
    async def read_bytes(self, path: str) -> bytes:
        """The whole content of a file, of one version.

        Raises:
            NotFound: There is no such file.
            InvalidPath: The path is the root, a folder, or malformed.
        """

    @abstractmethod
    async def read_range(self, path: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from offset `start`; fewer, or none, where the file ends before.

        Raises:
            NotFound: There is no such file.
            InvalidPath: The path is the root, a folder, or malformed.
            ValueError: `start` or `length` is negative.
        """

    @abstractmethod
    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write a whole file, or nothing.

        A stream is read from where it stands to its end and stays open. An exception of the stream passes through.

        Args:
            path: The file.
            content: The bytes, or a binary stream of them.
            overwrite: Replace a file that exists.
            metadata: The user's own metadata: ASCII names and values, names in lower case; at most 900 entries and
                2,048 bytes of names and values.
            content_type: MIME type to store with the file.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, not canonical, or too long.
            TypeError: The content is text, or no bytes at all.
            ValueError: The metadata cannot be stored as it is.
            CapabilityNotSupported: Metadata was given and the backend has no `USER_METADATA`.
        """

    @abstractmethod
    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write like `write`; a reader sees the old file or the whole new one.

        Raises:
            CapabilityNotSupported: The backend has no `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`.
        """

    @abstractmethod
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AbstractAsyncContextManager[AsyncBinaryIO]:
        """Open a file to be written piece by piece; it appears whole on a clean exit, and not at all on an exception.

        Raises:
            CapabilityNotSupported: The backend has no `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`; at the exit where another writer was faster.
        """

    @abstractmethod
    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete one file, and nothing else.

        Raises:
            NotFound: There is no such file and `missing_ok` is `False`.
            InvalidPath: The path is the root, a folder, or malformed, whatever `missing_ok` says.
        """

    @abstractmethod
    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete a folder: what is below it, not a file of the same name.

        Raises:
            NotFound: There is no such folder and `missing_ok` is `False`.
            DirectoryNotEmpty: The folder has content and `recursive` is `False`.
            InvalidPath: The path is the root, a file, or malformed, whatever `missing_ok` says.
            RemoteStoreError: Some files could not be deleted; `paths` names them.
        """

    @abstractmethod
    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        """The files of a folder, lazily, in no promised order; none for a path that is no folder.

        Args:
            path: The folder, `""` for the root.
            recursive: Also the files of its subfolders.
            max_depth: With `recursive`, how many levels of subfolders to include; 0 means none, `None` all.

        Raises:
            ValueError: `max_depth` is negative.
            RemoteStoreError: The listing broke; what came before is not the whole.
        """

    @abstractmethod
    def list_folders(self, path: str) -> AsyncIterator[FolderEntry]:
        """The folders directly in a folder, lazily, in no promised order."""

    @abstractmethod
    def iter_children(self, path: str) -> AsyncIterator[FileInfo | FolderEntry]:
        """The files and the folders directly in a folder, lazily, in no promised order."""

    @abstractmethod
    async def get_file_info(self, path: str) -> FileInfo:
        """The facts of one file.

        Raises:
            NotFound: There is no such file.
            InvalidPath: The path is the root, a folder, or malformed.
        """

    @abstractmethod
    async def get_folder_info(self, path: str) -> FolderInfo:
        """The totals of one folder, at every depth; the root always has them.

        Raises:
            NotFound: There is no such folder.
            InvalidPath: The path is a file, or malformed.
        """

    @abstractmethod
    async def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Move one file; at least one whole copy exists at any time. Onto itself it changes nothing.

        Raises:
            NotFound: There is no file at `src`.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.
            PreconditionFailed: `src` changed meanwhile; `dst` has what was copied and `src` is kept.
        """

    @abstractmethod
    async def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Copy one file with its metadata and content type. Onto itself it changes nothing.

        Raises:
            NotFound: There is no file at `src`.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.
        """

    @abstractmethod
    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        """The files whose whole path matches a pattern, lazily, in no promised order.

        `*` and `?` stay inside a segment, `**` as a whole segment spans any number of them, `[...]` is a set of
        characters; `[*]` matches a star itself.

        Raises:
            InvalidPath: The pattern is empty or has a `..` segment.
            CapabilityNotSupported: The backend has no `GLOB`.
        """

    @abstractmethod
    def native_path(self, key: str) -> str:
        """The key in the backend's own notation, such as `bucket/key`; no I/O."""

    @abstractmethod
    def to_key(self, path: str) -> str:
        """The key of a native path; the inverse of `native_path`, no I/O.

        Raises:
            InvalidPath: The path does not belong to this backend.
        """

    @abstractmethod
    def resolve(self, key: str) -> ResolutionPlan:
        """Where the key would live; no I/O, no secret."""

    @abstractmethod
    async def check_health(self) -> None:
        """Ask the service whether the backend can work.

        Raises:
            NotFound: The bucket or the base folder does not exist.
            PermissionDenied: The credentials are not accepted.
            BackendUnavailable: The service does not answer.
        """

    @abstractmethod
    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle of the given type; what is done through it is outside the contract.

        Raises:
            CapabilityNotSupported: The backend has no handle of that type.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release everything, for good; a second call does nothing, every other method then raises."""

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
