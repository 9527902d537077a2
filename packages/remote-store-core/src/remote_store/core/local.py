"""Files below a folder of the file system."""

# Keys are exact text, and `Path` would rewrite them.
# ruff: noqa: PTH100, PTH106, PTH108, PTH112, PTH114, PTH123
from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.content import Content
from remote_store.core.errors import (
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)
from remote_store.core.glob import GlobPattern
from remote_store.core.local_disk import (
    describe,
    entity_tag,
    os_errors,
    place,
    remove_tree,
    sync,
)
from remote_store.core.local_tree import Found, Tree
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.path import require_canonical, require_file_path, require_text
from remote_store.core.streams import Source, check_max_depth, check_range

T = TypeVar("T")
BLOCK = 1 << 20


class LocalBackend(Backend):
    """Files below a folder of the file system.

    A file is written under a name of its own in `.remote-store-unfinished` below the root, synced, and renamed; what
    a crash leaves there is never listed and may be deleted while nobody writes. Everything below the root must be on
    one file system. Folders are made by writing and vanish with their last file; a file and a folder cannot share a
    name. A symbolic link to a file in the root is that file; one to a folder in the root can be used in a path, but
    a recursive listing does not descend into it; one that leads out of the root, or that dangles, is not listed, and
    `InvalidPath` is raised for it. That is no protection from somebody who swaps links at the same time. Content
    types are not kept. Open readers keep the version that they opened, unless another program changes it in place.

    Args:
        root: The folder; relative to the folder that is current now.
        create: Make the root with the first write; otherwise it must exist.

    Raises:
        TypeError: `root` is no path.
        ValueError: `root` is empty.
    """

    name = "local"
    capabilities = frozenset(Capability) - {Capability.USER_METADATA}

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False) -> None:
        text = os.fspath(root)
        if not isinstance(text, str):
            raise TypeError(f"root is a str or a path, not {type(text).__name__}")
        if not text:
            raise ValueError("root is empty; '.' is the current folder")
        self._root = os.path.abspath(text)
        self._create = create
        self._tree = Tree(self._root, self.name, create=create)
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root!r})"

    def exists(self, path: str) -> bool:
        return self._kind(path) is not None

    def is_file(self, path: str) -> bool:
        return self._kind(path) == stat.S_IFREG

    def is_folder(self, path: str) -> bool:
        return self._kind(path) == stat.S_IFDIR

    def read(self, path: str) -> BinaryIO:
        found = self._file(path)
        with os_errors(path, self.name):
            return open(found.native, "rb")

    def read_seekable(self, path: str) -> BinaryIO:
        return self.read(path)

    def read_bytes(self, path: str) -> bytes:
        with self.read(path) as file, os_errors(path, self.name):
            return file.read()

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        with self.read(path) as file, os_errors(path, self.name):
            size = os.fstat(file.fileno()).st_size
            file.seek(min(start, size))
            # A read allocates what it is asked for.
            return file.read(min(length, max(size - start, 0)))

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        self._check_write(path, metadata, content_type)
        source = Source(content)
        target = self._tree.target(path, overwrite=overwrite)
        with self._tree.unfinished(path) as (unfinished, file), file:
            for block in source.blocks(BLOCK):
                with os_errors(path, self.name):
                    file.write(block)
            return self._commit(path, file, unfinished, target, overwrite=overwrite)

    def write_atomic(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        self._check_write(path, metadata, content_type)
        target = self._tree.target(path, overwrite=overwrite)
        with self._tree.unfinished(path) as (unfinished, file), file:
            yield file
            self._commit(path, file, unfinished, target, overwrite=overwrite)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        try:
            found = self._file(path)
            with os_errors(path, self.name):
                os.unlink(found.native)
        except NotFound:
            if not missing_ok:
                raise
        else:
            self._tree.prune(found.native)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        require_text(path, self.name)
        if not path:
            raise InvalidPath("the root cannot be deleted; delete what is in it", path=path, backend=self.name)
        try:
            found = self._folder(path)
        except NotFound:
            if not missing_ok:
                raise
            return
        with os_errors(path, self.name):
            if os.path.islink(found.native):
                os.unlink(found.native)
            elif recursive:
                self._remove_tree(path, found.native)
            elif self._has_content(found.native):
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            else:
                os.rmdir(found.native)
        self._tree.prune(found.native)

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_text(path, self.name)
        check_max_depth(max_depth)
        entries = self._tree.walk(path, max_depth if recursive else 0)
        return (entry for entry in entries if isinstance(entry, FileInfo))

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (entry for entry in self.iter_children(path) if isinstance(entry, FolderEntry))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        self._check_open()
        require_text(path, self.name)
        return self._tree.walk(path, 0)

    def get_file_info(self, path: str) -> FileInfo:
        return describe(path, self._file(path).facts)

    def get_folder_info(self, path: str) -> FolderInfo:
        self._check_open()
        require_text(path, self.name)
        if path:
            self._folder(path)
        files = list(self.list_files(path, recursive=True))
        latest = max((file.modified_at for file in files if file.modified_at), default=None)
        return FolderInfo(path, len(files), sum(file.size for file in files), latest)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        found, target = self._source_and_target(src, dst, overwrite=overwrite)
        if target is None:
            return
        if os.path.islink(found.native):
            self._copy(src, dst, target, overwrite=overwrite)
            self.delete(src, missing_ok=True)
            return
        try:
            with os_errors(dst, self.name):
                place(found.native, target, overwrite=overwrite)
        except NotFound as error:
            raise NotFound("there is no such file", path=src, backend=self.name) from error
        finally:
            self._tree.prune(target)
        self._tree.prune(found.native)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        target = self._source_and_target(src, dst, overwrite=overwrite)[1]
        if target is not None:
            self._copy(src, dst, target, overwrite=overwrite)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        files = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in files if parsed.matches(file.path))

    def native_path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}" if key else self._root

    def to_key(self, path: str) -> str:
        base = self.native_path("/")[:-1]
        if path != self._root and not path.startswith(base):
            raise InvalidPath("a path of this backend begins with its root", path=path, backend=self.name)
        return path[len(base) :]

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("local", self.name, key, self.native_path(key), {"root": self._root})

    def check_health(self) -> None:
        self._check_open()
        if not os.path.isdir(self._root) and not (self._create and not os.path.lexists(self._root)):
            raise NotFound(f"the root {self._root!r} is no folder; create it", backend=self.name)
        with os_errors("", self.name), suppress(FileNotFoundError), os.scandir(self._root):
            pass

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle: `pathlib.Path` is the root."""
        self._check_open()
        root = Path(self._root)
        if kind is not object and isinstance(root, kind):
            return root
        message = f"there is no {kind.__name__}; the native handle is the pathlib.Path of the root"
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

    def _check_write(self, path: str, metadata: Mapping[str, str] | None, content_type: str | None) -> None:
        self._check_open()
        require_canonical(path, self.name)
        check_content_type(content_type)
        if check_metadata(metadata):
            message = "files on disk have no metadata; write without"
            raise CapabilityNotSupported(message, capability="user_metadata", path=path, backend=self.name)

    def _kind(self, path: str) -> int | None:
        self._check_open()
        require_text(path, self.name)
        if not path:
            return stat.S_IFDIR
        found = self._tree.look(path)
        kind = stat.S_IFMT(found.facts.st_mode) if found else None
        return kind if kind in (stat.S_IFREG, stat.S_IFDIR) else None

    def _file(self, path: str) -> Found:
        self._check_open()
        require_file_path(path, self.name)
        found = self._tree.look(path)
        if found is None:
            raise NotFound("there is no such file", path=path, backend=self.name)
        if not stat.S_ISREG(found.facts.st_mode):
            raise InvalidPath("the path is a folder, or no regular file", path=path, backend=self.name)
        return found

    def _folder(self, path: str) -> Found:
        found = self._tree.look(path) or (self._tree.look(path[:-1]) if path.endswith("/") else None)
        if found is None:
            raise NotFound("there is no such folder", path=path, backend=self.name)
        if not stat.S_ISDIR(found.facts.st_mode):
            raise InvalidPath("the path is a file; name a folder", path=path, backend=self.name)
        return found

    def _source_and_target(self, src: str, dst: str, *, overwrite: bool) -> tuple[Found, str | None]:
        self._check_open()
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        found = self._file(src)
        return found, None if src == dst else self._tree.target(dst, overwrite=overwrite)

    def _commit(self, path: str, file: BinaryIO, unfinished: str, target: str, *, overwrite: bool) -> WriteResult:
        try:
            with os_errors(path, self.name):
                file.close()
                facts = sync(unfinished)
                self._check_open()
                place(unfinished, target, overwrite=overwrite)
        finally:
            self._tree.prune(target)
        return WriteResult(path, facts.st_size, entity_tag(facts))

    def _copy(self, src: str, dst: str, target: str, *, overwrite: bool) -> None:
        with self.read(src) as source, self._tree.unfinished(dst) as (unfinished, file), file:
            with os_errors(dst, self.name):
                shutil.copyfileobj(source, file, BLOCK)
            self._commit(dst, file, unfinished, target, overwrite=overwrite)

    def _has_content(self, folder: str) -> bool:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None

    def _remove_tree(self, path: str, folder: str) -> None:
        left = list(remove_tree(folder))
        if left:
            keys = tuple(f"{path.removesuffix('/')}/{name}" for name, _ in left)
            message = "some files could not be deleted"
            raise RemoteStoreError(message, path=path, paths=keys, backend=self.name) from left[0][1]


LocalBackend.__module__ = "remote_store.core"
