"""`LocalBackend`: the contract over a folder of the file system."""

# `Path` would normalise keys, which must stay exact.
from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, TypeAlias, TypeVar, Unpack, cast, overload

from remote_store.core.conditions import require_match, unmodified
from remote_store.core.errors import (
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
)
from remote_store.core.glob import GlobPattern
from remote_store.core.home import public
from remote_store.core.io.source import Content
from remote_store.core.io.streams import Source, check_max_depth, check_range
from remote_store.core.local.attributes import attached, decoded, encoded_headers
from remote_store.core.local.base import Check, LocalBase
from remote_store.core.local.finding import find_entry, find_folder, open_file
from remote_store.core.local.locking import locked
from remote_store.core.local.names import require_file_name, require_name, require_new_name
from remote_store.core.local.resolving import Spot, is_hard_link, is_same
from remote_store.core.local.system import TypedFile, os_errors
from remote_store.core.local.tree import describe, entity_tag, inspect, opened_file, prune, remove_folder, walk
from remote_store.core.local.unfinished import rename_new
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, NotModified, WriteResult
from remote_store.core.observed import observed
from remote_store.core.options import (
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    ReadOptions,
    WriteOptions,
    check_write_options,
)

T = TypeVar("T")
BLOCK = 1 << 20
NEW_FILE = 0o666
Writer: TypeAlias = "io.BufferedWriter[TypedFile]"


@public("remote_store.core")
class LocalBackend(LocalBase):
    """Files below a folder of the file system.

    Writing: a file is written to a hidden temporary file beside its target (mode 0600), synced, and renamed. When a
    write returns, the file and its directory entry are on the disk. An overwritten file keeps its mode, a new file gets
    its mode from the umask, and a copy has the mode of its source. A crash can leave files named
    `.remote-store-unfinished-*`. They are never listed; delete them while nothing is writing. Writing a file creates
    its folders, and deleting the last file of a folder removes the folder. A file and a folder cannot have the same
    name. An open reader keeps the version that it opened, unless another program changes the file in place. A move to
    another file system is a copy and a delete.

    Locks: while a file is replaced, moved or deleted, it is locked by `flock`. A call with `if_match` therefore
    compares and changes it in one step, also between processes, as long as all of them use this backend. If another
    program holds such a lock, a call waits up to 10 s and then raises `BackendUnavailable`. `capabilities` lacks
    `COMPARE_AND_SWAP` and `CONDITIONAL_DELETE` if the file system of the root has no locks or no times to the
    nanosecond, and on macOS and Windows.

    Metadata, content types and headers are stored in extended attributes (Linux, on most file systems). Copies and
    moves keep them. If the file system of the root stores none, `capabilities` lacks `USER_METADATA` and
    `CONTENT_HEADERS`, and a write with one of them raises `CapabilityNotSupported`. This is tested once, when
    `capabilities` is first needed, with a temporary file that has no name; a root that does not exist yet is judged by
    its nearest parent. Content types are never guessed. Listings leave out all three.

    Symbolic links: a link to a file inside the root reads and writes that file; deleting it deletes the link. A link
    to a folder inside the root can be part of a path, but recursive listings do not descend into it. A link that is
    dangling or points outside the root is not listed, and using it raises `InvalidPath`. On POSIX, each folder of a
    path is opened relative to the descriptor of its parent, so another process cannot redirect an operation by
    swapping a link. Windows lacks these calls.

    Names: file names that are not UTF-8 are listed as `os.listdir` returns them, and can be read, deleted and copied
    from. On Windows, keys that Windows would rewrite, such as keys with a backslash, cannot be written or found.

    If the file system supports neither hard links nor renaming without replacing, `check_health` and the first create
    remove `ATOMIC_CREATE` from `capabilities`.

    Args:
        root: The folder. A relative path is resolved against the current directory once, in the constructor.
        create: Create the root on the first write. If `False`, it must exist.
        on_event: Called with a `RequestEvent` after each operation, in the calling thread; after a listing, when it
            ends. If it raises, the result stays the same, and the first exception is logged as a warning.

    Raises:
        TypeError: `root` is not a path, `create` is not a `bool`, or `on_event` is not a function of one argument.
        ValueError: `root` is empty.
    """

    @observed("path")
    def exists(self, path: str) -> bool:
        return self._kind(path) is not None

    @observed("path")
    def is_file(self, path: str) -> bool:
        return self._kind(path) == stat.S_IFREG

    @observed("path")
    def is_folder(self, path: str) -> bool:
        return self._kind(path) == stat.S_IFDIR

    @observed("path")
    def read(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        self._check_open()
        return opened_file(path, self._version(ReadOptions, path, options), self.name)

    @observed("path")
    def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        return self.read(path, **options)

    @overload
    def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    @observed("path")
    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        self._check_open()
        with self._version(ConditionalReadOptions, path, options) as file:
            return unmodified(options, entity_tag(os.fstat(file.fileno())), path) or file.readall()

    @observed("path")
    def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        self._check_open()
        check_range(start, length)
        with io.BufferedReader(self._version(ReadOptions, path, options)) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(min(start, size))
            # `read(n)` allocates n bytes, so `length` is limited to what the file has.
            return file.read(min(length, max(size - start, 0)))

    @observed("path")
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
        attributes = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        attributes |= encoded_headers(asked)
        source = Source(content)
        self._require_version(path, asked)
        with self._unfinished(path, attributes, overwrite=overwrite) as (unfinished, file):
            while block := source.read_block(BLOCK):
                file.write(block)
            result = self._commit(path, unfinished, file, overwrite=overwrite, asked=asked)
        return replace(result, metadata=decoded(attributes)[0] if self._keeps_attributes else None)

    @observed("path")
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
        return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options)

    @observed("path")
    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Iterator[BinaryIO]:
        attributes = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        attributes |= encoded_headers(asked)
        self._require_version(path, asked)
        with self._unfinished(path, attributes, overwrite=overwrite) as (unfinished, file):
            yield file
            self._commit(path, unfinished, file, overwrite=overwrite, asked=asked)

    @observed("path")
    def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        self._check_open()
        check = self._check_of_source(path, self._asked(DeleteOptions, path, options))
        with ExitStack() as opened:
            try:
                file = self._file(opened, path)
                spot = find_entry(self._keys, opened, path, file, self.name)
                with os_errors(path, self.name), locked(file.position.here, file.name, check):
                    spot.position.here.unlink(spot.name)
            except NotFound:
                if not missing_ok:
                    raise
            else:
                prune(spot.position)

    @observed("path")
    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        require_name(path, self.name)
        if not path:
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with ExitStack() as opened:
            try:
                spot = find_folder(self._keys, opened, path, self.name)
                if spot.linked:
                    spot = find_entry(self._keys, opened, path.removesuffix("/"), spot, self.name)
                    with os_errors(path, self.name):
                        spot.position.here.unlink(spot.name)
                else:
                    remove_folder(path, spot, self.name, recursive=recursive)
            except NotFound:
                if not missing_ok:
                    raise
            else:
                prune(spot.position)

    @observed("path")
    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_name(path, self.name)
        check_max_depth(max_depth)
        return (entry for entry in self._walk(path, max_depth if recursive else 0) if isinstance(entry, FileInfo))

    @observed("path")
    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (entry for entry in self.iter_children(path) if isinstance(entry, FolderEntry))

    @observed("path")
    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        self._check_open()
        require_name(path, self.name)
        return self._walk(path, 0)

    @overload
    def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    @observed("path")
    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        self._check_open()
        asked = self._asked(ConditionalReadOptions, path, options)
        info = self._inspect(path)
        require_match(asked, info.etag, path, self.name)
        return unmodified(asked, info.etag, path) or info

    def _inspect(self, path: str) -> FileInfo:
        with ExitStack() as opened:
            spot = self._file(opened, path)
            if not self._keeps_attributes:
                return describe(path, cast("os.stat_result", spot.facts))
            try:
                descriptor = open_file(spot, path, self.name)
            except PermissionDenied:
                # Attributes need the permission to read the file; the other facts do not.
                return describe(path, cast("os.stat_result", spot.facts))
        try:
            with os_errors(path, self.name):
                return inspect(path, descriptor)
        finally:
            os.close(descriptor)

    @observed("path")
    def get_folder_info(self, path: str) -> FolderInfo:
        self._check_open()
        require_name(path, self.name)
        if path:
            with ExitStack() as opened:
                find_folder(self._keys, opened, path, self.name)
        files = list(self.list_files(path, recursive=True))
        latest = max((file.modified_at for file in files if file.modified_at), default=None)
        return FolderInfo(path, len(files), sum(file.size for file in files), latest)

    @observed("dst")
    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        self._check_open()
        asked = self._asked(MoveOptions, src, options)
        with ExitStack() as opened:
            source = self._source(opened, src, dst, asked)
            if src == dst:
                return
            rename = partial(self._rename_locked, source, src=src, dst=dst, check=self._check_of_source(src, asked))
            if not source.linked and self._keys.place(dst, rename, overwrite=overwrite):
                prune(source.position)
            else:
                self._move_by_copy(src, dst, source, asked, overwrite=overwrite)

    @observed("dst")
    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        self._check_open()
        asked = self._asked(CopyOptions, src, options)
        with ExitStack() as opened:
            source = self._source(opened, src, dst, asked)
            if src != dst and not is_same(source, self._keys.target(opened, dst, overwrite=overwrite)):
                self._copy(src, dst, asked, overwrite=overwrite)

    @observed("pattern")
    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        files = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in files if parsed.matches(file.path))

    def _kind(self, path: str) -> int | None:
        self._check_open()
        require_name(path, self.name)
        if not path:
            return stat.S_IFDIR
        with ExitStack() as opened:
            spot = self._keys.find(opened, path)
            kind = spot.kind if spot else None
        return kind if kind in (stat.S_IFREG, stat.S_IFDIR) else None

    def _version(self, kind: type, path: str, options: Mapping[str, Any]) -> TypedFile:
        """Open a file for reading, if it is the version that `if_match` names."""
        asked = self._asked(kind, path, options)
        file = self._raw(path)
        try:
            require_match(asked, entity_tag(os.fstat(file.fileno())), path, self.name)
        except BaseException:
            file.close()
            raise
        return file

    def _source(self, opened: ExitStack, src: str, dst: str, asked: Mapping[str, Any]) -> Spot:
        require_file_name(src, self.name)
        require_new_name(dst, self.name)
        source = self._file(opened, src)
        require_match(asked, entity_tag(cast("os.stat_result", source.facts)), src, self.name)
        return source

    def _walk(self, path: str, deepest: int | None) -> Iterator[FileInfo | FolderEntry]:
        self._check_open()
        with ExitStack() as opened:
            position = self._keys.folder(opened, path)
            if position is not None:
                prefix = path.removesuffix("/") + "/" if path else ""
                with os_errors(path, self.name):
                    yield from walk(position, prefix, deepest, self._keys.link, self.name)

    def _copy(self, src: str, dst: str, asked: Mapping[str, Any], *, overwrite: bool) -> os.stat_result:
        with io.BufferedReader(self._raw(src)) as source:
            # Before the first read, so that `move` notices a change during the copy.
            facts = os.fstat(source.fileno())
            require_match(asked, entity_tag(facts), src, self.name)
            with os_errors(src, self.name):
                attributes = attached(source.fileno()) if self._keeps_attributes else None
            with self._unfinished(dst, attributes or {}, overwrite=overwrite) as (unfinished, file):
                while block := source.read(BLOCK):
                    file.write(block)
                self._commit(dst, unfinished, file, overwrite=overwrite, mode=stat.S_IMODE(facts.st_mode) & 0o777)
                return facts

    def _rename_locked(self, source: Spot, target: Spot, name: str, *, src: str, dst: str, check: Check | None) -> bool:
        """Rename a file under the locks of source and target, always in the same order."""
        spots = [(source.position.here, source.name, check, src)]
        if not is_same(source, target) and not is_hard_link(source, target):
            spots.append((target.position.here, name, None, dst))
        with ExitStack() as locks:
            for here, entry, compare, path in sorted(spots, key=lambda spot: (spot[0].identity, spot[1])):
                with os_errors(path, self.name):
                    locks.enter_context(locked(here, entry, compare))
            return self._rename(src, source, target, name)

    def _rename(self, src: str, source: Spot, target: Spot, name: str) -> bool:
        """Rename a file. Returns `False` if source and target are on different file systems."""
        old, here, there = target.facts, source.position.here, target.position.here
        if is_same(source, target):
            return True
        try:
            if old is None:
                self._declare(one_wins=rename_new(here, source.name, there, name))
            elif is_hard_link(source, target):
                # POSIX rename does nothing if both names are hard links to one file.
                here.unlink(source.name)
            else:
                here.replace(source.name, there, name)
        except FileNotFoundError as error:
            try:
                here.look(source.name)
            except FileNotFoundError:
                raise NotFound("there is no such file", path=src, backend=self.name) from error
            raise
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        there.sync()
        here.sync()
        return True

    def _move_by_copy(self, src: str, dst: str, source: Spot, asked: Mapping[str, Any], *, overwrite: bool) -> None:
        with ExitStack() as opened:
            spot = self._keys.find(opened, dst)
            if spot is not None and is_same(source, spot):
                return
        copied = self._copy(src, dst, asked, overwrite=overwrite)
        if self.get_file_info(src).etag != entity_tag(copied):
            message = "the file changed during the move to another file system; src is kept, and dst has a copy"
            raise PreconditionFailed(message, path=src, backend=self.name)
        self.delete(src, **asked)
