# Generated from conformance/src/remote_store/conformance/suite/aio/pages.py by tools/unasync.py; edit that.
"""Checks of listings around the pages of a storage, and of listings of more than ten thousand files."""

from __future__ import annotations

from remote_store.conformance.checking.case import Case, not_applicable, untested
from remote_store.conformance.checking.corpora import SUFFIXES
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import MIXED
from remote_store.conformance.checking.trees import fill, fill_many, found
from remote_store.core import Capability

WRITE, DELETE, METADATA, GLOB = Capability.WRITE, Capability.DELETE, Capability.METADATA, Capability.GLOB
COMMON = 1000
MANY = (5_001, 10_001)
FOLDERS = 2_001
"""Number of folders where each of them takes long to make."""


class PageSuite:
    """Listings of many entries, with names that tools sort differently."""

    @check("LIST-012", needs=(WRITE,))
    def test_list_around_pages_of_the_storage(self, case: Case) -> None:
        size = stated(case)
        expected: list[str] = []
        for number in (size - 1, size, size + 1, 2 * size, 2 * size + 1):
            expected = grown(case, expected, number)
            for what, listing in (
                ("list_files", case.backend.list_files(case.path("many"))),
                ("list_files, recursive", case.backend.list_files(case.folder, recursive=True)),
                ("iter_children", case.backend.iter_children(case.path("many"))),
            ):
                case.expect_equal(found(listing), expected, f"the paths of {number:,} files by {what}")

    @check("LIST-013", needs=(WRITE,))
    def test_list_folders_around_pages_of_the_storage(self, case: Case) -> None:
        size = stated(case)
        folders: list[str] = []
        for number in (size - 1, size, size + 1, 2 * size, 2 * size + 1):
            new = [mixed(each) for each in range(len(folders), number)]
            fill_many(case, [f"many/{name}/file" for name in new])
            folders = sorted([*folders, *(case.path(f"many/{name}") for name in new)])
            for what, listing in (
                ("list_folders", case.backend.list_folders(case.path("many"))),
                ("iter_children", case.backend.iter_children(case.path("many"))),
            ):
                case.expect_equal(found(listing), folders, f"the paths of {number:,} folders by {what}")

    @check("LIST-012", "META-025", "GLOB-014", "DEL-012", needs=(WRITE, METADATA, GLOB, DELETE))
    def test_list_more_than_ten_thousand_files(self, case: Case) -> None:
        require_many(case)
        backend, folder, expected = case.backend, case.path("many"), list[str]()
        for number in MANY:
            expected = grown(case, expected, number)
            listing = backend.list_files(case.folder, recursive=True)
            case.expect_equal(found(listing), expected, f"the paths of {number:,} files by list_files, recursive")
        case.expect_equal(
            found(backend.iter_children(folder)), expected, f"the paths of {number:,} files by iter_children"
        )
        case.expect_equal(found(backend.glob(f"{folder}/*")), expected, f"the paths of {number:,} files by glob")
        info = backend.get_folder_info(folder)
        case.expect_equal(info.file_count, number, "the number of files by get_folder_info")
        fill(case, "many-2/kept")
        backend.delete_folder(folder, recursive=True)
        left = found(backend.list_files(case.folder, recursive=True))
        case.expect_equal(left, [case.path("many-2/kept")], "the files after delete_folder")

    @check("LIST-013", needs=(WRITE,))
    def test_list_many_pages_of_folders(self, case: Case) -> None:
        require_many(case)
        count = MANY[-1] if case.profile.in_process else FOLDERS
        fill_many(case, [f"many/{mixed(number)}/file" for number in range(count)])
        expected = sorted(case.path(f"many/{mixed(number)}") for number in range(count))
        for what, listing in (
            ("list_folders", case.backend.list_folders(case.path("many"))),
            ("iter_children", case.backend.iter_children(case.path("many"))),
        ):
            case.expect_equal(found(listing), expected, f"the paths of {len(expected):,} folders by {what}")


def stated(case: Case) -> int:
    """The size of the storage's pages. The check ends if it is the usual one, which has checks of its own."""
    size = case.profile.page_size
    if size == COMMON:
        not_applicable("the profile states pages of 1,000 keys, around which other checks list")
    if size > COMMON and case.tier in ("smoke", "quick"):
        untested(f"more than {2 * size:,} files are written in the full tier")
    return size


def require_many(case: Case) -> None:
    """End the check in the tiers that write few files."""
    if case.tier in ("smoke", "quick"):
        untested("more than 10,000 files are written in the full tier")


def mixed(number: int) -> str:
    """The name of one of many entries."""
    return f"{MIXED[number % len(MIXED)]}{number:x}{SUFFIXES[number % len(SUFFIXES)]}"


def grown(case: Case, paths: list[str], number: int) -> list[str]:
    """Write files until the folder has this number; return their sorted paths."""
    return sorted(paths + fill_many(case, [f"many/{mixed(each)}" for each in range(len(paths), number)]))
