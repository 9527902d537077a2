"""Response bodies that break: the result is the exact bytes or an error, never a silent end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import (
    MOST_REQUESTS,
    THRICE,
    TWICE,
    async_settles,
    is_get,
    named,
    operations,
    patient,
    require_s3,
)
from remote_store.conformance.http.faults import (
    Reset,
    Respond,
    RunFunction,
    ShortBody,
    Stall,
    WireFault,
)
from remote_store.core import (
    BackendUnavailable,
    PreconditionFailed,
    RetryPolicy,
)

CUTS = [Reset(after_bytes=100_000), ShortBody(after_bytes=100_000)]
SIZE = 300_000


class AsyncBodySuite:
    """WIRE: bodies that break."""

    async def _cut_file(self, case: AsyncCase, fault: WireFault, *, times: int | None = 1) -> bytes:
        content = case.content(SIZE)
        await fill(case, "file", data=content)
        case.endpoint.inject(fault, operation="GetObject", times=times)
        return content

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @async_check("WIRE-008")
    async def test_wire_a_cut_body_of_read(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        for size in (-1, 1000, 70_000, 1_000_000):
            content = await self._cut_file(case, fault)
            pieces = []
            async with await case.make(retry=THRICE).read(case.path("file")) as stream:
                while data := await stream.read(size):
                    pieces.append(data)
            case.expect_equal(b"".join(pieces), content, f"the bytes of read({size})")

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @async_check("WIRE-008")
    async def test_wire_a_cut_body_of_the_other_reads(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        backend, path = case.make(retry=THRICE), case.path("file")
        content = await self._cut_file(case, fault)
        case.expect_equal(await backend.read_bytes(path), content, "the bytes of read_bytes")
        content = await self._cut_file(case, fault)
        case.expect_equal(await backend.read_range(path, 10, 200_000), content[10:200_010], "the bytes of read_range")
        content = await self._cut_file(case, fault)
        async with await backend.read_seekable(path) as stream:
            await stream.seek(10)
            case.expect_equal(await stream.read(200_000), content[10:200_010], "the bytes of read_seekable")
        content = await self._cut_file(case, fault)
        buffer = bytearray(SIZE)
        async with await backend.read(path) as stream:
            filled, raw = 0, cast("Any", stream)
            while count := await raw.readinto(memoryview(buffer)[filled:]):
                filled += count
        case.expect_equal(bytes(buffer), content, "the bytes of readinto")

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @async_check("WIRE-009")
    async def test_wire_a_resume_is_pinned(self, case: AsyncCase, fault: Reset | ShortBody) -> None:
        require_s3(case)
        content = case.content(2_000_000)
        await fill(case, "file", data=content)
        # The cut is far beyond a client's read-ahead, which may be lost with the connection.
        case.endpoint.inject(replace(fault, after_bytes=1_000_000), operation="GetObject")
        with case.endpoint.recording() as sent:
            async with await case.make(retry=THRICE).read(case.path("file")) as stream:
                case.expect_equal(await stream.read(10_000), content[:10_000], "the bytes before the cut")
                case.expect_equal(await stream.read(), content[10_000:], "the remaining bytes")
        case.expect_equal(operations(sent), ["GetObject"] * 2, "the requests")
        headers = sent[1].headers
        info = await case.backend.get_file_info(case.path("file"))
        case.expect_equal((headers.get("if-match") or "").strip('"'), info.etag, "If-Match of the resume")
        start = headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0]
        case.expect(
            10_000 <= int(start) <= 1_000_000, "the resumed read starts where the body broke", headers.get("range")
        )

    @pytest.mark.parametrize("size, ranges", [(12 * 1024 * 1024, 0), (64 * 1024 * 1024, 64)], ids=["12", "64"])
    @async_check("WIRE-010")
    async def test_wire_ten_cuts(self, case: AsyncCase, size: int, ranges: int) -> None:
        require_s3(case)
        # The cuts are further apart than a client's buffer, which may be lost with the connection.
        content = case.content(size)
        case.oracle.raw_put(case.path("file"), content)
        backend = case.make(retry=THRICE)
        for number in range(10):
            fault = (Reset, ShortBody)[number % 2](after_bytes=1024 * 1024)
            case.endpoint.inject(fault, operation="GetObject", after=number)
        observed = bytearray()
        with case.endpoint.recording() as sent:
            async with await backend.read(case.path("file")) as stream:
                while data := await stream.read(1024 * 1024):
                    observed += data
        case.expect(observed == content, "the bytes are exact", f"{len(observed):,} bytes")
        case.expect_equal(set(operations(sent)), {"GetObject"}, "the kinds of requests")
        # A large file may be read ahead in ranges, each with its own request.
        least, most = (2 if ranges else 11), 11 + ranges
        case.expect(least <= len(sent) <= most, f"{least} to {most} requests", len(sent))

    @pytest.mark.parametrize("fault", [Reset(), ShortBody(after_bytes=0), Respond(503, "SlowDown")], ids=named)
    @async_check("WIRE-011")
    async def test_wire_no_progress_ends(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        path = case.path("file")
        await self._cut_file(case, ShortBody(after_bytes=100_000))
        case.endpoint.inject(fault, operation="GetObject", times=None, after=1)
        gone = case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable)
        with case.endpoint.recording() as sent, gone:
            async with await case.make(retry=TWICE).read(path) as stream:
                await stream.read()
        case.expect(len(sent) <= 5, "at most five requests for two attempts", len(sent))

    @async_check("WIRE-012")
    async def test_wire_a_change_between_a_cut_and_its_resume(self, case: AsyncCase) -> None:
        require_s3(case)
        oracle, path = case.oracle, case.path("file")
        content = await self._cut_file(case, ShortBody(after_bytes=100_000))
        change = RunFunction(lambda _request: oracle.raw_put(path, b"n" * SIZE))
        case.endpoint.inject(change, operation="GetObject", after=1)
        with case.expect_raises(PreconditionFailed, path=path):
            async with await case.make(retry=THRICE).read(path) as stream:
                read = await stream.read(50_000)
                case.expect_equal(read, content[:50_000], "the bytes before the cut")
                while await stream.read(50_000):
                    pass

    @pytest.mark.parametrize("after_bytes", [0, 100_000])
    @async_check("WIRE-013")
    async def test_wire_a_stall_that_passes(self, case: AsyncCase, after_bytes: int) -> None:
        require_s3(case)
        content = await self._cut_file(case, Stall(60, after_bytes=after_bytes))
        backend = case.make(retry=THRICE, read_timeout=0.5)
        async with await backend.read(case.path("file")) as stream:
            case.expect_equal(await stream.read(), content, "the bytes")

    @pytest.mark.parametrize("after_bytes", [0, 100_000])
    @async_check("WIRE-013")
    async def test_wire_a_stall_that_stays(self, case: AsyncCase, after_bytes: int) -> None:
        endpoint, path = case.endpoint, case.path("file")
        backend = patient(case, 2, read_timeout=0.5)
        await fill(case, "file", data=case.content(SIZE))
        endpoint.inject(Stall(60, after_bytes=after_bytes), match=is_get)
        endpoint.inject(Stall(60), times=None, after=1, match=is_get)
        gone = case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable)
        with endpoint.recording() as sent, gone:
            await backend.read_bytes(path)
        most = 5 if "retry" in case.harness.options else MOST_REQUESTS
        case.expect(len(sent) <= most, f"at most {most} requests", len(sent))

    @async_check("WIRE-023")
    async def test_wire_readers_leak_no_connections(self, case: AsyncCase) -> None:
        require_s3(case)
        before = case.endpoint.connections
        backend = case.make(max_connections=4, max_concurrency=4, retry=RetryPolicy.disabled())
        content = case.content(2_000_000)
        await fill(case, "file", data=content)
        for _ in range(20):
            async with await backend.read(case.path("file")) as stream:
                case.expect_equal(await stream.read(10), content[:10], "the first bytes")
        for _ in range(10):
            case.endpoint.inject(ShortBody(after_bytes=1000), operation="GetObject", times=2)
            with case.expect_raises(BackendUnavailable):
                await backend.read_bytes(case.path("file"))
            case.endpoint.clear_faults()
        bound = 4 + 1
        case.expect(
            await async_settles(lambda: len(case.endpoint.connections - before) <= bound),
            f"at most {bound} connections of the client are open",
            len(case.endpoint.connections - before),
        )
