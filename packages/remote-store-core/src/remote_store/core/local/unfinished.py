"""A file that appears whole: written under a hidden name beside its target, and renamed when it is whole."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from remote_store.core.local.folder import Folder, Identity
from remote_store.core.local.names import UNFINISHED

RENAME_NOREPLACE = 1
ATTEMPTS = 1000
BLOCK = 1 << 20
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
NO_SUCH_CALL = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP)
NO_LINKS = (errno.EPERM, errno.EACCES, errno.EMLINK, errno.EXDEV, *NO_SUCH_CALL)


class Unfinished:
    """A new file that only its owner can open. Use it with `opened`: it vanishes, unless it was put to its place.

    Args:
        folder: The folder of its target, or one above it on the same file system; stays open, and the caller's.

    Attributes:
        descriptor: The open file, for reading and writing.
        atomic: Whether a name that is free was taken in one step. `False` after `put` on a file system that can
            neither rename without replacing nor link: a file that appeared just before was replaced.
    """

    def __init__(self, folder: Folder) -> None:
        self.atomic = True
        self.descriptor = -1
        self._folder = folder
        self._name = ""
        self._begin(folder)

    @contextmanager
    def opened(self) -> Iterator[Unfinished]:
        """The file, removed at the end unless it was put to its place."""
        try:
            yield self
        finally:
            self.discard()

    def put(
        self, folder: Folder, name: str, old: os.stat_result | None, *, mode: int, durable: bool = True
    ) -> os.stat_result:
        """Give the file its name.

        Args:
            folder: The folder of the target.
            name: Its name there.
            old: The facts of the file to replace, whose mode stays, and whose owner where that is allowed; `None` to
                take a name that is free.
            mode: Mode of a file that replaces none, of which the umask takes its share.
            durable: Have the content on the disk before the name, and the name before the return.

        Raises:
            FileExistsError: The name is not free.
            IsADirectoryError: A folder has taken the name.
            FileNotFoundError: The folder, or the unfinished file, is gone; try again where the folder is.
        """
        if old is None:
            self._allow(_usual_mode(folder, mode))
        else:
            self._own(old)
            self._allow(stat.S_IMODE(old.st_mode) & 0o777)
        if durable:
            os.fsync(self.descriptor)
        facts = os.fstat(self.descriptor)
        if self._folder.descriptor is None:
            # Windows renames no open file.
            self._close()
        if old is None:
            self.atomic = rename_new(self._folder, self._name, folder, name)
        else:
            self._folder.replace(self._name, folder, name)
        self._name = ""
        if durable:
            folder.sync()
        return facts

    def renew(self, folder: Folder) -> None:
        """Write the content anew where somebody has removed the file, or put another one in its place."""
        if self.descriptor < 0:
            self.descriptor = self._folder.open(self._name, os.O_RDWR)
        with suppress(OSError):
            facts = self._folder.look(self._name)
            if _identity(facts) == _identity(os.fstat(self.descriptor)):
                return
        lost = self.descriptor
        self._begin(folder)
        try:
            os.lseek(lost, 0, os.SEEK_SET)
            while block := os.read(lost, BLOCK):
                write_all(self.descriptor, block)
        finally:
            os.close(lost)

    def discard(self) -> None:
        """Remove the file, unless it was put to its place, and close it."""
        self._close()
        if self._name:
            with suppress(OSError):
                self._folder.unlink(self._name)
            self._name = ""

    def _begin(self, folder: Folder) -> None:
        name = _hidden_name()
        self.descriptor = folder.open(name, NEW, 0o600)
        self._folder, self._name = folder, name

    def _close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _own(self, old: os.stat_result) -> None:
        mine = os.fstat(self.descriptor)
        chown = getattr(os, "fchown", None)
        if chown is None or (mine.st_uid, mine.st_gid) == (old.st_uid, old.st_gid):
            return
        for user in (old.st_uid, -1):
            with suppress(OSError):
                chown(self.descriptor, user, old.st_gid)
                return

    def _allow(self, mode: int) -> None:
        # Some file systems have no modes and refuse to change them.
        if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(self.descriptor).st_mode) != mode:
            os.fchmod(self.descriptor, mode)


def rename_new(folder: Folder, name: str, target: Folder, new: str) -> bool:
    """Rename a file to a name that is free; says whether this was one step.

    Raises:
        FileExistsError: The name is taken.
    """
    if os.name == "nt":
        folder.rename_free(name, target, new)
        return True
    code = _rename_noreplace(folder, name, target, new)
    if not code:
        return True
    if code not in NO_SUCH_CALL:
        raise OSError(code, os.strerror(code))
    try:
        folder.link(name, target, new)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
    else:
        folder.unlink(name)
        return True
    with suppress(FileNotFoundError):
        target.look(new)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    folder.replace(name, target, new)
    return False


def takes_free_names(folder: Folder) -> bool:
    """Whether of several creators in this folder exactly one wins; found out with a file that is removed again.

    Raises:
        OSError: Nothing can be written there.
    """
    name = _hidden_name()
    with Unfinished(folder).opened() as trial:
        trial.put(folder, name, None, mode=0o600, durable=False)
    folder.unlink(name)
    return trial.atomic


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the bytes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _rename_noreplace(folder: Folder, name: str, target: Folder, new: str) -> int:
    rename = getattr(C_LIBRARY, "renameat2", None)
    if rename is None or folder.descriptor is None or target.descriptor is None:
        return errno.ENOSYS
    failed = rename(folder.descriptor, os.fsencode(name), target.descriptor, os.fsencode(new), RENAME_NOREPLACE)
    return ctypes.get_errno() if failed else 0


def _usual_mode(folder: Folder, mode: int) -> int:
    """The mode of a new file here; the umask cannot be read without changing it for every thread."""
    name = _hidden_name()
    descriptor = folder.open(name, NEW, mode)
    try:
        return stat.S_IMODE(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            folder.unlink(name)


def _hidden_name() -> str:
    return f"{UNFINISHED}-{secrets.token_hex(16)}"


def _identity(facts: os.stat_result) -> Identity:
    return facts.st_dev, facts.st_ino


C_LIBRARY = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
