"""What a listing shows, how a folder is emptied, and how folders vanish with their last file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from remote_store.core.local.names import is_hidden
from remote_store.core.local.resolving import ABSENT, Cursor, Spot
from remote_store.core.local.system import os_errors, typed
from remote_store.core.models import FileInfo, FolderEntry


def walk(
    cursor: Cursor, prefix: str, deepest: int | None, look: Callable[[list[str]], Spot | None], backend: str
) -> Iterator[FileInfo | FolderEntry]:
    """The files and folders of a folder and of `deepest` levels of folders in it; no link is descended into.

    Args:
        cursor: Stands in the folder.
        prefix: What the key of each entry begins with.
        deepest: How many levels; `None` for all.
        look: Says where the link at a way from the root leads, `None` for nowhere in the root.
        backend: Name of the backend, for errors.
    """
    start = len(cursor.names)
    for below in visit(cursor):
        names = cursor.names[start:]
        folder = prefix + "/".join([*names, ""])
        if isinstance(below, Left):
            if below.error is not None:
                raise typed(below.error, folder + below.name, backend) from below.error
            continue
        with os_errors(folder.removesuffix("/"), backend):
            for entry in cursor.here.scan():
                row = None if is_hidden(entry.name) else _row(folder + entry.name, entry, cursor, look)
                if row is None:
                    continue
                if isinstance(row, FolderEntry) and len(names) != deepest and not entry.is_symlink():
                    below.append(entry.name)
                yield row


def _row(
    key: str, entry: os.DirEntry[str], cursor: Cursor, look: Callable[[list[str]], Spot | None]
) -> FileInfo | FolderEntry | None:
    if entry.is_dir(follow_symlinks=False):
        return FolderEntry(key, entry.name)
    facts: os.stat_result | None = None
    if entry.is_symlink():
        spot = look([*cursor.names, entry.name])
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
    """A folder that was visited, or could not be; the cursor stands in the one above."""

    name: str
    error: OSError | None = None


def visit(cursor: Cursor) -> Iterator[list[str] | Left]:
    """Stand in a folder, and in each folder below it that the caller asks for.

    Yields a list at the entry of a folder: put the names of the folders to visit into it. Folders that are gone are
    left out. Two descriptors are open, however deep the tree is.
    """
    pending: list[list[str]] = [[]]
    yield pending[-1]
    while True:
        if pending[-1]:
            name = pending[-1].pop()
            try:
                cursor.down(name)
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
        left = cursor.names[-1]
        try:
            cursor.up()
        except FileNotFoundError:
            pending[-1].clear()
        else:
            yield Left(left)


def remove_tree(cursor: Cursor) -> Iterator[tuple[str, OSError]]:
    """Delete what is in a folder; yields each file that stays, by its way from that folder, with the reason.

    Links are removed, never followed. A file that is written meanwhile keeps its folders.
    """
    start = len(cursor.names)
    for below in visit(cursor):
        inside = "/".join([*cursor.names[start:], ""])
        if isinstance(below, Left):
            if error := below.error or attempted(cursor.here.remove, below.name):
                yield inside + below.name, error
            continue
        try:
            for name, is_folder in [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in cursor.here.scan()]:
                if is_folder:
                    below.append(name)
                elif error := attempted(cursor.here.unlink, name):
                    yield inside + name, error
        except OSError as error:
            yield inside.removesuffix("/"), error


def attempted(remove: Callable[[str], None], name: str) -> OSError | None:
    """Remove an entry, and say why it stays; a folder stays for a file that was written into it meanwhile."""
    try:
        remove(name)
    except OSError as error:
        return None if error.errno in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST) else error
    return None


def prune(cursor: Cursor, kept: int = 0) -> None:
    """Remove the cursor's folder and those above it as far as they are empty; the topmost `kept` stay, and the root."""
    with suppress(OSError):
        while len(cursor.names) > kept:
            name = cursor.names[-1]
            cursor.up()
            cursor.here.remove(name)


def describe(path: str, facts: os.stat_result) -> FileInfo:
    """The facts of a file."""
    return FileInfo(path, path.rpartition("/")[2], facts.st_size, modified_at(facts), entity_tag(facts))


def modified_at(facts: os.stat_result) -> datetime | None:
    """When the content was changed; `None` for a time that Python cannot say, beyond the year 9999."""
    try:
        # Rounded as by everybody who reads the time as a float, so that two tools say the same of one file.
        return datetime.fromtimestamp(facts.st_mtime, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def entity_tag(facts: os.stat_result) -> str:
    """What changes with every write: the inode, the time and the size."""
    return f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"
