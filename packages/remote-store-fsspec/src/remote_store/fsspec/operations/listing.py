# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/listing.py by tools/unasync.py;
# edit that.
"""Folders, and what a path or a pattern stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from glob import has_magic
from typing import Any

from remote_store.core import FileInfo, FolderEntry
from remote_store.fsspec.errors import missing
from remote_store.fsspec.names.entries import Entry, entry_of, folder_entry, folders_of, last_segment
from remote_store.fsspec.names.paths import ROOTS, below, exact, folder_name, key_of
from remote_store.fsspec.names.patterns import Pattern
from remote_store.fsspec.operations.arguments import check_depth
from remote_store.fsspec.operations.looking import Looking


class Listing(Looking):
    """The methods of a filesystem that list."""

    def ls(self, path: str, detail: bool = True, *, refresh: bool = False) -> list[Any]:
        """The files and folders in a folder, sorted by name, or the file itself.

        On S3: 1 request per 1,000 entries; 1 more for a file, 2 more if nothing is there.

        Raises:
            FileNotFoundError: There is neither a folder nor a file.
        """
        entries = self._entries(key_of(path))
        return entries if detail else [entry["name"] for entry in entries]

    def _entries(self, key: str) -> list[Entry]:
        entries = [entry_of(row) for row in self.store.iter_children(exact(key))]
        if not entries and key in ROOTS:
            return self._entries("") if key else []
        if not entries:
            entry = self.info(key)
            return [entry] if entry["type"] == "file" else []
        return sorted(entries, key=lambda entry: (entry["name"], entry["type"]))

    def walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: str | Callable[[OSError], object] = "omit",
        *,
        detail: bool = False,
        refresh: bool = False,
    ) -> Iterator[tuple[str, Any, Any]]:
        """Iterate over the folders below a path, each with the names of its folders and files.

        On S3: 1 request per folder and 1,000 entries. `find` takes fewer.

        Raises:
            OSError: A listing failed, so what came so far is incomplete. A folder that does not exist is left out
                unless `on_error` is `raise`; a callable is called with the error.
        """
        check_depth(maxdepth)
        key = key_of(path)
        folders: dict[str, Entry] = {}
        files: dict[str, Entry] = {}
        try:
            for entry in self._entries(key):
                kind = files if entry["type"] == "file" else folders
                kind["" if entry["name"] == key else last_segment(entry)] = entry
        except FileNotFoundError as error:
            if on_error == "raise":
                raise
            if callable(on_error):
                on_error(error)
        names: tuple[Any, Any] = (folders, files) if detail else (list(folders), list(files))
        if topdown:
            yield key, *names
        if maxdepth is None or maxdepth > 1:
            deeper = None if maxdepth is None else maxdepth - 1
            for name in names[0]:
                if name not in folders:
                    continue
                for row in self.walk(folders[name]["name"], deeper, topdown, on_error, detail=detail):
                    yield row
        if not topdown:
            yield key, *names

    def find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        *,
        detail: bool = False,
        prefix: str = "",
        refresh: bool = False,
    ) -> Any:
        """The files below a path, sorted; or the path itself, if it is a file.

        On S3: 1 request per 1,000 keys, whatever the number of folders; 1 more for a file or nothing, and 1 more to
        look at the path with `withdirs`. Folders that hold no file are not found below the first level.

        Args:
            path: The folder.
            maxdepth: Levels to descend; 1 means the files in the folder itself.
            withdirs: Include folders, and the path itself if it is one.
            detail: Return a dict of entries by name.
            prefix: Return only what is directly below the path under a name that begins like this, and what is in it.
            refresh: Not needed: nothing is cached.
        """
        check_depth(maxdepth)
        found = {entry["name"]: entry for entry in self._found(key_of(path), maxdepth, withdirs, prefix)}
        return dict(sorted(found.items())) if detail else sorted(found)

    def _found(self, key: str, maxdepth: int | None, withdirs: bool, prefix: str) -> list[Entry]:
        start = below(key) + prefix
        listing: Iterator[FileInfo | FolderEntry]
        if maxdepth == 1 and withdirs:
            listing = self.store.iter_children(exact(key))
        else:
            depth = None if withdirs or maxdepth is None else maxdepth - 1
            listing = self.store.list_files(exact(key), recursive=True, max_depth=depth)
        entries = [entry_of(row) for row in listing if row.path.startswith(start)]
        if not entries and key == "/":
            return self._found("", maxdepth, withdirs, prefix)
        if withdirs:
            entries = folders_of(entries, key, maxdepth)
            if key and self.isdir(key):
                entries.insert(0, folder_entry(folder_name(key)))
        if not entries and not prefix and self.isfile(key):
            entries = [self.info(key)]
        return entries

    def glob(self, path: str, maxdepth: int | None = None, *, detail: bool = False, **options: Any) -> Any:
        """The files and folders that match a pattern of fsspec, sorted. Without a wildcard: the path, if it exists.

        On S3: the requests of `find` below the last folder before the first wildcard.
        """
        check_depth(maxdepth)
        pattern = Pattern.parse(key_of(path), maxdepth)
        found: dict[str, Entry] = {}
        if pattern.expression is not None:
            options = {"withdirs": True, **options}
            entries = self.find(pattern.root, pattern.depth, detail=True, prefix=pattern.prefix, **options)
            found = {name: entry for name, entry in entries.items() if pattern.matches(entry)}
        elif self.exists(pattern.root):
            found = {pattern.root: self.info(pattern.root) if detail else {}}
        return found if detail else list(found)

    def du(self, path: str, total: bool = True, maxdepth: int | None = None, withdirs: bool = False) -> Any:
        """The size of all files below a path in bytes, or a dict of sizes. On S3: the requests of `find`."""
        entries = self.find(path, maxdepth, withdirs, detail=True)
        sizes = {name: entry["size"] for name, entry in entries.items()}
        return sum(sizes.values()) if total else sizes

    def _expanded(
        self, path: str | Iterable[str], recursive: bool, maxdepth: int | None, *, globs: bool
    ) -> dict[str, Entry | None]:
        """The files and folders that paths stand for. An entry is `None` if it was not looked up."""
        check_depth(maxdepth)
        found: dict[str, Entry | None] = {}
        for name in [path] if isinstance(path, str | os.PathLike) else path:
            key = key_of(name)
            if globs and has_magic(key) and not self.exists(key):
                matches = self.glob(key, maxdepth, detail=True)
                if not matches:
                    raise missing(key)
                found |= matches
                if recursive and (maxdepth is None or maxdepth > 1):
                    for match, entry in matches.items():
                        if entry["type"] == "directory":
                            deeper = None if maxdepth is None else maxdepth - 1
                            found |= self.find(match, deeper, withdirs=True, detail=True)
            elif recursive:
                below = self.find(key, maxdepth, withdirs=True, detail=True)
                if not below:
                    raise missing(key)
                found |= below
            else:
                entry = self._folder_info(key) if key.endswith("/") else None
                found.setdefault(key, entry)
        return dict(sorted(found.items()))

    def expand_path(
        self, path: Any, recursive: bool = False, maxdepth: int | None = None, assume_literal: bool = False
    ) -> list[str]:
        """The keys that a path or a pattern stands for. A pattern that is the name of a file or folder is that name."""
        return list(self._expanded(path, recursive, maxdepth, globs=not assume_literal))
