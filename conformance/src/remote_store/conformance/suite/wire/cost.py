# Generated from conformance/src/remote_store/conformance/suite/aio/wire/cost.py by tools/unasync.py; edit that.
"""Requests per operation, counted by the suite's endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import SOURCES
from remote_store.conformance.checking.trees import fill, fill_many, found, taken
from remote_store.conformance.checking.wire import operations, part_size, require_s3, trusting, unseekable
from remote_store.conformance.http.faults import Request
from remote_store.core import AlreadyExists, Backend, Capability, InvalidPath, NotFound

ANCESTORS = "every write also checks the ancestors"


class CostSuite:
    """COST: the table of requests."""

    def _sent(self, case: Case, call: Callable[[], Any]) -> list[Request]:
        with case.endpoint.recording() as sent:
            call()
        return sent

    def _expect(self, case: Case, call: Callable[[], Any], *expected: str) -> None:
        sent = self._sent(case, call)
        case.expect_equal(operations(sent), list(expected), "the requests")

    @check("COST-001")
    def test_cost_a_read_is_one_get(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", data=case.content(300_000))
        path = case.path("file")
        self._expect(case, partial(case.backend.read_bytes, path), "GetObject")
        self._expect(case, partial(case.backend.read_range, path, 1000, 5000), "GetObject")
        for size in (1000, 70_000, -1):
            self._expect(case, partial(self._read_in_pieces, case.backend, path, size), "GetObject")

    def _read_in_pieces(self, backend: Backend, path: str, size: int) -> None:
        with backend.read(path) as stream:
            while stream.read(size):
                pass

    @check("COST-002")
    def test_cost_random_access_reads_what_it_needs(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", data=case.content(300_000))
        with case.endpoint.recording() as sent:
            stream = case.backend.read_seekable(case.path("file"))
            for offset in (100_000, 5, 299_000, 200_000):
                stream.seek(offset)
            stream.seek(1000)
            stream.read(500)
            stream.seek(250_000)
            stream.read(10_000)
            stream.close()
        case.expect_equal(operations(sent), ["HeadObject", "GetObject", "GetObject"], "the requests")
        ranges = [request.headers.get("range") for request in sent[1:]]
        case.expect_equal(ranges, ["bytes=1000-1499", "bytes=250000-259999"], "the ranges")

    @check("COST-003")
    def test_cost_facts_are_one_head(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file")
        self._expect(case, partial(case.backend.get_file_info, case.path("file")), "HeadObject")
        self._expect(case, partial(case.backend.is_file, case.path("file")), "HeadObject")

    @check("COST-004")
    def test_cost_exists_is_one_or_two(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", "folder/file")
        self._expect(case, partial(case.backend.exists, case.path("file")), "HeadObject")
        for name in ("folder", "absent"):
            self._expect(case, partial(case.backend.exists, case.path(name)), "HeadObject", "ListObjectsV2")

    @check("COST-005")
    def test_cost_is_folder_is_one_short_listing(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", "folder/file", "folder/file2")
        for name in ("folder", "file", "absent"):
            sent = self._sent(case, partial(case.backend.is_folder, case.path(name)))
            expect_short_listing(case, sent, 1)

    @check("COST-006")
    def test_cost_a_miss_is_one_short_listing_more(self, case: Case) -> None:
        require_s3(case)
        fill(case, "folder/file")
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
                    call()
                expect_short_listing(case, sent, 2)
            with case.endpoint.recording() as sent, case.expect_raises(kind):
                backend.delete(path)
            expect_short_listing(case, sent[-2:], min(2, len(sent)))
            case.expect(len(sent) <= 3, f"at most three requests, not {len(sent)}")
            target = case.path("target")
            most = 3 + (target.count("/") if case.profile.rejects_file_ancestor else 0)
            for method in (backend.copy, backend.move):
                for overwrite in (False, True):
                    with case.endpoint.recording() as sent, case.expect_raises(kind):
                        method(path, target, overwrite=overwrite)
                    expect_short_listing(case, sent[-2:], min(2, len(sent)))
                    case.expect(len(sent) <= most, f"at most {most} requests, not {len(sent)}")

    @check("COST-007")
    def test_cost_a_trusted_create_is_one_request(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        trusted = trusting(case)
        self._expect(case, partial(trusted.write, case.path("file"), b"x"), "PutObject")
        self._expect(case, partial(trusted.write, case.path("stream"), unseekable(b"x")), "PutObject")
        with case.endpoint.recording() as sent, case.expect_raises(AlreadyExists):
            trusted.write(case.path("file"), b"x")
        case.expect_equal(sent[0].operation, "PutObject", "the first request for a file that exists")

    @check("COST-008")
    def test_cost_an_untrusted_create_is_two_requests(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        untrusted = case.make(conditional_writes=False)
        self._expect(case, partial(untrusted.write, case.path("file"), b"x"), "HeadObject", "PutObject")

    @check("COST-009")
    def test_cost_an_overwrite_is_one_request(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        for _ in range(2):
            call = partial(case.backend.write, case.path("file"), b"x", overwrite=True)
            self._expect(case, call, "PutObject")

    @check("COST-010")
    def test_cost_a_stream_of_parts(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        backend = trusting(case)
        content = case.content(2 * part_size(case) + 1)
        for kind in ("bytes", "bytes_io", "unseekable"):
            for overwrite in (False, True):
                source = content if kind == "bytes" else SOURCES[kind](content)
                path = case.path(f"{kind}-{overwrite}")
                sent = self._sent(case, partial(backend.write, path, source, overwrite=overwrite))
                expected = ["CompleteMultipartUpload", "CreateMultipartUpload", *["UploadPart"] * 3]
                case.expect_equal(sorted(operations(sent)), expected, f"the requests for {kind}, {overwrite=}")

    @check("COST-011")
    def test_cost_the_part_size_decides(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        size = part_size(case)
        content = case.content(size + 1)
        for source in (content[:size], unseekable(content[:size])):
            self._expect(case, partial(case.backend.write, case.path("one"), source, overwrite=True), "PutObject")
        for source in (content, unseekable(content)):
            sent = self._sent(case, partial(case.backend.write, case.path("two"), source, overwrite=True))
            case.expect_equal(len(sent), 4, "the number of requests for one byte more than a part")

    @check("COST-012")
    def test_cost_a_delete(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file")
        sent = self._sent(case, partial(case.backend.delete, case.path("file")))
        case.expect_equal(operations(sent)[-1], "DeleteObject", "the last request")
        case.expect(len(sent) <= 2, "at most two requests", operations(sent))

    @check("COST-013")
    def test_cost_a_copy_and_a_move(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        claimed = Capability.ATOMIC_CREATE in case.backend.capabilities
        for trusted, most, moved in ((False, 2, 5), (True, 1, 3))[: 1 + claimed]:
            backend = case.backend if trusted else case.make(conditional_writes=False)
            for overwrite in (False, True):
                fill(case, "source")
                target = case.path(f"{trusted}-{overwrite}")
                sent = self._sent(case, partial(backend.copy, case.path("source"), target, overwrite=overwrite))
                case.expect_equal(sent[-1].operation, "CopyObject", "the last request of a copy")
                case.expect(len(sent) <= most, f"at most {most} requests for a copy, not {len(sent)}")
                target += "-moved"
                sent = self._sent(case, partial(backend.move, case.path("source"), target, overwrite=overwrite))
                case.expect_equal(sent[-1].operation, "DeleteObject", "the last request of a move")
                case.expect(len(sent) <= moved, f"at most {moved} requests for a move, not {len(sent)}")

    @check("COST-014", "COST-015", "COST-016")
    def test_cost_a_thousand_keys_a_request(self, case: Case) -> None:
        require_s3(case)
        backend, folder = case.backend, case.folder
        names = [f"{number % 40:02}/{number:05}" for number in range(1001)]
        expected = fill_many(case, names[:1000])
        self._expect_pages(case, partial(found, backend.list_files(folder, recursive=True)), 1000)
        expected += fill_many(case, names[1000:])
        self._expect_pages(case, partial(found, backend.list_files(folder, recursive=True)), 1001)
        self._expect_pages(case, partial(found, backend.glob(case.path("**"))), 1001)
        self._expect_pages(case, partial(backend.get_folder_info, folder), 1001)
        self._expect_pages(case, partial(found, backend.list_folders(folder)), 40)
        self._expect_pages(case, partial(found, backend.iter_children(folder)), 40)
        with case.endpoint.recording() as sent:
            listing = backend.list_files(folder, recursive=True)
            case.expect_equal(len(sent), 0, "the requests before the first item is requested")
            taken(case, listing)
            case.expect_equal(len(sent), 1, "the requests for the first item")
            rest = [info.path for info in listing]
        self._expect_listings(case, sent, 1001)
        case.expect_equal(len(rest), len(expected) - 1, "the number of remaining items")
        sent = self._sent(case, partial(backend.delete_folder, folder, recursive=True))
        deletes = [request for request in sent if request.operation == "DeleteObjects"]
        self._expect_listings(case, [request for request in sent if request not in deletes], 1001)
        most = max(2, pages(case, 1001))
        case.expect(1 <= len(deletes) <= most, f"at most {most} bulk deletes of 1,001 keys", operations(sent))

    def _expect_pages(self, case: Case, call: Callable[[], Any], keys: int) -> None:
        self._expect_listings(case, self._sent(case, call), keys)

    def _expect_listings(self, case: Case, sent: list[Request], keys: int) -> None:
        """Fail unless all requests are for pages, and no more pages than this many keys fill."""
        names, most = operations(sent), pages(case, keys)
        case.expect_equal(set(names), {"ListObjectsV2"}, f"the kinds of requests for {keys:,} keys")
        case.expect(len(names) <= most, f"at most {most:,} requests for {keys:,} keys, not {len(names):,}", names)

    @check("COST-017")
    def test_cost_what_needs_no_request(self, case: Case) -> None:
        require_s3(case)
        with case.endpoint.recording() as sent:
            backend = case.make()
            backend.exists("")
            backend.is_file("")
            backend.is_folder("")
            backend.resolve(backend.to_key(backend.native_path(case.path("file"))))
            repr(backend)
            backend.close()
        case.expect_equal(len(sent), 0, "the number of requests")

    @check("COST-018")
    def test_cost_refused_arguments_need_no_request(self, case: Case) -> None:
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
                    call()
        case.expect_equal(operations(sent), [], "the requests")

    @check("COST-019")
    def test_cost_a_listing_of_nothing(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file")
        for name in ("absent", "file"):
            for listing in (case.backend.list_files(case.path(name)), case.backend.iter_children(case.path(name))):
                self._expect(case, partial(found, listing), "ListObjectsV2")

    @check("COST-020")
    def test_cost_a_small_open_atomic(self, case: Case) -> None:
        require_s3(case)
        case.require_profile(ANCESTORS, not case.profile.rejects_file_ancestor)
        with case.endpoint.recording() as sent:
            with case.backend.open_atomic(case.path("file"), overwrite=True) as stream:
                for _ in range(10):
                    stream.write(b"x" * 1000)
        case.expect_equal(operations(sent), ["PutObject"], "the requests of an overwrite")
        with case.endpoint.recording() as sent:
            with case.backend.open_atomic(case.path("new")) as stream:
                stream.write(b"x")
        looks = operations(sent).count("HeadObject")
        case.expect_equal(operations(sent)[looks:], ["PutObject"], "the requests after the lookups")
        case.expect(
            looks <= 2, "at most one lookup when the block is entered and one before the write", operations(sent)
        )


def pages(case: Case, keys: int) -> int:
    """How many pages of a listing this many keys fill."""
    return -(-keys // case.profile.page_size)


def expect_short_listing(case: Case, sent: list[Request], count: int) -> None:
    """Fail unless exactly `count` requests were sent and the last is the only listing, of one key."""
    case.expect_equal(len(sent), count, f"the number of requests in {operations(sent)}")
    case.expect_equal(operations(sent).count("ListObjectsV2"), 1, f"the number of listings in {operations(sent)}")
    case.expect_equal(sent[-1].query.get("max-keys"), "1", "max-keys of the last request")
