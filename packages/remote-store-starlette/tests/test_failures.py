"""What `StoreResponse` does when the storage, the file or the client fails."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from asgi_client import LARGE, MIB, ROOT, Answer, Client, app_of, put, store_over
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    LocalBackend,
    MemoryBackend,
    PreconditionFailed,
    RemoteStoreError,
    RetryPolicy,
    Store,
)
from remote_store.core.s3 import Call, Fault
from remote_store.starlette import StoreResponse


class TestFailures:
    @pytest.mark.parametrize(
        "fault, status",
        [
            (Fault("AccessDenied", 403, "bucket of ada", "request-1"), 403),
            (Fault("SlowDown", 503, "bucket of ada", "request-1"), 503),
            (Fault("Teapot", 418, "bucket of ada", "request-1"), 500),
        ],
    )
    async def test_the_client_learns_the_status_and_the_log_the_rest(
        self, s3: FakeS3, caplog: pytest.LogCaptureFixture, fault: Fault, status: int
    ) -> None:
        put(s3, "a.log")
        store = store_over(s3, "async", retry=RetryPolicy.disabled())

        def fail(call: Call) -> None:
            raise Fault(fault.code, fault.status, fault.message, fault.request_id)

        s3.before = fail
        got = await Client(app_of(lambda path: StoreResponse(store, path)))("GET", "/files/a.log")
        assert got.status == status
        assert got.headers.get("retry-after") == ("5" if status == 503 else None)
        for secret in (b"ada", b"request-1", s3.bucket.encode(), b"a.log", b"site"):
            assert secret not in got.body
        logged = [record for record in caplog.records if record.name == "remote_store.starlette"]
        assert [record.levelno for record in logged] == [logging.WARNING]
        assert "request-1" in logged[0].getMessage()

    @pytest.mark.parametrize(
        "path, status",
        [
            ("../secret", 400),
            ("..%2Fsecret", 400),
            ("%2e%2e/secret", 400),
            ("a/../../secret", 400),
            ("%00", 400),
            ("a%00.log", 400),
            ("..%5Csecret", 404),
            ("%2Fetc%2Fpasswd", 404),
            ("none", 404),
            ("", 404),
            (".", 404),
            ("folder", 404),
            ("%252e%252e/secret", 404),
        ],
    )
    @pytest.mark.parametrize("kind", ["memory", "local", "async", "sync"])
    async def test_a_hostile_path_never_leads_out_of_the_root(
        self, tmp_path: Any, s3: FakeS3, path: str, status: int, kind: str
    ) -> None:
        s3.put("secret", b"secret")
        s3.put(f"{ROOT}/folder/a")
        backend = MemoryBackend() if kind == "memory" else LocalBackend(tmp_path)
        for key, content in (("secret", b"secret"), (f"{ROOT}/folder/a", b"")):
            backend.write(key, content)
        store = store_over(s3, kind) if kind in {"async", "sync"} else Store(backend, ROOT)
        got = await Client(app_of(lambda path: StoreResponse(store, path)))("GET", f"/files/{path}")
        assert (got.status, b"secret" in got.body) == (status, False)

    async def test_the_error_of_the_store_is_the_cause(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        with pytest.raises(HTTPException) as raised:
            await Client(StoreResponse(store, "none"))("GET", "/")
        assert raised.value.status_code == 404
        assert isinstance(raised.value.__cause__, FileNotFoundError)

    async def test_a_closed_store(self, s3: FakeS3) -> None:
        put(s3, "a.log")
        for kind in ("async", "sync"):
            store = store_over(s3, kind)
            closing = store.close()
            if closing is not None:
                await closing
            got = await Client(app_of(lambda path, store=store: StoreResponse(store, path)))("GET", "/files/a.log")
            assert (got.status, "retry-after" in got.headers) == (503, False)

    async def test_a_store_of_another_event_loop(self, s3: FakeS3) -> None:
        put(s3, "a.log")
        store = store_over(s3, "async")
        assert isinstance(store, AsyncStore)
        await asyncio.to_thread(lambda: asyncio.run(store.exists("a.log")))
        got = await Client(app_of(lambda path: StoreResponse(store, path)))("GET", "/files/a.log")
        assert got.status == 503

    async def test_a_connection_to_the_storage_that_breaks_is_continued(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", LARGE)
        s3.cuts = [MIB]
        got = await client("GET", "/files/a.log")
        assert (got.body, got.complete) == (LARGE, True)

    @pytest.mark.parametrize("spec", ["2.3", "2.4"])
    async def test_a_file_replaced_while_it_is_sent_ends_the_response_early(
        self, s3: FakeS3, client: Client, spec: str
    ) -> None:
        put(s3, "a.log", LARGE)
        s3.cuts = [MIB]
        sent = Answer()

        def replace(call: Call) -> None:
            if len(s3.calls) > 1:
                put(s3, "a.log", bytes(len(LARGE)))

        s3.before = replace
        client.spec = spec

        async def keep(scope: Any, receive: Any, send: Any) -> None:
            async def noted(message: Any) -> None:
                sent.body += message.get("body", b"")
                sent.complete = message["type"] == "http.response.body" and not message["more_body"]
                await send(message)

            await app(scope, receive, noted)

        app = client.app
        client.app = keep
        with pytest.raises(PreconditionFailed):
            await client("GET", "/files/a.log")
        assert LARGE.startswith(sent.body)
        assert 0 < len(sent.body) < len(LARGE)
        assert not sent.complete
        assert s3.open_bodies() == []

    @pytest.mark.parametrize("asked", ["bytes=7-", "bytes=7-8"])
    async def test_a_file_replaced_before_the_first_byte_is_opened_again(
        self, s3: FakeS3, client: Client, asked: str
    ) -> None:
        put(s3, "a.log", LARGE)
        new = bytes(len(LARGE))

        def replace(call: Call) -> None:
            if len(s3.calls) == 2:
                put(s3, "a.log", new)

        s3.before = replace
        got = await client("GET", "/files/a.log", {"Range": asked})
        assert got.status == 206
        assert got.headers["etag"] == s3.objects[f"{ROOT}/a.log"].etag
        assert set(got.body) == {0}

    async def test_a_file_that_changes_all_the_time(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", LARGE)
        s3.before = lambda call: put(s3, "a.log", random.Random(len(s3.calls)).randbytes(len(LARGE)))
        got = await client("GET", "/files/a.log", {"Range": "bytes=7-8"})
        assert (got.status, got.headers["retry-after"]) == (503, "5")
        assert s3.open_bodies() == []

    async def test_a_file_that_ends_early_never_looks_complete(self, tmp_path: Any) -> None:
        store = Store(LocalBackend(tmp_path))
        store.write("a.log", LARGE)
        client = Client(Shortening(StoreResponse(store, "a.log"), tmp_path / "a.log"))
        with pytest.raises(RemoteStoreError):
            await client("GET", "/")

    @pytest.mark.parametrize("spec", ["2.3", "2.4"])
    async def test_a_client_that_goes_away_frees_the_connection(
        self, s3: FakeS3, store: Store | AsyncStore, spec: str
    ) -> None:
        put(s3, "a.log", LARGE)
        response = StoreResponse(store, "a.log")
        response.chunk_size = 65_536
        client = Client(response, spec)
        if spec == "2.4":
            with pytest.raises(ClientDisconnect):
                await client("GET", "/", leaves_after=100_000)
        else:
            got = await client("GET", "/", leaves_after=100_000)
            assert len(got.body) < MIB
        assert len(s3.bodies) == 1
        assert s3.open_bodies() == []

    async def test_a_response_that_is_cancelled_frees_the_connection(
        self, s3: FakeS3, store: Store | AsyncStore
    ) -> None:
        """As by a middleware with a deadline."""
        put(s3, "a.log", LARGE)

        async def stuck(message: Any) -> None:
            if message["type"] == "http.response.body":
                await anyio.sleep_forever()

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"spec_version": "2.4"}}
        with anyio.move_on_after(0.2) as deadline:
            await StoreResponse(store, "a.log")(scope, anyio.sleep_forever, stuck)
        assert deadline.cancelled_caught
        assert len(s3.bodies) == 1
        assert s3.open_bodies() == []

    def test_what_is_no_store(self) -> None:
        with pytest.raises(TypeError, match="store must be a Store or an AsyncStore, not MemoryBackend"):
            StoreResponse(MemoryBackend(), "a")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="attachment or inline"):
            StoreResponse(Store(MemoryBackend()), "a", content_disposition_type="x; y")


class Shortening:
    """Truncates the file after the first bytes of a response."""

    def __init__(self, app: Any, path: Any) -> None:
        self.app, self.path = app, path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                with self.path.open("r+b") as file:
                    file.truncate(MIB)
            await send(message)

        await self.app(scope, receive, noted)
