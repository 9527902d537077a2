"""The S3 backends over boto3."""

from __future__ import annotations

from typing import Unpack

import boto3
from botocore.client import BaseClient

from remote_store.boto3.client import CLIENTS
from remote_store.botocore import DEFAULT_THREADS, ClientBackend, ClientOptionFields
from remote_store.core import ThreadedBackend
from remote_store.core.s3 import S3OptionFields, public


@public("remote_store.boto3")
class S3Boto3Backend(ClientBackend):
    """One bucket of an S3 server, accessed through a boto3 client.

    Creating a backend does no I/O. The client is made at the first request, with its own session. `unwrap` returns:

    - `botocore.client.BaseClient`: the S3 client that the backend uses. Do not close it.

    Args:
        bucket: Name of the bucket.
        client: An S3 client to use. The backend neither changes nor closes it, so options that configure a client are
            refused. Without `conditional_writes`, conditions are trusted on an AWS endpoint only. The backend cannot be
            pickled, and a forked child shares the client's connections. At most 64 entries of metadata are accepted,
            because such a client reads 100 header lines. It takes an informational response (102, 103) for the final
            one, so the call then raises. Its secret key cannot be checked for white space or control characters; with
            such a secret, the service reports a wrong signature.
        session: A `boto3.Session` with the credentials, region and configuration for the client. The backend does not
            change it, and cannot be pickled.
        **options: The options of every S3 backend; see `remote_store.core.s3.S3Options`. `client_options` are those
            arguments of `boto3.client` for which there is no option: `config`, `verify`, `use_ssl`, `api_version`,
            `aws_account_id`. Such a `config` overrides the other options.

    Raises:
        TypeError: An option is unknown or of the wrong type.
        ValueError: An option has an impossible value, or cannot be combined with `client` or `session`.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    name = "s3-boto3"
    _clients = CLIENTS

    def __init__(
        self,
        bucket: str,
        *,
        client: BaseClient | None = None,
        session: boto3.Session | None = None,
        **options: Unpack[S3OptionFields],
    ) -> None:
        super().__init__(bucket, client=client, session=session, **options)


@public("remote_store.boto3")
class AsyncS3Boto3Backend(ThreadedBackend):
    """One bucket of an S3 server, async: runs an `S3Boto3Backend` in up to `max_connections` threads.

    Args:
        bucket: Name of the bucket.
        **options: As for `S3Boto3Backend`.
    """

    def __init__(self, bucket: str, **options: Unpack[ClientOptionFields]) -> None:
        super().__init__(S3Boto3Backend(bucket, **options), max_threads=options.get("max_connections", DEFAULT_THREADS))
