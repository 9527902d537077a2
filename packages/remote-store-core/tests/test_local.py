from __future__ import annotations

import errno
import io
import os
import pickle
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    FolderEntry,
    InvalidPath,
    LocalBackend,
    NotFound,
)
from remote_store.core.local import folder, unfinished
from remote_store.core.local.names import UNFINISHED


class Caller(Exception):
    pass


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def backend(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    monkeypatch.setattr(folder, "BY_DESCRIPTOR", request.param)
    (tmp_path / "root").mkdir()
    return LocalBackend(tmp_path / "root")


@pytest.fixture
def root(backend: LocalBackend) -> Path:
    return backend.unwrap(Path)


def paths(listing: Any) -> list[str]:
    return sorted(entry.path for entry in listing)


def on_disk(root: Path) -> list[str]:
    """Every name below the root."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_wrong_argument_is_refused_by_name(tmp_path: Path) -> None:
    wrong: Any
    for wrong in (None, 3, b"root"):
        with pytest.raises(TypeError, match="root must be a str or a path"):
            LocalBackend(wrong)
    for wrong in ("false", 1, None):
        with pytest.raises(TypeError, match="create must be True or False"):
            LocalBackend(tmp_path, create=wrong)


def test_a_listing_that_was_not_begun_ends_with_its_backend(backend: LocalBackend) -> None:
    backend.write("d/a", b"1")
    listings: list[Any] = [
        backend.list_files("", recursive=True),
        backend.list_folders(""),
        backend.iter_children("d"),
        backend.glob("**"),
    ]
    backend.close()
    for listing in listings:
        with pytest.raises(BackendUnavailable, match="the backend is closed"):
            next(listing)


def test_the_constructor_touches_nothing(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "absent", create=True)
    assert on_disk(tmp_path) == []
    backend.check_health()
    backend.write("d/a", b"1")
    assert (tmp_path / "absent/d/a").read_bytes() == b"1"


def test_an_absent_root_is_read_as_empty_and_never_made(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "absent")
    assert (backend.exists(""), backend.exists("a"), paths(backend.list_files(""))) == (True, False, [])
    backend.delete("a", missing_ok=True)
    for call in (lambda: backend.write("a", b""), backend.check_health, lambda: backend.read("a")):
        with pytest.raises(NotFound):
            call()
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("kind", ["file", "dangling", "loop"])
def test_a_root_that_cannot_be_made_is_not_found(tmp_path: Path, kind: str, create: bool) -> None:
    root = tmp_path / "root"
    if kind == "file":
        root.write_bytes(b"1")
    else:
        root.symlink_to("root" if kind == "loop" else "nothing")
    backend = LocalBackend(root, create=create)
    for call in (lambda: backend.write("a", b""), backend.check_health):
        with pytest.raises((NotFound, InvalidPath)):
            call()
    assert on_disk(tmp_path) == ["root"]


def test_a_file_as_root_is_unhealthy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFound):
        LocalBackend(tmp_path / "file").check_health()


@pytest.mark.parametrize("root, error", [("", ValueError), (b"x", TypeError), (None, TypeError)])
def test_what_is_no_root(root: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        LocalBackend(root)


def test_facts_of_a_write_and_of_the_file_agree(backend: LocalBackend) -> None:
    result = backend.write("d/a.txt", io.BytesIO(b"hello"))
    info = backend.get_file_info("d/a.txt")
    assert (result.size, result.etag) == (info.size, info.etag) == (5, info.etag)
    assert info.name == "a.txt"
    assert info.modified_at is not None
    assert info.modified_at.utcoffset() is not None
    assert list(backend.list_files("d")) == [replace(info, metadata=None)]
    assert backend.write("d/a.txt", b"HELLO", overwrite=True).etag != result.etag


def test_new_files_obey_the_umask(backend: LocalBackend, root: Path) -> None:
    backend.write("a", b"")
    (root / "plain").touch()
    assert stat.S_IMODE((root / "a").stat().st_mode) == stat.S_IMODE((root / "plain").stat().st_mode)


def test_names_are_kept_byte_for_byte(backend: LocalBackend) -> None:
    names = {"back\\slash", "new\nline\n", "*?[a]", "%2F", " space ", "é", "e\u0301", "-rf", "...", "tab\t", "~", "C:"}
    for name in names:
        backend.write(f"d/{name}", name.encode())
    assert {entry.name for entry in backend.iter_children("d")} == names
    assert all(backend.read_bytes(f"d/{name}") == name.encode() for name in names)
    backend.delete("d/*?[a]")
    assert backend.get_folder_info("d").file_count == len(names) - 1


@pytest.mark.parametrize("path", ["", "a//b", "/a", "a/", "./a", "../a", "a/../../b", "nul\0"])
def test_what_is_not_canonical_is_not_written(backend: LocalBackend, root: Path, path: str) -> None:
    backend.write("source", b"")
    with pytest.raises(InvalidPath):
        backend.write(path, b"")
    with pytest.raises(InvalidPath):
        backend.move("source", path)
    assert on_disk(root.parent) == ["root", "root/source"]


@pytest.mark.parametrize("path", ["d//a", "/d/a", "d/./a", "d/../d/a", "../root/d/a", "d/a/", "./d/a"])
def test_what_the_system_would_rewrite_does_not_exist(backend: LocalBackend, path: str) -> None:
    backend.write("d/a", b"1")
    assert (backend.exists(path), backend.is_file(path), backend.is_folder(path)) == (False, False, False)
    assert paths(backend.list_files(path)) == []
    for operation in (backend.read, backend.get_file_info, backend.delete):
        with pytest.raises(NotFound):
            operation(path)
    assert backend.exists("d/a")


def test_a_folder_may_end_in_a_slash(backend: LocalBackend) -> None:
    backend.write("d/a", b"")
    assert (backend.is_folder("d/"), paths(backend.list_files("d/"))) == (True, ["d/a"])
    with pytest.raises(InvalidPath):
        backend.read("d/")
    backend.delete_folder("d/", recursive=True)
    assert not backend.exists("d")


def test_a_name_is_a_file_or_a_folder(backend: LocalBackend, root: Path) -> None:
    backend.write("f", b"1")
    backend.write("d/a", b"2")
    for overwrite in (False, True):
        for path in ("d", "f/x", "f/x/y"):
            with pytest.raises(InvalidPath):
                backend.write(path, b"3", overwrite=overwrite)
            with pytest.raises(InvalidPath):
                backend.copy("f", path, overwrite=overwrite)
            with pytest.raises(InvalidPath):
                backend.move("f", path, overwrite=overwrite)
    assert on_disk(root) == ["d", "d/a", "f"]
    assert (backend.exists("f/x"), backend.is_file("f/x")) == (False, False)
    with pytest.raises(NotFound):
        backend.read("f/x")


def test_wrong_kinds_outrank_missing_ok(backend: LocalBackend) -> None:
    backend.write("d/a", b"")
    with pytest.raises(InvalidPath):
        backend.delete("d", missing_ok=True)
    for path in ("d/a", "d/a/", ""):
        with pytest.raises(InvalidPath):
            backend.delete_folder(path, recursive=True, missing_ok=True)
    with pytest.raises(InvalidPath):
        backend.get_folder_info("d/a")


def test_a_folder_vanishes_with_its_last_file(backend: LocalBackend, root: Path) -> None:
    backend.write("d/e/f/a", b"")
    backend.write("d/b", b"")
    backend.delete("d/e/f/a")
    assert on_disk(root) == ["d", "d/b"]
    backend.move("d/b", "x/y")
    assert on_disk(root) == ["x", "x/y"]
    backend.delete_folder("x", recursive=True)
    assert on_disk(root) == []
    assert root.is_dir()


def test_a_failed_write_leaves_nothing(backend: LocalBackend, root: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise error
            return super().read(1)

    error = OSError(errno.ENOENT, "the caller's own")
    stream = Failing(b"12345")
    with pytest.raises(OSError, match="own") as raised:
        backend.write("d/e/a", stream)
    assert raised.value is error
    assert not stream.closed
    with pytest.raises(Caller), backend.open_atomic("d/a") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"12")
        raise Caller
    assert on_disk(root) == []


def test_open_atomic_commits_on_a_clean_exit(backend: LocalBackend, root: Path) -> None:
    with backend.open_atomic("d/a") as file:
        file.write(b"12")
        assert not backend.exists("d/a")
    with backend.open_atomic("b") as file:
        file.write(b"34")
        file.close()
    assert (backend.read_bytes("d/a"), backend.read_bytes("b")) == (b"12", b"34")
    with pytest.raises(AlreadyExists), backend.open_atomic("c") as file:
        backend.write("c", b"theirs")
    assert backend.read_bytes("c") == b"theirs"
    assert on_disk(root) == ["b", "c", "d", "d/a"]


def test_an_open_reader_keeps_its_version(backend: LocalBackend) -> None:
    backend.write("a", b"old" * 100_000)
    with backend.read("a") as file:
        first = file.read(3)
        backend.write("a", b"new" * 100_000, overwrite=True)
        assert first + file.read() == b"old" * 100_000


def test_ranges(backend: LocalBackend) -> None:
    backend.write("a", b"012345")
    ranges = [(0, 2), (4, 10), (6, 1), (100, 1), (2, 0), (1, 1 << 70), (1 << 70, 1)]
    assert [backend.read_range("a", *span) for span in ranges] == [b"01", b"45", b"", b"", b"", b"12345", b""]


def test_copy_and_move(backend: LocalBackend, root: Path) -> None:
    backend.write("a", b"1")
    backend.copy("a", "d/b")
    backend.move("a", "d/e/c")
    assert on_disk(root) == ["d", "d/b", "d/e", "d/e/c"]
    for operation in (backend.copy, backend.move):
        with pytest.raises(AlreadyExists) as raised:
            operation("d/b", "d/e/c")
        assert raised.value.path == "d/e/c"
        with pytest.raises(NotFound) as missing:
            operation("missing", "new/x")
        assert missing.value.path == "missing"
        operation("d/b", "d/b")
    backend.move("d/b", "d/e/c", overwrite=True)
    assert on_disk(root) == ["d", "d/e", "d/e/c"]


def test_listings(backend: LocalBackend) -> None:
    for key in ("a", "d/b", "d/e/c", "d/e/f/g", "d2/h"):
        backend.write(key, b"1")
    assert paths(backend.list_files("d", recursive=True, max_depth=1)) == ["d/b", "d/e/c"]
    assert paths(backend.list_files("", recursive=True)) == ["a", "d/b", "d/e/c", "d/e/f/g", "d2/h"]
    assert paths(backend.list_files("d", max_depth=5)) == ["d/b"]
    assert sorted(backend.list_folders(""), key=str) == [FolderEntry("d", "d"), FolderEntry("d2", "d2")]
    assert paths(backend.iter_children("d")) == ["d/b", "d/e"]
    assert paths(backend.glob("**/[cg]")) == ["d/e/c", "d/e/f/g"]
    assert (backend.get_folder_info("d").file_count, backend.get_folder_info("").total_size) == (3, 5)
    assert paths(backend.list_files("missing")) == paths(backend.list_files("a")) == []
    with pytest.raises(ValueError, match="max_depth"):
        backend.list_files("", max_depth=-1)


def test_a_listing_is_lazy_and_survives_deletes(backend: LocalBackend) -> None:
    for number in range(20):
        backend.write(f"d{number}/a", b"")
    listing = backend.list_files("", recursive=True)
    seen = [next(listing).path]
    for number in range(20):
        if f"d{number}/a" not in seen:
            backend.delete(f"d{number}/a")
    assert [file.path for file in listing] == []


def test_unfinished_writes_are_not_there(backend: LocalBackend, root: Path) -> None:
    with backend.open_atomic("a") as file:
        file.write(b"1")
        assert [name.startswith(f"{UNFINISHED}-") for name in on_disk(root)] == [True]
        assert paths(backend.iter_children("")) == []
        assert backend.get_folder_info("").file_count == 0
    for operation in (backend.read, backend.exists, backend.delete_folder):
        with pytest.raises(InvalidPath):
            operation(UNFINISHED)
    with pytest.raises(InvalidPath):
        backend.write(f"{UNFINISHED}/a", b"")


def test_a_root_that_is_itself_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    backend = LocalBackend(tmp_path / "link")
    backend.write("d/a", b"1")
    assert paths(backend.list_files("", recursive=True)) == ["d/a"]
    backend.delete("d/a")
    assert on_disk(tmp_path / "real") == []


def test_what_is_no_regular_file_is_none(backend: LocalBackend, root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert (backend.exists("pipe"), paths(backend.iter_children(""))) == (False, [])
    for call in (lambda: backend.read("pipe"), lambda: backend.write("pipe", b"", overwrite=True)):
        with pytest.raises(InvalidPath):
            call()


@pytest.mark.parametrize("path", ["x" * 256, "é" * 200, "/".join(["d" * 200] * 30)])
def test_names_that_the_system_refuses(backend: LocalBackend, root: Path, path: str) -> None:
    for operation in (backend.exists, backend.read, lambda path: backend.write(path, b"")):
        with pytest.raises(InvalidPath) as raised:
            operation(path)
        assert isinstance(raised.value.__cause__, OSError)
    assert on_disk(root) == []


def test_deleting_a_folder(backend: LocalBackend, root: Path) -> None:
    backend.write("d/a", b"")
    (root / "empty").mkdir()
    with pytest.raises(DirectoryNotEmpty):
        backend.delete_folder("d")
    backend.delete_folder("empty")
    with pytest.raises(NotFound):
        backend.delete_folder("empty")
    backend.delete_folder("empty", missing_ok=True)
    assert on_disk(root) == ["d", "d/a"]


@pytest.mark.parametrize("one_step", [True, False])
def test_of_many_creators_one_wins(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch, one_step: bool) -> None:
    if not one_step:
        monkeypatch.setattr(unfinished, "C_LIBRARY", None)
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        start.wait(30)
        try:
            backend.write("d/a", bytes([number]) * 1000)
        except AlreadyExists:
            return False
        return True

    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(create, range(8)))
        assert won.count(True) == 1
        assert backend.read_bytes("d/a") == bytes([won.index(True)]) * 1000
        backend.delete("d/a")


def test_writing_where_folders_are_pruned_meanwhile(backend: LocalBackend, root: Path) -> None:
    def churn(number: int) -> None:
        for _ in range(200):
            backend.write(f"d/e/{number}", b"x")
            backend.delete(f"d/e/{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    assert on_disk(root) == []


def test_it_pickles(backend: LocalBackend) -> None:
    backend.write("a", b"1")
    assert pickle.loads(pickle.dumps(backend)).read_bytes("a") == b"1"


def test_closing_is_final(backend: LocalBackend) -> None:
    with backend:
        backend.write("a", b"")
    backend.close()
    for name in ("exists", "read", "delete", "list_files", "glob", "unwrap"):
        with pytest.raises(BackendUnavailable) as raised:
            getattr(backend, name)("a")
        assert not raised.value.retryable
    with pytest.raises(BackendUnavailable), backend:
        pytest.fail("the block is not entered")


def test_what_it_says_of_itself(backend: LocalBackend, root: Path) -> None:
    assert repr(backend) == f"LocalBackend({str(root)!r})"
    plan = backend.resolve("a/b")
    assert (plan.kind, plan.native_path, plan.details) == ("local", f"{root}/a/b", {"root": str(root)})
    assert [backend.to_key(backend.native_path(key)) for key in ("", "a", "a//b", "/a")] == ["", "a", "a//b", "/a"]
    for path in (f"{root}2/a", "a", str(root.parent)):
        with pytest.raises(InvalidPath):
            backend.to_key(path)
    assert LocalBackend("/").native_path("a") == "/a"
    assert LocalBackend("/").to_key("/a") == "a"
    assert backend.unwrap(Path) == root
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(dict)


def test_a_root_that_another_writer_creates_at_the_same_moment_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, lexists = tmp_path / "new" / "root", os.path.lexists

    def late(path: str) -> bool:
        root.mkdir(parents=True, exist_ok=True)
        return lexists(path)

    monkeypatch.setattr("os.path.lexists", late)
    LocalBackend(root, create=True).write("a.txt", b"1")
    assert (root / "a.txt").read_bytes() == b"1"
