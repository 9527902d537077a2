"""The S3 backends that also provide pyarrow's filesystem."""

from __future__ import annotations

from typing import TypeVar, Unpack, cast

from pyarrow.fs import S3FileSystem

from remote_store.botocore import (
    DEFAULT_THREADS,
    ClientBackend,
    ClientOptionFields,
    renewed_credentials,
    warn_of_redirects,
)
from remote_store.core import CapabilityNotSupported, ThreadedBackend
from remote_store.core.s3 import contract_errors, public
from remote_store.pyarrow.client import CLIENTS, check_options
from remote_store.pyarrow.port import PyArrowPort

T = TypeVar("T")

FORKED = "this process was forked while pyarrow was working, so pyarrow is locked in it; start processes with spawn"


@public("remote_store.pyarrow")
class S3PyArrowBackend(ClientBackend):
    """One bucket of an S3 server, with pyarrow's filesystem for Arrow's readers and writers.

    All methods of the contract, including whole reads, use a client of botocore. pyarrow (16 to 26) cannot keep the
    contract: it opens a file with a HEAD and reads it with a GET without `If-Match`. If the object is replaced in
    between, the result is truncated, or padded with uninitialised memory. pyarrow also cannot make conditional
    requests, abort uploads, report versions or metadata, or access keys such as `a//b`.

    `unwrap` returns:

    - `pyarrow.fs.S3FileSystem`, also as `pyarrow.fs.FileSystem`: a filesystem with the endpoint, region, addressing
      style, credentials, certificates, proxy, timeouts and number of attempts of this backend. Its paths are those of
      `native_path`. It has the credentials of the moment; if botocore or a function passed as `credentials` renews
      them, unwrap again when the old ones expire.
    - `botocore.client.BaseClient`: the S3 client that the backend uses. If boto3 is installed, it has boto3's
      `upload_file` and similar methods. Do not close it.

    The contract does not cover the filesystem:

    - Its streams compress and decompress files by extension, such as `.gz`; pass `compression=None`.
    - An exception in the `with` block of an output stream leaves a truncated object. A stream that is never closed
      keeps the interpreter from exiting. Metadata is dropped.
    - `delete_file` and `move` create an empty object in place of the folder.
    - Two reads, or the two requests of one read, can see different versions. If a small file cannot be read, the error
      does not say why.
    - `put_options`, `max_connections` and `part_size` have no effect on it.
    - It follows a redirect to another host and sends it the session token, customer keys and body. A warning is logged
      once, by the logger `remote_store`.
    - Do not use it in a forked child; unwrap a new one there. If the process was forked while pyarrow was working,
      pyarrow is locked in the child, and `unwrap` raises.

    Args:
        bucket: Name of the bucket.
        **options: The options of every S3 backend; see `remote_store.core.s3.S3Options`. `client_options` are those
            arguments of botocore's `create_client` for which there is no option: `config`, `verify`, `use_ssl`,
            `api_version`, `aws_account_id`. Such a `config` overrides the other options. `session` is a `boto3.Session`
            with the credentials, region and configuration for the client; the backend does not change it, and cannot
            be pickled. pyarrow does not support `verify=False` in `client_options`, and `client_cert`,
            `proxies_config`, `use_accelerate_endpoint` and `use_fips_endpoint` in its `config`. `tls_ca_bundle`
            requires pyarrow 21 or newer.

    Raises:
        TypeError: An option is unknown or of the wrong type.
        ValueError: An option has an impossible value, or pyarrow does not support it.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    name = "s3-pyarrow"
    _clients = CLIENTS

    def __init__(self, bucket: str, **options: Unpack[ClientOptionFields]) -> None:
        super().__init__(bucket, **options)
        check_options(self._bucket.options, self._client)

    def unwrap(self, kind: type[T]) -> T:
        """Return a native handle. The docstring of the class lists them.

        Raises:
            CapabilityNotSupported: The backend has no handle of that type, or pyarrow is locked after a fork.
            PermissionDenied: No credentials were found.
        """
        if kind is object or not issubclass(S3FileSystem, kind):
            return super().unwrap(kind)
        warn_of_redirects("pyarrow's filesystem")
        try:
            with contract_errors(self.name):
                return cast("PyArrowPort", self._runner.port()).filesystem()  # type: ignore[no-any-return]
        except TimeoutError as error:
            raise CapabilityNotSupported(FORKED, capability="unwrap", backend=self.name) from error

    def _connect(self) -> PyArrowPort:
        credentials = renewed_credentials(self._bucket.options)
        return PyArrowPort(self._find_client(credentials), self._bucket.options, self._session, credentials)


@public("remote_store.pyarrow")
class AsyncS3PyArrowBackend(ThreadedBackend):
    """`S3PyArrowBackend` for asyncio, run in at most as many threads as it has connections.

    Args:
        bucket: Name of the bucket.
        **options: As for `S3PyArrowBackend`.
    """

    def __init__(self, bucket: str, **options: Unpack[ClientOptionFields]) -> None:
        threads = options.get("max_connections", DEFAULT_THREADS)
        super().__init__(S3PyArrowBackend(bucket, **options), max_threads=threads)
