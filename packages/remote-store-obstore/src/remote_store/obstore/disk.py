"""What `LocalStore` leaves to do on the disk."""

from __future__ import annotations

import os
import unicodedata
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
    if _folded(src) == _folded(dst):
        # On some disks these are one name.
        return
    with suppress(OSError):
        facts = (root / src).lstat()
        if facts.st_nlink > 1 and os.path.samestat(facts, (root / dst).lstat()):
            (root / src).unlink()


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def remove_empty_folders(root: Path, path: str) -> None:
    """Remove the folders of a file that is gone, from the inside out, up to the first that is not empty."""
    for folder in list((root / path).parents)[: path.count("/")]:
        try:
            folder.rmdir()
        except OSError:
            return
