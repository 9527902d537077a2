# Generated from conformance/src/remote_store/conformance/suite/aio/listing/plain.py by tools/unasync.py; edit that.
"""Checks of listings: entries, duplicates, depth, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import MIXED
from remote_store.conformance.checking.trees import (
    fill,
    fill_many,
    found,
    names,
    put_foreign,
    taken,
    walk,
    writable,
)
from remote_store.core import Capability, FileInfo, FolderEntry, InvalidPath


class ListingSuite:
    """LIST: list_files, list_folders and iter_children."""

    @check("LIST-001")
    def test_list_direct_files_are_listed_once(self, case: Case) -> None:
        fill(case, "one.txt", "two", data=b"12345")
        files = [info for info in case.backend.list_files(case.folder)]
        case.expect(all(isinstance(info, FileInfo) for info in files), "every item is a FileInfo", files)
        case.expect_equal(sorted(info.path for info in files), [case.path("one.txt"), case.path("two")], "the paths")
        case.expect_equal(sorted((info.name, info.size) for info in files), [("one.txt", 5), ("two", 5)], "name, size")

    @check("LIST-002")
    def test_list_subfolders_are_left_out(self, case: Case) -> None:
        fill(case, "top", "sub/deep", "sub/deeper/deepest")
        case.expect_equal(found(case.backend.list_files(case.folder)), [case.path("top")], "the paths")

    @check("LIST-003")
    def test_list_recursive_goes_to_every_depth(self, case: Case) -> None:
        expected = fill(case, "top", "a/b", "a/b2/c", "a/b2/d/e/f/g", "z/y")
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")

    @check("LIST-003")
    def test_list_recursive_goes_forty_levels_down(self, case: Case) -> None:
        levels = ["d"] * 40
        expected = fill(case, *("/".join([*levels[:depth], "file"]) for depth in (0, 1, 15, 16, 31, 32, 40)))
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")
        folder = case.path("/".join(levels[:32]))
        case.expect_equal(found(case.backend.list_files(folder, recursive=True)), expected[:2], "the deepest paths")

    @check("LIST-004")
    def test_list_depth_counts_levels_of_subfolders(self, case: Case) -> None:
        fill(case, "d0", "a/d1", "a/b/d2", "a/b/c/d3")
        for depth in range(5):
            listing = case.backend.list_files(case.folder, recursive=True, max_depth=depth)
            levels = [f"d{level}" for level in range(min(depth, 3) + 1)]
            case.expect_equal(names(listing), levels, f"the names with max_depth={depth}")

    @check("LIST-004")
    def test_list_depth_counts_from_the_folder_and_from_the_root(self, case: Case) -> None:
        fill(case, "a/d0", "a/b/d1", "a/b/c/d2")
        listing = case.backend.list_files(case.path("a"), recursive=True, max_depth=1)
        case.expect_equal(names(listing), ["d0", "d1"], "the names below the subfolder")
        listing = case.backend.list_files("", recursive=True, max_depth=case.path("a/d0").count("/"))
        inside = [path for path in found(listing) if path.startswith(case.folder + "/")]
        case.expect_equal(inside, [case.path("a/d0")], "the paths from the root")

    @check("LIST-005")
    def test_list_depth_alone_enters_no_subfolder(self, case: Case) -> None:
        fill(case, "top", "sub/deep")
        listing = case.backend.list_files(case.folder, max_depth=5)
        case.expect_equal(names(listing), ["top"], "the names")

    @check("LIST-006")
    def test_list_negative_depth_is_refused_at_the_call(self, case: Case) -> None:
        for recursive in (True, False):
            with case.expect_raises(ValueError):
                case.backend.list_files(case.folder, recursive=recursive, max_depth=-1)

    @check("LIST-007")
    def test_list_direct_folders_are_listed_once(self, case: Case) -> None:
        fill(case, "file", "one/a", "one/b", "two/deep/er/c")
        folders = [entry for entry in case.backend.list_folders(case.folder)]
        case.expect(all(isinstance(entry, FolderEntry) for entry in folders), "every item is a FolderEntry", folders)
        expected = [(case.path("one"), "one"), (case.path("two"), "two")]
        case.expect_equal(sorted((entry.path, entry.name) for entry in folders), expected, "path and name")

    @check("LIST-008")
    def test_list_children_are_files_and_folders_once(self, case: Case) -> None:
        fill(case, "file", "sub/a", "sub/b", "other/c", "sub.txt")
        children = [child for child in case.backend.iter_children(case.folder)]
        files = sorted(child.path for child in children if isinstance(child, FileInfo))
        folders = sorted(child.path for child in children if isinstance(child, FolderEntry))
        case.expect_equal(files, [case.path("file"), case.path("sub.txt")], "the files")
        case.expect_equal(folders, [case.path("other"), case.path("sub")], "the folders")
        case.expect_equal(len(children), 4, "the number of children")

    @check("LIST-009")
    def test_list_siblings_with_the_same_beginning_stay_out(self, case: Case) -> None:
        fill(case, "dir/in", "dir/sub/in", "dir2/out", "dir.txt", "dir-1/out", "di", "dir2/sub/out")
        folder = case.path("dir")
        inside = [case.path("dir/in"), case.path("dir/sub/in")]
        case.expect_equal(found(case.backend.list_files(folder, recursive=True)), inside, "the files below")
        case.expect_equal(found(case.backend.list_files(folder)), inside[:1], "the direct files")
        case.expect_equal(found(case.backend.list_folders(folder)), [case.path("dir/sub")], "the folders")
        case.expect_equal(names(case.backend.iter_children(folder)), ["in", "sub"], "the children")

    @check("LIST-010")
    def test_list_a_missing_path_lists_nothing(self, case: Case) -> None:
        fill(case, "present/file")
        for path in (case.path("absent"), case.path("pres"), case.path("present/file/below")):
            self._expect_nothing(case, path)

    @check("LIST-011")
    def test_list_the_path_of_a_file_lists_nothing(self, case: Case) -> None:
        fill(case, "folder/file")
        self._expect_nothing(case, case.path("folder/file"))

    def _expect_nothing(self, case: Case, path: str) -> None:
        backend = case.backend
        case.expect_equal(found(backend.list_files(path)), [], f"list_files({path!r})")
        case.expect_equal(found(backend.list_files(path, recursive=True)), [], f"list_files({path!r}), recursive")
        case.expect_equal(found(backend.list_folders(path)), [], f"list_folders({path!r})")
        case.expect_equal(found(backend.iter_children(path)), [], f"iter_children({path!r})")

    @check("LIST-012", "META-025", "DEL-012", needs=(Capability.WRITE,))
    def test_list_page_boundaries_lose_and_repeat_nothing(self, case: Case) -> None:
        expected = fill_many(case, [mixed(number) for number in range(999)])
        for number in (999, 1000, 1001):
            for listing in (
                case.backend.list_files(case.path("many")),
                case.backend.list_files(case.folder, recursive=True),
                case.backend.iter_children(case.path("many")),
            ):
                case.expect_equal(found(listing), expected, f"the paths of {number} files")
            expected = sorted(expected + fill_many(case, [mixed(number)]))
        info = case.backend.get_folder_info(case.path("many"))
        case.expect_equal(info.file_count, len(expected), "the number of files in the folder")
        fill(case, "many2/keep")
        case.backend.delete_folder(case.path("many"), recursive=True)
        left = found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(left, [case.path("many2/keep")], "the files left after the delete")

    @check("LIST-013")
    def test_list_more_folders_than_a_page_are_listed_once(self, case: Case) -> None:
        folders = [f"{MIXED[number % len(MIXED)]}{number:05}" for number in range(1001)]
        fill_many(case, [f"{folder}/file" for folder in folders])
        expected = sorted(map(case.path, folders))
        case.expect_equal(found(case.backend.list_folders(case.folder)), expected, "list_folders")
        case.expect_equal(found(case.backend.iter_children(case.folder)), expected, "iter_children")

    @check("LIST-014")
    def test_list_hostile_names_are_listed_exactly(self, case: Case) -> None:
        expected = fill(case, *writable(case))
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")
        case.expect_equal(walk(case), expected, "the paths of a walk")

    @check("LIST-015")
    def test_list_a_slash_at_the_end_changes_nothing(self, case: Case) -> None:
        fill(case, "dir/in", "dir/sub/in")
        folder = case.path("dir") + "/"
        case.expect_equal(found(case.backend.list_files(folder)), [case.path("dir/in")], "list_files")
        case.expect_equal(found(case.backend.list_folders(folder)), [case.path("dir/sub")], "list_folders")
        case.expect_equal(names(case.backend.iter_children(folder)), ["in", "sub"], "iter_children")

    @check("LIST-016")
    def test_list_the_root_lists_what_is_below_it(self, case: Case) -> None:
        fill(case, "file")
        top = case.folder.partition("/")[0]
        folders = [entry.path for entry in case.backend.list_folders("")]
        case.expect_equal(folders.count(top), 1, f"how often list_folders yields {top!r}")
        children = [child.path for child in case.backend.iter_children("")]
        case.expect_equal(children.count(top), 1, f"how often iter_children yields {top!r}")
        files = [info.path for info in case.backend.list_files("", recursive=True)]
        case.expect_equal(files.count(case.path("file")), 1, "how often list_files yields the file")

    @check("LIST-017")
    def test_list_a_listing_may_be_left_early(self, case: Case) -> None:
        expected = fill(case, "a", "b", "c/d")
        for _ in range(20):
            for info in case.backend.list_files(case.folder, recursive=True):
                case.expect(info.path in expected, "the first path is one of them", info.path)
                break
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")

    @check("LIST-018")
    def test_list_a_folder_goes_with_its_last_file(self, case: Case) -> None:
        case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
        fill(case, "keep", "dir/sub/last", "near/stay", "near/sub/last")
        before = [case.path("dir"), case.path("near")]
        case.expect_equal(found(case.backend.list_folders(case.folder)), before, "list_folders before")
        case.expect_equal(case.backend.exists(case.path("dir/sub")), True, "exists before")
        case.backend.delete(case.path("dir/sub/last"))
        case.expect_equal(found(case.backend.list_folders(case.folder)), before[1:], "list_folders")
        case.expect_equal(names(case.backend.iter_children(case.folder)), ["keep", "near"], "iter_children")
        case.expect_equal(case.backend.is_folder(case.path("dir")), False, "is_folder")
        case.expect_equal(case.backend.exists(case.path("dir/sub")), False, "exists")
        case.backend.delete(case.path("near/sub/last"))
        case.expect_equal(
            names(case.backend.iter_children(case.path("near"))), ["stay"], "the children of the folder nearby"
        )
        case.expect_equal(case.backend.is_folder(case.path("near/sub")), False, "is_folder beside another file")

    @check("LIST-021")
    def test_list_malformed_paths_are_refused_at_the_call(self, case: Case) -> None:
        for method in (case.backend.list_files, case.backend.list_folders, case.backend.iter_children):
            with case.expect_raises(InvalidPath):
                method(case.path("nul\0"))
            wrong: Any = b"bytes"
            with case.expect_raises(TypeError):
                method(wrong)

    @check("LIST-022")
    def test_list_listings_show_the_last_state(self, case: Case) -> None:
        for size in (1, 2, 3):
            fill(case, "file", data=b"x" * size)
            sizes = [info.size for info in case.backend.list_files(case.folder)]
            case.expect_equal(sizes, [size], "the sizes after a write")
        case.backend.delete(case.path("file"))
        case.expect_equal(found(case.backend.list_files(case.folder)), [], "the paths after the delete")

    @check("LIST-023")
    def test_list_a_walk_reaches_foreign_keys_once(self, case: Case) -> None:
        expected = put_foreign(case)
        case.expect_equal(walk(case), expected, "the paths of a walk")

    @check("LIST-024")
    def test_list_listed_folders_can_be_entered(self, case: Case) -> None:
        fill(case, "a/b/c/file", "a b/file", "a+b/file", "é/file")
        pending, entered = [case.folder], 0
        while pending:
            for entry in case.backend.list_folders(pending.pop()):
                case.expect_equal(case.backend.is_folder(entry.path), True, f"is_folder({entry.path!r})")
                case.expect(bool(found(case.backend.iter_children(entry.path))), f"{entry.path!r} has children")
                pending.append(entry.path)
                entered += 1
        case.expect_equal(entered, 6, "the number of folders")

    @check("LIST-025")
    def test_list_two_listings_in_turns(self, case: Case) -> None:
        expected = fill(case, *[f"left/{number}" for number in range(5)])
        other = fill(case, *[f"right/{number}" for number in range(5)])
        left = case.backend.list_files(case.path("left"))
        right = case.backend.list_files(case.path("right"))
        lefts, rights = [], []
        for _ in range(5):
            lefts.append((taken(case, left)).path)
            rights.append((taken(case, right)).path)
        case.expect_equal(sorted(lefts), expected, "the paths of the first listing")
        case.expect_equal(sorted(rights), other, "the paths of the second listing")

    @check("LIST-026")
    def test_list_case_tells_names_apart(self, case: Case) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        expected = fill(case, "Name", "name", "NAME", "Dir/x", "dir/x")
        case.expect_equal(found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")

    @check("LIST-027", needs=(Capability.METADATA,))
    def test_list_listed_facts_are_those_of_the_file(self, case: Case) -> None:
        fill(case, "one", "two", "sub/three", data=b"content")
        listings: dict[str, Iterator[Any]] = {
            "list_files": case.backend.list_files(case.folder),
            "list_files, recursive": case.backend.list_files(case.folder, recursive=True),
            "iter_children": case.backend.iter_children(case.folder),
        }
        if Capability.GLOB in case.backend.capabilities:
            listings["glob"] = case.backend.glob(case.path("**"))
        for name, listing in listings.items():
            for listed in listing:
                if isinstance(listed, FileInfo):
                    self._expect_facts(case, name, listed, case.backend.get_file_info(listed.path))

    def _expect_facts(self, case: Case, what: str, listed: FileInfo, fetched: FileInfo) -> None:
        case.expect_equal((listed.name, listed.size), (fetched.name, fetched.size), f"name and size by {what}")
        if listed.etag is not None and fetched.etag is not None:
            case.expect_equal(listed.etag, fetched.etag, f"the ETag by {what}, compared with get_file_info")
        if listed.modified_at is not None and fetched.modified_at is not None:
            # HTTP dates have whole seconds; a listing may be more precise.
            unit = max(map(exactness, (listed.modified_at, fetched.modified_at)))
            times = [
                time.replace(microsecond=time.microsecond // unit * unit)
                for time in (listed.modified_at, fetched.modified_at)
            ]
            case.expect_equal(times[0], times[1], f"the time by {what}, compared with get_file_info")


def mixed(number: int) -> str:
    """The name of one of many files, which tools sort differently."""
    return f"many/{MIXED[number % len(MIXED)]}{number:05}"


def exactness(time: datetime) -> int:
    """The precision of a time, in microseconds."""
    return next(unit for unit in (1_000_000, 1000, 1) if time.microsecond % unit == 0)
