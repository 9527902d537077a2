"""An open folder: its entries are reached through its descriptor, where the platform has such calls."""

# Names are exact text, and `Path` would rewrite them.
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
# With O_PATH a folder that may be entered and not listed can be opened.
PASSAGE = FOLDER | getattr(os, "O_PATH", 0)
# A FIFO is not waited for, and a terminal does not become the process's own.
FILE = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Folder:
    """A folder of the file system; close it, or use it in a `with` block.

    Args:
        path: Its path; used only where there is no descriptor.
        descriptor: Its descriptor, which the folder owns; `None` where the platform has no calls that take one.
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
        """Open a folder by its path; links are followed."""
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
        """The facts of the folder itself."""
        return os.stat(self._path if self._descriptor is None else self._descriptor)

    def enter(self, name: str) -> Folder:
        """Open a folder in this one.

        Raises:
            NotADirectoryError: The name is something else, such as a link.
            OSError: With `ELOOP`, on some systems, for a link.
        """
        if self._descriptor is not None:
            return Folder("", os.open(name, PASSAGE | NO_LINK, dir_fd=self._descriptor))
        if not stat.S_ISDIR(self.look(name).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return Folder(self._at(name), None)

    def reach(self, path: str) -> Folder:
        """Open the folder at a path that begins here, or at the top of the file system; links are followed."""
        if self._descriptor is not None:
            return Folder("", os.open(path, PASSAGE, dir_fd=self._descriptor))
        return Folder(os.path.realpath(self._at(path)), None)

    def look(self, name: str) -> os.stat_result:
        """The facts of an entry; of a link itself where it is one."""
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def read_link(self, name: str) -> str:
        """The text of a link."""
        return os.readlink(self._at(name), dir_fd=self._descriptor)

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a file in this folder; the caller closes it. A link is never followed."""
        return os.open(self._at(name), flags | NO_LINK, mode, dir_fd=self._descriptor)

    def make(self, name: str) -> None:
        """Make a folder, with the mode that the umask leaves."""
        os.mkdir(self._at(name), dir_fd=self._descriptor)

    def unlink(self, name: str) -> None:
        """Remove a file, a link, or whatever else is no folder."""
        os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._at(name), dir_fd=self._descriptor)

    def link(self, name: str, target: Folder, new: str) -> None:
        """Give a file a second name."""
        os.link(
            self._at(name),
            target._at(new),
            src_dir_fd=self._descriptor,
            dst_dir_fd=target._descriptor,
            follow_symlinks=False,
        )

    def replace(self, name: str, target: Folder, new: str) -> None:
        """Rename a file, over another one if there is one."""
        os.replace(self._at(name), target._at(new), src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor)

    def rename_free(self, name: str, target: Folder, new: str) -> None:
        """Rename a file without replacing another one, on Windows, where that is what `os.rename` does."""
        os.rename(self._at(name), target._at(new), src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor)

    @property
    def descriptor(self) -> int | None:
        """For system calls that Python has not; `None` where the platform has no such calls."""
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
        """Have the names of this folder on the disk, where the platform and the permissions allow it."""
        if self._descriptor is None:
            return
        # A folder that may be written and not read cannot be synced, and some file systems do not sync folders.
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
