# Generated from conformance/src/remote_store/conformance/suite/aio/s3/names.py by tools/unasync.py; edit that.
"""Checks of names on S3 only: shared by a file and a folder, folder markers, long and unusual names, pages."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found, names
from remote_store.conformance.checking.wire import operations, page, require_s3
from remote_store.conformance.http.faults import Respond, RewriteBody
from remote_store.core import (
    BackendUnavailable,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    RetryPolicy,
)

CONTROL = ("\x01", "\x1f", "\x08", "\ufffe")


class S3Suite:
    """S3: objects, markers, uploads."""

    @check("S3-001")
    def test_s3_a_file_beside_a_folder_of_its_name(self, case: Case) -> None:
        require_s3(case)
        fill(case, "a/b", "other")
        fill(case, "a")
        path = case.path("a")
        results = [
            case.backend.exists(path),
            case.backend.is_file(path),
            case.backend.is_folder(path),
        ]
        case.expect_equal(results, [True] * 3, "exists, is_file and is_folder")
        case.expect_equal(names(case.backend.list_files(case.folder)), ["a", "other"], "list_files")
        case.expect_equal(names(case.backend.list_folders(case.folder)), ["a"], "list_folders")
        case.expect_equal(names(case.backend.iter_children(case.folder)), ["a", "a", "other"], "iter_children")
        case.expect_equal(names(case.backend.list_files(path)), ["b"], "list_files of the folder")
        case.expect_equal((case.backend.get_file_info(path)).size, 1, "the size of the file")
        case.expect_equal((case.backend.get_folder_info(path)).file_count, 1, "the files in the folder")

    @check("S3-002")
    def test_s3_a_marker_is_a_folder_and_no_file(self, case: Case) -> None:
        require_s3(case)
        oracle, path = case.oracle, case.path("empty")
        oracle.raw_put(path + "/", b"")
        oracle.raw_put(case.path("full/"), b"")
        fill(case, "full/file")
        case.expect_equal([case.backend.is_folder(path), case.backend.exists(path)], [True] * 2, "probes")
        case.expect_equal(case.backend.is_file(path), False, "is_file")
        case.expect_equal(names(case.backend.list_folders(case.folder)), ["empty", "full"], "list_folders")
        for folder, files in ((path, []), (case.path("full"), [case.path("full/file")]), (case.folder, None)):
            expected = [case.path("full/file")] if files is None else files
            listing = case.backend.list_files(folder, recursive=True)
            case.expect_equal(found(listing), expected, f"list_files of {folder!r}")
        case.expect_equal(found(case.backend.iter_children(path)), [], "iter_children of the empty folder")
        case.expect_equal(found(case.backend.glob(case.path("**"))), [case.path("full/file")], "glob")
        case.expect_equal((case.backend.get_folder_info(path)).file_count, 0, "the files in the empty folder")
        case.expect_equal((case.backend.get_folder_info(case.folder)).file_count, 1, "the files in all")

    @check("S3-003")
    def test_s3_a_marker_goes_with_its_folder(self, case: Case) -> None:
        require_s3(case)
        oracle = case.oracle
        for key in ("empty/", "full/", "full/sub/", "empty2/"):
            oracle.raw_put(case.path(key), b"")
        fill(case, "full/sub/file")
        with case.expect_raises(DirectoryNotEmpty):
            case.backend.delete_folder(case.path("full"))
        case.backend.delete_folder(case.path("empty"))
        case.backend.delete_folder(case.path("full"), recursive=True)
        case.expect_equal(oracle.raw_list(case.folder + "/"), [case.path("empty2/")], "the keys left")

    @check("S3-004")
    def test_s3_no_marker_is_written(self, case: Case) -> None:
        require_s3(case)
        oracle, backend = case.oracle, case.backend
        fill(case, "a/b/c", "a/d", "e/f")
        backend.delete(case.path("a/b/c"))
        backend.copy(case.path("a/d"), case.path("g/h/i"))
        backend.move(case.path("e/f"), case.path("j/k"))
        with backend.open_atomic(case.path("l/m")) as stream:
            stream.write(b"x")
        expected = sorted(map(case.path, ("a/d", "g/h/i", "j/k", "l/m")))
        case.expect_equal(sorted(oracle.raw_list(case.folder + "/")), expected, "the keys")

    @check("S3-009")
    def test_s3_a_file_as_ancestor_is_refused_on_demand(self, case: Case) -> None:
        require_s3(case)
        strict = case.make(reject_write_under_file_ancestor=True)
        fill(case, "a/b", "source", "beside/c")
        for name in ("a/b/c", "a/b/c/d/e"):
            with case.expect_raises(InvalidPath, path=case.path(name)):
                strict.write(case.path(name), b"x", overwrite=True)
            with case.expect_raises(InvalidPath, path=case.path(name)):
                strict.copy(case.path("source"), case.path(name), overwrite=True)
            with case.expect_raises(InvalidPath, path=case.path(name)):
                strict.move(case.path("source"), case.path(name), overwrite=True)
        listed = found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(map(case.path, ("a/b", "source", "beside/c"))), "the files")
        with case.endpoint.recording() as sent:
            strict.write(case.path("beside/d/e"), b"x", overwrite=True)
        ancestors = case.path("beside/d/e").count("/")
        case.expect_equal(operations(sent), ["HeadObject"] * ancestors + ["PutObject"], "the requests")

    @pytest.mark.parametrize("status, kind", [(403, PermissionDenied), (500, BackendUnavailable)])
    @check("S3-009")
    def test_s3_an_unclear_ancestor_refuses(self, case: Case, status: int, kind: type[RemoteStoreError]) -> None:
        require_s3(case)
        strict = case.make(reject_write_under_file_ancestor=True, retry=RetryPolicy.disabled())
        ancestor = case.path("a")
        case.endpoint.inject(
            Respond(status), operation="HeadObject", times=None, match=lambda request: request.key == ancestor
        )
        with case.expect_raises(kind):
            strict.write(case.path("a/b"), b"x", overwrite=True)
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [], "the keys")

    @check("S3-010")
    def test_s3_long_keys(self, case: Case) -> None:
        require_s3(case)
        backend = case.backend
        longest = long_key(case.folder, 1024)
        backend.write(longest, b"long")
        case.expect_equal(backend.read_bytes(longest), b"long", "the content under 1,024 bytes")
        backend.delete(longest)
        for key in (long_key(case.folder, 1025), "é" * 513):
            calls: list[Any] = [
                partial(backend.write, key, b"x"),
                partial(backend.read, key),
                partial(backend.read_bytes, key),
                partial(backend.read_range, key, 0, 1),
                partial(backend.get_file_info, key),
                partial(backend.delete, key),
                partial(backend.copy, key, case.path("copy")),
                partial(backend.copy, case.path("copy"), key),
                partial(backend.move, case.path("copy"), key),
            ]
            with case.endpoint.recording() as sent:
                for call in calls:
                    with case.expect_raises(InvalidPath, path=key, what=call.func.__name__):
                        call()
            case.expect_equal(operations(sent), [], "the requests")

    @check("S3-011")
    def test_s3_control_characters_go_one_by_one(self, case: Case) -> None:
        require_s3(case)
        for name in (*CONTROL, "plain", "plain too"):
            case.oracle.raw_put(case.path(f"dir/{name}"), b"x")
        with case.endpoint.recording() as sent:
            case.backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [], "the keys left")
        counts = operations(sent).count("DeleteObject"), operations(sent).count("DeleteObjects")
        case.expect_equal(counts, (len(CONTROL), 1), "the single and the bulk deletes")

    @check("S3-012")
    def test_s3_keys_that_were_not_deleted_are_named(self, case: Case) -> None:
        require_s3(case)
        fill(case, "dir/a", "dir/b", "dir/c")
        left = [case.path("dir/a"), case.path("dir/c")]
        errors = "".join(f"<Error><Key>{key}</Key><Code>AccessDenied</Code></Error>" for key in left)
        document = f"<DeleteResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{errors}</DeleteResult>".encode()
        case.endpoint.inject(RewriteBody(lambda _body: document), operation="DeleteObjects")
        with case.expect_raises(RemoteStoreError, path=case.path("dir")) as caught:
            case.backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(sorted(caught.error.paths), left, "the paths in the error")
        case.expect(left[0] in str(caught.error), "the text names them", caught.error)

    @check("S3-013")
    def test_s3_a_token_that_repeats_ends_the_listing(self, case: Case) -> None:
        require_s3(case)
        body = page([case.path("a")], token="again")
        case.endpoint.inject(Respond(200, body=body), operation="ListObjectsV2", times=50)
        for listing in (
            partial(case.backend.list_files, case.folder, recursive=True),
            partial(case.backend.iter_children, case.folder),
            partial(case.backend.list_folders, case.folder),
            partial(case.backend.glob, case.path("*")),
        ):
            with case.expect_raises(RemoteStoreError, what=listing.func.__name__):
                found(listing())
        with case.expect_raises(RemoteStoreError):
            case.backend.get_folder_info(case.folder)

    @pytest.mark.parametrize(
        "status, code, kind",
        [
            (404, "NoSuchBucket", NotFound),
            (403, "AccessDenied", PermissionDenied),
            (503, "SlowDown", BackendUnavailable),
            (400, "InvalidArgument", RemoteStoreError),
        ],
    )
    @check("S3-014")
    def test_s3_a_listing_that_breaks_raises(
        self, case: Case, status: int, code: str, kind: type[RemoteStoreError]
    ) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        first = Respond(200, body=page([case.path("a")], token="next"))
        calls: dict[str, Any] = {
            "list_files": lambda: found(backend.list_files(case.folder)),
            "list_files, recursive": lambda: found(backend.list_files(case.folder, recursive=True)),
            "iter_children": lambda: found(backend.iter_children(case.folder)),
            "list_folders": lambda: found(backend.list_folders(case.folder)),
            "glob": lambda: found(backend.glob(case.path("*"))),
            "get_folder_info": lambda: backend.get_folder_info(case.folder),
            "delete_folder": lambda: backend.delete_folder(case.folder, recursive=True, missing_ok=True),
        }
        for name, call in calls.items():
            case.endpoint.clear_faults()
            case.endpoint.inject(first, operation="ListObjectsV2")
            case.endpoint.inject(Respond(status, code), operation="ListObjectsV2", times=None, after=1)
            with case.expect_raises(kind, what=name):
                call()

    @check("S3-015")
    def test_s3_a_change_under_a_reader(self, case: Case) -> None:
        require_s3(case)
        path, old = case.path("file"), case.content(2_000_000)
        fill(case, "file", data=old)
        with case.backend.read(path) as stream:
            case.expect_equal(stream.read(10), old[:10], "the first bytes")
            case.oracle.raw_put(path, b"n" * 2_000_000)
            with case.expect_raises(PreconditionFailed, path=path):
                stream.seek(1_500_000)
                stream.read(100)

    @check("S3-015")
    def test_s3_a_change_under_random_access(self, case: Case) -> None:
        require_s3(case)
        path, old = case.path("file"), case.content(300_000)
        fill(case, "file", data=old)
        with case.backend.read_seekable(path) as stream:
            stream.seek(1000)
            case.expect_equal(stream.read(10), old[1000:1010], "the bytes before the change")
            case.oracle.raw_put(path, b"n" * 300_000)
            stream.seek(200_000)
            with case.expect_raises(PreconditionFailed, path=path):
                stream.read(10)

    @check("S3-015")
    def test_s3_a_file_that_goes_under_random_access(self, case: Case) -> None:
        require_s3(case)
        path = case.path("file")
        fill(case, "file", data=case.content(300_000))
        with case.backend.read_seekable(path) as stream:
            case.oracle.raw_delete(path)
            with case.expect_raises(RemoteStoreError, where=lambda e: isinstance(e, NotFound | PreconditionFailed)):
                stream.read(10)

    @check("S3-021")
    def test_s3_listings_ask_for_encoded_keys(self, case: Case) -> None:
        require_s3(case)
        fill(case, "a/b")
        with case.endpoint.recording() as sent:
            found(case.backend.list_files(case.folder))
            found(case.backend.glob(case.path("**")))
            case.backend.get_folder_info(case.folder)
        encodings = {request.query.get("encoding-type") for request in sent}
        case.expect_equal(encodings, {"url"}, "the requested encodings")


def long_key(folder: str, size: int) -> str:
    """A key of the given length in bytes, in short segments."""
    key = folder + "/" + "/".join("k" * 99 for _ in range(size // 100))
    return key[: size - 1].rstrip("/").ljust(size, "x")
