"""Checks of trees with more entries than a page, whose folders end in the middle of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from remote_store.conformance.checking.async_trees import fill_many, found
from remote_store.conformance.checking.case import AsyncCase, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import CLOSE_FOLDERS
from remote_store.conformance.checking.reference import Tree, rows
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.aio.listing.levels import expect_children, expect_files, expect_totals, kept_apart
from remote_store.conformance.suite.aio.listing.pages import mixed
from remote_store.core import Capability, FileInfo, FolderEntry

WRITE, LIST, DELETE = Capability.WRITE, Capability.LIST, Capability.DELETE
GLOB = Capability.GLOB
COMMON = 1000
ENDS = ("", "!", "!0", "!0a", "!0a-", "!0a-z", "!0a-z~")
AROUND = ("big-", "big.", "big!", "big0", "bi", "bigger", "Big")
"""Folders that sort around `big/`."""


class AsyncStraddlingSuite:
    """LIST, GLOB, META and DEL: folders that straddle the pages of a listing."""

    @async_check("LIST-001", "LIST-007", "LIST-008", needs=(WRITE,))
    async def test_list_a_folder_of_more_than_a_page_once(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(size(case), case))
        for folder in (case.folder, case.path("big")):
            for path in (folder, f"{folder}/"):
                await expect_children(case, tree, folder, path)

    @async_check("LIST-003", "LIST-004", needs=(WRITE,))
    async def test_list_every_depth_over_pages(self, case: AsyncCase) -> None:
        tree = await grown(case, nested(full_size(case), case))
        for folder in tree.every_folder(case.folder)[:6]:
            await expect_files(case, tree, folder, {"recursive": True})
            for deepest in range(3):
                await expect_files(case, tree, folder, {"recursive": True, "max_depth": deepest})
            await expect_children(case, tree, folder, folder)

    @async_check("META-015", "META-016", needs=(WRITE,))
    async def test_meta_totals_over_pages(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(full_size(case), case))
        for folder in (case.folder, case.path("big"), case.path("big0"), case.path("bi")):
            await expect_totals(case, tree, folder, folder)

    @async_check("GLOB-007", "GLOB-014", needs=(WRITE,))
    async def test_glob_over_pages(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(full_size(case), case))
        everything = tree.files(case.folder)
        for pattern, expected in {
            "big/*": tree.files(case.path("big"), 0),
            "big/**": tree.files(case.path("big")),
            "*": tree.files(case.folder, 0),
            "**": everything,
            "big?/*": [row for row in everything if row[0].removeprefix(f"{case.folder}/")[:5] in FIVE],
            "**/last": [row for row in everything if row[1] == "last"],
        }.items():
            came, _ = rows([entry async for entry in case.backend.glob(case.path(pattern))])
            case.expect_equal(came, expected, f"the matches of {pattern!r}")

    @async_check("DEL-009", "DEL-012", needs=(WRITE, LIST))
    async def test_delete_a_folder_of_more_than_a_page_beside_others(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(full_size(case), case))
        await case.backend.delete_folder(case.path("big"), recursive=True)
        await expect_files(case, tree.without(case.path("big")), case.folder, {"recursive": True})
        case.expect_equal(await case.backend.exists(case.path("big")), False, "exists of the deleted folder")

    @async_check("DEL-008", "DEL-012", needs=(WRITE, LIST))
    async def test_delete_more_folders_than_a_page(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(full_size(case), case, below=True))
        await case.backend.delete_folder(case.path("big"), recursive=True)
        await expect_files(case, tree.without(case.path("big")), case.folder, {"recursive": True})

    @async_check("LIST-017", "LIST-025", needs=(WRITE,))
    async def test_list_in_turns_over_pages(self, case: AsyncCase) -> None:
        tree = await grown(case, one_large(full_size(case), case))
        left = {name: make() for name, make in listings(case, case.path("big")).items()}
        left |= {f"{name} again": make() for name, make in listings(case, case.path("big")).items()}
        left |= {f"{name} above": make() for name, make in listings(case, case.folder).items()}
        abandoned = listings(case, case.folder)["iter_children"]()
        await anext(abandoned, None)
        expected = {
            name: expected_of(tree, name.partition(" ")[0], case.folder if name.endswith("above") else case.path("big"))
            for name in left
        }
        came: dict[str, list[FileInfo | FolderEntry]] = {name: [] for name in left}
        # Each listing takes pieces of another length, so that no two are at the same place.
        steps = {name: case.rng.randrange(1, 400) for name in left}
        pending = dict(left)
        while pending:
            for name, listing in list(pending.items()):
                for _ in range(steps[name]):
                    entry = await anext(listing, None)
                    if entry is None:
                        del pending[name]
                        break
                    came[name].append(entry)
        for name, entries in came.items():
            case.expect_equal(rows(entries), expected[name], f"the entries of {name}, read in turns with others")

    @async_check("LIST-020", needs=(WRITE, DELETE))
    async def test_list_and_delete_each_file(self, case: AsyncCase) -> None:
        await listed_and_deleted(case, 3 if case.tier == "smoke" else 15)

    @async_check("LIST-020", needs=(WRITE, DELETE))
    async def test_list_and_delete_each_file_over_pages(self, case: AsyncCase) -> None:
        await listed_and_deleted(case, 2 * full_size(case) + 1)

    @async_check("LIST-019", "LIST-020", needs=(WRITE, DELETE))
    async def test_list_while_other_folders_come_and_go(self, case: AsyncCase) -> None:
        tree = await grown(case, many_folders(full_size(case), case))
        came: dict[str, list[str]] = {}
        doomed = set(case.rng.sample([path for path, _, _ in tree.files(case.folder)], 8))
        making = {
            "list_folders": case.backend.list_folders(case.folder),
            "iter_children": case.backend.iter_children(case.folder),
            "list_files, recursive": case.backend.list_files(case.folder, recursive=True),
        }
        for name, listing in making.items():
            came[name] = [(await anext(listing)).path]
        for path in sorted(doomed):
            await case.backend.delete(path)
        for name, listing in making.items():
            async for entry in listing:
                came[name].append(entry.path)
                if len(came[name]) % 400 == 2:
                    await case.backend.write(case.path(f"!new-{name}-{len(came[name])}/file"), b"", overwrite=True)
                    await case.backend.write(case.path(f"~new-{name}-{len(came[name])}/file"), b"", overwrite=True)
        for name, paths in came.items():
            files = [path for path, _, _ in tree.files(case.folder)]
            steady = files if name.endswith("recursive") else [path.rpartition("/")[0] for path in files]
            gone = doomed if name.endswith("recursive") else {path.rpartition("/")[0] for path in doomed}
            kept = [path for path in paths if path not in gone and "new-" not in path]
            case.expect_same(
                kept, [path for path in steady if path not in gone], f"what was there all the time: {name}"
            )


async def listed_and_deleted(case: AsyncCase, number: int) -> None:
    """Fail unless every kind of listing yields each file once while each is deleted when it is yielded.

    Of many files on a storage that is far, only those at the ends of pages are deleted.
    """
    few, page = is_near(case) or number < COMMON, case.profile.page_size
    for name in ("list_files", "recursive", "iter_children", "glob"):
        if name == "glob" and GLOB not in case.backend.capabilities:
            continue
        folder = case.path(f"purged-{name}")
        paths = await fill_many(case, [f"purged-{name}/{continued(each)}" for each in range(number)])
        listing = case.backend.glob(f"{folder}/*") if name == "glob" else listings(case, folder)[name]()
        came, left = list[str](), list[str]()
        async for entry in listing:
            came.append(entry.path)
            if few or len(came) % page in (0, 1, page - 1):
                await case.backend.delete(entry.path)
            else:
                left.append(entry.path)
        case.expect_same(came, paths, f"the files by {name}, each deleted when it was yielded")
        case.expect_same(await found(case.backend.list_files(folder)), left, f"the files that are left after {name}")


FIVE = frozenset(f"{name}/" for name in AROUND if len(name) == 4 and name.startswith("big"))


def size(case: AsyncCase) -> int:
    """The number of entries of a page. The check ends where so many files take long to write."""
    stated = case.profile.page_size
    if case.tier == "smoke" or (case.tier == "quick" and (stated > COMMON or not case.profile.in_process)):
        untested("folders that straddle pages are written in the full tier")
    return stated


def full_size(case: AsyncCase) -> int:
    """The same for checks that write more files or read them often."""
    if case.tier in ("smoke", "quick"):
        untested("folders that straddle pages are written in the full tier")
    if not case.profile.in_process and case.harness.oracle is None:
        untested("many folders are written by an oracle, since the backend would take long")
    return size(case)


def one_large(page: int, case: AsyncCase, *, below: bool = False) -> Iterator[str]:
    """A folder of more than a page among small ones that sort around it; its files may have a folder each."""
    # Without an oracle each file takes a call.
    once = case.tier == "quick" or not (case.profile.in_process or case.harness.oracle)
    for number in range(page + case.rng.randrange(2, 9) if once else 2 * page + 1):
        yield f"big/{continued(number)}/file" if below else f"big/{continued(number)}"
    # Every file on the page before the last is in a subfolder, and files directly in the folder follow it.
    yield from ("big.txt", "b", "big/zz/deep/last", "z/last", "zz-1", "zz-2")
    yield from (f"{name}/last" for name in kept_apart(case, AROUND))


def continued(number: int) -> str:
    """The name of one of many entries: each seventh is a new one, and each other one continues the one before it."""
    return mixed(number - number % 7) + ENDS[number % 7]


def nested(page: int, case: AsyncCase) -> Iterator[str]:
    """Folders inside each other, each with a part of a page, so that pages end at every level."""
    part = page // 3
    for folder in ("", "f/", "f/g/", "f/g/h/", "f0/", "f/g-/"):
        for number in range(case.rng.randrange(part, part + 20)):
            yield f"{folder}{continued(number)}"


def many_folders(page: int, case: AsyncCase) -> Iterator[str]:
    """More folders than a page with a file each, and folders of the same names with more than one level."""
    for number in range(page + case.rng.randrange(2, 9)):
        yield f"{CLOSE_FOLDERS[number % 4]}{number:05}/file"


async def grown(case: AsyncCase, names: Iterator[str]) -> Tree:
    """Write empty files; return what there is then."""
    return Tree(dict.fromkeys(await fill_many(case, dict.fromkeys(names)), 0))


def listings(case: AsyncCase, folder: str) -> dict[str, Callable[[], AsyncIterator[Any]]]:
    """Every kind of listing of a folder, by name."""
    return {
        "list_files": lambda: case.backend.list_files(folder),
        "recursive": lambda: case.backend.list_files(folder, recursive=True),
        "list_folders": lambda: case.backend.list_folders(folder),
        "iter_children": lambda: case.backend.iter_children(folder),
    }


def expected_of(tree: Tree, name: str, folder: str) -> tuple[list[Any], list[Any]]:
    """What a listing of a folder yields."""
    recursive = name.endswith("recursive")
    files = [] if name == "list_folders" else tree.files(folder, None if recursive else 0)
    return files, tree.folders(folder) if name in ("list_folders", "iter_children") else []
