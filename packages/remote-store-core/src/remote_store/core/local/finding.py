"""Finds and opens what stands under a key, and raises if it is missing or of another kind."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack

from remote_store.core.errors import NotFound, wrong_kind
from remote_store.core.local.folder import FILE
from remote_store.core.local.resolving import Spot
from remote_store.core.local.root import Root
from remote_store.core.local.system import not_regular, os_errors


def find_file(keys: Root, opened: ExitStack, path: str, backend: str) -> Spot:
    """Find a regular file, through links.

    Args:
        keys: The root that the path is relative to.
        opened: Closes the folders on the way.
        path: The file.
        backend: Name of the backend, for errors.

    Raises:
        NotFound: The file does not exist.
        InvalidPath: It is a folder or a special file.
    """
    spot = keys.find(opened, path)
    if spot is None:
        raise _no_such_file(path, backend)
    if spot.kind != stat.S_IFREG:
        raise not_regular(path, backend)
    return spot


def find_folder(keys: Root, opened: ExitStack, path: str, backend: str) -> Spot:
    """Find a folder, through links. Its path may end in a slash. The arguments are those of `find_file`.

    Raises:
        NotFound: The folder does not exist.
        InvalidPath: It is a file.
    """
    spot = keys.find(opened, path)
    if spot is None and path.endswith("/"):
        spot = keys.find(opened, path[:-1])
    if spot is None:
        raise NotFound("there is no such folder", path=path, backend=backend)
    if spot.kind != stat.S_IFDIR:
        raise wrong_kind("the path is a file; name a folder", path=path, backend=backend)
    return spot


def find_entry(keys: Root, opened: ExitStack, path: str, spot: Spot, backend: str) -> Spot:
    """Find the link itself, if the path of the spot ends in a link. The arguments are those of `find_file`.

    Raises:
        NotFound: It does not exist any more.
    """
    entry = keys.find(opened, path, follow=False) if spot.linked else spot
    if entry is None:
        raise _no_such_file(path, backend)
    return entry


def open_file(spot: Spot, path: str, backend: str) -> int:
    """Open a regular file for reading. Returns its descriptor, which the caller closes.

    Raises:
        NotFound: The file does not exist any more.
        InvalidPath: It is not a regular file.
    """
    with os_errors(path, backend):
        descriptor = spot.position.here.open(spot.name, FILE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_regular(path, backend)
    return descriptor


def _no_such_file(path: str, backend: str) -> NotFound:
    return NotFound("there is no such file", path=path, backend=backend)
