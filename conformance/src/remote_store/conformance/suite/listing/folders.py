# Generated from conformance/src/remote_store/conformance/suite/aio/listing/folders.py by tools/unasync.py; edit that.
"""Checks of what a folder is when its files come and go, and of a file and a folder of one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import Failing
from remote_store.conformance.checking.trees import fill, found, names, writable
from remote_store.conformance.checking.width import drawn, width_of
from remote_store.conformance.suite.expectations import expect_content, require_namesakes
from remote_store.core import Capability, FileInfo, FolderEntry, NotFound

READ, WRITE, LIST, DELETE = Capability.READ, Capability.WRITE, Capability.LIST, Capability.DELETE
METADATA, GLOB = Capability.METADATA, Capability.GLOB
NEW = ("kept/new", "new/and/deep")
Step = Callable[[Case, str], Any]


def _delete(case: Case, folder: str) -> None:
    fill(case, f"{folder}/file")
    list_above(case, folder)
    case.backend.delete(case.path(f"{folder}/file"))


def _delete_folder(case: Case, folder: str) -> None:
    fill(case, f"{folder}/file", f"{folder}/deeper/file")
    list_above(case, folder)
    case.backend.delete_folder(case.path(folder), recursive=True)


def _delete_many(case: Case, folder: str) -> None:
    paths = fill(case, f"{folder}/file", f"{folder}/deeper/file")
    list_above(case, folder)
    for outcome in case.backend.delete_many(paths):
        outcome.result()


def _move(case: Case, folder: str) -> None:
    fill(case, f"{folder}/file")
    list_above(case, folder)
    case.backend.move(case.path(f"{folder}/file"), case.path("kept/moved"), overwrite=True)


def _failed_write(case: Case, folder: str) -> None:
    source: Any = Failing(70_000, Boom("mine"))
    with case.expect_raises(Boom):
        case.backend.write(case.path(f"{folder}/file"), source)


def _failed_block(case: Case, folder: str) -> None:
    with case.expect_raises(Boom):
        with case.backend.open_atomic(case.path(f"{folder}/file")) as stream:
            stream.write(b"half")
            raise Boom("mine")


def _failed_copy(case: Case, folder: str) -> None:
    with case.expect_raises(NotFound):
        case.backend.copy(case.path("absent"), case.path(f"{folder}/file"))


def _failed_move(case: Case, folder: str) -> None:
    with case.expect_raises(NotFound):
        case.backend.move(case.path("absent"), case.path(f"{folder}/file"))


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


class FolderSuite:
    """Folders without files, and folders with the name of a file."""

    @pytest.mark.parametrize("way", EMPTIED)
    @check("LIST-018", needs=(WRITE,))
    def test_list_no_folder_whose_files_are_gone(self, case: Case, way: str) -> None:
        run, needs = EMPTIED[way]
        case.require(*needs)
        fill(case, "kept/file")
        deep = ["x/" * 20 + "x"] if width_of(case) is None else []
        for folder in ["kept/near", "two/levels", *deep]:
            run(case, folder)
            expect_no_trace(case, folder, f"after {way}")

    @pytest.mark.parametrize("way", NEVER)
    @check("COPY-013", needs=(WRITE, LIST))
    def test_copy_that_fails_leaves_no_folder(self, case: Case, way: str) -> None:
        run, needs = NEVER[way]
        case.require(*needs)
        for folder in NEW:
            fill(case, "kept/file")
            run(case, folder)
            expect_no_trace(case, folder, f"after a {way} that failed")

    @check("WRITE-008", needs=(LIST,))
    def test_write_that_fails_leaves_no_folder_at_any_depth(self, case: Case) -> None:
        for folder in NEW:
            fill(case, "kept/file")
            _failed_write(case, folder)
            expect_no_trace(case, folder, "after a write that failed")

    @check("ATOM-004", needs=(WRITE, LIST))
    def test_atomic_open_that_fails_leaves_no_folder(self, case: Case) -> None:
        for folder in NEW:
            fill(case, "kept/file")
            _failed_block(case, folder)
            expect_no_trace(case, folder, "after an `open_atomic` block that failed")

    @check("PATH-018", needs=(READ, WRITE))
    def test_path_of_two_namesakes(self, case: Case) -> None:
        require_namesakes(case)
        case.require_profile("a file as an ancestor is refused", not case.profile.rejects_file_ancestor)
        for number, name in enumerate(drawn(case, [name for name in writable(case) if "/" not in name])):
            inside = f"{number}/{name}"
            # In the other order, some backends refuse the second.
            fill(case, f"{inside}/below", data=b"below")
            fill(case, inside, data=b"file")
            path = case.path(inside)
            kinds = (
                case.backend.exists(path),
                case.backend.is_file(path),
                case.backend.is_folder(path),
            )
            case.expect_equal(
                kinds, (True, True, True), f"exists, is_file and is_folder of {path!r}, a file and a folder"
            )
            expect_content(case, inside, b"file")
            expect_content(case, f"{inside}/below", b"below")
            if METADATA in case.backend.capabilities:
                case.expect_equal((case.backend.get_file_info(path)).size, 4, f"the size of the file {path!r}")
                count = (case.backend.get_folder_info(path)).file_count
                case.expect_equal(count, 1, f"the number of files in the folder {path!r}")

    @check("LIST-008", needs=(WRITE,))
    def test_list_every_pair_of_namesakes(self, case: Case) -> None:
        require_namesakes(case)
        case.require_profile("a file as an ancestor is refused", not case.profile.rejects_file_ancestor)
        both = sorted(drawn(case, [name for name in writable(case) if "/" not in name]))
        fill(case, *(f"in/{name}/below" for name in both))
        fill(case, *(f"in/{name}" for name in both))
        children = [child for child in case.backend.iter_children(case.path("in"))]
        for kind in (FileInfo, FolderEntry):
            came = sorted(child.name for child in children if isinstance(child, kind))
            case.expect_equal(came, both, f"the children that are a {kind.__name__}")
        case.expect_equal(names(case.backend.list_files(case.path("in"))), both, "the names by list_files")
        case.expect_equal(names(case.backend.list_folders(case.path("in"))), both, "the names by list_folders")
        expected = sorted(case.path(f"in/{name}{end}") for name in both for end in ("", "/below"))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), expected, "the paths at every depth")
        if GLOB in case.backend.capabilities:
            matches = found(case.backend.glob(case.path("in/*")))
            case.expect_equal(matches, sorted(case.path(f"in/{name}") for name in both), "the matches of 'in/*'")


def list_above(case: Case, folder: str) -> None:
    """List the folders above while the folder has files, since a backend may remember what it listed."""
    parts = folder.split("/")
    for depth in range(len(parts)):
        parent = case.path("/".join(parts[:depth])).rstrip("/")
        path = case.path("/".join(parts[: depth + 1]))
        case.expect(path in found(case.backend.list_folders(parent)), f"list_folders({parent!r}) has {path!r}")


def expect_no_trace(case: Case, folder: str, when: str) -> None:
    """Fail if the folder, or one above it without files, is still there by any method."""
    case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
    parts = folder.split("/")
    for depth in range(len(parts), 0, -1):
        name, above = "/".join(parts[:depth]), "/".join(parts[: depth - 1])
        if name == "kept":
            continue
        path, parent = case.path(name), case.path(above).rstrip("/")
        there = case.backend.exists(path), case.backend.is_folder(path)
        case.expect_equal(there, (False, False), f"exists and is_folder of {path!r}, {when}")
        listed = found(case.backend.list_folders(parent))
        case.expect(path not in listed, f"list_folders({parent!r}) has no {path!r}, {when}", listed)
        children = found(case.backend.iter_children(parent))
        case.expect(path not in children, f"iter_children({parent!r}) has no {path!r}, {when}", children)
        case.expect_equal(found(case.backend.list_files(path, recursive=True)), [], f"list_files({path!r}), {when}")
        if METADATA in case.backend.capabilities:
            with case.expect_raises(NotFound, what=f"get_folder_info({path!r}), {when}"):
                case.backend.get_folder_info(path)
