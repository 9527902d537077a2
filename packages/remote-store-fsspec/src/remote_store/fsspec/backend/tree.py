"""The calls of a filesystem that a backend makes: those that take a path literally, and never as a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from remote_store.core import AlreadyExists, Capability, DirectoryNotEmpty, FileInfo, NotFound, RemoteStoreError
from remote_store.fsspec.backend.errors import NAME, is_no_folder, typed_errors
from remote_store.fsspec.backend.facts import Info, content_type_of, etag_of, is_link, kind_of, modified_at, size_of
from remote_store.fsspec.backend.features import (
    hides_links,
    innermost,
    keeps_folders,
    refuses_content,
    takes_mode,
    writes_in_place,
)
from remote_store.fsspec.backend.place import Place

BLOCK = 1 << 20
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file will be written.

    Attributes:
        path: Its path.
        is_new: There is no file yet.
        new_folders: The folders above it that do not exist yet, the highest first.
    """

    path: str
    is_new: bool
    new_folders: tuple[str, ...]


class Tree:
    """Files and folders of a filesystem below a place.

    `rm`, `mv`, `copy`, `cat` and others of fsspec expand wildcards, so they can reach other files than the given one.
    Listings that the filesystem keeps are dropped before each look.

    Args:
        fs: The filesystem.
        place: The folder.
    """

    def __init__(self, fs: Any, place: Place) -> None:
        self.fs = fs
        self.place = place
        # In old releases, a folder of a filesystem does not pass the call on.
        self._keeper = innermost(fs)

    def look(self, path: str) -> Info | None:
        """The facts about a path; `None` if nothing is there. A path that the filesystem would rewrite is nothing."""
        if path and any(segment in ("", ".", "..") for segment in path.split("/")):
            return None
        if self.place.is_reserved(path):
            return None
        with suppress(NotFound), typed_errors(path, Capability.METADATA), suppress(NotADirectoryError):
            self._keeper.invalidate_cache()
            info: Info = self.fs.info(self.place.native(path))
            return info
        return None

    def children(self, folder: str) -> Iterator[tuple[str, str, Info]]:
        """Path, name and facts of each entry of a folder, also of those that are neither a file nor a folder."""
        rows: list[Info] = []
        with suppress(NotFound), typed_errors(folder, Capability.LIST), suppress(NotADirectoryError):
            self._keeper.invalidate_cache()
            rows = self.fs.ls(self.place.native(folder), detail=True)
        for row in rows:
            name = self.place.child(str(row["name"]), folder)
            if name is not None:
                path = f"{folder}/{name}" if folder else name
                yield path, name, row if kind_of(row) else self._followed(path, row)

    def is_link(self, path: str, info: Info) -> bool:
        """Whether a path is a link. `info` may follow links without saying so, and only `ls` tells."""
        if "islink" in info or not keeps_folders(self.fs):
            return is_link(info)
        return any(found == path and is_link(entry) for found, _, entry in self.children(path.rpartition("/")[0]))

    def fetch(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """The content of a file, or a range of it."""
        with typed_errors(path, Capability.READ):
            content: bytes = self.fs.cat_file(self.place.native(path), start, end)
            return content

    def describe(self, path: str, info: Info) -> FileInfo:
        """A file for users. If the filesystem does not know the size, the content is read to find out."""
        size = size_of(info)
        return FileInfo(
            path,
            path.rpartition("/")[2],
            self._counted(path) if size is None else size,
            modified_at(info),
            etag_of(info),
            content_type_of(info),
        )

    def put(self, target: Target, content: bytes, *, create: bool) -> None:
        """Write a file, and the folders above it if the filesystem wants them to exist."""
        put = self._write_in_place if writes_in_place(self.fs) else self._pipe
        self._place(target, partial(put, target, content, create), Capability.WRITE)

    def copy(self, source: str, target: Target) -> None:
        """Copy a file within the filesystem."""
        self._place(target, partial(self.fs.cp_file, self.place.native(source)), Capability.COPY)

    def remove_link(self, path: str) -> bool:
        """Delete what looks like a folder if it is a link that no listing tells. Returns whether it was one."""
        if hides_links(self.fs):
            with suppress(RemoteStoreError):
                self.remove_file(path)
                return True
        return False

    def remove_file(self, path: str) -> None:
        """Delete a file."""
        with typed_errors(path, Capability.DELETE):
            self.fs.rm_file(self.place.native(path))

    def remove_folder(self, path: str) -> None:
        """Delete a folder if it is empty. Whether the filesystem has folders without files or not, it is gone then.

        Raises:
            DirectoryNotEmpty: It has content.
        """
        with typed_errors(path):
            if not refuses_content(self.fs):
                self._require_empty(path)
            try:
                self.fs.rmdir(self.place.native(path))
            except Exception:
                # What the exception says about content depends on the filesystem.
                self._require_empty(path)
                if self.look(path) is not None:
                    raise

    def prune(self, path: str) -> None:
        """Delete the folders above a file that is gone, as far as they are empty."""
        if not keeps_folders(self.fs):
            return
        folder = path.rpartition("/")[0]
        with suppress(RemoteStoreError):
            while folder:
                self.remove_folder(folder)
                folder = folder.rpartition("/")[0]

    def require_root(self) -> None:
        """Check that the root is a folder.

        Raises:
            NotFound: It is not.
        """
        info = self.look("")
        # Over HTTP, a folder looks like a file, and only a listing tells.
        if info is None or (kind_of(info) != "directory" and next(self.children(""), None) is None):
            raise NotFound("the root of the backend is not a folder; create it", path="", backend=NAME)

    def _followed(self, path: str, row: Info) -> Info:
        """The facts about what a row of a listing leads to; the row if it leads nowhere."""
        info = self.look(path)
        return row if info is None else {**info, "islink": True}

    def _require_empty(self, folder: str) -> None:
        if next(self.children(folder), None) is not None:
            raise DirectoryNotEmpty("the folder has content", path=folder, backend=NAME)

    def _place(self, target: Target, put: Callable[[str], None], capability: Capability) -> None:
        try:
            with typed_errors(target.path, capability):
                self._place_below(target, put)
        except AlreadyExists:
            raise
        except BaseException:
            with suppress(RemoteStoreError):
                for folder in reversed(target.new_folders):
                    self.remove_folder(folder)
            raise

    def _place_below(self, target: Target, put: Callable[[str], None]) -> None:
        native = self.place.native(target.path)
        # A folder without files may be removed by whoever deletes a file of it, before this one is in it.
        for attempt in range(ATTEMPTS):
            try:
                put(native)
            except Exception as error:
                if not is_no_folder(error, maybe=bool(target.new_folders) and not attempt):
                    raise
            else:
                return
            # `os.makedirs` raises FileExistsError if the folder is removed right after it was there.
            with suppress(FileExistsError, FileNotFoundError):
                self.fs.makedirs(native.rpartition("/")[0], exist_ok=True)
        put(native)

    def _pipe(self, target: Target, content: bytes, create: bool, native: str) -> None:
        mode = {"mode": "create"} if create and takes_mode(self.fs) else {}
        self.fs.pipe_file(native, content, **mode)

    def _write_in_place(self, target: Target, content: bytes, create: bool, native: str) -> None:
        """Write as the `pipe_file` of fsspec's base class does. If that fails, a file that is new is removed.

        Before the file is open, nothing of it is this call's, so nothing is removed.
        """
        if create and self.look(target.path) is not None:
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=target.path, backend=NAME)
        file = self.fs.open(native, "wb")
        try:
            with file:
                file.write(content)
        except BaseException:
            if target.is_new:
                self._remove_part(target.path, content)
            raise

    def _remove_part(self, path: str, content: bytes) -> None:
        with suppress(RemoteStoreError):
            part = self.fetch(path)
            if len(part) < len(content) and content.startswith(part):
                self.remove_file(path)

    def _counted(self, path: str) -> int:
        with typed_errors(path, Capability.READ), self.fs.open(self.place.native(path), "rb") as file:
            return sum(len(block) for block in iter(partial(file.read, BLOCK), b""))
