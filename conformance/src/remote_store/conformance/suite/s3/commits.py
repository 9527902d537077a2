# Generated from conformance/src/remote_store/conformance/suite/aio/s3/commits.py by tools/unasync.py; edit that.
"""Checks of writes on S3 only: uploads, conditions, and the facts that a copy keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case, not_applicable
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.wire import (
    failing,
    operations,
    part_size,
    require_s3,
    trusting,
    unseekable,
    uploads,
)
from remote_store.conformance.http.faults import ErrorInOK, Respond, RewriteBody, RunFunction
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    ConditionalWrites,
    PreconditionFailed,
    RetryPolicy,
)

CLASS, TAGGING = "x-amz-storage-class", "x-amz-tagging"
EVERY_FAILURE = (KeyboardInterrupt, OSError, SystemExit)


def _after_response(action: Callable[[], object]) -> RewriteBody:
    """A fault that runs a function after the server has carried out the request."""

    def rewrite(body: bytes) -> bytes:
        action()
        return body

    return RewriteBody(rewrite)


class CommitSuite:
    """S3: uploads, conditions, copies."""

    @pytest.mark.parametrize("failure", EVERY_FAILURE, ids=lambda failure: failure.__name__)
    @check("S3-005")
    def test_s3_a_failing_stream_leaves_no_upload(self, case: Case, failure: type[BaseException]) -> None:
        require_s3(case)
        path, size = case.path("file"), part_size(case)
        fill(case, "file", data=b"old")
        for good in (0, size // 2, size + 1000, 3 * size):
            mine = failure("mine")
            # These two end an event loop that they pass through, so they are caught here.
            try:
                case.backend.write(path, failing(good, mine), overwrite=True)
            except failure as error:
                case.expect(error is mine, "the exception is the stream's own", error)
            else:
                case.fail("the write of a failing stream", failure, "no exception")
            case.expect_equal(case.backend.read_bytes(path), b"old", f"the content after {good:,} bytes")
            case.expect_equal(uploads(case), [], f"the unfinished uploads after {good:,} bytes")

    @check("S3-006")
    def test_s3_a_create_is_conditional(self, case: Case) -> None:
        require_s3(case)
        backend, size = trusting(case), part_size(case)
        with case.endpoint.recording() as sent:
            backend.write(case.path("one"), b"x")
            backend.write(case.path("many"), unseekable(bytes(size + 1)))
        for operation in ("PutObject", "CompleteMultipartUpload"):
            conditions = [request.headers.get("if-none-match") for request in sent if request.operation == operation]
            case.expect_equal(conditions, ["*"], f"If-None-Match of {operation}")

    @check("S3-007")
    def test_s3_a_refused_completion_is_aborted(self, case: Case) -> None:
        require_s3(case)
        backend, oracle, path = trusting(case), case.oracle, case.path("file")
        faster = RunFunction(lambda _request: oracle.raw_put(path, b"faster"))
        case.endpoint.inject(faster, operation="CompleteMultipartUpload")
        with case.expect_raises(AlreadyExists, path=path):
            backend.write(path, unseekable(bytes(part_size(case) + 1)))
        case.expect_equal(oracle.raw_get(path), b"faster", "the content")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @check("S3-008")
    def test_s3_copies_keep_tags_and_class(self, case: Case) -> None:
        require_s3(case)
        other = case.profile.storage_class
        backend = case.make(put_options={"Tagging": "a=b&c=d"} | ({"StorageClass": other} if other else {}))
        backend.write(case.path("source"), b"x")
        before = case.oracle.raw_head(case.path("source"))
        backend.copy(case.path("source"), case.path("copy"))
        case.backend.move(case.path("source"), case.path("moved"))
        for name in ("copy", "moved"):
            after = case.oracle.raw_head(case.path(name))
            if before is None or after is None or before.tags is None:
                not_applicable("the oracle sees no tags")
            case.expect_equal(dict(after.tags or {}), {"a": "b", "c": "d"}, f"the tags of {name}")
            case.expect_equal(after.storage_class, before.storage_class, f"the storage class of {name}")

    @check("S3-016")
    def test_s3_errors_inside_of_success(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy(max_attempts=2))
        fill(case, "source", data=b"source")
        case.endpoint.inject(ErrorInOK("InternalError", "broken"), operation="CopyObject", times=None)
        with case.expect_raises(BackendUnavailable):
            backend.copy(case.path("source"), case.path("copy"))
        case.endpoint.inject(ErrorInOK("InternalError", "broken"), operation="CompleteMultipartUpload", times=None)
        with case.expect_raises(BackendUnavailable):
            backend.write(case.path("stream"), unseekable(bytes(part_size(case) + 1)))
        case.expect_equal(case.oracle.raw_list(case.folder + "/"), [case.path("source")], "the keys")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @check("S3-016")
    def test_s3_an_error_inside_of_success_may_pass(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy(max_attempts=3))
        fill(case, "source", data=b"source")
        for operation in ("CopyObject", "CompleteMultipartUpload"):
            case.endpoint.inject(ErrorInOK("InternalError", "broken"), operation=operation)
        backend.copy(case.path("source"), case.path("copy"))
        content = case.content(part_size(case) + 1)
        backend.write(case.path("stream"), unseekable(content))
        case.expect_equal(case.oracle.raw_get(case.path("copy")), b"source", "the copy")
        case.expect_equal(case.oracle.raw_get(case.path("stream")), content, "the stream")

    @check("S3-017")
    def test_s3_the_tag_is_the_server_s(self, case: Case) -> None:
        require_s3(case)
        case.endpoint.inject(Respond(200, headers={"ETag": '"AbCdEf-1"'}), operation="PutObject")
        written = case.backend.write(case.path("one"), b"x", overwrite=True)
        case.expect_equal(written.etag, "AbCdEf-1", "the ETag of one PUT")
        content = case.content(part_size(case) + 1)
        written = case.backend.write(case.path("many"), unseekable(content), overwrite=True)
        info = case.backend.get_file_info(case.path("many"))
        case.expect_equal((written.etag, written.size), (info.etag, len(content)), "the ETag and size of many parts")

    @check("S3-018")
    def test_s3_a_source_that_changed_is_kept(self, case: Case) -> None:
        require_s3(case)
        backend, oracle, source = trusting(case), case.oracle, case.path("source")
        fill(case, "source", data=b"old")
        case.endpoint.inject(RunFunction(lambda _request: oracle.raw_put(source, b"new")), operation="DeleteObject")
        with case.expect_raises(PreconditionFailed, path=source):
            backend.move(source, case.path("target"))
        case.expect_equal(oracle.raw_get(source), b"new", "the source")
        case.expect_equal(oracle.raw_get(case.path("target")), b"old", "the target")

    @pytest.mark.parametrize("trusted", [True, False])
    @check("S3-022")
    def test_s3_a_move_copies_once(self, case: Case, trusted: bool) -> None:
        require_s3(case)
        backend = trusting(case) if trusted else case.make(conditional_writes=False)
        oracle, target = case.oracle, case.path("target")
        content = case.content(part_size(case) + 1)
        backend.write(case.path("source"), unseekable(content))
        case.endpoint.inject(_after_response(partial(oracle.raw_put, target, b"another")), operation="CopyObject")
        backend.move(case.path("source"), target)
        case.expect_equal(oracle.raw_get(target), b"another", "the destination that another writer replaced")

    @check("S3-023")
    def test_s3_a_move_looks_before_it_deletes(self, case: Case) -> None:
        require_s3(case)
        backend, oracle, source = case.make(conditional_writes=False), case.oracle, case.path("source")
        fill(case, "source", data=b"old")
        case.endpoint.inject(_after_response(partial(oracle.raw_put, source, b"newer")), operation="CopyObject")
        with case.endpoint.recording() as sent, case.expect_raises(PreconditionFailed, path=source):
            backend.move(source, case.path("target"))
        case.expect("DeleteObject" not in operations(sent), "no request to delete", operations(sent))
        case.expect_equal(oracle.raw_get(source), b"newer", "the source")
        case.expect_equal(oracle.raw_get(case.path("target")), b"old", "the target")

    @pytest.mark.parametrize("kind", ["put", "complete", "copy"])
    @check("S3-024")
    def test_s3_each_kind_of_condition_is_trusted_on_its_own(self, case: Case, kind: str) -> None:
        require_s3(case)
        case.require(Capability.ATOMIC_CREATE)
        kinds = dict.fromkeys(("put", "complete", "copy", "delete"), True) | {kind: False}
        backend, path = case.make(conditional_writes=ConditionalWrites(**kinds)), case.path("file")
        fill(case, "file", "source", data=b"old")
        stream = unseekable(bytes(part_size(case) + 1))
        creates: dict[str, tuple[str, Any]] = {
            "put": ("PutObject", partial(backend.write, path, b"new")),
            "complete": ("CompleteMultipartUpload", partial(backend.write, path, stream)),
            "copy": ("CopyObject", partial(backend.copy, case.path("source"), path)),
        }
        operation, create = creates[kind]
        with case.endpoint.recording() as sent, case.expect_raises(AlreadyExists, path=path):
            create()
        case.expect(operation not in operations(sent), f"no {operation}", operations(sent))
        case.expect_equal(case.oracle.raw_get(path), b"old", "the content")
        case.expect(Capability.ATOMIC_CREATE not in backend.capabilities, "ATOMIC_CREATE is not declared")
        whole = case.make(conditional_writes=ConditionalWrites(put=True, complete=True, copy=True))
        case.expect(Capability.ATOMIC_CREATE in whole.capabilities, "ATOMIC_CREATE is declared")

    @check("S3-019")
    def test_s3_put_options_stand_on_every_write(self, case: Case) -> None:
        require_s3(case)
        other = case.profile.storage_class
        options, header = ({"StorageClass": other}, CLASS) if other else ({"Tagging": "a=b"}, TAGGING)
        backend = case.make(put_options=options)
        with case.endpoint.recording() as sent:
            backend.write(case.path("one"), b"x")
            backend.write(case.path("many"), unseekable(bytes(part_size(case) + 1)))
        for operation in ("PutObject", "CreateMultipartUpload"):
            found = [request.headers.get(header) for request in sent if request.operation == operation]
            case.expect_equal(found, [*options.values()], f"the {header} of {operation}")
