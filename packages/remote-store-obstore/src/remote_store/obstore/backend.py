"""The backend over any store of obstore."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar, cast

import obstore
from obstore.store import LocalStore

from remote_store.core import (
    AlreadyExists,
    Backend,
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
    RangeReader,
    RemoteStoreError,
    ResolutionPlan,
    WriteResult,
    check_max_depth,
    check_range,
    require_canonical,
    require_file_path,
)
from remote_store.core.home import public
from remote_store.obstore.disk import linked_folders, remove_empty_folders, remove_link, remove_moved, root_of
from remote_store.obstore.entries import described, quoted
from remote_store.obstore.kinds import ALL, kind_of
from remote_store.obstore.objects import Objects
from remote_store.obstore.paths import check_path, folder_of, is_reachable, require_reachable
from remote_store.obstore.reading import Body, BodyFile
from remote_store.obstore.writing import PART_SIZE, attributes_of, check_condition, check_part_size, put

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from obstore.store import ObjectStore

T = TypeVar("T")
FARTHEST = 2**63 - 1


@public("remote_store.obstore")
class ObstoreBackend(Backend):
    """The files of any store of obstore.

    The kind of the store decides the capabilities: a `LocalStore` keeps neither metadata nor content type, and an
    `HTTPStore` is read-only. A create (`overwrite=False`) is one conditional PUT of any size, whose content is held in
    memory, because obstore has no conditional multipart upload. Make an `S3Store` with `config=S3_CONFIG`, or use
    `ObstoreS3Backend`. A reader keeps to the version that it opened.

    obstore does not work in a forked process: calls there raise `BackendUnavailable`. An instance can be pickled if
    obstore can pickle the store, which it can unless the store is in memory. `unwrap` returns:

    - the store, by its class, such as `obstore.store.S3Store`.

    Args:
        store: The store. Its prefix, if it has one, is the root.
        part_size: Overwrites up to this many bytes are one PUT; larger ones are uploaded in parts of this size, or of
            larger ones if 10,000 parts do not suffice. An overwrite from a stream that does not tell its size fails
            above 10,000 parts (80 GiB).

    Raises:
        ConfigError: `store` is no store of obstore, or `part_size` is not a positive `int`.
    """

    name = "obstore"
    capabilities = ALL

    def __init__(self, store: ObjectStore, *, part_size: int = PART_SIZE) -> None:
        self._kind = kind_of(store)
        self._base = self._kind.base(store)
        self._part_size = check_part_size(part_size)
        self._objects = Objects(store, self._kind, self.name)
        self.capabilities = self._kind.capabilities

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    @property
    def deviations_file(self) -> Traversable | None:
        """The rules that this kind of store cannot keep, which `remote-store-conformance run` reads."""
        return self._kind.deviations_file

    def exists(self, path: str) -> bool:
        return self.is_file(path) or (Capability.LIST in self.capabilities and self.is_folder(path))

    def is_file(self, path: str) -> bool:
        self._check_path(path)
        with suppress(NotFound):
            return is_reachable(path, self._kind) and bool(self._objects.request(path, head=True))
        return False

    def is_folder(self, path: str) -> bool:
        self._check_path(path)
        if path == "":
            return True
        self._require(Capability.LIST)
        return any(self._objects.pages(path))

    def read(self, path: str) -> BinaryIO:
        result = self._objects.get(path)
        info = described(result.meta, result.attributes)
        body = Body(self._objects.body(path, result), partial(self._reopen, path, info))
        return BodyFile(body, info, self.name)

    def read_seekable(self, path: str) -> BinaryIO:
        result = self._objects.get(path, head=True)
        info = described(result.meta, result.attributes)
        reader = RangeReader(partial(self._fetch, path, info), info.size, path=path, backend=self.name, info=info)
        return cast("BinaryIO", reader)

    def read_bytes(self, path: str) -> bytes:
        return self._objects.content(path, self._objects.get(path))

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._objects.check_open()
        check_range(start, length)
        try:
            if length and start < FARTHEST:
                result = self._objects.get(path, range=(start, min(start + length, FARTHEST)))
                return self._objects.content(path, result)
        except RemoteStoreError as error:
            # A range past the end raises no specific error, so the size decides.
            if type(error) is not RemoteStoreError or start < self._objects.get(path, head=True).meta["size"]:
                raise
        else:
            self._objects.get(path, head=True)
        return b""

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        if_match: str | None = None,
    ) -> WriteResult:
        attributes = self._check_write(path, metadata, content_type)
        check_condition(if_match, overwrite=overwrite)
        self._check_target(path)
        mode: Any = ("overwrite" if overwrite else "create") if if_match is None else {"e_tag": quoted(if_match)}
        return put(
            self._objects.store,
            path,
            content,
            attributes,
            mode=mode,
            part_size=self._part_size,
            metadata=metadata,
            backend=self.name,
        )

    write_atomic = write

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        if_match: str | None = None,
    ) -> Iterator[BinaryIO]:
        self._check_write(path, metadata, content_type)
        check_condition(if_match, overwrite=overwrite)
        self._check_target(path)
        if not overwrite and self.is_file(path):
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self.name)
        # The caller may change the mapping during the block.
        metadata = None if metadata is None else dict(metadata)
        with tempfile.SpooledTemporaryFile(self._part_size) as spool:
            stream = cast("BinaryIO", spool)
            yield stream
            stream.seek(0)
            described: dict[str, Any] = {"metadata": metadata, "content_type": content_type, "if_match": if_match}
            self.write(path, stream, overwrite=overwrite, **described)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        self._require(Capability.DELETE)
        with suppress(NotFound) if missing_ok else nullcontext():
            self._objects.get(path, head=True)
            self._objects.delete(path)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._require(Capability.DELETE)
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        self._check_path(path)
        pages = self._objects.pages(path)
        first = next(pages, None)
        if first is None:
            with suppress(NotFound) if missing_ok else nullcontext():
                raise self._no_folder(path)
        elif not recursive:
            message = "the folder has content; pass recursive=True to delete it too"
            raise DirectoryNotEmpty(message, path=path, backend=self.name)
        else:
            self._delete_all(folder_of(path), [meta["path"] for page in chain((first,), pages) for meta in page])

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._require(Capability.LIST)
        self._check_path(path)
        check_max_depth(max_depth)
        if not recursive:
            return (entry for entry in self._objects.children(path) if isinstance(entry, FileInfo))
        start = len(folder_of(path)) + 1 if folder_of(path) else 0
        files = (described(meta) for page in self._objects.pages(path) for meta in page)
        return (file for file in files if max_depth is None or file.path.count("/", start) <= max_depth)

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        return (entry for entry in self.iter_children(path) if isinstance(entry, FolderEntry))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        self._require(Capability.LIST)
        self._check_path(path)
        return self._objects.children(path)

    def get_file_info(self, path: str) -> FileInfo:
        result = self._objects.get(path, head=True)
        return described(result.meta, result.attributes)

    def get_folder_info(self, path: str) -> FolderInfo:
        files = list(self.list_files(path, recursive=True))
        if path and not files:
            raise self._no_folder(path)
        latest = max((file.modified_at for file in files if file.modified_at), default=None)
        return FolderInfo(path, len(files), sum(file.size for file in files), latest)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._require(Capability.MOVE)
        if self._check_transfer(src, dst):
            with self._objects.errors(dst):
                obstore.rename(self._objects.store, src, dst, overwrite=overwrite)
            if isinstance(self._objects.store, LocalStore):
                remove_moved(root_of(self._objects.store), src, dst)
                remove_empty_folders(root_of(self._objects.store), src)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._require(Capability.COPY)
        if self._check_transfer(src, dst):
            with self._objects.errors(dst):
                obstore.copy(self._objects.store, src, dst, overwrite=overwrite)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._require(Capability.GLOB)
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
        self._objects.check_open()
        with self._objects.errors(""):
            if Capability.LIST in self.capabilities and not next(obstore.list(self._objects.store, chunk_size=1), None):
                self._objects.prove("")

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle: the store, by its class."""
        store = self._objects.store
        if kind is not type(store):
            message = f"there is no {kind.__name__}; the native handle is a {type(store).__name__}"
            raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)
        return cast("T", store)

    def close(self) -> None:
        self._objects.close()

    def __enter__(self) -> Self:
        self._objects.check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _require(self, capability: Capability) -> None:
        store = self._objects.store
        if capability not in self.capabilities:
            message = f"a {type(store).__name__} has no {capability.value}"
            raise CapabilityNotSupported(message, capability=capability.value, backend=self.name)

    def _check_path(self, path: str) -> None:
        self._objects.check_open()
        check_path(path, self._kind, self.name)

    def _check_write(
        self, path: str, metadata: Mapping[str, str] | None, content_type: str | None
    ) -> dict[str, str] | None:
        self._require(Capability.WRITE)
        self._check_path(path)
        require_canonical(path, self.name)
        require_reachable(path, self._kind, self.name)
        attributes = attributes_of(metadata, content_type, self._kind)
        if attributes and Capability.USER_METADATA not in self.capabilities:
            if metadata:
                message = "files on disk have no metadata; write without it"
                raise CapabilityNotSupported(message, capability="user_metadata", path=path, backend=self.name)
            return None
        return attributes or None

    def _check_target(self, path: str) -> None:
        """Raise InvalidPath where the disk would raise another error."""
        if self._kind.is_tree and (self._is_below_a_file(path) or self.is_folder(path)):
            message = "the path is a folder, or a file stands where a folder is needed"
            raise InvalidPath(message, path=path, backend=self.name)

    def _is_below_a_file(self, path: str) -> bool:
        return any(self.is_file(path[:end]) for end, sign in enumerate(path) if sign == "/")

    def _check_transfer(self, src: str, dst: str) -> bool:
        self._check_path(src)
        require_file_path(src, self.name)
        self._check_path(dst)
        require_canonical(dst, self.name)
        require_reachable(dst, self._kind, self.name)
        self._objects.get(src, head=True)
        if src != dst:
            self._check_target(dst)
        return src != dst

    def _reopen(self, path: str, info: FileInfo, start: int) -> Iterator[bytes]:
        return self._objects.body(path, self._objects.get(path, range={"offset": start}, **pin(info)))

    def _fetch(self, path: str, info: FileInfo, start: int, length: int) -> bytes:
        return self._objects.content(path, self._objects.get(path, range=(start, start + length), **pin(info)))

    def _delete_all(self, folder: str, keys: list[str]) -> None:
        store = self._objects.store
        links: list[str] = []
        if isinstance(store, LocalStore):
            links = list(linked_folders(root_of(store), folder))
            keys = [key for key in keys if not any(key.startswith(f"{link}/") for link in links)]
            for link in links:
                remove_link(root_of(store), link)
        self._objects.delete_all(folder, keys)

    def _no_folder(self, path: str) -> RemoteStoreError:
        if self.is_file(folder_of(path)):
            return InvalidPath("the path is a file; name a folder", path=path, backend=self.name)
        return NotFound("there is no such folder", path=path, backend=self.name)


def pin(info: FileInfo) -> dict[str, str]:
    """The condition that a later request is for the same version; none if the service has no strong entity tag."""
    return {} if info.etag is None or info.etag.startswith("W/") else {"if_match": quoted(info.etag)}
