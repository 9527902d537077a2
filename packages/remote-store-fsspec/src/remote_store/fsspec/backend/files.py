"""What the contract says about files and folders, over the calls of a filesystem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    DirectoryNotEmpty,
    FileInfo,
    FolderEntry,
    InvalidPath,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    require_canonical,
    require_file_path,
    require_text,
)
from remote_store.fsspec.backend.errors import NAME
from remote_store.fsspec.backend.facts import Info, Kind, is_link, is_same, kind_of, size_of
from remote_store.fsspec.backend.tree import Target, Tree


class Files:
    """Files and folders with the paths and the errors of the contract.

    Args:
        tree: The calls of the filesystem.
        create: The first write creates the root.
    """

    def __init__(self, tree: Tree, *, create: bool) -> None:
        self.tree = tree
        self._create = create

    def kind(self, path: str) -> Kind | None:
        """Whether a path is a file or a folder; `None` if it is neither."""
        require_text(path, NAME)
        if path == "":
            return "directory"
        info = self.tree.look(path)
        if info is None and path.endswith("/"):
            info = self.tree.look(path[:-1])
            return "directory" if info and kind_of(info) == "directory" else None
        return kind_of(info) if info else None

    def find(self, path: str) -> Info:
        """The facts about a file.

        Raises:
            NotFound: There is nothing.
            InvalidPath: It is a folder.
        """
        require_file_path(path, NAME)
        info = self.tree.look(path)
        if info is not None and is_file(info):
            return info
        if self.kind(path) is None:
            raise NotFound("there is no such file", path=path, backend=NAME)
        raise InvalidPath("the path is a folder; name a file", path=path, backend=NAME)

    def require_folder(self, path: str) -> None:
        """Check that a path is a folder.

        Raises:
            NotFound: There is nothing.
            InvalidPath: It is a file.
        """
        kind = self.kind(path)
        if kind is None and self.kind(path.removesuffix("/")) is None:
            raise NotFound("there is no such folder", path=path, backend=NAME)
        if kind != "directory":
            raise InvalidPath("the path is a file; name a folder", path=path, backend=NAME)

    def require_same(self, path: str, info: Info, advice: str) -> None:
        """Check that a file is still the one that was looked at.

        Raises:
            PreconditionFailed: It is not.
        """
        if not is_same(info, self.tree.look(path)):
            raise PreconditionFailed(f"the file changed meanwhile; {advice}", path=path, backend=NAME)

    def whole(self, path: str, info: Info) -> bytes:
        """The content of a file that was looked at."""
        data = self.tree.fetch(path)
        self.require_same(path, info, "open it again")
        # The size of some files, such as those below /proc, is 0 and means nothing.
        if len(data) < (size_of(info) or 0):
            raise _wrong_length(path, len(data), size_of(info))
        return data

    def range(self, path: str, info: Info, size: int, start: int, length: int) -> bytes:
        """A range of a file that was looked at, which ends where the file ends."""
        end = min(start + length, size)
        if start >= end:
            self.require_same(path, info, "open it again")
            return b""
        data = self.tree.fetch(path, start, end)
        self.require_same(path, info, "open it again")
        # A server of HTTP may ignore the range and send the whole file.
        if len(data) == size:
            return data[start:end]
        if len(data) != end - start:
            raise _wrong_length(path, len(data), end - start)
        return data

    def describe(self, path: str, name: str, info: Info) -> FileInfo | FolderEntry:
        """A row of a listing."""
        return self.tree.describe(path, info) if is_file(info) else FolderEntry(path, name)

    def walk(self, path: str, deepest: int | None) -> Iterator[tuple[str, str, Info]]:
        """Path, name and facts of the files and folders in a folder. What a link to a folder leads to is left out."""
        return (entry for entry in self._entries(path, deepest) if kind_of(entry[2]))

    def _entries(
        self, path: str, deepest: int | None, leave: Callable[[str], bool] | None = None
    ) -> Iterator[tuple[str, str, Info]]:
        """What is in a folder, without what is in the folders for which `leave` is true."""
        pending = [(path.removesuffix("/"), 0)] if self.kind(path) == "directory" else []
        while pending:
            folder, depth = pending.pop()
            for found, name, info in self.tree.children(folder):
                yield found, name, info
                enters = is_own_folder(info) and (deepest is None or depth < deepest)
                if enters and not (leave and leave(found)):
                    pending.append((found, depth + 1))

    def target(self, path: str, *, overwrite: bool) -> Target:
        """Look at the place of a new file and at the folders above it.

        Raises:
            AlreadyExists: There is a file, and `overwrite` is `False`.
            InvalidPath: There is a folder, or a file above it.
            NotFound: The root does not exist, and is not created.
        """
        require_canonical(path, NAME)
        info = self.tree.look(path)
        if info is not None and kind_of(info) == "directory":
            raise InvalidPath("the path is a folder; name a file", path=path, backend=NAME)
        if info is not None and not overwrite:
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=NAME)
        folders = [path[:end] for end, sign in enumerate(path) if sign == "/"]
        kinds = {folder: self.kind(folder) for folder in folders}
        if "file" in kinds.values():
            raise InvalidPath("a file stands where a folder is needed", path=path, backend=NAME)
        if not self._create:
            self.tree.require_root()
        return Target(path, info is None, tuple(folder for folder in folders if kinds[folder] is None))

    def copy(self, src: str, dst: str, *, overwrite: bool) -> Info:
        """Copy a file, unless it is the same, and return the facts about it before."""
        require_file_path(src, NAME)
        require_canonical(dst, NAME)
        info = self.find(src)
        if src != dst:
            self.tree.copy(src, self.target(dst, overwrite=overwrite))
        return info

    def remove_folder(self, path: str, *, recursive: bool) -> None:
        """Delete a folder, and its content if `recursive`. Of a link, only the link is deleted.

        Raises:
            DirectoryNotEmpty: It has content, and `recursive` is `False`.
            RemoteStoreError: Something could not be deleted.
        """
        self.require_folder(path)
        folder = path.removesuffix("/")
        if self.tree.is_link(folder, self.tree.look(folder) or {}):
            self.tree.remove_file(folder)
        elif not self.tree.remove_link(folder):
            entries = list(self._entries(path, None if recursive else 0, self.tree.remove_link))
            if entries and not recursive:
                raise _not_empty(path)
            self._remove_all(path, entries, recursive=recursive)
        self.tree.prune(folder)

    def _remove_all(self, path: str, entries: list[tuple[str, str, Info]], *, recursive: bool) -> None:
        folders = [path.removesuffix("/"), *(found for found, _, info in entries if is_own_folder(info))]
        others = [found for found, _, info in entries if not is_own_folder(info)]
        left: dict[str, RemoteStoreError] = {}
        for found in others:
            with _collected(left, found):
                self.tree.remove_file(found)
        for found in reversed(folders):
            try:
                with _collected(left, found):
                    self.tree.remove_folder(found)
            except DirectoryNotEmpty as error:
                # It has what is left, or what was written meanwhile.
                if not recursive:
                    raise _not_empty(path) from error
        if left:
            message = "some files or folders could not be deleted; the cause says more"
            cause = next(iter(left.values()))
            raise RemoteStoreError(message, path=path, paths=tuple(left), backend=NAME) from cause


def is_file(info: Info) -> bool:
    """Whether the facts are those of a file."""
    return kind_of(info) == "file"


def is_own_folder(info: Info) -> bool:
    """Whether the facts are those of a folder, and of no link to one."""
    return kind_of(info) == "directory" and not is_link(info)


@contextmanager
def _collected(left: dict[str, RemoteStoreError], path: str) -> Iterator[None]:
    """Collect the error of a deletion; that there is nothing to delete is none."""
    try:
        yield
    except NotFound:
        pass
    except DirectoryNotEmpty:
        raise
    except RemoteStoreError as error:
        left[path] = error


def _not_empty(path: str) -> DirectoryNotEmpty:
    return DirectoryNotEmpty("the folder has content; pass recursive=True to delete it too", path=path, backend=NAME)


def _wrong_length(path: str, received: int, expected: int | None) -> BackendUnavailable:
    message = f"the filesystem returned {received:,} bytes and not {expected:,}; try again"
    return BackendUnavailable(message, path=path, backend=NAME, retryable=True)
