# Generated from packages/remote-store-core/src/remote_store/core/aio/backend.py by tools/unasync.py; edit that.
"""The abstract base class of backends: the methods that an author implements and that a store calls."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from remote_store.core.capabilities import Capability
from remote_store.core.home import public
from remote_store.core.io.source import Content
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.optional import Optional

T = TypeVar("T")


@public("remote_store.core")
class Backend(Optional):
    """Base class of backends. A method that a backend cannot support raises `CapabilityNotSupported`.

    The methods of contract 0.1 are abstract. Those that came later have a default, and keyword arguments that came
    later are passed only if a caller gives them: `ReadOptions`, `WriteOptions`, `DeleteOptions`, `MoveOptions` and
    `CopyOptions` list them. A backend takes those whose capability it declares. So declare capabilities by name:
    `frozenset(Capability)` would declare those of later contracts too.

    Paths are exact keys, and `""` is the root. Methods that write refuse keys that are not canonical. Methods that
    read, delete or copy from a file accept any key that a listing returned. The path of a folder may end in a slash.

    Attributes:
        name: Name of the backend, such as `s3-boto3`. It is shown in errors.
        capabilities: The supported features. The class declares a set; an instance may declare fewer.
    """

    name: str
    capabilities: frozenset[Capability]

    @abstractmethod
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
        """

    @abstractmethod
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
        """

    @abstractmethod
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
        """

    @abstractmethod
    def read(self, path: str) -> BinaryIO:
        """Open a file for sequential reading. All reads return bytes of one version of the file.

        If the response that opens the file also describes it, derive the stream from `Reader`, or set its
        attribute `info` to the `FileInfo`. If you do not, a store calls `get_file_info` when a user asks for `info`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: Raised by the returned stream if the file changes while it is read.
        """

    @abstractmethod
    def read_seekable(self, path: str) -> BinaryIO:
        """Open a file for random access. Only the requested bytes are transferred.

        The result may have `info`, as in `read`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            CapabilityNotSupported: The backend does not have `SEEKABLE_READ`.
            PreconditionFailed: Raised by the returned stream if the file changes while it is read.
        """

    @abstractmethod
    def read_bytes(self, path: str) -> bytes:
        """Read a whole file into memory, from a single version.

        On S3: 1 request; from 32 MiB, several at once for ranges of the file.

        Args:
            path: The file.

        Returns:
            The content.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: The file was replaced while it was read.
        """

    @abstractmethod
    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Read up to `length` bytes from offset `start`; fewer, or none, if the file ends first.

        On S3: 1 request; from 32 MiB, several at once.

        Args:
            path: The file.
            start: Offset of the first byte.
            length: Number of bytes.

        Returns:
            The bytes of the range.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            ValueError: `start` or `length` is negative.
        """

    @abstractmethod
    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
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

        Returns:
            The file as the service confirmed it: size, ETag, version and checksum.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, not canonical, or too long.
            TypeError: The content is text, yields text, or is neither bytes, nor a stream, nor an iterable.
            ValueError: The metadata cannot be stored unchanged.
            CapabilityNotSupported: Metadata, or a content type that the backend would lose, was given and the backend
                does not have `USER_METADATA`.
        """

    @abstractmethod
    def write_atomic(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
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

        Returns:
            The file as the service confirmed it.

        Raises:
            CapabilityNotSupported: The backend does not have `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is the root, not canonical, or too long.
            TypeError: The content is text, yields text, or is neither bytes, nor a stream, nor an iterable.
            ValueError: The metadata cannot be stored unchanged.
        """

    @abstractmethod
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
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

        Returns:
            A context manager of a writable and seekable binary file.

        Raises:
            CapabilityNotSupported: The backend does not have `ATOMIC_WRITE`.
            AlreadyExists: The file exists and `overwrite` is `False`. Raised at the end of the block if another writer
                created the file during the block.
            InvalidPath: The path is the root, not canonical, or too long.
            ValueError: The metadata cannot be stored unchanged.
        """

    @abstractmethod
    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete one file, and nothing else.

        On S3: 2 requests.

        Args:
            path: The file.
            missing_ok: Do nothing if the file does not exist.

        Raises:
            NotFound: The file does not exist and `missing_ok` is `False`.
            InvalidPath: The path is the root, a folder, or malformed, even if `missing_ok` is `True`.
        """

    @abstractmethod
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
        """

    @abstractmethod
    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        """Iterate over the files of a folder, lazily and in unspecified order. Yields nothing if there is no folder.

        On S3: 1 request per 1,000 keys, whatever the number of folders.

        Args:
            path: The folder; `""` is the root.
            recursive: Include the files of subfolders.
            max_depth: With `recursive`, how many levels of subfolders to include; 0 means none, `None` all.

        Returns:
            An iterator. What the listing of the service does not contain, such as metadata on S3, is `None`.

        Raises:
            ValueError: `max_depth` is negative.
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.
        """

    @abstractmethod
    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        """Iterate over the direct subfolders of a folder, lazily and in unspecified order.

        On S3: 1 request per 1,000 entries.

        Args:
            path: The folder; `""` is the root.

        Returns:
            An iterator. It yields nothing if there is no folder.

        Raises:
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.
        """

    @abstractmethod
    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        """Iterate over the direct files and subfolders of a folder, lazily and in unspecified order.

        On S3: 1 request per 1,000 entries.

        Args:
            path: The folder; `""` is the root.

        Returns:
            An iterator. It yields nothing if there is no folder.

        Raises:
            RemoteStoreError: A request failed during the listing, so the rows returned so far are incomplete.
        """

    @abstractmethod
    def get_file_info(self, path: str) -> FileInfo:
        """Size, time and other attributes of one file.

        On S3: 1 request.

        Args:
            path: The file.

        Returns:
            The attributes. What the service did not say is `None`.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
        """

    @abstractmethod
    def get_folder_info(self, path: str) -> FolderInfo:
        """Totals over all files in a folder and its subfolders. An empty root has totals of 0.

        On S3: 1 request per 1,000 files.

        Args:
            path: The folder; `""` is the root.

        Returns:
            The number of files, their size, and the time of the latest write.

        Raises:
            NotFound: The folder does not exist.
            InvalidPath: The path is a file, or malformed.
        """

    @abstractmethod
    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Move one file. At least one complete copy exists at all times. Moving a file onto itself changes nothing.

        On S3: 3 requests, and 1 more for each condition that the endpoint is not known to honour. S3 has no rename: the
        server copies the bytes.

        Args:
            src: The file to move.
            dst: Its new path.
            overwrite: Replace `dst` if it exists.

        Raises:
            NotFound: `src` does not exist.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.
            PreconditionFailed: `src` changed during the move. `src` is kept, and `dst` has the version that was copied.
        """

    @abstractmethod
    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Copy one file with its metadata and content type. Copying a file onto itself changes nothing.

        On S3: 1 or 2 requests, and 1 per part above 5 GiB. The server copies the bytes.

        Args:
            src: The file to copy.
            dst: The path of the copy.
            overwrite: Replace `dst` if it exists.

        Raises:
            NotFound: `src` does not exist.
            AlreadyExists: `dst` exists and `overwrite` is `False`.
            InvalidPath: A path is the root or a folder, or `dst` is not canonical.
        """

    @abstractmethod
    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """Iterate over the files whose whole path matches a pattern, lazily and in unspecified order.

        `*` and `?` match within a segment, a segment `**` matches any number of segments, and `[...]` matches one
        character of a set. Write `[*]` to match a literal star.

        Raises:
            InvalidPath: The pattern is empty or has a `..` segment.
            CapabilityNotSupported: The backend does not have `GLOB`.
        """

    @abstractmethod
    def native_path(self, key: str) -> str:
        """The path of a key in the backend's own notation, such as `bucket/key`. No I/O."""

    @abstractmethod
    def to_key(self, path: str) -> str:
        """The key of a native path: the inverse of `native_path`. No I/O.

        Raises:
            InvalidPath: The path does not belong to this backend.
        """

    @abstractmethod
    def resolve(self, key: str) -> ResolutionPlan:
        """The location of a key. No I/O; contains no secret."""

    @abstractmethod
    def check_health(self) -> None:
        """Send a request to check that the backend can be used.

        On S3: 1 request, which lists 1 key. The answer comes within 10 s, with all retries.

        Raises:
            NotFound: The bucket or the base folder does not exist.
            PermissionDenied: The service rejected the credentials.
            BackendUnavailable: The service did not respond.
        """

    @abstractmethod
    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type. The contract does not cover calls made through it.

        On S3: no request. The docstring of the lane lists its handles.

        Args:
            kind: The type, such as the client of an SDK.

        Returns:
            The handle, which belongs to the backend: do not close it.

        Raises:
            CapabilityNotSupported: The backend has no handle of that type.
        """

    @abstractmethod
    def close(self) -> None:
        """Release all resources. Every other method then raises; closing again does nothing."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
