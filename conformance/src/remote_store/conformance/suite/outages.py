# Generated from conformance/src/remote_store/conformance/suite/aio/outages.py by tools/unasync.py; edit that.
"""Faults on the wire, for any backend over HTTP with any SDK and service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.usages import PATH_USAGES, Usage
from remote_store.conformance.checking.wire import MOST_REQUESTS, is_get, is_upload, label, patient
from remote_store.conformance.http.faults import LoseResponse, Reset, Respond, ShortBody, TruncateRequest, WireFault
from remote_store.core import Backend, BackendUnavailable, Capability, PermissionDenied, RemoteStoreError

READ, WRITE = Capability.READ, Capability.WRITE
SIZE = 300_000
OUTAGES = [Respond(500), Respond(502), Respond(503), Respond(504), Respond(429), Reset()]
ODDITIES = [Respond(400), Respond(404), Respond(409), Respond(412), Respond(418), LoseResponse()]
CUTS = [Reset(after_bytes=100_000), ShortBody(after_bytes=100_000)]
FAILED_UPLOADS = [TruncateRequest(after_bytes=1000), Reset(), Respond(500), Respond(403)]


class OutageSuite:
    """WIRE: checks for any server."""

    @pytest.mark.parametrize("fault", ODDITIES, ids=label)
    @check("WIRE-033", needs=(WRITE,))
    def test_wire_nothing_of_the_sdk_leaves(self, case: Case, fault: WireFault) -> None:
        backend = prepared(case)
        for operation, row in declared(case).items():
            with injected(case, fault):
                try:
                    row.run(backend, case.path("file"), case.path("other"))
                except RemoteStoreError:
                    continue
                except Exception as error:
                    case.fail(f"{operation} while the server responds {label(fault)}", RemoteStoreError, error)

    @pytest.mark.parametrize("fault", OUTAGES, ids=label)
    @check("WIRE-034", needs=(WRITE,))
    def test_wire_an_outage_ends_in_one_error(self, case: Case, fault: WireFault) -> None:
        backend = prepared(case)
        for operation, row in declared(case).items():
            unavailable = case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable)
            with injected(case, fault), case.endpoint.recording() as sent, unavailable:
                row.run(backend, case.path("file"), case.path("other"))
            case.expect(len(sent) <= MOST_REQUESTS, f"at most {MOST_REQUESTS} requests of {operation}", len(sent))

    @pytest.mark.parametrize("fault", [Respond(401), Respond(403)], ids=label)
    @check("WIRE-035", needs=(WRITE,))
    def test_wire_a_refusal_is_final(self, case: Case, fault: WireFault) -> None:
        backend = prepared(case)
        for operation, row in declared(case).items():
            refused = case.expect_raises(PermissionDenied, what=operation, where=lambda error: not error.retryable)
            with injected(case, fault), case.endpoint.recording() as sent, refused:
                row.run(backend, case.path("file"), case.path("other"))
            case.expect(len(sent) <= MOST_REQUESTS, f"at most {MOST_REQUESTS} requests of {operation}", len(sent))

    @pytest.mark.parametrize("times", [1, None])
    @pytest.mark.parametrize("fault", CUTS, ids=label)
    @check("WIRE-036", needs=(WRITE,))
    def test_wire_a_cut_body_is_not_the_whole(self, case: Case, fault: WireFault, times: int | None) -> None:
        # Twice even if every body is cut: the last read may get a connection that was closed after the last cut.
        backend, content = patient(case, 2), case.content(SIZE)
        fill(case, "file", data=content)
        seekable = Capability.SEEKABLE_READ in backend.capabilities
        for method in ("read", "read_bytes", "read_range", *(["read_seekable"] if seekable else [])):
            with injected(case, fault, times=times):
                try:
                    data = read_by(backend, method, case.path("file"))
                except BackendUnavailable as error:
                    case.expect(error.retryable, f"the error of {method} is retryable", error)
                else:
                    case.expect(data == content, f"{method} of a body that was cut returns all of it", len(data))
        case.expect(backend.read_bytes(case.path("file")) == content, "the file is whole afterwards")

    @pytest.mark.parametrize("fault", FAILED_UPLOADS, ids=label)
    @check("WIRE-028", needs=(READ,))
    def test_wire_a_write_that_fails_changes_nothing(self, case: Case, fault: WireFault) -> None:
        backend = patient(case, 1)
        fill(case, "file", data=b"old")
        for name, overwrite in (("file", True), ("new", False)):
            failed = case.expect_raises(RemoteStoreError, path=case.path(name), what="a write that the server refuses")
            with injected(case, fault, uploads=True), failed:
                backend.write(case.path(name), case.content(SIZE), overwrite=overwrite)
        case.expect_equal(case.backend.read_bytes(case.path("file")), b"old", "the file that should have been replaced")
        case.expect_equal(
            case.backend.exists(case.path("new")), False, "exists of the file that should have been created"
        )

    @pytest.mark.parametrize("times", [1, None])
    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WIRE-037", needs=(READ,))
    def test_wire_a_lost_answer_leaves_a_whole_file(self, case: Case, overwrite: bool, times: int | None) -> None:
        backend, path = patient(case, 2 if times else 1), case.path("file")
        content = case.content(SIZE)
        if overwrite:
            fill(case, "file", data=b"old")
        written = True
        with injected(case, LoseResponse(), times=times, uploads=True):
            try:
                backend.write(path, content, overwrite=overwrite)
            except RemoteStoreError:
                written = False
        there = case.backend.exists(path)
        case.expect(there or not (written or overwrite), "the old file or the new one exists")
        if there:
            data = case.backend.read_bytes(path)
            whole = data == content or (overwrite and not written and data == b"old")
            case.expect(whole, "the file is the old one or the new one", f"{len(data):,} bytes")


def prepared(case: Case) -> Backend:
    """Files for every operation, and a backend that makes one attempt, if the harness has that option."""
    backend = patient(case, 1)
    fill(case, "file")
    return backend


def declared(case: Case) -> dict[str, Usage]:
    """The operations that the backend declares, with deletes and moves at the end."""
    capabilities = case.backend.capabilities
    rows = {name: row for name, row in PATH_USAGES.items() if row.capability in (None, *capabilities)}
    removes = (Capability.DELETE, Capability.MOVE)
    return dict(sorted(rows.items(), key=lambda item: item[1].capability in removes))


@contextmanager
def injected(case: Case, fault: WireFault, *, times: int | None = None, uploads: bool = False) -> Iterator[None]:
    """A block in which requests get the fault: only those that may change something, or all of them."""
    endpoint = case.endpoint
    body = isinstance(fault, ShortBody) or (isinstance(fault, Reset) and fault.after_bytes > 0)
    endpoint.inject(fault, times=times, match=is_upload if uploads else is_get if body else None)
    try:
        yield
    finally:
        endpoint.clear_faults()


def read_by(backend: Backend, method: str, path: str) -> bytes:
    """The content of a file by one of the methods for reading; a stream is read in pieces."""
    if method == "read_bytes":
        return backend.read_bytes(path)
    if method == "read_range":
        return backend.read_range(path, 0, SIZE)
    pieces = []
    with getattr(backend, method)(path) as stream:
        while piece := stream.read(40_000):
            pieces.append(piece)
    return b"".join(pieces)
