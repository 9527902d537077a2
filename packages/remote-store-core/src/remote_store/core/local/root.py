"""The root folder of a backend: finds entries by key, and puts files into place."""

# `Path` would normalise keys, which must stay exact.
# ruff: noqa: PTH103, PTH112, PTH120
from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import TypeVar

from remote_store.core.errors import AlreadyExists, NotFound, RemoteStoreError
from remote_store.core.local.folder import Folder
from remote_store.core.local.names import can_exist, is_too_long
from remote_store.core.local.resolving import ABSENT, Position, Spot, resolve
from remote_store.core.local.system import Astray, not_regular, os_errors
from remote_store.core.local.tree import prune
from remote_store.core.local.unfinished import ATTEMPTS, Unfinished

T = TypeVar("T")
UNREACHABLE_LINK = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR)


class Root:
    """Finds and places files below a root folder. The `opened` stack of each method closes the descriptors it opens.

    Args:
        path: Absolute path of the root.
        backend: Name of the backend, for errors.
        create: Create the root on the first write.
    """

    def __init__(self, path: str, backend: str, *, create: bool) -> None:
        self._path = path
        self._backend = backend
        self._create = create

    def find(self, opened: ExitStack, path: str, *, follow: bool = True) -> Spot | None:
        """Find the entry of a key. Returns `None` if there is none, or if no file can have the key, such as `a//b`.

        Args:
            opened: Closes the opened descriptors.
            path: The key. A key that ends in a slash matches only a folder.
            follow: Follow a link in the last segment too.

        Raises:
            InvalidPath: A link is dangling or points outside the root, or the name is too long.
        """
        key = path.removesuffix("/")
        if not can_exist(key):
            return None
        with os_errors(path, self._backend):
            spot = self._resolved(opened, key, follow=follow)
            if spot is None or spot.facts is None:
                self._check_length(key)
                return None
        return spot if key == path or spot.kind == stat.S_IFDIR else None

    def folder(self, opened: ExitStack, path: str) -> Position | None:
        """A position in a folder (`""` is the root), or `None` if there is no such folder."""
        if path:
            spot = self.find(opened, path)
            if spot is None or spot.kind != stat.S_IFDIR:
                return None
            with os_errors(path, self._backend), suppress(*ABSENT):
                return spot.enter()
            return None
        with os_errors(path, self._backend), suppress(*ABSENT):
            return opened.enter_context(Position(Folder.at(self._path)))
        return None

    def link(self, names: list[str]) -> Spot | None:
        """Resolve a link; `None` if it does not point into the root. The descriptors of the result are closed."""
        with ExitStack() as opened:
            try:
                return opened.enter_context(resolve(self._path, names))
            except Astray:
                return None
            except OSError as error:
                if error.errno not in UNREACHABLE_LINK:
                    raise
                return None

    def target(self, opened: ExitStack, path: str, *, overwrite: bool) -> Spot:
        """Find the place for a file to write. A link to a file inside the root resolves to that file.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is a folder, a parent is a file, or a link points outside the root.
            NotFound: The root does not exist.
        """
        with os_errors(path, self._backend):
            self._check_length(path)
            spot = self._resolved(opened, path)
            if spot is None:
                self._make_root(path)
                spot = self._resolved(opened, path)
            if spot is None:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            # `stat` raises ENAMETOOLONG for a name that is too long, even if it does not exist.
            for name in spot.missing:
                with suppress(FileNotFoundError):
                    spot.position.here.look(name)
        if spot.facts is not None:
            if spot.kind != stat.S_IFREG:
                raise not_regular(path, self._backend)
            if not overwrite:
                message = "the file exists; pass overwrite=True to replace it"
                raise AlreadyExists(message, path=path, backend=self._backend)
        return spot

    def begin(self, opened: ExitStack, path: str, attributes: Mapping[str, bytes], *, overwrite: bool) -> Unfinished:
        """Create an unfinished file in the folder of a target, or in the deepest parent that exists.

        Raises:
            AlreadyExists: The target exists and `overwrite` is `False`.
            CapabilityNotSupported: The file system cannot store the attributes.
            InvalidPath: The path cannot be a file.
            NotFound: The root does not exist.
        """
        for _ in range(ATTEMPTS):
            with ExitStack() as attempt:
                spot = self.target(attempt, path, overwrite=overwrite)
                with os_errors(path, self._backend), suppress(FileNotFoundError):
                    unfinished = attempt.enter_context(Unfinished(spot.position.here, attributes).opened())
                    opened.enter_context(attempt.pop_all())
                    return unfinished
        raise self._busy(path)

    def place(self, path: str, action: Callable[[Spot, str], T], *, overwrite: bool) -> T:
        """Create the parent folders of a target and put a file there. Tries again if another process removes a folder.

        Args:
            path: The key of the target.
            action: Puts the file into the position's folder under the given name. It is called again if it raises
                `FileNotFoundError` (the folder is gone) or `FileExistsError` (the name was taken).
            overwrite: Whether the target may exist.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: The path is a folder, or a parent is a file.
        """
        for _ in range(ATTEMPTS):
            with ExitStack() as opened:
                spot = self.target(opened, path, overwrite=overwrite)
                kept = len(spot.position.names)
                with os_errors(path, self._backend):
                    try:
                        make_folders(spot)
                        return action(spot, spot.missing[-1] if spot.missing else spot.name)
                    except BaseException as error:
                        prune(spot.position, kept)
                        again = isinstance(error, FileNotFoundError | FileExistsError)
                        if not again or isinstance(error, RemoteStoreError):
                            raise
        raise self._busy(path)

    def _busy(self, path: str) -> RemoteStoreError:
        message = f"another program removed the folder {ATTEMPTS} times in a row; try again when it has ended"
        return RemoteStoreError(message, path=path, backend=self._backend, retryable=True)

    def _resolved(self, opened: ExitStack, key: str, *, follow: bool = True) -> Spot | None:
        try:
            return opened.enter_context(resolve(self._path, key.split("/"), follow=follow))
        except Astray:
            raise
        except ABSENT:
            return None

    def _check_length(self, key: str) -> None:
        if is_too_long(self._path, key):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))

    def _make_root(self, path: str) -> None:
        if os.path.isdir(self._path):
            return
        # Another writer may have created the root since the first look.
        if not self._create or (os.path.lexists(self._path) and not os.path.isdir(self._path)):
            message = "the root is not a folder; create it, or pass create=True if nothing exists at its path"
            raise NotFound(message, path=path, backend=self._backend)
        missing = self._path
        while not os.path.isdir(os.path.dirname(missing)):
            missing = os.path.dirname(missing)
        os.makedirs(self._path, exist_ok=True)
        folder = self._path
        while folder != os.path.dirname(missing):
            folder = os.path.dirname(folder)
            with Folder.at(folder) as above:
                above.sync()


def make_folders(spot: Spot) -> None:
    """Create the missing parent folders of a target, and move the position into the last one."""
    for name in spot.missing[:-1]:
        above = spot.position.here
        with suppress(FileExistsError):
            above.make(name)
            try:
                above.sync()
            except OSError:
                above.remove(name)
                raise
        spot.position.down(name)
