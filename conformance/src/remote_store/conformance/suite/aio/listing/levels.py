"""Checks that compare every listing of every folder of a tree with a dictionary."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from remote_store.conformance.checking.async_trees import without_odd
from remote_store.conformance.checking.case import AsyncCase, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.reference import Tree, rows
from remote_store.conformance.checking.width import width_of
from remote_store.core import Capability

WRITE, LIST, DELETE = Capability.WRITE, Capability.LIST, Capability.DELETE
METADATA, GLOB = Capability.METADATA, Capability.GLOB
DEEP = "a/b/c/d/3"
LEVELS = (
    *("top", "z", "a/0", "a/b/1", "a/b/c/2", DEEP, "a/b/c/d/e/4", "a/b2/1", "a/b-/c/2", "a/b./1", "a!/0"),
    *("a-/0", "a./b/1", "a0/b/1", "a /0", "ab/c/d/2", "A/B/C/2", "A/0", "é/b/1", "50%/a_b/1", "[a]/*/1", ".x/.y/.z"),
    *("b/a/b/a/3", "1/2/3/4/5/6/7", "01/2/1", "x.tmp/y.part/1", "back\\slash/1", "'q'/\"q\"/1", "_/__/1", "..a/b../1"),
)
"""Files at every depth, in folders with names that begin alike, sort around a slash, or mean something elsewhere."""


class AsyncLevelSuite:
    """LIST and META: every folder as the root of every listing."""

    @async_check("LIST-004", needs=(WRITE,))
    async def test_list_every_depth_from_every_folder(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        for folder in some_folders(case, tree):
            for deepest in range(7):
                await expect_files(case, tree, folder, {"recursive": True, "max_depth": deepest})

    @async_check("LIST-015", needs=(WRITE,))
    async def test_list_every_depth_from_every_folder_with_a_slash(self, case: AsyncCase) -> None:
        tree = await planted(case, LEVELS)
        for folder in some_folders(case, tree):
            for options in depths():
                await expect_files(case, tree, folder, options, "/")
            await expect_children(case, tree, folder, f"{folder}/")

    @async_check("LIST-001", "LIST-003", "LIST-005", "LIST-007", "LIST-008", needs=(WRITE,))
    async def test_list_every_folder_in_every_way(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        for folder in some_folders(case, tree):
            for options in ({}, {"recursive": True}, {"max_depth": 3}):
                await expect_files(case, tree, folder, options)
            await expect_children(case, tree, folder, folder)

    @async_check("LIST-016", needs=(WRITE,))
    async def test_list_every_depth_from_the_root(self, case: AsyncCase) -> None:
        require_quick(case)
        async with case.isolated() as alone:
            tree = await planted(alone, LEVELS)
            # Below the root, the path of a folder may come again inside the path of a file.
            for folder in ("", *(name for name in ("b", "b/a", "a", "1") if tree.files(name))):
                for options in depths():
                    await expect_files(alone, tree, folder, options)
                await expect_children(alone, tree, folder, folder)

    @async_check("META-015", needs=(WRITE,))
    async def test_meta_totals_of_every_folder(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        for folder in some_folders(case, tree):
            for path in (folder, f"{folder}/"):
                await expect_totals(case, tree, folder, path)

    @async_check("LIST-024", needs=(WRITE,))
    async def test_list_every_folder_is_one(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        for folder in some_folders(case, tree):
            for path in (folder, f"{folder}/"):
                there = [await probe(path) for probe in (case.backend.exists, case.backend.is_folder)]
                case.expect_equal(there, [True, True], f"exists and is_folder of {path!r}")

    @async_check("LIST-027", needs=(WRITE, METADATA))
    async def test_list_facts_of_every_file(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        listed = [info async for info in case.backend.list_files(case.folder, recursive=True)]
        for info in case.rng.sample(listed, len(listed) if width_of(case) is None else few(case)):
            fetched = await case.backend.get_file_info(info.path)
            observed = fetched.path, fetched.name, fetched.size
            case.expect_equal(observed, (info.path, info.name, info.size), f"get_file_info({info.path!r})")
            case.expect_equal(info.size, tree.sizes[info.path], f"the size of {info.path!r} by list_files")

    @async_check("DEL-008", "DEL-009", needs=(WRITE, LIST))
    async def test_delete_every_folder_of_a_tree(self, case: AsyncCase) -> None:
        require_quick(case)
        tree = await planted(case, LEVELS)
        for number, folder in enumerate(some_folders(case, tree)):
            if folder == case.folder or not tree.files(folder):
                continue
            await case.backend.delete_folder(folder if number % 2 else f"{folder}/", recursive=True)
            tree = tree.without(folder)
            await expect_files(case, tree, case.folder, {"recursive": True})


async def planted(case: AsyncCase, names: Sequence[str]) -> Tree:
    """Write files of different sizes; return what there is then. The lower tiers write few if the storage is far."""
    if is_far(case) and case.tier in ("smoke", "quick"):
        # One of them is deep, so that there are several levels.
        names = [DEEP, *case.rng.sample(names, min(len(names), 4 if case.tier == "smoke" else 8))]
    tree = Tree(
        {case.path(name): number for number, name in enumerate(dict.fromkeys(kept_apart(case, names)), start=1)}
    )
    for path, size in tree.sizes.items():
        await case.backend.write(path, b"x" * size)
    return tree


def kept_apart(case: AsyncCase, names: Sequence[str]) -> Iterator[str]:
    """The names, without odd ones, and without those of which only the case differs if the storage ignores it."""
    sensitive = case.profile.case_sensitive
    yield from (name for name in without_odd(case, names) if sensitive or name == name.lower())


def is_far(case: AsyncCase) -> bool:
    """Whether a call may take a while."""
    return width_of(case) is not None and not case.profile.in_process


def few(case: AsyncCase) -> int:
    """How many folders or files are drawn where not all are."""
    return {"smoke": 1, "quick": 2}.get(case.tier, 12) if is_far(case) else 8


def require_quick(case: AsyncCase) -> None:
    """End the check in the smoke tier if the storage is far."""
    if is_far(case) and case.tier == "smoke":
        untested("every folder of a tree is listed in the quick tier")


def some_folders(case: AsyncCase, tree: Tree) -> list[str]:
    """The folder of the case, and folders below it in an order that depends on the seed."""
    below = tree.every_folder(case.folder)[1:]
    return [case.folder, *case.rng.sample(below, len(below) if width_of(case) is None else min(few(case), len(below)))]


def depths() -> Iterator[dict[str, Any]]:
    """Options of `list_files`, with which it lists different numbers of levels."""
    yield from ({}, {"recursive": True}, {"max_depth": 2})
    yield from ({"recursive": True, "max_depth": deepest} for deepest in range(5))


async def expect_files(case: AsyncCase, tree: Tree, folder: str, options: dict[str, Any], end: str = "") -> None:
    """Fail unless `list_files` yields the files of the tree, each once. The folder's path may end in a slash."""
    path, deepest = folder + end, options.get("max_depth") if options.get("recursive") else 0
    came, folders = rows([entry async for entry in case.backend.list_files(path, **options)])
    case.expect_equal(came, tree.files(folder, deepest), f"list_files({path!r}, **{options})")
    case.expect_equal(folders, [], f"the folders that list_files({path!r}, **{options}) yields")


async def expect_children(case: AsyncCase, tree: Tree, folder: str, path: str) -> None:
    """Fail unless `list_folders` and `iter_children` yield what is directly in the folder, each once."""
    listings: dict[str, tuple[AsyncIterator[Any], list[Any]]] = {
        "list_folders": (case.backend.list_folders(path), []),
        "iter_children": (case.backend.iter_children(path), tree.files(folder, 0)),
    }
    for name, (listing, expected) in listings.items():
        files, folders = rows([entry async for entry in listing])
        case.expect_equal(folders, tree.folders(folder), f"the folders by {name}({path!r})")
        case.expect_equal(files, expected, f"the files by {name}({path!r})")


async def expect_totals(case: AsyncCase, tree: Tree, folder: str, path: str) -> None:
    """Fail unless `get_folder_info` counts the files of the tree."""
    info = await case.backend.get_folder_info(path)
    sizes = [size for _, _, size in tree.files(folder)]
    observed = info.path.rstrip("/"), info.file_count, info.total_size
    case.expect_equal(observed, (folder, len(sizes), sum(sizes)), f"path, count and size by get_folder_info({path!r})")
