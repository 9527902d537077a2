"""Whole files that are written, at once or at the end of a transaction."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from remote_store.fsspec.errors import already_there, translated
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.aio.looking import AsyncLooking
from remote_store.fsspec.operations.arguments import overwrites
from remote_store.fsspec.operations.progress import progress_of
from remote_store.fsspec.staging import Staging, copied


class AsyncWriting(AsyncLooking):
    """The methods of a filesystem that write one file.

    Attributes:
        staging: The transaction that is open, if there is one.
    """

    staging: Staging | None = None

    @abstractmethod
    def stage(self, write: Callable[[Any], Any], content: Any) -> None:
        """Keep back a write until the transaction ends."""

    async def _write(self, key: str, content: Any, *, overwrite: bool, **options: Any) -> None:
        self.changed()
        with translated():
            await self.store.write(key, content, overwrite=overwrite, **options)

    async def _pipe_file(self, path: str, value: Any, mode: str = "overwrite", **options: Any) -> None:
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
            self.stage(partial(self._write, key, overwrite=overwrite, **options), bytes(memoryview(value)))
        else:
            await self._write(key, value, overwrite=overwrite, **options)

    async def _put_file(
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
        self.changed()
        with translated():
            await self.store.upload(lpath, key, overwrite=overwrite, progress=progress_of(callback), **options)

    async def _touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """Write an empty file. With `truncate=False`, only if there is none; a file that exists is left as it is.

        On S3: 1 request.
        """
        with suppress(*(() if truncate else (FileExistsError,))):
            await self._pipe_file(path, b"", "overwrite" if truncate else "create", **options)

    async def _mkdir(self, path: str, create_parents: bool = True, **_options: Any) -> None:
        """Do nothing: a folder of a store exists as soon as there is a file in it.

        Raises:
            FileExistsError: There is a file.
        """
        await self._makedirs(path, exist_ok=True)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Do nothing: a folder of a store exists as soon as there is a file in it. Sends no request with `exist_ok`.

        Raises:
            FileExistsError: There is a folder or a file, and `exist_ok` is `False`.
        """
        if not exist_ok and await self._exists(path):
            raise already_there(key_of(path))
