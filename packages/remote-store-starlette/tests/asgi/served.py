"""An application over a bucket, and the server that it runs in."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import AsyncStore, Store
from remote_store.s3fs import AsyncS3FsBackend
from remote_store.starlette import StoreFiles

LIMIT = 20 * 1024 * 1024


def store_of(lane: str, bucket: str, **options: Any) -> Store | AsyncStore:
    """A store in the folder `site` of a bucket. It sends no request before it is used."""
    if lane == "s3fs":
        return AsyncStore(AsyncS3FsBackend(bucket, **options), "site")
    return Store(S3Boto3Backend(bucket, **options), "site")


class Seen:
    """Notes the requests that an application gets and the status of each answer.

    Attributes:
        requests: Method, path, `Range` header and status of each.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests: list[tuple[str, str, str | None, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                wanted = dict(scope["headers"]).get(b"range")
                found = scope["method"], scope["path"], wanted and wanted.decode(), message["status"]
                self.requests.append(found)
            await send(message)

        await self.app(scope, receive, noted if scope["type"] == "http" else send)


def application(store: Store | AsyncStore, *, page: str = "", reports: list[Any] | None = None) -> Starlette:
    """An application that serves a store.

    Args:
        store: The store, which the application closes when it ends.
        page: The HTML of `/`.
        reports: Gets what is posted to `/report`.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        closing = store.close()
        if closing is not None:
            await closing

    async def index(_: Request) -> Response:
        return HTMLResponse(page)

    async def report(request: Request) -> Response:
        assert reports is not None
        reports.append(await request.json())
        return JSONResponse({})

    async def process(_: Request) -> Response:
        return JSONResponse(os.getpid())

    routes = [
        Route("/", index),
        Route("/report", report, methods=["POST"]),
        Route("/process", process),
        Mount("/files", StoreFiles(store, methods={"GET", "PUT", "DELETE"}, max_size=LIMIT)),
        Mount("/linked", StoreFiles(store, redirect=timedelta(minutes=1))),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def from_environment() -> Starlette:
    """The application of a worker process."""
    return application(store_of(os.environ["LANE"], os.environ["BUCKET"], **json.loads(os.environ["PLACE"])))


@contextmanager
def running(app: Any, **config: Any) -> Iterator[str]:
    """Serve an application on loopback, in a thread of this process.

    Yields:
        The URL, without a slash at its end.
    """
    settings = {"log_level": "error", "lifespan": "on", "timeout_graceful_shutdown": 2, **config}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until, "the server did not start"  # noqa: PT018
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not end"
