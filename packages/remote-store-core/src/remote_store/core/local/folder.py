"""An open folder. On platforms with `dir_fd` its entries are accessed relative to its descriptor."""

# `Path` would normalise names, which must stay exact.
# ruff: noqa: PTH116, PTH118
from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeAlias

Identity: TypeAlias = tuple[int, int]

DESCRIPTOR_CALLS = {os.link, os.mkdir, os.open, os.readlink, os.rename, os.rmdir, os.stat, os.unlink}
BY_DESCRIPTOR = os.supports_dir_fd >= DESCRIPTOR_CALLS and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
FOLDER = getattr(os, "O_DIRECTORY", 0) | os.O_RDONLY
# O_PATH opens a folder that has execute but no read permission.
PASSAGE = FOLDER | getattr(os, "O_PATH", 0)
# Opening a FIFO must not block, and opening a terminal must not make it the controlling terminal.
FILE = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Folder:
    """An open folder. Close it, or use it in a `with` block.

    Args:
        path: Path of the folder. Used only if there is no descriptor.
        descriptor: Descriptor of the folder, owned by this object; `None` on platforms without `dir_fd`.
    """

    def __init__(self, path: str, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor
        try:
            facts = self.facts()
            if not stat.S_ISDIR(facts.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        except OSError:
            self.close()
            raise
        self.identity: Identity = (facts.st_dev, facts.st_ino)

    @classmethod
    def at(cls, path: str) -> Self:
        """Open a folder by path. Links are followed."""
        return cls(path, os.open(path, PASSAGE) if BY_DESCRIPTOR else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the descriptor."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def facts(self) -> os.stat_result:
        """`os.stat` of the folder itself."""
        return os.stat(self._path if self._descriptor is None else self._descriptor)

    def enter(self, name: str) -> Folder:
        """Open a subfolder.

        Raises:
            NotADirectoryError: The entry is not a folder; it may be a link.
            OSError: The entry is a link; some systems report it as `ELOOP`.
        """
        if self._descriptor is not None:
            return Folder("", os.open(name, PASSAGE | NO_LINK, dir_fd=self._descriptor))
        if not stat.S_ISDIR(self.look(name).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return Folder(self._at(name), None)

    def reach(self, path: str) -> Folder:
        """Open the folder at a path relative to this one, or at an absolute path. Links are followed."""
        if self._descriptor is not None:
            return Folder("", os.open(path, PASSAGE, dir_fd=self._descriptor))
        return Folder(os.path.realpath(self._at(path)), None)

    def look(self, name: str) -> os.stat_result:
        """`os.lstat` of an entry: a link is not followed."""
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def read_link(self, name: str) -> str:
        """The target of a link."""
        return os.readlink(self._at(name), dir_fd=self._descriptor)

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """Open a file in this folder and return its descriptor, which the caller closes. Links are refused."""
        return os.open(self._at(name), flags | NO_LINK, mode, dir_fd=self._descriptor)

    def make(self, name: str) -> None:
        """Create a subfolder, with its mode from the umask."""
        os.mkdir(self._at(name), dir_fd=self._descriptor)

    def unlink(self, name: str) -> None:
        """Remove an entry that is not a folder."""
        os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove an empty subfolder."""
        os.rmdir(self._at(name), dir_fd=self._descriptor)

    def link(self, name: str, target: Folder, new: str) -> None:
        """Create a hard link to a file."""
        os.link(
            self._at(name),
            target._at(new),
            src_dir_fd=self._descriptor,
            dst_dir_fd=target._descriptor,
            follow_symlinks=False,
        )

    def replace(self, name: str, target: Folder, new: str) -> None:
        """Rename a file, replacing the target if it exists."""
        os.replace(self._at(name), target._at(new), src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor)

    def rename_free(self, name: str, target: Folder, new: str) -> None:
        """Rename a file with `os.rename`, which on Windows fails if the target exists."""
        os.rename(self._at(name), target._at(new), src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor)

    @property
    def descriptor(self) -> int | None:
        """The descriptor, for system calls that Python does not wrap; `None` on platforms without `dir_fd`."""
        return self._descriptor

    def scan(self) -> Iterator[os.DirEntry[str]]:
        """The entries, lazily."""
        if self._descriptor is None:
            with os.scandir(self._path) as entries:
                yield from entries
            return
        descriptor = os.open(".", FOLDER, dir_fd=self._descriptor)
        try:
            with os.scandir(descriptor) as entries:
                yield from entries
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Sync the directory entries to disk, if the platform and the permissions allow it."""
        if self._descriptor is None:
            return
        # Syncing needs read permission on the folder, and some file systems do not support it.
        with suppress(PermissionError):
            descriptor = os.open(".", FOLDER, dir_fd=self._descriptor)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
                    raise
            finally:
                os.close(descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else os.path.join(self._path, name)
