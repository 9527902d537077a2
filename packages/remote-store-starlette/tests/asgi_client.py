"""A client that calls an application as a server does, and stores over an S3 server in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import AsyncStore, Store
from remote_store.core.s3 import AsyncS3Backend, S3Backend, S3Options

ROOT = "site"
MIB = 1 << 20
LARGE = random.Random(1).randbytes(3 * MIB + 7)
SMALL = b"0123456789"
DATE = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
DATED = "Fri, 02 Jan 2026 03:04:05 GMT"
EARLIER, LATER = "Fri, 02 Jan 2026 03:04:04 GMT", "Fri, 02 Jan 2026 03:04:06 GMT"


class SyncFake(S3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**options))
        self.s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self.s3)


class AsyncFake(AsyncS3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__(s3.bucket, S3Options.build(**options))
        self.s3 = s3

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self.s3)


def store_over(s3: FakeS3, kind: str, **options: Any) -> Store | AsyncStore:
    """A store in the folder `ROOT` of the bucket, which knows that the server honours conditions."""
    options = {"conditional_writes": True, **options}
    return Store(SyncFake(s3, **options), ROOT) if kind == "sync" else AsyncStore(AsyncFake(s3, **options), ROOT)


def put(s3: FakeS3, path: str, data: bytes = SMALL, **facts: Any) -> str:
    """Put an object out of band. Returns its entity tag, quoted."""
    described = {"ContentType": "text/x-log", **facts.pop("described", {})}
    return s3.put(f"{ROOT}/{path}", data, modified=DATE, described=described, **facts).etag


@dataclass
class Answer:
    """What an application sent, whether it ended the body, and the largest piece that it sent at once."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False
    largest: int = 0


@dataclass
class Client:
    """Calls an application.

    Attributes:
        app: The application.
        spec: The version of the specification that the server has. From 2.4 on, sending to a client that went away
            raises `OSError`; before, an application has to listen.
    """

    app: Any
    spec: str = "2.3"

    async def __call__(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | Iterable[bytes] = b"",
        *,
        leaves_after: int | None = None,
        leaves_with_body: bool = False,
    ) -> Answer:
        """Send a request.

        Args:
            method: The method.
            path: The path as a URL has it.
            headers: The headers.
            body: The body, or its chunks.
            leaves_after: The client goes away when it has this many bytes of the body.
            leaves_with_body: The client goes away after the body, which is not complete.
        """
        answer = Answer()
        gone = asyncio.Event()
        chunks = iter([body] if isinstance(body, bytes) else body)
        whole = leaves_with_body

        async def receive() -> dict[str, Any]:
            nonlocal whole
            if (chunk := next(chunks, None)) is not None:
                return {"type": "http.request", "body": chunk, "more_body": True}
            if not whole:
                whole = True
                return {"type": "http.request"}
            if not leaves_with_body:
                await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            # A server gives way to other tasks while it waits for the client.
            await asyncio.sleep(0)
            if gone.is_set() and self.spec >= "2.4":
                raise OSError("the client is gone")
            if message["type"] == "http.response.start":
                assert not answer.status
                answer.status = message["status"]
                for raw_name, raw_value in message["headers"]:
                    name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
                    assert "\n" not in value
                    assert "\r" not in value
                    assert name not in answer.headers, name
                    answer.headers[name] = value
                return
            chunk = message.get("body", b"")
            answer.body += chunk
            answer.largest = max(answer.largest, len(chunk))
            answer.complete = not message.get("more_body", False)
            if leaves_after is not None and len(answer.body) >= leaves_after:
                gone.set()

        pairs = headers.items() if isinstance(headers, Mapping) else headers
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": self.spec},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await asyncio.wait_for(self.app(scope, receive, send), 10)
        return answer


def app_of(respond: Callable[[str], Response]) -> Starlette:
    """An application that answers any path below `/files/` with a response."""

    async def endpoint(request: Request) -> Response:
        return respond(request.path_params["path"])

    return Starlette(routes=[Route("/files/{path:path}", endpoint, methods=["GET", "POST"])])
