"""Faults of storages without HTTP, and the calls that operations send to them."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.async_usages import PATH_USAGES
from remote_store.conformance.checking.case import AsyncCase, not_applicable, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.suite.aio.failures.failing import (
    SIZE,
    declared,
    expect_own_errors,
    expect_unchanged,
    expect_whole_file,
    expect_whole_reads,
)
from remote_store.conformance.values.storage_fault import StorageFault
from remote_store.core import BackendUnavailable, Capability, RemoteStoreError

READ, WRITE = Capability.READ, Capability.WRITE
EVERY = list(StorageFault)
AWAY = [StorageFault.UNREACHABLE, StorageFault.TIMEOUT]
OF_FILES = {"copy": "copy_from", "move": "move_from"}
OF_FOLDERS = ("delete_folder", "get_folder_info", "list_files", "list_folders", "iter_children")
CREATES = ("write", "write_atomic", "open_atomic")
WITHOUT_EFFECT = [*AWAY, StorageFault.LOST_DURING, StorageFault.FULL]


def label(fault: StorageFault) -> str:
    return fault.name.lower()


class AsyncFaultySuite:
    """Checks for storages with `Harness.faulty` or `Harness.calls`."""

    @pytest.mark.parametrize("fault", AWAY, ids=label)
    @async_check("ERR-020", needs=(WRITE,))
    async def test_fault_a_storage_that_is_away_is_unavailable(self, case: AsyncCase, fault: StorageFault) -> None:
        await fill(case, "file")
        backend = case.faulty(fault)
        for operation, row in declared(case).items():
            with case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable):
                await row.run(backend, case.path("file"), case.path("other"))

    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @async_check("ERR-021", needs=(WRITE,))
    async def test_fault_nothing_of_the_client_leaves(self, case: AsyncCase, fault: StorageFault) -> None:
        await fill(case, "file")
        backend = case.faulty(fault)
        await expect_own_errors(case, backend, nullcontext, f"the storage fails ({fault.value})")

    @async_check("READ-024", needs=(WRITE,))
    async def test_fault_a_read_that_is_cut_is_not_the_whole(self, case: AsyncCase) -> None:
        content = case.content(SIZE)
        await fill(case, "file", data=content)
        await expect_whole_reads(case, case.faulty(StorageFault.LOST_DURING), nullcontext, content)

    @pytest.mark.parametrize("fault", WITHOUT_EFFECT, ids=label)
    @async_check("WRITE-022", needs=(READ,))
    async def test_fault_a_write_that_fails_changes_nothing(self, case: AsyncCase, fault: StorageFault) -> None:
        await fill(case, "file", data=b"old")
        backend = case.faulty(fault)
        for name, overwrite in (("file", True), ("new", False)):
            with case.expect_raises(RemoteStoreError, what=f"a write while the storage fails ({fault.value})"):
                await backend.write(case.path(name), case.content(SIZE), overwrite=overwrite)
        # A storage that writes in place has sent a part, and cannot take it back while it fails.
        if fault in AWAY or Capability.ATOMIC_WRITE in case.backend.capabilities:
            await expect_unchanged(case)

    @pytest.mark.parametrize("overwrite", [False, True])
    @async_check("WRITE-023", needs=(READ,))
    async def test_fault_a_lost_answer_leaves_a_whole_file(self, case: AsyncCase, overwrite: bool) -> None:
        backend = case.faulty(StorageFault.LOST_AFTER)
        await expect_whole_file(case, backend, nullcontext, "write", overwrite=overwrite)

    @pytest.mark.parametrize("method", ["write_atomic", "open_atomic"])
    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @async_check("ATOM-018", needs=(READ, WRITE))
    async def test_fault_an_atomic_write_is_whole(self, case: AsyncCase, fault: StorageFault, method: str) -> None:
        await expect_whole_file(case, case.faulty(fault), nullcontext, method, overwrite=True)

    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @async_check("COPY-026", needs=(READ, WRITE))
    async def test_fault_a_move_leaves_a_copy(self, case: AsyncCase, fault: StorageFault) -> None:
        content = case.content(SIZE)
        await fill(case, "source", data=content)
        backend = case.faulty(fault)
        with suppress(RemoteStoreError):
            await backend.move(case.path("source"), case.path("target"))
        found = [name for name in ("source", "target") if await case.backend.exists(case.path(name))]
        whole = [name for name in found if await case.backend.read_bytes(case.path(name)) == content]
        case.expect(bool(whole), "the source or the target is the complete file", found)

    @async_check("COST-021", needs=(READ, WRITE))
    async def test_budget_an_operation_keeps_it(self, case: AsyncCase) -> None:
        calls_of(case)
        if not case.harness.budget:
            untested("the harness states no budget")
        for method, most in case.harness.budget.items():
            row = PATH_USAGES.get(OF_FILES.get(method, method))
            if row is None:
                case.fail("a name in the budget", "a method that takes a path", method)
            if row.capability in (None, *case.backend.capabilities):
                await fill(
                    case, *([f"{method}/file"] if method in OF_FOLDERS else [] if method in CREATES else [method])
                )
                before = calls_of(case)
                await row.run(case.backend, case.path(method), case.path(f"{method}-other"))
                sent = calls_of(case) - before
                case.expect(sent <= most, f"at most {most} calls of {method}", sent)

    @async_check("COST-022")
    async def test_budget_names_send_no_call(self, case: AsyncCase) -> None:
        backend, before = case.backend, calls_of(case)
        case.expect_equal(backend.to_key(backend.native_path(case.path("file"))), case.path("file"), "to_key")
        backend.resolve(case.path("file"))
        case.expect_equal(calls_of(case) - before, 0, "the calls of native_path, to_key and resolve")


def calls_of(case: AsyncCase) -> int:
    """The calls that the storage has received so far. The check ends if they are not counted."""
    if case.harness.endpoint is not None:
        not_applicable("the endpoint counts the requests of the storage")
    calls = case.harness.calls()
    return calls if calls is not None else untested("the harness counts no calls")
