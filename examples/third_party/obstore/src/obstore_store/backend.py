"""Objects of any store that obstore has."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC
from functools import partial
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, TypeVar, cast

import obstore
from obstore import exceptions
from obstore.store import LocalStore, S3Store
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

from obstore_store.reader import BodyReader

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import ObjectStore, S3Config

T = TypeVar("T")
BLOCK = 64 * 1024
PAGE = 1000
# obstore's bulk delete sends XML, which cannot express every key; its copy creates only with this header set.
S3_CONFIG: S3Config = {"copy_if_not_exists": "header-with-status:If-None-Match:*:412", "disable_bulk_delete": True}
HEADERS = {
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Storage-Class",
}
ERRORS: tuple[tuple[type[Exception], type[RemoteStoreError], str], ...] = (
    (FileNotFoundError, NotFound, "there is no such file"),
    (exceptions.AlreadyExistsError, AlreadyExists, "the file exists; pass overwrite=True to replace it"),
    (exceptions.PreconditionError, PreconditionFailed, "the file changed while it was read; open it again"),
    (exceptions.PermissionDeniedError, PermissionDenied, "key or secret is wrong, or no policy allows this"),
    (exceptions.UnauthenticatedError, PermissionDenied, "key or secret is missing, wrong or expired"),
    (ValueError, InvalidPath, "obstore does not accept this key"),
    (Exception, RemoteStoreError, "obstore failed, and its error has no code; try again, or read the cause"),
)


class ObstoreBackend(Backend):
    """Objects of an obstore store.

    A create is one conditional PUT of any size, because obstore has no conditional multipart upload. Make an `S3Store`
    with `S3_CONFIG`, as `from_url` does. A reader keeps to the version that it opened. A `LocalStore` keeps neither
    metadata nor content type. Calls in a forked child raise an error.

    Args:
        store: The store.
        part_size: Overwrites up to this many bytes are one PUT; larger ones are uploaded in parts of this size.
    """

    name = "obstore"
    capabilities = frozenset(Capability) - {Capability.ATOMIC_MOVE}

    def __init__(self, store: ObjectStore, *, part_size: int = 8 * 1024 * 1024) -> None:
        self._store = store
        self._part_size = part_size
        self._base = base_of(store)
        self._is_tree = isinstance(store, LocalStore)
        self._longest = 1024 if isinstance(store, S3Store) else None
        if self._is_tree:
            self.capabilities = type(self).capabilities - {Capability.USER_METADATA}
        self._closed = False
        self._process = os.getpid()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # An unpickled backend belongs to the process that unpickles it.
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    def exists(self, path: str) -> bool:
        return self.is_file(path) or self.is_folder(path)

    def is_file(self, path: str) -> bool:
        self._check_path(path)
        with suppress(NotFound), self._errors(path):
            return is_canonical(path) and bool(obstore.head(self._store, path))
        return False

    def is_folder(self, path: str) -> bool:
        self._check_path(path)
        return path == "" or any(self._pages(path))

    def read(self, path: str) -> BinaryIO:
        result = self._get(path)
        meta = result.meta
        reader = BodyReader(meta["size"], self._body(path, result), partial(self._reopen, path, meta))
        return io.BufferedReader(reader, BLOCK)

    def read_seekable(self, path: str) -> BinaryIO:
        meta = self._get(path, head=True).meta
        reader = RangeReader(partial(self._fetch, path, meta), meta["size"], path=path, backend=self.name)
        return cast("BinaryIO", reader)

    def read_bytes(self, path: str) -> bytes:
        return self._content(path, self._get(path))

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        try:
            if length:
                return self._content(path, self._get(path, range=(start, start + length)))
        except RemoteStoreError as error:
            # A range past the end raises no specific error, so the size decides.
            if type(error) is not RemoteStoreError or start < self._get(path, head=True).meta["size"]:
                raise
        else:
            self._get(path, head=True)
        return b""

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        attributes = self._check_write(path, metadata, content_type)
        source = Source(content)
        self._check_target(path)
        first, second = source.read_block(self._part_size), source.read_block(self._part_size)
        size = 0

        def pieces() -> Iterator[bytes]:
            nonlocal size
            for piece in chain((first, second), source.blocks(self._part_size)):
                size += len(piece)
                yield piece

        body = pieces() if second else b"".join(pieces())
        mode: Literal["create", "overwrite"] = "overwrite" if overwrite else "create"
        try:
            with self._errors(path):
                result = obstore.put(
                    self._store, path, body, attributes=attributes, mode=mode, chunk_size=self._part_size
                )
        except BaseException:
            if source.failure is not None:
                raise source.failure  # noqa: B904 - it is the source's own exception
            raise
        return WriteResult(path, size, tag(result["e_tag"]), result["version"], metadata=dict(metadata or {}))

    write_atomic = write

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
        self._check_target(path)
        if not overwrite and self.is_file(path):
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self.name)
        with tempfile.SpooledTemporaryFile(self._part_size) as spool:
            stream = cast("BinaryIO", spool)
            yield stream
            stream.seek(0)
            self.write(path, stream, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        with suppress(NotFound) if missing_ok else nullcontext():
            self._get(path, head=True)
            with self._errors(path):
                obstore.delete(self._store, path)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        self._check_path(path)
        pages = self._pages(path)
        first = next(pages, None)
        if first is None:
            with suppress(NotFound) if missing_ok else nullcontext():
                raise self._no_folder(path)
        elif not recursive:
            message = "the folder has content; pass recursive=True to delete it too"
            raise DirectoryNotEmpty(message, path=path, backend=self.name)
        else:
            self._delete_all(path, [meta["path"] for page in chain((first,), pages) for meta in page])

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_path(path)
        check_max_depth(max_depth)
        if not recursive:
            return (entry for entry in self._children(path) if isinstance(entry, FileInfo))
        start = len(folder_of(path)) + 1 if folder_of(path) else 0
        files = (describe(meta) for page in self._pages(path) for meta in page)
        return (file for file in files if max_depth is None or file.path.count("/", start) <= max_depth)

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (entry for entry in self.iter_children(path) if isinstance(entry, FolderEntry))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        self._check_path(path)
        return self._children(path)

    def get_file_info(self, path: str) -> FileInfo:
        result = self._get(path, head=True)
        return describe(result.meta, result.attributes)

    def get_folder_info(self, path: str) -> FolderInfo:
        files = list(self.list_files(path, recursive=True))
        if path and not files:
            raise self._no_folder(path)
        latest = max((file.modified_at for file in files if file.modified_at), default=None)
        return FolderInfo(path, len(files), sum(file.size for file in files), latest)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        if self._check_transfer(src, dst):
            with self._errors(dst):
                obstore.rename(self._store, src, dst, overwrite=overwrite)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        if self._check_transfer(src, dst):
            with self._errors(dst):
                obstore.copy(self._store, src, dst, overwrite=overwrite)

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
        return ResolutionPlan("obstore", self.name, key, self.native_path(key))

    def check_health(self) -> None:
        self._check_open()
        with self._errors(""):
            next(obstore.list(self._store, chunk_size=1), None)

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle: the store, by its class."""
        self._check_open()
        if kind is not type(self._store):
            message = f"there is no {kind.__name__}; the native handle is a {type(self._store).__name__}"
            raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)
        return cast("T", self._store)

    def close(self) -> None:
        if not self._closed:
            # The store closes its connections when its last reference is gone.
            del self._store
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
        if self._process != os.getpid():
            # obstore would hang here and, from then on, in the parent.
            message = "obstore does not work in a forked process; start processes with 'spawn' or 'forkserver'"
            raise BackendUnavailable(message, backend=self.name)

    def _check_path(self, path: str) -> None:
        self._check_open()
        require_text(path, self.name)
        if self._longest is not None and len(path.encode()) > self._longest:
            raise InvalidPath(f"a key has at most {self._longest} bytes", path=path, backend=self.name)

    def _check_write(
        self, path: str, metadata: Mapping[str, str] | None, content_type: str | None
    ) -> dict[str, str] | None:
        self._check_path(path)
        require_canonical(path, self.name)
        check_content_type(content_type)
        attributes = check_metadata(metadata)
        if attributes and self._is_tree:
            message = "files on disk have no metadata; write without it"
            raise CapabilityNotSupported(message, capability="user_metadata", path=path, backend=self.name)
        if content_type is not None and not self._is_tree:
            attributes["Content-Type"] = content_type
        return attributes or None

    def _check_target(self, path: str) -> None:
        """Raise InvalidPath where the disk would raise an error without the reason."""
        if self._is_tree and (self._is_below_a_file(path) or self.is_folder(path)):
            message = "the path is a folder, or a file stands where a folder is needed"
            raise InvalidPath(message, path=path, backend=self.name)

    def _is_below_a_file(self, path: str) -> bool:
        return any(self.is_file(path[:end]) for end, sign in enumerate(path) if sign == "/")

    def _can_be_folder(self, path: str) -> bool:
        return not path or (is_canonical(path) and not (self._is_tree and self._is_below_a_file(path)))

    def _check_transfer(self, src: str, dst: str) -> bool:
        self._check_path(src)
        require_file_path(src, self.name)
        self._check_path(dst)
        require_canonical(dst, self.name)
        self._get(src, head=True)
        if src != dst:
            self._check_target(dst)
        return src != dst

    def _get(self, path: str, **options: Any) -> GetResult:
        self._check_path(path)
        require_file_path(path, self.name)
        with suppress(NotFound), self._errors(path):
            if is_canonical(path):
                return obstore.get(self._store, path, options=cast("GetOptions", options))
        is_folder = False
        # This lookup only improves the message, so it may fail.
        with suppress(RemoteStoreError):
            is_folder = any(self._pages(path))
        if is_folder:
            raise InvalidPath("the path is a folder; name a file", path=path, backend=self.name)
        raise NotFound("there is no such file", path=path, backend=self.name)

    def _body(self, path: str, result: GetResult) -> Iterator[bytes]:
        with self._errors(path):
            yield from result.stream(min_chunk_size=BLOCK)

    def _reopen(self, path: str, meta: ObjectMeta, start: int) -> Iterator[bytes]:
        return self._body(path, self._get(path, if_match=meta["e_tag"], range={"offset": start}))

    def _fetch(self, path: str, meta: ObjectMeta, start: int, length: int) -> bytes:
        return self._content(path, self._get(path, if_match=meta["e_tag"], range=(start, start + length)))

    def _content(self, path: str, result: GetResult) -> bytes:
        with self._errors(path):
            return bytes(result.bytes())

    def _no_folder(self, path: str) -> RemoteStoreError:
        if self.is_file(folder_of(path)):
            return InvalidPath("the path is a file; name a folder", path=path, backend=self.name)
        return NotFound("there is no such folder", path=path, backend=self.name)

    def _pages(self, path: str) -> Iterator[Sequence[ObjectMeta]]:
        folder = folder_of(path)
        if not self._can_be_folder(folder):
            return
        with self._errors(path):
            pages = obstore.list(self._store, folder or None, chunk_size=PAGE)
            with suppress(FileNotFoundError, StopIteration):
                yield next(pages)
            yield from pages

    def _children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        folder = folder_of(path)
        if not self._can_be_folder(folder):
            return
        with suppress(NotFound), self._errors(path):
            found = obstore.list_with_delimiter(self._store, folder or None)
            yield from map(describe, found["objects"])
            yield from (FolderEntry(name, name.rpartition("/")[2]) for name in found["common_prefixes"])

    def _delete_all(self, path: str, keys: list[str]) -> None:
        try:
            with self._errors(path):
                obstore.delete(self._store, keys)
        except NotFound:
            # Another caller deleted it first.
            self.delete_folder(path, recursive=True, missing_ok=True)
        except RemoteStoreError as error:
            error.paths = tuple(meta["path"] for page in self._pages(path) for meta in page)
            raise

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except RemoteStoreError:
            raise
        except Exception as error:
            kind, message = next((ours, message) for theirs, ours, message in ERRORS if isinstance(error, theirs))
            raise kind(message, path=path, backend=self.name) from error


def from_url(url: str, **options: Any) -> ObstoreBackend:
    """The backend of a URL such as `s3://bucket/prefix`; the options are those of the store."""
    if url.startswith("s3"):
        options["config"] = {**S3_CONFIG, **options.get("config", {})}
    return ObstoreBackend(obstore.store.from_url(url, **options))


def base_of(store: ObjectStore) -> str:
    """The prefix of native paths."""
    prefix = str(getattr(store, "prefix", None) or "")
    if isinstance(store, S3Store):
        return f"s3://{store.config['bucket']}/{prefix and prefix + '/'}"
    return f"{type(store).__name__}:{prefix}/"


def is_canonical(path: str) -> bool:
    """Whether obstore leaves a key unchanged; keys that it rewrites cannot be accessed."""
    return not {"", ".", ".."} & set(path.split("/"))


def folder_of(path: str) -> str:
    """A folder's path without a trailing slash."""
    return path.removesuffix("/")


def tag(e_tag: str | None) -> str | None:
    """An entity tag without its quotes."""
    return e_tag and e_tag.strip('"')


def describe(meta: ObjectMeta, attributes: Mapping[str, str] | None = None) -> FileInfo:
    """The facts of a file; the attributes come only from a HEAD."""
    return FileInfo(
        path=meta["path"],
        name=meta["path"].rpartition("/")[2],
        size=meta["size"],
        modified_at=meta["last_modified"].astimezone(UTC),
        etag=tag(meta["e_tag"]),
        content_type=attributes.get("Content-Type") if attributes else None,
        metadata=None if attributes is None else {name: attributes[name] for name in attributes if name not in HEADERS},
        version_id=meta["version"],
    )
