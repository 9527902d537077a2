"""What `save_body` and `StoreFiles` write, and what they refuse."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from asgi_client import ROOT, Client, store_over
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AsyncStore, MemoryBackend, Store
from remote_store.core.s3 import Call
from remote_store.starlette import StoreFiles

LIMIT = 20 * 1024 * 1024
LARGE = bytes(range(256)) * (9 * 4096)
METHODS = ("GET", "PUT", "DELETE")


def serving(store: Store | AsyncStore, **options: Any) -> Client:
    files = StoreFiles(store, **{"methods": METHODS, "max_size": LIMIT, **options})
    return Client(Starlette(routes=[Mount("/files", files)]))


@pytest.fixture
def client(store: Store | AsyncStore) -> Client:
    return serving(store)


def digest(data: bytes, algorithm: str = "sha-256") -> str:
    hashed = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{b64encode(hashed).decode()}:"


def pieces(data: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


class TestPut:
    async def test_a_file_is_created_with_one_request(self, s3: FakeS3, client: Client) -> None:
        got = await client("PUT", "/files/d/a%20b.txt", {"Content-Type": "text/plain", "Content-Length": "5"}, b"hello")
        made = s3.objects[f"{ROOT}/d/a b.txt"]
        assert (got.status, got.body) == (201, b"")
        assert got.headers == {"location": "/files/d/a%20b.txt", "etag": made.etag, "content-length": "0"}
        assert (made.data, made.described["ContentType"]) == (b"hello", "text/plain")
        assert s3.operations() == ["PutObject"]

    async def test_a_large_body_without_a_length(self, s3: FakeS3, client: Client) -> None:
        got = await client("PUT", "/files/a", body=pieces(LARGE))
        assert got.status == 201
        assert s3.objects[f"{ROOT}/a"].data == LARGE
        assert s3.operations() == ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]
        assert not s3.uploads

    async def test_an_empty_body(self, s3: FakeS3, client: Client) -> None:
        assert (await client("PUT", "/files/a", {"Content-Length": "0"})).status == 201
        assert s3.objects[f"{ROOT}/a"].data == b""

    async def test_what_else_is_stored(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        client = serving(store, metadata_headers={"X-Author": "author", "X-None": "none"})
        await client("PUT", "/files/a", {"X-Author": "ada", "X-Other": "1", "Content-Encoding": "gzip"}, b"x")
        made = s3.objects[f"{ROOT}/a"]
        assert dict(made.metadata) == {"author": "ada"}
        assert made.described["ContentEncoding"] == "gzip"
        assert (await client("GET", "/files/a")).headers["content-encoding"] == "gzip"

    async def test_a_location_never_names_another_host(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        client = Client(Starlette(routes=[Mount("/", StoreFiles(store, methods={"PUT"}))]))
        got = await client("PUT", "//evil.test/a:1", body=b"x")
        assert (got.status, got.headers["location"]) == (201, "/evil.test/a%3A1")


@pytest.mark.parametrize("store", ["async"], indirect=True)
class TestConditions:
    @pytest.mark.parametrize(
        "overwrite, conditions, status",
        [
            (False, {}, 409),
            (True, {}, 200),
            (False, {"If-None-Match": "*"}, 412),
            (True, {"If-None-Match": "*"}, 412),
            (False, {"If-Match": "{tag}"}, 200),
            (True, {"If-Match": "{tag}"}, 200),
            (True, {"If-Match": '"other"'}, 412),
            (True, {"If-Match": "W/{tag}"}, 412),
            (False, {"If-Match": '"other", {tag}'}, 200),
            (False, {"If-Match": "*"}, 200),
            (True, {"If-Match": "nonsense"}, 412),
            (True, {"If-None-Match": "{tag}"}, 412),
            (False, {"If-None-Match": '"other"'}, 200),
            (True, {"If-Unmodified-Since": "Thu, 01 Jan 2020 00:00:00 GMT"}, 412),
            (False, {"If-Unmodified-Since": "Fri, 01 Jan 2027 00:00:00 GMT"}, 200),
        ],
    )
    async def test_a_file_that_exists(
        self, s3: FakeS3, store: Store | AsyncStore, overwrite: bool, conditions: dict[str, str], status: int
    ) -> None:
        tag = s3.put(f"{ROOT}/a", b"old").etag
        conditions = {name: value.replace("{tag}", tag) for name, value in conditions.items()}
        got = await serving(store, overwrite=overwrite)("PUT", "/files/a", conditions, b"new")
        now = s3.objects[f"{ROOT}/a"]
        assert (got.status, now.data) == (status, b"new" if status == 200 else b"old")
        assert got.headers.get("etag") == (now.etag if status == 200 else None)

    @pytest.mark.parametrize(
        "conditions, status",
        [
            ({"If-Match": '"other"'}, 412),
            ({"If-Match": "*"}, 412),
            ({"If-None-Match": "*"}, 201),
            ({"If-None-Match": '"other"'}, 200),
            ({"If-Modified-Since": "Fri, 01 Jan 2027 00:00:00 GMT"}, 201),
        ],
    )
    async def test_a_file_that_does_not_exist(
        self, s3: FakeS3, client: Client, conditions: dict[str, str], status: int
    ) -> None:
        got = await client("PUT", "/files/a", conditions, b"new")
        assert (got.status, f"{ROOT}/a" in s3.objects) == (status, status < 300)

    async def test_a_condition_costs_no_request_of_its_own(self, s3: FakeS3, client: Client) -> None:
        tag = s3.put(f"{ROOT}/a", b"old").etag
        await client("PUT", "/files/a", {"If-Match": tag}, b"new")
        await client("PUT", "/files/b", {"If-None-Match": "*"}, b"new")
        assert s3.operations() == ["PutObject", "PutObject"]

    async def test_of_two_writers_that_read_the_same_version_one_loses(self, s3: FakeS3, client: Client) -> None:
        s3.put(f"{ROOT}/a", b"old")

        def race(call: Call) -> None:
            if call.operation == "PutObject":
                s3.before = None
                s3.put(f"{ROOT}/a", b"of another writer")

        s3.before = race
        got = await client("PUT", "/files/a", {"If-Match": "*"}, b"new")
        assert (got.status, s3.objects[f"{ROOT}/a"].data) == (412, b"of another writer")


class TestRefused:
    @pytest.mark.parametrize("sent", [LIMIT + 1, 3 * LIMIT])
    async def test_too_many_bytes_announced(self, s3: FakeS3, client: Client, sent: int) -> None:
        got = await client("PUT", "/files/a", {"Content-Length": str(sent)}, leaves_with_body=True)
        assert (got.status, s3.operations()) == (413, [])

    async def test_too_many_bytes_sent(self, s3: FakeS3, client: Client) -> None:
        got = await client("PUT", "/files/a", body=(bytes(1 << 20) for _ in range(21)))
        assert got.status == 413
        assert not s3.objects
        assert not s3.uploads

    async def test_the_limit_itself_fits(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        client = serving(store, max_size=10)
        assert (await client("PUT", "/files/a", {"Content-Length": "10"}, bytes(10))).status == 201
        assert (await client("PUT", "/files/b", body=[bytes(5), bytes(6)])).status == 413
        assert list(s3.objects) == [f"{ROOT}/a"]

    async def test_no_limit(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        client = serving(store, max_size=None)
        assert (await client("PUT", "/files/a", {"Content-Length": "10"}, bytes(10))).status == 201

    @pytest.mark.parametrize("size", [1, 100, len(LARGE)])
    @pytest.mark.parametrize("announced", [False, True])
    async def test_a_client_that_goes_away(self, s3: FakeS3, client: Client, size: int, announced: bool) -> None:
        headers = {"Content-Length": str(size + 1)} if announced else {}
        await client("PUT", "/files/a", headers, pieces(LARGE[:size]), leaves_with_body=True)
        assert not s3.objects
        assert not s3.uploads

    @pytest.mark.parametrize("length", ["4", "6", "-5", "5x", "9" * 5000])
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_body_of_another_length(self, s3: FakeS3, store: Store | AsyncStore, length: str) -> None:
        got = await serving(store)("PUT", "/files/a", {"Content-Length": length}, b"hello")
        assert (got.status, dict(s3.objects)) == (400, {})

    @pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
    @pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_checksum(self, s3: FakeS3, client: Client, field: str, algorithm: str) -> None:
        good, bad = digest(b"hello", algorithm), digest(b"other", algorithm)
        assert (await client("PUT", "/files/a", {field: good}, b"hello")).status == 201
        assert (await client("PUT", "/files/b", {field: bad}, b"hello")).status == 400
        assert (await client("PUT", "/files/b", {field: f"crc32c=:AAAA:, {bad}"}, b"hello")).status == 400
        assert list(s3.objects) == [f"{ROOT}/a"]
        assert not s3.uploads

    @pytest.mark.parametrize(
        "headers, status",
        [
            ({"Content-Digest": "sha-256=abc"}, 400),
            ({"Content-Digest": "sha-256=:AAA:"}, 400),
            ({"Content-Digest": "sha-256=:" + "€".encode().decode("latin-1") + ":"}, 400),
            ({"Content-Range": "bytes 0-4/10"}, 400),
            ({"Content-Type": "te\xe9t"}, 400),
            ({"Content-Type": " "}, 400),
            ({"Content-Encoding": "gz\xefp"}, 415),
            ({"X-Author": "ad\xe9"}, 400),
            ({"X-Author": "a" * 3000}, 400),
        ],
    )
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_malformed_header(
        self, s3: FakeS3, store: Store | AsyncStore, headers: dict[str, str], status: int
    ) -> None:
        client = serving(store, metadata_headers={"X-Author": "author"})
        assert (await client("PUT", "/files/a", headers, b"hello")).status == status
        assert s3.operations() == []

    async def test_a_checksum_of_an_unknown_algorithm_is_ignored(self, client: Client) -> None:
        assert (await client("PUT", "/files/a", {"Content-Digest": "md5=:AAAA:"}, b"x")).status == 201

    @pytest.mark.parametrize(
        "path, status", [("..%2Fa", 400), ("%00", 400), ("%ff", 400), ("x" * 2000, 400), ("", 404), (".", 404)]
    )
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_hostile_path(self, s3: FakeS3, client: Client, path: str, status: int) -> None:
        got = await client("PUT", f"/files/{path}", body=b"x")
        assert (got.status, dict(s3.objects)) == (status, {})

    async def test_a_store_that_keeps_no_encoding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        store = Store(MemoryBackend())
        monkeypatch.setattr(Store, "supports", lambda self, capability: False)
        got = await serving(store)("PUT", "/files/a", {"Content-Encoding": "gzip"}, b"x")
        assert (got.status, got.headers["accept-encoding"]) == (415, "identity")

    async def test_a_store_that_cannot_swap(self, s3: FakeS3) -> None:
        tag = s3.put(f"{ROOT}/a", b"old").etag
        for kind in ("async", "sync"):
            client = serving(store_over(s3, kind, conditional_writes=False))
            assert (await client("PUT", "/files/a", {"If-Match": tag}, b"new")).status == 501

    async def test_a_closed_store(self) -> None:
        store = Store(MemoryBackend())
        store.close()
        assert (await serving(store)("PUT", "/files/a", body=b"x")).status == 503


class TestOtherMethods:
    async def test_delete(self, s3: FakeS3, client: Client) -> None:
        tag = s3.put(f"{ROOT}/a").etag
        assert (await client("DELETE", "/files/a", {"If-Match": '"other"'})).status == 412
        assert (await client("DELETE", "/files/a", {"If-None-Match": "*"})).status == 412
        assert (await client("DELETE", "/files/a", {"If-Match": tag})).status == 204
        assert (await client("DELETE", "/files/a")).status == 404
        assert (await client("DELETE", "/files/..%2Fa")).status == 400
        s3.put(f"{ROOT}/b")
        assert (await client("DELETE", "/files/b")).status == 204
        assert not s3.objects

    async def test_get_and_head(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        s3.put(f"{ROOT}/d/a", b"hello")
        client = serving(
            store,
            methods={"GET"},
            headers={"Cache-Control": "max-age=9"},
            content_disposition_type="attachment",
        )
        for method in ("GET", "HEAD"):
            got = await client(method, "/files/d/a")
            assert (got.status, got.headers["content-disposition"]) == (200, 'attachment; filename="a"')
            assert got.headers["cache-control"] == "max-age=9"
        refused = await client("PUT", "/files/a", body=b"x")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")

    @pytest.mark.parametrize("methods", ["GET", {"POST"}, {"get"}])
    def test_methods_that_it_does_not_have(self, methods: Any) -> None:
        with pytest.raises(ValueError, match="DELETE, GET, HEAD, PUT"):
            StoreFiles(Store(MemoryBackend()), methods=methods)

    def test_what_is_no_store(self) -> None:
        with pytest.raises(TypeError, match="not dict"):
            StoreFiles({})  # type: ignore[arg-type]


class TestBounds:
    async def test_a_body_is_not_kept_in_memory(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A blocking store gets a large body from a file on the local disk."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        seen: list[bool] = []

        class Watched(Store):
            def write_atomic(self, path: str, content: Any, **options: Any) -> Any:
                seen.append(isinstance(content.fileno(), int) and os.fstat(content.fileno()).st_size == len(LARGE))
                return super().write_atomic(path, content, **options)

        assert (await serving(Watched(MemoryBackend()))("PUT", "/files/a", body=pieces(LARGE))).status == 201
        assert seen == [True]
        assert list(tmp_path.iterdir()) == []

    async def test_a_slow_client_occupies_no_thread(self, s3: FakeS3) -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        busy: list[int] = []

        def chunks() -> Iterator[bytes]:
            for chunk in pieces(LARGE[: 3 << 20], 1 << 20):
                busy.append(limiter.borrowed_tokens)
                yield chunk

        store = store_over(s3, "sync")
        assert (await serving(store)("PUT", "/files/a", body=chunks())).status == 201
        assert busy == [0, 0, 0]
