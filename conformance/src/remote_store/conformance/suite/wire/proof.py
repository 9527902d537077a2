# Generated from conformance/src/remote_store/conformance/suite/aio/wire/proof.py by tools/unasync.py; edit that.
"""Responses of web servers, proxies and broken servers, which prove neither a success nor an absence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found
from remote_store.conformance.checking.wire import MOST_REQUESTS, operations, page, require_s3
from remote_store.conformance.http.faults import Early, Request, Respond
from remote_store.core import Backend, RemoteStoreError, RetryPolicy

HTML = b"<!doctype html><html><head><meta charset=utf-8><title>Console</title></head><body><br></body></html>"
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>ok</p></body></html>'
NOTHING_DONE = [
    Respond(200),
    Respond(200, body=XHTML, headers={"Content-Type": "text/html"}),
    Respond(200, body=b"<ListAllMyBucketsResult/>", headers={"Content-Type": "application/xml"}),
    Respond(202),
    Respond(204),
]
NOT_FOUND = {
    "web-server": Respond(404, body=HTML, headers={"Content-Type": "text/html"}, foreign=True),
    "cdn": Respond(404, body=HTML, headers={"Content-Type": "text/html", "X-Cache": "Error from cdn"}, foreign=True),
    "gateway": Respond(404, body=b'{"message":"no Route"}', headers={"Content-Type": "application/json"}, foreign=True),
    "nothing": Respond(404, foreign=True),
}
BULK_REFUSALS = [Respond(501, "NotImplemented"), Respond(405, "MethodNotAllowed"), Respond(400, "MissingContentMD5")]


def brief(response: Respond) -> str:
    """A response as the id of a parameter."""
    return f"{response.status}-{response.code or len(response.body or b'')}"


def is_first(request: Request) -> bool:
    """Whether a request is for the first page of a listing."""
    return "continuation-token" not in request.query


class ProofSuite:
    """WIRE, LIST and DEL: the responses that prove a success or an absence."""

    @pytest.mark.parametrize("response", NOTHING_DONE, ids=brief)
    @check("WIRE-038")
    def test_proof_a_success_without_its_result(self, case: Case, response: Respond) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        fill(case, "src", "dir/a", "dir/b", data=b"precious")
        for operation in ("CopyObject", "CompleteMultipartUpload", "CreateMultipartUpload", "DeleteObjects"):
            case.endpoint.inject(response, operation=operation, times=None)
        src, dst = case.path("src"), case.path("dst")
        for name in ("copy", "move"):
            with case.expect_raises(RemoteStoreError, what=name):
                getattr(backend, name)(src, dst, overwrite=True)
        left = sorted(map(case.path, ("dir/a", "dir/b")))
        try:
            backend.delete_folder(case.path("dir"), recursive=True)
        except RemoteStoreError:
            pass
        else:
            left = []
        size = case.profile.part_size
        if size is not None:
            with case.expect_raises(RemoteStoreError, what="write of two parts"):
                backend.write(case.path("large"), bytes(size + 1), overwrite=True)
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), sorted([*left, src]), "the keys")

    @pytest.mark.parametrize("body", [HTML, XHTML, b"", b'{"status":"ok"}'], ids=["html", "xhtml", "empty", "json"])
    @check("WIRE-039")
    def test_proof_an_endpoint_that_is_no_s3(self, case: Case, body: bytes) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("a")
        headers = {"Content-Type": "text/html"}
        case.endpoint.inject(Respond(200, body=body, headers=headers, foreign=True), times=None)
        for what, call in {**self._questions(backend, path), **self._changes(backend, path)}.items():
            with case.expect_raises(RemoteStoreError, what=what) as caught:
                call()
            case.expect_equal(caught.error.retryable, False, f"retryable of {what}")

    @pytest.mark.parametrize("sender", NOT_FOUND)
    @check("WIRE-040")
    def test_proof_a_404_of_a_web_server(self, case: Case, sender: str) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("a")
        response = NOT_FOUND[sender]
        case.endpoint.inject(response, times=None)
        for what, call in self._questions(backend, path).items():
            with case.expect_raises(RemoteStoreError, what=what, where=lambda error: error.code != "NoSuchKey"):
                call()

    @staticmethod
    def _questions(backend: Backend, path: str) -> dict[str, Callable[[], Any]]:
        return {
            "exists": partial(backend.exists, path),
            "is_file": partial(backend.is_file, path),
            "is_folder": partial(backend.is_folder, path),
            "list_files": lambda: found(backend.list_files(path, recursive=True)),
            "get_folder_info": partial(backend.get_folder_info, path),
            "delete": partial(backend.delete, path, missing_ok=True),
            "delete_folder": partial(backend.delete_folder, path, recursive=True, missing_ok=True),
            "check_health": backend.check_health,
        }

    @staticmethod
    def _changes(backend: Backend, path: str) -> dict[str, Callable[[], Any]]:
        return {
            "write": partial(backend.write, path, b"x", overwrite=True),
            "copy": partial(backend.copy, path, f"{path}2", overwrite=True),
            "move": partial(backend.move, path, f"{path}2", overwrite=True),
        }

    @pytest.mark.parametrize("status", [102, 103])
    @check("WIRE-041")
    def test_proof_a_refusal_behind_an_informational_answer(self, case: Case, status: int) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        fill(case, "src", "dir/a", data=b"precious")
        for operation in ("PutObject", "CopyObject", "DeleteObject", "DeleteObjects"):
            case.endpoint.inject(Early(status), operation=operation, times=None)
            case.endpoint.inject(Respond(403, "AccessDenied"), operation=operation, times=None)
        src, dst = case.path("src"), case.path("dst")
        calls: dict[str, Callable[[], Any]] = {
            "write": partial(backend.write, dst, b"x", overwrite=True),
            "copy": partial(backend.copy, src, dst, overwrite=True),
            "move": partial(backend.move, src, dst, overwrite=True),
            "delete": partial(backend.delete, src),
            "delete_folder": partial(backend.delete_folder, case.path("dir"), recursive=True),
        }
        for what, call in calls.items():
            with case.expect_raises(RemoteStoreError, what=what):
                call()
        expected = sorted(map(case.path, ("src", "dir/a")))
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), expected, "the keys")
        case.endpoint.clear_faults()
        case.expect_equal(backend.read_bytes(src), b"precious", "the content afterwards")

    @check("LIST-028")
    def test_proof_an_empty_page_that_goes_on(self, case: Case) -> None:
        require_s3(case)
        folder = case.path("dir")
        self._answer_pages(case, {is_first: page([], "more"), lambda r: not is_first(r): page([f"{folder}/a"], None)})
        case.expect_equal(case.backend.is_folder(folder), True, "is_folder")
        case.expect_equal(case.backend.exists(folder), True, "exists")
        case.expect_equal(found(case.backend.list_files(folder)), [f"{folder}/a"], "list_files")
        case.expect_equal((case.backend.get_folder_info(folder)).file_count, 1, "the files")
        with case.expect_raises(RemoteStoreError, what="delete of a folder"):
            case.backend.delete(folder, missing_ok=True)

    @check("LIST-029")
    def test_proof_a_key_outside_the_folder(self, case: Case) -> None:
        require_s3(case)
        (other,) = fill(case, "victim")
        folder = case.path("dir")
        self._answer_pages(case, {is_first: page([f"{folder}/a", other], None)})
        with case.endpoint.recording() as sent:
            with case.expect_raises(RemoteStoreError, what="list_files"):
                found(case.backend.list_files(folder, recursive=True))
            with case.expect_raises(RemoteStoreError, what="delete_folder"):
                case.backend.delete_folder(folder, recursive=True)
        case.expect_equal(set(operations(sent)), {"ListObjectsV2"}, "the operations")
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [other], "the keys")

    @check("LIST-030")
    def test_proof_pages_that_come_round_again(self, case: Case) -> None:
        require_s3(case)
        folder = case.path("dir")
        pages = {
            lambda request: request.query.get("continuation-token") != "b": page([f"{folder}/a"], "b"),
            lambda request: request.query.get("continuation-token") == "b": page([f"{folder}/b"], "a"),
        }
        self._answer_pages(case, pages)
        with case.endpoint.recording() as sent, case.expect_raises(RemoteStoreError):
            found(case.backend.list_files(folder, recursive=True))
        case.expect(len(sent) < MOST_REQUESTS, f"fewer than {MOST_REQUESTS} requests", len(sent))

    @staticmethod
    def _answer_pages(case: Case, pages: dict[Callable[[Request], bool], bytes]) -> None:
        for match, body in pages.items():
            case.endpoint.inject(Respond(200, body=body), operation="ListObjectsV2", times=MOST_REQUESTS, match=match)

    @pytest.mark.parametrize("response", BULK_REFUSALS, ids=brief)
    @check("DEL-021")
    def test_proof_a_server_without_bulk_deletes(self, case: Case, response: Respond) -> None:
        require_s3(case)
        fill(case, "dir/a", "dir/b/c", "dir/d")
        is_refused: Callable[[Request], bool] = lambda request: (  # noqa: E731
            response.code != "MissingContentMD5" or "content-md5" not in request.headers
        )
        case.endpoint.inject(response, operation="DeleteObjects", times=None, match=is_refused)
        case.backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [], "the keys")
