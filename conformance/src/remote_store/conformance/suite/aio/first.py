"""The checks that run before all others. If one of them fails, the rest of the run would only repeat it."""

from __future__ import annotations

from remote_store.conformance.checking.async_trees import found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.core import AlreadyExists, Capability, NotFound

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST


class AsyncFirstSuite:
    """What every other check relies on."""

    @async_check("WRITE-001", "READ-002", needs=(READ, WRITE))
    async def test_first_a_file_is_read_back(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("file"), b"content")
        case.expect_equal(await case.backend.read_bytes(case.path("file")), b"content", "read_bytes after write")

    @async_check("LIST-001", needs=(WRITE,))
    async def test_first_a_file_is_listed(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("file"), b"content")
        listed = await found(case.backend.list_files(case.folder))
        case.expect_equal(listed, [case.path("file")], "list_files after write")

    @async_check("ERR-005", needs=(READ,))
    async def test_first_a_missing_file(self, case: AsyncCase) -> None:
        case.expect_equal(await case.backend.exists(case.path("missing")), False, "exists of a missing file")
        with case.expect_raises(NotFound, path=case.path("missing"), what="read_bytes of a missing file"):
            await case.backend.read_bytes(case.path("missing"))

    @async_check("WRITE-006", needs=(READ,))
    async def test_first_a_file_is_created_once(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("file"), b"old")
        with case.expect_raises(AlreadyExists, path=case.path("file"), what="write to an existing file"):
            await case.backend.write(case.path("file"), b"new")
        case.expect_equal(await case.backend.read_bytes(case.path("file")), b"old", "read_bytes after the second write")

    @async_check("DEL-001", needs=(WRITE,))
    async def test_first_a_deleted_file_is_gone(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("file"), b"content")
        await case.backend.delete(case.path("file"))
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists after delete")
