"""The port over a client of botocore, which also makes the pyarrow filesystem."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from botocore.client import BaseClient
from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

from remote_store.botocore import FAILED, TRANSPORT, ClientPort, RenewedCredentials, UserSession, as_faults
from remote_store.core.s3 import Fault, S3Options
from remote_store.pyarrow.client import CLIENTS, KNOWS_TLS_BUNDLES, filesystem_arguments, find_credentials


class PyArrowPort(ClientPort):
    """Performs all S3 calls with the client, and makes the filesystem for `unwrap`.

    Args:
        client: The S3 client.
        options: The options that the client was made from.
        session: The user's session, if the client was made from one.
        credentials: The client's credentials, if a function returns them.
    """

    def __init__(
        self,
        client: BaseClient,
        options: S3Options,
        session: UserSession | None,
        credentials: RenewedCredentials | None = None,
    ) -> None:
        super().__init__(client, owned=True, find_trusted=partial(CLIENTS.certificates, options, session))
        self._options = options
        self._session = session
        self._lock = threading.Lock()
        self._credentials: Any = credentials
        self._identity: dict[str, str | None] = {}
        self._filesystem: S3FileSystem | None = None

    def filesystem(self) -> S3FileSystem:
        """A filesystem with the client's configuration. The same object is returned until the credentials change.

        Raises:
            Fault: No credentials were found.
            TimeoutError: The process was forked while pyarrow was working, so pyarrow is locked in it.
        """
        with self._lock:
            arguments = filesystem_arguments(self.client, aws=self._options.endpoint.aws)
            identity = {} if arguments["anonymous"] else self._find_identity()
            if self._filesystem is None or identity != self._identity:
                bundle = CLIENTS.certificates(self._options, self._session)
                if KNOWS_TLS_BUNDLES and isinstance(bundle, str):
                    arguments["tls_ca_file_path"] = bundle
                arguments["retry_strategy"] = AwsStandardS3RetryStrategy(max_attempts=self._attempts)
                self._filesystem = in_time(self._options.connect_timeout, lambda: S3FileSystem(**arguments, **identity))
                self._identity = identity
            return self._filesystem

    def _find_identity(self) -> dict[str, str | None]:
        with as_faults(FAILED, TRANSPORT):
            self._credentials = self._credentials or find_credentials(self._options, self._session)
            found = self._credentials and self._credentials.get_frozen_credentials()
        if found is None:
            raise Fault("NoCredentialsError", credentials=True)
        return {"access_key": found.access_key, "secret_key": found.secret_key, "session_token": found.token}


def in_time(seconds: float, make: Callable[[], S3FileSystem]) -> S3FileSystem:
    """Make the filesystem in a separate thread, which is abandoned if it takes too long.

    Raises:
        TimeoutError: The filesystem was not made within `seconds`.
    """
    made: Future[S3FileSystem] = Future()

    def work() -> None:
        try:
            made.set_result(make())
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            made.set_exception(error)

    threading.Thread(target=work, name="remote-store-pyarrow", daemon=True).start()
    return made.result(seconds)
