"""Checks that deletes remove exactly the given file or folder."""

from __future__ import annotations

from functools import partial

from remote_store.conformance.checking.async_trees import fill, found, put_foreign, writable
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.core import DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError

MEETINGS = {"smoke": 2, "quick": 5, "full": 60, "soak": 300}
"""How many files several callers delete at once."""


class AsyncDeletingSuite:
    """DEL: delete and delete_folder."""

    async def _expect_files(self, case: AsyncCase, *names: str) -> None:
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(await found(listing), sorted(map(case.path, names)), "the files")

    @async_check("DEL-001")
    async def test_delete_a_deleted_file_is_gone(self, case: AsyncCase) -> None:
        await fill(case, "file", "other")
        case.expect_equal(await case.backend.is_file(case.path("file")), True, "is_file before")
        await case.backend.delete(case.path("file"))
        case.expect_equal(await case.backend.is_file(case.path("file")), False, "is_file")
        with case.expect_raises(NotFound, path=case.path("file")):
            await case.backend.read_bytes(case.path("file"))
        await self._expect_files(case, "other")

    @async_check("DEL-002")
    async def test_delete_a_missing_file(self, case: AsyncCase) -> None:
        await fill(case, "file2")
        for path in (case.path("file"), case.path("no/such/folder")):
            with case.expect_raises(NotFound, path=path):
                await case.backend.delete(path)
            await case.backend.delete(path, missing_ok=True)
        await self._expect_files(case, "file2")

    @async_check("DEL-003")
    async def test_delete_wildcards_are_literal(self, case: AsyncCase) -> None:
        await fill(case, "a*b", "a?b", "a[x]b", "axb", "ayb")
        await case.backend.delete(case.path("a*b"))
        await self._expect_files(case, "a?b", "a[x]b", "axb", "ayb")
        await case.backend.delete(case.path("a?b"))
        await case.backend.delete(case.path("a[x]b"))
        await self._expect_files(case, "axb", "ayb")

    @async_check("DEL-004")
    async def test_delete_a_folder_is_no_file(self, case: AsyncCase) -> None:
        await fill(case, "folder/file")
        for missing_ok in (False, True):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                await case.backend.delete(case.path("folder"), missing_ok=missing_ok)
        await self._expect_files(case, "folder/file")

    @async_check("DEL-005")
    async def test_delete_the_root_stays(self, case: AsyncCase) -> None:
        await fill(case, "folder/file")
        for flag in (False, True):
            with case.expect_raises(InvalidPath, path=""):
                await case.backend.delete("", missing_ok=flag)
            for recursive in (False, True):
                with case.expect_raises(InvalidPath, path=""):
                    await case.backend.delete_folder("", recursive=recursive, missing_ok=flag)
        await self._expect_files(case, "folder/file")

    @async_check("DEL-006")
    async def test_delete_neighbours_stay(self, case: AsyncCase) -> None:
        await fill(case, "file", "file2", "file.txt", "fil", "sub/file")
        await case.backend.delete(case.path("file"))
        await self._expect_files(case, "file2", "file.txt", "fil", "sub/file")

    @async_check("DEL-007")
    async def test_delete_a_folder_with_content_stays(self, case: AsyncCase) -> None:
        await fill(case, "one/file", "two/deep/er/file")
        for folder in ("one", "two", "two/deep"):
            for missing_ok in (False, True):
                with case.expect_raises(DirectoryNotEmpty, path=case.path(folder)):
                    await case.backend.delete_folder(case.path(folder), missing_ok=missing_ok)
        await self._expect_files(case, "one/file", "two/deep/er/file")

    @async_check("DEL-008")
    async def test_delete_recursive_takes_every_depth(self, case: AsyncCase) -> None:
        await fill(case, "dir/a", "dir/b/c", "dir/b/d/e/f", "keep")
        await case.backend.delete_folder(case.path("dir"), recursive=True)
        await self._expect_files(case, "keep")
        case.expect_equal(await case.backend.exists(case.path("dir")), False, "exists")
        with case.expect_raises(NotFound, path=case.path("dir")):
            await case.backend.delete_folder(case.path("dir"), recursive=True)

    @async_check("DEL-009")
    async def test_delete_sibling_folders_stay(self, case: AsyncCase) -> None:
        await fill(case, "dir/a", "dir2/a", "dir.txt", "di/a", "dir-1/b/c")
        await case.backend.delete_folder(case.path("dir"), recursive=True)
        await self._expect_files(case, "dir2/a", "dir.txt", "di/a", "dir-1/b/c")

    @async_check("DEL-010")
    async def test_delete_a_missing_folder(self, case: AsyncCase) -> None:
        await fill(case, "absent2/file")
        for recursive in (False, True):
            with case.expect_raises(NotFound, path=case.path("absent")):
                await case.backend.delete_folder(case.path("absent"), recursive=recursive)
            await case.backend.delete_folder(case.path("absent"), recursive=recursive, missing_ok=True)
        await self._expect_files(case, "absent2/file")

    @async_check("DEL-011")
    async def test_delete_a_file_is_no_folder(self, case: AsyncCase) -> None:
        await fill(case, "file")
        for missing_ok in (False, True):
            for recursive in (False, True):
                with case.expect_raises(InvalidPath, path=case.path("file")):
                    await case.backend.delete_folder(case.path("file"), recursive=recursive, missing_ok=missing_ok)
        await self._expect_files(case, "file")

    @async_check("DEL-013")
    async def test_delete_hostile_names(self, case: AsyncCase) -> None:
        await fill(case, *(f"all/{name}" for name in writable(case)), "keep")
        await case.backend.delete_folder(case.path("all"), recursive=True)
        await self._expect_files(case, "keep")

    @async_check("DEL-014")
    async def test_delete_a_deleted_file_can_be_written_again(self, case: AsyncCase) -> None:
        for content in (b"one", b"two"):
            await case.backend.write(case.path("dir/file"), content)
            case.expect_equal(await case.backend.read_bytes(case.path("dir/file")), content, "the content")
            await case.backend.delete(case.path("dir/file"))

    @async_check("DEL-015")
    async def test_delete_a_slash_at_the_end_of_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "dir/a", "dir2/a")
        with case.expect_raises(DirectoryNotEmpty):
            await case.backend.delete_folder(case.path("dir") + "/")
        await case.backend.delete_folder(case.path("dir") + "/", recursive=True)
        await self._expect_files(case, "dir2/a")

    @async_check("DEL-016")
    async def test_delete_with_a_stray_slash(self, case: AsyncCase) -> None:
        await fill(case, "dir/a", "file")
        for name in ("dir", "file"):
            with case.expect_raises(RemoteStoreError):
                await case.backend.delete(case.path(name) + "/")
        await self._expect_files(case, "dir/a", "file")

    @async_check("DEL-017")
    async def test_delete_foreign_keys_with_their_folder(self, case: AsyncCase) -> None:
        put_foreign(case)
        await case.backend.delete_folder(case.folder, recursive=True)
        await self._expect_files(case)

    @async_check("DEL-018")
    async def test_delete_deletes_that_meet(self, case: AsyncCase) -> None:
        await fill(case, "keep")
        for number in range(MEETINGS[case.tier]):
            await fill(case, f"file-{number}")
            missing_ok = number % 2 == 1
            delete = partial(case.backend.delete, case.path(f"file-{number}"), missing_ok=missing_ok)
            outcomes = await case.together([delete] * 8)
            case.expect(None in outcomes, "one of them succeeds", outcomes)
            errors = [outcome for outcome in outcomes if outcome is not None]
            expected = "no error" if missing_ok else "only NotFound"
            right = all(isinstance(error, NotFound) and not missing_ok for error in errors)
            case.expect(right, f"{expected} in {errors}")
        await self._expect_files(case, "keep")

    @async_check("DEL-019")
    async def test_delete_wildcards_in_folders_are_literal(self, case: AsyncCase) -> None:
        await fill(case, "a*/file", "ab/file", "a?/file", "[a]/file", "a/file")
        await case.backend.delete_folder(case.path("a*"), recursive=True)
        await self._expect_files(case, "ab/file", "a?/file", "[a]/file", "a/file")
        await case.backend.delete_folder(case.path("[a]"), recursive=True)
        await self._expect_files(case, "ab/file", "a?/file", "a/file")

    @async_check("DEL-020")
    async def test_delete_a_file_beside_a_folder_of_its_name(self, case: AsyncCase) -> None:
        case.require_profile("a file and a folder cannot share a name", case.profile.flat)
        await fill(case, "a/b", "a/c/d")
        await fill(case, "a")
        await case.backend.delete(case.path("a"))
        await self._expect_files(case, "a/b", "a/c/d")
        await fill(case, "a")
        await case.backend.delete_folder(case.path("a"), recursive=True)
        await self._expect_files(case, "a")
