"""`FsspecBackend`: the contract over a filesystem of fsspec."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from itertools import starmap
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self, TypeVar, cast
from urllib.parse import SplitResult

from fsspec import AbstractFileSystem

from remote_store.core import (
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    ConfigError,
    Content,
    FileInfo,
    FolderEntry,
    FolderInfo,
    GlobPattern,
    InvalidPath,
    NotFound,
    RangeReader,
    ResolutionPlan,
    Source,
    WriteResult,
    check_content_type,
    check_max_depth,
    check_metadata,
    check_range,
    require_canonical,
    require_text,
)
from remote_store.core.home import public
from remote_store.fsspec.backend.errors import NAME, typed_errors
from remote_store.fsspec.backend.facts import Info, size_of
from remote_store.fsspec.backend.features import (
    EVERYTHING,
    capabilities_of,
    close_of,
    innermost,
    protocols_of,
    shows_credentials,
    survives_fork,
)
from remote_store.fsspec.backend.files import Files, is_file
from remote_store.fsspec.backend.opening import open_protocol, open_url
from remote_store.fsspec.backend.place import Place
from remote_store.fsspec.backend.tree import BLOCK, Tree

T = TypeVar("T")
DEVIATIONS = resources("remote_store.fsspec") / "backend" / "deviations"


@public("remote_store.fsspec")
class FsspecBackend(Backend):
    """Files below a folder of a filesystem of fsspec, such as SFTP, FTP, SMB, Google Cloud Storage or a zip archive.

    The backend calls only functions of fsspec that take a path literally, so `*`, `[x]`, `::`, `~` and `$HOME` are
    names like any other. A listing that the filesystem keeps is dropped before each call, so you see what is there.

    fsspec has no user metadata, and does not guarantee atomic writes, nor that a create has one winner, so these
    capabilities are not declared. `capabilities` of an instance lacks `COPY` and `MOVE` if the filesystem cannot copy
    a file by itself, and everything that writes if the filesystem is an archive, or `read_only` is given. A call that
    the filesystem does not implement raises `CapabilityNotSupported`.

    Reading: a reader checks after each block that the file is still the one that it opened. A file whose size the
    filesystem does not know is read as a whole, also to find out its size.

    Writing: the whole content is held in memory. If the filesystem opens a file and writes into it, as those of the
    local disk, SFTP and FTP do, and the write fails, a new file is removed, and a file that was to be replaced is left
    as it is then, which may be empty. A failed copy may leave a part of the file. A move copies the file and then
    deletes its source. Writing a file creates its folders, and deleting or moving the last file of a folder removes the
    folder.

    Links: `delete_folder` deletes a link, and nothing that it leads to. A recursive listing does not follow a link to a
    folder, except on SMB and on servers of FTP that do not say that an entry is a link. A file behind a link is read
    and written like any other.

    Closing: `close` closes a filesystem that the backend made, of a protocol or a URL, if it has a `close`, or is of
    SFTP or FTP. The connections of others, such as SMB, are closed with the process. A filesystem that you pass stays
    open, and may be used by others.

    Processes and threads: use an instance in several threads if the filesystem allows it. An instance pickles if the
    filesystem does. In a forked child, an instance can be used if its filesystem is the local disk, memory or a
    synchronous store; others raise `BackendUnavailable`.

    Args:
        fs: The filesystem, or the name of its protocol, such as `sftp`.
        root: The folder, as the filesystem writes it; the whole filesystem by default. A relative folder of the local
            disk is resolved against the current directory once, in the constructor.
        create: Create the root on the first write. If `False`, it must exist.
        read_only: Declare only the capabilities that read.
        options: The options of the filesystem, if `fs` is a protocol.

    Raises:
        ConfigError: The filesystem is asynchronous, the root is a URL with a user or a password, or `fs` is a
            filesystem and there are options.
        TypeError: `fs` is neither a filesystem nor a protocol, or an option is unknown.
        ValueError: fsspec knows no such protocol.
        RemoteStoreError: The filesystem of the protocol cannot be opened.
    """

    name = NAME
    capabilities = EVERYTHING

    def __init__(
        self,
        fs: AbstractFileSystem | str,
        root: str = "",
        *,
        create: bool = True,
        read_only: bool = False,
        **options: Any,
    ) -> None:
        if options and not isinstance(fs, str):
            raise ConfigError(f"fs is a filesystem and takes no options; make it with {', '.join(options)}")
        self._opened = isinstance(fs, str)
        self._fs = checked(open_protocol(fs, options) if isinstance(fs, str) else fs)
        if shows_credentials(self._fs, root):
            raise ConfigError("the root has a user or a password in its URL; pass them as options of the filesystem")
        self._tree = Tree(self._fs, Place.of(self._fs, root))
        self._all = Files(self._tree, create=create)
        self._create = create
        self._process = os.getpid()
        self._closed = False
        self.capabilities = capabilities_of(self._fs, read_only=read_only)

    @classmethod
    def from_url(cls, url: SplitResult, *, create: bool = True, read_only: bool = False, **options: Any) -> Self:
        """The backend of a URL such as `fsspec+sftp://host/folder`.

        Args:
            url: The URL. What follows `fsspec+` is the filesystem's own URL, percent-encoded.
            create: Create the root on the first write. If `False`, it must exist.
            read_only: Declare only the capabilities that read.
            options: The options of the filesystem; those of the query are texts.

        Raises:
            ConfigError: The URL names no protocol, or chains several filesystems.
        """
        fs, root = open_url(url, options)
        backend = cls(fs, root, create=create, read_only=read_only)
        backend._opened = True
        return backend

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tree.place.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._process = os.getpid()

    @property
    def deviations_file(self) -> Traversable | None:
        """The known deviations of this filesystem from the contract, for `remote-store-conformance run`."""
        found = (DEVIATIONS / f"{protocol}.toml" for protocol in protocols_of(innermost(self._fs)))
        return next((file for file in found if file.is_file()), None)

    def exists(self, path: str) -> bool:
        return self._files.kind(path) is not None

    def is_file(self, path: str) -> bool:
        return self._files.kind(path) == "file"

    def is_folder(self, path: str) -> bool:
        return self._files.kind(path) == "directory"

    def read(self, path: str) -> BinaryIO:
        return io.BufferedReader(cast("io.RawIOBase", self.read_seekable(path)), BLOCK)

    def read_seekable(self, path: str) -> BinaryIO:
        info = self._files.find(path)
        size = size_of(info)
        if size is None:
            return io.BytesIO(self._files.whole(path, info))

        def fetch(start: int, length: int) -> bytes:
            return self._files.range(path, info, size, start, length)

        return cast("BinaryIO", RangeReader(fetch, size, path=path, backend=NAME))

    def read_bytes(self, path: str) -> bytes:
        return self._files.whole(path, self._files.find(path))

    def read_range(self, path: str, start: int, length: int) -> bytes:
        files = self._files
        check_range(start, length)
        info = files.find(path)
        size = size_of(info)
        if size is None:
            return files.whole(path, info)[start : start + length]
        return files.range(path, info, size, start, length)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        files = self._able(Capability.WRITE, path)
        require_canonical(path, NAME)
        check_content_type(content_type)
        if check_metadata(metadata):
            self._refuse(Capability.USER_METADATA, path)
        source = Source(content)
        target = files.target(path, overwrite=overwrite)
        data = source.read_rest()
        self._tree.put(target, data, create=not overwrite)
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
        files = self._able(Capability.DELETE, path)
        with suppress(NotFound) if missing_ok else nullcontext():
            files.find(path)
            self._tree.remove_file(path)
            self._tree.prune(path)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        files = self._able(Capability.DELETE, path)
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=NAME)
        with suppress(NotFound) if missing_ok else nullcontext():
            files.remove_folder(path, recursive=recursive)

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = self._files
        require_text(path, NAME)
        check_max_depth(max_depth)
        found = files.walk(path, max_depth if recursive else 0)
        return (self._tree.describe(key, info) for key, _, info in found if is_file(info))

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (FolderEntry(key, name) for key, name, info in self._listed(path) if not is_file(info))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return starmap(self._all.describe, self._listed(path))

    def get_file_info(self, path: str) -> FileInfo:
        return self._tree.describe(path, self._files.find(path))

    def get_folder_info(self, path: str) -> FolderInfo:
        self._files.require_folder(path)
        found = list(self.list_files(path, recursive=True))
        latest = max((file.modified_at for file in found if file.modified_at), default=None)
        return FolderInfo(path, len(found), sum(file.size for file in found), latest)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        files = self._able(Capability.MOVE, src)
        info = files.copy(src, dst, overwrite=overwrite)
        if src != dst:
            files.require_same(src, info, "src is kept, and dst has a copy")
            self._tree.remove_file(src)
            self._tree.prune(src)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._able(Capability.COPY, src).copy(src, dst, overwrite=overwrite)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, NAME)
        found = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in found if parsed.matches(file.path))

    def native_path(self, key: str) -> str:
        return self._tree.place.url + key

    def to_key(self, path: str) -> str:
        base = self._tree.place.url
        if not path.startswith(base):
            raise InvalidPath(f"a path of this backend begins with {base}", path=path, backend=NAME)
        return path.removeprefix(base)

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("fsspec", NAME, key, self.native_path(key))

    def check_health(self) -> None:
        """Look at the root.

        Raises:
            NotFound: The root is not a folder. Not raised if it is missing and the first write creates it.
        """
        self._check_open()
        is_missing = self._tree.look("") is None
        if not (is_missing and self._create and Capability.WRITE in self.capabilities):
            self._tree.require_root()

    def unwrap(self, kind: type[T]) -> T:
        """Return the filesystem, by its class or `fsspec.AbstractFileSystem`."""
        self._check_open()
        if issubclass(kind, AbstractFileSystem) and isinstance(self._fs, kind):
            return self._fs
        message = f"there is no {kind.__name__}; the native handle is an fsspec.AbstractFileSystem"
        raise CapabilityNotSupported(message, capability="unwrap", backend=NAME)

    def close(self) -> None:
        is_own = self._opened and self._process == os.getpid()
        close = close_of(self._fs) if is_own and not self._closed else None
        self._closed = True
        if close is not None:
            with typed_errors(""):
                close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=NAME)
        if self._process != os.getpid() and not survives_fork(self._fs):
            message = "the filesystem may have connections of the process before the fork; make a new backend here"
            raise BackendUnavailable(message, backend=NAME)

    @property
    def _files(self) -> Files:
        self._check_open()
        return self._all

    def _able(self, capability: Capability, path: str) -> Files:
        self._check_open()
        if capability not in self.capabilities:
            self._refuse(capability, path)
        return self._all

    def _refuse(self, capability: Capability, path: str) -> NoReturn:
        self._check_open()
        message = f"this filesystem of fsspec has no {capability.value}"
        raise CapabilityNotSupported(message, capability=capability.value, path=path, backend=NAME)

    def _listed(self, path: str) -> Iterator[tuple[str, str, Info]]:
        files = self._files
        require_text(path, NAME)
        return files.walk(path, 0)


def checked(fs: Any) -> Any:
    """The filesystem, if a backend can call it.

    Raises:
        TypeError: It is no filesystem of fsspec.
        ConfigError: It is asynchronous.
    """
    if not isinstance(fs, AbstractFileSystem):
        raise TypeError(f"fs must be a filesystem of fsspec or the name of a protocol, not {type(fs).__name__}")
    if innermost(fs).async_impl and innermost(fs).asynchronous:
        message = "the filesystem is asynchronous, and a Backend blocks; make it without asynchronous=True"
        raise ConfigError(f"{message}, and use the backend in an AsyncStore as ThreadedBackend(FsspecBackend(fs))")
    return fs
