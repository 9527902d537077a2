"""Atomic writes: a file is written under a hidden name beside its target and renamed when it is complete."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from remote_store.core.local.attributes import attach
from remote_store.core.local.folder import Folder, Identity
from remote_store.core.local.names import UNFINISHED

RENAME_NOREPLACE = 1
ATTEMPTS = 1000
BLOCK = 1 << 20
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
NO_SUCH_CALL = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP)
NO_LINKS = (errno.EPERM, errno.EACCES, errno.EMLINK, errno.EXDEV, *NO_SUCH_CALL)


class Unfinished:
    """A temporary file with mode 0600. `opened` removes it unless `put` renamed it to its target.

    Args:
        folder: Folder of the target, or a parent on the same file system. The caller keeps it open and closes it.
        attributes: Extended attributes that the file gets.
        name: Name of a file that is open already; by default, a new one is made.
        descriptor: Descriptor of that file.

    Attributes:
        descriptor: Descriptor of the file, for reading and writing.
        atomic: Whether `put` created a new name atomically. `False` if the file system supports neither hard links
            nor renaming without replacing; `put` may then have replaced a file created at the same time.
    """

    def __init__(
        self,
        folder: Folder,
        attributes: Mapping[str, bytes] | None = None,
        *,
        name: str = "",
        descriptor: int = -1,
    ) -> None:
        self.atomic = True
        self.descriptor = descriptor
        self._folder = folder
        self._name = name
        self._attributes = attributes or {}
        if not name:
            self._begin(folder)

    @contextmanager
    def opened(self) -> Iterator[Unfinished]:
        """Set the attributes. Remove the file at the end of the block, unless `put` renamed it."""
        try:
            attach(self.descriptor, self._attributes)
            yield self
        finally:
            self.discard()

    def put(
        self,
        folder: Folder,
        name: str,
        old: os.stat_result | None,
        *,
        mode: int,
        durable: bool = True,
        lock: AbstractContextManager[None] | None = None,
    ) -> os.stat_result:
        """Rename the file to its target.

        Args:
            folder: The folder of the target.
            name: Name of the target.
            old: Stat result of the file to replace. Its mode is kept, and its owner if permitted. `None` creates a new
                file and fails if the name exists.
            mode: Mode of a new file, before the umask is applied.
            durable: Sync the content before the rename, and the folder after it.
            lock: The lock under which to rename.

        Raises:
            FileExistsError: `old` is `None` and the name exists.
            IsADirectoryError: The target is now a folder.
            FileNotFoundError: The folder or the unfinished file was removed.
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
            # Windows cannot rename an open file.
            self._close()
        with lock or nullcontext():
            if old is None:
                self.atomic = rename_new(self._folder, self._name, folder, name)
            else:
                self._folder.replace(self._name, folder, name)
            self._name = ""
        if durable:
            folder.sync()
        return facts

    def renew(self, folder: Folder) -> None:
        """Write the content to a new file if another process removed or replaced this one."""
        if self.descriptor < 0:
            self.descriptor = self._folder.open(self._name, os.O_RDWR)
        with suppress(OSError):
            facts = self._folder.look(self._name)
            if _identity(facts) == _identity(os.fstat(self.descriptor)):
                return
        lost, self.descriptor = self.descriptor, -1
        try:
            self._begin(folder)
            attach(self.descriptor, self._attributes)
            os.lseek(lost, 0, os.SEEK_SET)
            while block := os.read(lost, BLOCK):
                write_all(self.descriptor, block)
        finally:
            os.close(lost)

    def discard(self) -> None:
        """Close the file, and remove it unless `put` renamed it."""
        self._close()
        if self._name:
            with suppress(OSError):
                self._folder.unlink(self._name)
            self._name = ""

    def leave(self) -> None:
        """Close the file, and leave it where it is."""
        self._close()
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
        # File systems without modes fail on fchmod, so it is called only if the mode differs.
        if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(self.descriptor).st_mode) != mode:
            os.fchmod(self.descriptor, mode)


def rename_new(folder: Folder, name: str, target: Folder, new: str) -> bool:
    """Rename a file without replacing another. Returns whether this was atomic.

    Raises:
        FileExistsError: The new name exists.
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
    """Whether a file can be created atomically in this folder. Tests it with a temporary file.

    Raises:
        OSError: The folder cannot be written.
    """
    name = _hidden_name()
    with Unfinished(folder).opened() as trial:
        trial.put(folder, name, None, mode=0o600, durable=False)
    folder.unlink(name)
    return trial.atomic


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all bytes, calling `os.write` as often as needed."""
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
    """The mode of a new file, found by creating one: reading the umask means changing it for all threads."""
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
