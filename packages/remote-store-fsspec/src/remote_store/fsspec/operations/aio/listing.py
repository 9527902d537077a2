"""Folders, and what a path or a pattern stands for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from glob import has_magic
from typing import Any

from remote_store.core import FileInfo, FolderEntry
from remote_store.fsspec.errors import missing
from remote_store.fsspec.names.entries import Entry, entry_of, folder_entry, folders_of, last_segment
from remote_store.fsspec.names.paths import ROOTS, below, exact, folder_name, key_of
from remote_store.fsspec.names.patterns import Pattern
from remote_store.fsspec.operations.aio.looking import AsyncLooking
from remote_store.fsspec.operations.arguments import check_depth


class AsyncListing(AsyncLooking):
    """The methods of a filesystem that list."""

    async def _ls(self, path: str, detail: bool = True, *, refresh: bool = False) -> list[Any]:
        """The files and folders in a folder, sorted by name, or the file itself.

        On S3: 1 request per 1,000 entries; 1 more for a file, 2 more if nothing is there.

        Raises:
            FileNotFoundError: There is neither a folder nor a file.
        """
        entries = await self._entries(key_of(path))
        return entries if detail else [entry["name"] for entry in entries]

    async def _entries(self, key: str) -> list[Entry]:
        entries = [entry_of(row) async for row in self.store.iter_children(exact(key))]
        if not entries and key in ROOTS:
            return await self._entries("") if key else []
        if not entries:
            entry = await self._info(key)
            return [entry] if entry["type"] == "file" else []
        return sorted(entries, key=lambda entry: (entry["name"], entry["type"]))

    async def _walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: str | Callable[[OSError], object] = "omit",
        *,
        detail: bool = False,
        refresh: bool = False,
    ) -> AsyncIterator[tuple[str, Any, Any]]:
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
            for entry in await self._entries(key):
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
                async for row in self._walk(folders[name]["name"], deeper, topdown, on_error, detail=detail):
                    yield row
        if not topdown:
            yield key, *names

    async def _find(
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
        found = {entry["name"]: entry for entry in await self._found(key_of(path), maxdepth, withdirs, prefix)}
        return dict(sorted(found.items())) if detail else sorted(found)

    async def _found(self, key: str, maxdepth: int | None, withdirs: bool, prefix: str) -> list[Entry]:
        start = below(key) + prefix
        listing: AsyncIterator[FileInfo | FolderEntry]
        if maxdepth == 1 and withdirs:
            listing = self.store.iter_children(exact(key))
        else:
            depth = None if withdirs or maxdepth is None else maxdepth - 1
            listing = self.store.list_files(exact(key), recursive=True, max_depth=depth)
        entries = [entry_of(row) async for row in listing if row.path.startswith(start)]
        if not entries and key == "/":
            return await self._found("", maxdepth, withdirs, prefix)
        if withdirs:
            entries = folders_of(entries, key, maxdepth)
            if key and await self._isdir(key):
                entries.insert(0, folder_entry(folder_name(key)))
        if not entries and not prefix and await self._isfile(key):
            entries = [await self._info(key)]
        return entries

    async def _glob(self, path: str, maxdepth: int | None = None, *, detail: bool = False, **options: Any) -> Any:
        """The files and folders that match a pattern of fsspec, sorted. Without a wildcard: the path, if it exists.

        On S3: the requests of `find` below the last folder before the first wildcard.
        """
        check_depth(maxdepth)
        pattern = Pattern.parse(key_of(path), maxdepth)
        found: dict[str, Entry] = {}
        if pattern.expression is not None:
            options = {"withdirs": True, **options}
            entries = await self._find(pattern.root, pattern.depth, detail=True, prefix=pattern.prefix, **options)
            found = {name: entry for name, entry in entries.items() if pattern.matches(entry)}
        elif await self._exists(pattern.root):
            found = {pattern.root: await self._info(pattern.root) if detail else {}}
        return found if detail else list(found)

    async def _du(self, path: str, total: bool = True, maxdepth: int | None = None, withdirs: bool = False) -> Any:
        """The size of all files below a path in bytes, or a dict of sizes. On S3: the requests of `find`."""
        entries = await self._find(path, maxdepth, withdirs, detail=True)
        sizes = {name: entry["size"] for name, entry in entries.items()}
        return sum(sizes.values()) if total else sizes

    async def _expanded(
        self, path: str | Iterable[str], recursive: bool, maxdepth: int | None, *, globs: bool
    ) -> dict[str, Entry | None]:
        """The files and folders that paths stand for. An entry is `None` if it was not looked up."""
        check_depth(maxdepth)
        found: dict[str, Entry | None] = {}
        for name in [path] if isinstance(path, str | os.PathLike) else path:
            key = key_of(name)
            if globs and has_magic(key) and not await self._exists(key):
                matches = await self._glob(key, maxdepth, detail=True)
                if not matches:
                    raise missing(key)
                found |= matches
                if recursive and (maxdepth is None or maxdepth > 1):
                    for match, entry in matches.items():
                        if entry["type"] == "directory":
                            deeper = None if maxdepth is None else maxdepth - 1
                            found |= await self._find(match, deeper, withdirs=True, detail=True)
            elif recursive:
                below = await self._find(key, maxdepth, withdirs=True, detail=True)
                if not below:
                    raise missing(key)
                found |= below
            else:
                entry = await self._folder_info(key) if key.endswith("/") else None
                found.setdefault(key, entry)
        return dict(sorted(found.items()))

    async def _expand_path(
        self, path: Any, recursive: bool = False, maxdepth: int | None = None, assume_literal: bool = False
    ) -> list[str]:
        """The keys that a path or a pattern stands for. A pattern that is the name of a file or folder is that name."""
        return list(await self._expanded(path, recursive, maxdepth, globs=not assume_literal))
