"""What `LocalStore` leaves to do on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from obstore.store import LocalStore


def root_of(store: LocalStore) -> Path:
    """The folder that is the root of the store."""
    return Path(store.prefix or "/")


def linked_folders(root: Path, folder: str) -> Iterator[str]:
    """The keys of the symbolic links to folders in a folder, at every depth, or of the folder itself if it is one.

    `LocalStore` follows them, also to outside of the root.
    """
    top = root / folder
    if top.is_symlink():
        yield folder
        return
    for above, names, _files in os.walk(top):
        for path in (Path(above, name) for name in names):
            if path.is_symlink():
                yield path.relative_to(root).as_posix()


def remove_link(root: Path, path: str) -> None:
    """Remove a symbolic link, and the folders that are empty without it."""
    (root / path).unlink(missing_ok=True)
    remove_empty_folders(root, path)


def remove_moved(root: Path, src: str, dst: str) -> None:
    """Remove the source of a move if it is still there as another link to the file of the destination.

    `LocalStore` copies by a hard link, and the system renames nothing if both names are links to one file.
    """
    old, new = root / src, root / dst
    with suppress(OSError):
        facts = old.lstat()
        if facts.st_nlink > 1 and os.path.samestat(facts, new.lstat()) and not _are_one_name(old, new):
            old.unlink()


def _are_one_name(old: Path, new: Path) -> bool:
    """Whether two paths name one entry of a folder, as on a disk that ignores case."""
    if not old.parent.samefile(new.parent):
        return False
    return old.name == new.name or not {old.name, new.name} <= set(os.listdir(old.parent))  # noqa: PTH208 - names only


def remove_empty_folders(root: Path, path: str) -> None:
    """Remove the folders of a file that is gone, from the inside out, up to the first that is not empty."""
    for folder in list((root / path).parents)[: path.count("/")]:
        try:
            folder.rmdir()
        except OSError:
            return
