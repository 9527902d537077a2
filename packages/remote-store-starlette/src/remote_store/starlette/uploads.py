"""Writes the body of a request to a file of a store."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from typing import Any, Unpack

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    Capability,
    NotFound,
    RemotePath,
    RemoteStoreError,
    Store,
    WriteOptions,
    WriteResult,
    check_content_type,
    check_metadata,
)
from remote_store.core.home import public
from remote_store.starlette.conditions import OPAQUE, TAGS, Validators, failed_condition, values
from remote_store.starlette.failures import http_errors
from remote_store.starlette.threaded import ThreadedStore, awaitable

DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
DIGEST_FIELDS = ("content-digest", "repr-digest")
DIGEST = re.compile(r"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):[ \t]*")
LENGTH = re.compile(r"[0-9]{1,18}")


@public("remote_store.starlette")
async def save_body(
    request: Request,
    store: Store | AsyncStore,
    path: str,
    *,
    max_size: int | None,
    overwrite: bool = False,
    metadata: Mapping[str, str] | None = None,
    **options: Unpack[WriteOptions],
) -> WriteResult:
    """Write the body of a request to a file, as it arrives. The file appears complete or not at all.

    Nothing is written if the client goes away, sends more than `max_size` bytes, or sends fewer than its
    `Content-Length`, or if a checksum in `Content-Digest` or `Repr-Digest` (RFC 9530: `sha-256`, `sha-512`) is not that
    of the bytes. The `Content-Type` and the `Content-Encoding` of the request are stored with the file.

    A client that sends `If-Match` replaces the version that it names, and no other, whatever `overwrite` is. With
    `If-None-Match: *` it creates, whatever `overwrite` is.

    On S3: the requests of `write_atomic`, and 1 more first for other conditions than one strong tag in `If-Match`, or
    `If-None-Match: *`. An `AsyncStore` sends the parts of a large body as they arrive; memory: that of a write. For a
    `Store`, the body is collected in memory up to 1 MiB, and on the local disk if it is larger, so that a slow client
    occupies no thread.

    Args:
        request: The request. Its body must not have been read.
        store: The store. The calls of a `Store` run in threads.
        path: The file. It can have come from a URL: it never leads out of the root of the store.
        max_size: The most bytes of a body; `None` for any number.
        overwrite: Replace a file that exists, without a condition.
        metadata: User metadata.
        options: What else to store with the file, such as `cache_control`; see `WriteOptions`.

    Returns:
        The file as the service confirmed it, with its ETag.

    Raises:
        HTTPException: 400 for a malformed path, header or body, and a wrong checksum; 409 if the file exists; 412 if a
            condition fails; 413 for a body that is too large; 415 for a `Content-Encoding` that the store cannot keep;
            else `http_status` of the error, such as 403, 501 and 503. The error is the cause.

    Example:
        ```python
        @app.put("/files/{path:path}", status_code=201)
        async def upload(path: str, request: Request) -> dict[str, int]:
            written = await save_body(request, store, path, max_size=100_000_000)
            return {"size": written.size}
        ```
    """
    headers = request.headers
    target = awaitable(store)
    body = Body(request, max_size)
    passed: dict[str, Any] = {**options, **described(headers, target, metadata)}
    with http_errors({AlreadyExists: 412} if "if-none-match" in headers else {}):
        RemotePath(path)
        passed |= await condition(target, path, headers, overwrite=overwrite)
        try:
            return await target.write_atomic(path, body.chunks(), **passed)
        except ClientDisconnect as error:
            raise HTTPException(400, "the client went away before the end of the body") from error


class Body:
    """The body of a request, checked while it arrives.

    Args:
        request: The request.
        max_size: The most bytes; `None` for any number.

    Raises:
        HTTPException: The headers of the request already say that the body cannot be taken.
    """

    def __init__(self, request: Request, max_size: int | None) -> None:
        headers = request.headers
        if "content-range" in headers:
            # Stored as a whole file, a part of one would be taken for all of it (RFC 9110, 14.5).
            raise HTTPException(400, "a part of a file cannot be written; send the whole file without Content-Range")
        length = headers.get("content-length")
        if length is not None and not LENGTH.fullmatch(length):
            raise HTTPException(400, "Content-Length is malformed")
        self._length = None if length is None else int(length)
        self._limit = max_size
        self._request = request
        self._digests = [
            (DIGESTS[name](), expected)
            for field in DIGEST_FIELDS
            for name, expected in digests(", ".join(headers.getlist(field))).items()
            if name in DIGESTS
        ]
        self._check(self._length or 0)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body.

        Raises:
            HTTPException: It is too large, too short, or damaged.
        """
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
            self._check(size)
            for digest, _ in self._digests:
                digest.update(chunk)
            if chunk:
                yield chunk
        if self._length is not None and size != self._length:
            raise HTTPException(400, f"the body has {size} bytes, not the {self._length} of its Content-Length")
        if any(digest.digest() != expected for digest, expected in self._digests):
            raise HTTPException(400, "the body does not match its checksum")

    def _check(self, size: int) -> None:
        if self._limit is not None and size > self._limit:
            raise HTTPException(413, f"the body has more than {self._limit} bytes")


def digests(field: str) -> dict[str, bytes]:
    """The checksums of a `Content-Digest` or `Repr-Digest` header.

    Raises:
        HTTPException: The header is malformed.
    """
    found: dict[str, bytes] = {}
    for member in filter(str.strip, field.split(",")):
        digest = DIGEST.fullmatch(member)
        if digest is None or len(digest[2]) % 4:
            raise HTTPException(400, "a checksum must be as in sha-256=:BASE64:")
        found[digest[1]] = b64decode(digest[2])
    return found


def described(
    headers: Headers, store: AsyncStore | ThreadedStore, metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the request says about its content, as arguments of a write.

    Raises:
        HTTPException: It cannot be stored.
    """
    content_type = headers.get("content-type") or None
    try:
        check_content_type(content_type)
        checked = check_metadata(metadata)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    found: dict[str, Any] = {"content_type": content_type, "metadata": checked or None}
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        if not store.supports(Capability.CONTENT_HEADERS) or not encoding.isascii() or not encoding.isprintable():
            raise HTTPException(415, "the content encoding cannot be stored", headers={"Accept-Encoding": "identity"})
        found["content_encoding"] = encoding
    return found


async def condition(
    store: AsyncStore | ThreadedStore, path: str, headers: Headers, *, overwrite: bool
) -> dict[str, Any]:
    """The condition of a request, as arguments of a write.

    Raises:
        HTTPException: It fails.
        RemoteStoreError: The file was looked at, and the store raised an error.
    """
    given = values(headers, safe=False)
    if not given:
        return {"overwrite": overwrite}
    if list(given) == ["if-none-match"] and given["if-none-match"].strip() == "*":
        return {"overwrite": False}
    if list(given) == ["if-match"]:
        tags = TAGS.findall(given["if-match"])
        if len(tags) == 1 and not tags[0][0] and OPAQUE.fullmatch(tags[0][1]) and "," not in tags[0][1]:
            return {"overwrite": True, "if_match": tags[0][1]}
    try:
        info = await store.head(path)
    except NotFound:
        info = None
    if failed := failed_condition(headers, Validators.of(info) if info else None, safe=False):
        raise HTTPException(failed)
    if info is None:
        return {"overwrite": False}
    if info.etag is None:
        raise RemoteStoreError("the store returned no ETag, so the file cannot be replaced safely", path=path)
    return {"overwrite": True, "if_match": info.etag}
