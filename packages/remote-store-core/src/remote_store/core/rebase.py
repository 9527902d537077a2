"""Conversion between a store's paths and its backend's keys, in arguments, results and errors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from remote_store.core.errors import RemoteStoreError, wrong_kind
from remote_store.core.glob import WILDCARD
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, NotModified, WriteResult
from remote_store.core.path import RemotePath


@dataclass(frozen=True, slots=True)
class Scope:
    """The folder of a backend that is the root of a store.

    Attributes:
        root: Key of the root folder.
        prefix: Prefix of every key in the store.
    """

    root: str
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        closed = not self.root or self.root.endswith("/")
        object.__setattr__(self, "prefix", self.root if closed else f"{self.root}/")

    @classmethod
    def at(cls, path: str) -> Self:
        """Make a scope whose root is a typed path or an exact `RemotePath`.

        Raises:
            InvalidPath: The path is malformed.
            TypeError: The path is not a string.
        """
        return cls(cls("").folder(path))

    def key(self, path: str) -> str:
        """The key of a path below the root.

        Raises:
            InvalidPath: The path is the root or malformed.
            TypeError: The path is not a string.
        """
        typed = RemotePath(path)
        if not typed:
            raise wrong_kind("the path is the root, which cannot be used here; name a path below it", path=path)
        return self.prefix + typed

    def folder(self, path: str) -> str:
        """The key of a folder, which may be the root: `""`, or a typed `"."`.

        Raises:
            InvalidPath: The path is malformed.
            TypeError: The path is not a string.
        """
        return self.root if self.is_root(path) else self.key(path)

    def below(self, path: str) -> str:
        """The key of a file or a folder; for the root its prefix, which does not name a file beside the root.

        Raises:
            InvalidPath: The path is malformed.
            TypeError: The path is not a string.
        """
        return self.prefix if self.is_root(path) else self.key(path)

    def is_root(self, path: str) -> bool:
        """Whether a path means the root."""
        return path == "" or (path == "." and not isinstance(path, RemotePath))

    def pattern(self, pattern: str) -> str:
        """The pattern to pass to the backend. Wildcard characters in the root are escaped."""
        return self._pattern_prefix() + pattern

    def _pattern_prefix(self) -> str:
        return WILDCARD.sub(r"[\g<0>]", self.prefix)

    def holds(self, key: str) -> bool:
        """Whether a key is the root or below it."""
        return key.startswith(self.prefix) or key == self.root

    def said(self, key: str) -> str:
        """The store's path for the key, or for the pattern made by `pattern`, that an error carries.

        A folder above the root becomes the root.
        """
        if self.holds(key):
            return self.path(key)
        if self.prefix.startswith(f"{key}/"):
            return RemotePath.exact("")
        prefix = self._pattern_prefix()
        return RemotePath.exact(key[len(prefix) :]) if key.startswith(prefix) else key

    def path(self, key: str) -> RemotePath:
        """The path of a key below the root."""
        return RemotePath.exact(key[len(self.prefix) :])

    def file(self, info: FileInfo) -> FileInfo:
        """A `FileInfo` with the store's path. Written out field by field because listings call it for every file."""
        return FileInfo(
            self.path(info.path),
            info.name,
            info.size,
            info.modified_at,
            info.etag,
            info.content_type,
            info.digest,
            info.metadata,
            info.version_id,
            info.storage_class,
            info.cache_control,
            info.content_disposition,
            info.content_encoding,
            info.expires,
            info.tag_count,
        )

    def found(self, info: FileInfo | NotModified) -> FileInfo | NotModified:
        """The result of `get_file_info` with the store's path."""
        return self.file(info) if isinstance(info, FileInfo) else self.unchanged(info)

    def content(self, content: bytes | NotModified) -> bytes | NotModified:
        """The result of `read_bytes` with the store's path."""
        return self.unchanged(content) if isinstance(content, NotModified) else content

    def unchanged(self, result: NotModified) -> NotModified:
        """A `NotModified` with the store's path."""
        return NotModified(self.path(result.path), result.etag)

    def entry(self, entry: FolderEntry) -> FolderEntry:
        """A `FolderEntry` with the store's path."""
        return FolderEntry(self.path(entry.path), entry.name)

    def child(self, child: FileInfo | FolderEntry) -> FileInfo | FolderEntry:
        """A row of a listing with the store's path."""
        return self.file(child) if isinstance(child, FileInfo) else self.entry(child)

    def totals(self, info: FolderInfo) -> FolderInfo:
        """A `FolderInfo` with the store's path."""
        return FolderInfo(self.path(info.path), info.file_count, info.total_size, info.modified_at)

    def written(self, result: WriteResult) -> WriteResult:
        """A `WriteResult` with the store's path."""
        return replace(result, path=self.path(result.path))

    def errors(self, about: str | None = None) -> Rebasing:
        """A context manager that converts the paths of the backend's errors to the store's paths.

        Args:
            about: The key that the call works on, if the call also runs the caller's code, such as a stream. Errors
                about other keys come from the caller and are left unchanged. `None` converts every error.
        """
        return Rebasing(self, about)


class Rebasing:
    """A reusable context manager that rewrites `path` and `paths` of the errors raised inside it."""

    __slots__ = ("about", "scope")

    def __init__(self, scope: Scope, about: str | None) -> None:
        self.scope = scope
        self.about = about

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, RemoteStoreError):
            self.rebase(error)

    def rebase(self, error: RemoteStoreError) -> None:
        """Convert the paths of an error, unless another store has already converted them."""
        marks = vars(error)
        if "root_path" in marks or not all(map(self._is_meant, filter(None, (error.path, *error.paths)))):
            return
        marks["root_path"] = self.scope.root
        if error.path is not None:
            error.path = self.scope.said(error.path)
        error.paths = tuple(map(self.scope.said, error.paths))

    def _is_meant(self, path: str) -> bool:
        return self.about is None or path == self.about or self.about.startswith(f"{path.rstrip('/')}/")
