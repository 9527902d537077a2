"""The response that serves a file of a store."""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Literal

import anyio
from starlette.background import BackgroundTask
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    FileInfo,
    PreconditionFailed,
    Store,
)
from remote_store.starlette.conditions import Validators, failed_condition, range_applies
from remote_store.starlette.described import content_disposition, headers_of
from remote_store.starlette.failures import WHILE_OPENING, http_errors
from remote_store.starlette.ranges import ByteRange, parse_range
from remote_store.starlette.threaded import OpenFile, awaitable

ATTEMPTS = 3
SHORT = 1 << 20
"""A range of at most this many bytes is read by a request for exactly these bytes, and kept in memory."""

IN_URL = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
"""The headers that a presigned URL can set."""

ABOUT_CONTENT = ("content-type", "content-encoding", "content-disposition", "content-length", "content-range")


class StoreResponse(Response):
    """Serves a file of a store, as `FileResponse` serves one of the local disk.

    It answers GET and HEAD with 200, one `Range` with 206 or 416, and the conditional requests of RFC 9110 with 304 or
    412. The bytes are of one version: if the file is replaced while it is sent, the client gets the old version, or the
    connection breaks. Memory: a few times `chunk_size` for each response, and what the backend reads ahead. If the
    client is slow, reading waits for it; if it goes away, the file is closed.

    An error of the store before the first byte becomes an `HTTPException` with the status `error.http_status`, such as
    404, and the error as its cause. What the store said is logged by `remote_store.starlette`, not sent to the client.

    On S3: 1 request for the whole file, for a range that begins at 0, for HEAD, for 304 and for 416 of a short range;
    2 for any other range, and if a client asks for a newer version than it has.

    Args:
        store: The store. The calls of a `Store` run in threads.
        path: The file. A typed path can have come from a URL: it never leads out of the root of the store.
        status_code: The status. Conditions and ranges are ignored unless it is 200.
        headers: Headers, which replace those of the file, such as `Cache-Control`.
        media_type: The content type. By default the stored one; if that is missing or `octet-stream`, one that fits
            the name.
        background: A task to run after the response.
        filename: The name under which a browser saves the file. By default the last segment of the path.
        content_disposition_type: `attachment` to have the file saved, `inline` to have it shown. By default
            `attachment` if there is a `filename`; else the stored `Content-Disposition`, if any, is sent.
        redirect: Send the client to a presigned URL (307), which is valid for this time, instead of the content. The
            storage then answers ranges and conditions, and says whether the file exists. Sends no request. Needs
            `PRESIGN`.

    Attributes:
        chunk_size: Bytes that are read and sent at once; 256 KiB.

    Raises:
        CapabilityNotSupported: The store does not have `PRESIGN`, which `redirect` needs.
        TypeError: `store` is no store.
        ValueError: `content_disposition_type` is something else.

    Example:
        ```python
        @app.get("/files/{path:path}")
        async def download(path: str) -> StoreResponse:
            return StoreResponse(store, path)
        ```
    """

    __module__ = "remote_store.starlette"

    chunk_size = 256 * 1024

    def __init__(
        self,
        store: Store | AsyncStore,
        path: str,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        filename: str | None = None,
        content_disposition_type: Literal["attachment", "inline"] | None = None,
        redirect: timedelta | None = None,
    ) -> None:
        if content_disposition_type not in (None, "attachment", "inline"):
            raise ValueError(f"content_disposition_type must be attachment or inline, not {content_disposition_type!r}")
        self._store = awaitable(store)
        if redirect is not None and not self._store.supports(Capability.PRESIGN):
            message = "redirect needs the capability PRESIGN, which this store does not have; leave redirect out"
            raise CapabilityNotSupported(message, capability=Capability.PRESIGN.value, path=path)
        self.path = path
        self.status_code = status_code
        self.media_type = media_type
        self.background = background
        self.redirect = redirect
        self.init_headers(headers)
        if filename is not None or content_disposition_type is not None:
            name = filename or posixpath.basename(path.rstrip("/"))
            disposition = content_disposition(content_disposition_type or "attachment", name)
            self.headers.setdefault("content-disposition", disposition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            HTTPException: The store raised an error before the first byte.
            RemoteStoreError: The store raised an error later, so the connection is to be closed.
        """
        method = scope.get("method", "GET")
        if self.redirect is not None:
            await (await self._redirected(method, self.redirect))(scope, receive, send)
        else:
            async with AsyncExitStack() as files:
                response = await self._answer(method, Headers(scope=scope), files)
                await response(scope, receive, send)
        if self.background is not None:
            await self.background()

    async def _redirected(self, method: str, expires_in: timedelta) -> Response:
        headers = MutableHeaders(raw=list(self.raw_headers))
        described = {name: headers[name] for name in IN_URL if name in headers}
        for name in described:
            del headers[name]
        with http_errors():
            headers["location"] = await self._store.presign(
                self.path,
                method="HEAD" if method == "HEAD" else "GET",
                expires_in=expires_in,
                response_headers=described or None,
            )
        headers["cache-control"] = "no-store"
        headers["content-length"] = "0"
        return response_of(307, headers)

    async def _answer(self, method: str, asked: Headers, files: AsyncExitStack) -> Response:
        """The response to a request. Its file is closed with `files`."""
        plain = self.status_code != 200 or method not in {"GET", "HEAD"}
        conditions = Headers() if plain else asked
        part = parse_range(", ".join(conditions.getlist("range"))) if method == "GET" else None
        looks_first = method == "HEAD" or "if-none-match" in conditions or "if-modified-since" in conditions
        exact = self._store.supports(Capability.SEEKABLE_READ) and (looks_first or is_short(part))
        with http_errors(WHILE_OPENING):
            for _ in range(ATTEMPTS - 1):
                with suppress(PreconditionFailed):
                    return await self._opened(method, conditions, part, files, exact=exact)
                # The file was replaced between two requests, so the answer is about a version that is gone.
                await files.aclose()
            return await self._opened(method, conditions, part, files, exact=exact)

    async def _opened(
        self, method: str, conditions: Headers, part: ByteRange | None, files: AsyncExitStack, *, exact: bool
    ) -> Response:
        file = await (self._store.read_seekable if exact else self._store.read)(self.path)
        files.push_async_callback(closed, file)
        status, headers, content = self._described(await file.get_info(), file, conditions, part)
        if method == "HEAD" or not content:
            await files.aclose()
            return response_of(status, headers)
        if exact and len(content) > SHORT:
            # `read` streams a long body from one request; `read_seekable` would send one for each chunk.
            await files.aclose()
            return await self._opened(method, conditions, part, files, exact=False)
        if content.start:
            await file.seek(content.start)
        # Read before the status is sent, so that an error still gets a status of its own.
        first = await taken(file, len(content) if exact else min(self.chunk_size, len(content)))
        if len(first) < len(content):
            return streamed(status, headers, self._chunks(file, first, len(content)))
        await files.aclose()
        return response_of(status, headers, first)

    async def _chunks(self, file: OpenFile, first: bytes, size: int) -> AsyncIterator[bytes]:
        yield first
        left = size - len(first)
        while left:
            chunk = await taken(file, min(self.chunk_size, left))
            left -= len(chunk)
            yield chunk

    def _described(
        self, info: FileInfo, file: OpenFile, conditions: Headers, part: ByteRange | None
    ) -> tuple[int, MutableHeaders, range]:
        """The status, the headers, and the offsets of the bytes to send.

        Raises:
            HTTPException: A condition of the client fails, or the range cannot be satisfied.
        """
        headers = MutableHeaders(raw=list(self.raw_headers))
        content = range(info.size)
        status = self.status_code
        found = Validators.of(info, weak=not file.is_pinned)
        if status == 200:
            seekable = file.seekable()
            described = headers_of(info) | found.headers | ({"accept-ranges": "bytes"} if seekable else {})
            failed = failed_condition(conditions, found, safe=True)
            if failed == 412:
                raise HTTPException(412)
            if failed:
                status, content = failed, range(0)
            elif part is not None and seekable and range_applies(conditions, found) and (info.size or not part.last):
                status, content = 206, part.of(info.size)
                if not content:
                    raise HTTPException(416, headers={"Content-Range": f"bytes */{info.size}"})
                headers["content-range"] = f"bytes {content.start}-{content.stop - 1}/{info.size}"
        else:
            described = headers_of(info)
        for name, value in described.items():
            headers.setdefault(name, value)
        if status == 304:
            for name in ABOUT_CONTENT:
                del headers[name]
        else:
            headers["content-length"] = str(len(content))
        return status, headers, content


def is_short(part: ByteRange | None) -> bool:
    """Whether a range is read by a request for exactly its bytes. One that begins at 0 is read from the whole file."""
    return part is not None and part.first != 0 and part.longest <= SHORT


async def taken(file: OpenFile, size: int) -> bytes:
    """The next `size` bytes.

    Raises:
        BackendUnavailable: The file has fewer.
    """
    data = await file.read(size)
    if len(data) != size:
        raise BackendUnavailable(f"the file ended early, by {size - len(data)} bytes; ask for it again", retryable=True)
    return data


async def closed(file: OpenFile) -> None:
    """Close the file, also if the response was cancelled because the client went away."""
    with anyio.CancelScope(shield=True):
        await file.close()


def response_of(status: int, headers: MutableHeaders, body: bytes = b"") -> Response:
    """A response with these headers and no others."""
    response = Response(body, status)
    response.raw_headers = headers.raw
    return response


def streamed(status: int, headers: MutableHeaders, chunks: AsyncIterator[bytes]) -> Response:
    """A response whose body is sent as it is read. It ends when the client goes away."""
    response = StreamingResponse(chunks, status)
    response.raw_headers = headers.raw
    return response
