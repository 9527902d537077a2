"""The storage contract over S3 with s3fs, sync and async."""

from __future__ import annotations

import os
from typing import TypeVar, Unpack

from s3fs import S3FileSystem

from remote_store.botocore import lookup
from remote_store.core import Capability
from remote_store.core.s3 import AsyncS3Backend, LoopPort, LoopThread, S3Backend, S3OptionFields, public
from remote_store.s3fs.client import NAME, Handle
from remote_store.s3fs.port import AsyncS3FsPort

T = TypeVar("T")

reset_lock = lookup("fsspec.asyn", "reset_lock")
if hasattr(os, "register_at_fork") and reset_lock is not None:
    # fsspec's lock stays locked in a child that is forked while another thread creates fsspec's event loop.
    os.register_at_fork(after_in_child=reset_lock)


@public("remote_store.s3fs")
class S3FsBackend(S3Backend):
    """One bucket of an S3 server, accessed through s3fs. Any number of threads may share one instance.

    Requests run in fsspec's event loop, which has its own thread. The backend can be called while another event loop
    runs in the calling thread, and blocks it for the duration of the call. It cannot be called inside fsspec's loop.
    Creating a backend does no I/O. It can be pickled, and keeps working in a forked child with a new filesystem.

    `unwrap` returns:

    - `s3fs.S3FileSystem`: the filesystem whose client the backend uses. The contract does not cover it: its path
      functions, including `rm` and `mv`, expand `*`, `?` and `[` in names; a file that it writes is committed even if
      an exception ends the `with` block; its `retries` are applied on top of ours. It caches no listings. A filesystem
      passed as `fs` may; the backend clears that cache when it changes something.

    Args:
        bucket: Name of the bucket.
        fs: A filesystem to use, made without `asynchronous=True`. The backend does not close it. It has its own client,
            credentials, retries, timeouts and pool, so options that configure a client are refused. Its
            `s3_additional_kwargs` and `requester_pays` are used as `put_options`. Without `conditional_writes`,
            conditions are trusted on an AWS endpoint only. It follows a redirect to another host and sends it the
            session token, customer keys and body, and sending a body has no time limit; a warning is logged once, by
            the logger `remote_store`. Without `fs` neither applies, also not to the filesystem from `unwrap`. If more
            readers are open than the pool has connections (10 by default), other calls wait until one is closed. At
            most 64 entries of metadata are accepted, because aiohttp by itself reads 128 header lines.
        **options: The options of every S3 backend; see `remote_store.core.s3.S3Options`. `max_connections` limits the
            concurrent calls, not counting bodies that are being read. `client_options` are those arguments of
            aiobotocore's `create_client` for which there is no option: `config`, `verify`, `use_ssl`, `api_version`,
            `aws_account_id`. Such a `config` overrides the other options.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is not an S3FileSystem.
        ValueError: An option has an impossible value or cannot be combined with `fs`, or `fs` was made with
            `asynchronous=True`.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    name = NAME
    capabilities = S3Backend.capabilities | {Capability.PRESIGN}

    def __init__(self, bucket: str, *, fs: S3FileSystem | None = None, **options: Unpack[S3OptionFields]) -> None:
        self._handle = Handle(bucket, fs, options, asynchronous=False)
        super().__init__(bucket, self._handle.options, own_client=fs is None)

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type; the class lists them.

        Raises:
            CapabilityNotSupported: There is no handle of that type.
        """
        self._runner.check_open()
        # The port's client is that of the filesystem. Without a port, `close` would not close it.
        return self._handle.get(kind, self._runner.port) or super().unwrap(kind)

    def _connect(self) -> LoopPort:
        thread = LoopThread(self._handle.filesystem().loop, os.getpid())
        return LoopPort(thread, thread.run(self._handle.connect(self._bucket.name)))


@public("remote_store.s3fs")
class AsyncS3FsBackend(AsyncS3Backend):
    """One bucket of an S3 server, natively async on aiobotocore. Any number of tasks may share one instance.

    An instance is bound to the event loop that uses it first, and raises in any other. A cancelled call closes its
    connection and ends within half a second. A cancelled write leaves nothing behind, unless the server had received
    it; the abort of a multipart upload may go on in the background. Creating a backend does no I/O.

    `unwrap` returns:

    - `s3fs.S3FileSystem`: the filesystem whose client the backend uses, made with `asynchronous=True`. Await its
      `_cat_file`, `open_async` and so on in the same event loop. The contract does not cover it, as for `S3FsBackend`.

    Args:
        bucket: Name of the bucket.
        fs: A filesystem to use, made with `asynchronous=True`. Otherwise as for `S3FsBackend`.
        **options: As for `S3FsBackend`.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is not an S3FileSystem.
        ValueError: An option has an impossible value or cannot be combined with `fs`, or `fs` was made without
            `asynchronous=True`.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    name = NAME
    capabilities = AsyncS3Backend.capabilities | {Capability.PRESIGN}

    def __init__(self, bucket: str, *, fs: S3FileSystem | None = None, **options: Unpack[S3OptionFields]) -> None:
        self._handle = Handle(bucket, fs, options, asynchronous=True)
        super().__init__(bucket, self._handle.options, own_client=fs is None)

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type; the class lists them.

        Raises:
            CapabilityNotSupported: There is no handle of that type.
        """
        self._runner.check_open()
        return self._handle.get(kind) or super().unwrap(kind)

    async def close(self) -> None:
        """Close the client, unless it belongs to the filesystem passed as `fs`."""
        await super().close()
        await self._handle.close()

    async def _connect(self) -> AsyncS3FsPort:
        return await self._handle.connect(self._bucket.name)
