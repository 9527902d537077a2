"""How local files come to be: modes, the way to the disk, a full disk, a crash, and several users."""

from __future__ import annotations

import errno
import io
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    Capability,
    DirectoryNotEmpty,
    InvalidPath,
    LocalBackend,
    NotFound,
    PreconditionFailed,
    Store,
    ThreadedBackend,
)
from remote_store.core.files import replacing
from remote_store.core.local import folder, names, unfinished
from remote_store.core.local.folder import Folder
from remote_store.core.local.names import UNFINISHED
from remote_store.core.local.system import TypedFile

OLD = b"old"
Write = Callable[[LocalBackend, str], None]


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def backend(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    monkeypatch.setattr(folder, "BY_DESCRIPTOR", request.param)
    (tmp_path / "root").mkdir()
    return LocalBackend(tmp_path / "root")


@pytest.fixture
def root(backend: LocalBackend) -> Path:
    return backend.unwrap(Path)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def on_disk(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_open(backend: LocalBackend, path: str) -> None:
    with backend.open_atomic(path, overwrite=True) as file:
        file.write(b"new")


def copy(backend: LocalBackend, path: str) -> None:
    backend.delete("source", missing_ok=True)
    backend.write("source", b"new")
    backend.copy("source", path, overwrite=True)


def download(backend: LocalBackend, path: str) -> None:
    with replacing(backend.native_path(path), overwrite=True) as file:
        file.write(b"new")


WRITES: dict[str, Write] = {
    "write": lambda backend, path: backend.write(path, b"new", overwrite=True) and None,
    "stream": lambda backend, path: backend.write(path, io.BytesIO(b"new"), overwrite=True) and None,
    "open_atomic": write_open,
    "copy": copy,
    "download": download,
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_new_file_follows_the_umask_and_an_old_one_keeps_its_mode(
    backend: LocalBackend, root: Path, write: Write
) -> None:
    for mask in (0o022, 0o077, 0o002):
        with umask(mask):
            write(backend, f"new{mask}")
            assert mode(root / f"new{mask}") == 0o666 & ~mask
    for kept in (0o600, 0o755, 0o444, 0o664):
        (root / "old").write_bytes(OLD)
        (root / "old").chmod(kept)
        with umask(0o022):
            write(backend, "old")
        assert (mode(root / "old"), (root / "old").read_bytes()) == (kept, b"new")
        (root / "old").chmod(0o600)


def test_a_copy_has_the_mode_of_its_source_and_a_move_keeps_it(backend: LocalBackend, root: Path) -> None:
    for kept in (0o600, 0o755, 0o640):
        (root / "a").write_bytes(OLD)
        (root / "a").chmod(kept)
        with umask(0o022):
            backend.copy("a", "d/copy")
            backend.move("a", "d/moved")
        assert (mode(root / "d/copy"), mode(root / "d/moved")) == (kept, kept)
        backend.delete_folder("d", recursive=True)


@pytest.mark.parametrize("old", [True, False])
def test_what_is_not_finished_is_nobody_elses(backend: LocalBackend, root: Path, tmp_path: Path, old: bool) -> None:
    (root / "d").mkdir()
    if old:
        (root / "d/a").write_bytes(OLD)
    with umask(0), backend.open_atomic("d/a", overwrite=True) as file, replacing(root / "e", overwrite=True) as other:
        file.write(b"new")
        other.write(b"new")
        for place in (root, root / "d"):
            hidden = [path for path in place.iterdir() if path.name.startswith(UNFINISHED)]
            assert [mode(path) for path in hidden] == [0o600]
        with pytest.raises(InvalidPath):
            backend.read(f"d/{hidden[0].name}")
        assert [info.path for info in backend.list_files("", recursive=True)] == (["d/a"] if old else [])
    assert on_disk(root) == ["d", "d/a", "e"]


@pytest.mark.parametrize("trick", ["removed", "replaced", "linked", "folder deleted"])
def test_an_unfinished_file_that_somebody_takes_is_written_anew(
    tmp_path: Path, trick: str, backend: LocalBackend, root: Path
) -> None:
    (tmp_path / "outside").write_bytes(OLD)
    backend.write("d/b", b"")
    with backend.open_atomic("d/a") as file:
        file.write(b"x" * 3_000_000)
        hidden = next(path for path in (root / "d").iterdir() if path.name.startswith(UNFINISHED))
        if trick == "folder deleted":
            backend.delete_folder("d", recursive=True)
            assert not (root / "d").exists()
        else:
            hidden.unlink()
        if trick == "replaced":
            hidden.write_bytes(b"theirs")
        if trick == "linked":
            hidden.symlink_to(tmp_path / "outside")
    assert backend.read_bytes("d/a") == b"x" * 3_000_000
    assert (tmp_path / "outside").read_bytes() == OLD
    assert [info.path for info in backend.list_files("", recursive=True) if info.path != "d/b"] == ["d/a"]


def test_a_file_is_on_the_disk_before_its_name_and_the_name_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, object]] = []
    sync, rename_new, replace = os.fsync, unfinished.rename_new, Folder.replace

    def syncing(descriptor: int) -> None:
        facts = os.fstat(descriptor)
        done.append(("folder" if stat.S_ISDIR(facts.st_mode) else "file", facts.st_ino))
        sync(descriptor)

    def renaming(*arguments: Any) -> bool:
        done.append(("name", None))
        return rename_new(*arguments)

    def replacing_(*arguments: Any) -> None:
        done.append(("name", None))
        replace(*arguments)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(unfinished, "rename_new", renaming)
    monkeypatch.setattr("remote_store.core.local.backend.rename_new", renaming)
    monkeypatch.setattr(Folder, "replace", replacing_)
    backend = LocalBackend(tmp_path / "new/root", create=True)

    def inodes(*paths: str) -> list[int]:
        return [(tmp_path / path).stat().st_ino for path in paths]

    backend.write("d/e/a", b"1")
    assert [what for what, _ in done] == ["folder"] * 4 + ["file", "name", "folder"]
    above = inodes(".", "new", "new/root", "new/root/d", "new/root/d/e", "new/root/d/e/a")
    assert {inode for _, inode in done if inode} == set(above)
    assert (done[-3][1], done[-1][1]) == (above[-1], above[-2])
    for call in (
        lambda: backend.write("d/e/a", b"2", overwrite=True),
        lambda: write_open(backend, "d/e/a"),
        lambda: backend.copy("d/e/a", "d/e/b"),
    ):
        done.clear()
        call()
        assert [what for what, _ in done] == ["file", "name", "folder"]
        assert done[-1][1] == above[-2]
    done.clear()
    backend.move("d/e/b", "d/b")
    assert [what for what, _ in done] == ["name", "folder", "folder"]
    assert [inode for _, inode in done[1:]] == inodes("new/root/d", "new/root/d/e")


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that can neither link nor rename without replacing."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(unfinished, "C_LIBRARY", None)


@pytest.mark.usefixtures("no_links")
def test_a_file_system_that_cannot_create_in_one_step_is_declared(backend: LocalBackend, root: Path) -> None:
    assert Capability.ATOMIC_CREATE in backend.capabilities
    backend.write("d/a", b"1")
    assert backend.capabilities == LocalBackend.capabilities - {Capability.ATOMIC_CREATE}
    for create in (
        lambda: backend.write("d/a", b"2"),
        lambda: backend.copy("d/a", "d/a2") or backend.copy("d/a", "d/a2"),
        lambda: backend.move("d/a2", "d/a"),
    ):
        with pytest.raises(AlreadyExists):
            create()
    backend.move("d/a2", "d/b")
    assert (backend.read_bytes("d/a"), backend.read_bytes("d/b")) == (b"1", b"1")
    assert on_disk(root) == ["d", "d/a", "d/b"]
    asked = LocalBackend(root)
    assert Capability.ATOMIC_CREATE in asked.capabilities
    asked.check_health()
    changed = root.stat().st_mtime_ns
    asked.check_health()
    assert root.stat().st_mtime_ns == changed
    assert Capability.ATOMIC_CREATE not in asked.capabilities
    assert Capability.ATOMIC_CREATE in LocalBackend.capabilities
    assert on_disk(root) == ["d", "d/a", "d/b"]


@pytest.mark.usefixtures("no_links")
async def test_a_thread_bridge_declares_what_its_backend_declares(tmp_path: Path) -> None:
    bridge = ThreadedBackend(LocalBackend(tmp_path))
    await bridge.check_health()
    assert bridge.capabilities == LocalBackend.capabilities - {Capability.ATOMIC_CREATE}


def test_a_usual_file_system_keeps_its_capabilities(backend: LocalBackend, root: Path) -> None:
    backend.check_health()
    backend.write("a", b"1")
    assert backend.capabilities == LocalBackend.capabilities
    assert on_disk(root) == ["a"]


def test_names_that_are_no_utf_8_are_listed_and_can_be_read(backend: LocalBackend, root: Path) -> None:
    (root / os.fsdecode(b"d\xff")).mkdir()
    (root / os.fsdecode(b"d\xff/b\xfe.txt")).write_bytes(b"1")
    backend.write("good", b"2")
    found = {info.path: info for info in backend.list_files("", recursive=True)}
    odd = "d\udcff/b\udcfe.txt"
    assert sorted(found) == sorted(["good", odd])
    assert (backend.read_bytes(odd), backend.get_file_info(odd).etag) == (b"1", found[odd].etag)
    assert (backend.exists(odd), backend.is_folder("d\udcff")) == (True, True)
    assert [entry.path for entry in backend.list_folders("")] == ["d\udcff"]
    assert [info.path for info in backend.glob("**/*.txt")] == [odd]
    store = Store(backend)
    row = next(iter(store.list_files("", recursive=True, pattern="*.txt")))
    assert store.read_bytes(row.path) == b"1"
    backend.copy(odd, "copy")
    for call in (lambda: backend.write(odd, b""), lambda: backend.copy("good", odd), lambda: backend.move("good", odd)):
        with pytest.raises(InvalidPath):
            call()
    for path in ("\ud800", "a\ud800b", "\udfff"):
        with pytest.raises(InvalidPath):
            backend.read(path)
    backend.move(odd, "moved")
    assert (backend.read_bytes("copy"), backend.read_bytes("moved")) == (b"1", b"1")
    assert on_disk(root) == ["copy", "good", "moved"]


def test_what_a_crash_leaves_is_hidden_and_goes_with_its_folder(backend: LocalBackend, root: Path) -> None:
    code = f"""
import os, signal
from remote_store.core import LocalBackend
with LocalBackend({str(root)!r}).open_atomic("d/a") as file:
    file.write(b"x" * 100_000)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    (root / "d").mkdir()
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert [path.startswith(f"d/{UNFINISHED}-") for path in on_disk(root) if path != "d"] == [True]
    assert [entry.path for entry in backend.iter_children("d")] == []
    assert backend.get_folder_info("").file_count == 0
    backend.write("d/b", b"")
    with pytest.raises(DirectoryNotEmpty):
        backend.delete_folder("d")
    (root / "d/b").unlink()
    backend.delete_folder("d")
    assert on_disk(root) == []


def test_a_tree_deeper_than_any_path_is_listed_read_and_deleted(tmp_path: Path) -> None:
    depth = 700
    (tmp_path / "d").mkdir()
    descriptor = os.open(tmp_path / "d", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deeper", dir_fd=descriptor)
        below = os.open("deeper", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(os.open("a", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 200), before[1]))
    try:
        backend = LocalBackend(tmp_path)
        rows = list(backend.list_files("", recursive=True))
        assert [row.path for row in rows] == ["d/" + "deeper/" * depth + "a"]
        assert backend.read_bytes(rows[0].path) == b""
        with pytest.raises(InvalidPath):
            backend.write(rows[0].path + "b", b"")
        backend.delete_folder("d", recursive=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert on_disk(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
def test_no_descriptor_stays_open(backend: LocalBackend, root: Path) -> None:
    def work() -> None:
        backend.write("d/e/a", b"1", overwrite=True)
        backend.read_bytes("d/e/a")
        next(iter(backend.list_files("", recursive=True)))
        list(backend.iter_children("loop/d"))
        backend.copy("d/e/a", "loop/d/f/b", overwrite=True)
        backend.move("d/f/b", "c", overwrite=True)
        backend.check_health()
        for call in (
            lambda: backend.read("out/a"),
            lambda: backend.read("d/e/missing"),
            lambda: backend.read("d"),
            lambda: backend.write("d/e/a/below", b""),
            lambda: backend.write("c", b""),
            lambda: backend.delete("out"),
            lambda: list(backend.list_files("out")),
        ):
            with pytest.raises((InvalidPath, NotFound, AlreadyExists)):
                call()

    (root / "loop").symlink_to(root)
    (root / "out").symlink_to("/")
    work()
    before = list(Path("/proc/self/fd").iterdir())
    work()
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_names_that_windows_would_rewrite(backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ["a\\b", "..\\a", "C:", "C:a", "a:stream", "nul", "NUL.txt", "com1", "a ", "a.", "a?", "a\n", "aux .c"]
    good = ["nul1", "company", "a.b", " a", "console", "é", "a'b"]
    assert [name for name in odd + good if names.is_rewritten_by_windows(name)] == odd
    monkeypatch.setattr(names, "WINDOWS", True)
    for name in odd:
        for path in (name, f"d/{name}", f"{name}/a"):
            assert not backend.exists(path)
            with pytest.raises(NotFound):
                backend.read(path)
            with pytest.raises(InvalidPath):
                backend.write(path, b"")
    assert on_disk(root) == []


def test_a_move_to_another_file_system_is_a_copy_and_a_delete(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(here: Folder, name: str, there: Folder, new: str) -> bool:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr("remote_store.core.local.backend.rename_new", elsewhere)
    (root / "d").mkdir()
    (root / "d/a").write_bytes(b"1")
    (root / "d/a").chmod(0o600)
    backend.move("d/a", "m/b")
    assert (on_disk(root), backend.read_bytes("m/b"), mode(root / "m/b")) == (["m", "m/b"], b"1", 0o600)


def test_a_move_to_another_file_system_keeps_a_source_that_changes_while_it_is_copied(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(here: Folder, name: str, there: Folder, new: str) -> bool:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    class Changing(TypedFile):
        def readinto(self, buffer: Any, /) -> int | None:
            count = super().readinto(buffer)
            if count:
                (root / "a").write_bytes(b"newer")
            return count

    (root / "a").write_bytes(b"old")
    os.utime(root / "a", (1, 1))
    monkeypatch.setattr("remote_store.core.local.backend.rename_new", elsewhere)
    monkeypatch.setattr("remote_store.core.local.base.TypedFile", Changing)
    with pytest.raises(PreconditionFailed, match="src is kept"):
        backend.move("a", "b")
    assert (root / "a").read_bytes() == b"newer"


def test_times_that_python_cannot_say_are_none(backend: LocalBackend, root: Path) -> None:
    backend.write("a", b"1")
    for seconds, said in ((-(10**9), 1938), (5 * 10**9, 2128), (10**10, 2286)):
        os.utime(root / "a", (seconds, seconds))
        modified_at = backend.get_file_info("a").modified_at
        assert modified_at is not None
        assert modified_at.year == said
