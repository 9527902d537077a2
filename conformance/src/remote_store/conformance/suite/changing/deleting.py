# Generated from conformance/src/remote_store/conformance/suite/aio/changing/deleting.py by tools/unasync.py; edit that.
"""Checks that deletes remove exactly the given file or folder."""

from __future__ import annotations

from functools import partial

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found, put_foreign, writable
from remote_store.core import DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError

MEETINGS = {"smoke": 2, "quick": 5, "full": 60, "soak": 300}
"""How many files several callers delete at once."""


class DeletingSuite:
    """DEL: delete and delete_folder."""

    def _expect_files(self, case: Case, *names: str) -> None:
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), sorted(map(case.path, names)), "the files")

    @check("DEL-001")
    def test_delete_a_deleted_file_is_gone(self, case: Case) -> None:
        fill(case, "file", "other")
        case.expect_equal(case.backend.is_file(case.path("file")), True, "is_file before")
        case.backend.delete(case.path("file"))
        case.expect_equal(case.backend.is_file(case.path("file")), False, "is_file")
        with case.expect_raises(NotFound, path=case.path("file")):
            case.backend.read_bytes(case.path("file"))
        self._expect_files(case, "other")

    @check("DEL-002")
    def test_delete_a_missing_file(self, case: Case) -> None:
        fill(case, "file2")
        for path in (case.path("file"), case.path("no/such/folder")):
            with case.expect_raises(NotFound, path=path):
                case.backend.delete(path)
            case.backend.delete(path, missing_ok=True)
        self._expect_files(case, "file2")

    @check("DEL-003")
    def test_delete_wildcards_are_literal(self, case: Case) -> None:
        fill(case, "a*b", "a?b", "a[x]b", "axb", "ayb")
        case.backend.delete(case.path("a*b"))
        self._expect_files(case, "a?b", "a[x]b", "axb", "ayb")
        case.backend.delete(case.path("a?b"))
        case.backend.delete(case.path("a[x]b"))
        self._expect_files(case, "axb", "ayb")

    @check("DEL-004")
    def test_delete_a_folder_is_no_file(self, case: Case) -> None:
        fill(case, "folder/file")
        for missing_ok in (False, True):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                case.backend.delete(case.path("folder"), missing_ok=missing_ok)
        self._expect_files(case, "folder/file")

    @check("DEL-005")
    def test_delete_the_root_stays(self, case: Case) -> None:
        fill(case, "folder/file")
        for flag in (False, True):
            with case.expect_raises(InvalidPath, path=""):
                case.backend.delete("", missing_ok=flag)
            for recursive in (False, True):
                with case.expect_raises(InvalidPath, path=""):
                    case.backend.delete_folder("", recursive=recursive, missing_ok=flag)
        self._expect_files(case, "folder/file")

    @check("DEL-006")
    def test_delete_neighbours_stay(self, case: Case) -> None:
        fill(case, "file", "file2", "file.txt", "fil", "sub/file")
        case.backend.delete(case.path("file"))
        self._expect_files(case, "file2", "file.txt", "fil", "sub/file")

    @check("DEL-007")
    def test_delete_a_folder_with_content_stays(self, case: Case) -> None:
        fill(case, "one/file", "two/deep/er/file")
        for folder in ("one", "two", "two/deep"):
            for missing_ok in (False, True):
                with case.expect_raises(DirectoryNotEmpty, path=case.path(folder)):
                    case.backend.delete_folder(case.path(folder), missing_ok=missing_ok)
        self._expect_files(case, "one/file", "two/deep/er/file")

    @check("DEL-008")
    def test_delete_recursive_takes_every_depth(self, case: Case) -> None:
        fill(case, "dir/a", "dir/b/c", "dir/b/d/e/f", "keep")
        case.backend.delete_folder(case.path("dir"), recursive=True)
        self._expect_files(case, "keep")
        case.expect_equal(case.backend.exists(case.path("dir")), False, "exists")
        with case.expect_raises(NotFound, path=case.path("dir")):
            case.backend.delete_folder(case.path("dir"), recursive=True)

    @check("DEL-009")
    def test_delete_sibling_folders_stay(self, case: Case) -> None:
        fill(case, "dir/a", "dir2/a", "dir.txt", "di/a", "dir-1/b/c")
        case.backend.delete_folder(case.path("dir"), recursive=True)
        self._expect_files(case, "dir2/a", "dir.txt", "di/a", "dir-1/b/c")

    @check("DEL-010")
    def test_delete_a_missing_folder(self, case: Case) -> None:
        fill(case, "absent2/file")
        for recursive in (False, True):
            with case.expect_raises(NotFound, path=case.path("absent")):
                case.backend.delete_folder(case.path("absent"), recursive=recursive)
            case.backend.delete_folder(case.path("absent"), recursive=recursive, missing_ok=True)
        self._expect_files(case, "absent2/file")

    @check("DEL-011")
    def test_delete_a_file_is_no_folder(self, case: Case) -> None:
        fill(case, "file")
        for missing_ok in (False, True):
            for recursive in (False, True):
                with case.expect_raises(InvalidPath, path=case.path("file")):
                    case.backend.delete_folder(case.path("file"), recursive=recursive, missing_ok=missing_ok)
        self._expect_files(case, "file")

    @check("DEL-013")
    def test_delete_hostile_names(self, case: Case) -> None:
        fill(case, *(f"all/{name}" for name in writable(case)), "keep")
        case.backend.delete_folder(case.path("all"), recursive=True)
        self._expect_files(case, "keep")

    @check("DEL-014")
    def test_delete_a_deleted_file_can_be_written_again(self, case: Case) -> None:
        for content in (b"one", b"two"):
            case.backend.write(case.path("dir/file"), content)
            case.expect_equal(case.backend.read_bytes(case.path("dir/file")), content, "the content")
            case.backend.delete(case.path("dir/file"))

    @check("DEL-015")
    def test_delete_a_slash_at_the_end_of_a_folder(self, case: Case) -> None:
        fill(case, "dir/a", "dir2/a")
        with case.expect_raises(DirectoryNotEmpty):
            case.backend.delete_folder(case.path("dir") + "/")
        case.backend.delete_folder(case.path("dir") + "/", recursive=True)
        self._expect_files(case, "dir2/a")

    @check("DEL-016")
    def test_delete_with_a_stray_slash(self, case: Case) -> None:
        fill(case, "dir/a", "file")
        for name in ("dir", "file"):
            with case.expect_raises(RemoteStoreError):
                case.backend.delete(case.path(name) + "/")
        self._expect_files(case, "dir/a", "file")

    @check("DEL-017")
    def test_delete_foreign_keys_with_their_folder(self, case: Case) -> None:
        put_foreign(case)
        case.backend.delete_folder(case.folder, recursive=True)
        self._expect_files(case)

    @check("DEL-018")
    def test_delete_deletes_that_meet(self, case: Case) -> None:
        fill(case, "keep")
        for number in range(MEETINGS[case.tier]):
            fill(case, f"file-{number}")
            missing_ok = number % 2 == 1
            delete = partial(case.backend.delete, case.path(f"file-{number}"), missing_ok=missing_ok)
            outcomes = case.together([delete] * 8)
            case.expect(None in outcomes, "one of them succeeds", outcomes)
            errors = [outcome for outcome in outcomes if outcome is not None]
            expected = "no error" if missing_ok else "only NotFound"
            right = all(isinstance(error, NotFound) and not missing_ok for error in errors)
            case.expect(right, f"{expected} in {errors}")
        self._expect_files(case, "keep")

    @check("DEL-019")
    def test_delete_wildcards_in_folders_are_literal(self, case: Case) -> None:
        fill(case, "a*/file", "ab/file", "a?/file", "[a]/file", "a/file")
        case.backend.delete_folder(case.path("a*"), recursive=True)
        self._expect_files(case, "ab/file", "a?/file", "[a]/file", "a/file")
        case.backend.delete_folder(case.path("[a]"), recursive=True)
        self._expect_files(case, "ab/file", "a?/file", "a/file")

    @check("DEL-020")
    def test_delete_a_file_beside_a_folder_of_its_name(self, case: Case) -> None:
        case.require_profile("a file and a folder cannot share a name", case.profile.flat)
        fill(case, "a/b", "a/c/d")
        fill(case, "a")
        case.backend.delete(case.path("a"))
        self._expect_files(case, "a/b", "a/c/d")
        fill(case, "a")
        case.backend.delete_folder(case.path("a"), recursive=True)
        self._expect_files(case, "a")
