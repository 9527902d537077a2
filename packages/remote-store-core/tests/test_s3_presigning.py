from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3, FakeS3Port
from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    InvalidConfiguration,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    PermissionDenied,
    Store,
)
from remote_store.core.s3 import Call, Fault, S3Backend, S3Options
from signers import PRESIGN, SIGNED, UNSIGNED, VERSION_2, Awaited, Signer, blocking, threaded

WEEK = 7 * 24 * 3600


@pytest.fixture(params=[blocking])
def backend_of(request):
    made = []

    def make(signer=None, **options):
        made.append(request.param(signer or Signer(), S3Options(**options)))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


every_kind = pytest.mark.parametrize("backend_of", [blocking, threaded, Awaited], indirect=True)


@every_kind
@pytest.mark.parametrize(
    "arguments,operation,params",
    [
        ({}, "GetObject", {}),
        ({"method": "HEAD"}, "HeadObject", {}),
        ({"method": "PUT"}, "PutObject", {}),
        ({"method": "PUT", "content_type": "text/csv"}, "PutObject", {"ContentType": "text/csv"}),
        ({"method": "DELETE"}, "DeleteObject", {}),
        (
            {"response_headers": {"content-TYPE": "text/csv", "Content-Disposition": "inline"}},
            "GetObject",
            {"ResponseContentType": "text/csv", "ResponseContentDisposition": "inline"},
        ),
        (
            {"method": "HEAD", "response_headers": {"Expires": "Thu, 01 Dec 1994 16:00:00 GMT"}},
            "HeadObject",
            {"ResponseExpires": datetime(1994, 12, 1, 16, tzinfo=UTC)},
        ),
        (
            {"response_headers": {"expires": "Thu, 01 Dec 1994 16:00:00 -0000"}},
            "GetObject",
            {"ResponseExpires": datetime(1994, 12, 1, 16, tzinfo=UTC)},
        ),
    ],
)
def test_the_port_signs_one_call_with_the_parameters_that_were_given(backend_of, arguments, operation, params):
    signer = Signer()
    assert backend_of(signer).presign("a/b", **arguments) == SIGNED
    call, seconds = signer.asked[0]
    assert (call.operation, dict(call.params), seconds) == (
        operation,
        {"Bucket": "bucket", "Key": "a/b", **params},
        3600,
    )


@every_kind
def test_a_version_is_signed_if_the_backend_has_versions(backend_of):
    signer = Signer()
    backend = backend_of(signer)
    if isinstance(backend, Awaited):
        backend._backend.capabilities = PRESIGN | {Capability.VERSIONS}
    else:
        backend.capabilities = PRESIGN | {Capability.VERSIONS}
    for method in ("GET", "HEAD", "DELETE"):
        backend.presign("a", method=method, version_id="v1")
    assert [call.params["VersionId"] for call, _ in signer.asked] == ["v1"] * 3


def test_a_version_needs_versions(backend_of):
    backend = backend_of()
    if Capability.VERSIONS not in backend.capabilities:
        with pytest.raises(CapabilityNotSupported) as caught:
            backend.presign("a", version_id="v1")
        assert caught.value.capability == "versions"


@pytest.mark.parametrize(
    "expires_in,seconds",
    [(1, 1), (1.99, 1), (60.0, 60), (WEEK, WEEK), (timedelta(minutes=5, milliseconds=999), 300), (timedelta(7), WEEK)],
)
def test_the_time_is_rounded_down_to_seconds(backend_of, expires_in, seconds):
    signer = Signer()
    backend = backend_of(signer)
    backend.presign("a", expires_in=expires_in)
    backend.presign_post("a/", expires_in=expires_in)
    assert [asked for _, asked in signer.asked] == [seconds, seconds]


WRONG_TIMES = [
    (0, ValueError),
    (0.99, ValueError),
    (-1, ValueError),
    (WEEK + 1, ValueError),
    (float("nan"), ValueError),
    (float("inf"), ValueError),
    (timedelta(0), ValueError),
    (timedelta(days=8), ValueError),
    (True, TypeError),
    ("60", TypeError),
    (None, TypeError),
    (datetime.now(UTC), TypeError),
]


@pytest.mark.parametrize("expires_in,kind", WRONG_TIMES)
def test_a_time_that_no_signature_can_have_is_refused(backend_of, expires_in, kind):
    signer = Signer()
    backend = backend_of(signer)
    with pytest.raises(kind, match="expires_in"):
        backend.presign("a", expires_in=expires_in)
    with pytest.raises(kind, match="expires_in"):
        backend.presign_post("a/", expires_in=expires_in)
    assert signer.asked == []


@pytest.mark.parametrize(
    "arguments,kind,told",
    [
        ({"method": "POST"}, ValueError, "GET, HEAD, PUT, DELETE"),
        ({"method": "get"}, ValueError, "GET, HEAD, PUT, DELETE"),
        ({"method": None}, ValueError, "GET, HEAD, PUT, DELETE"),
        ({"content_type": "text/csv"}, ValueError, "content_type"),
        ({"method": "PUT", "content_type": "a\nb"}, ValueError, "content type"),
        ({"method": "PUT", "content_type": 1}, TypeError, "content type"),
        ({"method": "PUT", "response_headers": {}}, ValueError, "response_headers"),
        ({"method": "PUT", "version_id": "v"}, ValueError, "version_id"),
        ({"version_id": ""}, ValueError, "version_id"),
        ({"version_id": 1}, ValueError, "version_id"),
        ({"response_headers": [("Expires", "x")]}, TypeError, "mapping"),
        ({"response_headers": {"X-Other": "x"}}, ValueError, "Content-Disposition, .*X-Other"),
        ({"response_headers": {1: "x"}}, ValueError, "Content-Disposition"),
        ({"response_headers": {"Content-Type": "a", "content-type": "b"}}, ValueError, "twice"),
        ({"response_headers": {"Content-Type": 1}}, TypeError, "int"),
        ({"response_headers": {"Content-Type": "a\r\nSet-Cookie: b"}}, ValueError, "printable"),
        ({"response_headers": {"Content-Type": " "}}, ValueError, "blank"),
        ({"response_headers": {"Content-Disposition": "filename=é"}}, ValueError, "UTF-8''"),
        ({"response_headers": {"Expires": "tomorrow"}}, ValueError, "HTTP date"),
    ],
)
def test_an_argument_that_means_nothing_is_refused(backend_of, arguments, kind, told):
    signer = Signer()
    with pytest.raises(kind, match=told):
        backend_of(signer).presign("a", **arguments)
    assert signer.asked == []


@pytest.mark.parametrize("path", ["", "a\0b", "a" * 1025, "\ud800"])
def test_a_path_that_is_no_file_is_refused(backend_of, path):
    with pytest.raises(InvalidPath):
        backend_of().presign(path)


@every_kind
def test_keys_that_are_not_canonical_are_read_and_deleted_but_not_written(backend_of):
    signer = Signer()
    backend = backend_of(signer)
    for method in ("GET", "HEAD", "DELETE"):
        backend.presign("a//b", method=method)
    with pytest.raises(InvalidPath):
        backend.presign("a//b", method="PUT")
    assert {call.params["Key"] for call, _ in signer.asked} == {"a//b"}


def test_a_store_presigns_below_its_root():
    signer = Signer()
    store = Store(blocking(signer, S3Options()), root_path="scope")
    store.presign("./a//b", method="PUT", content_type="text/csv", expires_in=5)
    assert signer.asked == [(Call("PutObject", {"Bucket": "bucket", "Key": "scope/a/b", "ContentType": "text/csv"}), 5)]
    with pytest.raises(InvalidPath):
        store.presign("../a")


METHODS = {
    "GET": lambda backend: backend.presign("a"),
    "HEAD": lambda backend: backend.presign("a", method="HEAD"),
    "DELETE": lambda backend: backend.presign("a", method="DELETE"),
    "PUT": lambda backend: backend.presign("a", method="PUT"),
    "form": lambda backend: backend.presign_post("a/"),
}
WITHOUT = {"without credentials": {"anon": True}, "SSE-C": {"put_options": {"SSECustomerKey": b"0" * 32}}}


@pytest.mark.parametrize("options", WITHOUT.values(), ids=WITHOUT)
@pytest.mark.parametrize("act", METHODS.values(), ids=METHODS)
def test_a_backend_whose_requests_no_url_can_make_lacks_the_capability(backend_of, act, options):
    signer = Signer()
    backend = backend_of(signer, **options)
    assert Capability.PRESIGN not in backend.capabilities
    with pytest.raises(CapabilityNotSupported) as caught:
        act(backend)
    assert (caught.value.capability, signer.asked) == ("presign", [])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "put_options,refused",
    [
        ({"ServerSideEncryption": "aws:kms"}, {"PUT", "form"}),
        ({"ACL": "private"}, {"PUT", "form"}),
        ({"StorageClass": "STANDARD_IA"}, {"PUT", "form"}),
        ({"RequestPayer": "requester"}, {"GET", "HEAD", "DELETE", "PUT", "form"}),
    ],
)
def test_put_options_that_the_sender_would_have_to_add_are_refused_by_name(backend_of, method, put_options, refused):
    signer = Signer()
    backend = backend_of(signer, put_options=put_options)
    if method in refused:
        with pytest.raises(CapabilityNotSupported, match=next(iter(put_options))):
            METHODS[method](backend)
        assert signer.asked == []
    else:
        METHODS[method](backend)
        assert dict(signer.asked[0][0].params) == {"Bucket": "bucket", "Key": "a"}


@every_kind
@pytest.mark.parametrize(
    "url,fields,kind,told",
    [
        (VERSION_2, {"AWSAccessKeyId": "k", "policy": "p", "signature": "5ec12e7"}, InvalidConfiguration, "s3v4"),
        (UNSIGNED, {}, PermissionDenied, "no credentials"),
    ],
)
def test_what_a_client_signs_otherwise_is_not_returned(backend_of, url, fields, kind, told):
    backend = backend_of(Signer(url, fields))
    for act in METHODS.values():
        with pytest.raises(kind, match=told) as caught:
            act(backend)
        assert "5ec12e7" not in str(caught.value) + repr(caught.value)
        assert (caught.value.path in ("a", "a/"), caught.value.backend) == (True, "s3")


@every_kind
def test_a_fault_of_the_port_becomes_an_error_of_the_contract(backend_of):
    backend = backend_of(Signer(Fault("NoCredentialsError", credentials=True)))
    for act in METHODS.values():
        with pytest.raises(PermissionDenied) as caught:
            act(backend)
        assert caught.value.backend == "s3"


@every_kind
@pytest.mark.parametrize("act", METHODS.values(), ids=METHODS)
def test_a_closed_backend_signs_nothing(backend_of, act):
    backend = backend_of()
    backend.close()
    with pytest.raises(BackendUnavailable):
        act(backend)


@every_kind
def test_a_signature_is_in_no_event_no_log_line_and_no_repr(backend_of, caplog):
    caplog.set_level(logging.DEBUG)
    events = []
    backend = backend_of(on_event=events.append)
    url, form = backend.presign("a"), backend.presign_post("a/")
    assert "5ec12e7" in url
    assert form.fields["x-amz-signature"] == "5ec12e7"
    assert (events, "5ec12e7" in caplog.text, "5ec12e7" in f"{form!r} {form}") == ([], False, False)


def test_a_lane_that_does_not_declare_the_capability_lacks_the_methods():
    class Backend(S3Backend):
        def _connect(self) -> Any:
            return FakeS3Port(FakeS3())

    with Backend("bucket", S3Options()) as backend:
        assert Capability.PRESIGN not in backend.capabilities
        for act in METHODS.values():
            with pytest.raises(CapabilityNotSupported):
                act(backend)


def test_memory_and_local_files_have_no_urls(tmp_path):
    for backend in (MemoryBackend(), LocalBackend(tmp_path)):
        for act in METHODS.values():
            with pytest.raises(CapabilityNotSupported) as caught:
                act(backend)
            assert caught.value.capability == "presign"
