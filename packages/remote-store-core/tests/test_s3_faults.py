from __future__ import annotations

import pickle

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.s3 import Fault
from remote_store.core.s3.protocol import faults

KINDS = [
    (Fault("NoSuchKey", 404), NotFound),
    (Fault("NoSuchBucket", 404), NotFound),
    (Fault("404", 404), NotFound),
    (Fault("NoSuchVersion", 404), NotFound),
    (Fault("PreconditionFailed", 412), PreconditionFailed),
    (Fault("412", 412), PreconditionFailed),
    (Fault("401", 401), PermissionDenied),
    (Fault("403", 403), PermissionDenied),
    (Fault("SomethingNew", 403), PermissionDenied),
    *(
        (Fault(code, status), PermissionDenied)
        for status in (400, 403, 503)
        for code in (
            "AccessDenied",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
            "TokenRefreshRequired",
            "AccountProblem",
            "AllAccessDisabled",
            "RequestTimeTooSkewed",
        )
    ),
    (Fault("NoCredentialsError", credentials=True), PermissionDenied),
    (Fault("408", 408), BackendUnavailable),
    (Fault("429", 429), BackendUnavailable),
    (Fault("500", 500), BackendUnavailable),
    (Fault("502", 502), BackendUnavailable),
    (Fault("599", 599), BackendUnavailable),
    (Fault("SlowDown", 503), BackendUnavailable),
    (Fault("SlowDown", 200), BackendUnavailable),
    (Fault("InternalError", None), BackendUnavailable),
    (Fault("RequestTimeout", 400), BackendUnavailable),
    (Fault("ReadTimeoutError", transport=True), BackendUnavailable),
    (Fault("EndpointConnectionError", transport=True), BackendUnavailable),
    (Fault("ConditionalRequestConflict", 409), BackendUnavailable),
    (Fault("LostAnswer", 103), BackendUnavailable),
    (Fault("LostAnswer"), BackendUnavailable),
    (Fault("InformationalAnswer", 103), RemoteStoreError),
    (Fault("TooManyHeaders"), RemoteStoreError),
    (Fault("KeyTooLongError", 400), InvalidPath),
    (Fault("400", 400), RemoteStoreError),
    (Fault("PermanentRedirect", 301), RemoteStoreError),
    (Fault("301", 301), RemoteStoreError),
    (Fault("AuthorizationHeaderMalformed", 400), RemoteStoreError),
    (Fault("BucketNotEmpty", 409), RemoteStoreError),
    (Fault("ParamValidation"), RemoteStoreError),
    (Fault("SomethingNew"), RemoteStoreError),
    (Fault("SomethingNew", 418), RemoteStoreError),
]


@pytest.mark.parametrize("fault, kind", KINDS, ids=lambda value: getattr(value, "code", ""))
def test_code_and_status_make_the_class(fault: Fault, kind: type[RemoteStoreError]) -> None:
    error = faults.typed(fault, path="a/b")
    assert type(error) is kind
    assert (error.path, error.code, error.status) == ("a/b", fault.code, fault.status)
    assert error.retryable is (kind is BackendUnavailable)
    assert error.message
    assert error.__cause__ is fault


@pytest.mark.parametrize("code", sorted(faults.CODES))
def test_every_known_code_says_what_to_do(code: str) -> None:
    kind, advice = faults.classify(Fault(code, 400))
    assert issubclass(kind, RemoteStoreError)
    assert len(advice.split()) > 3


@pytest.mark.parametrize("status", sorted(faults.STATUSES))
def test_every_known_status_says_what_to_do(status: int) -> None:
    kind, advice = faults.classify(Fault(str(status), status))
    assert issubclass(kind, RemoteStoreError)
    assert len(advice.split()) > 3


def test_the_text_of_a_message_decides_nothing() -> None:
    told = "404 Not Found AccessDenied 412 PreconditionFailed NoSuchKey"
    assert type(faults.typed(Fault("InternalError", 500, told))) is BackendUnavailable
    assert type(faults.typed(Fault("ConnectionError", None, told, transport=True))) is BackendUnavailable


def test_a_message_of_the_sdk_that_holds_a_url_is_not_shown() -> None:
    error = faults.typed(Fault("EndpointConnectionError", None, "http://host/bucket/404.csv?X=1", transport=True))
    assert "404.csv" not in str(error)


def test_the_cause_is_the_exception_of_the_sdk() -> None:
    native = ValueError("native")
    fault = Fault("NoSuchKey", 404, request_id="r-1")
    fault.__cause__ = native
    error = faults.typed(fault, path="a")
    assert error.__cause__ is native
    assert error.request_id == "r-1"


def test_an_operation_can_know_the_class_better() -> None:
    error = faults.typed(Fault("PreconditionFailed", 412, "x"), path="a", error=AlreadyExists)
    assert type(error) is AlreadyExists
    assert "overwrite=True" in error.message


def test_the_error_pickles_with_its_facts() -> None:
    error = faults.typed(Fault("SlowDown", 503, "busy", "r-1"), path="a")
    copied = pickle.loads(pickle.dumps(error))
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


@pytest.mark.parametrize(
    "question, yes, no",
    [
        (faults.is_missing, Fault("NoSuchKey", 404), Fault("AccessDenied", 403)),
        (faults.is_missing, Fault("404", 404), Fault("AccessDenied", 404)),
        (faults.is_missing_bucket, Fault("NoSuchBucket", 404), Fault("NoSuchKey", 404)),
        (faults.is_precondition, Fault("412", 412), Fault("409", 409)),
        (faults.is_conflict, Fault("ConditionalRequestConflict", 409), Fault("InvalidBucketState", 409)),
        (faults.lacks_feature, Fault("NotImplemented", 501), Fault("InternalError", 500)),
    ],
)
def test_questions_about_faults(question: object, yes: Fault, no: Fault) -> None:
    assert question(yes)  # type: ignore[operator]
    assert not question(no)  # type: ignore[operator]


def test_a_note_of_a_fault_is_kept_where_its_cause_takes_its_place() -> None:
    fault = Fault("AccessDenied", 403)
    fault.add_note("an upload still lies there")
    assert faults.typed(fault).__cause__ is fault
    fault.__cause__ = ValueError("of the SDK")
    assert faults.typed(fault).__notes__ == ["an upload still lies there"]


@pytest.mark.parametrize(
    "fault, again",
    [
        (Fault("ConnectionResetError", transport=True), True),
        (Fault("SlowDown", 503), True),
        (Fault("503", 503), True),
        (Fault("429", 429), True),
        (Fault("RequestTimeout", 400), True),
        (Fault("IncompleteDocument", 500), True),
        (Fault("CertificateNotTrusted"), False),
        (Fault("ConditionalRequestConflict", 409), False),
        (Fault("NoSuchKey", 404), False),
        (Fault("NotS3", 200), False),
        (Fault("BrokenAnswer", 200), False),
        (Fault("NoCredentialsError", credentials=True), False),
    ],
)
def test_what_may_pass_is_sent_again(fault: Fault, again: bool) -> None:
    assert faults.may_pass(fault) is again


@pytest.mark.parametrize(
    "operation, code, headers, foreign",
    [
        ("GetObject", "NoSuchKey", {}, False),
        ("GetObject", "404", {"x-amz-request-id": "R"}, True),
        ("HeadObject", "404", {"x-amz-request-id": "R"}, False),
        ("HeadObject", "404", {}, True),
        ("GetObject", "OfAnotherService", {}, True),
        ("GetObject", "OfAnotherService", {"x-amz-request-id": "R"}, False),
    ],
)
def test_a_refusal_is_s3s_by_its_code_or_a_header(
    operation: str, code: str, headers: dict[str, str], foreign: bool
) -> None:
    assert faults.is_foreign(operation, code, 404, headers) is foreign
