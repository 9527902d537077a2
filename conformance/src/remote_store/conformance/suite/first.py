# Generated from conformance/src/remote_store/conformance/suite/aio/first.py by tools/unasync.py; edit that.
"""The checks that run before all others. If one of them fails, the rest of the run would only repeat it."""

from __future__ import annotations

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import found
from remote_store.core import AlreadyExists, Capability, NotFound

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST


class FirstSuite:
    """What every other check relies on."""

    @check("WRITE-001", "READ-002", needs=(READ, WRITE))
    def test_first_a_file_is_read_back(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"content")
        case.expect_equal(case.backend.read_bytes(case.path("file")), b"content", "read_bytes after write")

    @check("LIST-001", needs=(WRITE,))
    def test_first_a_file_is_listed(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"content")
        listed = found(case.backend.list_files(case.folder))
        case.expect_equal(listed, [case.path("file")], "list_files after write")

    @check("ERR-005", needs=(READ,))
    def test_first_a_missing_file(self, case: Case) -> None:
        case.expect_equal(case.backend.exists(case.path("missing")), False, "exists of a missing file")
        with case.expect_raises(NotFound, path=case.path("missing"), what="read_bytes of a missing file"):
            case.backend.read_bytes(case.path("missing"))

    @check("WRITE-006", needs=(READ,))
    def test_first_a_file_is_created_once(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"old")
        with case.expect_raises(AlreadyExists, path=case.path("file"), what="write to an existing file"):
            case.backend.write(case.path("file"), b"new")
        case.expect_equal(case.backend.read_bytes(case.path("file")), b"old", "read_bytes after the second write")

    @check("DEL-001", needs=(WRITE,))
    def test_first_a_deleted_file_is_gone(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"content")
        case.backend.delete(case.path("file"))
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists after delete")
