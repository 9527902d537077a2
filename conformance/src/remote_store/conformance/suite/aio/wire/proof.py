"""Responses of web servers, proxies and broken servers, which prove neither a success nor an absence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill, found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import MOST_REQUESTS, operations, page, require_s3
from remote_store.conformance.http.faults import Early, Request, Respond
from remote_store.core import AsyncBackend, RemoteStoreError, RetryPolicy

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


class AsyncProofSuite:
    """WIRE, LIST and DEL: the responses that prove a success or an absence."""

    @pytest.mark.parametrize("response", NOTHING_DONE, ids=brief)
    @async_check("WIRE-038")
    async def test_proof_a_success_without_its_result(self, case: AsyncCase, response: Respond) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        await fill(case, "src", "dir/a", "dir/b", data=b"precious")
        for operation in ("CopyObject", "CompleteMultipartUpload", "CreateMultipartUpload", "DeleteObjects"):
            case.endpoint.inject(response, operation=operation, times=None)
        src, dst = case.path("src"), case.path("dst")
        for name in ("copy", "move"):
            with case.expect_raises(RemoteStoreError, what=name):
                await getattr(backend, name)(src, dst, overwrite=True)
        left = sorted(map(case.path, ("dir/a", "dir/b")))
        try:
            await backend.delete_folder(case.path("dir"), recursive=True)
        except RemoteStoreError:
            pass
        else:
            left = []
        size = case.profile.part_size
        if size is not None:
            with case.expect_raises(RemoteStoreError, what="write of two parts"):
                await backend.write(case.path("large"), bytes(size + 1), overwrite=True)
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), sorted([*left, src]), "the keys")

    @pytest.mark.parametrize("body", [HTML, XHTML, b"", b'{"status":"ok"}'], ids=["html", "xhtml", "empty", "json"])
    @async_check("WIRE-039")
    async def test_proof_an_endpoint_that_is_no_s3(self, case: AsyncCase, body: bytes) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("a")
        headers = {"Content-Type": "text/html"}
        case.endpoint.inject(Respond(200, body=body, headers=headers, foreign=True), times=None)
        for what, call in {**self._questions(backend, path), **self._changes(backend, path)}.items():
            with case.expect_raises(RemoteStoreError, what=what) as caught:
                await call()
            case.expect_equal(caught.error.retryable, False, f"retryable of {what}")

    @pytest.mark.parametrize("sender", NOT_FOUND)
    @async_check("WIRE-040")
    async def test_proof_a_404_of_a_web_server(self, case: AsyncCase, sender: str) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("a")
        response = NOT_FOUND[sender]
        case.endpoint.inject(response, times=None)
        for what, call in self._questions(backend, path).items():
            with case.expect_raises(RemoteStoreError, what=what, where=lambda error: error.code != "NoSuchKey"):
                await call()

    @staticmethod
    def _questions(backend: AsyncBackend, path: str) -> dict[str, Callable[[], Any]]:
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
    def _changes(backend: AsyncBackend, path: str) -> dict[str, Callable[[], Any]]:
        return {
            "write": partial(backend.write, path, b"x", overwrite=True),
            "copy": partial(backend.copy, path, f"{path}2", overwrite=True),
            "move": partial(backend.move, path, f"{path}2", overwrite=True),
        }

    @pytest.mark.parametrize("status", [102, 103])
    @async_check("WIRE-041")
    async def test_proof_a_refusal_behind_an_informational_answer(self, case: AsyncCase, status: int) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        await fill(case, "src", "dir/a", data=b"precious")
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
                await call()
        expected = sorted(map(case.path, ("src", "dir/a")))
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), expected, "the keys")
        case.endpoint.clear_faults()
        case.expect_equal(await backend.read_bytes(src), b"precious", "the content afterwards")

    @async_check("LIST-028")
    async def test_proof_an_empty_page_that_goes_on(self, case: AsyncCase) -> None:
        require_s3(case)
        folder = case.path("dir")
        self._answer_pages(case, {is_first: page([], "more"), lambda r: not is_first(r): page([f"{folder}/a"], None)})
        case.expect_equal(await case.backend.is_folder(folder), True, "is_folder")
        case.expect_equal(await case.backend.exists(folder), True, "exists")
        case.expect_equal(await found(case.backend.list_files(folder)), [f"{folder}/a"], "list_files")
        case.expect_equal((await case.backend.get_folder_info(folder)).file_count, 1, "the files")
        with case.expect_raises(RemoteStoreError, what="delete of a folder"):
            await case.backend.delete(folder, missing_ok=True)

    @async_check("LIST-029")
    async def test_proof_a_key_outside_the_folder(self, case: AsyncCase) -> None:
        require_s3(case)
        (other,) = await fill(case, "victim")
        folder = case.path("dir")
        self._answer_pages(case, {is_first: page([f"{folder}/a", other], None)})
        with case.endpoint.recording() as sent:
            with case.expect_raises(RemoteStoreError, what="list_files"):
                await found(case.backend.list_files(folder, recursive=True))
            with case.expect_raises(RemoteStoreError, what="delete_folder"):
                await case.backend.delete_folder(folder, recursive=True)
        case.expect_equal(set(operations(sent)), {"ListObjectsV2"}, "the operations")
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [other], "the keys")

    @async_check("LIST-030")
    async def test_proof_pages_that_come_round_again(self, case: AsyncCase) -> None:
        require_s3(case)
        folder = case.path("dir")
        pages = {
            lambda request: request.query.get("continuation-token") != "b": page([f"{folder}/a"], "b"),
            lambda request: request.query.get("continuation-token") == "b": page([f"{folder}/b"], "a"),
        }
        self._answer_pages(case, pages)
        with case.endpoint.recording() as sent, case.expect_raises(RemoteStoreError):
            await found(case.backend.list_files(folder, recursive=True))
        case.expect(len(sent) < MOST_REQUESTS, f"fewer than {MOST_REQUESTS} requests", len(sent))

    @staticmethod
    def _answer_pages(case: AsyncCase, pages: dict[Callable[[Request], bool], bytes]) -> None:
        for match, body in pages.items():
            case.endpoint.inject(Respond(200, body=body), operation="ListObjectsV2", times=MOST_REQUESTS, match=match)

    @pytest.mark.parametrize("response", BULK_REFUSALS, ids=brief)
    @async_check("DEL-021")
    async def test_proof_a_server_without_bulk_deletes(self, case: AsyncCase, response: Respond) -> None:
        require_s3(case)
        await fill(case, "dir/a", "dir/b/c", "dir/d")
        is_refused: Callable[[Request], bool] = lambda request: (  # noqa: E731
            response.code != "MissingContentMD5" or "content-md5" not in request.headers
        )
        case.endpoint.inject(response, operation="DeleteObjects", times=None, match=is_refused)
        await case.backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [], "the keys")
