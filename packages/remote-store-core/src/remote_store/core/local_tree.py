"""Keys as paths of the file system below one root."""

# Keys are exact text, and `Path` would rewrite them.
# ruff: noqa: PTH103, PTH108, PTH112, PTH116, PTH118, PTH119, PTH120, PTH123
from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

from remote_store.core.errors import AlreadyExists, InvalidPath, NotFound
from remote_store.core.local_disk import describe, is_inside, os_errors, prune, scan
from remote_store.core.models import FileInfo, FolderEntry

UNFINISHED = ".remote-store-unfinished"


class Found(NamedTuple):
    """A path of the file system that exists, and what it is."""

    native: str
    facts: os.stat_result


class Tree:
    """What lies below a root, found by key.

    Args:
        root: The absolute path of the root.
        backend: Name of the backend, for errors.
        create: Make the root when something is written.
    """

    def __init__(self, root: str, backend: str, *, create: bool) -> None:
        self._root = root
        self._backend = backend
        self._create = create

    def look(self, path: str) -> Found | None:
        """What stands at a path; `None` also for every key that no file system can hold, such as `a//b`."""
        key = path.removesuffix("/")
        if any(segment in ("", ".", "..") for segment in key.split("/")):
            return None
        with os_errors(path, self._backend):
            native = self.native(key)
            try:
                found = Found(native, os.stat(native))
            except (FileNotFoundError, NotADirectoryError):
                return None
        return found if key == path or stat.S_ISDIR(found.facts.st_mode) else None

    def native(self, key: str) -> str:
        """The path of a canonical key, with links resolved except in its last segment.

        Raises:
            InvalidPath: It leads out of the root, or to where unfinished writes are.
        """
        if key.partition("/")[0] == UNFINISHED:
            raise InvalidPath("the name is kept for unfinished writes", path=key, backend=self._backend)
        root = os.path.realpath(self._root)
        native = os.path.join(root, key)
        real = os.path.realpath(native)
        if real == native:
            return native
        if not is_inside(real, root):
            raise InvalidPath("a symbolic link leads out of the root", path=key, backend=self._backend)
        return os.path.join(os.path.realpath(os.path.dirname(native)), os.path.basename(native))

    def target(self, path: str, *, overwrite: bool) -> str:
        """The path where a file can be put.

        Raises:
            AlreadyExists: There is one, and `overwrite` is `False`.
            InvalidPath: A folder is there, or a file where a folder above it is needed.
        """
        with os_errors(path, self._backend):
            native = self.native(path)
            try:
                mode = os.stat(native).st_mode
            except FileNotFoundError:
                return native
        if not stat.S_ISREG(mode):
            raise InvalidPath("the path is a folder, or no regular file", path=path, backend=self._backend)
        if not overwrite:
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self._backend)
        return native

    @contextmanager
    def unfinished(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        """Open a file that nobody else sees, and remove it afterwards unless it was put to its place."""
        root = os.path.realpath(self._root)
        folder = os.path.join(root, UNFINISHED)
        name = os.path.join(folder, uuid.uuid4().hex)
        if not os.path.isdir(root) and not self._create:
            raise NotFound("the root is no folder; create it, or pass create=True", path=path, backend=self._backend)
        with os_errors(path, self._backend):
            os.makedirs(folder, exist_ok=True)
            file = open(name, "xb")  # noqa: SIM115 - it is closed below
        try:
            yield name, file
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)

    def prune(self, native: str) -> None:
        """Remove the folders above a path as far as they are empty."""
        prune(os.path.dirname(native), os.path.realpath(self._root))

    def walk(self, path: str, deepest: int | None) -> Iterator[FileInfo | FolderEntry]:
        """The files and folders of a folder and of `deepest` levels of folders in it, one open folder at a time."""
        found = self.look(path) if path else None
        start = found.native if found else None if path else self._root
        pending = [(start, path.removesuffix("/") + "/" if path else "", 0)] if start else []
        while pending:
            folder, prefix, level = pending.pop()
            with os_errors(prefix.removesuffix("/"), self._backend):
                for entry in scan(folder):
                    row = self._describe(prefix + entry.name, entry)
                    if row is None:
                        continue
                    if isinstance(row, FolderEntry) and level != deepest and not entry.is_symlink():
                        pending.append((entry.path, row.path + "/", level + 1))
                    yield row

    def _describe(self, key: str, entry: os.DirEntry[str]) -> FileInfo | FolderEntry | None:
        outside = entry.is_symlink() and not is_inside(os.path.realpath(entry.path), os.path.realpath(self._root))
        if key == UNFINISHED or outside:
            return None
        if entry.is_dir():
            return FolderEntry(key, entry.name)
        try:
            return describe(key, entry.stat()) if entry.is_file() else None
        except FileNotFoundError:
            return None
