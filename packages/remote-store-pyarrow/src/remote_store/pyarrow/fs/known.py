"""The versions that Arrow was told about."""

from __future__ import annotations

from collections.abc import Iterable

from remote_store.core import FileInfo

MOST_KNOWN = 100_000
"""About 50 MB. When it is reached, all are forgotten, and files that are opened later cost a HEAD each."""


class KnownFiles:
    """The files whose size Arrow was told, so that opening one needs no request and reads the version of that size.

    Arrow opens a file of a dataset several times: for its schema, for its rows, and for every further scan, for which
    it keeps the Parquet footer of an earlier one. So the version of a file changes only when Arrow asks about it again.

    It has no lock, which a fork could leave locked: each method is one operation of a dict.
    """

    def __init__(self) -> None:
        self._files: dict[str, FileInfo] = {}

    def add(self, infos: Iterable[FileInfo]) -> None:
        """Remember files, instead of what was known about them."""
        for info in infos:
            if len(self._files) >= MOST_KNOWN:
                self._files = {}
            self._files[str(info.path)] = info

    def find(self, path: str) -> FileInfo | None:
        """What is known about a file."""
        return self._files.get(path)

    def forget(self, path: str) -> None:
        """Forget a file, which was written or deleted, or was not there."""
        self._files.pop(path, None)

    def forget_folder(self, path: str, *, recursive: bool = True) -> None:
        """Forget the files of a folder; `""` is the root.

        Args:
            path: The folder.
            recursive: Also those of its subfolders.
        """
        folder = f"{path}/" if path else ""
        for name in list(self._files):
            if name.startswith(folder) and (recursive or "/" not in name[len(folder) :]):
                self.forget(name)
