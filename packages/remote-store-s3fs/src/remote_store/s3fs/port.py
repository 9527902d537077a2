"""The S3 port over an aiobotocore client: performs calls, and converts exceptions to faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import aiohttp
from aiobotocore.client import AioBaseClient
from botocore import exceptions as sdk
from botocore import xform_name
from botocore.parsers import ResponseParserError
from s3fs import S3FileSystem

from remote_store.botocore import DOCUMENT_WAITS, UNREADABLE, as_faults, known_fault
from remote_store.core.s3 import PROGRESS, Call
from remote_store.s3fs.http import SENDS_ONCE

BROKEN_BODY = (sdk.HTTPClientError, sdk.IncompleteReadError, aiohttp.ClientError, OSError)
TRANSPORT = (sdk.ConnectionError, ResponseParserError, *BROKEN_BODY)
FAILED = (sdk.ClientError, sdk.BotoCoreError, ResponseParserError, aiohttp.ClientError, TimeoutError)
CHANGES = frozenset({"CompleteMultipartUpload", "CopyObject", "DeleteObject", "DeleteObjects", "PutObject"})


class AsyncS3FsPort:
    """Performs S3 calls over one client, from any number of tasks of its event loop.

    Args:
        client: The S3 client.
        room: Most concurrent calls, not counting bodies that are being read; `None` for no limit.
        theirs: The user's filesystem, if the client is its. Changes clear its cache, and it is not closed.
    """

    def __init__(self, client: AioBaseClient, *, room: int | None, theirs: S3FileSystem | None) -> None:
        self._client = client
        self._room = nullcontext() if room is None else asyncio.Semaphore(room)
        self._theirs = theirs
        self._attempts: int = (client.meta.config.retries or {}).get("total_max_attempts") or 1
        self._patience: float = DOCUMENT_WAITS * client.meta.config.read_timeout

    async def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call and return aiobotocore's response, with an `AsyncS3FsBody` as the `Body` of a `GetObject`.

        Raises:
            Fault: The service refused or did not respond, or there are no credentials.
        """
        method = getattr(self._client, xform_name(call.operation))
        try:
            async with self._room:
                response: dict[str, Any] = await method(**call.params)
        except Exception as error:
            if (fault := known_fault(error, (*FAILED, *UNREADABLE), TRANSPORT, attempts=self._attempts)) is None:
                raise
            # In the user's client, aiohttp may have resent the request.
            fault.attempts += self._theirs is not None or not SENDS_ONCE
            raise fault from error
        finally:
            if self._theirs is not None and call.operation in CHANGES:
                key = call.params.get("Key")
                self._theirs.invalidate_cache(None if key is None else f"{call.params['Bucket']}/{key}")
        if "Body" in response:
            response["Body"] = AsyncS3FsBody(response["Body"], response.get("ContentLength"), self._patience)
        return response

    async def presign(self, call: Call, seconds: int) -> str:
        """Make a URL that allows the call. Sends no request, unless the bucket is one of S3 Express.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        with as_faults((*FAILED, *UNREADABLE), TRANSPORT):
            operation = xform_name(call.operation)
            return str(await self._client.generate_presigned_url(operation, dict(call.params), seconds))

    async def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """Make a form that allows the call. Sends no request.

        Raises:
            Fault: There are no credentials to sign with, or the bucket cannot be addressed by a URL.
        """
        with as_faults((*FAILED, *UNREADABLE), TRANSPORT):
            # Without credentials, a form of botocore ends in an AttributeError, and a URL in a NoCredentialsError.
            await self._client.generate_presigned_url("list_buckets")
            return dict(await self._client.generate_presigned_post(**call.params, ExpiresIn=seconds))

    async def close(self) -> None:
        """Close the client's connections, unless the client is the user's."""
        if self._theirs is None:
            await self._client.close()


class AsyncS3FsBody:
    """The bytes of a `GetObject` response.

    Args:
        stream: aiobotocore's body.
        length: Its `Content-Length`; `None` if there was none.
        patience: Seconds of waiting within which the next 64 KiB, or the rest, must arrive.
    """

    __slots__ = ("_came", "_left", "_patience", "_stream", "_waited")

    def __init__(self, stream: Any, length: int | None, patience: float) -> None:
        self._stream = stream
        self._left = -1 if length is None else length
        self._patience = patience
        self._came, self._waited = 0, 0.0

    async def read(self, size: int = -1, /) -> bytes:
        """Read the bytes that have arrived, up to `size`, or all the rest for -1; empty at the end.

        Raises:
            Fault: The connection broke, or the bytes do not match their checksum.
        """
        with as_faults((sdk.BotoCoreError, *BROKEN_BODY, *UNREADABLE), TRANSPORT):
            data: bytes = await self._read_in_time(size)
            self._left -= len(data)
            if data and not self._left:
                # aiobotocore checks the checksum only in reads at the end.
                await self._stream.read(1)
        return data

    async def _read_in_time(self, size: int) -> bytes:
        """Read, and raise if the body arrives too slowly. Only the time spent in reads counts."""
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.timeout(self._patience - self._waited):
            data: bytes = await self._stream.read(None if size < 0 else size)
        self._came += len(data)
        self._waited += clock() - began
        if self._came >= PROGRESS:
            self._came, self._waited = 0, 0.0
        return data

    async def close(self) -> None:
        """Close the connection, unless the body was read to its end, so that it is back in the pool already."""
        self._stream.close()
