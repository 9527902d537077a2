"""The calls of a filesystem that a backend makes: those that take a path literally, and never as a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from remote_store.core import AlreadyExists, Capability, FileInfo, NotFound, RemoteStoreError
from remote_store.fsspec.backend.errors import NAME, is_no_folder, typed_errors
from remote_store.fsspec.backend.facts import Info, content_type_of, etag_of, is_same, kind_of, modified_at, size_of
from remote_store.fsspec.backend.features import innermost, keeps_folders, refuses_content, takes_mode
from remote_store.fsspec.backend.place import Place

BLOCK = 1 << 20
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file will be written.

    Attributes:
        path: Its path.
        before: The facts about the file there; `None` if there is none.
        new_folders: The folders above it that do not exist yet, the highest first.
    """

    path: str
    before: Info | None
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
        with typed_errors(path, Capability.METADATA), suppress(FileNotFoundError, NotADirectoryError):
            self._keeper.invalidate_cache()
            info: Info = self.fs.info(self.place.native(path))
            return info
        return None

    def children(self, folder: str) -> Iterator[tuple[str, str, Info]]:
        """The path, the name and the facts of each entry of a folder."""
        rows: list[Info] = []
        with typed_errors(folder, Capability.LIST), suppress(FileNotFoundError, NotADirectoryError):
            self._keeper.invalidate_cache()
            rows = self.fs.ls(self.place.native(folder), detail=True)
        for row in rows:
            full = str(row["name"]).rstrip("/")
            if self.place.is_root(full, folder):
                continue
            name = full.rpartition("/")[2]
            path = f"{folder}/{name}" if folder else name
            # A listing may describe a link, and not the file that it leads to.
            info = row if kind_of(row) else self.look(path)
            if info is not None:
                yield path, name, info

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
        mode = {"mode": "create"} if create and takes_mode(self.fs) else {}
        with self._all_or_nothing(target, len(content)):
            self._place(target, lambda native: self.fs.pipe_file(native, content, **mode), Capability.WRITE)

    def copy(self, source: str, target: Target, size: int | None) -> None:
        """Copy a file within the filesystem."""
        with self._all_or_nothing(target, size or 0):
            self._place(target, partial(self.fs.cp_file, self.place.native(source)), Capability.COPY)

    def remove_file(self, path: str) -> None:
        """Delete a file."""
        with typed_errors(path, Capability.DELETE):
            self.fs.rm_file(self.place.native(path))

    def remove_folder(self, path: str) -> bool:
        """Delete a folder if it is empty. Returns whether it was deleted."""
        with suppress(RemoteStoreError), typed_errors(path):
            if refuses_content(self.fs) or next(self.children(path), None) is None:
                self.fs.rmdir(self.place.native(path))
                return True
        return False

    def prune(self, path: str) -> None:
        """Delete the folders above a file that is gone, as far as they are empty."""
        if not keeps_folders(self.fs):
            return
        folder = path.rpartition("/")[0]
        while folder and self.remove_folder(folder):
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

    def _place(self, target: Target, put: Callable[[str], None], capability: Capability) -> None:
        native = self.place.native(target.path)
        with typed_errors(target.path, capability):
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

    @contextmanager
    def _all_or_nothing(self, target: Target, size: int) -> Iterator[None]:
        """If the block fails, remove a file that is shorter than it should be, and the folders that are new."""
        try:
            yield
        except AlreadyExists:
            raise
        except BaseException:
            with suppress(RemoteStoreError):
                self._clean(target, size)
            raise

    def _clean(self, target: Target, size: int) -> None:
        now = self.look(target.path)
        if now and kind_of(now) == "file" and not is_same(now, target.before) and (size_of(now) or 0) < size:
            self.remove_file(target.path)
        for folder in reversed(target.new_folders):
            self.remove_folder(folder)

    def _counted(self, path: str) -> int:
        with typed_errors(path, Capability.READ), self.fs.open(self.place.native(path), "rb") as file:
            return sum(len(block) for block in iter(partial(file.read, BLOCK), b""))
