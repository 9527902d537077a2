"""The response and the upload in applications of FastAPI and behind middlewares."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from remote_store.core import AsyncStore, LocalBackend, MemoryBackend, RemoteStoreError, Store, ThreadedBackend
from remote_store.starlette import StoreFiles, StoreResponse, save_body

LARGE = bytes(range(256)) * 8192


def wanted(response: Response) -> str:
    response.headers["X-From-Dependency"] = "1"
    return "a.bin"


def fastapi_app(store: Store | AsyncStore) -> FastAPI:
    app = FastAPI()

    @app.get("/sync/{path:path}")
    def from_a_thread(path: str) -> StoreResponse:
        return StoreResponse(store, path)

    @app.get("/async")
    async def from_the_loop(name: Annotated[str, Depends(wanted)]) -> StoreResponse:
        return StoreResponse(store, name, filename=name)

    @app.put("/files/{path:path}", status_code=201)
    async def upload(path: str, request: Request) -> dict[str, Any]:
        written = await save_body(request, store, path, max_size=len(LARGE), cache_control="no-cache")
        return {"path": written.path, "size": written.size}

    app.mount("/mounted", StoreFiles(store))
    return app


@pytest.fixture(params=["sync", "async"])
def store(request: pytest.FixtureRequest) -> Store | AsyncStore:
    backend = MemoryBackend()
    store = Store(backend, "site")
    store.write("a.bin", LARGE)
    return store if request.param == "sync" else AsyncStore(ThreadedBackend(backend), "site")


@pytest.fixture
def client(store: Store | AsyncStore) -> Iterator[TestClient]:
    with TestClient(fastapi_app(store)) as client:
        yield client


def test_fastapi_serves_a_file(client: TestClient) -> None:
    for path in ("/sync/a.bin", "/async", "/mounted/a.bin"):
        got = client.get(path)
        assert (got.status_code, got.content) == (200, LARGE)
        part = client.get(path, headers={"Range": "bytes=256-257"})
        assert (part.status_code, part.content) == (206, b"\0\1")


def test_fastapi_answers_errors_as_its_own(client: TestClient) -> None:
    for path in ("/sync/none", "/mounted/none"):
        got = client.get(path)
        assert (got.status_code, got.json()) == (404, {"detail": "Not Found"})
    got = client.get("/sync/a.bin", headers={"Range": "bytes=99999999-"})
    assert (got.status_code, got.headers["content-range"]) == (416, f"bytes */{len(LARGE)}")


def test_fastapi_receives_a_file(client: TestClient, store: Store | AsyncStore) -> None:
    made = client.put("/files/b.bin", content=LARGE)
    assert (made.status_code, made.json()) == (201, {"path": "b.bin", "size": len(LARGE)})
    got = client.get("/sync/b.bin")
    assert (got.content, got.headers["cache-control"]) == (LARGE, "no-cache")
    again = client.put("/files/b.bin", content=b"x")
    assert (again.status_code, again.json()) == (409, {"detail": "Conflict"})
    large = client.put("/files/c.bin", content=(LARGE for _ in range(2)))
    assert (large.status_code, large.json()) == (413, {"detail": f"the body has more than {len(LARGE)} bytes"})


def test_an_application_can_answer_errors_in_its_own_way(store: Store | AsyncStore) -> None:
    app = fastapi_app(store)

    @app.exception_handler(404)
    async def missing(request: Request, error: HTTPException) -> JSONResponse:
        cause = error.__cause__
        return JSONResponse({"missing": getattr(cause, "path", None)}, 404)

    @app.exception_handler(RemoteStoreError)
    async def failed(request: Request, error: RemoteStoreError) -> JSONResponse:
        raise AssertionError("an error of the store is never the application's")

    with TestClient(app) as client:
        assert client.get("/sync/d/none").json() == {"missing": "d/none"}


def middleware(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Awaitable[Response]:
    return call_next(request)


def test_middlewares(store: Store | AsyncStore) -> None:
    files = StoreFiles(store, methods={"GET", "PUT"})
    app = Starlette(
        routes=[Mount("/files", files)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=middleware), Middleware(GZipMiddleware)],
    )
    with TestClient(app) as client:
        assert client.put("/files/b.txt", content=LARGE).status_code == 201
        assert client.put("/files/c.txt", content=iter([LARGE] * 60)).status_code == 413
        packed = client.get("/files/b.txt", headers={"Accept-Encoding": "gzip"})
        assert (packed.headers["content-encoding"], packed.content) == ("gzip", LARGE)
        assert client.get("/files/c.txt").status_code == 404


def test_an_encoded_file_is_sent_as_it_is_stored(tmp_path: Path) -> None:
    store = Store(MemoryBackend())
    store.write("a.txt", gzip.compress(b"hello"), content_encoding="gzip")
    with TestClient(Starlette(routes=[Mount("/", StoreFiles(store))])) as client:
        got = client.get("/a.txt", headers={"Range": "bytes=0-99"})
        assert (got.status_code, got.content, got.headers["content-length"]) == (206, b"hello", "25")


def test_files_of_the_local_disk(tmp_path: Path) -> None:
    """An application that is developed without a bucket."""
    store = Store(LocalBackend(tmp_path))
    with TestClient(Starlette(routes=[Mount("/", StoreFiles(store, methods={"GET", "PUT"}))])) as client:
        made = client.put("/d/a.txt", content=LARGE, headers={"Content-Type": "text/x-log"})
        assert made.status_code == 201
        got = client.get("/d/a.txt")
        assert (got.content, got.headers["etag"]) == (LARGE, made.headers["etag"])
        assert client.get("/d/a.txt", headers={"If-None-Match": made.headers["etag"]}).status_code == 304
        assert client.get("/d").status_code == 404
