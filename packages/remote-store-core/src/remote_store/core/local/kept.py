"""Hidden files beside a local file that outlive the call that made them, so that a later call can go on from there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from remote_store.core.local.folder import Folder
from remote_store.core.local.names import UNFINISHED
from remote_store.core.local.unfinished import ATTEMPTS, write_all

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LONGEST_RECORD = 64 * 1024
"""Bytes of a record that are read; a record has a few hundred."""

LOCKED_BY_OTHERS = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def hidden_name(purpose: str, *about: str) -> str:
    """The name of a hidden file, always the same for the same purpose and the same values.

    Args:
        purpose: A word for people.
        about: What the file is about.
    """
    digest = hashlib.sha256("\0".join(about).encode("utf-8", "surrogateescape"))
    return f"{UNFINISHED}-{purpose}-{digest.hexdigest()[:32]}"


def open_own(folder: Folder, name: str) -> int:
    """Open a file of ours, or create it with mode 0600. A file that somebody else may have written is removed before.

    Raises:
        OSError: The file cannot be opened, created, or removed.
    """
    for _ in range(ATTEMPTS):
        with suppress(FileExistsError):
            return folder.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        descriptor = _open_if_own(folder, name)
        if descriptor is not None:
            return descriptor
        with suppress(FileNotFoundError):
            folder.unlink(name)
    raise OSError(errno.EAGAIN, "other programs keep creating this file; try again", name)


def _open_if_own(folder: Folder, name: str) -> int | None:
    try:
        # A FIFO must not block.
        descriptor = folder.open(name, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EACCES):
            return None
        raise
    if is_own(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    return None


def is_own(facts: os.stat_result) -> bool:
    """Whether a file can only have been written by this user: no link, no other owner, no permission for others."""
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        return False
    return os.name != "posix" or (facts.st_uid == os.geteuid() and not stat.S_IMODE(facts.st_mode) & 0o077)


class Record:
    """A small JSON document in a hidden file that one call at a time uses. Close it.

    Args:
        folder: The folder. The caller keeps it open until this is closed.
        name: Name of the hidden file.
        busy: The message if another call uses it.

    Raises:
        BlockingIOError: Another call uses it, in this process or another one.
        OSError: The file cannot be created or locked.
    """

    def __init__(self, folder: Folder, name: str, busy: str) -> None:
        self._folder = folder
        self._name = name
        self._descriptor = self._claimed(busy)

    def _claimed(self, busy: str) -> int:
        for _ in range(ATTEMPTS):
            descriptor = open_own(self._folder, self._name)
            try:
                _lock(descriptor, busy)
                # The call that had the lock before may have removed the file.
                with suppress(FileNotFoundError):
                    if os.path.samestat(self._folder.look(self._name), os.fstat(descriptor)):
                        return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise BlockingIOError(errno.EAGAIN, busy)

    def read(self) -> dict[str, Any]:
        """The document; empty if there is none, or if it is damaged."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with suppress(ValueError):
            found = json.loads(os.read(self._descriptor, LONGEST_RECORD))
            return found if isinstance(found, dict) else {}
        return {}

    def write(self, document: Mapping[str, Any]) -> None:
        """Replace the document."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        data = json.dumps(document).encode()
        write_all(self._descriptor, data)
        os.ftruncate(self._descriptor, len(data))

    def remove(self) -> None:
        """Remove the file."""
        with suppress(FileNotFoundError):
            self._folder.unlink(self._name)

    def close(self) -> None:
        """Let other calls use the file."""
        os.close(self._descriptor)


def _lock(descriptor: int, busy: str) -> None:
    """Lock an open file, until its descriptor is closed.

    Raises:
        BlockingIOError: Somebody else has locked it.
        OSError: The file system has no locks.
    """
    try:
        if sys.platform == "win32":
            # Windows does not let anybody read locked bytes, so a byte behind the document is locked.
            os.lseek(descriptor, LONGEST_RECORD, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in LOCKED_BY_OTHERS:
            raise BlockingIOError(errno.EAGAIN, busy) from error
        raise
