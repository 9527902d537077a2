"""The storage contract over S3 with s3fs: for threads, and awaited."""

from __future__ import annotations

import os
from typing import TypeVar, Unpack

from s3fs import S3FileSystem

from remote_store.botocore import lookup
from remote_store.core.s3 import AsyncS3Backend, LoopPort, S3Backend, S3OptionFields, contract_errors, public
from remote_store.s3fs.client import Handle
from remote_store.s3fs.port import AsyncS3FsPort

T = TypeVar("T")

reset_lock = lookup("fsspec.asyn", "reset_lock")
if hasattr(os, "register_at_fork") and reset_lock is not None:
    # A child forked while another thread makes fsspec's loop must not find the lock taken.
    os.register_at_fork(after_in_child=reset_lock)


@public("remote_store.s3fs")
class S3FsBackend(S3Backend):
    """One bucket of an S3 server, through s3fs; any number of threads may use one instance.

    The requests run in the event loop of the filesystem, which is fsspec's own one in a thread of its own: an instance
    also works where another event loop runs, which waits meanwhile, and refuses to work inside fsspec's. Making one
    does no I/O. It pickles, and works on in a forked child, with another filesystem. `unwrap` hands out:

    - `s3fs.S3FileSystem`: the filesystem whose client the backend itself works with. What is done through it is
      outside the contract: its path functions take `*`, `?` and `[` in names for wildcards, `rm` and `mv` too; a file
      it writes is committed even when an exception ends the `with` block; its `retries` come on top of ours. It caches
      no listings; one that was handed in may, and forgets them where the backend changes something.

    Args:
        bucket: Name of the bucket.
        fs: A filesystem to work through, made without `asynchronous=True`; it is not closed. It brings its own client,
            credentials, retries, timeouts and pool, so only options that are not about a client go with it; its
            `s3_additional_kwargs` and `requester_pays` count as `put_options`. Without `conditional_writes` only an
            AWS endpoint is trusted with conditional writes. It follows a redirect to another host with the session
            token, customer keys and body, and has no bound on sending a body; a warning is logged once, under the name
            `remote_store`. Without `fs` neither is so, also for what `unwrap` hands out. Where more readers are open at
            once than its pool has connections, 10 by default, everything else waits until one is closed.
        **options: The options of every S3 backend, see `remote_store.core.s3.S3Options`. `max_connections` bounds the
            calls under way at once, beside the bodies that are being read. `client_options` are of the arguments of
            aiobotocore's `create_client` those without an option of their own: `config`, `verify`, `use_ssl`,
            `api_version`, `aws_account_id`. What such a `config` says outranks the other options.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is no S3FileSystem.
        ValueError: An option cannot be meant or does not go with `fs`, or `fs` is made with `asynchronous=True`.
        FileNotFoundError: `tls_ca_bundle` names no file.
    """

    name = "s3-s3fs"

    def __init__(self, bucket: str, *, fs: S3FileSystem | None = None, **options: Unpack[S3OptionFields]) -> None:
        self._handle = Handle(bucket, fs, options, asynchronous=False)
        super().__init__(bucket, self._handle.options)

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle; the class says which there are.

        Raises:
            CapabilityNotSupported: There is no handle of that type.
        """
        self._runner.check_open()
        with contract_errors(self.name):
            handle = self._handle.get(kind)
        return handle or super().unwrap(kind)

    def _connect(self) -> LoopPort:
        return self._handle.connect_blocking(self._bucket.name)


@public("remote_store.s3fs")
class AsyncS3FsBackend(AsyncS3Backend):
    """One bucket of an S3 server, awaited on aiobotocore without threads; any number of tasks may use one instance.

    It belongs to the event loop that uses it first and refuses to work in another. A cancelled call closes its
    connection, and a cancelled write leaves nothing behind. Making one does no I/O. `unwrap` hands out:

    - `s3fs.S3FileSystem`: the filesystem, made with `asynchronous=True`, whose client the backend itself works with;
      await its `_cat_file`, `open_async` and so on in the same event loop. What is done through it is outside the
      contract, as for `S3FsBackend`.

    Args:
        bucket: Name of the bucket.
        fs: A filesystem to work through, made with `asynchronous=True`; all else as for `S3FsBackend`.
        **options: As for `S3FsBackend`.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is no S3FileSystem.
        ValueError: An option cannot be meant or does not go with `fs`, or `fs` is made without `asynchronous=True`.
        FileNotFoundError: `tls_ca_bundle` names no file.
    """

    name = "s3-s3fs"

    def __init__(self, bucket: str, *, fs: S3FileSystem | None = None, **options: Unpack[S3OptionFields]) -> None:
        self._handle = Handle(bucket, fs, options, asynchronous=True)
        super().__init__(bucket, self._handle.options)

    def unwrap(self, kind: type[T]) -> T:
        """Hand out the native handle; the class says which there are.

        Raises:
            CapabilityNotSupported: There is no handle of that type.
        """
        self._runner.check_open()
        with contract_errors(self.name):
            handle = self._handle.get(kind)
        return handle or super().unwrap(kind)

    async def _connect(self) -> AsyncS3FsPort:
        return await self._handle.connect(self._bucket.name)
