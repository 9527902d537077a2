"""The filesystem over an async store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, cast

from fsspec.asyn import get_loop, reset_lock, sync

from remote_store.core import AsyncStore, Capability, FileInfo, Store
from remote_store.fsspec.errors import translated
from remote_store.fsspec.files.aio import AsyncReadFile, AsyncWriteFile
from remote_store.fsspec.files.blocking import BlockingReader, SpooledOpening
from remote_store.fsspec.files.dressing import binary_mode
from remote_store.fsspec.files.reading import ReadFile, version_of
from remote_store.fsspec.files.writing import WriteFile
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.aio.copying import AsyncCopying
from remote_store.fsspec.operations.aio.deleting import AsyncDeleting
from remote_store.fsspec.operations.aio.reading import AsyncReading
from remote_store.fsspec.operations.aio.transfers import AsyncTransfers
from remote_store.fsspec.operations.aio.writing import AsyncWriting
from remote_store.fsspec.stores.sharing import shared
from remote_store.fsspec.stores.sources import Configuration, StoreSource
from remote_store.fsspec.surface import Surface


class AsyncRemoteStoreFileSystem(Surface, AsyncDeleting, AsyncReading, AsyncTransfers, AsyncCopying, AsyncWriting):
    """Any store as an async filesystem of fsspec, with coroutines such as `_info` and `_cat_file`.

    It behaves like `RemoteStoreFileSystem`. By default, its blocking methods run the coroutines in fsspec's own event
    loop, in another thread. With `asynchronous=True`, await the coroutines in your own event loop; the blocking methods
    then raise `RuntimeError`.

    A store of a lane that is natively async belongs to the first event loop that uses it. In another one, every method
    raises `BackendUnavailable`.

    Args:
        store: An async store, or a blocking one, whose calls are then made in threads.
        url: URL of a store, such as `s3://bucket/prefix`, in place of a store.
        config: A configuration, or the path of its file, in place of a store.
        name: Name of a store in the configuration.
        copy_globs: Expand patterns in `cp` and `copy`, as fsspec's base class does.
        cache_bytes: Memory for the content of small files that `cat_file` reads as a whole. Each use still sends 1
            request, which compares the ETag. 0, the default, means no cache.
        asynchronous: The coroutines are awaited in the caller's event loop.
        loop: The event loop that the blocking methods use, in place of fsspec's. It runs in another thread.
        batch_size: Not used: at most 16 calls are made at once.
        options: Settings of the backend, with a URL.

    Raises:
        BackendNotInstalled: The distribution of the backend is not installed.
        ConfigError: The URL, the configuration or a setting is wrong.
        TypeError: There is not exactly one of `store`, `url` and `config`.
    """

    __module__ = "remote_store.fsspec"

    store: AsyncStore

    def __init__(
        self,
        store: Store | AsyncStore | None = None,
        *,
        url: str | None = None,
        config: Configuration | None = None,
        name: str | None = None,
        copy_globs: bool = False,
        cache_bytes: int = 0,
        asynchronous: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        batch_size: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(asynchronous=asynchronous, loop=loop, batch_size=batch_size)
        made = StoreSource(store, url, config, name, options).awaited()
        # Other event loops than fsspec's come and go, and a store belongs to the first that uses it.
        self.store = shared(made) if store is None and not asynchronous and loop is None else made
        self.url = url
        self.copy_globs = copy_globs
        self.cache = self.cache_of(cache_bytes)
        self.given_loop = loop
        self.process = os.getpid()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the blocking methods. A forked child has one of its own.

        Raises:
            RuntimeError: The filesystem is `asynchronous`, or the process is a fork and the loop was given.
        """
        if self.asynchronous:
            raise RuntimeError(
                "the filesystem was made with asynchronous=True, so it has no blocking methods; await the coroutine of "
                "the same name with an underscore, or make a filesystem without asynchronous=True"
            )
        if self.given_loop is None:
            return cast("asyncio.AbstractEventLoop", get_loop())
        if self.process != os.getpid():
            raise RuntimeError("the event loop does not run in this forked process; make a new filesystem")
        return self.given_loop

    def run(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return sync(self.loop, call, *arguments, **options)

    def release(self, call: Callable[[], Any]) -> None:
        """Call an async function that only frees something. It is not waited for in the event loop itself."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not None and here is self.loop:
            here.create_task(call())
        else:
            self.run(call)

    def stage(self, write: Callable[[Any], Any], content: Any) -> None:
        if self.asynchronous:
            raise NotImplementedError("a transaction blocks when it ends; make a filesystem without asynchronous=True")
        super().stage(write, content)

    def open_to_read(self, key: str, block_size: int, options: Mapping[str, Any]) -> ReadFile:
        path = exact(key)
        with translated():
            if not self.store.supports(Capability.SEEKABLE_READ):
                file = self.run(self.store.read, path, **options)
                stream = None
            else:
                file = self.run(self.store.read_seekable, path, block_size, **options)
                can = file.is_pinned and self.store.supports(Capability.CONDITIONAL_READ)
                stream = self._stream if can else None
            info = self.run(file.get_info)
        return ReadFile(self, key, self._blocking(file), info, stream, block_size)

    def _stream(self, info: FileInfo) -> BinaryIO:
        """The body of the version, for sequential reading."""
        return self._blocking(self.run(self.store.read, info.path, **version_of(info)))

    def _blocking(self, file: Any) -> BinaryIO:
        return cast("BinaryIO", BlockingReader(file, self.run, self.release))

    def open_to_write(self, key: str, mode: str, options: Mapping[str, Any], *, autocommit: bool) -> WriteFile:
        overwrite = mode == "wb"
        write = self.store.write_atomic if self.store.supports(Capability.ATOMIC_WRITE) else self.store.write
        opening = SpooledOpening(
            partial(self.run, write, exact(key), overwrite=overwrite, **options),
            partial(self.check_target, key, overwrite=overwrite),
        )
        return WriteFile(self, key, mode, opening, autocommit=autocommit)

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> AsyncReadFile | AsyncWriteFile:
        """Open a binary file whose `read`, `write` and `close` are awaited. Use it in an `async with` block.

        On S3: 1 request to read from start to end, and 1 more for a read after a seek. For writing, the requests of
        `AsyncStore.open_atomic`, sent when it is closed.

        Args:
            path: The key, or a URL.
            mode: `rb`, `wb` or `xb`.
            options: `if_match` and `version_id` for reading; `metadata`, `content_type` and the other options of
                `AsyncStore.open_atomic` for writing.

        Raises:
            FileExistsError: The mode is `xb`, and the file exists.
            FileNotFoundError: There is no such file.
            NotImplementedError: The mode appends, or a transaction is open.
            ValueError: The mode is one of text.
        """
        binary, text = binary_mode(mode)
        if text or options.get("compression"):
            raise ValueError("open_async opens binary files only; pass a mode such as 'rb', and no compression")
        key = key_of(path)
        with translated():
            if binary == "rb":
                reader = await self.store.read(exact(key), **options)
                return AsyncReadFile(self, key, reader, await reader.get_info())
            if self.staging is not None:
                raise NotImplementedError("open_async takes no part in transactions; use open or pipe_file")
            opening = self.store.open_atomic(exact(key), overwrite=binary == "wb", **options)
            return AsyncWriteFile(self, key, binary, opening=opening, file=await opening.__aenter__())

    # fsspec makes the blocking methods of the coroutines that its own class has, and not of these.

    def checksum(self, path: str) -> int:
        return cast("int", self.run(self._checksum, path))

    def created(self, path: str) -> datetime:
        return cast("datetime", self.run(self._created, path))

    def head(self, path: str, size: int = 1024) -> bytes:
        return cast("bytes", self.run(self._head, path, size))

    def modified(self, path: str) -> datetime:
        return cast("datetime", self.run(self._modified, path))

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **options: Any) -> None:
        self.run(self._mv, path1, path2, recursive, maxdepth, **options)

    def rmdir(self, path: str) -> None:
        self.run(self._rmdir, path)

    def sign(self, path: str, expiration: float = 100, **options: Any) -> str:
        return cast("str", self.run(self._sign, path, expiration, **options))

    def tail(self, path: str, size: int = 1024) -> bytes:
        return cast("bytes", self.run(self._tail, path, size))

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        self.run(self._touch, path, truncate, **options)

    def walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **options: Any
    ) -> Iterator[tuple[str, Any, Any]]:
        rows = self._walk(path, maxdepth, topdown, on_error, **options)
        while True:
            try:
                row = self.run(rows.__anext__)
            except StopAsyncIteration:
                return
            yield row

    def ukey(self, path: str) -> str:
        return cast("str", self.run(self._ukey, path))


if hasattr(os, "register_at_fork"):
    # Older releases of fsspec leave a forked child with the event loop of its parent, whose thread it does not have.
    os.register_at_fork(after_in_child=reset_lock)
