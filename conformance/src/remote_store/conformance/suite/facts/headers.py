# Generated from conformance/src/remote_store/conformance/suite/aio/facts/headers.py by tools/unasync.py; edit that.
"""Checks of the headers that a file is stored with."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
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


def taking(case: Case) -> Any:
    """The backend of a case. Its class states no options, because a backend of contract 0.1 has none."""
    return case.backend


def headers_of(info: FileInfo) -> dict[str, Any]:
    """The headers in the facts of a file."""
    return {name: getattr(info, name) for name in NAMES}


class HeaderSuite:
    """HEAD: headers per write."""

    @check("HEAD-001", needs=(Capability.METADATA,))
    def test_head_values_are_not_changed(self, case: Case) -> None:
        rows = [(name, value) for name, values in VALUES.items() for value in values]
        for name, value in rows if is_near(case) else case.rng.sample(rows, 2 if case.tier == "smoke" else 6):
            taking(case).write(case.path("file"), b"content", overwrite=True, **{name: value})
            expected = dict.fromkeys(NAMES) | {name: value}
            info = case.backend.get_file_info(case.path("file"))
            case.expect_equal(headers_of(info), expected, f"the headers of a file with {name}={value!r}")

    @pytest.mark.parametrize("method", WRITES)
    @check("HEAD-001", needs=(Capability.METADATA,))
    def test_head_headers_come_back(self, case: Case, method: str) -> None:
        if method != "write":
            case.require(Capability.ATOMIC_WRITE)
        if method == "open_atomic":
            with taking(case).open_atomic(case.path("file"), **GIVEN) as file:
                file.write(b"content")
        else:
            getattr(case.backend, method)(case.path("file"), b"content", **GIVEN)
        info = case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), STORED, "the headers")
        for name in NAMES:
            taking(case).write(case.path("one"), b"content", overwrite=True, **{name: GIVEN[name]})
            info = case.backend.get_file_info(case.path("one"))
            expected = dict.fromkeys(NAMES) | {name: STORED[name]}
            case.expect_equal(headers_of(info), expected, f"the headers of a write with {name}")

    @check("HEAD-001", needs=(Capability.METADATA,))
    def test_head_headers_of_a_large_file_come_back(self, case: Case) -> None:
        content = case.content((case.profile.part_size or 100_000) + 1)
        taking(case).write(case.path("file"), content, **GIVEN)
        info = case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), STORED, "the headers of a file with two parts")

    @check("HEAD-001", needs=(Capability.METADATA,))
    def test_head_no_headers_are_none(self, case: Case) -> None:
        fill(case, "file")
        info = case.backend.get_file_info(case.path("file"))
        case.expect_equal(headers_of(info), dict.fromkeys(NAMES), "the headers of a write without any")

    @pytest.mark.parametrize("method", ["copy", "move"])
    @check("HEAD-002", needs=(Capability.METADATA,))
    def test_head_headers_are_kept(self, case: Case, method: str) -> None:
        case.require(Capability.COPY if method == "copy" else Capability.MOVE)
        taking(case).write(case.path("file"), b"content", **GIVEN)
        getattr(case.backend, method)(case.path("file"), case.path("other"))
        info = case.backend.get_file_info(case.path("other"))
        case.expect_equal(headers_of(info), STORED, f"the headers after a {method}")

    @check("HEAD-003", needs=(Capability.METADATA,))
    def test_head_an_overwrite_removes_headers(self, case: Case) -> None:
        taking(case).write(case.path("file"), b"old", **GIVEN)
        taking(case).write(case.path("file"), b"new", overwrite=True, cache_control="no-cache")
        info = case.backend.get_file_info(case.path("file"))
        expected = dict.fromkeys(NAMES) | {"cache_control": "no-cache"}
        case.expect_equal(headers_of(info), expected, "the headers after an overwrite")

    @check("HEAD-004", needs=(Capability.READ,))
    def test_head_an_encoded_body_is_not_decoded(self, case: Case) -> None:
        packed = gzip.compress(case.content(40_000) + bytes(100_000))
        for encoding, content in (("gzip", packed), ("gzip", b"not packed at all"), ("br", b"no brotli")):
            taking(case).write(
                case.path("file"), content, overwrite=True, content_encoding=encoding, content_type="text/plain"
            )
            self._expect_content(case, content)
        info = case.backend.get_file_info(case.path("file"))
        case.expect_equal(info.size, len(content), "the size")

    def _expect_content(self, case: Case, content: bytes) -> None:
        path = case.path("file")
        case.expect_equal(case.backend.read_bytes(path), content, "read_bytes")
        with case.backend.read(path) as stream:
            pieces = [piece for piece in in_pieces(stream)]
        case.expect_equal(b"".join(pieces), content, "read in pieces")
        if Capability.RANGE_READ in case.backend.capabilities:
            case.expect_equal(case.backend.read_range(path, 3, 10), content[3:13], "read_range")
        if Capability.SEEKABLE_READ in case.backend.capabilities:
            with case.backend.read_seekable(path) as stream:
                stream.seek(-5, 2)
                case.expect_equal(stream.read(), content[-5:], "the end by read_seekable")

    @check("HEAD-005")
    def test_head_unfit_headers_are_refused(self, case: Case) -> None:
        wrong: list[tuple[type[Exception], dict[str, Any]]] = [(ValueError, headers) for headers in UNFIT]
        for kind, headers in wrong + [(TypeError, headers) for headers in MISTYPED]:
            with case.expect_no_request(f"a write with {headers!r}"):
                with case.expect_raises(kind, what=f"a write with {headers!r}"):
                    taking(case).write(case.path("file"), b"x", **headers)
            case.expect_equal(case.backend.exists(case.path("file")), False, f"exists after {headers!r}")


def in_pieces(stream: Any) -> Any:
    """The content of a stream in pieces of 7,000 bytes."""
    while piece := stream.read(7000):
        yield piece
