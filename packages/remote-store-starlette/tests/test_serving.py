"""What `StoreResponse` sends, and how many requests it sends to the storage for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.background import BackgroundTask

from asgi_client import DATED, EARLIER, LARGE, LATER, MIB, SMALL, Answer, Client, app_of, put
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    CapabilityNotSupported,
    MemoryBackend,
    PermissionDenied,
    Store,
)
from remote_store.starlette import StoreResponse


class TestWhole:
    async def test_the_file_comes_with_its_headers_from_one_request(self, s3: FakeS3, client: Client) -> None:
        tag = put(s3, "a.log", LARGE, described={"CacheControl": "max-age=60", "ContentEncoding": "br"})
        got = await client("GET", "/files/a.log")
        assert (got.status, got.body, got.complete) == (200, LARGE, True)
        assert got.largest == StoreResponse.chunk_size
        assert got.headers == {
            "content-length": str(len(LARGE)),
            "content-type": "text/x-log",
            "etag": tag,
            "last-modified": DATED,
            "accept-ranges": "bytes",
            "cache-control": "max-age=60",
            "content-encoding": "br",
        }
        assert s3.operations() == ["GetObject"]
        assert s3.open_bodies() == []

    async def test_head_sends_the_same_headers_and_no_body(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", LARGE)
        got = await client("GET", "/files/a.log")
        s3.calls.clear()
        head = await client("HEAD", "/files/a.log", {"Range": "bytes=0-1"})
        assert head == Answer(200, got.headers, b"", complete=True)
        assert s3.operations() == ["HeadObject"]

    async def test_an_empty_file(self, s3: FakeS3, client: Client) -> None:
        put(s3, "empty", b"")
        got = await client("GET", "/files/empty")
        assert (got.status, got.headers["content-length"], got.body, got.complete) == (200, "0", b"", True)

    @pytest.mark.parametrize("stored", ["binary/octet-stream", "application/octet-stream"])
    @pytest.mark.parametrize(
        "name, expected",
        [
            ("clip.mp4", "video/mp4"),
            ("page.html", "text/html; charset=utf-8"),
            ("table.csv.gz", "application/gzip"),
            ("table.csv.bz2", "application/x-bzip2"),
            ("nothing", "application/octet-stream"),
            ("data:text.html", "text/html; charset=utf-8"),
        ],
    )
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_content_type_that_says_nothing_is_guessed(
        self, s3: FakeS3, client: Client, stored: str, name: str, expected: str
    ) -> None:
        put(s3, name, described={"ContentType": stored})
        assert (await client("GET", f"/files/{name}")).headers["content-type"] == expected

    async def test_headers_of_the_application_win(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        put(s3, "a.log", described={"CacheControl": "max-age=60"})
        response = StoreResponse(store, "a.log", headers={"Cache-Control": "no-cache"}, media_type="text/plain")
        response.set_cookie("seen", "1")
        got = await Client(app_of(lambda _: response))("GET", "/files/any")
        assert got.headers["cache-control"] == "no-cache"
        assert got.headers["content-type"] == "text/plain; charset=utf-8"
        assert got.headers["set-cookie"].startswith("seen=1")

    async def test_another_status_has_no_ranges_and_no_conditions(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        tag = put(s3, "404.html")
        client = Client(app_of(lambda _: StoreResponse(store, "404.html", status_code=404)))
        got = await client("GET", "/files/none", {"Range": "bytes=1-2", "If-None-Match": tag})
        assert (got.status, got.body) == (404, SMALL)
        assert "etag" not in got.headers
        assert "accept-ranges" not in got.headers

    async def test_a_post_gets_the_whole_file(self, s3: FakeS3, client: Client) -> None:
        tag = put(s3, "a.log")
        got = await client("POST", "/files/a.log", {"Range": "bytes=1-2", "If-None-Match": tag})
        assert (got.status, got.body) == (200, SMALL)

    async def test_the_background_task_runs_after_the_file_is_closed(
        self, s3: FakeS3, store: Store | AsyncStore
    ) -> None:
        put(s3, "a.log", LARGE)
        seen: list[int] = []
        task = BackgroundTask(lambda: seen.append(len(s3.open_bodies())))
        await Client(app_of(lambda path: StoreResponse(store, path, background=task)))("GET", "/files/a.log")
        assert seen == [0]


class TestRanges:
    @pytest.mark.parametrize(
        "asked, start, stop, calls",
        [
            ("bytes=0-", 0, len(LARGE), ["GetObject"]),
            ("bytes=0-9", 0, 10, ["GetObject"]),
            ("bytes=5-9", 5, 10, ["HeadObject", "GetObject"]),
            ("bytes=-7", len(LARGE) - 7, len(LARGE), ["HeadObject", "GetObject"]),
            ("bytes=7-", 7, len(LARGE), ["GetObject", "GetObject"]),
            (f"bytes=7-{2 * MIB}", 7, 2 * MIB + 1, ["GetObject", "GetObject"]),
            (f"bytes=-{2 * MIB}", len(LARGE) - 2 * MIB, len(LARGE), ["GetObject", "GetObject"]),
            (f"bytes=9-{'9' * 5000}", 9, len(LARGE), ["GetObject", "GetObject"]),
            (f"bytes=-{'9' * 5000}", 0, len(LARGE), ["GetObject"]),
            ("BYTES = 1 - 2", 0, len(LARGE), ["GetObject"]),
            ("Bytes= 1-2 ,", 1, 3, ["HeadObject", "GetObject"]),
        ],
    )
    async def test_one_range(
        self, s3: FakeS3, client: Client, asked: str, start: int, stop: int, calls: list[str]
    ) -> None:
        put(s3, "a.log", LARGE)
        got = await client("GET", "/files/a.log", {"Range": asked})
        assert got.body == LARGE[start:stop]
        assert got.complete
        assert got.headers["content-length"] == str(stop - start)
        if asked == "BYTES = 1 - 2":
            assert got.status == 200
        else:
            assert got.status == 206
            assert got.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(LARGE)}"
        assert s3.operations() == calls
        assert s3.open_bodies() == []

    @pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0", f"bytes={'9' * 5000}-"])
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_range_that_the_file_does_not_have(self, s3: FakeS3, client: Client, asked: str) -> None:
        put(s3, "a.log")
        got = await client("GET", "/files/a.log", {"Range": asked})
        assert (got.status, got.headers["content-range"]) == (416, "bytes */10")
        assert s3.open_bodies() == []

    @pytest.mark.parametrize(
        "asked",
        [
            "bytes=5-2",
            "bytes=a-b",
            "bytes=-",
            "bytes=",
            "bytes",
            "",
            "lines=1-2",
            "bytes=1-2-3",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=1-2,4-5",
            "bytes=0-0,-1",
            "bytes=\xb9-\xb2",
        ],
    )
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_a_malformed_range_and_several_ranges_are_ignored(
        self, s3: FakeS3, client: Client, asked: str
    ) -> None:
        put(s3, "a.log")
        got = await client("GET", "/files/a.log", {"Range": asked})
        assert (got.status, got.body) == (200, SMALL)
        assert "content-range" not in got.headers

    async def test_two_range_headers_are_several_ranges(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log")
        got = await client("GET", "/files/a.log", [("Range", "bytes=1-2"), ("Range", "bytes=4-5")])
        assert (got.status, got.body) == (200, SMALL)

    @pytest.mark.parametrize("asked, status", [("bytes=-5", 200), ("bytes=0-", 416), ("bytes=0-0", 416)])
    @pytest.mark.parametrize("store", ["async"], indirect=True)
    async def test_ranges_of_an_empty_file(self, s3: FakeS3, client: Client, asked: str, status: int) -> None:
        put(s3, "empty", b"")
        got = await client("GET", "/files/empty", {"Range": asked})
        assert got.status == status
        assert got.headers.get("content-range") == (None if status == 200 else "bytes */0")

    async def test_if_range(self, s3: FakeS3, client: Client) -> None:
        tag = put(s3, "a.log")
        answers = {
            value: (await client("GET", "/files/a.log", {"Range": "bytes=1-2", "If-Range": value})).status
            for value in (tag, f"W/{tag}", '"other"', DATED, EARLIER, LATER, "nonsense", "*")
        }
        assert answers == {
            tag: 206, f"W/{tag}": 200, '"other"': 200, DATED: 200, EARLIER: 200, LATER: 200, "nonsense": 200, "*": 200
        }  # fmt: skip

    async def test_a_weak_entity_tag_of_the_storage_stays_weak(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", etag='W/"v1"')
        for method in ("GET", "HEAD"):
            assert (await client(method, "/files/a.log")).headers["etag"] == 'W/"v1"'
        asked = {"Range": "bytes=1-2", "If-Range": 'W/"v1"'}
        assert (await client("GET", "/files/a.log", asked)).status == 200
        assert (await client("GET", "/files/a.log", {"If-None-Match": '"v1"'})).status == 304
        assert (await client("GET", "/files/a.log", {"If-Match": '"v1"'})).status == 412


@pytest.mark.parametrize("store", ["async"], indirect=True)
class TestNames:
    @pytest.mark.parametrize(
        "name, expected",
        [
            ("a b-1.txt", 'attachment; filename="a b-1.txt"'),
            ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
            ("50%25.txt", "attachment; filename=\"50_25.txt\"; filename*=UTF-8''50%2525.txt"),
            ("größe €.txt", "attachment; filename=\"gr__e _.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E2%82%AC.txt"),
            ("a\r\nB: x", "attachment; filename=\"a__B_ x\"; filename*=UTF-8''a__B%3A%20x"),
            ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
            ("..\\boot.ini", 'attachment; filename=".._boot.ini"'),
            ("x\u202egnp.exe", 'attachment; filename="x_gnp.exe"'),
            ("\ud800", 'attachment; filename="_"'),
        ],
    )  # fmt: skip
    async def test_a_given_name(self, s3: FakeS3, store: Store | AsyncStore, name: str, expected: str) -> None:
        put(s3, "a.log")
        client = Client(app_of(lambda path: StoreResponse(store, path, filename=name)))
        assert (await client("GET", "/files/a.log")).headers["content-disposition"] == expected

    async def test_the_name_of_the_file(self, s3: FakeS3, store: Store | AsyncStore) -> None:
        path = "d/é\n.log"
        put(s3, path, described={"ContentDisposition": "inline"})
        got = await Client(StoreResponse(store, path, content_disposition_type="attachment"))("GET", "/")
        assert got.headers["content-disposition"] == "attachment; filename=\"__.log\"; filename*=UTF-8''%C3%A9_.log"
        stored = await Client(StoreResponse(store, path))("GET", "/")
        assert stored.headers["content-disposition"] == "inline"

    async def test_a_stored_header_that_would_end_the_line_is_left_out(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", described={"ContentDisposition": "inline\r\nSet-Cookie: x=1", "CacheControl": "€"})
        got = await client("GET", "/files/a.log")
        assert got.status == 200
        assert not got.headers.keys() & {"content-disposition", "cache-control", "set-cookie"}

    @pytest.mark.parametrize("path", ["a//b", "%2Fa%2Fb", "./a/./b", "a%2Fb", "a/b/"])
    async def test_other_ways_to_write_a_path(self, s3: FakeS3, client: Client, path: str) -> None:
        put(s3, "a/b")
        assert (await client("GET", f"/files/{path}")).body == SMALL


class TestRedirects:
    async def test_the_client_goes_to_the_storage_and_no_request_is_sent(self) -> None:
        with pytest.raises(CapabilityNotSupported) as raised:
            StoreResponse(Store(MemoryBackend()), "a", redirect=timedelta(minutes=1))
        assert raised.value.capability == "presign"
        calls: list[Any] = []

        class Signing(Store):
            def supports(self, capability: Any) -> bool:
                return True

            def presign(self, path: str, **options: Any) -> str:  # type: ignore[override]
                calls.append((path, options))
                if path == "denied":
                    raise PermissionDenied("no credentials")
                return "https://storage.test/bucket/a?signature=secret"

        signing = Signing(MemoryBackend())
        client = Client(
            app_of(
                lambda path: StoreResponse(
                    signing,
                    path,
                    filename="é",
                    headers={"Cache-Control": "max-age=5", "X-Mine": "1"},
                    redirect=timedelta(minutes=1),
                )
            )
        )
        for method in ("GET", "HEAD"):
            got = await client(method, "/files/a", {"Range": "bytes=1-2", "If-None-Match": "*"})
            assert (got.status, got.headers) == (
                307,
                {
                    "location": "https://storage.test/bucket/a?signature=secret",
                    "cache-control": "no-store",
                    "x-mine": "1",
                    "content-length": "0",
                },
            )
        described = {
            "cache-control": "max-age=5",
            "content-disposition": "attachment; filename=\"_\"; filename*=UTF-8''%C3%A9",
        }
        assert calls == [
            ("a", {"method": method, "expires_in": timedelta(minutes=1), "response_headers": described})
            for method in ("GET", "HEAD")
        ]
        assert (await client("GET", "/files/denied")).status == 403
