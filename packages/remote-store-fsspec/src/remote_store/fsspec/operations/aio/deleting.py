"""Files and folders that are deleted."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from remote_store.core import InvalidPath, NotFound
from remote_store.fsspec.errors import is_wrong_kind, missing, not_a_folder, translated
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.aio.listing import AsyncListing


class AsyncDeleting(AsyncListing):
    """The methods of a filesystem that delete."""

    async def _rm_file(self, path: str, **options: Any) -> None:
        """Delete one file, and nothing else. On S3: 2 requests, or 1.

        Raises:
            FileNotFoundError: There is no such file.
            IsADirectoryError: The path is a folder.
        """
        self.changed()
        with translated():
            await self.store.delete(exact(key_of(path)), **options)

    async def _rm(
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
            keys = [name for key in keys for name in await self._find(key, maxdepth)]
        elif recursive:
            for key in keys:
                await self._rm_tree(key)
            return
        if len(keys) == 1:
            await self._rm_file(keys[0])
            return
        self.changed()
        outcomes = self.store.delete_many([exact(key) for key in keys])
        failed = [outcome async for outcome in outcomes if outcome.error is not None]
        with translated():
            for outcome in failed:
                outcome.result()

    async def _rm_tree(self, key: str) -> None:
        """Delete a folder and the file of the same name, if there is one."""
        calls = [partial(self.store.delete_folder, exact(key), recursive=True)]
        if not key.endswith("/"):
            calls.append(partial(self.store.delete, exact(key)))
        self.changed()
        found = False
        for call in calls:
            try:
                await call()
                found = True
            except NotFound:
                pass
            except InvalidPath as error:
                if not is_wrong_kind(error) or not key:
                    raise
        if not found:
            raise missing(key)

    async def _rmdir(self, path: str) -> None:
        """Delete an empty folder, such as one that has only a marker. On S3: 2 requests.

        Raises:
            FileNotFoundError: There is no folder. A folder that never had a file in it does not exist.
            NotADirectoryError: The path is a file.
            OSError: The folder is not empty.
        """
        try:
            await self.store.delete_folder(exact(key_of(path)))
        except InvalidPath as error:
            if not is_wrong_kind(error) or not key_of(path):
                raise
            raise not_a_folder(error) from error
