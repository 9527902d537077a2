"""What `LocalStore` leaves to do on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


def remove_empty_folders(root: Path, path: str) -> None:
    """Remove the folders of a file that is gone, from the inside out, up to the first that is not empty."""
    for folder in list((root / path).parents)[: path.count("/")]:
        try:
            folder.rmdir()
        except OSError:
            return
