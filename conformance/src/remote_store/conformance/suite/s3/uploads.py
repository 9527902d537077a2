# Generated from conformance/src/remote_store/conformance/suite/aio/s3/uploads.py by tools/unasync.py; edit that.
"""Checks of writes that break: the file is complete or unchanged, and no upload is left behind."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.wire import (
    THRICE,
    TWICE,
    failing,
    named,
    operations,
    part_size,
    require_option,
    require_s3,
    trusting,
    unseekable,
    uploads,
)
from remote_store.conformance.http.faults import (
    DropHeaders,
    LoseResponse,
    Reset,
    Respond,
    RunFunction,
    TruncateRequest,
    WireFault,
)
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    RemoteStoreError,
    RetryPolicy,
)


class UploadSuite:
    """WIRE: writes that break."""

    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_put(self, case: Case, overwrite: bool) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        backend, path = case.make(retry=THRICE), case.path("file")
        injection = case.endpoint.inject(LoseResponse(), operation="PutObject")
        written = backend.write(path, b"mine", overwrite=overwrite, metadata={"a": "b"})
        case.expect_equal(injection.hits, 1, "the lost responses")
        info = case.backend.get_file_info(path)
        case.expect_equal((written.etag, written.size), (info.etag, 4), "ETag and size of the result")
        case.expect_equal(case.backend.read_bytes(path), b"mine", "the content")

    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_completion(self, case: Case) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        backend, path = case.make(retry=THRICE), case.path("file")
        content = case.content(part_size(case) + 1)
        injection = case.endpoint.inject(LoseResponse(), operation="CompleteMultipartUpload")
        written = backend.write(path, unseekable(content))
        case.expect_equal(injection.hits, 1, "the lost responses")
        info = case.backend.get_file_info(path)
        case.expect_equal((written.etag, written.size), (info.etag, len(content)), "ETag and size of the result")
        case.expect_equal(case.oracle.raw_get(path), content, "the content")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_copy(self, case: Case) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        backend = case.make(retry=THRICE)
        fill(case, "source", data=b"content")
        case.endpoint.inject(LoseResponse(), operation="CopyObject")
        backend.copy(case.path("source"), case.path("copy"))
        case.expect_equal(case.backend.read_bytes(case.path("copy")), b"content", "the content")

    @check("WIRE-015")
    def test_wire_another_writer_was_faster(self, case: Case) -> None:
        require_s3(case)
        backend, oracle, path = trusting(case, retry=THRICE), case.oracle, case.path("file")
        case.endpoint.inject(Reset(), operation="PutObject")
        faster = RunFunction(lambda _request: oracle.raw_put(path, b"other"))
        case.endpoint.inject(faster, operation="PutObject", after=1)
        with case.expect_raises(AlreadyExists, path=path):
            backend.write(path, b"mine")
        case.expect_equal(oracle.raw_get(path), b"other", "the content")

    @check("WRITE-020")
    def test_wire_a_lost_answer_on_a_file_that_was_there_before(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(conditional_writes=True, retry=THRICE), case.path("lock")
        case.oracle.raw_put(path, b"")
        case.endpoint.inject(Reset(), operation="PutObject")
        later = {"Date": formatdate(time.time() + 60, usegmt=True)}
        refused = Respond(412, "PreconditionFailed", headers=later)
        case.endpoint.inject(refused, operation="PutObject", after=1, times=None)
        with case.expect_raises(AlreadyExists, path=path):
            backend.write(path, b"")

    @pytest.mark.parametrize("stated", [None, False])
    @check("WIRE-016")
    def test_wire_a_server_that_ignores_conditions(self, case: Case, stated: bool | None) -> None:
        require_s3(case)
        backend = case.make(conditional_writes=stated)
        fill(case, "file", "source", data=b"old")
        case.endpoint.inject(DropHeaders(("if-none-match", "x-amz-copy-if-none-match")), times=None)
        for content in (b"new", unseekable(b"new"), unseekable(bytes(part_size(case) + 1))):
            with case.expect_raises(AlreadyExists, path=case.path("file")):
                backend.write(case.path("file"), content)
        for method in (backend.copy, backend.move):
            with case.expect_raises(AlreadyExists, path=case.path("file")):
                method(case.path("source"), case.path("file"))
        with case.expect_raises(AlreadyExists, path=case.path("file")):
            with backend.open_atomic(case.path("file")) as stream:
                stream.write(b"new")
        for name in ("file", "source"):
            case.expect_equal(case.oracle.raw_get(case.path(name)), b"old", f"the content of {name}")

    @pytest.mark.parametrize(
        "fault", [TruncateRequest(after_bytes=1000), Reset(), Respond(500, "InternalError")], ids=named
    )
    @check("WIRE-025")
    def test_wire_an_upload_is_tried_again(self, case: Case, fault: WireFault) -> None:
        require_s3(case)
        backend, content = case.make(retry=THRICE), case.content(2 * part_size(case) + 1)
        for name, source in (("bytes", content[:200_000]), ("stream", unseekable(content[:200_000]))):
            case.endpoint.inject(fault, operation="PutObject")
            backend.write(case.path(name), source, overwrite=True)
            case.expect_equal(case.oracle.raw_get(case.path(name)), content[:200_000], f"the content of {name}")
        case.endpoint.inject(fault, operation="UploadPart", after=1)
        backend.write(case.path("parts"), unseekable(content), overwrite=True)
        case.expect(case.oracle.raw_get(case.path("parts")) == content, "the content of many parts is exact")

    @pytest.mark.parametrize("fault", [TruncateRequest(after_bytes=1000), Respond(503, "SlowDown")], ids=named)
    @check("WIRE-028")
    def test_wire_an_overwrite_that_fails(self, case: Case, fault: WireFault) -> None:
        require_s3(case)
        backend, path = case.make(retry=TWICE), case.path("file")
        fill(case, "file", data=b"old")
        for operation in ("PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"):
            case.endpoint.clear_faults()
            injection = case.endpoint.inject(fault, operation=operation, times=None)
            size = 200_000 if operation == "PutObject" else part_size(case) + 1
            with case.expect_raises(BackendUnavailable, path=path, what=operation):
                backend.write(path, unseekable(bytes(size)), overwrite=True)
            case.expect_equal(injection.hits, 2, f"the attempts of {operation}")
            case.expect_equal(case.oracle.raw_get(path), b"old", f"the content after {operation}")
            case.expect_equal(uploads(case), [], f"the unfinished uploads after {operation}")

    @check("WIRE-026")
    def test_wire_a_part_that_fails_for_good(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(retry=TWICE), case.path("file")
        fill(case, "file", data=b"old")
        case.endpoint.inject(
            Respond(500, "InternalError"),
            operation="UploadPart",
            times=None,
            match=lambda request: request.query.get("partNumber") == "2",
        )
        with case.endpoint.recording() as sent, case.expect_raises(BackendUnavailable, path=path):
            backend.write(path, unseekable(bytes(3 * part_size(case))), overwrite=True)
        case.expect_equal(operations(sent)[-1], "AbortMultipartUpload", "the last request")
        case.expect_equal(case.oracle.raw_get(path), b"old", "the content")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @check("WIRE-027")
    def test_wire_an_abort_that_fails(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("file")
        case.endpoint.inject(Respond(403, "AccessDenied"), operation="AbortMultipartUpload", times=None)
        mine = OSError("mine")
        with case.expect_raises(OSError) as caught:
            backend.write(path, failing(part_size(case) + 1, mine))
        case.expect(caught.error is mine, "the exception is the stream's own", caught.error)
        case.endpoint.inject(Respond(500, "InternalError"), operation="UploadPart", times=None)
        with case.expect_raises(BackendUnavailable, path=path):
            backend.write(path, unseekable(bytes(part_size(case) + 1)))

    @pytest.mark.parametrize("times", [1, None])
    @check("WIRE-029")
    def test_wire_a_conflict(self, case: Case, times: int | None) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        backend, oracle, path = case.make(retry=TWICE), case.oracle, case.path("file")
        case.endpoint.inject(Respond(409, "ConditionalRequestConflict"), operation="PutObject", times=times)
        try:
            backend.write(path, b"mine")
        except RemoteStoreError as error:
            case.expect_equal((error.status, error.path), (409, path), "status and path")
            case.expect_equal(oracle.raw_get(path), None, "the content after the error")
        else:
            case.expect_equal(oracle.raw_get(path), b"mine", "the content after the success")
            case.expect(times is not None, "a permanent conflict is not a success")
