"""The S3 port over a client of botocore: performs calls, and converts exceptions to faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from botocore import exceptions as sdk
from botocore import xform_name
from botocore.client import BaseClient
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from remote_store.botocore.faults import UNREADABLE, as_faults, fault_of, known_fault, without_secrets
from remote_store.botocore.http import FindTrusted, Route
from remote_store.botocore.watch import Watch
from remote_store.core.s3 import Call, Fault

BROKEN_BODY = (sdk.HTTPClientError, sdk.IncompleteReadError, HTTPError, HTTPException, OSError)
TRANSPORT = (sdk.ConnectionError, ResponseParserError, *BROKEN_BODY)
FAILED = (sdk.ClientError, sdk.BotoCoreError, ResponseParserError)


class ClientPort:
    """Performs S3 calls over one client, from any number of threads.

    Args:
        client: The S3 client.
        owned: Whether to close the client together with the port.
        find_trusted: Returns whether to verify certificates, or the path of a CA bundle. It is for an `HttpSession`,
            which reads responses that http.client cannot. With `None`, such responses are faults.
    """

    def __init__(self, client: BaseClient, *, owned: bool, find_trusted: FindTrusted | None = None) -> None:
        self.client = client
        self._owned = owned
        self._route = Route(client, find_trusted)
        self._attempts: int = (client.meta.config.retries or {}).get("total_max_attempts") or 1
        self._methods: dict[str, Callable[..., dict[str, Any]]] = {}
        # The user's client is not changed, so all attempts of a call have one limit.
        self._watch = Watch(client.meta.config, attempts=1 if owned else self._attempts)
        if owned:
            client.meta.events.register_first("before-send.s3", self._watch.restart)

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return botocore's response, with a `ClientBody` as the `Body` of a `GetObject`.

        If http.client could not read the response to a read, the call is sent again over the HTTP session. A call that
        may have changed something is not sent again.

        Raises:
            Fault: The service refused or did not respond, or there are no credentials.
        """
        begun = self._route.begin()
        try:
            return self._send(call, begun)
        except Fault as fault:
            self._route.recover(begun, call.operation, fault)
            sent = fault.attempts
        response = self._send(call, None)
        about = response.get("ResponseMetadata", {})
        about["RetryAttempts"] = about.get("RetryAttempts", 0) + sent
        return response

    def presign(self, call: Call, seconds: int) -> str:
        """Make a URL that allows the call. Sends no request, unless the bucket is one of S3 Express.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        with as_faults((*FAILED, *UNREADABLE), TRANSPORT), self._watch.request(0):
            url: str = self.client.generate_presigned_url(xform_name(call.operation), dict(call.params), seconds)
        return url

    def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """Make a form that allows the call. Sends no request.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        with as_faults((*FAILED, *UNREADABLE), TRANSPORT), self._watch.request(0):
            # Without credentials, a form of botocore ends in an AttributeError, and a URL in a NoCredentialsError.
            self.client.generate_presigned_url("list_buckets")
            form: dict[str, Any] = self.client.generate_presigned_post(**call.params, ExpiresIn=seconds)
        return form

    def close(self) -> None:
        """Close the client's connections, unless the user passed the client in."""
        self._watch.close()
        self._route.close()
        if self._owned:
            self.client.close()

    def _send(self, call: Call, begun: int | None) -> dict[str, Any]:
        method = self._methods.get(call.operation)
        if method is None:
            method = self._methods[call.operation] = getattr(self.client, xform_name(call.operation))
        try:
            with self._watch.request(len(call.params.get("Body", b""))):
                response = method(**call.params)
        except Exception as raised:
            error = without_secrets(raised)
            if isinstance(raised, Fault) and not self._owned:
                # The watch does not see the attempts of the user's client.
                raised.attempts = self._attempts
            if (fault := known_fault(error, (*FAILED, *UNREADABLE), TRANSPORT, attempts=self._attempts)) is None:
                raise
            raise (self._route.doubt(begun, fault.status, fault.attempts) or fault) from error
        if "Body" in response:
            response["Body"] = ClientBody(response["Body"], response.get("ContentLength"), self._watch)
        # A handler that the user registered may return a response without metadata.
        about = response.get("ResponseMetadata", {})
        doubt = self._route.doubt(begun, about.get("HTTPStatusCode"), about.get("RetryAttempts", 0) + 1)
        if doubt is not None:
            if "Body" in response:
                response["Body"].close()
            raise doubt
        return response


class ClientBody:
    """The bytes of a `GetObject` response.

    Args:
        stream: botocore's body.
        length: Its `Content-Length`; `None` if there was none.
        watch: Ends reads that take too long.
    """

    __slots__ = ("_left", "_stream", "_watch")

    def __init__(self, stream: Any, length: int | None, watch: Watch) -> None:
        self._stream = stream
        self._left = -1 if length is None else length
        self._watch = watch

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, or all the rest for -1; empty at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        try:
            with self._watch.reading():
                data: bytes = self._stream.read(None if size < 0 else size)
                if size < 0:
                    # botocore has checked length and checksum.
                    self._left = -1
                else:
                    self._take(len(data))
        except (sdk.BotoCoreError, *BROKEN_BODY, *UNREADABLE) as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        """Read into the buffer and return the number of bytes, up to the buffer's length; 0 at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        try:
            with self._watch.reading():
                count: int = self._stream.readinto(buffer)
                self._take(count)
        except (sdk.BotoCoreError, *BROKEN_BODY, *UNREADABLE) as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error
        return count

    def close(self) -> None:
        """Close the connection, unless the body was read to its end, so that it is back in the pool already."""
        if not self._left:
            # An empty body also needs a read to reach its end.
            with suppress(Fault):
                self.read(1)
        self._stream.close()

    def _take(self, count: int) -> None:
        self._left -= count
        if not self._left:
            self._left = -1
            # botocore checks the checksum only in a read at the end.
            self._stream.read(1)
