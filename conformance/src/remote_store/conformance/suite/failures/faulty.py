# Generated from conformance/src/remote_store/conformance/suite/aio/failures/faulty.py by tools/unasync.py; edit that.
"""Faults of storages without HTTP, and the calls that operations send to them."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest

from remote_store.conformance.checking.case import Case, not_applicable, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.usages import PATH_USAGES
from remote_store.conformance.suite.failures.failing import (
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


class FaultySuite:
    """Checks for storages with `Harness.faulty` or `Harness.calls`."""

    @pytest.mark.parametrize("fault", AWAY, ids=label)
    @check("ERR-020", needs=(WRITE,))
    def test_fault_a_storage_that_is_away_is_unavailable(self, case: Case, fault: StorageFault) -> None:
        fill(case, "file")
        backend = case.faulty(fault)
        for operation, row in declared(case).items():
            with case.expect_raises(BackendUnavailable, what=operation, where=lambda error: error.retryable):
                row.run(backend, case.path("file"), case.path("other"))

    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @check("ERR-021", needs=(WRITE,))
    def test_fault_nothing_of_the_client_leaves(self, case: Case, fault: StorageFault) -> None:
        fill(case, "file")
        backend = case.faulty(fault)
        expect_own_errors(case, backend, nullcontext, f"the storage fails ({fault.value})")

    @check("READ-024", needs=(WRITE,))
    def test_fault_a_read_that_is_cut_is_not_the_whole(self, case: Case) -> None:
        content = case.content(SIZE)
        fill(case, "file", data=content)
        expect_whole_reads(case, case.faulty(StorageFault.LOST_DURING), nullcontext, content)

    @pytest.mark.parametrize("fault", WITHOUT_EFFECT, ids=label)
    @check("WRITE-022", needs=(READ,))
    def test_fault_a_write_that_fails_changes_nothing(self, case: Case, fault: StorageFault) -> None:
        fill(case, "file", data=b"old")
        backend = case.faulty(fault)
        for name, overwrite in (("file", True), ("new", False)):
            with case.expect_raises(RemoteStoreError, what=f"a write while the storage fails ({fault.value})"):
                backend.write(case.path(name), case.content(SIZE), overwrite=overwrite)
        # A storage that writes in place has sent a part, and cannot take it back while it fails.
        if fault in AWAY or Capability.ATOMIC_WRITE in case.backend.capabilities:
            expect_unchanged(case)

    @pytest.mark.parametrize("overwrite", [False, True])
    @check("WRITE-023", needs=(READ,))
    def test_fault_a_lost_answer_leaves_a_whole_file(self, case: Case, overwrite: bool) -> None:
        backend = case.faulty(StorageFault.LOST_AFTER)
        expect_whole_file(case, backend, nullcontext, "write", overwrite=overwrite)

    @pytest.mark.parametrize("method", ["write_atomic", "open_atomic"])
    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @check("ATOM-018", needs=(READ, WRITE))
    def test_fault_an_atomic_write_is_whole(self, case: Case, fault: StorageFault, method: str) -> None:
        expect_whole_file(case, case.faulty(fault), nullcontext, method, overwrite=True)

    @pytest.mark.parametrize("fault", EVERY, ids=label)
    @check("COPY-026", needs=(READ, WRITE))
    def test_fault_a_move_leaves_a_copy(self, case: Case, fault: StorageFault) -> None:
        content = case.content(SIZE)
        fill(case, "source", data=content)
        backend = case.faulty(fault)
        with suppress(RemoteStoreError):
            backend.move(case.path("source"), case.path("target"))
        found = [name for name in ("source", "target") if case.backend.exists(case.path(name))]
        whole = [name for name in found if case.backend.read_bytes(case.path(name)) == content]
        case.expect(bool(whole), "the source or the target is the complete file", found)

    @check("COST-021", needs=(READ, WRITE))
    def test_budget_an_operation_keeps_it(self, case: Case) -> None:
        calls_of(case)
        if not case.harness.budget:
            untested("the harness states no budget")
        for method, most in case.harness.budget.items():
            row = PATH_USAGES.get(OF_FILES.get(method, method))
            if row is None:
                case.fail("a name in the budget", "a method that takes a path", method)
            if row.capability in (None, *case.backend.capabilities):
                fill(case, *([f"{method}/file"] if method in OF_FOLDERS else [] if method in CREATES else [method]))
                before = calls_of(case)
                row.run(case.backend, case.path(method), case.path(f"{method}-other"))
                sent = calls_of(case) - before
                case.expect(sent <= most, f"at most {most} calls of {method}", sent)

    @check("COST-022")
    def test_budget_names_send_no_call(self, case: Case) -> None:
        backend, before = case.backend, calls_of(case)
        case.expect_equal(backend.to_key(backend.native_path(case.path("file"))), case.path("file"), "to_key")
        backend.resolve(case.path("file"))
        case.expect_equal(calls_of(case) - before, 0, "the calls of native_path, to_key and resolve")


def calls_of(case: Case) -> int:
    """The calls that the storage has received so far. The check ends if they are not counted."""
    if case.harness.endpoint is not None:
        not_applicable("the endpoint counts the requests of the storage")
    calls = case.harness.calls()
    return calls if calls is not None else untested("the harness counts no calls")
