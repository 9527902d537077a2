"""Conditional requests, and how many requests to the storage answer them."""

from __future__ import annotations

import pytest

from asgi_client import DATED, EARLIER, LARGE, LATER, Client, put
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.starlette import StoreResponse


@pytest.mark.parametrize("store", ["async"], indirect=True)
class TestConditions:
    @pytest.mark.parametrize(
        "name, value, status",
        [
            ("If-None-Match", "{tag}", 304),
            ("If-None-Match", 'W/{tag}, "other"', 304),
            ("If-None-Match", '"other" , {tag}', 304),
            ("If-None-Match", "*", 304),
            ("If-None-Match", '"other"', 200),
            ("If-None-Match", "nonsense", 200),
            ("If-Modified-Since", DATED, 304),
            ("If-Modified-Since", LATER, 304),
            ("If-Modified-Since", EARLIER, 200),
            ("If-Modified-Since", "Fri, 99 Jan 2026", 200),
            ("If-Modified-Since", "Fri, 02 Jan 99999999999 03:04:05 GMT", 200),
            ("If-Match", "{tag}", 200),
            ("If-Match", '"other", {tag}', 200),
            ("If-Match", "*", 200),
            ("If-Match", "W/{tag}", 412),
            ("If-Match", '"other"', 412),
            ("If-Unmodified-Since", DATED, 200),
            ("If-Unmodified-Since", LATER, 200),
            ("If-Unmodified-Since", EARLIER, 412),
            ("If-Unmodified-Since", "nonsense", 200),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_each_condition(
        self, s3: FakeS3, client: Client, method: str, name: str, value: str, status: int
    ) -> None:
        tag = put(s3, "a.log")
        got = await client(method, "/files/a.log", {name: value.replace("{tag}", tag)})
        assert got.status == status
        if status == 304:
            assert (got.body, got.headers) == (
                b"",
                {"etag": tag, "last-modified": DATED, "accept-ranges": "bytes"},
            )
            assert s3.operations() == ["HeadObject"]
        assert s3.open_bodies() == []

    @pytest.mark.parametrize(
        "conditions, status",
        [
            ({"If-None-Match": '"other"', "If-Modified-Since": LATER}, 200),
            ({"If-None-Match": "{tag}", "If-Modified-Since": EARLIER}, 304),
            ({"If-Match": "{tag}", "If-Unmodified-Since": EARLIER}, 200),
            ({"If-Match": '"other"', "If-None-Match": "{tag}"}, 412),
            ({"If-Match": "{tag}", "If-None-Match": "{tag}"}, 304),
            ({"If-None-Match": "{tag}", "Range": "bytes=1-2"}, 304),
            ({"If-None-Match": '"other"', "Range": "bytes=1-2"}, 206),
            ({"If-Match": '"other"', "Range": "bytes=99-"}, 412),
        ],
    )
    async def test_their_order(self, s3: FakeS3, client: Client, conditions: dict[str, str], status: int) -> None:
        tag = put(s3, "a.log")
        got = await client("GET", "/files/a.log", {k: v.replace("{tag}", tag) for k, v in conditions.items()})
        assert got.status == status

    async def test_a_newer_version_costs_one_more_request(self, s3: FakeS3, client: Client) -> None:
        put(s3, "a.log", LARGE)
        got = await client("GET", "/files/a.log", {"If-None-Match": '"old"'})
        assert (got.status, got.body, got.largest) == (200, LARGE, StoreResponse.chunk_size)
        assert s3.operations() == ["HeadObject", "GetObject"]

    async def test_tags_in_several_headers_are_one_list(self, s3: FakeS3, client: Client) -> None:
        tag = put(s3, "a.log")
        got = await client("GET", "/files/a.log", [("If-None-Match", '"a"'), ("If-None-Match", tag)])
        assert got.status == 304
