# Generated from conformance/src/remote_store/conformance/suite/aio/wire.py by tools/unasync.py; edit that.
"""Faults on the wire: which error comes, after how many requests, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from remote_store.conformance.case import Case
from remote_store.conformance.check import check
from remote_store.conformance.faults import (
    Answer,
    Call,
    DropHeaders,
    Fault,
    LostAnswer,
    Reset,
    ShortBody,
    Stall,
    TruncateRequest,
)
from remote_store.conformance.servers import dead_endpoint
from remote_store.conformance.suite.trees import fill, found
from remote_store.conformance.wire import failing, operations, part_size, require_s3, settles, unseekable, uploads
from remote_store.core import (
    AlreadyExists,
    Backend,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    RetryPolicy,
)

BUSY = [
    (408, "RequestTimeout"),
    (429, "SlowDown"),
    (429, ""),
    (500, "InternalError"),
    (502, ""),
    (503, "SlowDown"),
    (503, ""),
    (504, ""),
]
DENIED = [
    (403, "AccessDenied"),
    (403, "InvalidAccessKeyId"),
    (403, "SignatureDoesNotMatch"),
    (403, "AccountProblem"),
    (403, "AllAccessDisabled"),
    (403, "RequestTimeTooSkewed"),
    (400, "ExpiredToken"),
    (400, "InvalidToken"),
    (400, "TokenRefreshRequired"),
    (401, "Unauthorized"),
    (403, ""),
]
CUTS = [Reset(after_bytes=100_000), ShortBody(after_bytes=100_000)]
SIZE = 300_000
TWICE = RetryPolicy(max_attempts=2)
THRICE = RetryPolicy(max_attempts=3)


def named(value: object) -> str:
    """The id of a parameter that is a fault."""
    return type(value).__name__


def basic_calls(case: Case, backend: Backend) -> dict[str, Callable[[], Any]]:
    """One call for each S3 operation that stands behind the simple methods; `file` and `folder/file` must exist."""
    path, folder = case.path("file"), case.path("folder")
    return {
        "GetObject": partial(backend.read_bytes, path),
        "HeadObject": partial(backend.get_file_info, path),
        "ListObjectsV2": lambda: found(backend.list_files(folder)),
        "PutObject": partial(backend.write, case.path("new"), b"new", overwrite=True),
        "CopyObject": partial(backend.copy, path, case.path("copy"), overwrite=True),
        "DeleteObjects": partial(backend.delete_folder, folder, recursive=True),
        "DeleteObject": partial(backend.delete, path),
    }


class WireSuite:
    """WIRE: answers that fail, and connections that break before the answer."""

    @pytest.mark.parametrize("status, code", BUSY)
    @check("WIRE-001")
    def test_wire_a_busy_server(self, case: Case, status: int, code: str) -> None:
        require_s3(case)
        backend, path = case.make(retry=THRICE), case.path("file")
        case.endpoint.inject(Answer(status, code), operation="GetObject", times=None)
        with case.endpoint.recording() as sent, case.expect_raises(BackendUnavailable, path=path) as caught:
            backend.read_bytes(path)
        case.expect_equal((caught.error.retryable, caught.error.status), (True, status), "retryable and status")
        case.expect_equal(operations(sent), ["GetObject"] * 3, "the attempts")

    @pytest.mark.parametrize("fault", [Answer(503, "SlowDown"), Answer(500, "InternalError"), Reset()])
    @check("WIRE-002")
    def test_wire_no_retries_means_one_request(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        fill(case, "file", "folder/file")
        for operation, call in basic_calls(case, backend).items():
            case.endpoint.clear_faults()
            injection = case.endpoint.inject(fault, operation=operation, times=None)
            with case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable):
                call()
            case.expect_equal(injection.hits, 1, f"the attempts of {operation}")

    @pytest.mark.parametrize("fault", [Answer(503, "SlowDown"), Answer(500, "InternalError"), Reset()])
    @check("WIRE-003")
    def test_wire_a_failure_that_passes(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        backend = case.make(retry=THRICE)
        fill(case, "file", "folder/file", data=b"content")
        for operation, call in basic_calls(case, backend).items():
            injection = case.endpoint.inject(fault, operation=operation)
            call()
            case.expect_equal(injection.hits, 1, f"the failures of {operation}")
        left = found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(left, [case.path("copy"), case.path("new")], "the files")

    @pytest.mark.parametrize("status, code", DENIED)
    @check("WIRE-004")
    def test_wire_a_refusal(self, case: Case, status: int, code: str) -> None:
        require_s3(case)
        fill(case, "file", "folder/file")
        for operation, call in basic_calls(case, case.make(retry=TWICE)).items():
            case.endpoint.clear_faults()
            case.endpoint.inject(Answer(status, code), times=None)
            with case.expect_raises(PermissionDenied, what=operation) as caught:
                call()
            case.expect_equal(caught.error.retryable, False, f"retryable of {operation}")
            # A HEAD, which a delete begins with, has lost its code; WIRE-005 says when it is asked for.
            if code and operation not in ("HeadObject", "DeleteObject"):
                case.expect_equal(
                    (caught.error.code, caught.error.status), (code, status), f"{operation}: code, status"
                )

    @pytest.mark.parametrize("status, code", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")])
    @check("WIRE-005")
    def test_wire_a_head_is_asked_again(self, case: Case, status: int, code: str) -> None:
        require_s3(case)
        path = case.path("file")
        case.endpoint.inject(Answer(status, code), times=None)
        for name in ("get_file_info", "is_file", "exists", "read_seekable", "delete"):
            with case.expect_raises(PermissionDenied, path=path, what=name) as caught:
                getattr(case.backend, name)(path)
            case.expect_equal(caught.error.code, code, f"the code of {name}")

    @pytest.mark.parametrize(
        "fault, kind",
        [
            (Answer(403, "AccessDenied"), PermissionDenied),
            (Answer(503, "SlowDown"), BackendUnavailable),
            (Answer(500), BackendUnavailable),
            (Reset(), BackendUnavailable),
        ],
    )
    @check("WIRE-006")
    def test_wire_a_probe_never_guesses(self, case: Case, fault: Fault, kind: type[RemoteStoreError]) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("absent")
        case.endpoint.inject(fault, times=None)
        for name in ("is_file", "is_folder", "exists", "check_health"):
            with case.expect_raises(kind, what=name):
                (backend.check_health() if name == "check_health" else getattr(backend, name)(path))
        with case.expect_raises(kind, what="delete"):
            backend.delete(path, missing_ok=True)
        with case.expect_raises(kind, what="delete_folder"):
            backend.delete_folder(path, missing_ok=True)

    @check("WIRE-007")
    def test_wire_a_reset_before_the_answer(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(retry=TWICE), case.path("file")
        fill(case, "file", data=b"content")
        injection = case.endpoint.inject(Reset(), operation="GetObject", times=None)
        with case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable):
            backend.read_bytes(path)
        case.expect_equal(injection.hits, 2, "the attempts")

    @check("WIRE-017")
    def test_wire_a_dead_endpoint(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(endpoint_url=dead_endpoint(), retry=TWICE)
        for name in ("404.csv", "AccessDenied", "NoSuchKey"):
            path = case.path(name)
            calls: dict[str, Callable[[], Any]] = {
                "read_bytes": partial(backend.read_bytes, path),
                "exists": partial(backend.exists, path),
                "write": partial(backend.write, path, b"x", overwrite=True),
                "list_files": lambda: found(backend.list_files(path)),  # noqa: B023
                "delete": partial(backend.delete, path, missing_ok=True),
            }
            for what, call in calls.items():
                with case.expect_raises(BackendUnavailable, path=path, what=what, where=lambda error: error.retryable):
                    call()
        with case.expect_raises(BackendUnavailable, what="check_health"):
            backend.check_health()

    @check("WIRE-018")
    def test_wire_a_wrong_secret(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", "folder/file")
        wrong = case.make(secret="a-wrong-secret")
        for operation, call in basic_calls(case, wrong).items():
            with case.expect_raises(PermissionDenied, what=operation, where=self._keeps_the_secret(case)):
                call()
        for name in ("exists", "is_file", "is_folder"):
            with case.expect_raises(PermissionDenied, what=name):
                getattr(wrong, name)(case.path("file"))
        with case.expect_raises(PermissionDenied, what="check_health"):
            wrong.check_health()

    @staticmethod
    def _keeps_the_secret(case: Case) -> Callable[[RemoteStoreError], bool]:
        def keeps(error: RemoteStoreError) -> bool:
            causes: list[BaseException] = [error]
            while causes[-1].__cause__ is not None:
                causes.append(causes[-1].__cause__)
            texts = [text for cause in causes for text in (str(cause), repr(cause))]
            secrets = (*case.profile.secrets, "a-wrong-secret")
            return not any(secret in text for secret in secrets for text in texts)

        return keeps

    @check("WIRE-019", "WIRE-032")
    def test_wire_a_missing_bucket(self, case: Case) -> None:
        require_s3(case)
        absent, path = case.absent(), case.path("file")
        for name in ("read_bytes", "read"):
            with case.expect_raises(NotFound, what=name, where=lambda error: error.code == "NoSuchBucket"):
                getattr(absent, name)(path)
        for overwrite in (False, True):
            with case.expect_raises(NotFound, path=path, where=lambda error: error.code == "NoSuchBucket"):
                absent.write(path, b"x", overwrite=overwrite)
        with case.expect_raises(NotFound, where=lambda error: error.code == "NoSuchBucket"):
            absent.write(path, unseekable(bytes(part_size(case) + 1)))

    @pytest.mark.parametrize(
        "status, code, word",
        [
            (403, "RequestTimeTooSkewed", "clock"),
            (400, "AuthorizationHeaderMalformed", "region_name"),
            (301, "PermanentRedirect", "region_name"),
            (400, "ExpiredToken", "credentials"),
            (403, "SignatureDoesNotMatch", "secret"),
            (403, "AccessDenied", "polic"),
            (404, "NoSuchBucket", "bucket"),
            (503, "SlowDown", "again"),
        ],
    )
    @check("WIRE-020")
    def test_wire_the_message_says_what_to_do(self, case: Case, status: int, code: str, word: str) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        case.endpoint.inject(Answer(status, code, "said the server"), times=None)
        for what, call in basic_calls(case, backend).items():
            if what in ("GetObject", "PutObject"):
                with case.expect_raises(RemoteStoreError, what=what) as caught:
                    call()
                case.expect(word in str(caught.error), f"{what}: the message speaks of {word!r}", caught.error)

    @pytest.mark.parametrize(
        "fault", [Answer(403, "SignatureDoesNotMatch"), Answer(500, "InternalError"), Reset(), ShortBody(0)], ids=named
    )
    @check("WIRE-021")
    def test_wire_no_message_shows_a_secret(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        case.require_profile("the profile names no secrets", case.profile.secrets)
        backend = case.make(retry=RetryPolicy.disabled())
        fill(case, "file", data=case.content(1000))
        case.endpoint.inject(fault, operation="GetObject", times=None)
        with case.expect_raises(RemoteStoreError, where=self._keeps_the_secret(case)):
            backend.read_bytes(case.path("file"))

    @check("WIRE-024")
    def test_wire_what_an_error_carries(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("file")
        answer = Answer(503, "SlowDown", headers={"x-amz-request-id": "INJECTED"})
        case.endpoint.inject(answer, times=None)
        with case.expect_raises(BackendUnavailable, path=path) as caught:
            backend.read_bytes(path)
        error = caught.error
        facts = (error.backend, error.code, error.status, error.request_id)
        case.expect_equal(facts, (backend.name, "SlowDown", 503, "INJECTED"), "backend, code, status, request id")
        case.expect(error.__cause__ is not None, "the SDK's exception is the cause", error.__cause__)

    @pytest.mark.parametrize(
        "status, code", [(405, "MethodNotAllowed"), (400, "InvalidRequest"), (418, "Teapot"), (409, "BucketNotEmpty")]
    )
    @check("WIRE-030")
    def test_wire_a_refusal_without_a_class(self, case: Case, status: int, code: str) -> None:
        require_s3(case)
        case.endpoint.inject(Answer(status, code), times=None)
        with case.expect_raises(RemoteStoreError, path=case.path("file")) as caught:
            case.backend.read_bytes(case.path("file"))
        error = caught.error
        case.expect(type(error) is RemoteStoreError, "a plain RemoteStoreError", type(error))
        case.expect_equal((error.code, error.status, error.retryable), (code, status, False), "code, status, retryable")

    @check("WIRE-031")
    def test_wire_a_bulk_delete_that_fails(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(retry=TWICE)
        expected = fill(case, "dir/a", "dir/b")
        case.endpoint.inject(Answer(500, "InternalError"), operation="DeleteObjects", times=None)
        with case.expect_raises(BackendUnavailable, path=case.path("dir")):
            backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), expected, "the keys")

    @check("WIRE-032")
    def test_wire_a_file_that_is_missing(self, case: Case) -> None:
        require_s3(case)
        with case.expect_raises(NotFound, where=lambda error: (error.status, error.code) == (404, "NoSuchKey")):
            case.backend.read_bytes(case.path("absent"))

    @check("WIRE-022")
    def test_wire_close_ends_every_connection(self, case: Case) -> None:
        require_s3(case)
        fill(case, "file", data=case.content(1000))
        before = case.endpoint.open_connections
        backend = case.make()
        case.together([partial(backend.read_bytes, case.path("file"))] * 8)
        case.expect(case.endpoint.open_connections > before, "connections are open", case.endpoint.open_connections)
        backend.close()
        case.expect(
            settles(lambda: case.endpoint.open_connections <= before),
            f"no more than {before} connections are open after the close",
            case.endpoint.open_connections,
        )


class BodySuite:
    """WIRE: bodies that break."""

    def _cut_file(self, case: Case, fault: Fault, *, times: int | None = 1) -> bytes:
        content = case.content(SIZE)
        fill(case, "file", data=content)
        case.endpoint.inject(fault, operation="GetObject", times=times)
        return content

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @check("WIRE-008")
    def test_wire_a_cut_body_of_read(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        for size in (-1, 1000, 70_000, 1_000_000):
            content = self._cut_file(case, fault)
            pieces = []
            with case.make(retry=THRICE).read(case.path("file")) as stream:
                while data := stream.read(size):
                    pieces.append(data)
            case.expect_equal(b"".join(pieces), content, f"the bytes of read({size})")

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @check("WIRE-008")
    def test_wire_a_cut_body_of_the_other_reads(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        backend, path = case.make(retry=THRICE), case.path("file")
        content = self._cut_file(case, fault)
        case.expect_equal(backend.read_bytes(path), content, "the bytes of read_bytes")
        content = self._cut_file(case, fault)
        case.expect_equal(backend.read_range(path, 10, 200_000), content[10:200_010], "the bytes of read_range")
        content = self._cut_file(case, fault)
        with backend.read_seekable(path) as stream:
            stream.seek(10)
            case.expect_equal(stream.read(200_000), content[10:200_010], "the bytes of read_seekable")
        content = self._cut_file(case, fault)
        buffer = bytearray(SIZE)
        with backend.read(path) as stream:
            filled, raw = 0, cast("Any", stream)
            while count := raw.readinto(memoryview(buffer)[filled:]):
                filled += count
        case.expect_equal(bytes(buffer), content, "the bytes of readinto")

    @pytest.mark.parametrize("fault", CUTS, ids=named)
    @check("WIRE-009")
    def test_wire_a_resume_is_pinned(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        content = self._cut_file(case, fault)
        with case.endpoint.recording() as sent:
            with case.make(retry=THRICE).read(case.path("file")) as stream:
                case.expect_equal(stream.read(10_000), content[:10_000], "the bytes before the cut")
                case.expect_equal(stream.read(), content[10_000:], "the other bytes")
        case.expect_equal(operations(sent), ["GetObject"] * 2, "the requests")
        headers = sent[1].headers
        info = case.backend.get_file_info(case.path("file"))
        case.expect_equal((headers.get("if-match") or "").strip('"'), info.etag, "If-Match of the resume")
        start = headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0]
        case.expect(10_000 <= int(start) <= 100_000, "the resume goes on where the body broke", headers.get("range"))

    @pytest.mark.parametrize("size", [4 * 1024 * 1024, 64 * 1024 * 1024])
    @check("WIRE-010")
    def test_wire_ten_cuts(self, case: Case, size: int) -> None:
        require_s3(case)
        content = case.content(size)
        case.oracle.raw_put(case.path("file"), content)
        backend = case.make(retry=THRICE)
        for number in range(10):
            fault = (Reset, ShortBody)[number % 2](after_bytes=size // 12)
            case.endpoint.inject(fault, operation="GetObject", after=number)
        observed = bytearray()
        with case.endpoint.recording() as sent:
            with backend.read(case.path("file")) as stream:
                while data := stream.read(1024 * 1024):
                    observed += data
        case.expect(observed == content, "the bytes are exact", f"{len(observed):,} bytes")
        case.expect_equal(operations(sent), ["GetObject"] * 11, "the requests")

    @pytest.mark.parametrize("fault", [Reset(), ShortBody(after_bytes=0), Answer(503, "SlowDown")], ids=named)
    @check("WIRE-011")
    def test_wire_no_progress_ends(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        path = case.path("file")
        self._cut_file(case, ShortBody(after_bytes=100_000))
        case.endpoint.inject(fault, operation="GetObject", times=None, after=1)
        gone = case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable)
        with case.endpoint.recording() as sent, gone:
            with case.make(retry=TWICE).read(path) as stream:
                stream.read()
        case.expect(len(sent) <= 5, "at most five requests for two attempts", len(sent))

    @check("WIRE-012")
    def test_wire_a_change_between_a_cut_and_its_resume(self, case: Case) -> None:
        require_s3(case)
        oracle, path = case.oracle, case.path("file")
        content = self._cut_file(case, ShortBody(after_bytes=100_000))
        change = Call(lambda _request: oracle.raw_put(path, b"n" * SIZE))
        case.endpoint.inject(change, operation="GetObject", after=1)
        with case.expect_raises(PreconditionFailed, path=path):
            with case.make(retry=THRICE).read(path) as stream:
                read = stream.read(50_000)
                case.expect_equal(read, content[:50_000], "the bytes before the cut")
                while stream.read(50_000):
                    pass

    @pytest.mark.parametrize("after_bytes", [0, 100_000])
    @check("WIRE-013")
    def test_wire_a_stall_that_passes(self, case: Case, after_bytes: int) -> None:
        require_s3(case)
        content = self._cut_file(case, Stall(60, after_bytes=after_bytes))
        backend = case.make(retry=THRICE, read_timeout=0.5)
        with backend.read(case.path("file")) as stream:
            case.expect_equal(stream.read(), content, "the bytes")

    @pytest.mark.parametrize("after_bytes", [0, 100_000])
    @check("WIRE-013")
    def test_wire_a_stall_that_stays(self, case: Case, after_bytes: int) -> None:
        require_s3(case)
        path = case.path("file")
        self._cut_file(case, Stall(60, after_bytes=after_bytes))
        case.endpoint.inject(Stall(60), operation="GetObject", times=None, after=1)
        backend = case.make(retry=TWICE, read_timeout=0.5)
        gone = case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable)
        with case.endpoint.recording() as sent, gone:
            backend.read_bytes(path)
        case.expect(len(sent) <= 5, "at most five requests for two attempts", len(sent))

    @check("WIRE-023")
    def test_wire_readers_leak_no_connections(self, case: Case) -> None:
        require_s3(case)
        before = case.endpoint.open_connections
        backend = case.make(max_connections=4, max_concurrency=4, retry=RetryPolicy.disabled())
        content = case.content(2_000_000)
        fill(case, "file", data=content)
        for _ in range(20):
            with backend.read(case.path("file")) as stream:
                case.expect_equal(stream.read(10), content[:10], "the first bytes")
        for _ in range(10):
            case.endpoint.inject(ShortBody(after_bytes=1000), operation="GetObject", times=2)
            with case.expect_raises(BackendUnavailable):
                backend.read_bytes(case.path("file"))
            case.endpoint.clear_faults()
        bound = before + 4 + 1
        case.expect(
            settles(lambda: case.endpoint.open_connections <= bound),
            f"at most {bound} connections are open",
            case.endpoint.open_connections,
        )


class UploadSuite:
    """WIRE: writes that break."""

    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_put(self, case: Case, overwrite: bool) -> None:
        require_s3(case)
        backend, path = case.make(conditional_writes=True, retry=THRICE), case.path("file")
        injection = case.endpoint.inject(LostAnswer(), operation="PutObject")
        written = backend.write(path, b"mine", overwrite=overwrite, metadata={"a": "b"})
        case.expect_equal(injection.hits, 1, "the answers that were lost")
        info = case.backend.get_file_info(path)
        case.expect_equal((written.etag, written.size), (info.etag, 4), "ETag and size of the result")
        case.expect_equal(case.backend.read_bytes(path), b"mine", "the content")

    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_completion(self, case: Case) -> None:
        require_s3(case)
        backend, path = case.make(conditional_writes=True, retry=THRICE), case.path("file")
        content = case.content(part_size(case) + 1)
        injection = case.endpoint.inject(LostAnswer(), operation="CompleteMultipartUpload")
        written = backend.write(path, unseekable(content))
        case.expect_equal(injection.hits, 1, "the answers that were lost")
        info = case.backend.get_file_info(path)
        case.expect_equal((written.etag, written.size), (info.etag, len(content)), "ETag and size of the result")
        case.expect_equal(case.oracle.raw_get(path), content, "the content")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @check("WIRE-014")
    def test_wire_a_lost_answer_of_a_copy(self, case: Case) -> None:
        require_s3(case)
        backend = case.make(conditional_writes=True, retry=THRICE)
        fill(case, "source", data=b"content")
        case.endpoint.inject(LostAnswer(), operation="CopyObject")
        backend.copy(case.path("source"), case.path("copy"))
        case.expect_equal(case.backend.read_bytes(case.path("copy")), b"content", "the content")

    @check("WIRE-015")
    def test_wire_another_writer_was_faster(self, case: Case) -> None:
        require_s3(case)
        backend, oracle, path = case.make(conditional_writes=True, retry=THRICE), case.oracle, case.path("file")
        case.endpoint.inject(Reset(), operation="PutObject")
        faster = Call(lambda _request: oracle.raw_put(path, b"other"))
        case.endpoint.inject(faster, operation="PutObject", after=1)
        with case.expect_raises(AlreadyExists, path=path):
            backend.write(path, b"mine")
        case.expect_equal(oracle.raw_get(path), b"other", "the content")

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
        "fault", [TruncateRequest(after_bytes=1000), Reset(), Answer(500, "InternalError")], ids=named
    )
    @check("WIRE-025")
    def test_wire_an_upload_is_tried_again(self, case: Case, fault: Fault) -> None:
        require_s3(case)
        backend, content = case.make(retry=THRICE), case.content(2 * part_size(case) + 1)
        for name, source in (("bytes", content[:200_000]), ("stream", unseekable(content[:200_000]))):
            case.endpoint.inject(fault, operation="PutObject")
            backend.write(case.path(name), source, overwrite=True)
            case.expect_equal(case.oracle.raw_get(case.path(name)), content[:200_000], f"the content of {name}")
        case.endpoint.inject(fault, operation="UploadPart", after=1)
        backend.write(case.path("parts"), unseekable(content), overwrite=True)
        case.expect(case.oracle.raw_get(case.path("parts")) == content, "the content of many parts is exact")

    @pytest.mark.parametrize("fault", [TruncateRequest(after_bytes=1000), Answer(503, "SlowDown")], ids=named)
    @check("WIRE-028")
    def test_wire_an_overwrite_that_fails(self, case: Case, fault: Fault) -> None:
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
            Answer(500, "InternalError"),
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
        case.endpoint.inject(Answer(403, "AccessDenied"), operation="AbortMultipartUpload", times=None)
        mine = OSError("mine")
        with case.expect_raises(OSError) as caught:
            backend.write(path, failing(part_size(case) + 1, mine))
        case.expect(caught.error is mine, "the exception is the stream's own", caught.error)
        case.endpoint.inject(Answer(500, "InternalError"), operation="UploadPart", times=None)
        with case.expect_raises(BackendUnavailable, path=path):
            backend.write(path, unseekable(bytes(part_size(case) + 1)))

    @pytest.mark.parametrize("times", [1, None])
    @check("WIRE-029")
    def test_wire_a_conflict(self, case: Case, times: int | None) -> None:
        require_s3(case)
        backend, oracle, path = case.make(conditional_writes=True, retry=TWICE), case.oracle, case.path("file")
        case.endpoint.inject(Answer(409, "ConditionalRequestConflict"), operation="PutObject", times=times)
        try:
            backend.write(path, b"mine")
        except RemoteStoreError as error:
            case.expect_equal((error.status, error.path), (409, path), "status and path")
            case.expect_equal(oracle.raw_get(path), None, "the content after the error")
        else:
            case.expect_equal(oracle.raw_get(path), b"mine", "the content after the success")
            case.expect(times is not None, "a conflict that stays is no success")
