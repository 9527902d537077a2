# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/async_operations.py by tools/unasync.py; edit
# that.
"""What a filesystem of fsspec does with a store: everything but opening files and making the filesystem.

The names of the methods with an underscore are those that fsspec documents for an `AbstractFileSystem`.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.local import make_path_posix
from fsspec.spec import AbstractFileSystem
from fsspec.utils import isfilelike

from remote_store.core import FileInfo, FolderEntry, InvalidPath, NotFound, NotModified, RemotePath, Store
from remote_store.fsspec.arguments import check_depth, overwrites
from remote_store.fsspec.cache import ContentCache
from remote_store.fsspec.concurrency import gather
from remote_store.fsspec.entries import Entry, entry_of, folder_entry, folders_of, last_segment, modified, ukey
from remote_store.fsspec.errors import already_there, is_wrong_kind, missing, not_a_folder, translated
from remote_store.fsspec.globbing import Pattern
from remote_store.fsspec.pairs import Entries, check_inside, is_folder, local_entries, local_target, pairs_of
from remote_store.fsspec.paths import ROOTS, below, exact, folder_name, key_of
from remote_store.fsspec.progress import progress_of
from remote_store.fsspec.ranges import Ranges, is_plain_range
from remote_store.fsspec.staging import Staging, copied


class Operations(AbstractFileSystem):
    """The operations of a filesystem over a store.

    Attributes:
        store: The store.
        copy_globs: Whether `cp` and `copy` expand patterns, as those of fsspec's base class do.
        cache: The content of small files, if the caller asked for a cache.
        staging: The transaction that is open, if there is one.
    """

    store: Store
    copy_globs: bool
    cache: ContentCache | None = None
    staging: Staging | None = None

    @abstractmethod
    def stage(self, write: Callable[[Any], Any], content: Any) -> None:
        """Keep back a write until the transaction ends."""

    def info(self, path: str, *, refresh: bool = False) -> Entry:
        """Describe a file or a folder. If there are both, describe the file.

        On S3: 1 request for a file, 2 for a folder, none for the root.
        """
        key = key_of(path)
        if key in ROOTS:
            return folder_entry("")
        if key.endswith("/"):
            return self._folder_info(key)
        try:
            return entry_of(self.store.head(exact(key)))
        except InvalidPath as error:
            if is_wrong_kind(error):
                return folder_entry(key)
            raise

    def _folder_info(self, key: str) -> Entry:
        if self.isdir(key):
            return folder_entry(folder_name(key))
        raise missing(key)

    def exists(self, path: str, *, refresh: bool = False) -> bool:
        """Whether there is a file or a folder. A refused request is an error.

        On S3: 1 request for a file, 2 for a folder or nothing, none for the root.
        """
        key = key_of(path)
        if key.endswith("/"):
            return self.isdir(key)
        with suppress(InvalidPath):
            return self.store.exists(exact(key))
        return False

    def isfile(self, path: str) -> bool:
        """Whether there is a file. A refused request is an error. On S3: 1 request, none for the root."""
        with suppress(InvalidPath):
            return self.store.is_file(exact(key_of(path)))
        return False

    def isdir(self, path: str) -> bool:
        """Whether there is a folder, perhaps beside a file of that name. On S3: 1 request, none for the root."""
        key = key_of(path)
        with suppress(InvalidPath):
            return key in ROOTS or self.store.is_folder(exact(key))
        return False

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

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        """The bytes of a file, or of a range of it. Negative offsets count from the end.

        On S3: 1 request; 2 for a negative offset, or for a range without an end.

        Args:
            path: The file.
            start: Offset of the first byte.
            end: Offset behind the last byte.
            options: `if_match` and `version_id`, as of the store.
        """
        key = exact(key_of(path))
        with translated():
            if start is None and end is None:
                return self._whole(key, options)
            if is_plain_range(start, end):
                return self.store.read_range(key, start or 0, max(0, (end or 0) - (start or 0)), **options)
            with self.store.read_seekable(key, **options) as file:
                size = (file.get_info()).size
                first, last, _ = slice(start, end).indices(size)
                file.seek(first)
                return file.read(max(0, last - first))

    def _whole(self, key: RemotePath, options: dict[str, Any]) -> bytes:
        """The bytes of a file. With a cache, those that are kept if the service says that they are current."""
        if self.cache is None or options:
            return self.store.read_bytes(key, **options)
        kept = self.cache.of(key)
        if kept is not None:
            content = self.store.read_bytes(key, if_none_match=kept.etag)
            if isinstance(content, NotModified):
                return kept.content
            # The answer does not say the ETag of the new version.
            self.cache.forget(key)
            return content
        with self.store.read(key) as file:
            content = file.read()
            self.cache.keep(key, (file.get_info()).etag, content)
        return content

    def cat(
        self,
        path: str | list[str],
        recursive: bool = False,
        on_error: str = "raise",
        batch_size: int | None = None,
        **options: Any,
    ) -> Any:
        """The bytes of a file, or a dict of those of several, which are read several at once."""
        entries = self._expanded(path, recursive, None, globs=True)
        paths = [name for name in entries if not is_folder(entries, name)]
        if isinstance(path, str) and paths == [key_of(path)] and on_error == "raise":
            return self.cat_file(paths[0], **options)
        results = gather([partial(self.cat_file, name, **options) for name in paths])
        failures = [result for result in results if isinstance(result, Exception)]
        if failures and on_error == "raise":
            raise failures[0]
        return {
            name: result
            for name, result in zip(paths, results, strict=True)
            if on_error != "omit" or not isinstance(result, Exception)
        }

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **options: Any,
    ) -> list[Any]:
        """Read ranges of files. Ranges of one file are of one version, and share a request if they are close.

        On S3: 1 request per group of close ranges of a file, several at once. `max_gap` is the store's.
        """
        ranges = Ranges.of(paths, starts, ends)
        calls = [partial(self._ranges_of, path, asked, options) for path, asked in ranges.by_path.items()]
        results = gather(calls)
        if on_error != "return":
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return ranges.collected(results)

    def _ranges_of(self, path: str, asked: list[tuple[Any, Any]], options: dict[str, Any]) -> list[bytes]:
        if all(start is not None and end is not None and is_plain_range(start, end) for start, end in asked):
            pairs = [(start, max(0, end - start)) for start, end in asked]
            with translated():
                return self.store.read_ranges(exact(key_of(path)), pairs, **options)
        return [self.cat_file(path, start, end, **options) for start, end in asked]

    def pipe_file(self, path: str, value: Any, mode: str = "overwrite", **options: Any) -> None:
        """Write a whole file. With `mode="create"`, in one request that fails if the file exists.

        Args:
            path: The file.
            value: The bytes.
            mode: `overwrite` or `create`.
            options: `metadata`, `content_type`, and the other options of the store's `write`.

        Raises:
            FileExistsError: The file exists, and `mode` is `create`.
        """
        key = exact(key_of(path))
        overwrite = overwrites(mode)
        if self.staging is not None:
            self.stage(partial(self._write, key, overwrite=overwrite, **options), bytes(value))
        else:
            self._write(key, value, overwrite=overwrite, **options)

    def put_file(
        self,
        lpath: str | os.PathLike[str],
        rpath: str,
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **options: Any,
    ) -> None:
        """Upload a local file, in parts of bounded memory. A local folder is skipped, as a store has no empty folders.

        Args:
            lpath: The local file.
            rpath: The file to write.
            callback: Told the size of the file and the bytes read from it.
            mode: `overwrite` or `create`.
            options: `metadata`, `content_type`, and the other options of the store's `write`.

        Raises:
            FileExistsError: The file exists, and `mode` is `create`.
        """
        key = exact(key_of(rpath))
        overwrite = overwrites(mode)
        if Path(lpath).is_dir():
            return
        if self.staging is not None:
            self.stage(partial(self._write, key, overwrite=overwrite, **options), copied(os.fspath(lpath)))
            return
        with translated():
            self.store.upload(lpath, key, overwrite=overwrite, progress=progress_of(callback), **options)

    def put(
        self,
        lpath: Any,
        rpath: str | list[str],
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Upload local files, several at once. Patterns are expanded unless a local file has that very name."""
        if isinstance(lpath, list) and isinstance(rpath, list):
            pairs = list(zip(lpath, map(key_of, rpath), strict=True))
        else:
            check_depth(maxdepth)
            entries = local_entries(lpath, recursive=recursive, maxdepth=maxdepth)
            source = make_path_posix(os.fspath(lpath)) if isinstance(lpath, str | os.PathLike) else lpath
            pairs = self._placed(entries, source, rpath, recursive=recursive and maxdepth is None)
            pairs = [(path, key) for path, key in pairs if not is_folder(entries, path)]
        callback.set_size(len(pairs))

        def put(source: str, target: str) -> None:
            with callback.branched(source, target) as branch:
                self.put_file(source, target, callback=branch, **options)
            callback.relative_update(1)

        gather([partial(put, *pair) for pair in pairs], raising=True)

    def _write(self, key: str, content: Any, *, overwrite: bool, **options: Any) -> None:
        with translated():
            self.store.write(key, content, overwrite=overwrite, **options)

    def get_file(
        self,
        rpath: str,
        lpath: Any,
        callback: Callback = DEFAULT_CALLBACK,
        outfile: Any = None,
        **options: Any,
    ) -> None:
        """Download a file to the local disk, where it appears complete or not at all, or into an open file.

        A folder is created on the local disk, and so are the folders above the file.

        On S3: 1 request; several at once from 32 MiB. 2 for a folder.

        Args:
            rpath: The file.
            lpath: The local path, or an open binary file.
            callback: Told the size of the file and the bytes written.
            outfile: An open binary file, in place of `lpath`.
            options: `if_match` and `version_id`, for an open file only.
        """
        key = key_of(rpath)
        target = outfile if outfile is not None else lpath
        if isfilelike(target):
            with translated():
                file = self.store.read(exact(key), **options)
            with file:
                callback.set_size((file.get_info()).size)
                for chunk in file.iter_chunks():
                    target.write(chunk)
                    callback.relative_update(len(chunk))
            return
        try:
            self._download(key, target, callback, **options)
        except IsADirectoryError:
            if self.isfile(key):
                raise
            Path(target).mkdir(parents=True, exist_ok=True)

    def _download(self, key: str, target: Any, callback: Callback, **options: Any) -> None:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        with translated():
            self.store.download(exact(key), target, overwrite=True, progress=progress_of(callback), **options)

    def get(
        self,
        rpath: str | list[str],
        lpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **options: Any,
    ) -> None:
        """Download files. Patterns are expanded unless a file or folder has that very name.

        Raises:
            ValueError: A file has a name such as `../x`, which is outside the target.
        """
        if isinstance(rpath, list) and isinstance(lpath, list):
            entries: dict[str, Entry | None] = {}
            pairs = list(zip(map(key_of, rpath), lpath, strict=True))
        else:
            entries = self._expanded(rpath, recursive, maxdepth, globs=True)
            source = key_of(rpath) if isinstance(rpath, str) else rpath
            whole = recursive and maxdepth is None
            if isinstance(lpath, list):
                pairs = pairs_of(entries, source, lpath, target_is_folder=False, recursive=whole)
            else:
                target, is_there = local_target(lpath)
                pairs = pairs_of(entries, source, target, target_is_folder=is_there, recursive=whole)
                check_inside(target, pairs)
        callback.set_size(len(pairs))

        def get(source: str, target: str) -> None:
            if is_folder(entries, source):
                Path(target).mkdir(parents=True, exist_ok=True)
            else:
                with callback.branched(source, target) as branch:
                    try:
                        self._download(source, target, branch, **options)
                    except IsADirectoryError:
                        if self.isfile(source):
                            raise
            callback.relative_update(1)

        gather([partial(get, *pair) for pair in pairs], raising=True)

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copy one file; the server copies the bytes. A folder is skipped, as a store has no empty folders.

        On S3: 1 or 2 requests.

        Args:
            path1: The file.
            path2: The copy; a file that exists is replaced.
            options: `if_match` and `version_id`, as of the store.
        """
        try:
            self.store.copy(exact(key_of(path1)), exact(key_of(path2)), overwrite=True, **options)
        except InvalidPath as error:
            if not is_wrong_kind(error) or not self.isdir(path1):
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
        """
        pairs = self._pairs(path1, path2, recursive, maxdepth, globs=False)

        def move(source: str, target: str) -> None:
            with translated():
                self.store.move(exact(source), exact(target), overwrite=True, **options)

        gather([partial(move, *pair) for pair in pairs], raising=True)

    def _pairs(
        self, path1: Any, path2: Any, recursive: bool, maxdepth: int | None, *, globs: bool
    ) -> list[tuple[str, str]]:
        """Source and target of each file to copy."""
        if isinstance(path1, list) and isinstance(path2, list):
            return list(zip(map(key_of, path1), map(key_of, path2), strict=True))
        entries = self._expanded(path1, recursive, maxdepth, globs=globs)
        source = key_of(path1) if isinstance(path1, str) else path1
        pairs = self._placed(entries, source, path2, recursive=recursive and maxdepth is None)
        return [(path, target) for path, target in pairs if not is_folder(entries, path)]

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

    def rm_file(self, path: str, **options: Any) -> None:
        """Delete one file, and nothing else. On S3: 2 requests, or 1.

        Raises:
            FileNotFoundError: There is no such file.
            IsADirectoryError: The path is a folder.
        """
        with translated():
            self.store.delete(exact(key_of(path)), **options)

    def rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
    ) -> None:
        """Delete files and, with `recursive`, folders with all that is in them. Patterns are not expanded.

        On S3: 2 requests for a file; 1 per 1,000 of several files, of which missing ones count as deleted; and 2 per
        1,000 files of a folder, and 2 more.

        Raises:
            FileNotFoundError: There is nothing at the path.
            IsADirectoryError: The path is a folder and `recursive` is `False`.
            InvalidPath: The path is the root, which cannot be deleted.
        """
        keys = [key_of(path)] if isinstance(path, str | os.PathLike) else list(map(key_of, path))
        if recursive and maxdepth is not None:
            keys = [name for key in keys for name in self.find(key, maxdepth)]
        elif recursive:
            for key in keys:
                self._rm_tree(key)
            return
        if len(keys) == 1:
            self.rm_file(keys[0])
            return
        outcomes = self.store.delete_many([exact(key) for key in keys])
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        with translated():
            for outcome in failed:
                outcome.result()

    def _rm_tree(self, key: str) -> None:
        """Delete a folder and the file of the same name, if there is one."""
        calls = [partial(self.store.delete_folder, exact(key), recursive=True)]
        if not key.endswith("/"):
            calls.append(partial(self.store.delete, exact(key)))
        found = False
        for call in calls:
            try:
                call()
                found = True
            except NotFound:
                pass
            except InvalidPath as error:
                if not is_wrong_kind(error) or not key:
                    raise
        if not found:
            raise missing(key)

    def mkdir(self, path: str, create_parents: bool = True, **_options: Any) -> None:
        """Do nothing: a folder of a store exists as soon as there is a file in it.

        Raises:
            FileExistsError: There is a file.
        """
        self.makedirs(path, exist_ok=True)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Do nothing: a folder of a store exists as soon as there is a file in it. Sends no request with `exist_ok`.

        Raises:
            FileExistsError: There is a folder or a file, and `exist_ok` is `False`.
        """
        if not exist_ok and self.exists(path):
            raise already_there(key_of(path))

    def rmdir(self, path: str) -> None:
        """Delete an empty folder, such as one that has only a marker. On S3: 2 requests.

        Raises:
            FileNotFoundError: There is no folder. A folder that never had a file in it does not exist.
            NotADirectoryError: The path is a file.
            OSError: The folder is not empty.
        """
        try:
            self.store.delete_folder(exact(key_of(path)))
        except InvalidPath as error:
            if not is_wrong_kind(error) or not key_of(path):
                raise
            raise not_a_folder(error) from error

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """Write an empty file. With `truncate=False`, only if there is none; a file that exists is left as it is.

        On S3: 1 request.
        """
        with suppress(*(() if truncate else (FileExistsError,))):
            self.pipe_file(path, b"", "overwrite" if truncate else "create", **options)

    def size(self, path: str) -> int | None:
        """The size of a file in bytes. On S3: 1 request."""
        size: int | None = (self.info(path))["size"]
        return size

    def modified(self, path: str) -> datetime:
        """The time of the last write, aware and in UTC. On S3: 1 request.

        Raises:
            NotImplementedError: The path is a folder.
        """
        return modified(self.info(path))

    def created(self, path: str) -> datetime:
        """The same as `modified`: a file is written once, as a whole. On S3: 1 request."""
        return modified(self.info(path))

    def ukey(self, path: str) -> str:
        """A text that changes when the file does: a digest of its place, ETag, size and time. On S3: 1 request."""
        return ukey(self.store.native_path(), self.info(path))

    def checksum(self, path: str) -> int:
        """The number of `ukey`."""
        return int(self.ukey(path), 16)

    def sign(self, path: str, expiration: float = 100, **options: Any) -> str:
        """A URL with which anyone can read the file for some time. Sends no request.

        Args:
            path: The file.
            expiration: Seconds until the URL expires.
            options: `method`, `content_type`, `response_headers` and `version_id`, as of the store's `presign`.
        """
        return self.store.presign(exact(key_of(path)), expires_in=expiration, **options)

    def head(self, path: str, size: int = 1024) -> bytes:
        """The first bytes of a file. On S3: 1 request."""
        return self.cat_file(path, 0, size)

    def tail(self, path: str, size: int = 1024) -> bytes:
        """The last bytes of a file. On S3: 2 requests."""
        return self.cat_file(path, -size if size else 0, None if size else 0)
