"""An application that serves a store, and takes uploads into it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from remote_store.core import AsyncStore, Store
from remote_store.starlette.conditions import entity_tag, values
from remote_store.starlette.failures import http_errors
from remote_store.starlette.responses import StoreResponse
from remote_store.starlette.threaded import awaitable
from remote_store.starlette.uploads import condition, save_body

METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
LARGEST = 100 * 1024 * 1024


class StoreFiles:
    """Serves the files of a store below a path, as `StaticFiles` serves a folder. Mount it in an application.

    GET and HEAD answer as `StoreResponse`. PUT writes the body as `save_body`, and answers 201 with `Location` and
    `ETag` if it created the file, and 200 with `ETag` if it may have replaced one. DELETE answers 204; `If-Match`
    deletes the version that it names, and no other. It lists no folders, and asks nobody for permission: to let only
    some clients in, put a middleware before it.

    Args:
        store: The store. Anybody can read all its files, so pass a child with what is public.
        methods: What clients may do, of `GET`, `HEAD`, `PUT` and `DELETE`. `GET` includes `HEAD`.
        headers: Headers of the files that are served, such as `Cache-Control`.
        content_disposition_type: `attachment` or `inline`, as in `StoreResponse`.
        redirect: Send clients to presigned URLs, as in `StoreResponse`.
        max_size: The most bytes of an upload, 100 MiB by default; `None` for any number.
        overwrite: Let an upload without a condition replace a file.
        metadata_headers: The headers of an upload that are stored as user metadata, each with its name there, such as
            `{"X-Author": "author"}`.

    Raises:
        TypeError: `store` is no store.
        ValueError: A method is not one of the four.

    Example:
        ```python
        app = Starlette(routes=[Mount("/files", StoreFiles(store.child("public"), methods={"GET", "PUT"}))])
        ```
    """

    __module__ = "remote_store.starlette"

    def __init__(
        self,
        store: Store | AsyncStore,
        *,
        methods: Collection[str] = ("GET", "HEAD"),
        headers: Mapping[str, str] | None = None,
        content_disposition_type: Literal["attachment", "inline"] | None = None,
        redirect: timedelta | None = None,
        max_size: int | None = LARGEST,
        overwrite: bool = False,
        metadata_headers: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(methods, str) or not METHODS.issuperset(methods):
            raise ValueError(f"methods must be a collection of {', '.join(sorted(METHODS))}, not {methods!r}")
        awaitable(store)
        self._store = store
        self._methods = frozenset(methods) | ({"HEAD"} if "GET" in methods else set())
        self._headers = headers
        self._disposition = content_disposition_type
        self._redirect = redirect
        self._max_size = max_size
        self._overwrite = overwrite
        self._metadata_headers = metadata_headers or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            HTTPException: The method is not allowed, or the store raised an error.
        """
        if scope["type"] != "http":
            raise HTTPException(404)
        request = Request(scope, receive, send)
        if request.method not in self._methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(self._methods))})
        if not is_text(scope.get("raw_path") or b""):
            raise HTTPException(400, "the path is not UTF-8")
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        answer = {"PUT": self._put, "DELETE": self._delete}.get(request.method, self._get)
        await (await answer(request, path))(scope, receive, send)

    async def _get(self, _request: Request, path: str) -> Response:
        return StoreResponse(
            self._store,
            path,
            headers=self._headers,
            content_disposition_type=self._disposition,
            redirect=self._redirect,
        )

    async def _put(self, request: Request, path: str) -> Response:
        sent = {name: request.headers.get(header) for header, name in self._metadata_headers.items()}
        written = await save_body(
            request,
            self._store,
            path,
            max_size=self._max_size,
            overwrite=self._overwrite,
            metadata={name: value for name, value in sent.items() if value is not None},
        )
        headers = {} if written.etag is None else {"ETag": entity_tag(written.etag)}
        asked = values(request.headers, safe=False)
        if self._overwrite if not asked else asked.get("if-none-match") != "*":
            return Response(status_code=200, headers=headers)
        # A second slash at the start would make the rest of the path the name of a host.
        headers["Location"] = "/" + quote(request.scope["path"].lstrip("/"))
        return Response(status_code=201, headers=headers)

    async def _delete(self, request: Request, path: str) -> Response:
        store = awaitable(self._store)
        with http_errors():
            required = await condition(store, path, request.headers, overwrite=True)
            if "if_match" in required:
                await store.delete(path, if_match=required["if_match"])
            elif required["overwrite"]:
                await store.delete(path)
            else:
                raise HTTPException(412)
        return Response(status_code=204)


def is_text(raw_path: bytes) -> bool:
    """Whether a path is UTF-8. Servers replace what is not, so that different paths would lead to one file."""
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False
    return True
