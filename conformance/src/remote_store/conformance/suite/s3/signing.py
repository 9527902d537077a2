# Generated from conformance/src/remote_store/conformance/suite/aio/s3/signing.py by tools/unasync.py; edit that.
"""Checks of URLs and forms, which are used over plain HTTP and without credentials."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from remote_store.conformance.checking.case import Case, not_applicable
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import KEYS
from remote_store.conformance.checking.plain_http import fill_in, send
from remote_store.conformance.checking.trees import fill
from remote_store.core import Capability, CapabilityNotSupported, InvalidPath, PresignedPost

READ, WRITE = (Capability.READ,), (Capability.WRITE,)
METHODS = ("GET", "HEAD", "PUT", "DELETE")
WEEK = 7 * 24 * 3600
DISPOSITION = "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A9.txt"
WRONG: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "method": ({"method": "POST"}, ValueError),
    "lower case": ({"method": "get"}, ValueError),
    "no time": ({"expires_in": 0}, ValueError),
    "less than a second": ({"expires_in": 0.5}, ValueError),
    "more than a week": ({"expires_in": WEEK + 1}, ValueError),
    "eight days": ({"expires_in": timedelta(days=8)}, ValueError),
    "not a number": ({"expires_in": float("nan")}, ValueError),
    "bool": ({"expires_in": True}, TypeError),
    "text": ({"expires_in": "3600"}, TypeError),
    "type of a GET": ({"content_type": "text/csv"}, ValueError),
    "type with a line break": ({"method": "PUT", "content_type": "a/b\r\nx: y"}, ValueError),
    "response of a PUT": ({"method": "PUT", "response_headers": {"Content-Type": "a/b"}}, ValueError),
    "unknown header": ({"response_headers": {"Set-Cookie": "a=b"}}, ValueError),
    "header twice": ({"response_headers": {"Content-Type": "a/b", "content-type": "a/c"}}, ValueError),
    "header with a line break": ({"response_headers": {"Content-Type": "a/b\r\nSet-Cookie: a=b"}}, ValueError),
    "no date": ({"response_headers": {"Expires": "tomorrow"}}, ValueError),
    "version of a PUT": ({"method": "PUT", "version_id": "v"}, ValueError),
}
WRONG_FORMS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "size": ({"max_size": -1}, ValueError),
    "size of a wrong type": ({"max_size": True}, TypeError),
    "time": ({"expires_in": WEEK + 1}, ValueError),
    "type": ({"content_type": "*/*"}, ValueError),
    "shape": ({"conditions": [["starts-with", "$acl"]]}, ValueError),
    "key": ({"conditions": [{"key": "elsewhere"}]}, ValueError),
    "any key": ({"conditions": [["starts-with", "$key", ""]]}, ValueError),
    "signature": ({"conditions": [{"x-amz-signature": "0"}]}, ValueError),
}


class SigningSuite:
    """SIGN: presign and presign_post."""

    def _form(self, case: Case, prefix: str, **options: Any) -> PresignedPost:
        try:
            return case.backend.presign_post(case.path(prefix), **options)
        except CapabilityNotSupported:
            not_applicable("the backend makes no forms")

    @pytest.mark.parametrize("key", KEYS)
    @check("SIGN-001", needs=WRITE)
    def test_sign_a_url_reads_the_file(self, case: Case, key: str) -> None:
        path, content = case.path(KEYS[key]), f"the content of {key}".encode()
        case.backend.write(path, content)
        got = send("GET", case.backend.presign(path))
        case.expect_equal((got.status, got.body), (200, content), "status and content of a GET")
        asked = send("HEAD", case.backend.presign(path, method="HEAD"))
        facts = asked.status, asked.headers.get("content-length")
        case.expect_equal(facts, (200, str(len(content))), "status and length of a HEAD")

    @pytest.mark.parametrize("key", KEYS)
    @check("SIGN-002", needs=READ)
    def test_sign_a_url_writes_and_deletes_the_file(self, case: Case, key: str) -> None:
        path, content = case.path(KEYS[key]), f"the content of {key}".encode()
        for body in (b"replaced", content):
            put = send("PUT", case.backend.presign(path, method="PUT"), body)
            case.expect(put.succeeded, "a PUT succeeds", put.status)
        case.expect_equal(case.backend.read_bytes(path), content, "the content")
        deleted = send("DELETE", case.backend.presign(path, method="DELETE"))
        case.expect(deleted.succeeded, "a DELETE succeeds", deleted.status)
        case.expect_equal(case.backend.exists(path), False, "exists")

    @check("SIGN-003")
    def test_sign_nothing_is_sent(self, case: Case) -> None:
        with case.expect_no_request("presign and presign_post"):
            urls = [case.backend.presign(case.path("absent"), method=method) for method in METHODS]
            times = (1, WEEK, 1.9, timedelta(minutes=5))
            urls += [case.backend.presign(case.path("absent"), expires_in=time) for time in times]
            self._form(case, "absent/")
        case.expect(all(isinstance(url, str) for url in urls), "each URL is a str")

    @check("SIGN-004", needs=WRITE)
    def test_sign_a_url_allows_nothing_else(self, case: Case) -> None:
        fill(case, "mine", "other", data=b"content")
        url = case.backend.presign(case.path("mine"))
        scheme, host, path, query, _ = urlsplit(url)
        longer = [(name, "604800" if value == "3600" else value) for name, value in parse_qsl(query)]
        other = urlunsplit((scheme, host, f"{path.removesuffix('mine')}other", query, ""))
        attempts = {
            "another method": send("PUT", url, b"x"),
            "a delete": send("DELETE", url),
            "another file": send("GET", other),
            "a longer time": send("GET", urlunsplit((scheme, host, path, urlencode(longer), ""))),
            "another parameter": send("GET", f"{url}&response-content-type=text/html"),
            "no signature": send("GET", urlunsplit((scheme, host, path, "", ""))),
        }
        allowed = sorted(name for name, response in attempts.items() if response.status < 400)
        case.expect_equal(allowed, [], "what a URL allows besides its own request")
        case.expect_equal(case.backend.read_bytes(case.path("mine")), b"content", "the content")

    @check("SIGN-005")
    def test_sign_the_content_type_is_stored(self, case: Case) -> None:
        path = case.path("file")
        url = case.backend.presign(path, method="PUT", content_type="text/x; charset=utf-8")
        put = send("PUT", url, b"content", {"Content-Type": "text/x; charset=utf-8"})
        case.expect(put.succeeded, "a PUT succeeds", put.status)
        got = send("GET", case.backend.presign(path))
        case.expect_equal(got.headers.get("content-type"), "text/x; charset=utf-8", "the stored content type")

    @check("SIGN-005")
    def test_sign_no_other_content_type_is_taken(self, case: Case) -> None:
        url = case.backend.presign(case.path("file"), method="PUT", content_type="text/x")
        for headers in ({"Content-Type": "text/html"}, {}):
            put = send("PUT", url, b"content", headers)
            case.expect(put.status >= 400, "a PUT with another content type is refused", put.status)
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists")

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @check("SIGN-006", needs=WRITE)
    def test_sign_the_response_has_other_headers(self, case: Case, method: str) -> None:
        case.backend.write(case.path("file"), b"content", content_type="text/x")
        asked = {
            "cache-control": "no-store",
            "CONTENT-DISPOSITION": DISPOSITION,
            "Content-Language": "de",
            "content-Type": "text/y; charset=utf-8",
            "Expires": "Thu, 01 Dec 1994 16:00:00 GMT",
        }
        got = send(method, case.backend.presign(case.path("file"), method=method, response_headers=asked))
        for name, value in asked.items():
            case.expect_equal(got.headers.get(name.lower()), value, f"{name} in the response")

    @pytest.mark.parametrize("wrong", WRONG)
    @check("SIGN-007")
    def test_sign_an_argument_that_means_nothing(self, case: Case, wrong: str) -> None:
        arguments, kind = WRONG[wrong]
        with case.expect_no_request("a wrong argument"):
            with case.expect_raises(kind):
                case.backend.presign(case.path("file"), **arguments)

    @pytest.mark.parametrize("method", METHODS)
    @check("SIGN-008")
    def test_sign_a_path_that_is_no_file(self, case: Case, method: str) -> None:
        paths = ["", case.path("nul\0")]
        if method == "PUT":
            paths += [case.path("a//b"), case.path("a/./b"), case.path("a/../b"), case.path("a/")]
        for path in paths:
            with case.expect_raises(InvalidPath, path=path):
                case.backend.presign(path, method=method)

    @check("SIGN-008")
    def test_sign_a_prefix_that_cannot_be_written_below(self, case: Case) -> None:
        self._form(case, "up/")
        for prefix in ("", "/", case.path("a//"), case.path("../"), case.path("nul\0/")):
            with case.expect_raises(InvalidPath, path=prefix):
                case.backend.presign_post(prefix)

    @check("SIGN-009", needs=READ)
    def test_sign_a_form_uploads_a_file(self, case: Case) -> None:
        form = self._form(case, "a b+%é/", max_size=7, content_type="image/x")
        case.expect_type(form, PresignedPost, "the form")
        for name, content in (("é 1.png", b"content"), ("2", b"")):
            sent = fill_in(form, name, content)
            case.expect(sent.succeeded, "the form is accepted", sent.status)
            path = case.path(f"a b+%é/{name}")
            case.expect_equal(case.backend.read_bytes(path), content, "the content")
            got = send("GET", case.backend.presign(path))
            case.expect_equal(got.headers.get("content-type"), "image/x", "the stored content type")

    @check("SIGN-009", needs=READ)
    def test_sign_a_form_has_more_conditions(self, case: Case) -> None:
        conditions = [{"x-amz-meta-user": "ada"}, ["starts-with", "$x-amz-meta-tool", "f"]]
        form = self._form(case, "up", content_type="image/*", conditions=conditions)
        case.expect_equal(len(conditions), 2, "the conditions of the caller")
        sent = fill_in(form, "-1", b"x", {"Content-Type": "image/y", "x-amz-meta-tool": "form"})
        case.expect(sent.succeeded, "the form is accepted", sent.status)
        got = send("GET", case.backend.presign(case.path("up-1")))
        names = ("content-type", "x-amz-meta-user", "x-amz-meta-tool")
        case.expect_equal([got.headers.get(name) for name in names], ["image/y", "ada", "form"], "stored headers")

    @check("SIGN-010", needs=READ)
    def test_sign_a_form_allows_nothing_else(self, case: Case) -> None:
        form = self._form(case, "up/", max_size=7, content_type="image/*")
        image = {"Content-Type": "image/x"}
        attempts = {
            "another key": fill_in(form, "f", b"content", {**image, "key": case.path("f")}),
            "a larger file": fill_in(form, "f", b"contents", image),
            "another type": fill_in(form, "f", b"content", {"Content-Type": "text/html"}),
            "another policy": fill_in(form, "f", b"content", {**image, "policy": "e30="}),
        }
        allowed = sorted(name for name, response in attempts.items() if response.succeeded)
        case.expect_equal(allowed, [], "what a form allows besides its own request")
        sent = fill_in(form, "f", b"content", image)
        case.expect(sent.succeeded, "the form is accepted", sent.status)

    @pytest.mark.parametrize("wrong", WRONG_FORMS)
    @check("SIGN-011")
    def test_sign_a_condition_that_means_nothing(self, case: Case, wrong: str) -> None:
        arguments, kind = WRONG_FORMS[wrong]
        self._form(case, "up/")
        with case.expect_raises(kind):
            case.backend.presign_post(case.path("up/"), **arguments)

    @check("SIGN-012")
    def test_sign_a_signature_is_shown_nowhere(self, case: Case) -> None:
        with logged() as lines:
            urls = [case.backend.presign(case.path("file"), method=method) for method in METHODS]
            form = self._form(case, "up/")
        secrets = [value for url in urls for name, value in parse_qsl(urlsplit(url).query) if "ignature" in name]
        secrets += [value for name, value in form.fields.items() if "ignature" in name or name == "policy"]
        shown = [line for line in [*lines, f"{form!r} {form}"] if any(secret in line for secret in secrets)]
        case.expect(not shown, f"no line or repr of {len(lines) + 1} has a signature or a policy", len(shown))


@contextmanager
def logged() -> Iterator[list[str]]:
    """The lines of the logger `remote_store` in the block."""
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("remote_store")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
