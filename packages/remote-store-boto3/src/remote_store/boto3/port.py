"""The S3 port over a boto3 client: performs calls, and says what failed in the port's words."""

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

from remote_store.boto3.http import FindTrusted, Route
from remote_store.botocore import UNREADABLE, fault_of, known_fault
from remote_store.core.s3 import Call, Fault

BROKEN_BODY = (sdk.HTTPClientError, sdk.IncompleteReadError, HTTPError, HTTPException, OSError)
TRANSPORT = (sdk.ConnectionError, ResponseParserError, *BROKEN_BODY)
FAILED = (sdk.ClientError, sdk.BotoCoreError, ResponseParserError)


class Boto3Port:
    """Performs S3 calls over one client, from any number of threads.

    Args:
        client: The S3 client.
        owned: Whether to close the client together with the port.
        find_trusted: Returns whether to verify certificates, or a file of those to trust, for an `HttpSession` to
            servers whose responses http.client cannot read. With `None`, such responses are faults.
    """

    def __init__(self, client: BaseClient, *, owned: bool, find_trusted: FindTrusted | None = None) -> None:
        self.client = client
        self._owned = owned
        self._route = Route(client, find_trusted)
        self._attempts: int = (client.meta.config.retries or {}).get("total_max_attempts") or 1
        self._methods: dict[str, Callable[..., dict[str, Any]]] = {}

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return botocore's answer to it, the `Body` of a `GetObject` as a `Boto3Body`.

        A read whose response http.client could not read is sent again over the HTTP session. A call that may have
        changed something is not sent again.

        Raises:
            Fault: The service refused or did not answer, or there are no credentials.
        """
        begun = self._route.begin()
        try:
            return self._send(call, begun)
        except Fault as fault:
            self._route.recover(begun, call.operation, fault)
        return self._send(call, None)

    def close(self) -> None:
        """Close the connections of a client that is our own."""
        self._route.close()
        if self._owned:
            self.client.close()

    def _send(self, call: Call, begun: int | None) -> dict[str, Any]:
        method = self._methods.get(call.operation)
        if method is None:
            method = self._methods[call.operation] = getattr(self.client, xform_name(call.operation))
        try:
            answer = method(**call.params)
        except Exception as error:
            if (fault := known_fault(error, (*FAILED, *UNREADABLE), TRANSPORT, attempts=self._attempts)) is None:
                raise
            raise (self._route.doubt(begun, fault.status, fault.attempts) or fault) from error
        if "Body" in answer:
            answer["Body"] = Boto3Body(answer["Body"], answer.get("ContentLength"))
        # A handler of the user's may have answered in place of the service.
        about = answer.get("ResponseMetadata", {})
        doubt = self._route.doubt(begun, about.get("HTTPStatusCode"), about.get("RetryAttempts", 0) + 1)
        if doubt is not None:
            if "Body" in answer:
                answer["Body"].close()
            raise doubt
        return answer


class Boto3Body:
    """The bytes of a `GetObject` answer.

    Args:
        stream: The body as botocore hands it out.
        length: How many bytes it promises.
    """

    __slots__ = ("_left", "_stream")

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream = stream
        self._left = -1 if length is None else length

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1; empty at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        try:
            data: bytes = self._stream.read(None if size < 0 else size)
            if size < 0:
                # botocore has compared length and checksum.
                self._left = -1
            else:
                self._take(len(data))
        except (sdk.BotoCoreError, *BROKEN_BODY, *UNREADABLE) as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to as many bytes as the buffer holds, into it; 0 at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        try:
            count: int = self._stream.readinto(buffer)
            self._take(count)
        except (sdk.BotoCoreError, *BROKEN_BODY, *UNREADABLE) as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error
        return count

    def close(self) -> None:
        """Drop the connection, unless the body was read to its end: then it is back in the pool already."""
        if not self._left:
            # A body without a byte is at its end only after a read.
            with suppress(Fault):
                self.read(1)
        self._stream.close()

    def _take(self, count: int) -> None:
        self._left -= count
        if not self._left:
            self._left = -1
            # Only a read at the end compares the checksum of the whole.
            self._stream.read(1)
