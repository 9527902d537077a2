# Generated from conformance/src/remote_store/conformance/suite/aio/s3/probing.py by tools/unasync.py; edit that.
"""Checks of finding out which conditions a server honours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.wire import operations, patient, require_option, require_s3, trusting, uploads
from remote_store.conformance.http.faults import Request, Respond
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    ConditionalWrites,
    PermissionDenied,
    RemoteStoreError,
)

WRITE, READ, DELETE = Capability.WRITE, Capability.READ, Capability.DELETE
PROBES = ".remote-store-probe-"
CREATES, SWAPS = "if-none-match", "if-match"
PAGE = Respond(412, body=b"<html>a proxy</html>", foreign=True)


class Simulated(NamedTuple):
    """A server that breaks one condition.

    Attributes:
        kind: The condition, as `ConditionalWrites` calls it.
        operation: Its operation.
        header: Its header.
        response: What the server responds.
        after: How many requests with the condition it honours before.
    """

    kind: str
    operation: str
    header: str
    response: Respond
    after: int = 0


BROKEN = {
    "accepts_what_it_must_refuse": Simulated(
        "put", "PutObject", CREATES, Respond(200, headers={"ETag": '"00000000000000000000000000000000"'}), after=1
    ),
    "refuses_all_swaps": Simulated("swap", "PutObject", SWAPS, Respond(412, "PreconditionFailed")),
    "lacks_it_in_uploads": Simulated("complete", "CompleteMultipartUpload", CREATES, Respond(501, "NotImplemented")),
    "refuses_all_copies": Simulated("copy", "CopyObject", CREATES, Respond(412, "PreconditionFailed")),
    "deletes_nothing": Simulated("delete", "DeleteObject", SWAPS, Respond(204), after=1),
}
PROVES_NOTHING: dict[str, tuple[Respond, type[RemoteStoreError]]] = {
    "denied": (Respond(403, "AccessDenied"), PermissionDenied),
    "busy": (Respond(503, "SlowDown"), BackendUnavailable),
    "a_proxy": (PAGE, RemoteStoreError),
}


class ProbingSuite:
    """S3: what the server honours."""

    @pytest.mark.parametrize("name", BROKEN)
    @check("S3-025", needs=(WRITE, READ, DELETE))
    def test_s3_a_probe_says_what_is_honoured(self, case: Case, name: str) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        server = BROKEN[name]
        case.endpoint.inject(
            server.response,
            operation=server.operation,
            times=None,
            after=server.after,
            match=partial(has_header, server.header),
        )
        found = case.backend.probe_conditions(case.folder)
        case.expect_type(found, ConditionalWrites, "the result")
        case.expect_equal(getattr(found, server.kind), False, f"{server.kind} of the result")
        unknown = [field.name for field in fields(found) if getattr(found, field.name) is None]
        case.expect_equal(unknown, [], "the conditions that the result does not know")

    @pytest.mark.parametrize("name", PROVES_NOTHING)
    @check("S3-025", "S3-026", needs=(WRITE, READ, DELETE))
    def test_s3_a_probe_does_not_guess(self, case: Case, name: str) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        response, error = PROVES_NOTHING[name]
        fill(case, "file", data=b"content")
        backend = patient(case, 1)
        case.endpoint.inject(response, operation="CopyObject", times=None)
        with case.expect_raises(error, path=case.folder):
            backend.probe_conditions(case.folder)
        expect_untouched(case)

    @check("S3-026", needs=(WRITE, READ, DELETE))
    def test_s3_a_probe_leaves_nothing(self, case: Case) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        fill(case, "file", data=b"content")
        with case.endpoint.recording() as sent:
            case.backend.probe_conditions(case.folder)
        elsewhere = [
            request.key for request in of_objects(sent) if not request.key.startswith(f"{case.folder}/{PROBES}")
        ]
        case.expect_equal(elsewhere, [], "the keys outside of the probe's own")
        expect_untouched(case)

    @check("S3-027", needs=(WRITE, READ, DELETE))
    def test_s3_a_backend_probes_once(self, case: Case) -> None:
        require_s3(case)
        trusting(case)
        with case.isolated() as alone:
            one, two = alone.make(conditional_writes="probe"), alone.make(conditional_writes="probe")
            with case.endpoint.recording() as sent:
                one.write("old", b"old", overwrite=True)
                one.read_bytes("old")
                one.delete("old")
            case.expect_equal(len(of_probes(sent)), 0, "requests of a probe that nothing depends on")
            writes = [partial((one, two)[number % 2].write, f"file-{number}", b"x") for number in range(8)]
            with case.endpoint.recording() as sent:
                for result in case.together(writes):
                    if isinstance(result, Exception):
                        case.fail("a concurrent create", "a result", result)
            probes = {request.key.removeprefix(PROBES).partition("-")[0] for request in of_probes(sent)}
            case.expect_equal(len(probes), 1, "probes of eight concurrent creates by two backends")
            mine = [request.operation for request in of_objects(sent) if not request.key.startswith(PROBES)]
            case.expect_equal(mine, ["PutObject"] * 8, "the other requests")
            with case.endpoint.recording() as sent:
                two.write("another", b"x")
                with case.expect_raises(AlreadyExists, path="another"):
                    one.write("another", b"y")
            case.expect_equal(operations(sent), ["PutObject"] * 2, "the requests of two creates after the probe")

    @check("S3-028", needs=(WRITE, READ))
    def test_s3_a_create_is_safe_after_a_failed_probe(self, case: Case) -> None:
        require_s3(case)
        trusting(case)
        with case.isolated() as alone:
            backend = alone.make(conditional_writes="probe")
            backend.write("file", b"old", overwrite=True)
            case.endpoint.inject(Respond(403, "AccessDenied"), operation="PutObject", times=None, match=is_probe)
            # A server that ignores the condition.
            ignored = Respond(200, headers={"ETag": '"00000000000000000000000000000000"'})
            case.endpoint.inject(ignored, operation="PutObject", times=None, match=partial(has_header, CREATES))
            for _ in range(2):
                with case.endpoint.recording() as sent, case.expect_raises(AlreadyExists, path="file"):
                    backend.write("file", b"new")
                case.expect("HeadObject" in operations(sent), "a HEAD first", operations(sent))
                case.expect(of_probes(sent), "another probe", operations(sent))
            case.expect_equal(backend.read_bytes("file"), b"old", "the content")


def has_header(name: str, request: Request) -> bool:
    """Whether a request has a header."""
    return name in request.headers


def is_probe(request: Request) -> bool:
    """Whether a request is about an object of a probe at the root."""
    return request.key.startswith(PROBES)


def of_objects(sent: Iterable[Request]) -> list[Request]:
    """The requests that are about one object."""
    return [request for request in sent if request.key]


def of_probes(sent: Iterable[Request]) -> list[Request]:
    """The requests that are about an object of a probe at the root."""
    return list(filter(is_probe, sent))


def expect_untouched(case: Any) -> None:
    """Fail if the folder has other objects or uploads than the file that was there before the probe."""
    case.expect_equal(case.oracle.raw_list(f"{case.folder}/"), [case.path("file")], "the keys")
    case.expect_equal(case.oracle.raw_get(case.path("file")), b"content", "the content of the file")
    case.expect_equal(uploads(case), [], "the unfinished uploads")
