"""Checks of copies and moves."""

from __future__ import annotations

from functools import partial

from remote_store.conformance.checking.async_trees import fill, found, writable
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.suite.aio.expectations import expect_content, expect_facts, require_namesakes
from remote_store.core import AlreadyExists, Capability, InvalidPath, NotFound, RemoteStoreError


class AsyncCopyingSuite:
    """COPY: copy and move."""

    @async_check("COPY-001")
    async def test_copy_makes_a_second_file(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"content")
        await case.backend.copy(case.path("source"), case.path("deep/er/copy"))
        await expect_content(case, "source", b"content")
        await expect_content(case, "deep/er/copy", b"content")

    @async_check("COPY-002", needs=(Capability.USER_METADATA,))
    async def test_copy_keeps_the_facts(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x", metadata={"a": "b"}, content_type="text/csv")
        await case.backend.copy(case.path("source"), case.path("copy"))
        await expect_facts(case, "copy", {"a": "b"}, "text/csv")
        await expect_facts(case, "source", {"a": "b"}, "text/csv")

    @async_check("COPY-003")
    async def test_copy_keeps_what_exists(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"new")
        await fill(case, "copy", data=b"old")
        with case.expect_raises(AlreadyExists, path=case.path("copy")):
            await case.backend.copy(case.path("source"), case.path("copy"))
        await expect_content(case, "copy", b"old")
        await expect_content(case, "source", b"new")

    @async_check("COPY-004")
    async def test_copy_replaces_when_told(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"new")
        await fill(case, "copy", data=b"older and longer")
        await case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        await expect_content(case, "copy", b"new")

    @async_check("COPY-004", needs=(Capability.USER_METADATA,))
    async def test_copy_replaces_the_facts(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x", metadata={"new": "1"}, content_type="text/csv")
        await case.backend.write(case.path("copy"), b"x", metadata={"old": "1"}, content_type="text/html")
        await case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        await expect_facts(case, "copy", {"new": "1"}, "text/csv")

    @async_check("COPY-005")
    async def test_copy_onto_itself_changes_nothing(self, case: AsyncCase) -> None:
        await fill(case, "file", data=b"content")
        before = await case.backend.get_file_info(case.path("file"))
        for overwrite in (False, True):
            await case.backend.copy(case.path("file"), case.path("file"), overwrite=overwrite)
            await expect_content(case, "file", b"content")
        case.expect_equal(await case.backend.get_file_info(case.path("file")), before, "the facts")

    @async_check("COPY-006")
    async def test_copy_of_nothing(self, case: AsyncCase) -> None:
        await fill(case, "present", data=b"old")
        for target in ("new", "present", "absent"):
            for overwrite in (False, True):
                with case.expect_raises(NotFound, path=case.path("absent")):
                    await case.backend.copy(case.path("absent"), case.path(target), overwrite=overwrite)
        await expect_content(case, "present", b"old")
        case.expect_equal(await found(case.backend.list_files(case.folder)), [case.path("present")], "the files")

    @async_check("COPY-007")
    async def test_copy_of_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "folder/file")
        for target in ("new", "folder"):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                await case.backend.copy(case.path("folder"), case.path(target))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(await found(listing), [case.path("folder/file")], "the files")

    @async_check("COPY-008")
    async def test_copy_is_exact(self, case: AsyncCase) -> None:
        await fill(case, "a*b", data=b"star")
        await fill(case, "axb", "a?b", "a[x]b", data=b"other")
        await case.backend.copy(case.path("a*b"), case.path("c*d"))
        listed = await found(case.backend.list_files(case.folder))
        case.expect_equal(listed, sorted(map(case.path, ("a*b", "axb", "a?b", "a[x]b", "c*d"))), "the files")
        await expect_content(case, "c*d", b"star")

    @async_check("COPY-008")
    async def test_copy_leaves_the_folder_of_its_name(self, case: AsyncCase) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        await fill(case, "name/below", data=b"content")
        await fill(case, "name", data=b"content")
        await case.backend.copy(case.path("name"), case.path("other"))
        listed = await found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(map(case.path, ("name", "name/below", "other"))), "the files")

    @async_check("COPY-009")
    async def test_copy_copies_of_hostile_names(self, case: AsyncCase) -> None:
        for name in writable(case):
            await fill(case, f"from/{name}", data=name.encode())
            await case.backend.copy(case.path(f"from/{name}"), case.path(f"to/{name}"))
            await expect_content(case, f"to/{name}", name.encode())

    @async_check("COPY-010", needs=(Capability.COPY,))
    async def test_copy_one_copy_wins(self, case: AsyncCase) -> None:
        writers = case.profile.contenders
        for number in range(writers):
            await fill(case, f"source-{number}", data=str(number).encode())
        outcomes = await case.together(
            [
                partial(case.backend.copy, case.path(f"source-{number}"), case.path("target"))
                for number in range(writers)
            ]
        )
        winners = [number for number, outcome in enumerate(outcomes) if outcome is None]
        case.expect_equal(len(winners), 1, f"the number of winners in {outcomes}")
        losers = [outcome for outcome in outcomes if outcome is not None]
        case.expect(all(isinstance(loser, AlreadyExists) for loser in losers), f"the losers of {losers}")
        await expect_content(case, "target", str(winners[0]).encode())

    @async_check("COPY-011")
    async def test_copy_a_copy_is_no_link(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"old")
        await case.backend.copy(case.path("source"), case.path("copy"))
        await fill(case, "source", data=b"new")
        await expect_content(case, "copy", b"old")
        await case.backend.delete(case.path("source"))
        await expect_content(case, "copy", b"old")

    @async_check("COPY-012")
    async def test_copy_sizes_at_the_edges(self, case: AsyncCase) -> None:
        part = case.profile.part_size or 1_000_000
        for size in (0, 1, part, part + 1):
            content = case.content(size)
            await fill(case, "source", data=content)
            await case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
            copied = await case.backend.read_bytes(case.path("copy"))
            case.expect(copied == content, f"the copy of {size} bytes is exact, not {len(copied)} other bytes")

    @async_check("COPY-013", needs=(Capability.MOVE,))
    async def test_copy_nothing_else_appears(self, case: AsyncCase) -> None:
        await fill(case, "from/deep/file", "from/stay")
        await case.backend.copy(case.path("from/deep/file"), case.path("to/copy"))
        await case.backend.move(case.path("from/deep/file"), case.path("to/moved"))
        listing = case.backend.list_files(case.folder, recursive=True)
        expected = sorted(map(case.path, ("from/stay", "to/copy", "to/moved")))
        case.expect_equal(await found(listing), expected, "the files")
        if not case.profile.empty_folders:
            folders = [case.path("from"), case.path("to")]
            case.expect_equal(await found(case.backend.list_folders(case.folder)), folders, "the folders")
            case.expect_equal(await found(case.backend.list_folders(case.path("from"))), [], "the folders in 'from'")
            case.expect_equal(await case.backend.exists(case.path("from/deep")), False, "exists of 'from/deep'")
        if (oracle := case.harness.oracle) is not None:
            case.expect_equal(sorted(oracle.raw_list(case.folder + "/")), expected, "the keys in the storage")

    @async_check("COPY-023")
    async def test_copy_onto_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "source", "folder/file", data=b"content")
        if case.profile.flat:
            await case.backend.copy(case.path("source"), case.path("folder"))
            await expect_content(case, "folder", b"content")
        else:
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                await case.backend.copy(case.path("source"), case.path("folder"), overwrite=True)
        await expect_content(case, "folder/file", b"content")

    @async_check("COPY-023", needs=(Capability.MOVE,))
    async def test_move_onto_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "source", "folder/file", data=b"content")
        if case.profile.flat:
            await case.backend.move(case.path("source"), case.path("folder"))
            await expect_content(case, "folder", b"content")
        else:
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                await case.backend.move(case.path("source"), case.path("folder"), overwrite=True)
            await expect_content(case, "source", b"content")
        await expect_content(case, "folder/file", b"content")


class AsyncMovingSuite:
    """COPY: move."""

    async def _expect_gone(self, case: AsyncCase, name: str) -> None:
        case.expect_equal(await case.backend.exists(case.path(name)), False, f"exists of {name!r}")

    @async_check("COPY-014", needs=(Capability.READ, Capability.WRITE, Capability.COPY))
    async def test_move_onto_a_copy_of_itself(self, case: AsyncCase) -> None:
        # On a disk, a copy may be another link to the same file, and a rename between two links does nothing.
        await case.backend.write(case.path("source"), b"content")
        await case.backend.copy(case.path("source"), case.path("copy"))
        await case.backend.move(case.path("source"), case.path("copy"), overwrite=True)
        await expect_content(case, "copy", b"content")
        case.expect_equal(await case.backend.exists(case.path("source")), False, "exists of the source")

    @async_check("COPY-014")
    async def test_move_takes_the_file_along(self, case: AsyncCase) -> None:
        await fill(case, "from/source", data=b"content")
        await case.backend.move(case.path("from/source"), case.path("to/deep/target"))
        await expect_content(case, "to/deep/target", b"content")
        await self._expect_gone(case, "from/source")

    @async_check("COPY-015", needs=(Capability.USER_METADATA,))
    async def test_move_keeps_the_facts(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x", metadata={"a": "b"}, content_type="text/csv")
        await case.backend.move(case.path("source"), case.path("target"))
        await expect_facts(case, "target", {"a": "b"}, "text/csv")

    @async_check("COPY-016")
    async def test_move_keeps_what_exists(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"new")
        await fill(case, "target", data=b"old")
        with case.expect_raises(AlreadyExists, path=case.path("target")):
            await case.backend.move(case.path("source"), case.path("target"))
        await expect_content(case, "target", b"old")
        await expect_content(case, "source", b"new")

    @async_check("COPY-017")
    async def test_move_replaces_when_told(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"new")
        await fill(case, "target", data=b"older and longer")
        await case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        await expect_content(case, "target", b"new")
        await self._expect_gone(case, "source")

    @async_check("COPY-017", needs=(Capability.USER_METADATA,))
    async def test_move_replaces_the_facts(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x", metadata={"new": "1"}, content_type="text/csv")
        await case.backend.write(case.path("target"), b"x", metadata={"old": "1"}, content_type="text/html")
        await case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        await expect_facts(case, "target", {"new": "1"}, "text/csv")

    @async_check("COPY-018")
    async def test_move_onto_itself_changes_nothing(self, case: AsyncCase) -> None:
        await fill(case, "file", data=b"content")
        before = await case.backend.get_file_info(case.path("file"))
        for overwrite in (False, True):
            await case.backend.move(case.path("file"), case.path("file"), overwrite=overwrite)
            await expect_content(case, "file", b"content")
        case.expect_equal(await case.backend.get_file_info(case.path("file")), before, "the facts")

    @async_check("COPY-019")
    async def test_move_of_nothing(self, case: AsyncCase) -> None:
        await fill(case, "present", data=b"old")
        for target in ("new", "present", "absent"):
            for overwrite in (False, True):
                with case.expect_raises(NotFound, path=case.path("absent")):
                    await case.backend.move(case.path("absent"), case.path(target), overwrite=overwrite)
        await expect_content(case, "present", b"old")
        case.expect_equal(await found(case.backend.list_files(case.folder)), [case.path("present")], "the files")

    @async_check("COPY-020")
    async def test_move_of_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "folder/file", "file")
        for target in ("new", "file", "folder"):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                await case.backend.move(case.path("folder"), case.path(target), overwrite=True)
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(await found(listing), sorted(map(case.path, ("file", "folder/file"))), "the files")

    @async_check("COPY-021")
    async def test_move_is_exact(self, case: AsyncCase) -> None:
        await fill(case, "a*b", data=b"star")
        await fill(case, "axb", "a?b", "a[x]b", data=b"other")
        await case.backend.move(case.path("a*b"), case.path("c*d"))
        listed = await found(case.backend.list_files(case.folder))
        case.expect_equal(listed, sorted(map(case.path, ("axb", "a?b", "a[x]b", "c*d"))), "the files")
        await expect_content(case, "c*d", b"star")

    @async_check("COPY-021")
    async def test_move_leaves_the_folder_of_its_name(self, case: AsyncCase) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        await fill(case, "name/below", data=b"content")
        await fill(case, "name", data=b"content")
        await case.backend.move(case.path("name"), case.path("other"))
        listed = await found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(map(case.path, ("name/below", "other"))), "the files")

    @async_check("COPY-022")
    async def test_copy_moves_that_meet_lose_nothing(self, case: AsyncCase) -> None:
        await fill(case, "source", data=b"content")
        outcomes = await case.together(
            [partial(case.backend.move, case.path("source"), case.path(f"target-{number}")) for number in range(8)]
        )
        errors = [outcome for outcome in outcomes if outcome is not None]
        case.expect(all(isinstance(error, RemoteStoreError) for error in errors), f"typed errors in {errors}")
        left = await found(case.backend.list_files(case.folder))
        case.expect(bool(left), "at least one copy is left")
        for path in left:
            case.expect_equal(await case.backend.read_bytes(path), b"content", f"the content of {path!r}")
