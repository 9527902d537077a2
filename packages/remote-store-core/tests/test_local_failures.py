"""What a full or failing disk does to local files."""

from __future__ import annotations

import errno
import io
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import InvalidPath, LocalBackend, NotFound, PermissionDenied, RemoteStoreError
from remote_store.core.local import folder
from remote_store.core.local.folder import Folder
from remote_store.core.local.system import os_errors

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


def write_open(backend: LocalBackend, path: str) -> None:
    with backend.open_atomic(path, overwrite=True) as file:
        file.write(b"new")


class Limited:
    """A largest size of files, which stands for a full disk."""

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


BIG = b"x" * 3_000_000


def write_big(backend: LocalBackend) -> None:
    with backend.open_atomic("a", overwrite=True) as file:
        file.write(BIG)


def swallow(backend: LocalBackend) -> None:
    with backend.open_atomic("a", overwrite=True) as file:
        try:
            file.write(BIG)
        except RemoteStoreError:
            file.write(b"and go on")


FILL: dict[str, Callable[[LocalBackend], object]] = {
    "bytes": lambda backend: backend.write("a", BIG, overwrite=True),
    "stream": lambda backend: backend.write("a", io.BytesIO(BIG), overwrite=True),
    "open_atomic": write_big,
    "swallowed": swallow,
    "copy": lambda backend: backend.copy("big", "a", overwrite=True),
}


@pytest.mark.parametrize("fill", FILL.values(), ids=FILL)
def test_a_full_disk_is_a_typed_error_and_the_old_file_stays(
    backend: LocalBackend, root: Path, fill: Callable[[LocalBackend], object]
) -> None:
    backend.write("a", OLD)
    backend.write("big", BIG)
    with pytest.raises(RemoteStoreError) as raised, Limited():
        fill(backend)
    assert (type(raised.value), raised.value.path) == (RemoteStoreError, "a")
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == errno.EFBIG
    assert backend.read_bytes("a") == OLD
    assert on_disk(root) == ["a", "big"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("write", ["write", "open_atomic", "copy"])
def test_no_space_left_says_what_to_do(
    backend: LocalBackend, root: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def opening(folder: Folder, name: str, flags: int, mode: int = 0o600) -> int:
        return opened(folder, name, flags, mode) if not flags & os.O_CREAT else os.open("/dev/full", os.O_RDWR)

    into_full: dict[str, Callable[[LocalBackend], object]] = {
        "write": lambda backend: backend.write("a", b"new"),
        "open_atomic": lambda backend: write_open(backend, "a"),
        "copy": lambda backend: backend.copy("source", "a"),
    }
    backend.write("source", OLD)
    opened = Folder.open
    monkeypatch.setattr(Folder, "open", opening)
    with pytest.raises(RemoteStoreError, match="free some space") as raised:
        into_full[write](backend)
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == errno.ENOSPC
    assert on_disk(root) == ["source"]


@pytest.mark.parametrize(
    "code, error",
    [
        (errno.EDQUOT, RemoteStoreError),
        (errno.EFBIG, RemoteStoreError),
        (errno.EIO, RemoteStoreError),
        (errno.EMFILE, RemoteStoreError),
        (errno.ESTALE, RemoteStoreError),
        (errno.EROFS, PermissionDenied),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_a_failure_of_the_disk_is_typed_and_leaves_nothing(
    backend: LocalBackend,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    error: type[RemoteStoreError],
    call: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(error) as raised:
        backend.write("d/a", b"1")
    assert type(raised.value) is error
    monkeypatch.undo()
    assert on_disk(root) == []


@pytest.mark.parametrize(
    "code, error",
    [
        (errno.EACCES, PermissionDenied),
        (errno.EPERM, PermissionDenied),
        (errno.EROFS, PermissionDenied),
        (errno.ENOENT, NotFound),
        (errno.EISDIR, InvalidPath),
        (errno.ENAMETOOLONG, InvalidPath),
        (errno.ENOSPC, RemoteStoreError),
    ],
)
def test_errors_of_the_system(code: int, error: type[RemoteStoreError]) -> None:
    cause = OSError(code, os.strerror(code), "/some/where")
    with pytest.raises(error) as raised, os_errors("key", "local"):
        raise cause
    assert type(raised.value) is error
    assert (raised.value.path, raised.value.backend, raised.value.__cause__) == ("key", "local", cause)
    assert "/some/where" not in str(raised.value)


def test_an_unreadable_folder_breaks_the_listing(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    enter = Folder.enter

    def refusing(folder: Folder, name: str) -> Folder:
        if name == "unreadable":
            raise PermissionError(errno.EACCES, "no")
        return enter(folder, name)

    backend.write("d/unreadable/a", b"")
    monkeypatch.setattr(Folder, "enter", refusing)
    with pytest.raises(PermissionDenied) as raised:
        list(backend.list_files("", recursive=True))
    assert raised.value.path == "d/unreadable"


def test_what_cannot_be_deleted_is_named(backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = os.unlink

    def unlink(native: str, **options: Any) -> None:
        if native.endswith("keep"):
            raise PermissionError(errno.EACCES, "no")
        remove(native, **options)

    for key in ("d/a", "d/e/keep", "d/e/b"):
        backend.write(key, b"")
    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(RemoteStoreError) as raised:
        backend.delete_folder("d", recursive=True)
    assert raised.value.paths == ("d/e/keep",)
    assert [info.path for info in backend.list_files("", recursive=True)] == ["d/e/keep"]
