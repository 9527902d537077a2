# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/copying.py by tools/unasync.py;
# edit that.
"""Copies and moves within a store."""

from __future__ import annotations

from functools import partial
from typing import Any

from remote_store.core import InvalidPath
from remote_store.fsspec.errors import is_wrong_kind, translated
from remote_store.fsspec.names.pairs import Entries, check_apart, is_folder, pairs_of
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.concurrency import gather
from remote_store.fsspec.operations.listing import Listing


class Copying(Listing):
    """The methods of a filesystem that copy and move files.

    Attributes:
        copy_globs: Whether `cp` and `copy` expand patterns, as those of fsspec's base class do.
    """

    copy_globs: bool

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copy one file; the server copies the bytes. A folder is skipped, as a store has no empty folders.

        On S3: 1 or 2 requests.

        Args:
            path1: The file.
            path2: The copy; a file that exists is replaced.
            options: `if_match` and `version_id`, as of the store.
        """
        self.changed()
        try:
            self.store.copy(exact(key_of(path1)), exact(key_of(path2)), overwrite=True, **options)
        except InvalidPath as error:
            if not is_wrong_kind(error) or self.isfile(path1) or not self.isdir(path1):
                raise

    def copy(
        self,
        path1: str | list[str],
        path2: str | list[str],
        recursive: bool = False,
        on_error: str | None = None,
        maxdepth: int | None = None,
        batch_size: int | None = None,
        **options: Any,
    ) -> None:
        """Copy files, several at once. If the target is a folder or ends in a slash, they are put into it.

        A `*` in a path is an ordinary character, unless the filesystem was made with `copy_globs=True`.

        On S3: 1 or 2 requests per file, 1 to look at the target, and those of `find` for a folder.

        Raises:
            FileNotFoundError: A file does not exist. Ignored while a folder is copied, unless `on_error` is `raise`.
            ValueError: Two files have the same target, or a target is the source of another file. Nothing is copied.
        """
        pairs = self._pairs(path1, path2, recursive, maxdepth, globs=self.copy_globs)
        results = gather([partial(self.cp_file, *pair, **options) for pair in pairs])
        for result in results:
            tolerated = (on_error or ("ignore" if recursive else "raise")) == "ignore"
            if isinstance(result, Exception) and not (tolerated and isinstance(result, FileNotFoundError)):
                raise result

    def mv(
        self,
        path1: str | list[str],
        path2: str | list[str],
        recursive: bool = False,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Move files, several at once. Each is deleted only after its copy is complete. Patterns are not expanded.

        On S3: 3 requests per file, 1 to look at the target, and those of `find` for a folder.

        Raises:
            FileNotFoundError: A file does not exist.
            IsADirectoryError: The path is a folder and `recursive` is `False`.
            ValueError: Two files have the same target, or a target is the source of another file. Nothing is moved.
        """
        pairs = self._pairs(path1, path2, recursive, maxdepth, globs=False)

        def move(source: str, target: str) -> None:
            self.changed()
            with translated():
                self.store.move(exact(source), exact(target), overwrite=True, **options)

        gather([partial(move, *pair) for pair in pairs], raising=True)

    def _pairs(
        self, path1: Any, path2: Any, recursive: bool, maxdepth: int | None, *, globs: bool
    ) -> list[tuple[str, str]]:
        """Source and target of each file to copy."""
        if isinstance(path1, list) and isinstance(path2, list):
            pairs = list(zip(map(key_of, path1), map(key_of, path2), strict=True))
        else:
            entries = self._expanded(path1, recursive, maxdepth, globs=globs)
            source = key_of(path1) if isinstance(path1, str) else path1
            pairs = self._placed(entries, source, path2, recursive=recursive and maxdepth is None)
            pairs = [(path, target) for path, target in pairs if not is_folder(entries, path)]
        check_apart(pairs, one_store=True)
        return pairs

    def _placed(
        self, entries: Entries, source: Any, target: str | list[str], *, recursive: bool
    ) -> list[tuple[str, str]]:
        """Source and target of each file and folder to copy into the store."""
        if isinstance(target, list):
            keys = [key_of(path) for path in target]
            return pairs_of(entries, source, keys, target_is_folder=False, recursive=recursive)
        key = key_of(target)
        is_there = key.endswith("/") or self.isdir(key)
        return pairs_of(entries, source, key, target_is_folder=is_there, recursive=recursive)
