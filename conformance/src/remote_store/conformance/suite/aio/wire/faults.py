"""Checks of faults on the wire: the error, the number of requests, and the message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill, found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import (
    THRICE,
    TWICE,
    async_settles,
    label,
    named,
    operations,
    part_size,
    patient,
    require_s3,
    unseekable,
)
from remote_store.conformance.http.faults import (
    Reset,
    Respond,
    ShortBody,
    WireFault,
)
from remote_store.conformance.servers import dead_endpoint
from remote_store.core import (
    AsyncBackend,
    BackendUnavailable,
    NotFound,
    PermissionDenied,
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


def basic_calls(case: AsyncCase, backend: AsyncBackend) -> dict[str, Callable[[], Any]]:
    """One call for each S3 operation of the simple methods; `file` and `folder/file` must exist."""
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


class AsyncWireSuite:
    """WIRE: error responses, and connections that break before the response."""

    @pytest.mark.parametrize("status, code", BUSY)
    @async_check("WIRE-001")
    async def test_wire_a_busy_server(self, case: AsyncCase, status: int, code: str) -> None:
        require_s3(case)
        backend, path = case.make(retry=THRICE), case.path("file")
        case.endpoint.inject(Respond(status, code), operation="GetObject", times=None)
        with case.endpoint.recording() as sent, case.expect_raises(BackendUnavailable, path=path) as caught:
            await backend.read_bytes(path)
        case.expect_equal((caught.error.retryable, caught.error.status), (True, status), "retryable and status")
        case.expect_equal(operations(sent), ["GetObject"] * 3, "the attempts")

    @pytest.mark.parametrize("fault", [Respond(503, "SlowDown"), Respond(500, "InternalError"), Reset()])
    @async_check("WIRE-002")
    async def test_wire_no_retries_means_one_request(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        await fill(case, "file", "folder/file")
        for operation, call in basic_calls(case, backend).items():
            case.endpoint.clear_faults()
            injection = case.endpoint.inject(fault, operation=operation, times=None)
            with case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable):
                await call()
            case.expect_equal(injection.hits, 1, f"the attempts of {operation}")

    @pytest.mark.parametrize("fault", [Respond(503, "SlowDown"), Respond(500, "InternalError"), Reset()])
    @async_check("WIRE-003")
    async def test_wire_a_failure_that_passes(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        backend = case.make(retry=THRICE)
        await fill(case, "file", "folder/file", data=b"content")
        for operation, call in basic_calls(case, backend).items():
            injection = case.endpoint.inject(fault, operation=operation)
            await call()
            case.expect_equal(injection.hits, 1, f"the failures of {operation}")
        left = await found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(left, [case.path("copy"), case.path("new")], "the files")

    @pytest.mark.parametrize("status, code", DENIED)
    @async_check("WIRE-004")
    async def test_wire_a_refusal(self, case: AsyncCase, status: int, code: str) -> None:
        require_s3(case)
        await fill(case, "file", "folder/file")
        for operation, call in basic_calls(case, case.make(retry=TWICE)).items():
            case.endpoint.clear_faults()
            case.endpoint.inject(Respond(status, code), times=None)
            with case.endpoint.recording() as sent, case.expect_raises(PermissionDenied, what=operation) as caught:
                await call()
            case.expect_equal(caught.error.retryable, False, f"retryable of {operation}")
            # The response to a HEAD has no code; WIRE-005 is about the request that finds it out.
            if code and sent[0].operation != "HeadObject":
                case.expect_equal(
                    (caught.error.code, caught.error.status), (code, status), f"{operation}: code, status"
                )

    @pytest.mark.parametrize("status, code", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")])
    @async_check("WIRE-005")
    async def test_wire_a_head_is_asked_again(self, case: AsyncCase, status: int, code: str) -> None:
        require_s3(case)
        path = case.path("file")
        case.endpoint.inject(Respond(status, code), times=None)
        for name in ("get_file_info", "is_file", "exists", "read_seekable", "delete"):
            with case.expect_raises(PermissionDenied, path=path, what=name) as caught:
                await getattr(case.backend, name)(path)
            case.expect_equal(caught.error.code, code, f"the code of {name}")

    @pytest.mark.parametrize(
        "fault, kind",
        [
            (Respond(403, "AccessDenied"), PermissionDenied),
            (Respond(503, "SlowDown"), BackendUnavailable),
            (Respond(500), BackendUnavailable),
            (Reset(), BackendUnavailable),
        ],
    )
    @async_check("WIRE-006")
    async def test_wire_a_probe_never_guesses(
        self, case: AsyncCase, fault: WireFault, kind: type[RemoteStoreError]
    ) -> None:
        endpoint, backend, path = case.endpoint, patient(case, 1), case.path("absent")
        endpoint.inject(fault, times=None)
        for name in ("is_file", "is_folder", "exists", "check_health"):
            with case.expect_raises(kind, what=name):
                await (backend.check_health() if name == "check_health" else getattr(backend, name)(path))
        with case.expect_raises(kind, what="delete"):
            await backend.delete(path, missing_ok=True)
        with case.expect_raises(kind, what="delete_folder"):
            await backend.delete_folder(path, missing_ok=True)

    @async_check("WIRE-007")
    async def test_wire_a_reset_before_the_answer(self, case: AsyncCase) -> None:
        require_s3(case)
        backend, path = case.make(retry=TWICE), case.path("file")
        await fill(case, "file", data=b"content")
        injection = case.endpoint.inject(Reset(), operation="GetObject", times=None)
        with case.expect_raises(BackendUnavailable, path=path, where=lambda error: error.retryable):
            await backend.read_bytes(path)
        case.expect_equal(injection.hits, 2, "the attempts")

    @async_check("WIRE-017")
    async def test_wire_a_dead_endpoint(self, case: AsyncCase) -> None:
        backend = patient(case, 1, endpoint_url=dead_endpoint())
        for name in ("404.csv", "AccessDenied", "NoSuchKey"):
            path = case.path(name)
            calls: dict[str, Callable[[], Any]] = {
                "read_bytes": partial(backend.read_bytes, path),
                "exists": partial(backend.exists, path),
                "write": partial(backend.write, path, b"x", overwrite=True),
                "list_files": lambda: found(backend.list_files(path)),  # noqa: B023 - it is called before the next turn
                "delete": partial(backend.delete, path, missing_ok=True),
            }
            for what, call in calls.items():
                with case.expect_raises(BackendUnavailable, path=path, what=what, where=lambda error: error.retryable):
                    await call()
        with case.expect_raises(BackendUnavailable, what="check_health"):
            await backend.check_health()

    @async_check("WIRE-018")
    async def test_wire_a_wrong_secret(self, case: AsyncCase) -> None:
        await fill(case, "file", "folder/file")
        wrong = case.make(secret="a-wrong-secret")
        for operation, call in basic_calls(case, wrong).items():
            with case.expect_raises(PermissionDenied, what=operation, where=self._keeps_the_secret(case)):
                await call()
        for name in ("exists", "is_file", "is_folder"):
            with case.expect_raises(PermissionDenied, what=name):
                await getattr(wrong, name)(case.path("file"))
        with case.expect_raises(PermissionDenied, what="check_health"):
            await wrong.check_health()

    @staticmethod
    def _keeps_the_secret(case: AsyncCase) -> Callable[[RemoteStoreError], bool]:
        def keeps(error: RemoteStoreError) -> bool:
            causes: list[BaseException] = [error]
            while causes[-1].__cause__ is not None:
                causes.append(causes[-1].__cause__)
            texts = [text for cause in causes for text in (str(cause), repr(cause))]
            secrets = (*case.profile.secrets, "a-wrong-secret")
            return not any(secret in text for secret in secrets for text in texts)

        return keeps

    @async_check("WIRE-032")
    async def test_wire_a_read_from_a_missing_bucket(self, case: AsyncCase) -> None:
        require_s3(case)
        absent, path = case.absent(), case.path("file")
        for name in ("read_bytes", "read"):
            with case.expect_raises(NotFound, what=name, where=lambda error: error.code == "NoSuchBucket"):
                await getattr(absent, name)(path)

    @async_check("WIRE-019")
    async def test_wire_a_write_into_a_missing_bucket(self, case: AsyncCase) -> None:
        require_s3(case)
        absent, path = case.absent(), case.path("file")
        for overwrite in (False, True):
            with case.expect_raises(NotFound, path=path, where=lambda error: error.code == "NoSuchBucket"):
                await absent.write(path, b"x", overwrite=overwrite)
        with case.expect_raises(NotFound, where=lambda error: error.code == "NoSuchBucket"):
            await absent.write(path, unseekable(bytes(part_size(case) + 1)))

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
    @async_check("WIRE-020")
    async def test_wire_the_message_says_what_to_do(self, case: AsyncCase, status: int, code: str, word: str) -> None:
        require_s3(case)
        backend = case.make(retry=RetryPolicy.disabled())
        case.endpoint.inject(Respond(status, code, "said the server"), times=None)
        for what, call in basic_calls(case, backend).items():
            if what in ("GetObject", "PutObject"):
                with case.expect_raises(RemoteStoreError, what=what) as caught:
                    await call()
                case.expect(word in str(caught.error), f"{what}: the message contains {word!r}", caught.error)

    @pytest.mark.parametrize(
        "fault",
        [Respond(403, "SignatureDoesNotMatch"), Respond(500, "InternalError"), Reset(), ShortBody(0)],
        ids=named,
    )
    @async_check("WIRE-021")
    async def test_wire_no_message_shows_a_secret(self, case: AsyncCase, fault: WireFault) -> None:
        require_s3(case)
        case.require_profile("the profile names no secrets", case.profile.secrets)
        backend = case.make(retry=RetryPolicy.disabled())
        await fill(case, "file", data=case.content(1000))
        case.endpoint.inject(fault, operation="GetObject", times=None)
        with case.expect_raises(RemoteStoreError, where=self._keeps_the_secret(case)):
            await backend.read_bytes(case.path("file"))

    @async_check("WIRE-024")
    async def test_wire_what_an_error_carries(self, case: AsyncCase) -> None:
        require_s3(case)
        backend, path = case.make(retry=RetryPolicy.disabled()), case.path("file")
        response = Respond(503, "SlowDown", headers={"x-amz-request-id": "INJECTED"})
        case.endpoint.inject(response, times=None)
        with case.expect_raises(BackendUnavailable, path=path) as caught:
            await backend.read_bytes(path)
        error = caught.error
        facts = (error.backend, error.code, error.status, error.request_id)
        case.expect_equal(facts, (backend.name, "SlowDown", 503, "INJECTED"), "backend, code, status, request id")
        case.expect(error.__cause__ is not None, "the SDK's exception is the cause", error.__cause__)

    @pytest.mark.parametrize(
        "status, code", [(405, "MethodNotAllowed"), (400, "InvalidRequest"), (418, "Teapot"), (409, "BucketNotEmpty")]
    )
    @async_check("WIRE-030")
    async def test_wire_a_refusal_without_a_class(self, case: AsyncCase, status: int, code: str) -> None:
        require_s3(case)
        case.endpoint.inject(Respond(status, code), times=None)
        with case.expect_raises(RemoteStoreError, path=case.path("file")) as caught:
            await case.backend.read_bytes(case.path("file"))
        error = caught.error
        case.expect(type(error) is RemoteStoreError, "a plain RemoteStoreError", type(error))
        case.expect_equal((error.code, error.status, error.retryable), (code, status, False), "code, status, retryable")

    @async_check("WIRE-031")
    async def test_wire_a_bulk_delete_that_fails(self, case: AsyncCase) -> None:
        require_s3(case)
        backend = case.make(retry=TWICE)
        expected = await fill(case, "dir/a", "dir/b")
        case.endpoint.inject(Respond(500, "InternalError"), operation="DeleteObjects", times=None)
        with case.expect_raises(BackendUnavailable, path=case.path("dir")):
            await backend.delete_folder(case.path("dir"), recursive=True)
        case.expect_equal(sorted(case.oracle.raw_list(case.folder + "/")), expected, "the keys")

    @async_check("WIRE-032")
    async def test_wire_a_file_that_is_missing(self, case: AsyncCase) -> None:
        require_s3(case)
        with case.expect_raises(NotFound, where=lambda error: (error.status, error.code) == (404, "NoSuchKey")):
            await case.backend.read_bytes(case.path("absent"))

    @async_check("WIRE-022")
    async def test_wire_close_ends_every_connection(self, case: AsyncCase) -> None:
        endpoint = case.endpoint
        await fill(case, "file", data=case.content(1000))
        before, backend = endpoint.connections, case.make()
        await case.together([partial(backend.read_bytes, case.path("file"))] * 8)
        case.expect(endpoint.open_connections > 0, "connections are open", endpoint.open_connections)
        await backend.close()
        closed = await async_settles(lambda: endpoint.connections <= before)
        case.expect(closed, "every connection of the client is closed", len(endpoint.connections - before))

    @async_check("WIRE-022")
    async def test_wire_close_ends_what_failed_or_was_left(self, case: AsyncCase) -> None:
        endpoint = case.endpoint
        await fill(case, "file", data=case.content(300_000))
        before, backend = endpoint.connections, patient(case, 1)
        for fault in (Respond(503), Respond(403), Reset(), ShortBody(after_bytes=1000)):
            endpoint.inject(fault, times=None)
            with case.expect_raises(RemoteStoreError, what=label(fault)):
                await backend.read_bytes(case.path("file"))
            endpoint.clear_faults()
        async with await backend.read(case.path("file")) as stream:
            await stream.read(10)
        await backend.close()
        closed = await async_settles(lambda: endpoint.connections <= before)
        case.expect(closed, "every connection of the client is closed", len(endpoint.connections - before))
