"""Files of an fsspec filesystem."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self, TypeVar, cast

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from remote_store.core import (
    AlreadyExists,
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    Content,
    DirectoryNotEmpty,
    FileInfo,
    FolderEntry,
    FolderInfo,
    GlobPattern,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RangeReader,
    RemoteStoreError,
    ResolutionPlan,
    Source,
    WriteResult,
    check_content_type,
    check_max_depth,
    check_metadata,
    check_range,
    require_canonical,
    require_file_path,
    require_text,
)

T = TypeVar("T")
BLOCK = 1 << 20
TIMES = ("mtime", "LastModified", "last_modified", "modified", "created")
ERRORS: tuple[tuple[type[OSError], type[RemoteStoreError], str], ...] = (
    (FileNotFoundError, NotFound, "there is no such file"),
    (FileExistsError, AlreadyExists, "the file exists; pass overwrite=True to replace it"),
    (IsADirectoryError, InvalidPath, "the path is a folder; name a file"),
    (NotADirectoryError, InvalidPath, "a file stands where a folder is needed"),
    (PermissionError, PermissionDenied, "the filesystem denies access; check its permissions"),
    (ConnectionError, BackendUnavailable, "the filesystem does not respond; try again"),
    (TimeoutError, BackendUnavailable, "the filesystem does not respond; try again"),
)


class FsspecBackend(Backend):
    """Files below a folder of an fsspec filesystem whose folders are a tree.

    The backend calls only functions of fsspec that take a path literally. Functions that expand wildcards, such as
    `rm`, `mv` and `copy`, can delete or move other files than the given one. fsspec has no user metadata, and does not
    guarantee atomic writes or that a create has one winner, so these capabilities are not declared. A reader checks
    after each block that the file is still the one that it opened. Writes hold the whole content in memory.

    Args:
        fs: The filesystem.
        root: The folder, as the filesystem writes it; it must exist.
    """

    name = "fsspec"
    capabilities = frozenset(
        {
            Capability.READ,
            Capability.WRITE,
            Capability.DELETE,
            Capability.LIST,
            Capability.GLOB,
            Capability.MOVE,
            Capability.COPY,
            Capability.METADATA,
            Capability.SEEKABLE_READ,
            Capability.LAZY_READ,
            Capability.RANGE_READ,
        }
    )

    def __init__(self, fs: AbstractFileSystem, root: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
        self._base = f"{protocol}://{self._root}/"
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    def exists(self, path: str) -> bool:
        return self._kind(path) is not None

    def is_file(self, path: str) -> bool:
        return self._kind(path) == "file"

    def is_folder(self, path: str) -> bool:
        return self._kind(path) == "directory"

    def read(self, path: str) -> BinaryIO:
        return io.BufferedReader(self._reader(path), BLOCK)

    def read_seekable(self, path: str) -> BinaryIO:
        return cast("BinaryIO", self._reader(path))

    def read_bytes(self, path: str) -> bytes:
        info = self._file(path)
        return self._fetch(path, info, 0, info["size"])

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        return self._fetch(path, self._file(path), start, length)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._check_open()
        require_canonical(path, self.name)
        check_content_type(content_type)
        if check_metadata(metadata):
            self._refuse(Capability.USER_METADATA, path)
        source = Source(content)
        self._check_target(path, overwrite=overwrite)
        data = source.read_rest()
        mode = "overwrite" if overwrite else "create"
        self._place(path, lambda native: self._fs.pipe_file(native, data, mode=mode))
        return WriteResult(path, len(data))

    def write_atomic(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._refuse(Capability.ATOMIC_WRITE, path)

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AbstractContextManager[BinaryIO]:
        self._refuse(Capability.ATOMIC_WRITE, path)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        with suppress(NotFound) if missing_ok else nullcontext(), self._errors(path):
            self._fs.rm_file(self._file(path)["name"])

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with suppress(NotFound) if missing_ok else nullcontext():
            self._check_folder(path)
            entries = list(self._walk(path, None))
            if entries and not recursive:
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            self._remove(path, entries)

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_text(path, self.name)
        check_max_depth(max_depth)
        return (entry for entry in self._walk(path, max_depth if recursive else 0) if isinstance(entry, FileInfo))

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (entry for entry in self.iter_children(path) if isinstance(entry, FolderEntry))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        self._check_open()
        require_text(path, self.name)
        return self._walk(path, 0)

    def get_file_info(self, path: str) -> FileInfo:
        return describe(path, self._file(path))

    def get_folder_info(self, path: str) -> FolderInfo:
        self._check_folder(path)
        files = list(self.list_files(path, recursive=True))
        latest = max((file.modified_at for file in files if file.modified_at), default=None)
        return FolderInfo(path, len(files), sum(file.size for file in files), latest)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.copy(src, dst, overwrite=overwrite)
        if src != dst:
            with self._errors(src):
                self._fs.rm_file(self._native(src))

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._check_open()
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        source = self._file(src)["name"]
        if src != dst:
            self._check_target(dst, overwrite=overwrite)
            self._place(dst, partial(self._fs.cp_file, source))

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        files = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in files if parsed.matches(file.path))

    def native_path(self, key: str) -> str:
        return self._base + key

    def to_key(self, path: str) -> str:
        if not path.startswith(self._base):
            raise InvalidPath(f"a path of this backend begins with {self._base}", path=path, backend=self.name)
        return path.removeprefix(self._base)

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("fsspec", self.name, key, self.native_path(key))

    def check_health(self) -> None:
        self._check_open()
        if self._look("") is None:
            raise NotFound(f"the root {self._root!r} does not exist; create it", backend=self.name)

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle: the filesystem, by its class or `fsspec.AbstractFileSystem`."""
        self._check_open()
        if issubclass(kind, AbstractFileSystem) and isinstance(self._fs, kind):
            return self._fs
        message = f"there is no {kind.__name__}; the native handle is an fsspec.AbstractFileSystem"
        raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self.name)

    def _refuse(self, capability: Capability, path: str) -> NoReturn:
        self._check_open()
        message = f"fsspec filesystems have no {capability.value}"
        raise CapabilityNotSupported(message, capability=capability.value, path=path, backend=self.name)

    def _native(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _look(self, path: str) -> dict[str, Any] | None:
        """The filesystem's facts about a path. A path that it would rewrite counts as missing."""
        if path and any(segment in ("", ".", "..") for segment in path.split("/")):
            return None
        with self._errors(path), suppress(FileNotFoundError, NotADirectoryError):
            return cast("dict[str, Any]", self._fs.info(self._native(path), refresh=True))
        return None

    def _kind(self, path: str) -> str | None:
        self._check_open()
        require_text(path, self.name)
        if path == "":
            return "directory"
        info = self._look(path)
        if info is None and path.endswith("/"):
            info = self._look(path[:-1])
            return "directory" if info and info["type"] == "directory" else None
        return info["type"] if info else None

    def _file(self, path: str) -> dict[str, Any]:
        self._check_open()
        require_file_path(path, self.name)
        info = self._look(path)
        if info is None and self._kind(path) is None:
            raise NotFound("there is no such file", path=path, backend=self.name)
        if info is None or info["type"] != "file":
            raise InvalidPath("the path is a folder; name a file", path=path, backend=self.name)
        return info

    def _check_folder(self, path: str) -> None:
        kind = self._kind(path)
        if kind is None and self._kind(path.removesuffix("/")) is None:
            raise NotFound("there is no such folder", path=path, backend=self.name)
        if kind != "directory":
            raise InvalidPath("the path is a file; name a folder", path=path, backend=self.name)

    def _reader(self, path: str) -> RangeReader:
        info = self._file(path)
        return RangeReader(partial(self._fetch, path, info), info["size"], path=path, backend=self.name)

    def _fetch(self, path: str, info: dict[str, Any], start: int, length: int) -> bytes:
        self._check_open()
        end = min(start + length, info["size"])
        with self._errors(path):
            data: bytes = self._fs.cat_file(self._native(path), start, end) if start < end else b""
        if self._look(path) != info:
            message = "the file changed while it was read; open it again"
            raise PreconditionFailed(message, path=path, backend=self.name)
        return data

    def _check_target(self, path: str, *, overwrite: bool) -> None:
        kind = self._kind(path)
        if kind == "directory":
            raise InvalidPath("the path is a folder; name a file", path=path, backend=self.name)
        if kind is not None and not overwrite:
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self.name)
        if any(self._kind(path[:end]) == "file" for end, sign in enumerate(path) if sign == "/"):
            raise InvalidPath("a file stands where a folder is needed", path=path, backend=self.name)

    def _place(self, path: str, put: Callable[[str], None]) -> None:
        """Put a file at a path, and create the folders above it if the filesystem does not."""
        native = self._native(path)
        with self._errors(path):
            try:
                put(native)
            except FileNotFoundError:
                self.check_health()
                self._fs.makedirs(native.rpartition("/")[0], exist_ok=True)
                put(native)

    def _walk(self, path: str, deepest: int | None) -> Iterator[FileInfo | FolderEntry]:
        pending = [(path.removesuffix("/"), 0)] if self._kind(path) == "directory" else []
        while pending:
            folder, depth = pending.pop()
            for info in self._children(folder):
                name = info["name"].rstrip("/").rpartition("/")[2]
                key = f"{folder}/{name}" if folder else name
                if info["type"] == "file":
                    yield describe(key, info)
                elif info["type"] == "directory":
                    yield FolderEntry(key, name)
                    if deepest is None or depth < deepest:
                        pending.append((key, depth + 1))

    def _children(self, folder: str) -> list[dict[str, Any]]:
        with self._errors(folder), suppress(FileNotFoundError, NotADirectoryError):
            return cast("list[dict[str, Any]]", self._fs.ls(self._native(folder), detail=True, refresh=True))
        return []

    def _remove(self, path: str, entries: list[FileInfo | FolderEntry]) -> None:
        left: dict[str, OSError] = {}
        for entry in entries:
            if isinstance(entry, FileInfo):
                try:
                    self._fs.rm_file(self._native(entry.path))
                except FileNotFoundError:
                    pass
                except OSError as error:
                    left[entry.path] = error
        folders = [entry.path for entry in entries if isinstance(entry, FolderEntry)]
        for folder in [*reversed(folders), path.removesuffix("/")]:
            # The folder has content that could not be deleted or is new, or it does not need to be removed.
            with suppress(OSError):
                self._fs.rmdir(self._native(folder))
        if left:
            message = "some files could not be deleted"
            cause = next(iter(left.values()))
            raise RemoteStoreError(message, path=path, paths=tuple(left), backend=self.name) from cause

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except RemoteStoreError:
            raise
        except OSError as error:
            kind, message = next(
                ((ours, message) for theirs, ours, message in ERRORS if isinstance(error, theirs)),
                (RemoteStoreError, f"the filesystem failed: {error.strerror or type(error).__name__}"),
            )
            if error.errno == errno.ENAMETOOLONG:
                kind, message = InvalidPath, "the file name is too long for this filesystem; use a shorter one"
            raise kind(message, path=path, backend=self.name, retryable=kind is BackendUnavailable) from error


def from_url(url: str, **options: Any) -> FsspecBackend:
    """The backend of a URL such as `sftp://host/folder`; the options are those of the filesystem."""
    return FsspecBackend(*url_to_fs(url, **options))


def describe(path: str, info: dict[str, Any]) -> FileInfo:
    """The facts of a file as the contract wants them."""
    etag = str(info.get("ETag") or "").strip('"') or None
    return FileInfo(path, path.rpartition("/")[2], info["size"], modified_at(info), etag)


def modified_at(info: dict[str, Any]) -> datetime | None:
    """The time of the last write, whose key and format depend on the filesystem."""
    for name in TIMES:
        value = info.get(name)
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    return None
