# Generated from conformance/src/remote_store/conformance/suite/aio/changing/copying.py by tools/unasync.py; edit that.
"""Checks of copies and moves."""

from __future__ import annotations

from functools import partial

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill, found, writable
from remote_store.conformance.suite.expectations import expect_content, expect_facts, require_namesakes
from remote_store.core import AlreadyExists, Capability, InvalidPath, NotFound, RemoteStoreError


class CopyingSuite:
    """COPY: copy and move."""

    @check("COPY-001")
    def test_copy_makes_a_second_file(self, case: Case) -> None:
        fill(case, "source", data=b"content")
        case.backend.copy(case.path("source"), case.path("deep/er/copy"))
        expect_content(case, "source", b"content")
        expect_content(case, "deep/er/copy", b"content")

    @check("COPY-002", needs=(Capability.USER_METADATA,))
    def test_copy_keeps_the_facts(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x", metadata={"a": "b"}, content_type="text/csv")
        case.backend.copy(case.path("source"), case.path("copy"))
        expect_facts(case, "copy", {"a": "b"}, "text/csv")
        expect_facts(case, "source", {"a": "b"}, "text/csv")

    @check("COPY-003")
    def test_copy_keeps_what_exists(self, case: Case) -> None:
        fill(case, "source", data=b"new")
        fill(case, "copy", data=b"old")
        with case.expect_raises(AlreadyExists, path=case.path("copy")):
            case.backend.copy(case.path("source"), case.path("copy"))
        expect_content(case, "copy", b"old")
        expect_content(case, "source", b"new")

    @check("COPY-004")
    def test_copy_replaces_when_told(self, case: Case) -> None:
        fill(case, "source", data=b"new")
        fill(case, "copy", data=b"older and longer")
        case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        expect_content(case, "copy", b"new")

    @check("COPY-004", needs=(Capability.USER_METADATA,))
    def test_copy_replaces_the_facts(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x", metadata={"new": "1"}, content_type="text/csv")
        case.backend.write(case.path("copy"), b"x", metadata={"old": "1"}, content_type="text/html")
        case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        expect_facts(case, "copy", {"new": "1"}, "text/csv")

    @check("COPY-005")
    def test_copy_onto_itself_changes_nothing(self, case: Case) -> None:
        fill(case, "file", data=b"content")
        before = case.backend.get_file_info(case.path("file"))
        for overwrite in (False, True):
            case.backend.copy(case.path("file"), case.path("file"), overwrite=overwrite)
            expect_content(case, "file", b"content")
        case.expect_equal(case.backend.get_file_info(case.path("file")), before, "the facts")

    @check("COPY-006")
    def test_copy_of_nothing(self, case: Case) -> None:
        fill(case, "present", data=b"old")
        for target in ("new", "present", "absent"):
            for overwrite in (False, True):
                with case.expect_raises(NotFound, path=case.path("absent")):
                    case.backend.copy(case.path("absent"), case.path(target), overwrite=overwrite)
        expect_content(case, "present", b"old")
        case.expect_equal(found(case.backend.list_files(case.folder)), [case.path("present")], "the files")

    @check("COPY-007")
    def test_copy_of_a_folder(self, case: Case) -> None:
        fill(case, "folder/file")
        for target in ("new", "folder"):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                case.backend.copy(case.path("folder"), case.path(target))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), [case.path("folder/file")], "the files")

    @check("COPY-008")
    def test_copy_is_exact(self, case: Case) -> None:
        fill(case, "a*b", data=b"star")
        fill(case, "axb", "a?b", "a[x]b", data=b"other")
        case.backend.copy(case.path("a*b"), case.path("c*d"))
        listed = found(case.backend.list_files(case.folder))
        case.expect_equal(listed, sorted(map(case.path, ("a*b", "axb", "a?b", "a[x]b", "c*d"))), "the files")
        expect_content(case, "c*d", b"star")

    @check("COPY-008")
    def test_copy_leaves_the_folder_of_its_name(self, case: Case) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        fill(case, "name/below", data=b"content")
        fill(case, "name", data=b"content")
        case.backend.copy(case.path("name"), case.path("other"))
        listed = found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(map(case.path, ("name", "name/below", "other"))), "the files")

    @check("COPY-009")
    def test_copy_copies_of_hostile_names(self, case: Case) -> None:
        for name in writable(case):
            fill(case, f"from/{name}", data=name.encode())
            case.backend.copy(case.path(f"from/{name}"), case.path(f"to/{name}"))
            expect_content(case, f"to/{name}", name.encode())

    @check("COPY-010", needs=(Capability.COPY,))
    def test_copy_one_copy_wins(self, case: Case) -> None:
        writers = case.profile.contenders
        for number in range(writers):
            fill(case, f"source-{number}", data=str(number).encode())
        outcomes = case.together(
            [
                partial(case.backend.copy, case.path(f"source-{number}"), case.path("target"))
                for number in range(writers)
            ]
        )
        winners = [number for number, outcome in enumerate(outcomes) if outcome is None]
        case.expect_equal(len(winners), 1, f"the number of winners in {outcomes}")
        losers = [outcome for outcome in outcomes if outcome is not None]
        case.expect(all(isinstance(loser, AlreadyExists) for loser in losers), f"the losers of {losers}")
        expect_content(case, "target", str(winners[0]).encode())

    @check("COPY-011")
    def test_copy_a_copy_is_no_link(self, case: Case) -> None:
        fill(case, "source", data=b"old")
        case.backend.copy(case.path("source"), case.path("copy"))
        fill(case, "source", data=b"new")
        expect_content(case, "copy", b"old")
        case.backend.delete(case.path("source"))
        expect_content(case, "copy", b"old")

    @check("COPY-012")
    def test_copy_sizes_at_the_edges(self, case: Case) -> None:
        part = case.profile.part_size or 1_000_000
        for size in (0, 1, part, part + 1):
            content = case.content(size)
            fill(case, "source", data=content)
            case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
            copied = case.backend.read_bytes(case.path("copy"))
            case.expect(copied == content, f"the copy of {size} bytes is exact, not {len(copied)} other bytes")

    @check("COPY-013", needs=(Capability.MOVE,))
    def test_copy_nothing_else_appears(self, case: Case) -> None:
        fill(case, "from/deep/file", "from/stay")
        case.backend.copy(case.path("from/deep/file"), case.path("to/copy"))
        case.backend.move(case.path("from/deep/file"), case.path("to/moved"))
        listing = case.backend.list_files(case.folder, recursive=True)
        expected = sorted(map(case.path, ("from/stay", "to/copy", "to/moved")))
        case.expect_equal(found(listing), expected, "the files")
        if not case.profile.empty_folders:
            folders = [case.path("from"), case.path("to")]
            case.expect_equal(found(case.backend.list_folders(case.folder)), folders, "the folders")
            case.expect_equal(found(case.backend.list_folders(case.path("from"))), [], "the folders in 'from'")
            case.expect_equal(case.backend.exists(case.path("from/deep")), False, "exists of 'from/deep'")
        if (oracle := case.harness.oracle) is not None:
            case.expect_equal(sorted(oracle.raw_list(case.folder + "/")), expected, "the keys in the storage")

    @check("COPY-023")
    def test_copy_onto_a_folder(self, case: Case) -> None:
        fill(case, "source", "folder/file", data=b"content")
        if case.profile.flat:
            case.backend.copy(case.path("source"), case.path("folder"))
            expect_content(case, "folder", b"content")
        else:
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                case.backend.copy(case.path("source"), case.path("folder"), overwrite=True)
        expect_content(case, "folder/file", b"content")

    @check("COPY-023", needs=(Capability.MOVE,))
    def test_move_onto_a_folder(self, case: Case) -> None:
        fill(case, "source", "folder/file", data=b"content")
        if case.profile.flat:
            case.backend.move(case.path("source"), case.path("folder"))
            expect_content(case, "folder", b"content")
        else:
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                case.backend.move(case.path("source"), case.path("folder"), overwrite=True)
            expect_content(case, "source", b"content")
        expect_content(case, "folder/file", b"content")


class MovingSuite:
    """COPY: move."""

    def _expect_gone(self, case: Case, name: str) -> None:
        case.expect_equal(case.backend.exists(case.path(name)), False, f"exists of {name!r}")

    @check("COPY-014", needs=(Capability.READ, Capability.WRITE, Capability.COPY))
    def test_move_onto_a_copy_of_itself(self, case: Case) -> None:
        # On a disk, a copy may be another link to the same file, and a rename between two links does nothing.
        case.backend.write(case.path("source"), b"content")
        case.backend.copy(case.path("source"), case.path("copy"))
        case.backend.move(case.path("source"), case.path("copy"), overwrite=True)
        expect_content(case, "copy", b"content")
        case.expect_equal(case.backend.exists(case.path("source")), False, "exists of the source")

    @check("COPY-014")
    def test_move_takes_the_file_along(self, case: Case) -> None:
        fill(case, "from/source", data=b"content")
        case.backend.move(case.path("from/source"), case.path("to/deep/target"))
        expect_content(case, "to/deep/target", b"content")
        self._expect_gone(case, "from/source")

    @check("COPY-015", needs=(Capability.USER_METADATA,))
    def test_move_keeps_the_facts(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x", metadata={"a": "b"}, content_type="text/csv")
        case.backend.move(case.path("source"), case.path("target"))
        expect_facts(case, "target", {"a": "b"}, "text/csv")

    @check("COPY-016")
    def test_move_keeps_what_exists(self, case: Case) -> None:
        fill(case, "source", data=b"new")
        fill(case, "target", data=b"old")
        with case.expect_raises(AlreadyExists, path=case.path("target")):
            case.backend.move(case.path("source"), case.path("target"))
        expect_content(case, "target", b"old")
        expect_content(case, "source", b"new")

    @check("COPY-017")
    def test_move_replaces_when_told(self, case: Case) -> None:
        fill(case, "source", data=b"new")
        fill(case, "target", data=b"older and longer")
        case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        expect_content(case, "target", b"new")
        self._expect_gone(case, "source")

    @check("COPY-017", needs=(Capability.USER_METADATA,))
    def test_move_replaces_the_facts(self, case: Case) -> None:
        case.backend.write(case.path("source"), b"x", metadata={"new": "1"}, content_type="text/csv")
        case.backend.write(case.path("target"), b"x", metadata={"old": "1"}, content_type="text/html")
        case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        expect_facts(case, "target", {"new": "1"}, "text/csv")

    @check("COPY-018")
    def test_move_onto_itself_changes_nothing(self, case: Case) -> None:
        fill(case, "file", data=b"content")
        before = case.backend.get_file_info(case.path("file"))
        for overwrite in (False, True):
            case.backend.move(case.path("file"), case.path("file"), overwrite=overwrite)
            expect_content(case, "file", b"content")
        case.expect_equal(case.backend.get_file_info(case.path("file")), before, "the facts")

    @check("COPY-019")
    def test_move_of_nothing(self, case: Case) -> None:
        fill(case, "present", data=b"old")
        for target in ("new", "present", "absent"):
            for overwrite in (False, True):
                with case.expect_raises(NotFound, path=case.path("absent")):
                    case.backend.move(case.path("absent"), case.path(target), overwrite=overwrite)
        expect_content(case, "present", b"old")
        case.expect_equal(found(case.backend.list_files(case.folder)), [case.path("present")], "the files")

    @check("COPY-020")
    def test_move_of_a_folder(self, case: Case) -> None:
        fill(case, "folder/file", "file")
        for target in ("new", "file", "folder"):
            with case.expect_raises(InvalidPath, path=case.path("folder")):
                case.backend.move(case.path("folder"), case.path(target), overwrite=True)
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(found(listing), sorted(map(case.path, ("file", "folder/file"))), "the files")

    @check("COPY-021")
    def test_move_is_exact(self, case: Case) -> None:
        fill(case, "a*b", data=b"star")
        fill(case, "axb", "a?b", "a[x]b", data=b"other")
        case.backend.move(case.path("a*b"), case.path("c*d"))
        listed = found(case.backend.list_files(case.folder))
        case.expect_equal(listed, sorted(map(case.path, ("axb", "a?b", "a[x]b", "c*d"))), "the files")
        expect_content(case, "c*d", b"star")

    @check("COPY-021")
    def test_move_leaves_the_folder_of_its_name(self, case: Case) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        fill(case, "name/below", data=b"content")
        fill(case, "name", data=b"content")
        case.backend.move(case.path("name"), case.path("other"))
        listed = found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(map(case.path, ("name/below", "other"))), "the files")

    @check("COPY-022")
    def test_copy_moves_that_meet_lose_nothing(self, case: Case) -> None:
        fill(case, "source", data=b"content")
        outcomes = case.together(
            [partial(case.backend.move, case.path("source"), case.path(f"target-{number}")) for number in range(8)]
        )
        errors = [outcome for outcome in outcomes if outcome is not None]
        case.expect(all(isinstance(error, RemoteStoreError) for error in errors), f"typed errors in {errors}")
        left = found(case.backend.list_files(case.folder))
        case.expect(bool(left), "at least one copy is left")
        for path in left:
            case.expect_equal(case.backend.read_bytes(path), b"content", f"the content of {path!r}")
