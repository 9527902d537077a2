# Generated from conformance/src/remote_store/conformance/suite/aio/wire/contradictions.py by tools/unasync.py; edit
# that.
"""Responses that contradict the request, another response, or the S3 documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found
from remote_store.conformance.checking.wire import is_upload, operations, page, prefixes, require_s3
from remote_store.conformance.http.faults import Headers, Request, Respond, RewriteBody, RewriteHeaders, ShortBody
from remote_store.core import Capability, RemoteStoreError, RetryPolicy

SIZE = 100
ETAG = '"0123456789abcdef0123456789abcdef"'
# Responses to a request for bytes 40 to 59 of 100: the Content-Range, and the length of the body.
CONTRADICTIONS = {
    "other-bytes": ("bytes 0-19/100", 20),
    "shifted": ("bytes 41-60/100", 20),
    "too-much": ("bytes 40-99/100", 60),
    "other-length": ("bytes 40-59/100", 19),
    "behind-the-end": ("bytes 40-59/50", 20),
    "unreadable": ("40-59", 20),
}
PAGE = {"Content-Type": "text/html"}
DOCUMENT = {"Content-Type": "application/xml"}
NO_RESULTS = {
    "page": Respond(200, body=b"<!doctype html><p>It works!", headers=PAGE, foreign=True),
    "other-document": Respond(200, body=b"<ListAllMyBucketsResult/>", headers=DOCUMENT, foreign=True),
    "nothing": Respond(200, foreign=True),
    "accepted": Respond(202),
}
NAME = "x-amz-meta-author"
VALUE = "Zürich"


def _is_ranged(request: Request) -> bool:
    return "range" in request.headers


def _weak(headers: Headers) -> Headers:
    return [(name, b"W/" + value if name.lower() == b"etag" else value) for name, value in headers]


def _renamed(value: bytes, headers: Headers) -> Headers:
    """The headers as sent by a server that keeps the spelling of names and the bytes of values."""
    is_author: Callable[[bytes], bool] = lambda name: name.lower() == NAME.encode()  # noqa: E731
    return [(b"X-Amz-Meta-Author", value) if is_author(name) else (name, old) for name, old in headers]


def _with_milliseconds(body: bytes) -> bytes:
    return re.sub(rb"(<LastModified>[^<.Z]*)[^<]*Z", rb"\1.987Z", body)


class ContradictionSuite:
    """READ, LIST, COPY, META and WIRE: responses that are contradictory or unusual."""

    @pytest.mark.parametrize("kind", CONTRADICTIONS)
    @check("READ-020")
    def test_contradiction_a_range_that_was_not_asked_for(self, case: Case, kind: str) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        (path,) = fill(case, "file", data=case.content(SIZE))
        stated, length = CONTRADICTIONS[kind]
        headers = {"Content-Range": stated, "ETag": ETAG, "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
        case.endpoint.inject(
            Respond(206, body=bytes(length), headers=headers), operation="GetObject", times=None, match=_is_ranged
        )
        with case.expect_raises(RemoteStoreError, what=f"read_range with the Content-Range {stated}"):
            backend.read_range(path, 40, 20)

    @check("READ-021")
    def test_contradiction_the_rest_of_a_smaller_file(self, case: Case) -> None:
        require_s3(case)
        content = case.content(SIZE)
        (path,) = fill(case, "file", data=content)
        smaller = RewriteHeaders(
            lambda headers: [
                (name, value.replace(b"/100", b"/60").replace(b"-99", b"-59"))
                if name.lower() == b"content-range"
                else (name, b"20" if name.lower() == b"content-length" else value)
                for name, value in headers
            ]
        )
        case.endpoint.inject(ShortBody(40), operation="GetObject")
        case.endpoint.inject(RewriteBody(lambda body: body[:20]), operation="GetObject", times=None, match=_is_ranged)
        case.endpoint.inject(smaller, operation="GetObject", times=None, match=_is_ranged)
        with case.endpoint.recording() as sent:
            with case.expect_raises(RemoteStoreError, what="read_bytes of a file that is smaller at its resumption"):
                case.backend.read_bytes(path)
        case.expect(any(map(_is_ranged, sent)), "the read was resumed by a range", operations(sent))

    @pytest.mark.parametrize("where", ["one-page", "two-pages"])
    @check("LIST-031")
    def test_contradiction_a_key_that_comes_again(self, case: Case, where: str) -> None:
        require_s3(case)
        folder = case.path("dir")
        first, again = [f"{folder}/a", f"{folder}/b"], [f"{folder}/b"]
        if where == "one-page":
            self._list(case, page([*first, *again], None))
        else:
            self._list(case, page(first, "more"), lambda request: "continuation-token" not in request.query)
            self._list(case, page(again, None), lambda request: "continuation-token" in request.query)
        self._refused(case, recursive=True, deletes=where == "one-page")

    @check("LIST-032")
    def test_contradiction_a_page_that_goes_on_nowhere(self, case: Case) -> None:
        require_s3(case)
        whole = page([case.path("dir/a")], "more")
        self._list(case, re.sub(rb"<NextContinuationToken>.*</NextContinuationToken>", b"", whole))
        self._refused(case, recursive=True)

    @pytest.mark.parametrize("group", ["key-of-a-subfolder", "folder-elsewhere", "folder-too-deep"])
    @check("LIST-033")
    def test_contradiction_an_entry_in_the_wrong_group(self, case: Case, group: str) -> None:
        require_s3(case)
        bodies = {
            "key-of-a-subfolder": page([case.path("dir/sub/a")], None),
            "folder-elsewhere": prefixes([case.path("other/")]),
            "folder-too-deep": prefixes([case.path("dir/sub/deep/")]),
        }
        self._list(case, bodies[group])
        self._refused(case, recursive=False)

    @check("LIST-034")
    def test_contradiction_no_such_key_for_a_listing(self, case: Case) -> None:
        require_s3(case)
        backend, folder = case.make(retry=RetryPolicy.disabled()), case.path("dir")
        case.endpoint.inject(Respond(404, "NoSuchKey"), operation="ListObjectsV2", times=None)
        calls: dict[str, Callable[[], Any]] = {
            "list_files": lambda: found(backend.list_files(folder)),
            "is_folder": partial(backend.is_folder, folder),
            "delete_folder": partial(backend.delete_folder, folder, recursive=True, missing_ok=True),
        }
        for what, call in calls.items():
            with case.expect_raises(RemoteStoreError, what=what):
                call()

    @check("LIST-035", needs=(Capability.METADATA,))
    def test_contradiction_milliseconds_in_listings_alone(self, case: Case) -> None:
        require_s3(case)
        (path,) = fill(case, "file", data=b"x")
        case.endpoint.inject(RewriteBody(_with_milliseconds), operation="ListObjectsV2", times=None)
        times = [info.modified_at for info in case.backend.list_files(case.folder)]
        stated = (case.backend.get_file_info(path)).modified_at
        case.expect_equal(times, [stated], "the time in a listing, compared with get_file_info")

    @check("COPY-025")
    def test_contradiction_no_bucket_for_the_delete_of_a_move(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        (src,) = fill(case, "src", data=b"precious")
        case.endpoint.inject(Respond(404, "NoSuchBucket"), operation="DeleteObject", times=None)
        with case.expect_raises(RemoteStoreError, what="move", where=lambda error: error.code == "NoSuchBucket"):
            backend.move(src, case.path("dst"), overwrite=True)
        case.expect_equal(case.oracle.raw_get(src), b"precious", "the source")

    @pytest.mark.parametrize("kind", NO_RESULTS)
    @check("WIRE-042")
    def test_contradiction_a_success_of_something_else(self, case: Case, kind: str) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        (src,) = fill(case, "src", data=b"precious")
        for operation in ("PutObject", "DeleteObject"):
            case.endpoint.inject(NO_RESULTS[kind], operation=operation, times=None)
        calls: dict[str, Callable[[], Any]] = {
            "write": partial(backend.write, case.path("new"), b"x", overwrite=True),
            "delete": partial(backend.delete, src),
            "move": partial(backend.move, src, case.path("dst"), overwrite=True),
        }
        for what, call in calls.items():
            with case.expect_raises(RemoteStoreError, what=what):
                call()
        case.expect_equal(case.oracle.raw_get(src), b"precious", "the source")
        case.expect_equal(case.oracle.raw_get(case.path("new")), None, "the destination, which was not written")

    @check("WIRE-043")
    def test_contradiction_a_weak_entity_tag(self, case: Case) -> None:
        require_s3(case)
        content = case.content(SIZE)
        (path,) = fill(case, "file", data=content)
        for operation in ("HeadObject", "GetObject"):
            case.endpoint.inject(RewriteHeaders(_weak), operation=operation, times=None)
        backend = case.backend
        with case.endpoint.recording() as sent:
            case.expect_equal(backend.read_bytes(path), content, "read_bytes")
            case.expect_equal(backend.read_range(path, 10, 20), content[10:30], "read_range")
            if Capability.SEEKABLE_READ in backend.capabilities:
                with backend.read_seekable(path) as stream:
                    stream.seek(50)
                    case.expect_equal(stream.read(), content[50:], "read_seekable")
            if Capability.COPY in backend.capabilities:
                backend.copy(path, case.path("copy"))
        conditions = {
            value
            for request in sent
            for name in ("if-match", "x-amz-copy-source-if-match")
            if (value := request.headers.get(name, "")).startswith("W/")
        }
        case.expect_equal(conditions, set(), "the conditions on a weak entity tag")
        if Capability.COPY in backend.capabilities:
            case.expect_equal(case.oracle.raw_get(case.path("copy")), content, "the copy")

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    @check("META-026")
    def test_contradiction_metadata_of_other_tools(self, case: Case, encoding: str) -> None:
        require_s3(case)
        path = case.path("file")
        case.backend.write(path, b"x", metadata={"author": "ascii"})
        sent = RewriteHeaders(partial(_renamed, VALUE.encode(encoding)))
        for operation in ("HeadObject", "GetObject"):
            case.endpoint.inject(sent, operation=operation, times=None)
        info = case.backend.get_file_info(path)
        case.expect_equal(dict(info.metadata or {}), {"author": VALUE}, "the metadata")
        case.expect_equal(case.backend.read_bytes(path), b"x", "the content")

    @staticmethod
    def _list(case: Case, body: bytes, match: Callable[[Request], bool] | None = None) -> None:
        case.endpoint.inject(Respond(200, body=body), operation="ListObjectsV2", times=None, match=match)

    @staticmethod
    def _refused(case: Case, *, recursive: bool, deletes: bool = True) -> None:
        """Fail unless listing and deleting a folder raise an error and no key is deleted."""
        folder = case.path("dir")
        with case.endpoint.recording() as sent:
            with case.expect_raises(RemoteStoreError, what="the listing"):
                found(case.backend.list_files(folder, recursive=recursive))
            if recursive and deletes and Capability.DELETE in case.backend.capabilities:
                with case.expect_raises(RemoteStoreError, what="delete_folder"):
                    case.backend.delete_folder(folder, recursive=True)
        changes = [request for request in sent if is_upload(request)]
        case.expect_equal(operations(changes), [], "the changes")
