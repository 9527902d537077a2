# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/transfers.py by tools/unasync.py;
# edit that.
"""Files that are uploaded from the local disk and downloaded to it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.local import make_path_posix
from fsspec.utils import isfilelike

from remote_store.fsspec.errors import translated
from remote_store.fsspec.names.entries import Entry
from remote_store.fsspec.names.pairs import check_apart, check_inside, is_folder, local_entries, local_target, pairs_of
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.arguments import check_depth
from remote_store.fsspec.operations.concurrency import gather
from remote_store.fsspec.operations.copying import Copying
from remote_store.fsspec.operations.progress import progress_of
from remote_store.fsspec.operations.writing import Writing


class Transfers(Copying, Writing):
    """The methods of a filesystem that upload and download several files."""

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
        """Upload local files, several at once. Patterns are expanded unless a local file has that very name.

        Raises:
            ValueError: Two files have the same target. Nothing is uploaded.
        """
        if isinstance(lpath, list) and isinstance(rpath, list):
            pairs = list(zip(lpath, map(key_of, rpath), strict=True))
        else:
            check_depth(maxdepth)
            entries = local_entries(lpath, recursive=recursive, maxdepth=maxdepth)
            source = make_path_posix(os.fspath(lpath)) if isinstance(lpath, str | os.PathLike) else lpath
            pairs = self._placed(entries, source, rpath, recursive=recursive and maxdepth is None)
            pairs = [(path, key) for path, key in pairs if not is_folder(entries, path)]
        check_apart(pairs, one_store=False)
        callback.set_size(len(pairs))

        def put(source: str, target: str) -> None:
            with callback.branched(source, target) as branch:
                self.put_file(source, target, callback=branch, **options)
            callback.relative_update(1)

        gather([partial(put, *pair) for pair in pairs], raising=True)

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
            ValueError: A file has a name such as `../x`, which is outside the target, or two files have the same
                target. Nothing is downloaded.
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
        check_apart([pair for pair in pairs if not is_folder(entries, pair[0])], one_store=False)
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
