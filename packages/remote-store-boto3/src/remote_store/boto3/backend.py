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
    """The keyword arguments of the backends here; `S3Boto3Backend` says what each one means."""

    client: BaseClient | None
    session: boto3.Session | None


@public("remote_store.boto3")
class S3Boto3Backend(S3Backend):
    """One bucket of an S3 server, through a boto3 client.

    Making one does no I/O; the client is made at the first request, with a session of its own. `unwrap` hands out:

    - `botocore.client.BaseClient`: the S3 client that the backend itself works with; do not close it.

    Args:
        bucket: Name of the bucket.
        client: An S3 client to use as it is, neither changed nor closed; only options that are not about a client go
            with it. Without `conditional_writes` only an AWS endpoint is trusted with conditional writes. A backend
            that was given a client cannot be pickled, and a forked child shares its connections. Such a client reads
            100 header lines, so more than 64 entries of metadata are refused; and it takes an informational response
            (102, 103) for the answer, which is then refused.
        session: A `boto3.Session` whose credentials, region and configuration a client is made with; it is not changed.
            A backend that was given one cannot be pickled.
        **options: The options of every S3 backend, see `remote_store.core.s3.S3Options`. `client_options` are of the
            arguments of `boto3.client` those without an option of their own: `config`, `verify`, `use_ssl`,
            `api_version`, `aws_account_id`. What such a `config` says outranks the other options.

    Raises:
        TypeError: An option is unknown or of the wrong type.
        ValueError: An option cannot be meant, or does not go with the client or the session.
        FileNotFoundError: `tls_ca_bundle` names no file.
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
        """Hand out the native handle; the class says which there are.

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
            raise TypeError("a backend that was given a client or a session cannot be pickled; make it from options")
        return super().__getstate__()


@public("remote_store.boto3")
class AsyncS3Boto3Backend(ThreadedBackend):
    """One bucket of an S3 server, awaited: `S3Boto3Backend` on at most as many threads as it has connections.

    Args:
        bucket: Name of the bucket.
        **options: As for `S3Boto3Backend`.
    """

    def __init__(self, bucket: str, **options: Unpack[Boto3OptionFields]) -> None:
        super().__init__(S3Boto3Backend(bucket, **options), max_threads=options.get("max_connections", DEFAULT_THREADS))
