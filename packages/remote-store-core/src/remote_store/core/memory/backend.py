"""A backend that keeps files in the memory of this process."""

from __future__ import annotations

import io
import itertools
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, Unpack, cast, overload

from remote_store.core.backend import Backend
from remote_store.core.capabilities import CONTRACT_0_1, Capability
from remote_store.core.conditions import require_match, unmodified
from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    wrong_kind,
)
from remote_store.core.events import Events, OnEvent
from remote_store.core.glob import GlobPattern
from remote_store.core.home import public
from remote_store.core.io.reader import BufferedFile
from remote_store.core.io.source import Content
from remote_store.core.io.streams import Source, check_max_depth, check_range
from remote_store.core.memory.files import (
    SHARED,
    Bucket,
    Draft,
    StoredFile,
    describe,
    files_in,
    folders_in,
    keys_below,
    stored,
)
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, NotModified, ResolutionPlan, WriteResult
from remote_store.core.observed import observed
from remote_store.core.options import (
    NOTHING,
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    ReadOptions,
    WriteOptions,
    check_write_options,
    supported,
    version_option,
)
from remote_store.core.path import require_canonical, require_file_path, require_text
from remote_store.core.tags import check_tags

T = TypeVar("T")
SCHEME = "memory://"


@public("remote_store.core")
class MemoryBackend(Backend):
    """Files in the memory of this process. The conformance suite compares other backends with it.

    Keys are flat, as on S3: a folder exists while there is a key below it, and a file `a` can exist beside `a/b`.
    Every operation is atomic and thread-safe.

    Without a bucket, the files belong to this backend alone, and closing it removes them.

    Backends with the same bucket share their files: `MemoryBackend("lake")`, the URL `memory://lake`, and
    `type = "memory"` with `bucket = "lake"` in a configuration or in the environment. The files stay until the process
    ends, even if all their backends are closed. `MemoryBackend.reset()` removes them, for tests. If a configuration or
    an environment names no bucket, it has a bucket of its own: stores of an equal configuration and the same table
    share their files.

    A forked child starts with the files of its parent, and changes only its own. A pickle includes the files. An
    unpickled backend with a bucket uses the bucket of its process, and the files of the pickle only if there is none.

    Args:
        bucket: Name of the files to share; `None` for files of its own.
        on_event: Called with a `RequestEvent` after each operation, in the calling thread; after a listing, when it
            ends. If it raises, the result stays the same, and the first exception is logged as a warning.

    Raises:
        TypeError: The name is not a `str`, or `on_event` is not callable or is a coroutine function.
        ValueError: The name is empty.
    """

    name = "memory"
    capabilities = CONTRACT_0_1 | {
        Capability.CHECKSUMS,
        Capability.COMPARE_AND_SWAP,
        Capability.CONDITIONAL_DELETE,
        Capability.CONDITIONAL_READ,
        Capability.CONTENT_HEADERS,
        Capability.TAGS,
    }

    def __init__(self, bucket: str | None = None, *, on_event: OnEvent | None = None) -> None:
        if bucket is not None and not isinstance(bucket, str):
            raise TypeError(f"bucket must be a str, not {type(bucket).__name__}")
        if bucket == "":
            raise ValueError("bucket is empty; leave it out for files that belong to this backend alone")
        self._events = Events(MemoryBackend.name, on_event, bucket)
        self._use(bucket, {})
        self._closed = False

    @classmethod
    def reset(cls) -> None:
        """Remove the files of every named bucket of this process, as if it had just started. Meant for fixtures."""
        for bucket in list(SHARED.values()):
            with bucket.lock:
                bucket.files.clear()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self._bucket is None else repr(self._bucket)})"

    def __getstate__(self) -> dict[str, object]:
        with self._lock:
            files = dict(self._files)
            return {"bucket": self._bucket, "files": files, "closed": self._closed, "events": self._events}

    def __setstate__(self, state: dict[str, object]) -> None:
        self._use(cast("str | None", state["bucket"]), cast("dict[str, StoredFile]", state["files"]))
        self._closed = bool(state["closed"])
        self._events = cast("Events", state["events"])

    def _use(self, name: str | None, files: dict[str, StoredFile]) -> None:
        # `setdefault` is atomic, and leaves no lock that a fork could copy while it is held.
        bucket = Bucket(files) if name is None else SHARED.setdefault(name, Bucket(files))
        self._bucket, self._files, self._lock = name, bucket.files, bucket.lock
        INSTANCES.add(self)

    def renew_lock(self, renewed: Mapping[threading.Lock, threading.Lock]) -> None:
        """Replace the lock in a forked child, where the thread that held it does not exist."""
        self._lock = renewed[self._lock]

    @observed("path")
    def exists(self, path: str) -> bool:
        return self.is_file(path) or self.is_folder(path)

    @observed("path")
    def is_file(self, path: str) -> bool:
        self._check_open()
        require_text(path, self.name)
        return path in self._files

    @observed("path")
    def is_folder(self, path: str) -> bool:
        self._check_open()
        require_text(path, self.name)
        with self._lock:
            return not path or bool(keys_below(self._files, path))

    @observed("path")
    def read(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        file = self._version(ReadOptions, path, options)
        content = io.BytesIO(file.content)
        content.name = path
        # A buffered reader makes the file read-only.
        return BufferedFile(content, describe(path, file))

    @observed("path")
    def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        return self.read(path, **options)

    @overload
    def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    @observed("path")
    def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        file = self._version(ConditionalReadOptions, path, options)
        return unmodified(options, file.etag, path) or file.content

    @observed("path")
    def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        self._check_open()
        check_range(start, length)
        return self._version(ReadOptions, path, options).content[start : start + length]

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
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        source = Source(content)
        self._check_target(path, asked, overwrite=overwrite)
        return self._commit(path, source.read_rest(), overwrite, checked, content_type, asked=asked)

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
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        self._check_target(path, asked, overwrite=overwrite)
        with Draft() as draft:
            yield draft
        self._commit(path, draft.content, overwrite, checked, content_type, asked=asked)

    @observed("path")
    def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        self._check_open()
        require_file_path(path, self.name)
        asked = self._asked(DeleteOptions, path, options)
        with self._lock:
            file = self._find(path)
            if file is not None:
                require_match(asked, file.etag, path, self.name)
                del self._files[path]
            elif not missing_ok:
                raise self._missing(path, "file")

    @observed("path")
    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        require_text(path, self.name)
        if not path:
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with self._lock:
            keys = self._folder(path)
            if keys and not recursive:
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            if not keys and not missing_ok:
                raise self._missing(path, "folder")
            for key in keys:
                del self._files[key]

    @observed("path")
    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_text(path, self.name)
        check_max_depth(max_depth)
        deepest = max_depth if recursive else 0
        return self._list_files(path, deepest)

    @observed("path")
    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        self._check_open()
        require_text(path, self.name)
        return self._list_folders(path)

    @observed("path")
    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return itertools.chain(self.list_files(path), self.list_folders(path))

    @overload
    def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    @observed("path")
    def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        file = self._version(ConditionalReadOptions, path, options)
        return unmodified(options, file.etag, path) or describe(path, file)

    @observed("path")
    def get_folder_info(self, path: str) -> FolderInfo:
        self._check_open()
        require_text(path, self.name)
        with self._lock:
            files = [self._files[key] for key in self._folder(path)]
        if path and not files:
            raise self._missing(path, "folder")
        latest = max((file.modified_at for file in files), default=None)
        return FolderInfo(path, len(files), sum(len(file.content) for file in files), latest)

    @observed("dst")
    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        self._check_open()
        asked = self._asked(MoveOptions, src, options)
        self._transfer(src, dst, overwrite=overwrite, keep=False, asked=asked)

    @observed("dst")
    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        self._check_open()
        asked = self._asked(CopyOptions, src, options)
        self._transfer(src, dst, overwrite=overwrite, keep=True, asked=asked)

    @observed("path")
    def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        self._asked(ReadOptions, path, version_option(version_id))
        return dict(self._file(path).tags)

    @observed("path")
    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        self._asked(ReadOptions, path, version_option(version_id))
        checked = check_tags(tags)
        with self._lock:
            file = self._found(path)
            self._files[path] = replace(file, tags=checked)

    @observed("pattern")
    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        files = self.list_files(parsed.folder, recursive=parsed.recursive)
        return (file for file in files if parsed.matches(file.path))

    def native_path(self, key: str) -> str:
        return self._place + key

    def to_key(self, path: str) -> str:
        if not path.startswith(self._place):
            raise InvalidPath(f"the path does not begin with {self._place}", path=path, backend=self.name)
        return path.removeprefix(self._place)

    @property
    def _place(self) -> str:
        return SCHEME if self._bucket is None else f"{SCHEME}{self._bucket}/"

    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("memory", self.name, key, self.native_path(key))

    @observed()
    def check_health(self) -> None:
        self._check_open()

    def unwrap(self, kind: type[T]) -> T:
        self._check_open()
        message = f"the backend has no native handle, so it cannot return a {kind.__name__}"
        raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._bucket is None:
                self._files = {}

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, kind: type, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that were given, if this backend has the capabilities that they need."""
        return supported(kind, options, self.capabilities, path, self.name) if options else {}

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self.name)

    def _check_write(
        self, path: str, metadata: Mapping[str, str] | None, content_type: str | None
    ) -> Mapping[str, str]:
        self._check_open()
        require_canonical(path, self.name)
        check_content_type(content_type)
        return check_metadata(metadata)

    def _check_target(self, path: str, asked: Mapping[str, Any], *, overwrite: bool) -> None:
        self._check_free(path, overwrite=overwrite)
        if "if_match" in asked:
            file = self._files.get(path)
            require_match(asked, None if file is None else file.etag, path, self.name)

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        if not overwrite and path in self._files:
            message = "the file exists; pass overwrite=True to replace it"
            raise AlreadyExists(message, path=path, backend=self.name)

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        file = stored(content, metadata, content_type, asked)
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file
        return WriteResult(path, len(content), file.etag, digest=file.digest, metadata=dict(metadata))

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool, asked: Mapping[str, Any] = NOTHING) -> None:
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        with self._lock:
            file = self._find(src)
            if file is None:
                raise self._missing(src, "file")
            require_match(asked, file.etag, src, self.name)
            if src == dst:
                return
            self._check_free(dst, overwrite=overwrite)
            self._files[dst] = replace(file, modified_at=datetime.now(UTC))
            if not keep:
                del self._files[src]

    def _snapshot(self) -> dict[str, StoredFile]:
        with self._lock:
            self._check_open()
            return dict(self._files)

    def _version(self, kind: type, path: str, options: Mapping[str, Any]) -> StoredFile:
        self._check_open()
        require_text(path, self.name)
        asked = self._asked(kind, path, options)
        file = self._file(path)
        require_match(asked, file.etag, path, self.name)
        return file

    def _file(self, path: str) -> StoredFile:
        with self._lock:
            return self._found(path)

    def _found(self, path: str) -> StoredFile:
        self._check_open()
        require_file_path(path, self.name)
        file = self._find(path)
        if file is None:
            raise self._missing(path, "file")
        return file

    def _find(self, path: str) -> StoredFile | None:
        file = self._files.get(path)
        if file is None and keys_below(self._files, path):
            raise wrong_kind("the path is a folder; name a file", path=path, backend=self.name)
        return file

    def _folder(self, path: str) -> list[str]:
        keys = keys_below(self._files, path)
        if not keys and path.removesuffix("/") in self._files:
            raise wrong_kind("the path is a file; name a folder", path=path, backend=self.name)
        return keys

    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no such {what}", path=path, backend=self.name)

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        return files_in(self._snapshot, path, deepest)

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        return folders_in(self._snapshot, path)


def renew_locks() -> None:
    """Replace the locks in a forked child. Backends that share a lock share the new one."""
    renewed: defaultdict[threading.Lock, threading.Lock] = defaultdict(threading.Lock)
    for bucket in SHARED.values():
        bucket.lock = renewed[bucket.lock]
    for backend in INSTANCES:
        backend.renew_lock(renewed)


INSTANCES: weakref.WeakSet[MemoryBackend] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=renew_locks)
