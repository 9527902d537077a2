"""The filesystem over a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, BinaryIO, cast

from remote_store.core import AsyncStore, Capability, FileInfo, InvalidPath, NotFound, Reader, Store
from remote_store.fsspec.async_filesystem import AsyncRemoteStoreFileSystem
from remote_store.fsspec.errors import translated
from remote_store.fsspec.files.blocking import SpooledOpening
from remote_store.fsspec.files.handed import HandedFile, HandOver, Later
from remote_store.fsspec.files.reading import ReadFile, version_of
from remote_store.fsspec.files.writing import WriteFile
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.copying import Copying
from remote_store.fsspec.operations.deleting import Deleting
from remote_store.fsspec.operations.reading import Reading
from remote_store.fsspec.operations.transfers import Transfers
from remote_store.fsspec.operations.writing import Writing
from remote_store.fsspec.stores.sharing import shared
from remote_store.fsspec.stores.sources import Configuration, StoreSource
from remote_store.fsspec.surface import Surface


class RemoteStoreFileSystem(Surface, Deleting, Reading, Transfers, Copying, Writing):
    """Any store as a filesystem of fsspec.

    Make it with `fsspec.filesystem("remote-store", store=store)`, by a URL such as `remote-store+s3://bucket/key`, or
    from a configuration.

    Keys are exact: `a//b`, `*` and `[x]` are names like any other. Only `glob`, `cat` and `get` expand patterns, and
    the last two only if there is no file or folder of that very name. A folder exists if a key begins with its path
    and a slash, so `mkdir` does nothing. Nothing is cached.

    Args:
        store: A store. An `AsyncStore`, or `asynchronous=True`, makes an `AsyncRemoteStoreFileSystem`.
        url: URL of a store, such as `s3://bucket/prefix`, in place of a store.
        config: A configuration, or the path of its file, in place of a store.
        name: Name of a store in the configuration.
        copy_globs: Expand patterns in `cp` and `copy`, as fsspec's base class does.
        cache_bytes: Memory for the content of small files that `cat_file` reads as a whole. Each use still sends 1
            request, which compares the ETag. 0, the default, means no cache.
        asynchronous: `True` makes an `AsyncRemoteStoreFileSystem`.
        options: Settings of the backend, with a URL.

    Raises:
        BackendNotInstalled: The distribution of the backend is not installed.
        ConfigError: The URL, the configuration or a setting is wrong.
        TypeError: There is not exactly one of `store`, `url` and `config`.
    """

    __module__ = "remote_store.fsspec"

    store: Store

    def __new__(cls, store: Store | AsyncStore | None = None, *, asynchronous: bool = False, **options: Any) -> Any:
        if cls is RemoteStoreFileSystem and (asynchronous or isinstance(store, AsyncStore)):
            return AsyncRemoteStoreFileSystem(store, asynchronous=asynchronous, **options)
        return super().__new__(cls)

    def __init__(
        self,
        store: Store | None = None,
        *,
        url: str | None = None,
        config: Configuration | None = None,
        name: str | None = None,
        copy_globs: bool = False,
        cache_bytes: int = 0,
        asynchronous: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        made = StoreSource(store, url, config, name, options).blocking()
        # The caller's own store stays as it is, and closing it is the caller's business.
        self.store = shared(made) if store is None else made
        self.url = url
        self.copy_globs = copy_globs
        self.cache = self.cache_of(cache_bytes)
        self.handed = HandOver()

    def isfile(self, path: str) -> bool:
        """Whether there is a file. A refused request is an error.

        On S3: 1 request for a file, 2 if there is none, and none for the root. If this thread opens the file to
        read within a second, opening it sends no request.
        """
        key = key_of(path)
        try:
            info = self.store.head(exact(key))
        except (InvalidPath, NotFound):
            return False
        self.handed.give(key, info)
        return True

    def open_to_read(self, key: str, block_size: int, options: Mapping[str, Any]) -> ReadFile:
        path = exact(key)
        seen = self.handed.take(key)
        with translated():
            if not self.store.supports(Capability.SEEKABLE_READ):
                file = self.store.read(path, **options)
                return ReadFile(self, key, file, file.info, None, block_size)
            conditional = self.store.supports(Capability.CONDITIONAL_READ)
            if seen is not None and conditional and not options:
                later = cast("BinaryIO", Later(partial(self.store.read_seekable, path, block_size, **version_of(seen))))
                opened = HandedFile(self, key, later, seen, self._stream, block_size, self._range)
                opened.renew = partial(self.open_to_read, key, block_size, options)
                return opened
            file = self.store.read_seekable(path, block_size, **options)
            if not (file.is_pinned and conditional):
                return ReadFile(self, key, file, file.info, None, block_size)
            return ReadFile(self, key, file, file.info, self._stream, block_size, self._range)

    def _range(self, info: FileInfo, start: int, length: int) -> bytes:
        """A range of the version."""
        return self.store.read_range(info.path, start, length, **version_of(info))

    def _stream(self, info: FileInfo) -> Reader:
        """The body of the version, for sequential reading."""
        return self.store.read(info.path, **version_of(info))

    def open_to_write(self, key: str, mode: str, options: Mapping[str, Any], *, autocommit: bool) -> WriteFile:
        path, overwrite = exact(key), mode == "wb"
        opening: AbstractContextManager[BinaryIO]
        if self.store.supports(Capability.ATOMIC_WRITE):
            with translated():
                opening = self.store.open_atomic(path, overwrite=overwrite, **options)
        else:
            opening = SpooledOpening(
                partial(self.store.write, path, overwrite=overwrite, **options),
                partial(self.check_target, key, overwrite=overwrite),
            )
        return WriteFile(self, key, mode, opening, autocommit=autocommit)

    def changed(self) -> None:
        self.handed.changed()

    def run(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return call(*arguments, **options)
