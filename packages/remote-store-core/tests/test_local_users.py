"""Local files of several users."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_store.core import LocalBackend
from remote_store.core.local import folder

OLD = b"old"


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def backend(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    monkeypatch.setattr(folder, "BY_DESCRIPTOR", request.param)
    (tmp_path / "root").mkdir()
    return LocalBackend(tmp_path / "root")


@pytest.fixture
def root(backend: LocalBackend) -> Path:
    return backend.unwrap(Path)


def on_disk(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


AS_USER = """
import os, sys, encodings.idna
from remote_store.core import LocalBackend
root, user, key, content = sys.argv[1:]
backend = LocalBackend(root)
if os.getuid() == 0:
    os.setgroups([]); os.setgid(54321); os.setuid(int(user))
os.umask(0o022)
try:
    backend.check_health()
    backend.write(key, content.encode(), overwrite=True)
    print("ok", backend.read_bytes(key).decode())
except Exception as error:
    print(type(error).__name__)
"""


def as_user(root: Path, user: int, key: str, content: str = "x") -> str:
    run = subprocess.run([sys.executable, "-c", AS_USER, root, str(user), key, content], capture_output=True, text=True)
    return run.stdout.strip() + run.stderr


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody can reach; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="shared-") as above:
        Path(above).chmod(0o755)
        (Path(above) / "shared").mkdir()
        yield Path(above) / "shared"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")
def test_several_users_share_a_folder(shared: Path) -> None:
    os.chown(shared, 0, 54321)
    shared.chmod(0o2775)
    assert as_user(shared, 40001, "a", "1") == "ok 1"
    assert as_user(shared, 40002, "b", "2") == "ok 2"
    assert as_user(shared, 40002, "a", "3") == "ok 3"
    assert ((shared / "a").stat().st_gid, mode(shared / "a")) == (54321, 0o644)
    assert on_disk(shared) == ["a", "b"]


def test_a_folder_of_mine_below_a_root_that_is_not(shared: Path) -> None:
    (shared / "mine").mkdir()
    if os.getuid() == 0:
        os.chown(shared / "mine", 40001, 54321)
    shared.chmod(0o555)
    try:
        assert as_user(shared, 40001, "mine/a") == "ok x"
        assert as_user(shared, 40001, "other") == "PermissionDenied"
    finally:
        shared.chmod(0o755)
    assert on_disk(shared) == ["mine", "mine/a"]


REFUSED = """
import os, sys
from remote_store.core import LocalBackend, RemoteStoreError
backend = LocalBackend(sys.argv[1])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(54321); os.setuid(40001)
backend.write("mine", b"1")
os.symlink("private/f", sys.argv[1] + "/link")

def opened(path):
    with backend.open_atomic(path, overwrite=True) as file:
        file.write(b"x")

calls = {
    "exists": backend.exists, "is_file": backend.is_file, "is_folder": backend.is_folder, "read": backend.read,
    "read_bytes": backend.read_bytes, "read_range": lambda path: backend.read_range(path, 0, 1),
    "get_file_info": backend.get_file_info, "write": lambda path: backend.write(path, b"x", overwrite=True),
    "create": lambda path: backend.write(path + "new", b"x"), "open_atomic": opened, "delete": backend.delete,
    "copy from": lambda path: backend.copy(path, "mine", overwrite=True),
    "copy to": lambda path: backend.copy("mine", path, overwrite=True),
    "move from": lambda path: backend.move(path, "moved"),
    "move to": lambda path: backend.move("mine", path, overwrite=True),
    "delete_folder": lambda path: backend.delete_folder(path.rpartition("/")[0] or "link", recursive=True),
    "list_files": lambda path: list(backend.list_files(path.rpartition("/")[0], recursive=True)),
    "get_folder_info": lambda path: backend.get_folder_info(path.rpartition("/")[0]),
}
for path in ("private/f", "readonly/f", "link"):
    for name, call in calls.items():
        try:
            call(path)
            print(path, name, "ok", sep=":")
        except RemoteStoreError as error:
            print(path, name, type(error).__name__, sep=":")
"""


def test_every_operation_on_folders_of_others_is_refused_by_name(shared: Path) -> None:
    for name in ("private", "readonly"):
        (shared / name).mkdir()
        (shared / name / "f").write_bytes(OLD)
    (shared / "private").chmod(0o700 if os.getuid() == 0 else 0o000)
    (shared / "readonly").chmod(0o555)
    shared.chmod(0o777)
    try:
        run = subprocess.run([sys.executable, "-c", REFUSED, shared], capture_output=True, text=True)
    finally:
        (shared / "private").chmod(0o700)
        (shared / "readonly").chmod(0o755)
    assert run.stderr == ""
    said = {(path, name): how for path, name, how in (line.split(":") for line in run.stdout.splitlines())}
    reads = {"exists", "is_file", "is_folder", "read", "read_bytes", "read_range", "get_file_info", "copy from"}
    reads |= {"list_files", "get_folder_info"}
    for (path, name), how in said.items():
        allowed = (path == "readonly/f" and name in reads) or (path, name) == ("link", "create")
        expected = {"ok"} if allowed else {"PermissionDenied", "RemoteStoreError"}
        assert how in expected, (path, name)
    assert len(said) == 54
    assert (shared / "private/f").read_bytes() == (shared / "readonly/f").read_bytes() == OLD


def test_a_root_that_cannot_be_reached_is_not_called_absent(shared: Path) -> None:
    (shared / "private/root").mkdir(parents=True)
    (shared / "private").chmod(0o700 if os.getuid() == 0 else 0o000)
    try:
        assert as_user(shared / "private/root", 40001, "a") == "PermissionDenied"
    finally:
        (shared / "private").chmod(0o700)


def test_a_folder_that_can_be_entered_and_not_listed(shared: Path) -> None:
    (shared / "dark").mkdir()
    if os.getuid() == 0:
        os.chown(shared / "dark", 40001, 54321)
    (shared / "dark").chmod(0o300)
    shared.chmod(0o555)
    try:
        assert as_user(shared, 40001, "dark/a") == "ok x"
        assert as_user(shared, 40001, "dark/a", "again") == "ok again"
    finally:
        shared.chmod(0o755)
        (shared / "dark").chmod(0o700)
    assert on_disk(shared) == ["dark", "dark/a"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_service_that_overwrites_leaves_the_owner(backend: LocalBackend, root: Path) -> None:
    (root / "a").write_bytes(OLD)
    os.chown(root / "a", 40001, 54321)
    (root / "a").chmod(0o600)
    backend.write("a", b"new", overwrite=True)
    facts = (root / "a").stat()
    assert (facts.st_uid, facts.st_gid, mode(root / "a")) == (40001, 54321, 0o600)
