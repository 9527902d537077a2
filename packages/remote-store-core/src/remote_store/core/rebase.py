"""The way between the paths of a store and the keys of its backend, for arguments, answers and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from remote_store.core.errors import InvalidPath, RemoteStoreError
from remote_store.core.glob import WILDCARD
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, WriteResult
from remote_store.core.path import RemotePath


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a backend that a store shows.

    Attributes:
        root: Key of the folder that is the store's root.
        prefix: What the key of every path in the store begins with.
    """

    root: str
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        closed = not self.root or self.root.endswith("/")
        object.__setattr__(self, "prefix", self.root if closed else f"{self.root}/")

    @classmethod
    def at(cls, path: str) -> Self:
        """The scope whose root is a path as typed, or an exact one.

        Raises:
            InvalidPath: The path is malformed.
            TypeError: The path is not a string.
        """
        return cls(cls("").folder(path))

    def key(self, path: str) -> str:
        """The key for a path that names something below the root.

        Raises:
            InvalidPath: The path is the root or malformed.
            TypeError: The path is not a string.
        """
        typed = RemotePath(path)
        if not typed:
            raise InvalidPath("the root is neither read, written nor deleted; name a path below it", path=path)
        return self.prefix + typed

    def folder(self, path: str) -> str:
        """The key for a path where the root may be meant: `""`, and `"."` as typed.

        Raises:
            InvalidPath: The path is malformed.
            TypeError: The path is not a string.
        """
        return self.root if self.is_root(path) else self.key(path)

    def is_root(self, path: str) -> bool:
        """Whether a path means the root."""
        return path == "" or (path == "." and not isinstance(path, RemotePath))

    def pattern(self, pattern: str) -> str:
        """The pattern for the backend, in which the root's own wildcards stand for themselves."""
        return self._pattern_prefix() + pattern

    def _pattern_prefix(self) -> str:
        return WILDCARD.sub(r"[\g<0>]", self.prefix)

    def holds(self, key: str) -> bool:
        """Whether a key lies inside."""
        return key.startswith(self.prefix) or key == self.root

    def said(self, key: str) -> str:
        """How the store names what an error is about: a key, or a pattern of `pattern`.

        A folder above the root is named as the root, the part of it that the store shows.
        """
        if self.holds(key):
            return self.path(key)
        if self.prefix.startswith(f"{key}/"):
            return RemotePath.exact("")
        prefix = self._pattern_prefix()
        return RemotePath.exact(key[len(prefix) :]) if key.startswith(prefix) else key

    def path(self, key: str) -> RemotePath:
        """The path for a key that lies inside."""
        return RemotePath.exact(key[len(self.prefix) :])

    def file(self, info: FileInfo) -> FileInfo:
        """The facts of a file under its path; spelt out because a listing has many of them."""
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
        )

    def entry(self, entry: FolderEntry) -> FolderEntry:
        """A folder of a listing under its path."""
        return FolderEntry(self.path(entry.path), entry.name)

    def child(self, child: FileInfo | FolderEntry) -> FileInfo | FolderEntry:
        """A file or a folder of a listing under its path."""
        return self.file(child) if isinstance(child, FileInfo) else self.entry(child)

    def totals(self, info: FolderInfo) -> FolderInfo:
        """The totals of a folder under its path."""
        return FolderInfo(self.path(info.path), info.file_count, info.total_size, info.modified_at)

    def written(self, result: WriteResult) -> WriteResult:
        """The result of a write under its path."""
        return WriteResult(
            self.path(result.path), result.size, result.etag, result.version_id, result.digest, result.metadata
        )

    def errors(self, about: str | None = None) -> Rebasing:
        """A context in which the errors of the backend get the store's paths.

        Args:
            about: In a call that runs code of the caller, such as a stream: the key that the backend's own errors
                are about. Errors about other keys are the caller's and stay as they are.
        """
        return Rebasing(self, about)


class Rebasing:
    """A context that changes `path` and `paths` of the errors that leave it, in place, and keeps no state."""

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
        """Say the error in the store's paths, unless a store has already said it in its own."""
        marks = vars(error)
        if "root_path" in marks or not all(map(self._is_meant, filter(None, (error.path, *error.paths)))):
            return
        marks["root_path"] = self.scope.root
        if error.path is not None:
            error.path = self.scope.said(error.path)
        error.paths = tuple(map(self.scope.said, error.paths))

    def _is_meant(self, path: str) -> bool:
        return self.about is None or path == self.about or self.about.startswith(f"{path.rstrip('/')}/")
