"""The S3 backends beside pyarrow's filesystem."""

from __future__ import annotations

from typing import TypeVar, Unpack, cast

from pyarrow.fs import S3FileSystem

from remote_store.boto3.backend import DEFAULT_THREADS, Boto3OptionFields, S3Boto3Backend
from remote_store.botocore import warn_of_redirects
from remote_store.core import CapabilityNotSupported, ThreadedBackend
from remote_store.core.s3 import contract_errors, public
from remote_store.pyarrow.client import check_options
from remote_store.pyarrow.port import PyArrowPort

T = TypeVar("T")

FORKED = "pyarrow was at work when this process was forked, and is locked in it; start processes by spawn"


@public("remote_store.pyarrow")
class S3PyArrowBackend(S3Boto3Backend):
    """One bucket of an S3 server, with pyarrow's filesystem for Arrow's own readers and writers.

    Every method of the contract is carried out by the boto3 lane, whole reads too. pyarrow (16 to 26) opens a file by a
    HEAD and reads it by a GET that is tied to nothing: an object that is replaced in between is handed out cut off, or
    filled up with whatever stood in memory. Nor can it make a conditional request, abort an upload, say the version or
    the metadata of anything, or reach a key such as `a//b`.

    `unwrap` hands out:

    - `pyarrow.fs.S3FileSystem`, also as `pyarrow.fs.FileSystem`: a filesystem with the endpoint, region, addressing,
      credentials, certificates, proxy, timeouts and number of attempts of this backend. Its paths are what
      `native_path` returns. Credentials that boto3 renews are those of the moment; unwrap again after they ended.
    - `botocore.client.BaseClient`: the S3 client that the backend itself works with; do not close it.

    What is done through the filesystem is outside the contract:

    - Its streams unpack and pack what is named `.gz` and the like; pass `compression=None`.
    - An exception in the `with` block of an output stream leaves a cut-off object, one that is never closed keeps the
      interpreter from ending, and metadata is dropped.
    - `delete_file` and `move` leave an empty object in place of the folder.
    - Two reads, and the two requests of one, can see two versions. A refused read of a small file does not say why.
    - `put_options`, `max_connections` and `part_size` do not reach it.
    - It follows a redirect to another host with the session token, customer keys and body; a warning is logged once,
      under the name `remote_store`.
    - It must not be used in a forked child; unwrap a new one there. That is refused after a fork in the middle of its
      work, which leaves pyarrow locked in the child.

    Args:
        bucket: Name of the bucket.
        **options: As for `remote_store.boto3.S3Boto3Backend`, without what pyarrow cannot be told: a `client`, in
            `client_options` `verify=False`, and in its `config` `client_cert`, `proxies_config`,
            `use_accelerate_endpoint` and `use_fips_endpoint`. `tls_ca_bundle` takes pyarrow 21 or newer.

    Raises:
        TypeError: An option is unknown or of the wrong type.
        ValueError: An option cannot be meant, or cannot be passed on to pyarrow.
        FileNotFoundError: `tls_ca_bundle` names no file.
    """

    name = "s3-pyarrow"

    def __init__(self, bucket: str, **options: Unpack[Boto3OptionFields]) -> None:
        super().__init__(bucket, **options)
        check_options(self._bucket.options, self._client)

    def unwrap(self, kind: type[T]) -> T:
        """Hand out a native handle; the class says which there are and what they are good for.

        Raises:
            CapabilityNotSupported: There is no handle of that type, or none after such a fork.
            PermissionDenied: There are no credentials.
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
        return PyArrowPort(super()._connect().client, self._bucket.options, self._session)


@public("remote_store.pyarrow")
class AsyncS3PyArrowBackend(ThreadedBackend):
    """One bucket of an S3 server, awaited: `S3PyArrowBackend` on at most as many threads as it has connections.

    Args:
        bucket: Name of the bucket.
        **options: As for `S3PyArrowBackend`.
    """

    def __init__(self, bucket: str, **options: Unpack[Boto3OptionFields]) -> None:
        threads = options.get("max_connections", DEFAULT_THREADS)
        super().__init__(S3PyArrowBackend(bucket, **options), max_threads=threads)
