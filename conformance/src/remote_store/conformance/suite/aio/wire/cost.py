"""Requests per operation, counted by the suite's endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from remote_store.conformance.checking.async_trees import fill, fill_many, found, taken
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import SOURCES
from remote_store.conformance.checking.wire import operations, part_size, require_s3, trusting, unseekable
from remote_store.conformance.http.faults import Request
from remote_store.core import AlreadyExists, AsyncBackend, Capability, InvalidPath, NotFound

ANCESTORS = "every write also checks the ancestors"


class AsyncCostSuite:
    """COST: the table of requests."""

    async def _sent(self, case: AsyncCase, call: Callable[[], Any]) -> list[Request]:
        with case.endpoint.recording() as sent:
            await call()
        return sent

    async def _expect(self, case: AsyncCase, call: Callable[[], Any], *expected: str) -> None:
        sent = await self._sent(case, call)
        case.expect_equal(operations(sent), list(expected), "the requests")

    @async_check("COST-001")
    async def test_cost_a_read_is_one_get(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file", data=case.content(300_000))
        path = case.path("file")
        await self._expect(case, partial(case.backend.read_bytes, path), "GetObject")
        await self._expect(case, partial(case.backend.read_range, path, 1000, 5000), "GetObject")
        for size in (1000, 70_000, -1):
            await self._expect(case, partial(self._read_in_pieces, case.backend, path, size), "GetObject")

    async def _read_in_pieces(self, backend: AsyncBackend, path: str, size: int) -> None:
        async with await backend.read(path) as stream:
            while await stream.read(size):
                pass

    @async_check("COST-002")
    async def test_cost_random_access_reads_what_it_needs(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file", data=case.content(300_000))
        with case.endpoint.recording() as sent:
            stream = await case.backend.read_seekable(case.path("file"))
            for offset in (100_000, 5, 299_000, 200_000):
                await stream.seek(offset)
            await stream.seek(1000)
            await stream.read(500)
            await stream.seek(250_000)
            await stream.read(10_000)
            await stream.close()
        case.expect_equal(operations(sent), ["HeadObject", "GetObject", "GetObject"], "the requests")
        ranges = [request.headers.get("range") for request in sent[1:]]
        case.expect_equal(ranges, ["bytes=1000-1499", "bytes=250000-259999"], "the ranges")

    @async_check("COST-003")
    async def test_cost_facts_are_one_head(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file")
        await self._expect(case, partial(case.backend.get_file_info, case.path("file")), "HeadObject")
        await self._expect(case, partial(case.backend.is_file, case.path("file")), "HeadObject")

    @async_check("COST-004")
    async def test_cost_exists_is_one_or_two(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file", "folder/file")
        await self._expect(case, partial(case.backend.exists, case.path("file")), "HeadObject")
        for name in ("folder", "absent"):
            await self._expect(case, partial(case.backend.exists, case.path(name)), "HeadObject", "ListObjectsV2")

    @async_check("COST-005")
    async def test_cost_is_folder_is_one_short_listing(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file", "folder/file", "folder/file2")
        for name in ("folder", "file", "absent"):
            sent = await self._sent(case, partial(case.backend.is_folder, case.path(name)))
            expect_short_listing(case, sent, 1)

    @async_check("COST-006")
    async def test_cost_a_miss_is_one_short_listing_more(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "folder/file")
        backend = case.backend
        for name, kind in (("absent", NotFound), ("folder", InvalidPath)):
            path = case.path(name)
            calls: dict[str, Callable[[], Any]] = {
                "read": partial(backend.read, path),
                "read_bytes": partial(backend.read_bytes, path),
                "read_range": partial(backend.read_range, path, 0, 1),
                "read_seekable": partial(backend.read_seekable, path),
                "get_file_info": partial(backend.get_file_info, path),
            }
            for call in calls.values():
                with case.endpoint.recording() as sent, case.expect_raises(kind):
                    await call()
                expect_short_listing(case, sent, 2)
            with case.endpoint.recording() as sent, case.expect_raises(kind):
                await backend.delete(path)
            expect_short_listing(case, sent[-2:], min(2, len(sent)))
            case.expect(len(sent) <= 3, f"at most three requests, not {len(sent)}")
            target = case.path("target")
            most = 3 + (target.count("/") if case.profile.rejects_file_ancestor else 0)
            for method in (backend.copy, backend.move):
                for overwrite in (False, True):
                    with case.endpoint.recording() as sent, case.expect_raises(kind):
                        await method(path, target, overwrite=overwrite)
                    expect_short_listing(case, sent[-2:], min(2, len(sent)))
                    case.expect(len(sent) <= most, f"at most {most} requests, not {len(sent)}")

    @async_check("COST-007")
    async def test_cost_a_trusted_create_is_one_request(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        trusted = trusting(case)
        await self._expect(case, partial(trusted.write, case.path("file"), b"x"), "PutObject")
        await self._expect(case, partial(trusted.write, case.path("stream"), unseekable(b"x")), "PutObject")
        with case.endpoint.recording() as sent, case.expect_raises(AlreadyExists):
            await trusted.write(case.path("file"), b"x")
        case.expect_equal(sent[0].operation, "PutObject", "the first request for a file that exists")

    @async_check("COST-008")
    async def test_cost_an_untrusted_create_is_two_requests(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        untrusted = case.make(conditional_writes=False)
        await self._expect(case, partial(untrusted.write, case.path("file"), b"x"), "HeadObject", "PutObject")

    @async_check("COST-009")
    async def test_cost_an_overwrite_is_one_request(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        for _ in range(2):
            call = partial(case.backend.write, case.path("file"), b"x", overwrite=True)
            await self._expect(case, call, "PutObject")

    @async_check("COST-010")
    async def test_cost_a_stream_of_parts(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        backend = trusting(case)
        content = case.content(2 * part_size(case) + 1)
        for kind in ("bytes", "bytes_io", "unseekable"):
            for overwrite in (False, True):
                source = content if kind == "bytes" else SOURCES[kind](content)
                path = case.path(f"{kind}-{overwrite}")
                sent = await self._sent(case, partial(backend.write, path, source, overwrite=overwrite))
                expected = ["CompleteMultipartUpload", "CreateMultipartUpload", *["UploadPart"] * 3]
                case.expect_equal(sorted(operations(sent)), expected, f"the requests for {kind}, {overwrite=}")

    @async_check("COST-011")
    async def test_cost_the_part_size_decides(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        size = part_size(case)
        content = case.content(size + 1)
        for source in (content[:size], unseekable(content[:size])):
            await self._expect(case, partial(case.backend.write, case.path("one"), source, overwrite=True), "PutObject")
        for source in (content, unseekable(content)):
            sent = await self._sent(case, partial(case.backend.write, case.path("two"), source, overwrite=True))
            case.expect_equal(len(sent), 4, "the number of requests for one byte more than a part")

    @async_check("COST-012")
    async def test_cost_a_delete(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file")
        sent = await self._sent(case, partial(case.backend.delete, case.path("file")))
        case.expect_equal(operations(sent)[-1], "DeleteObject", "the last request")
        case.expect(len(sent) <= 2, "at most two requests", operations(sent))

    @async_check("COST-013")
    async def test_cost_a_copy_and_a_move(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        claimed = Capability.ATOMIC_CREATE in case.backend.capabilities
        for trusted, most, moved in ((False, 2, 5), (True, 1, 3))[: 1 + claimed]:
            backend = case.backend if trusted else case.make(conditional_writes=False)
            for overwrite in (False, True):
                await fill(case, "source")
                target = case.path(f"{trusted}-{overwrite}")
                sent = await self._sent(case, partial(backend.copy, case.path("source"), target, overwrite=overwrite))
                case.expect_equal(sent[-1].operation, "CopyObject", "the last request of a copy")
                case.expect(len(sent) <= most, f"at most {most} requests for a copy, not {len(sent)}")
                target += "-moved"
                sent = await self._sent(case, partial(backend.move, case.path("source"), target, overwrite=overwrite))
                case.expect_equal(sent[-1].operation, "DeleteObject", "the last request of a move")
                case.expect(len(sent) <= moved, f"at most {moved} requests for a move, not {len(sent)}")

    @async_check("COST-014", "COST-015", "COST-016")
    async def test_cost_a_thousand_keys_a_request(self, case: AsyncCase) -> None:
        require_s3(case)
        backend, folder = case.backend, case.folder
        names = [f"{number % 40:02}/{number:05}" for number in range(1001)]
        expected = await fill_many(case, names[:1000])
        await self._expect_pages(case, partial(found, backend.list_files(folder, recursive=True)), 1000)
        expected += await fill_many(case, names[1000:])
        await self._expect_pages(case, partial(found, backend.list_files(folder, recursive=True)), 1001)
        await self._expect_pages(case, partial(found, backend.glob(case.path("**"))), 1001)
        await self._expect_pages(case, partial(backend.get_folder_info, folder), 1001)
        await self._expect_pages(case, partial(found, backend.list_folders(folder)), 40)
        await self._expect_pages(case, partial(found, backend.iter_children(folder)), 40)
        with case.endpoint.recording() as sent:
            listing = backend.list_files(folder, recursive=True)
            case.expect_equal(len(sent), 0, "the requests before the first item is requested")
            await taken(case, listing)
            case.expect_equal(len(sent), 1, "the requests for the first item")
            rest = [info.path async for info in listing]
        self._expect_listings(case, sent, 1001)
        case.expect_equal(len(rest), len(expected) - 1, "the number of remaining items")
        sent = await self._sent(case, partial(backend.delete_folder, folder, recursive=True))
        deletes = [request for request in sent if request.operation == "DeleteObjects"]
        self._expect_listings(case, [request for request in sent if request not in deletes], 1001)
        most = max(2, pages(case, 1001))
        case.expect(1 <= len(deletes) <= most, f"at most {most} bulk deletes of 1,001 keys", operations(sent))

    async def _expect_pages(self, case: AsyncCase, call: Callable[[], Any], keys: int) -> None:
        self._expect_listings(case, await self._sent(case, call), keys)

    def _expect_listings(self, case: AsyncCase, sent: list[Request], keys: int) -> None:
        """Fail unless all requests are for pages, and no more pages than this many keys fill."""
        names, most = operations(sent), pages(case, keys)
        case.expect_equal(set(names), {"ListObjectsV2"}, f"the kinds of requests for {keys:,} keys")
        case.expect(len(names) <= most, f"at most {most:,} requests for {keys:,} keys, not {len(names):,}", names)

    @async_check("COST-017")
    async def test_cost_what_needs_no_request(self, case: AsyncCase) -> None:
        require_s3(case)
        with case.endpoint.recording() as sent:
            backend = case.make()
            await backend.exists("")
            await backend.is_file("")
            await backend.is_folder("")
            backend.resolve(backend.to_key(backend.native_path(case.path("file"))))
            repr(backend)
            await backend.close()
        case.expect_equal(len(sent), 0, "the number of requests")

    @async_check("COST-018")
    async def test_cost_refused_arguments_need_no_request(self, case: AsyncCase) -> None:
        require_s3(case)
        backend, path = case.backend, case.path("file")
        text: Any = "text"
        calls: list[tuple[type[Exception], Callable[[], Any]]] = [
            (InvalidPath, partial(backend.write, "a//b", b"x")),
            (InvalidPath, partial(backend.write, "", b"x")),
            (InvalidPath, partial(backend.copy, path, "a/../b")),
            (InvalidPath, partial(backend.move, path, "/a")),
            (InvalidPath, partial(backend.read_bytes, "")),
            (InvalidPath, partial(backend.read_bytes, "nul\0")),
            (InvalidPath, partial(backend.delete, "")),
            (InvalidPath, partial(backend.delete_folder, "", recursive=True)),
            (TypeError, partial(backend.write, path, text)),
            (ValueError, partial(backend.read_range, path, -1, 1)),
            (ValueError, partial(backend.read_range, path, 0, -1)),
            (ValueError, partial(backend.write, path, b"x", metadata={"Upper": "x"})),
            (ValueError, partial(backend.write, path, b"x", metadata={"name": "é"})),
        ]
        with case.endpoint.recording() as sent:
            for kind, call in calls:
                with case.expect_raises(kind, what=repr(call)):
                    await call()
        case.expect_equal(operations(sent), [], "the requests")

    @async_check("COST-019")
    async def test_cost_a_listing_of_nothing(self, case: AsyncCase) -> None:
        require_s3(case)
        await fill(case, "file")
        for name in ("absent", "file"):
            for listing in (case.backend.list_files(case.path(name)), case.backend.iter_children(case.path(name))):
                await self._expect(case, partial(found, listing), "ListObjectsV2")

    @async_check("COST-020")
    async def test_cost_a_small_open_atomic(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        with case.endpoint.recording() as sent:
            async with case.backend.open_atomic(case.path("file"), overwrite=True) as stream:
                for _ in range(10):
                    await stream.write(b"x" * 1000)
        case.expect_equal(operations(sent), ["PutObject"], "the requests of an overwrite")
        with case.endpoint.recording() as sent:
            async with case.backend.open_atomic(case.path("new")) as stream:
                await stream.write(b"x")
        looks = operations(sent).count("HeadObject")
        case.expect_equal(operations(sent)[looks:], ["PutObject"], "the requests after the lookups")
        case.expect(
            looks <= 2, "at most one lookup when the block is entered and one before the write", operations(sent)
        )


def pages(case: AsyncCase, keys: int) -> int:
    """How many pages of a listing this many keys fill."""
    return -(-keys // case.profile.page_size)


def expect_short_listing(case: AsyncCase, sent: list[Request], count: int) -> None:
    """Fail unless exactly `count` requests were sent and the last is the only listing, of one key."""
    case.expect_equal(len(sent), count, f"the number of requests in {operations(sent)}")
    case.expect_equal(operations(sent).count("ListObjectsV2"), 1, f"the number of listings in {operations(sent)}")
    case.expect_equal(sent[-1].query.get("max-keys"), "1", "max-keys of the last request")
