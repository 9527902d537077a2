"""Checks of listings around the pages of a storage, and of listings of more than ten thousand files."""

from __future__ import annotations

from remote_store.conformance.checking.async_trees import fill, fill_many, found
from remote_store.conformance.checking.case import AsyncCase, not_applicable, untested
from remote_store.conformance.checking.corpora import SUFFIXES
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import MIXED
from remote_store.conformance.checking.width import width_of
from remote_store.core import Capability

WRITE, LIST = Capability.WRITE, Capability.LIST
COMMON = 1000
MANY = (5_001, 10_001)
FOLDERS = 2_001
"""Number of folders where each of them takes long to make."""


class AsyncPageSuite:
    """Listings of many entries, with names that tools sort differently."""

    @async_check("LIST-012", needs=(WRITE,))
    async def test_list_around_pages_of_the_storage(self, case: AsyncCase) -> None:
        size = stated(case)
        expected: list[str] = []
        for number in (size - 1, size, size + 1, 2 * size, 2 * size + 1):
            expected = await grown(case, expected, number)
            for what, listing in (
                ("list_files", case.backend.list_files(case.path("many"))),
                ("list_files, recursive", case.backend.list_files(case.folder, recursive=True)),
                ("iter_children", case.backend.iter_children(case.path("many"))),
            ):
                case.expect_equal(await found(listing), expected, f"the paths of {number:,} files by {what}")

    @async_check("LIST-013", needs=(WRITE,))
    async def test_list_folders_around_pages_of_the_storage(self, case: AsyncCase) -> None:
        size = stated(case)
        folders: list[str] = []
        for number in (size - 1, size, size + 1, 2 * size, 2 * size + 1):
            new = [mixed(each) for each in range(len(folders), number)]
            await fill_many(case, [f"many/{name}/file" for name in new])
            folders = sorted([*folders, *(case.path(f"many/{name}") for name in new)])
            for what, listing in (
                ("list_folders", case.backend.list_folders(case.path("many"))),
                ("iter_children", case.backend.iter_children(case.path("many"))),
            ):
                case.expect_equal(await found(listing), folders, f"the paths of {number:,} folders by {what}")

    @async_check("LIST-012", needs=(WRITE,))
    async def test_list_thousands_of_files(self, case: AsyncCase) -> None:
        require_many(case)
        expected: list[str] = []
        for number in MANY if width_of(case) is None else MANY[:1]:
            expected = await grown(case, expected, number)
            listing = case.backend.list_files(case.folder, recursive=True)
            case.expect_equal(await found(listing), expected, f"the paths of {number:,} files by list_files, recursive")
        if width_of(case) is None:
            children = await found(case.backend.iter_children(case.path("many")))
            case.expect_equal(children, expected, f"the paths of {len(expected):,} files by iter_children")

    @async_check("GLOB-014", needs=(WRITE,))
    async def test_glob_more_than_ten_thousand_files(self, case: AsyncCase) -> None:
        expected = await ten_thousand(case)
        matches = await found(case.backend.glob(case.path("many/*")))
        case.expect_equal(matches, expected, f"the paths of {len(expected):,} files by glob")

    @async_check("META-025", needs=(WRITE,))
    async def test_meta_totals_of_more_than_ten_thousand_files(self, case: AsyncCase) -> None:
        expected = await ten_thousand(case)
        info = await case.backend.get_folder_info(case.path("many"))
        case.expect_equal(info.file_count, len(expected), "the number of files by get_folder_info")

    @async_check("DEL-012", needs=(WRITE, LIST))
    async def test_delete_more_than_ten_thousand_files(self, case: AsyncCase) -> None:
        await ten_thousand(case)
        kept = await fill(case, "many-2/kept")
        await case.backend.delete_folder(case.path("many"), recursive=True)
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(await found(listing), kept, "the files after delete_folder")

    @async_check("LIST-013", needs=(WRITE,))
    async def test_list_many_pages_of_folders(self, case: AsyncCase) -> None:
        require_near(case)
        count = MANY[-1] if case.profile.in_process else FOLDERS
        await fill_many(case, [f"many/{mixed(number)}/file" for number in range(count)])
        expected = sorted(case.path(f"many/{mixed(number)}") for number in range(count))
        for what, listing in (
            ("list_folders", case.backend.list_folders(case.path("many"))),
            ("iter_children", case.backend.iter_children(case.path("many"))),
        ):
            case.expect_equal(await found(listing), expected, f"the paths of {len(expected):,} folders by {what}")


def stated(case: AsyncCase) -> int:
    """The size of the storage's pages. The check ends if it is the usual one, which has checks of its own."""
    size = case.profile.page_size
    if size == COMMON:
        not_applicable("the profile states pages of 1,000 keys, around which other checks list")
    if size > COMMON and case.tier in ("smoke", "quick"):
        untested(f"more than {2 * size:,} files are written in the full tier")
    return size


async def ten_thousand(case: AsyncCase) -> list[str]:
    """Write more than ten thousand files, and return their sorted paths. The check ends where that is slow."""
    require_near(case)
    return await grown(case, [], MANY[-1])


def require_near(case: AsyncCase) -> None:
    """End the check where many files take long to write."""
    require_many(case)
    if width_of(case) is not None:
        untested("more than 10,000 entries are written on this machine only, and elsewhere in the soak tier")


def require_many(case: AsyncCase) -> None:
    """End the check in the tiers that write few files."""
    if case.tier in ("smoke", "quick"):
        untested("more than 5,000 entries are written in the full tier")


def mixed(number: int) -> str:
    """The name of one of many entries."""
    return f"{MIXED[number % len(MIXED)]}{number:x}{SUFFIXES[number % len(SUFFIXES)]}"


async def grown(case: AsyncCase, paths: list[str], number: int) -> list[str]:
    """Write files until the folder has this number; return their sorted paths."""
    return sorted(paths + await fill_many(case, [f"many/{mixed(each)}" for each in range(len(paths), number)]))
