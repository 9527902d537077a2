# Generated from conformance/src/remote_store/conformance/suite/aio/names/paths.py by tools/unasync.py; edit that.
"""Checks of keys and paths."""

from __future__ import annotations

from typing import Any, cast

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import (
    CONFUSABLE,
    FOREIGN_KEYS,
    KEYS,
    NOT_CANONICAL,
    ODD_KEYS,
    ROOT_KEYS,
    WRONG_TYPES,
    key_of_bytes,
    segmented_key,
)
from remote_store.conformance.checking.usages import (
    DATA,
    EXACT_USAGES,
    FILE_USAGES,
    PATH_USAGES,
    TOLERANT_USAGES,
    WRITE_USAGES,
)
from remote_store.conformance.checking.width import drawn
from remote_store.conformance.suite.expectations import required
from remote_store.conformance.suite.operations import OF_FOLDERS
from remote_store.core import Capability, InvalidPath, NotFound, RemotePath

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST
FOREIGN = {**FOREIGN_KEYS, **{name: KEYS[name] for name in ODD_KEYS}}
MALFORMED = {"nul": "a\0b", "surrogate": "a\ud800b"}
ROOT_USAGES = {**FILE_USAGES, **TOLERANT_USAGES, **WRITE_USAGES}
del ROOT_USAGES["delete_folder_tolerant"]


class Text(str):
    """A subclass of `str`, as libraries have it."""

    __slots__ = ()


class PathSuite:
    @pytest.mark.parametrize("key", KEYS)
    @check("PATH-001", needs=(READ,))
    def test_path_hostile_key_is_exact(self, case: Case, key: str) -> None:
        path, content = case.path(KEYS[key]), key.encode()
        result = case.backend.write(path, content)
        case.expect_equal(str(result.path), path, "the path in the write's result")
        case.expect_equal(case.backend.read_bytes(path), content, "the content under the key")
        case.expect_equal(case.backend.is_file(path), True, "is_file of the key")

    @pytest.mark.parametrize("key", ODD_KEYS)
    @check("PATH-001")
    def test_path_hostile_key_arrives_at_the_storage(self, case: Case, key: str) -> None:
        path, content = case.path(KEYS[key]), key.encode()
        oracle = case.oracle
        case.backend.write(path, content)
        case.expect_equal(oracle.raw_list(case.folder + "/"), [path], "every key in the storage")
        case.expect_equal(oracle.raw_get(path), content, "the content in the storage")

    @check("PATH-001", needs=(READ,))
    def test_path_may_be_a_subclass_of_text(self, case: Case) -> None:
        path = RemotePath(case.path("folder/file"))
        result = case.backend.write(path, b"typed")
        case.expect_equal(str(result.path), str(path), "the path in the write's result")
        case.expect_equal(case.backend.read_bytes(path), b"typed", "the content under a RemotePath")
        case.expect_equal(case.backend.is_file(str(path)), True, "is_file of the same path as a `str`")

    @check("PATH-001", needs=(READ, WRITE))
    def test_path_may_be_a_subclass_of_text_everywhere(self, case: Case) -> None:
        declared = case.backend.capabilities
        able = [name for name, row in PATH_USAGES.items() if row.capability is None or row.capability in declared]
        for operation in able if case.tier != "smoke" and case.profile.in_process else drawn(case, able):
            for kind in (RemotePath, Text):
                makes, folder = operation in WRITE_USAGES, case.path(f"{operation}/{kind.__name__}")
                path = f"{folder}/in" if operation in OF_FOLDERS else f"{folder}/in/file"
                case.backend.write(f"{folder}/other" if makes else f"{folder}/in/file", DATA)
                try:
                    PATH_USAGES[operation].run(case.backend, kind(path), kind(f"{folder}/other"))
                except Exception as error:
                    case.fail(f"{operation} of a path that is a {kind.__name__}", "the result for a `str`", error)
                if makes:
                    observed = case.backend.read_bytes(path)
                    case.expect_equal(observed, DATA, f"what {operation} stored under a {kind.__name__}")

    @pytest.mark.parametrize("pair", range(len(CONFUSABLE)))
    @check("PATH-002", needs=(READ,))
    def test_path_similar_keys_are_two(self, case: Case, pair: int) -> None:
        first, second = map(case.path, CONFUSABLE[pair])
        case.require_profile("the storage ignores case", pair or case.profile.case_sensitive)
        case.backend.write(first, b"first")
        case.expect_equal(case.backend.is_file(second), False, "is_file of the other key, which does not exist")
        case.backend.write(second, b"second")
        case.expect_equal(case.backend.read_bytes(first), b"first", f"the content of {first!r}")
        case.expect_equal(case.backend.read_bytes(second), b"second", f"the content of {second!r}")

    @pytest.mark.parametrize("pair", range(len(CONFUSABLE)))
    @check("PATH-002")
    def test_path_similar_folders_are_two(self, case: Case, pair: int) -> None:
        first, second = map(case.path, CONFUSABLE[pair])
        case.require_profile("the storage ignores case", pair or case.profile.case_sensitive)
        case.backend.write(f"{first}/file", b"x")
        observed = [case.backend.is_folder(path) for path in (first, second)]
        case.expect_equal(observed, [True, False], f"is_folder of {first!r}, and of {second!r}, which does not exist")
        case.expect_equal(case.backend.exists(f"{second}/file"), False, "exists of a file in the other")

    @check("PATH-003", needs=(READ,))
    def test_path_longest_key(self, case: Case) -> None:
        most = case.profile.max_key_bytes
        case.require_profile("no key is too long", most is not None)
        path = segmented_key(most or 0, case.path(""))
        case.backend.write(path, b"longest")
        case.expect_equal(case.backend.read_bytes(path), b"longest", "the content of the longest key")

    @check("PATH-003", needs=(READ,))
    def test_path_longest_key_of_one_segment(self, case: Case) -> None:
        most = case.profile.max_key_bytes
        case.require_profile("no key is too long", most is not None)
        case.require_profile("segments have a limit of their own", case.profile.max_segment_bytes is None)
        path = key_of_bytes(most or 0, start=case.path(""))
        case.backend.write(path, b"longest")
        case.expect_equal(case.backend.read_bytes(path), b"longest", "the content of the longest key")

    @pytest.mark.parametrize("character", ["x", "é"])
    @pytest.mark.parametrize("operation", EXACT_USAGES)
    @check("PATH-003")
    def test_path_too_long(self, case: Case, operation: str, character: str) -> None:
        most = case.profile.max_key_bytes
        case.require_profile("no key is too long", most is not None)
        row = required(case, operation)
        path = key_of_bytes((most or 0) + 1, character, case.path(""))
        with (
            case.expect_no_request(f"{operation} of a key that is too long"),
            case.expect_raises(InvalidPath, path=path, what=f"{operation} of a key that is too long"),
        ):
            row.run(case.backend, path, case.path("other"))

    @pytest.mark.parametrize("operation", WRITE_USAGES)
    @check("PATH-004")
    def test_path_not_canonical_is_not_written(self, case: Case, operation: str) -> None:
        row, source = required(case, operation), case.path("source")
        case.backend.write(source, DATA)
        for path in map(case.path, NOT_CANONICAL):
            with (
                case.expect_no_request(f"{operation} to {path!r}"),
                case.expect_raises(InvalidPath, path=path, what=f"{operation} to {path!r}"),
            ):
                row.run(case.backend, path, source)
        if LIST in case.backend.capabilities:
            entries = [entry.path for entry in case.backend.list_files(case.folder, recursive=True)]
            case.expect_equal(entries, [source], "every file after the refusal")

    @pytest.mark.parametrize("operation", PATH_USAGES)
    @pytest.mark.parametrize("key", MALFORMED)
    @check("PATH-005")
    def test_path_malformed(self, case: Case, key: str, operation: str) -> None:
        row, path = required(case, operation), case.path(MALFORMED[key])
        with (
            case.expect_no_request(f"{operation} of a malformed key"),
            case.expect_raises(InvalidPath, path=path, what=f"{operation} of a malformed key"),
        ):
            row.run(case.backend, path, case.path("other"))

    @pytest.mark.parametrize("operation", PATH_USAGES)
    @check("PATH-006")
    def test_path_of_wrong_type(self, case: Case, operation: str) -> None:
        row, wrong_types = required(case, operation), cast("tuple[Any, ...]", WRONG_TYPES)
        for wrong in wrong_types:
            with (
                case.expect_no_request(f"{operation} of {wrong!r}"),
                case.expect_raises(TypeError, what=f"{operation} of {wrong!r}"),
            ):
                row.run(case.backend, wrong, case.path("other"))

    @check("PATH-007")
    def test_path_root_exists(self, case: Case) -> None:
        with case.expect_no_request("probes of the root"):
            case.expect_equal(case.backend.exists(""), True, "exists of the root")
            case.expect_equal(case.backend.is_folder(""), True, "is_folder of the root")
            case.expect_equal(case.backend.is_file(""), False, "is_file of the root")

    @pytest.mark.parametrize("operation", ROOT_USAGES)
    @check("PATH-008")
    def test_path_root_is_no_file(self, case: Case, operation: str) -> None:
        row = required(case, operation)
        with (
            case.expect_no_request(f"{operation} of the root"),
            case.expect_raises(InvalidPath, path="", what=f"{operation} of the root"),
        ):
            row.run(case.backend, "", case.path("other"))

    @pytest.mark.parametrize("missing_ok", [False, True])
    @pytest.mark.parametrize("recursive", [False, True])
    @check("PATH-009", needs=(WRITE,))
    def test_path_root_cannot_be_deleted(self, case: Case, recursive: bool, missing_ok: bool) -> None:
        with case.isolated() as alone:
            alone.backend.write("folder/file", b"kept")
            with (
                case.expect_no_request("delete_folder of the root"),
                case.expect_raises(InvalidPath, path="", what="delete_folder of the root"),
            ):
                alone.backend.delete_folder("", recursive=recursive, missing_ok=missing_ok)
            case.expect_equal(alone.backend.is_file("folder/file"), True, "is_file after the refusal")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-010")
    def test_path_foreign_key_is_read(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        case.expect_equal(case.backend.read_bytes(path), content, "read_bytes of a foreign key")
        case.expect_equal(case.backend.read_range(path, 1, 2), content[1:3], "read_range of a foreign key")
        with case.backend.read(path) as stream:
            case.expect_equal(stream.read(), content, "read of a foreign key")
        case.expect_equal(case.backend.is_file(path), True, "is_file of a foreign key")
        case.expect_equal(case.backend.exists(path), True, "exists of a foreign key")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-010", needs=(Capability.METADATA,))
    def test_path_foreign_key_is_described(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        info = case.backend.get_file_info(path)
        case.expect_equal(str(info.path), path, "the path in get_file_info")
        case.expect_equal(info.size, len(content), "the size in get_file_info")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-011", needs=(READ,))
    def test_path_foreign_key_is_listed_once(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        entries = [entry for entry in case.backend.list_files(case.folder, recursive=True)]
        case.expect_equal([str(entry.path) for entry in entries], [path], "every file that is listed")
        observed = case.backend.read_bytes(entries[0].path)
        case.expect_equal(observed, content, "the content under the listed path")

    @check("PATH-011")
    def test_path_foreign_keys_hide_nothing(self, case: Case) -> None:
        require_foreign(case)
        paths = {case.path(key) for key in (*FOREIGN_KEYS.values(), "a/b", "lead", "up", "x/y", "a/c")}
        for path in paths:
            place(case, path, b"content")
        entries = [str(entry.path) for entry in case.backend.list_files(case.folder, recursive=True)]
        case.expect_same(entries, paths, "every file that is listed")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-012")
    def test_path_foreign_key_is_copied(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        copy = case.path("canonical-copy")
        case.backend.copy(path, copy)
        case.expect_equal(case.oracle.raw_get(copy), content, "the copy of a foreign key")
        case.expect_equal(case.oracle.raw_get(path), content, "the foreign key after it was copied")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-013")
    def test_path_foreign_key_is_moved(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        neighbour = tidy(path)
        if neighbour != path:
            place(case, neighbour, b"tidy")
        moved = case.path("canonical-copy")
        case.backend.move(path, moved)
        case.expect_equal(case.oracle.raw_get(moved), content, "the moved foreign key")
        case.expect_equal(case.oracle.raw_get(path), None, "the foreign key after it was moved")
        if neighbour != path:
            case.expect_equal(case.oracle.raw_get(neighbour), b"tidy", "the neighbour with the normalised name")

    @pytest.mark.parametrize("key", FOREIGN)
    @check("PATH-014")
    def test_path_foreign_key_is_deleted(self, case: Case, key: str) -> None:
        path, content = foreign(case, key)
        neighbours = {tidy(path), case.path("other")} - {path}
        for neighbour in neighbours:
            place(case, neighbour, content)
        case.backend.delete(path)
        case.expect_same(case.oracle.raw_list(case.folder + "/"), neighbours, "every key that is left")

    @pytest.mark.parametrize("key", ROOT_KEYS)
    @check("PATH-015", needs=(READ, Capability.DELETE))
    def test_path_foreign_key_below_the_root(self, case: Case, key: str) -> None:
        require_foreign(case)
        with case.isolated() as alone:
            path = ROOT_KEYS[key]
            place(alone, path, b"strange")
            place(alone, "plain", b"plain")
            entries = [str(entry.path) for entry in alone.backend.list_files("", recursive=True)]
            case.expect_same(entries, [path, "plain"], "every file below the root")
            case.expect_equal(alone.backend.read_bytes(path), b"strange", "the content of the strange key")
            alone.backend.delete(path)
            case.expect_equal(alone.oracle.raw_list(), ["plain"], "every key after the strange one was deleted")

    @check("PATH-016", needs=(WRITE,))
    def test_path_prefix_is_nothing(self, case: Case) -> None:
        case.backend.write(case.path("dir2/file2"), b"x")
        for name in ("dir", "di", "dir2/file", "dir2/fil", "dir2/file22", "dir22", "dir2/file2/below"):
            observed = [
                case.backend.exists(case.path(name)),
                case.backend.is_file(case.path(name)),
                case.backend.is_folder(case.path(name)),
            ]
            case.expect_equal(observed, [False, False, False], f"exists, is_file, is_folder of {name!r}")

    @check("PATH-017", needs=(WRITE,))
    def test_path_of_a_folder_may_end_in_a_slash(self, case: Case) -> None:
        case.backend.write(case.path("folder/file"), b"x")
        case.expect_equal(case.backend.is_folder(case.path("folder")), True, "is_folder without a slash")
        case.expect_equal(case.backend.is_folder(case.path("folder/")), True, "is_folder with a slash")
        case.expect_equal(case.backend.exists(case.path("folder/")), True, "exists with a slash")
        case.expect_equal(case.backend.is_file(case.path("folder/")), False, "is_file with a slash")

    @check("PATH-017", needs=(WRITE,))
    def test_path_of_a_file_with_a_slash(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"x")
        path = case.path("file/")
        case.expect_equal(case.backend.is_file(path), False, "is_file of a file's path with a slash")
        case.expect_equal(case.backend.is_folder(path), False, "is_folder of a file's path with a slash")
        case.expect_equal(case.backend.exists(path), False, "exists of a file's path with a slash")

    @pytest.mark.parametrize("operation", FILE_USAGES)
    @check("PATH-017", needs=(WRITE,))
    def test_path_of_a_file_with_a_slash_is_no_file(self, case: Case, operation: str) -> None:
        row, path = required(case, operation), case.path("file")
        case.backend.write(path, b"x")
        with case.expect_raises((NotFound, InvalidPath), what=f"{operation} of a file's path with a slash"):
            row.run(case.backend, path + "/", case.path("other"))
        case.expect_equal(case.backend.is_file(path), True, "is_file of the file")

    @pytest.mark.parametrize("first, second", [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c"), ("a/b/c", "a/b")])
    @check("PATH-018", needs=(READ, WRITE))
    def test_path_file_beside_folder(self, case: Case, first: str, second: str) -> None:
        case.require_profile(
            "a file as an ancestor is refused", not case.profile.rejects_file_ancestor or len(first) > len(second)
        )
        case.backend.write(case.path(first), b"first")
        if case.profile.flat:
            case.backend.write(case.path(second), b"second")
            case.expect_equal(case.backend.read_bytes(case.path(second)), b"second", "the second file")
        else:
            path = case.path(second)
            with case.expect_raises(InvalidPath, path=path, what=f"writing {second!r} beside {first!r}"):
                case.backend.write(path, b"second", overwrite=True)
        case.expect_equal(case.backend.read_bytes(case.path(first)), b"first", "the first file")

    @pytest.mark.parametrize("below", ["a/b", "a/b/c/d"])
    @pytest.mark.parametrize("operation", WRITE_USAGES)
    @check("PATH-019", needs=(READ, WRITE))
    def test_path_below_a_file(self, case: Case, operation: str, below: str) -> None:
        refused = case.profile.rejects_file_ancestor or not case.profile.flat
        case.require_profile("a file may stand above files", refused)
        row, path, source = required(case, operation), case.path(below), case.path("source")
        case.backend.write(case.path("a"), b"ancestor")
        case.backend.write(source, DATA)
        with case.expect_raises(InvalidPath, path=path, what=f"{operation} below a file"):
            row.run(case.backend, path, source)
        case.expect_equal(case.backend.read_bytes(case.path("a")), b"ancestor", "the ancestor")
        case.expect_equal(case.backend.read_bytes(source), DATA, "the source")


def require_foreign(case: Case) -> None:
    """Skip the check unless the storage can hold keys that no backend writes."""
    case.require_profile("the storage holds canonical keys only", case.profile.foreign_keys)


def place(case: Case, path: str, content: bytes) -> None:
    """Store a key as another tool would."""
    case.oracle.raw_put(path, content)


def foreign(case: Case, key: str) -> tuple[str, bytes]:
    """Store one of the foreign keys; return its path and its content."""
    if key in FOREIGN_KEYS:
        require_foreign(case)
    path, content = case.path(FOREIGN[key]), f"content of {key}".encode()
    place(case, path, content)
    return path, content


def tidy(path: str) -> str:
    """The path after normalisation, as some tools do it."""
    return "/".join(segment for segment in path.split("/") if segment not in ("", ".", ".."))
