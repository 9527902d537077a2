"""Faults on the wire, for any backend over HTTP with any SDK and service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import MOST_REQUESTS, is_get, is_upload, label, patient
from remote_store.conformance.http.faults import LoseResponse, Reset, Respond, ShortBody, TruncateRequest, WireFault
from remote_store.conformance.suite.aio.failures.failing import (
    SIZE,
    declared,
    expect_own_errors,
    expect_unchanged,
    expect_whole_file,
    expect_whole_reads,
)
from remote_store.core import AsyncBackend, BackendUnavailable, Capability, PermissionDenied, RemoteStoreError

READ, WRITE = Capability.READ, Capability.WRITE
OUTAGES = [Respond(500), Respond(502), Respond(503), Respond(504), Respond(429), Reset()]
ODDITIES = [Respond(400), Respond(404), Respond(409), Respond(412), Respond(418), LoseResponse()]
CUTS = [Reset(after_bytes=100_000), ShortBody(after_bytes=100_000)]
FAILED_UPLOADS = [TruncateRequest(after_bytes=1000), Reset(), Respond(500), Respond(403)]


class AsyncOutageSuite:
    """WIRE: checks for any server."""

    @pytest.mark.parametrize("fault", ODDITIES, ids=label)
    @async_check("WIRE-033", needs=(WRITE,))
    async def test_wire_nothing_of_the_sdk_leaves(self, case: AsyncCase, fault: WireFault) -> None:
        backend = await prepared(case)
        failing = partial(injected, case, fault)
        await expect_own_errors(case, backend, failing, f"the server responds {label(fault)}")

    @pytest.mark.parametrize("fault", OUTAGES, ids=label)
    @async_check("WIRE-034", needs=(WRITE,))
    async def test_wire_an_outage_ends_in_one_error(self, case: AsyncCase, fault: WireFault) -> None:
        backend = await prepared(case)
        for operation, row in declared(case).items():
            unavailable = case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable)
            with injected(case, fault), case.endpoint.recording() as sent, unavailable:
                await row.run(backend, case.path("file"), case.path("other"))
            case.expect(len(sent) <= MOST_REQUESTS, f"at most {MOST_REQUESTS} requests of {operation}", len(sent))

    @pytest.mark.parametrize("fault", [Respond(401), Respond(403)], ids=label)
    @async_check("WIRE-035", needs=(WRITE,))
    async def test_wire_a_refusal_is_final(self, case: AsyncCase, fault: WireFault) -> None:
        backend = await prepared(case)
        for operation, row in declared(case).items():
            refused = case.expect_raises(PermissionDenied, what=operation, where=lambda error: not error.retryable)
            with injected(case, fault), case.endpoint.recording() as sent, refused:
                await row.run(backend, case.path("file"), case.path("other"))
            case.expect(len(sent) <= MOST_REQUESTS, f"at most {MOST_REQUESTS} requests of {operation}", len(sent))

    @pytest.mark.parametrize("times", [1, None])
    @pytest.mark.parametrize("fault", CUTS, ids=label)
    @async_check("WIRE-036", needs=(WRITE,))
    async def test_wire_a_cut_body_is_not_the_whole(self, case: AsyncCase, fault: WireFault, times: int | None) -> None:
        # Twice even if every body is cut: the last read may get a connection that was closed after the last cut.
        backend, content = patient(case, 2), case.content(SIZE)
        await fill(case, "file", data=content)
        await expect_whole_reads(case, backend, partial(injected, case, fault, times=times), content)
        case.expect(await backend.read_bytes(case.path("file")) == content, "the file is whole afterwards")

    @pytest.mark.parametrize("fault", FAILED_UPLOADS, ids=label)
    @async_check("WIRE-028", needs=(READ,))
    async def test_wire_a_write_that_fails_changes_nothing(self, case: AsyncCase, fault: WireFault) -> None:
        backend = patient(case, 1)
        await fill(case, "file", data=b"old")
        for name, overwrite in (("file", True), ("new", False)):
            failed = case.expect_raises(RemoteStoreError, path=case.path(name), what="a write that the server refuses")
            with injected(case, fault, uploads=True), failed:
                await backend.write(case.path(name), case.content(SIZE), overwrite=overwrite)
        await expect_unchanged(case)

    @pytest.mark.parametrize("times", [1, None])
    @pytest.mark.parametrize("overwrite", [False, True])
    @async_check("WIRE-037", needs=(READ,))
    async def test_wire_a_lost_answer_leaves_a_whole_file(
        self, case: AsyncCase, overwrite: bool, times: int | None
    ) -> None:
        backend = patient(case, 2 if times else 1)
        failing = partial(injected, case, LoseResponse(), times=times, uploads=True)
        await expect_whole_file(case, backend, failing, "write", overwrite=overwrite)


async def prepared(case: AsyncCase) -> AsyncBackend:
    """Files for every operation, and a backend that makes one attempt, if the harness has that option."""
    backend = patient(case, 1)
    await fill(case, "file")
    return backend


@contextmanager
def injected(case: AsyncCase, fault: WireFault, *, times: int | None = None, uploads: bool = False) -> Iterator[None]:
    """A block in which requests get the fault: only those that may change something, or all of them."""
    endpoint = case.endpoint
    body = isinstance(fault, ShortBody) or (isinstance(fault, Reset) and fault.after_bytes > 0)
    endpoint.inject(fault, times=times, match=is_upload if uploads else is_get if body else None)
    try:
        yield
    finally:
        endpoint.clear_faults()
