# Generated from conformance/src/remote_store/conformance/suite/aio/facts/metadata.py by tools/unasync.py; edit that.
"""Checks of facts about files and folders, and of user metadata."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from string import ascii_lowercase, digits
from typing import Any

import pytest

from remote_store.conformance.checking.any_case import SERVED
from remote_store.conformance.checking.case import Case, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.suite.expectations import is_honest
from remote_store.core import FileInfo, FolderInfo, InvalidPath, NotFound, RemoteStoreError

PRINTABLE = {"letters": "aZ09", "signs": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "spaces": "a b", "percent": "%41%C3%A9"}
UNFIT: tuple[dict[Any, Any], ...] = (
    {"Upper": "case"},
    {"a b": "space"},
    {"": "nameless"},
    {"nämé": "x"},
    {"colon:": "x"},
    {"value": "é"},
    {"value": " front"},
    {"value": "end "},
    {"value": "line\nbreak"},
    {"value": "nul\0"},
    {"value": "x" * 3000},
)
# 900 entries and 2,048 bytes.
NAMES = [first + second for first in ascii_lowercase for second in ascii_lowercase + digits][:900]
LARGEST = dict.fromkeys(NAMES, "") | {NAMES[0]: "x" * 248}
UNTYPED = {
    "page.html": b"<!doctype html><html><body>x</body></html>",
    "data.json": b'{"a": 1}',
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "nameless": b"plain text",
    "archive.tar.gz": b"\x1f\x8b" + bytes(20),
}
UNTYPED_CONTENT = b"<x>1</x>"
ENDINGS = ("", ".txt", ".json", ".html", ".csv", ".png", ".tar.gz", ".unknown", ".XML")
MISTYPED: tuple[dict[Any, Any], ...] = ({"value": 1}, {"value": b"bytes"}, {1: "value"})


class MetadataSuite:
    """META: get_file_info, get_folder_info, the three probes, metadata, content type, digest."""

    @check("META-001")
    def test_meta_facts_of_a_file(self, case: Case) -> None:
        for size in (0, 1, 1000):
            fill(case, "sub/file.txt", data=b"x" * size)
            info = case.backend.get_file_info(case.path("sub/file.txt"))
            case.expect_type(info, FileInfo, "the result of get_file_info")
            facts = info.path, info.name, info.size
            case.expect_equal(facts, (case.path("sub/file.txt"), "file.txt", size), "path, name and size")

    @check("META-002")
    def test_meta_a_missing_file(self, case: Case) -> None:
        with case.expect_raises(NotFound, path=case.path("absent")):
            case.backend.get_file_info(case.path("absent"))

    @pytest.mark.parametrize("method", ["get_file_info", "get_folder_info"])
    @check("META-024")
    def test_meta_an_error_says_who_and_where(self, case: Case, method: str) -> None:
        with case.expect_raises(NotFound, path=case.path("absent")) as caught:
            getattr(case.backend, method)(case.path("absent"))
        case.expect_equal(caught.error.backend, case.backend.name, "the backend in the error")
        case.expect(repr(case.path("absent")) in str(caught.error), "the text names the path", caught.error)

    @check("META-003")
    def test_meta_a_folder_is_no_file(self, case: Case) -> None:
        fill(case, "folder/file")
        for path in (case.path("folder"), ""):
            with case.expect_raises(InvalidPath, path=path):
                case.backend.get_file_info(path)

    @check("META-004")
    def test_meta_times_are_aware_and_in_order(self, case: Case) -> None:
        fill(case, "first")
        fill(case, "second")
        times = [(case.backend.get_file_info(case.path(name))).modified_at for name in ("first", "second")]
        times += [info.modified_at for info in case.backend.list_files(case.folder)]
        for time in times:
            case.expect(time is None or time.utcoffset() == timedelta(0), f"{time!r} is aware and in UTC")
        fill(case, "first", data=b"again")
        times[2:] = [(case.backend.get_file_info(case.path("first"))).modified_at]
        for older, newer in pairwise(times):
            if older is not None and newer is not None:
                case.expect(older <= newer, f"{older}, the time of an older file, is not later than {newer}")

    def _tags(self, case: Case) -> set[str]:
        written = case.backend.write(case.path("file"), b"content")
        listed = [info.etag for info in case.backend.list_files(case.folder)]
        tags = [written.etag, (case.backend.get_file_info(case.path("file"))).etag, *listed]
        return {tag for tag in tags if tag is not None}

    @check("META-005")
    def test_meta_a_tag_has_no_quotes(self, case: Case) -> None:
        tags = self._tags(case)
        case.expect(not any('"' in tag or tag.startswith("W/") for tag in tags), f"no quotes in {tags}")

    @check("META-006")
    def test_meta_one_tag_everywhere(self, case: Case) -> None:
        tags = self._tags(case)
        case.expect(len(tags) <= 1, f"one ETag in {tags}")

    @check("META-007")
    def test_meta_the_tag_follows_the_content(self, case: Case) -> None:
        tags = []
        for content in (b"one", b"two"):
            fill(case, "file", data=content)
            tags.append((case.backend.get_file_info(case.path("file"))).etag)
        case.expect(tags[0] is None or tags[0] != tags[1], f"two contents, two ETags in {tags}")

    @check("META-008")
    def test_meta_the_content_type_comes_back(self, case: Case) -> None:
        for content_type in ("text/csv", "text/html; charset=utf-8", "application/vnd.apache.parquet"):
            case.backend.write(case.path("file"), b"x", overwrite=True, content_type=content_type)
            info = case.backend.get_file_info(case.path("file"))
            case.expect_equal(info.content_type, content_type, "the content type")

    def _metadata(self, case: Case, name: str) -> Mapping[str, str]:
        return (case.backend.get_file_info(case.path(name))).metadata or {}

    @check("META-009")
    def test_meta_metadata_comes_back(self, case: Case) -> None:
        metadata = {"author": "someone", "run-id": "42", "x_y.z": "1"}
        case.backend.write(case.path("file"), b"x", metadata=metadata)
        case.expect_equal(dict(self._metadata(case, "file")), metadata, "the metadata")

    @check("META-009")
    def test_meta_metadata_is_nobody_else_s(self, case: Case) -> None:
        given: dict[str, str] = {"author": "someone"}
        case.backend.write(case.path("file"), b"x", metadata=given)
        given["author"] = "somebody else"
        found: Any = self._metadata(case, "file")
        case.expect_equal(dict(found), {"author": "someone"}, "the metadata after the caller's mapping changed")
        with suppress(TypeError):
            found["author"] = "nobody"
        after = dict(self._metadata(case, "file"))
        case.expect_equal(after, {"author": "someone"}, "the metadata after the returned mapping changed")

    @check("META-010")
    def test_meta_printable_values_survive(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"x", metadata=PRINTABLE)
        case.expect_equal(dict(self._metadata(case, "file")), PRINTABLE, "the metadata")

    @check("META-011")
    def test_meta_no_metadata_is_none(self, case: Case) -> None:
        case.backend.write(case.path("without"), b"x")
        case.backend.write(case.path("empty"), b"x", metadata={})
        for name in ("without", "empty"):
            case.expect_equal(dict(self._metadata(case, name)), {}, "the metadata")

    @check("META-012")
    def test_meta_unfit_metadata_is_refused(self, case: Case) -> None:
        wrong: list[tuple[type[Exception], dict[Any, Any]]] = [(ValueError, metadata) for metadata in UNFIT]
        for kind, metadata in wrong + [(TypeError, metadata) for metadata in MISTYPED]:
            with case.expect_raises(kind, what=f"a write with metadata {metadata!r}"):
                case.backend.write(case.path("file"), b"x", metadata=metadata)
            case.expect_equal(case.backend.exists(case.path("file")), False, f"exists after {metadata!r}")

    @check("META-013")
    def test_meta_the_result_tells_the_metadata(self, case: Case) -> None:
        result = case.backend.write(case.path("file"), b"x", metadata={"a": "b"})
        case.expect_equal(dict(result.metadata or {}), {"a": "b"}, "the metadata of the result")
        found: Any = result.metadata
        with suppress(TypeError):
            found["a"] = "changed"
        case.expect_equal(dict(self._metadata(case, "file")), {"a": "b"}, "the metadata after that changed")

    @check("META-014")
    def test_meta_an_overwrite_replaces_metadata(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"x", metadata={"old": "1", "both": "1"}, content_type="text/csv")
        case.backend.write(path, b"x", metadata={"both": "2"}, overwrite=True)
        case.expect_equal(dict(self._metadata(case, "file")), {"both": "2"}, "the metadata")
        info = case.backend.get_file_info(path)
        case.expect(info.content_type != "text/csv", f"{info.content_type!r} is not the old content type")

    @check("META-027")
    def test_meta_the_largest_metadata_is_stored_or_refused(self, case: Case) -> None:
        path = case.path("file")
        case.backend.write(path, b"old", metadata={"old": "1"})
        try:
            case.backend.write(path, b"new", overwrite=True, metadata=LARGEST)
        except (RemoteStoreError, ValueError):
            expected = b"old", {"old": "1"}
        else:
            expected = b"new", LARGEST
        content, metadata = case.backend.read_bytes(path), dict(self._metadata(case, "file"))
        case.expect_equal(content, expected[0], "the content after a write with the largest metadata")
        case.expect(metadata == expected[1], f"the {len(expected[1])} entries of metadata of that content", metadata)

    @check("META-028")
    def test_meta_a_content_type_is_not_guessed(self, case: Case) -> None:
        for name, content in UNTYPED.items():
            case.backend.write(case.path(name), content)
            stored = case.oracle.raw_head(case.path(name))
            if stored is None or stored.metadata is None:
                untested("the oracle sees no metadata")
            info = case.backend.get_file_info(case.path(name))
            case.expect_equal(info.content_type, stored.content_type, f"the content type of {name}")

    @check("META-028")
    def test_meta_a_name_does_not_decide_the_content_type(self, case: Case) -> None:
        case.require_profile("a server decides the content type of a file without one", case.kind not in SERVED)
        case.backend.write(case.path("plain"), UNTYPED_CONTENT)
        plain = (case.backend.get_file_info(case.path("plain"))).content_type
        for name in ENDINGS:
            for content in (UNTYPED_CONTENT, *([] if case.tier == "smoke" else UNTYPED.values())):
                case.backend.write(case.path(f"file{name}"), content, overwrite=True)
                info = case.backend.get_file_info(case.path(f"file{name}"))
                case.expect_equal(info.content_type, plain, f"the content type of file{name}, which no write stated")

    @check("META-016")
    def test_meta_totals_leave_siblings_out(self, case: Case) -> None:
        fill(case, "dir/a", "dir/b/c", "dir2/f", "dir.txt", "dir-1/g", "di/h", data=b"1234")
        info = case.backend.get_folder_info(case.path("dir"))
        case.expect_equal((info.file_count, info.total_size), (2, 8), "count and size")

    @check("META-015")
    def test_meta_totals_of_a_folder(self, case: Case) -> None:
        fill(case, "dir/a", "dir/b/c", "dir/b/d/e", "other", data=b"1234")
        for path in (case.path("dir"), case.path("dir") + "/"):
            info = case.backend.get_folder_info(path)
            case.expect_type(info, FolderInfo, "the result of get_folder_info")
            case.expect_equal((info.file_count, info.total_size), (3, 12), "count and size")
        case.expect_equal((case.backend.get_folder_info(case.path("dir"))).path, case.path("dir"), "the path")

    @check("META-017")
    def test_meta_a_missing_folder(self, case: Case) -> None:
        fill(case, "absent2/file")
        with case.expect_raises(NotFound, path=case.path("absent")):
            case.backend.get_folder_info(case.path("absent"))

    @check("META-018")
    def test_meta_a_file_is_no_folder(self, case: Case) -> None:
        fill(case, "file")
        with case.expect_raises(InvalidPath, path=case.path("file")):
            case.backend.get_folder_info(case.path("file"))

    @check("META-019")
    def test_meta_totals_of_the_root(self, case: Case) -> None:
        fill(case, "file", data=b"123")
        info = case.backend.get_folder_info("")
        case.expect(info.file_count >= 1 and info.total_size >= 3, f"the file counts in {info}")

    @check("META-020")
    def test_meta_the_time_of_a_folder_is_its_latest(self, case: Case) -> None:
        fill(case, "dir/a", "dir/b/c")
        files = [info.modified_at for info in case.backend.list_files(case.path("dir"), recursive=True)]
        times = [time for time in files if time is not None]
        info = case.backend.get_folder_info(case.path("dir"))
        case.expect_equal(info.modified_at, max(times) if times else None, "the time")

    @check("META-021")
    def test_meta_a_full_digest_is_the_checksum(self, case: Case) -> None:
        content = bytes(range(256)) * 64
        written = case.backend.write(case.path("file"), content)
        info = case.backend.get_file_info(case.path("file"))
        for digest in (written.digest, info.digest):
            case.expect(digest is None or is_honest(digest, content), f"{digest} is the checksum of the content")

    @check("META-022")
    def test_meta_probes_tell_the_kinds_apart(self, case: Case) -> None:
        fill(case, "dir/file")
        fill(case, "dir/empty", data=b"")
        file, folder, nothing = (True, True, False), (True, False, True), (False, False, False)
        truth = {"dir/file": file, "dir/empty": file, "dir": folder, "absent": nothing}
        for name, expected in truth.items():
            path = case.path(name)
            found = (
                case.backend.exists(path),
                case.backend.is_file(path),
                case.backend.is_folder(path),
            )
            case.expect_equal(found, expected, f"exists, is_file and is_folder of {name!r}")
        case.expect_equal(case.backend.is_folder(case.path("dir") + "/"), True, "is_folder with a slash")

    @check("META-023")
    def test_meta_unfit_content_types_are_refused(self, case: Case) -> None:
        wrongs: tuple[tuple[Any, type[Exception]], ...] = (
            ("text/plain\r\nx-injected: 1", ValueError),
            ("text/é", ValueError),
            (3, TypeError),
        )
        for wrong, kind in wrongs:
            content_type: Any = wrong
            with case.expect_raises(kind, what=f"a write with content type {wrong!r}"):
                case.backend.write(case.path("file"), b"x", content_type=content_type)
            case.expect_equal(case.backend.exists(case.path("file")), False, f"exists after {wrong!r}")
