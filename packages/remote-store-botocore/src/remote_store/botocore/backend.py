"""The S3 backend over a client of botocore."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, TypeVar, Unpack, cast

from botocore.client import BaseClient

from remote_store.botocore.client import ClientMaker, UserSession, profile_of
from remote_store.botocore.credentials import RenewedCredentials, renewed_credentials
from remote_store.botocore.faults import as_faults
from remote_store.botocore.locating import locate, locate_client
from remote_store.botocore.port import FAILED, TRANSPORT, ClientPort
from remote_store.botocore.settings import WITH_HANDLE, check_client, check_client_options, check_handle
from remote_store.core import Capability
from remote_store.core.s3 import S3Backend, S3OptionFields, S3Options, contract_errors, public

T = TypeVar("T")

OF_A_SESSION = {"credentials", "key", "secret", "session_token", "profile"}
DEFAULT_THREADS = S3Options().max_connections
"""Most threads of an async backend whose `max_connections` is not given."""


class ClientOptionFields(S3OptionFields, total=False):
    """The keyword arguments of `ClientBackend`."""

    client: BaseClient | None
    session: UserSession | None


@public("remote_store.botocore")
class ClientBackend(S3Backend):
    """One bucket of an S3 server, accessed through a client of botocore. A lane subclasses it and sets `_clients`.

    Creating a backend does no I/O. The client is made at the first request. `unwrap` returns the client as
    `botocore.client.BaseClient`.

    Args:
        bucket: Name of the bucket.
        client: The user's client, which the backend neither changes nor closes.
        session: The user's session to make the client with, which the backend does not change.
        **options: The options of every S3 backend; see `remote_store.core.s3.S3Options`. `client_options` are those
            arguments of `create_client` for which there is no option.

    Raises:
        TypeError: An option is unknown or of the wrong type.
        ValueError: An option has an impossible value, or cannot be combined with `client` or `session`.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    capabilities = S3Backend.capabilities | {Capability.PRESIGN}
    _clients: ClassVar[ClientMaker]

    def __init__(
        self,
        bucket: str,
        *,
        client: BaseClient | None = None,
        session: UserSession | None = None,
        **options: Unpack[S3OptionFields],
    ) -> None:
        checked = S3Options.build(**options)
        check_client_options(checked)
        given = {name for name, value in options.items() if value is not None}
        if session is not None:
            check_handle("session", session, right=self._clients.is_session(session), refused=given & OF_A_SESSION)
        if client is not None:
            given |= set() if session is None else {"session"}
            right = isinstance(client, BaseClient) and client.meta.service_model.service_name == "s3"
            check_handle("client", client, right=right, refused=given - WITH_HANDLE)
            checked = locate_client(checked, bucket, client)
        else:
            new = partial(self._clients.session, profile_of(checked, session))
            checked = locate(checked, bucket, new, config=checked.client_options.get("config"))
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
                client = cast("ClientPort", self._runner.port()).client
            if isinstance(client, kind):
                return client
        return super().unwrap(kind)

    def _connect(self) -> ClientPort:
        own = self._client is None
        find = partial(self._clients.certificates, self._bucket.options, self._session) if own else None
        client = self._find_client(renewed_credentials(self._bucket.options))
        return ClientPort(client, owned=own, find_trusted=find)

    def _find_client(self, credentials: RenewedCredentials | None) -> BaseClient:
        """Return the user's client, or make one.

        Args:
            credentials: The credentials, if a function returns them.

        Raises:
            Fault: There are no usable credentials, or the AWS configuration is wrong.
            ValueError: The client sends to another endpoint, or a value in `put_options` has the wrong type.
        """
        options = self._bucket.options
        with as_faults(FAILED, TRANSPORT):
            client = self._client or self._clients.client(options, self._session, credentials)
        check_client(client, options)
        return client

    def __getstate__(self) -> dict[str, Any]:
        if self._client is not None or self._session is not None:
            raise TypeError("a backend with a client or a session cannot be pickled; make it from options instead")
        return super().__getstate__()
