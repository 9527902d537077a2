"""What a listing has to yield, computed from a dictionary of paths and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remote_store.core import FileInfo, FolderEntry

FileRow = tuple[str, str, int]
FolderRow = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a storage, as a dictionary.

    Attributes:
        sizes: The size of each file by its path.
    """

    sizes: Mapping[str, int]

    def files(self, folder: str, deepest: int | None = None) -> list[FileRow]:
        """Path, name and size of each file of a folder, sorted.

        Args:
            folder: The folder, without a slash at its end; `""` is the root.
            deepest: The number of levels of subfolders; `None` for all.
        """
        start = _prefix(folder)
        return sorted(
            (path, path.rpartition("/")[2], size)
            for path, size in self.sizes.items()
            if path.startswith(start) and (deepest is None or path.count("/", len(start)) <= deepest)
        )

    def folders(self, folder: str) -> list[FolderRow]:
        """Path and name of each folder directly in a folder, sorted."""
        start = _prefix(folder)
        names = {
            path[len(start) :].partition("/")[0]
            for path in self.sizes
            if path.startswith(start) and "/" in path[len(start) :]
        }
        return sorted((start + name, name) for name in names)

    def every_folder(self, folder: str) -> list[str]:
        """A folder and all those below it."""
        return [folder, *(deeper for path, _ in self.folders(folder) for deeper in self.every_folder(path))]

    def without(self, folder: str) -> Tree:
        """The files that are left when a folder is deleted."""
        return Tree({path: size for path, size in self.sizes.items() if not path.startswith(_prefix(folder))})


def rows(entries: list[FileInfo | FolderEntry]) -> tuple[list[FileRow], list[FolderRow]]:
    """The files and the folders of a listing as they are compared, sorted, with duplicates."""
    files = sorted((entry.path, entry.name, entry.size) for entry in entries if isinstance(entry, FileInfo))
    folders = sorted((entry.path, entry.name) for entry in entries if isinstance(entry, FolderEntry))
    return files, folders


def _prefix(folder: str) -> str:
    return f"{folder}/" if folder else ""
