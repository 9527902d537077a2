"""Keys below one root: what stands there for a reader, and where a writer may put a file."""

# Keys are exact text, and `Path` would rewrite them.
# ruff: noqa: PTH103, PTH112, PTH120
from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TypeVar

from remote_store.core.errors import AlreadyExists, InvalidPath, NotFound, RemoteStoreError
from remote_store.core.local.folder import Folder
from remote_store.core.local.names import can_exist, is_too_long
from remote_store.core.local.resolving import ABSENT, Cursor, Spot, resolve
from remote_store.core.local.system import Astray, os_errors
from remote_store.core.local.tree import prune
from remote_store.core.local.unfinished import ATTEMPTS, Unfinished

T = TypeVar("T")
UNREACHABLE_LINK = (errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR)


class Root:
    """What lies below a root, found by key. Each method opens descriptors, which the given stack closes.

    Args:
        path: The absolute path of the root.
        backend: Name of the backend, for errors.
        create: Make the root when something is written.
    """

    def __init__(self, path: str, backend: str, *, create: bool) -> None:
        self._path = path
        self._backend = backend
        self._create = create

    def find(self, opened: ExitStack, path: str, *, follow: bool = True) -> Spot | None:
        """What stands at a path; `None` also for every key that no file system can hold, such as `a//b`.

        Args:
            opened: Closes what is opened.
            path: The key; one that ends in a slash means a folder.
            follow: Follow a link in the last segment too.

        Raises:
            InvalidPath: A link leads out of the root or nowhere, or the name is too long.
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

    def folder(self, opened: ExitStack, path: str) -> Cursor | None:
        """A cursor in a folder, `""` for the root; `None` where there is no folder."""
        if path:
            spot = self.find(opened, path)
            if spot is None or spot.kind != stat.S_IFDIR:
                return None
            with os_errors(path, self._backend), suppress(*ABSENT):
                return spot.enter()
            return None
        with os_errors(path, self._backend), suppress(*ABSENT):
            return opened.enter_context(Cursor(Folder.at(self._path)))
        return None

    def link(self, names: list[str]) -> Spot | None:
        """Where a link leads; `None` for nowhere in the root. The descriptors are closed already."""
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
        """Where a file can be put. A link to a file in the root leads to that file.

        Raises:
            AlreadyExists: There is one, and `overwrite` is `False`.
            InvalidPath: A folder is there, a file where a folder above it is needed, or a link that leads out.
            NotFound: There is no root.
        """
        with os_errors(path, self._backend):
            self._check_length(path)
            spot = self._resolved(opened, path)
            if spot is None:
                self._make_root(path)
                spot = self._resolved(opened, path)
            if spot is None:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            # The system knows which names are too long, whether or not they are there.
            for name in spot.missing:
                with suppress(FileNotFoundError):
                    spot.cursor.here.look(name)
        if spot.facts is not None:
            if spot.kind != stat.S_IFREG:
                raise InvalidPath("the path is a folder, or no regular file", path=path, backend=self._backend)
            if not overwrite:
                message = "the file exists; pass overwrite=True to replace it"
                raise AlreadyExists(message, path=path, backend=self._backend)
        return spot

    def begin(self, opened: ExitStack, path: str, *, overwrite: bool) -> Unfinished:
        """An unfinished file in the folder of a target, or in the deepest one above it that exists.

        Raises:
            AlreadyExists: The target exists and `overwrite` is `False`.
            InvalidPath: No file can be put there.
            NotFound: There is no root.
        """
        for _ in range(ATTEMPTS):
            with ExitStack() as attempt:
                spot = self.target(attempt, path, overwrite=overwrite)
                with os_errors(path, self._backend), suppress(FileNotFoundError):
                    unfinished = attempt.enter_context(Unfinished(spot.cursor.here).opened())
                    opened.enter_context(attempt.pop_all())
                    return unfinished
        raise self._busy(path)

    def place(self, path: str, action: Callable[[Spot, str], T], *, overwrite: bool) -> T:
        """Make the folders above a target and put a file there, however often somebody removes them meanwhile.

        Args:
            path: The key of the target.
            action: Puts the file into the folder of the cursor, under the name. `FileNotFoundError` says that the
                folder is gone, `FileExistsError` that the name was taken: it is called again where that helps.
            overwrite: Whether the target may exist.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            InvalidPath: A folder is there, or a file where a folder above it is needed.
        """
        for _ in range(ATTEMPTS):
            with ExitStack() as opened:
                spot = self.target(opened, path, overwrite=overwrite)
                kept = len(spot.cursor.names)
                with os_errors(path, self._backend):
                    try:
                        make_folders(spot)
                        return action(spot, spot.missing[-1] if spot.missing else spot.name)
                    except BaseException as error:
                        prune(spot.cursor, kept)
                        again = isinstance(error, FileNotFoundError | FileExistsError)
                        if not again or isinstance(error, RemoteStoreError):
                            raise
        raise self._busy(path)

    def _busy(self, path: str) -> RemoteStoreError:
        message = "other programs remove the folder again and again; try again when they have ended"
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
        if not self._create or os.path.lexists(self._path):
            message = "the root is no folder; create it, or pass create=True where nothing stands in its place"
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
    """Make the folders above a target, and move the cursor into the last."""
    for name in spot.missing[:-1]:
        above = spot.cursor.here
        with suppress(FileExistsError):
            above.make(name)
            try:
                above.sync()
            except OSError:
                above.remove(name)
                raise
        spot.cursor.down(name)
