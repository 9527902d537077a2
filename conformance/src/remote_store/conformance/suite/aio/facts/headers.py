"""Checks of the headers that a file is stored with."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.width import is_near
from remote_store.core import Capability, FileInfo

NAMES = ("cache_control", "content_disposition", "content_encoding", "expires")
GIVEN: dict[str, Any] = {
    "cache_control": "public, max-age=3600",
    "content_disposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A4%20b.txt",
    "content_encoding": "gzip",
    "expires": datetime(2040, 1, 2, 13, 4, 5, 678901, timezone(timedelta(hours=2))),
}
STORED = {**GIVEN, "expires": datetime(2040, 1, 2, 11, 4, 5, tzinfo=UTC)}
UNFIT: tuple[dict[str, Any], ...] = (
    {"cache_control": "no-cache\r\nx-injected: 1"},
    {"cache_control": ""},
    {"cache_control": " no-cache"},
    {"content_disposition": 'attachment; filename="ä.txt"'},
    {"content_disposition": "nul\0"},
    {"content_encoding": "gzip\n"},
    {"content_encoding": "aws-chunked"},
    {"expires": datetime(2040, 1, 1)},  # noqa: DTZ001
    {"expires": datetime(1, 1, 1, tzinfo=UTC)},
)
MISTYPED: tuple[dict[str, Any], ...] = ({"cache_control": 60}, {"content_encoding": b"gzip"}, {"expires": "tomorrow"})
VALUES: dict[str, tuple[str, ...]] = {
    "cache_control": (
        *("no-cache,max-age=0", "a,b ,c", "MAX-AGE=5", 'private="x, y"', "max-age=5, max-age=6", "no-cache,", "x=%2C"),
        *("public,  max-age=1", "s-maxage=0;x", "no-cache, NO-CACHE", "0", "immutable"),
    ),
    "content_disposition": (
        *("inline", "INLINE", "attachment;filename=a.txt", 'attachment; filename="a;b, c.txt"', "form-data;  name=x"),
        *('attachment; filename="a\\"b.txt"', "attachment; filename=a.txt; filename*=UTF-8''a%20b.txt"),
    ),
    "content_encoding": ("br", "gzip,br", "gzip, br", "GZIP", "x-custom"),
}
"""Values that a client may not tidy up: spaces, case, order, quotes and repeats."""
WRITES = ("write", "write_atomic", "open_atomic")


def taking(case: AsyncCase) -> Any:
    """The backend of a case. Its class states no options, because a backend of contract 0.1 has none."""
    return case.backend


def headers_of(info: FileInfo) -> dict[str, Any]:
    """The headers in the facts of a file."""
    return {name: getattr(info, name) for name in NAMES}


class AsyncHeaderSuite:
    """HEAD: headers per write."""

    @async_check("HEAD-001", needs=(Capability.METADATA,))
    async def test_head_values_are_not_changed(self, case: AsyncCase) -> None:
        rows = [(name, value) for name, values in VALUES.items() for value in values]
        for name, value in rows if is_near(case) else case.rng.sample(rows, 2 if case.tier == "smoke" else 6):
            await taking(case).write(case.path("file"), b"content", overwrite=True, **{name: value})
            expected = dict.fromkeys(NAMES) | {name: value}
            info = await case.backend.get_file_info(case.path("file"))
            case.expect_equal(headers_of(info), expected, f"the headers of a file with {name}={value!r}")

    @pytest.mark.parametrize("method", WRITES)
    @async_check("HEAD-001", needs=(Capability.METADATA,))
    async def test_head_headers_come_back(self, case: AsyncCase, method: str) -> None:
        if method != "write":
            case.require(Capability.ATOMIC_WRITE)
        if method == "open_atomic":
            async with taking(case).open_atomic(case.path("file"), **GIVEN) as file:
                await file.write(b"content")
        else:
            await getattr(case.backend, method)(case.path("file"), b"content", **GIVEN)
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), STORED, "the headers")
        for name in NAMES:
            await taking(case).write(case.path("one"), b"content", overwrite=True, **{name: GIVEN[name]})
            info = await case.backend.get_file_info(case.path("one"))
            expected = dict.fromkeys(NAMES) | {name: STORED[name]}
            case.expect_equal(headers_of(info), expected, f"the headers of a write with {name}")

    @async_check("HEAD-001", needs=(Capability.METADATA,))
    async def test_head_headers_of_a_large_file_come_back(self, case: AsyncCase) -> None:
        content = case.content((case.profile.part_size or 100_000) + 1)
        await taking(case).write(case.path("file"), content, **GIVEN)
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), STORED, "the headers of a file with two parts")

    @async_check("HEAD-001", needs=(Capability.METADATA,))
    async def test_head_no_headers_are_none(self, case: AsyncCase) -> None:
        await fill(case, "file")
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), dict.fromkeys(NAMES), "the headers of a write without any")

    @pytest.mark.parametrize("method", ["copy", "move"])
    @async_check("HEAD-002", needs=(Capability.METADATA,))
    async def test_head_headers_are_kept(self, case: AsyncCase, method: str) -> None:
        case.require(Capability.COPY if method == "copy" else Capability.MOVE)
        await taking(case).write(case.path("file"), b"content", **GIVEN)
        await getattr(case.backend, method)(case.path("file"), case.path("other"))
        info = await case.backend.get_file_info(case.path("other"))
        case.expect_equal(headers_of(info), STORED, f"the headers after a {method}")

    @async_check("HEAD-003", needs=(Capability.METADATA,))
    async def test_head_an_overwrite_removes_headers(self, case: AsyncCase) -> None:
        await taking(case).write(case.path("file"), b"old", **GIVEN)
        await taking(case).write(case.path("file"), b"new", overwrite=True, cache_control="no-cache")
        info = await case.backend.get_file_info(case.path("file"))
        expected = dict.fromkeys(NAMES) | {"cache_control": "no-cache"}
        case.expect_equal(headers_of(info), expected, "the headers after an overwrite")

    @async_check("HEAD-004", needs=(Capability.READ,))
    async def test_head_an_encoded_body_is_not_decoded(self, case: AsyncCase) -> None:
        packed = gzip.compress(case.content(40_000) + bytes(100_000))
        for encoding, content in (("gzip", packed), ("gzip", b"not packed at all"), ("br", b"no brotli")):
            await taking(case).write(
                case.path("file"), content, overwrite=True, content_encoding=encoding, content_type="text/plain"
            )
            await self._expect_content(case, content)
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_equal(info.size, len(content), "the size")

    async def _expect_content(self, case: AsyncCase, content: bytes) -> None:
        path = case.path("file")
        case.expect_equal(await case.backend.read_bytes(path), content, "read_bytes")
        async with await case.backend.read(path) as stream:
            pieces = [piece async for piece in in_pieces(stream)]
        case.expect_equal(b"".join(pieces), content, "read in pieces")
        if Capability.RANGE_READ in case.backend.capabilities:
            case.expect_equal(await case.backend.read_range(path, 3, 10), content[3:13], "read_range")
        if Capability.SEEKABLE_READ in case.backend.capabilities:
            async with await case.backend.read_seekable(path) as stream:
                await stream.seek(-5, 2)
                case.expect_equal(await stream.read(), content[-5:], "the end by read_seekable")

    @async_check("HEAD-005")
    async def test_head_unfit_headers_are_refused(self, case: AsyncCase) -> None:
        wrong: list[tuple[type[Exception], dict[str, Any]]] = [(ValueError, headers) for headers in UNFIT]
        for kind, headers in wrong + [(TypeError, headers) for headers in MISTYPED]:
            with case.expect_no_request(f"a write with {headers!r}"):
                with case.expect_raises(kind, what=f"a write with {headers!r}"):
                    await taking(case).write(case.path("file"), b"x", **headers)
            case.expect_equal(await case.backend.exists(case.path("file")), False, f"exists after {headers!r}")


async def in_pieces(stream: Any) -> Any:
    """The content of a stream in pieces of 7,000 bytes."""
    while piece := await stream.read(7000):
        yield piece
