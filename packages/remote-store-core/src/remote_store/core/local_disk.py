"""What a folder on disk needs: typed errors, renames that replace nothing, and folders that vanish when empty."""

# Keys are exact text, and `Path` would rewrite them.
# ruff: noqa: PTH103, PTH106, PTH108, PTH112, PTH118, PTH120
from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from remote_store.core.errors import AlreadyExists, InvalidPath, NotFound, PermissionDenied, RemoteStoreError
from remote_store.core.models import FileInfo

RENAME_NOREPLACE = 1
AT_FDCWD = -100
ATTEMPTS = 1000
NO_SUCH_CALL = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
WRONG_KIND = (errno.EISDIR, errno.ENOTDIR)
BAD_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def os_errors(path: str, backend: str) -> Iterator[None]:
    """Turn what the operating system says about a path into the contract's errors."""
    try:
        yield
    except RemoteStoreError:
        raise
    except OSError as error:
        raise _typed(error, path, backend) from error


def _typed(error: OSError, path: str, backend: str) -> RemoteStoreError:
    if error.errno in REFUSED:
        return PermissionDenied(f"the operating system refuses: {error.strerror}", path=path, backend=backend)
    if error.errno == errno.ENOENT:
        return NotFound("there is no such file", path=path, backend=backend)
    if error.errno == errno.EEXIST:
        return AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=backend)
    if error.errno in WRONG_KIND:
        return InvalidPath("a folder stands where a file is needed, or a file above it", path=path, backend=backend)
    if error.errno in BAD_NAME:
        return InvalidPath(f"no file can have this name here: {error.strerror}", path=path, backend=backend)
    return RemoteStoreError(f"the operating system says: {error.strerror or error}", path=path, backend=backend)


def place(file: str, target: str, *, overwrite: bool) -> None:
    """Rename a file, making the folders above its target, however often somebody prunes them meanwhile.

    Raises:
        FileExistsError: The target exists and `overwrite` is `False`.
        IsADirectoryError: The target is a folder.
        NotADirectoryError: A file stands where a folder above the target is needed.
        FileNotFoundError: The file itself is gone.
    """
    folder = os.path.dirname(target)
    for _ in range(ATTEMPTS):
        try:
            os.makedirs(folder, exist_ok=True)
            (os.replace if overwrite else rename_new)(file, target)
        except FileExistsError as error:
            if os.path.isdir(target):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from error
            if os.path.lexists(target):
                raise
            if os.path.lexists(folder) and not os.path.isdir(folder):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
        except FileNotFoundError:
            if not os.path.lexists(file):
                raise
        else:
            return
    raise OSError(errno.EAGAIN, "the folder was removed again and again while a file was put there")


def rename_new(file: str, target: str) -> None:
    """Rename a file to a name that is free, in one step where the system has one.

    Raises:
        FileExistsError: The name is taken.
    """
    code = _rename_noreplace(file, target)
    if code in NO_SUCH_CALL:
        os.link(file, target, follow_symlinks=False)
        os.unlink(file)
    elif code:
        raise OSError(code, os.strerror(code), file, None, target)


def _rename_noreplace(file: str, target: str) -> int:
    rename = getattr(C_LIBRARY, "renameat2", None)
    if rename is None:
        return errno.ENOSYS
    failed = rename(AT_FDCWD, os.fsencode(file), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE)
    return ctypes.get_errno() if failed else 0


def prune(folder: str, root: str) -> None:
    """Remove a folder and those above it as far as they are empty; the root stays."""
    while folder != root:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def sync(file: str) -> os.stat_result:
    """Have the content on disk before the name shows it."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(folder: str) -> Iterator[tuple[str, OSError]]:
    """Delete what is in a folder, and it; yields each file that stays, below the folder, with the reason.

    Links are removed, never followed. A file that is written meanwhile keeps its folders.
    """
    folders = [""]
    for below in folders:
        try:
            for entry in scan(os.path.join(folder, below)):
                name = os.path.join(below, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif error := _unlink(entry.path):
                    yield name, error
        except OSError as error:
            yield below, error
    for below in reversed(folders):
        with suppress(OSError):
            os.rmdir(os.path.join(folder, below))


def _unlink(native: str) -> OSError | None:
    try:
        os.unlink(native)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None


def scan(folder: str) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder; none where there is no folder any more."""
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        yield from entries


def describe(path: str, facts: os.stat_result) -> FileInfo:
    """The facts of a file."""
    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
    return FileInfo(path, path.rpartition("/")[2], facts.st_size, modified_at, entity_tag(facts))


def entity_tag(facts: os.stat_result) -> str:
    """What changes with every write: the inode, the time and the size."""
    return f"{facts.st_ino:x}-{facts.st_mtime_ns:x}-{facts.st_size:x}"


def is_inside(native: str, root: str) -> bool:
    """Whether a resolved path is the root or lies below it."""
    return native == root or native.startswith(root.rstrip(os.sep) + os.sep)


C_LIBRARY = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
