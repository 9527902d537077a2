"""Listing a folder, deleting its content, and removing folders that became empty."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from remote_store.core.errors import DirectoryNotEmpty, RemoteStoreError
from remote_store.core.io.reader import BufferedFile, Reader
from remote_store.core.local.attributes import attached, decoded, decoded_headers
from remote_store.core.local.folder import Folder
from remote_store.core.local.locking import locked
from remote_store.core.local.names import is_hidden
from remote_store.core.local.resolving import ABSENT, Position, Spot
from remote_store.core.local.system import TypedFile, buffer_size, os_errors, typed
from remote_store.core.models import FileInfo, FolderEntry


def walk(
    position: Position, prefix: str, deepest: int | None, look: Callable[[list[str]], Spot | None], backend: str
) -> Iterator[FileInfo | FolderEntry]:
    """Yield the files and folders of a folder and of up to `deepest` levels of subfolders. Links are not entered.

    Args:
        position: In the folder.
        prefix: Prefix of the key of each entry.
        deepest: Number of levels of subfolders; `None` for all.
        look: Resolves the link at a path from the root; returns `None` if it does not point into the root.
        backend: Name of the backend, for errors.
    """
    start = len(position.names)
    for below in visit(position):
        names = position.names[start:]
        folder = prefix + "/".join([*names, ""])
        if isinstance(below, Left):
            if below.error is not None:
                raise typed(below.error, folder + below.name, backend) from below.error
            continue
        with os_errors(folder.removesuffix("/"), backend):
            for entry in position.here.scan():
                row = None if is_hidden(entry.name) else _row(folder + entry.name, entry, position, look)
                if row is None:
                    continue
                if isinstance(row, FolderEntry) and len(names) != deepest and not entry.is_symlink():
                    below.append(entry.name)
                yield row


def _row(
    key: str, entry: os.DirEntry[str], position: Position, look: Callable[[list[str]], Spot | None]
) -> FileInfo | FolderEntry | None:
    if entry.is_dir(follow_symlinks=False):
        return FolderEntry(key, entry.name)
    facts: os.stat_result | None = None
    if entry.is_symlink():
        spot = look([*position.names, entry.name])
        facts = None if spot is None else spot.facts
    elif entry.is_file(follow_symlinks=False):
        with suppress(FileNotFoundError):
            facts = entry.stat(follow_symlinks=False)
    if facts is None:
        return None
    if stat.S_ISDIR(facts.st_mode):
        return FolderEntry(key, entry.name)
    return describe(key, facts) if stat.S_ISREG(facts.st_mode) else None


class Left(NamedTuple):
    """The end of the visit to a folder, or the error that prevented it. The position is in its parent."""

    name: str
    error: OSError | None = None


def visit(position: Position) -> Iterator[list[str] | Left]:
    """Visit a folder, and each subfolder that the caller asks for.

    On entering a folder, yields a list; append the names of the subfolders to visit. On leaving it, yields `Left`.
    Folders that no longer exist are skipped. Two descriptors are open at a time, at any depth of the tree.
    """
    pending: list[list[str]] = [[]]
    yield pending[-1]
    while True:
        if pending[-1]:
            name = pending[-1].pop()
            try:
                position.down(name)
            except ABSENT:
                continue
            except OSError as error:
                yield Left(name, error)
                continue
            pending.append([])
            yield pending[-1]
            continue
        pending.pop()
        if not pending:
            return
        left = position.names[-1]
        try:
            position.up()
        except FileNotFoundError:
            pending[-1].clear()
        else:
            yield Left(left)


def remove_folder(path: str, spot: Spot, backend: str, *, recursive: bool) -> None:
    """Delete a folder, and its content if `recursive`. Unfinished files count as no content.

    Raises:
        DirectoryNotEmpty: The folder has content, and `recursive` is `False`.
        RemoteStoreError: Some files could not be deleted.
    """
    with os_errors(path, backend):
        position = spot.enter()
        if not recursive:
            names = [entry.name for entry in position.here.scan()]
            if not all(map(is_hidden, names)):
                raise _not_empty(path, backend)
            for name in names:
                attempted(position.here.unlink, name)
        left = list(remove_tree(position)) if recursive else []
        if left:
            keys = tuple(f"{path.removesuffix('/')}/{name}" for name, _ in left)
            message = "some files could not be deleted; see the cause"
            raise RemoteStoreError(message, path=path, paths=keys, backend=backend) from left[0][1]
        name = position.names[-1]
        position.up()
        try:
            position.here.remove(name)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # A file written during the call keeps the folder.
            if not recursive:
                raise _not_empty(path, backend) from error


def _not_empty(path: str, backend: str) -> DirectoryNotEmpty:
    return DirectoryNotEmpty("the folder has content; pass recursive=True to delete it too", path=path, backend=backend)


def remove_tree(position: Position) -> Iterator[tuple[str, OSError]]:
    """Delete the content of a folder. Yields the relative path and the error of each file that cannot be deleted.

    Links are removed, not followed. A file written during the call keeps its folders.
    """
    start = len(position.names)
    for below in visit(position):
        inside = "/".join([*position.names[start:], ""])
        if isinstance(below, Left):
            if error := below.error or attempted(position.here.remove, below.name):
                yield inside + below.name, error
            continue
        try:
            for name, is_folder in [
                (entry.name, entry.is_dir(follow_symlinks=False)) for entry in position.here.scan()
            ]:
                if is_folder:
                    below.append(name)
                elif error := attempted(partial(_unlink, position.here), name):
                    yield inside + name, error
        except OSError as error:
            yield inside.removesuffix("/"), error


def _unlink(folder: Folder, name: str) -> None:
    with locked(folder, name):
        folder.unlink(name)


def attempted(remove: Callable[[str], None], name: str) -> OSError | None:
    """Remove an entry; returns the error if that fails. A missing entry or a folder that is not empty is no error."""
    try:
        remove(name)
    except OSError as error:
        return None if error.errno in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST) else error
    return None


def prune(position: Position, kept: int = 0) -> None:
    """Remove the position's folder and its parents while they are empty, but not the topmost `kept` or the root."""
    with suppress(OSError):
        while len(position.names) > kept:
            name = position.names[-1]
            position.up()
            position.here.remove(name)


def describe(path: str, facts: os.stat_result) -> FileInfo:
    """The `FileInfo` of a file."""
    return FileInfo(path, path.rpartition("/")[2], facts.st_size, modified_at(facts), entity_tag(facts))


def inspect(path: str, descriptor: int) -> FileInfo:
    """The `FileInfo` of an open file, with its metadata, content type and headers."""
    info, attributes = describe(path, os.fstat(descriptor)), attached(descriptor)
    if attributes is None:
        return info
    metadata, content_type = decoded(attributes)
    return replace(info, metadata=metadata, content_type=content_type, **decoded_headers(attributes))


def opened_file(path: str, file: TypedFile, backend: str) -> Reader:
    """The reader of an open file. It closes the file."""
    file.name = path
    try:
        with os_errors(path, backend):
            return BufferedFile(file, inspect(path, file.fileno()), buffer_size(file.fileno()))
    except BaseException:
        file.close()
        raise


def modified_at(facts: os.stat_result) -> datetime | None:
    """Time of the last write; `None` if `datetime` cannot represent it (after the year 9999)."""
    try:
        # The float is rounded as in other tools, so that all report the same time for a file.
        return datetime.fromtimestamp(facts.st_mtime, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def entity_tag(facts: os.stat_result) -> str:
    """Entity tag made from inode, modification time and size; it changes with every write."""
    return f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"
