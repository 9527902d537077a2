"""Checks of what a folder is when its files come and go, and of a file and a folder of one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill, found, names, writable
from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import Failing
from remote_store.conformance.checking.width import drawn, width_of
from remote_store.conformance.suite.aio.expectations import expect_content, require_namesakes
from remote_store.core import Capability, FileInfo, FolderEntry, NotFound

READ, WRITE, LIST, DELETE = Capability.READ, Capability.WRITE, Capability.LIST, Capability.DELETE
METADATA, GLOB = Capability.METADATA, Capability.GLOB
NEW = ("kept/new", "new/and/deep")
Step = Callable[[AsyncCase, str], Any]


async def _delete(case: AsyncCase, folder: str) -> None:
    await fill(case, f"{folder}/file")
    await list_above(case, folder)
    await case.backend.delete(case.path(f"{folder}/file"))


async def _delete_folder(case: AsyncCase, folder: str) -> None:
    await fill(case, f"{folder}/file", f"{folder}/deeper/file")
    await list_above(case, folder)
    await case.backend.delete_folder(case.path(folder), recursive=True)


async def _delete_many(case: AsyncCase, folder: str) -> None:
    paths = await fill(case, f"{folder}/file", f"{folder}/deeper/file")
    await list_above(case, folder)
    async for outcome in case.backend.delete_many(paths):
        outcome.result()


async def _move(case: AsyncCase, folder: str) -> None:
    await fill(case, f"{folder}/file")
    await list_above(case, folder)
    await case.backend.move(case.path(f"{folder}/file"), case.path("kept/moved"), overwrite=True)


async def _failed_write(case: AsyncCase, folder: str) -> None:
    source: Any = Failing(70_000, Boom("mine"))
    with case.expect_raises(Boom):
        await case.backend.write(case.path(f"{folder}/file"), source)


async def _failed_block(case: AsyncCase, folder: str) -> None:
    with case.expect_raises(Boom):
        async with case.backend.open_atomic(case.path(f"{folder}/file")) as stream:
            await stream.write(b"half")
            raise Boom("mine")


async def _failed_copy(case: AsyncCase, folder: str) -> None:
    with case.expect_raises(NotFound):
        await case.backend.copy(case.path("absent"), case.path(f"{folder}/file"))


async def _failed_move(case: AsyncCase, folder: str) -> None:
    with case.expect_raises(NotFound):
        await case.backend.move(case.path("absent"), case.path(f"{folder}/file"))


EMPTIED: dict[str, tuple[Step, tuple[Capability, ...]]] = {
    "delete": (_delete, (DELETE,)),
    "delete_folder": (_delete_folder, (DELETE,)),
    "delete_many": (_delete_many, (DELETE,)),
    "move": (_move, (Capability.MOVE,)),
}
NEVER: dict[str, tuple[Step, tuple[Capability, ...]]] = {
    "copy": (_failed_copy, (Capability.COPY,)),
    "move": (_failed_move, (Capability.MOVE,)),
}


class AsyncFolderSuite:
    """Folders without files, and folders with the name of a file."""

    @pytest.mark.parametrize("way", EMPTIED)
    @async_check("LIST-018", needs=(WRITE,))
    async def test_list_no_folder_whose_files_are_gone(self, case: AsyncCase, way: str) -> None:
        run, needs = EMPTIED[way]
        case.require(*needs)
        await fill(case, "kept/file")
        deep = ["x/" * 20 + "x"] if width_of(case) is None else []
        for folder in ["kept/near", "two/levels", *deep]:
            await run(case, folder)
            await expect_no_trace(case, folder, f"after {way}")

    @pytest.mark.parametrize("way", NEVER)
    @async_check("COPY-013", needs=(WRITE, LIST))
    async def test_copy_that_fails_leaves_no_folder(self, case: AsyncCase, way: str) -> None:
        run, needs = NEVER[way]
        case.require(*needs)
        for folder in NEW:
            await fill(case, "kept/file")
            await run(case, folder)
            await expect_no_trace(case, folder, f"after a {way} that failed")

    @async_check("WRITE-008", needs=(LIST,))
    async def test_write_that_fails_leaves_no_folder_at_any_depth(self, case: AsyncCase) -> None:
        for folder in NEW:
            await fill(case, "kept/file")
            await _failed_write(case, folder)
            await expect_no_trace(case, folder, "after a write that failed")

    @async_check("ATOM-004", needs=(WRITE, LIST))
    async def test_atomic_open_that_fails_leaves_no_folder(self, case: AsyncCase) -> None:
        for folder in NEW:
            await fill(case, "kept/file")
            await _failed_block(case, folder)
            await expect_no_trace(case, folder, "after an `open_atomic` block that failed")

    @async_check("PATH-018", needs=(READ, WRITE))
    async def test_path_of_two_namesakes(self, case: AsyncCase) -> None:
        require_namesakes(case)
        case.require_profile("a file as an ancestor is refused", not case.profile.rejects_file_ancestor)
        for number, name in enumerate(drawn(case, [name for name in writable(case) if "/" not in name])):
            inside = f"{number}/{name}"
            # In the other order, some backends refuse the second.
            await fill(case, f"{inside}/below", data=b"below")
            await fill(case, inside, data=b"file")
            path = case.path(inside)
            kinds = (
                await case.backend.exists(path),
                await case.backend.is_file(path),
                await case.backend.is_folder(path),
            )
            case.expect_equal(
                kinds, (True, True, True), f"exists, is_file and is_folder of {path!r}, a file and a folder"
            )
            await expect_content(case, inside, b"file")
            await expect_content(case, f"{inside}/below", b"below")
            if METADATA in case.backend.capabilities:
                case.expect_equal((await case.backend.get_file_info(path)).size, 4, f"the size of the file {path!r}")
                count = (await case.backend.get_folder_info(path)).file_count
                case.expect_equal(count, 1, f"the number of files in the folder {path!r}")

    @async_check("LIST-008", needs=(WRITE,))
    async def test_list_every_pair_of_namesakes(self, case: AsyncCase) -> None:
        require_namesakes(case)
        case.require_profile("a file as an ancestor is refused", not case.profile.rejects_file_ancestor)
        both = sorted(drawn(case, [name for name in writable(case) if "/" not in name]))
        await fill(case, *(f"in/{name}/below" for name in both))
        await fill(case, *(f"in/{name}" for name in both))
        children = [child async for child in case.backend.iter_children(case.path("in"))]
        for kind in (FileInfo, FolderEntry):
            came = sorted(child.name for child in children if isinstance(child, kind))
            case.expect_equal(came, both, f"the children that are a {kind.__name__}")
        case.expect_equal(await names(case.backend.list_files(case.path("in"))), both, "the names by list_files")
        case.expect_equal(await names(case.backend.list_folders(case.path("in"))), both, "the names by list_folders")
        expected = sorted(case.path(f"in/{name}{end}") for name in both for end in ("", "/below"))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(await found(listing), expected, "the paths at every depth")
        if GLOB in case.backend.capabilities:
            matches = await found(case.backend.glob(case.path("in/*")))
            case.expect_equal(matches, sorted(case.path(f"in/{name}") for name in both), "the matches of 'in/*'")


async def list_above(case: AsyncCase, folder: str) -> None:
    """List the folders above while the folder has files, since a backend may remember what it listed."""
    parts = folder.split("/")
    for depth in range(len(parts)):
        parent = case.path("/".join(parts[:depth])).rstrip("/")
        path = case.path("/".join(parts[: depth + 1]))
        case.expect(path in await found(case.backend.list_folders(parent)), f"list_folders({parent!r}) has {path!r}")


async def expect_no_trace(case: AsyncCase, folder: str, when: str) -> None:
    """Fail if the folder, or one above it without files, is still there by any method."""
    case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
    parts = folder.split("/")
    for depth in range(len(parts), 0, -1):
        name, above = "/".join(parts[:depth]), "/".join(parts[: depth - 1])
        if name == "kept":
            continue
        path, parent = case.path(name), case.path(above).rstrip("/")
        there = await case.backend.exists(path), await case.backend.is_folder(path)
        case.expect_equal(there, (False, False), f"exists and is_folder of {path!r}, {when}")
        listed = await found(case.backend.list_folders(parent))
        case.expect(path not in listed, f"list_folders({parent!r}) has no {path!r}, {when}", listed)
        children = await found(case.backend.iter_children(parent))
        case.expect(path not in children, f"iter_children({parent!r}) has no {path!r}, {when}", children)
        case.expect_equal(
            await found(case.backend.list_files(path, recursive=True)), [], f"list_files({path!r}), {when}"
        )
        if METADATA in case.backend.capabilities:
            with case.expect_raises(NotFound, what=f"get_folder_info({path!r}), {when}"):
                await case.backend.get_folder_info(path)
