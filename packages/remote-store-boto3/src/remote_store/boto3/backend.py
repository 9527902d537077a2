"""The S3 backends over boto3."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar, Unpack, cast

import boto3
from botocore.client import BaseClient

from remote_store.boto3.client import certificates_of, create_client, private_session
from remote_store.boto3.port import FAILED, TRANSPORT, Boto3Port
from remote_store.botocore import (
    WITH_HANDLE,
    check_client,
    check_client_options,
    check_handle,
    known_fault,
    locate,
    locate_client,
)
from remote_store.core import ThreadedBackend
from remote_store.core.s3 import S3Backend, S3OptionFields, S3Options, contract_errors, public

T = TypeVar("T")

OF_A_SESSION = {"key", "secret", "session_token", "profile"}
DEFAULT_THREADS = S3Options().max_connections


class Boto3OptionFields(S3OptionFields, total=False):
    """The keyword arguments of both backends, documented in `S3Boto3Backend`."""

    client: BaseClient | None
    session: boto3.Session | None


@public("remote_store.boto3")
class S3Boto3Backend(S3Backend):
    """One bucket of an S3 server, accessed through a boto3 client.

    Creating a backend does no I/O. The client is made at the first request, with its own session. `unwrap` returns:

    - `botocore.client.BaseClient`: the S3 client that the backend uses. Do not close it.

    Args:
        bucket: Name of the bucket.
        client: An S3 client to use. The backend neither changes nor closes it, so options that configure a client are
            refused. Without `conditional_writes`, conditions are trusted on an AWS endpoint only. The backend cannot be
            pickled, and a forked child shares the client's connections. At most 64 entries of metadata are accepted,
            because such a client reads 100 header lines. It takes an informational response (102, 103) for the final
            one, so the call then raises.
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

    def __init__(
        self,
        bucket: str,
        *,
        client: BaseClient | None = None,
        session: boto3.Session | None = None,
        **options: Unpack[S3OptionFields],
    ) -> None:
        checked = S3Options.build(**options)
        check_client_options(checked)
        given = {name for name, value in options.items() if value is not None}
        if session is not None:
            check_handle("session", session, right=isinstance(session, boto3.Session), refused=given & OF_A_SESSION)
        if client is not None:
            given |= set() if session is None else {"session"}
            right = isinstance(client, BaseClient) and client.meta.service_model.service_name == "s3"
            check_handle("client", client, right=right, refused=given - WITH_HANDLE)
            checked = locate_client(checked, bucket, client)
        else:
            named = session is not None and session.profile_name != "default"
            new = partial(private_session, session.profile_name if session and named else checked.profile)
            config = checked.client_options.get("config")
            checked = locate(checked, bucket, new, config=config)
        self._client = client
        self._session = session
        super().__init__(bucket, checked, own_client=client is None)

    def unwrap(self, kind: type[T]) -> T:
        """Return the native handle of the given type; the class lists them.

        Raises:
            CapabilityNotSupported: There is no handle of that type.
        """
        self._runner.check_open()
        if issubclass(kind, BaseClient):
            with contract_errors(self.name):
                client = cast("Boto3Port", self._runner.port()).client
            if isinstance(client, kind):
                return client
        return super().unwrap(kind)

    def _connect(self) -> Boto3Port:
        options = self._bucket.options
        try:
            client = create_client(options, self._session) if self._client is None else self._client
        except Exception as error:
            if (fault := known_fault(error, FAILED, TRANSPORT)) is None:
                raise
            raise fault from error
        check_client(client, options)
        find = partial(certificates_of, options, self._session) if self._client is None else None
        return Boto3Port(client, owned=self._client is None, find_trusted=find)

    def __getstate__(self) -> dict[str, Any]:
        if self._client is not None or self._session is not None:
            raise TypeError("a backend with a client or a session cannot be pickled; make it from options instead")
        return super().__getstate__()


@public("remote_store.boto3")
class AsyncS3Boto3Backend(ThreadedBackend):
    """One bucket of an S3 server, async: runs an `S3Boto3Backend` in up to `max_connections` threads.

    Args:
        bucket: Name of the bucket.
        **options: As for `S3Boto3Backend`.
    """

    def __init__(self, bucket: str, **options: Unpack[Boto3OptionFields]) -> None:
        super().__init__(S3Boto3Backend(bucket, **options), max_threads=options.get("max_connections", DEFAULT_THREADS))
