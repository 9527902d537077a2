"""Locks on files, so that the comparison of a version and the change that follows are one step for all writers.

Each change of a file that exists locks it by `flock`, which leaves nothing in the folder and ends with its process. A
write replaces a file by another one, so a writer that has the lock then checks that the name still refers to that file.
"""

from __future__ import annotations

import errno
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from remote_store.core.local.folder import FILE, Folder
from remote_store.core.local.system import Locked, NoLocks

if sys.platform != "win32":
    import fcntl

PATIENCE = 10.0
"""Seconds to wait for a lock. This backend holds one as long as a rename takes."""

PAUSE = 0.002
TAKEN = (errno.EAGAIN, errno.EACCES)
OTHER_LOCK = "another program has locked the file (flock) for more than 10 s; try again when it has ended"
NO_LOCKS = "the file system has no locks, so a file cannot be compared and changed in one step; leave out if_match"


@contextmanager
def locked(folder: Folder, name: str, check: Callable[[os.stat_result | None], None] | None = None) -> Iterator[None]:
    """Lock the file under a name, as long as the block runs. Without `check`, a file that cannot be locked is not.

    Args:
        folder: The folder.
        name: Name of the file.
        check: Called with the stat result of the locked file, or with `None` if there is none, and may raise.

    Raises:
        Locked: Another program has the lock.
        NoLocks: There is a `check`, and the file system has no locks.
    """
    descriptor = _take(folder, name, needed=check is not None)
    try:
        if check is not None:
            check(None if descriptor is None else os.fstat(descriptor))
        yield
    finally:
        if descriptor is not None:
            _release(descriptor)


def can_lock(descriptor: int) -> bool:
    """Whether the file system of an open file has locks, and keeps the time of a write to the nanosecond."""
    try:
        _lock(descriptor)
        return stamp(descriptor)
    except OSError:
        return False


def stamp(descriptor: int) -> bool:
    """Set the time of the last write by the clock. Returns whether the file system keeps it to the nanosecond.

    The kernel sets it by a clock that advances every few milliseconds, and a new file may get the inode number of an
    older one. Two versions of the same size would then have the same entity tag.
    """
    if os.utime not in os.supports_fd:
        return False
    now = time.time_ns()
    os.utime(descriptor, ns=(now, now))
    return os.fstat(descriptor).st_mtime_ns == now


def _take(folder: Folder, name: str, *, needed: bool) -> int | None:
    """The descriptor of the locked file; `None` if there is no file, or if it cannot be locked and need not be."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            descriptor = folder.open(name, FILE)
        except FileNotFoundError:
            return None
        except OSError:
            if needed:
                raise
            return None
        try:
            _lock(descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(folder.look(name), os.fstat(descriptor)):
                    kept, descriptor = descriptor, -1
                    return kept
        except OSError as error:
            if error.errno not in TAKEN:
                if needed:
                    raise NoLocks(errno.ENOLCK, NO_LOCKS) from error
                return None
            if time.monotonic() > until:
                raise Locked(errno.EAGAIN, OTHER_LOCK) from error
            time.sleep(random.uniform(0, PAUSE))
        finally:
            if descriptor >= 0:
                _release(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _release(descriptor: int) -> None:
    """Unlock and close. A forked child may have a copy of the descriptor, which would keep the lock."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
