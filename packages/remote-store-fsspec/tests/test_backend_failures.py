"""Errors of a filesystem are those of a store, and what fails leaves nothing behind."""

from __future__ import annotations

import errno
import ftplib
import io
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    InvalidPath,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
)
from remote_store.fsspec import FsspecBackend


@pytest.fixture
def memory() -> MemoryFileSystem:
    return MemoryFileSystem(global_store=False, skip_instance_cache=True)


@pytest.fixture
def backend(memory: MemoryFileSystem) -> FsspecBackend:
    return FsspecBackend(memory, "/root")


def keys(backend: FsspecBackend, folder: str = "") -> list[str]:
    return sorted(file.path for file in backend.list_files(folder, recursive=True))


class Answered(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("https://host/?token=secret")
        self.status = status


class Unreachable(OSError):
    """A class of a client, as aiohttp has it."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "theirs, ours",
    [
        (FileNotFoundError(), NotFound),
        (FileExistsError(), AlreadyExists),
        (PermissionError(), PermissionDenied),
        (TimeoutError(), BackendUnavailable),
        (ConnectionResetError(), BackendUnavailable),
        (OSError(36, "File name too long"), InvalidPath),
        (OSError(30, "Read-only file system"), PermissionDenied),
        (ftplib.error_temp("421 Timeout"), BackendUnavailable),
        (ftplib.error_perm("530 Not logged in"), PermissionDenied),
        (ftplib.error_perm("550 No such file"), RemoteStoreError),
        (caused(FileNotFoundError(), Answered(403)), PermissionDenied),
        (caused(FileNotFoundError(), ConnectionRefusedError()), BackendUnavailable),
        (caused(FileNotFoundError(), Unreachable(errno.ECONNREFUSED, "Connect call failed")), BackendUnavailable),
        (caused(FileNotFoundError(), socket.gaierror(-2, "Name or service not known")), BackendUnavailable),
        (caused(FileNotFoundError(), KeyError("key")), NotFound),
        (caused(FileNotFoundError(), Answered(404)), NotFound),
        (caused(FileNotFoundError(), ftplib.error_perm("550 No such file")), NotFound),
        (Answered(404), NotFound),
        (Answered(403), PermissionDenied),
        (Answered(503), BackendUnavailable),
        (Answered(418), RemoteStoreError),
        (KeyError("name"), RemoteStoreError),
        (OSError(28, "No space left on device"), RemoteStoreError),
    ],
    ids=repr,
)
def test_errors_are_those_of_a_store(
    theirs: Exception, ours: type, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise theirs

    monkeypatch.setattr(memory, "pipe_file", fail)
    with pytest.raises(RemoteStoreError) as caught:
        backend.write("key", b"content")
    assert type(caught.value) is ours
    assert caught.value.__cause__ is theirs
    assert (caught.value.path, caught.value.backend) == ("key", "fsspec")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", [OSError, ValueError, Exception])
@pytest.mark.parametrize(
    "text",
    [
        "Host not found in known_hosts",
        "the file does not exist",
        "No such file",
        "already exists",
        "Permission denied: forbidden, read-only",
        "Connection timed out",
    ],
)
def test_the_text_of_an_error_says_nothing(
    kind: type[Exception], text: str, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise kind(text)

    for call in ("info", "ls"):
        monkeypatch.setattr(memory, call, fail)
    for call in (
        lambda: backend.delete("key", missing_ok=True),
        lambda: backend.delete_folder("key", missing_ok=True),
        lambda: backend.exists("key"),
        backend.check_health,
    ):
        with pytest.raises(RemoteStoreError) as caught:
            call()
        assert type(caught.value) is RemoteStoreError


@pytest.mark.parametrize("error", [FileNotFoundError(), Answered(404), Answered(410), NotFound("none")], ids=repr)
def test_what_is_not_found_is_absent(
    error: Exception, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    for call in ("info", "ls"):
        monkeypatch.setattr(memory, call, fail)
    assert not backend.exists("key")
    assert not backend.is_folder("key")
    assert list(backend.iter_children("")) == []
    backend.delete("key", missing_ok=True)
    with pytest.raises(NotFound):
        backend.read_bytes("key")


class Refused(Exception):
    """An exception that only has a text, as those of `ftplib`."""


class Full(LocalFileSystem):
    """A disk that takes a few bytes of a file, and then has no space."""

    cachable = False

    def __init__(self, written: int) -> None:
        super().__init__()
        self._written = written

    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        if mode == "rb":
            return super().open(path, mode, **kwargs)
        return FullFile(path, self._written)


class FullFile(io.FileIO):
    def __init__(self, path: str, written: int) -> None:
        super().__init__(path, "wb")
        self._written = written

    def write(self, data: Any) -> int:
        super().write(data[: self._written])
        raise OSError(28, "No space left on device")


class TestFailures:
    @pytest.mark.parametrize("written", [0, 3, 6])
    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_write_that_fails_leaves_nothing_new(self, tmp_path: Path, written: int, overwrite: bool) -> None:
        backend = FsspecBackend(Full(written), str(tmp_path))
        with pytest.raises(RemoteStoreError, match="No space left"):
            backend.write("deep/down/key", b"content", overwrite=overwrite)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("written", [0, 3])
    def test_a_write_that_fails_does_not_delete_the_file_that_it_was_to_replace(
        self, tmp_path: Path, written: int
    ) -> None:
        (tmp_path / "key").write_bytes(b"old")
        with pytest.raises(RemoteStoreError, match="No space left"):
            FsspecBackend(Full(written), str(tmp_path)).write("key", b"content", overwrite=True)
        assert (tmp_path / "key").exists()

    @pytest.mark.parametrize("theirs", [b"", b"con", b"123", b"longer than ours"])
    @pytest.mark.parametrize("call", ["open", "pipe_file", "cp_file"])
    def test_a_failure_deletes_nothing_of_somebody_else(self, tmp_path: Path, theirs: bytes, call: str) -> None:
        """The file of another writer appears after the look at its place, and before this call has written a byte."""

        def fail(path: str, *arguments: Any, **options: Any) -> None:
            if arguments != ("rb",):
                (tmp_path / "key").write_bytes(theirs)
                raise OSError(28, "No space left on device")

        (tmp_path / "source").write_bytes(b"content")
        kind = type("Failing", (LocalFileSystem,), {call: staticmethod(fail), "cachable": False})
        backend = FsspecBackend(kind(), str(tmp_path))
        create = partial(backend.copy, "source") if call == "cp_file" else partial(backend.write, content=b"content")
        with pytest.raises(RemoteStoreError, match="No space left"):
            create("key")
        assert (tmp_path / "key").read_bytes() == theirs

    def test_a_file_of_somebody_else_is_left_alone(
        self, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pipe_file = memory.pipe_file

        def late(path: str, value: bytes, mode: str = "overwrite") -> None:
            pipe_file(path, b"1")
            pipe_file(path, value, mode=mode)

        monkeypatch.setattr(memory, "pipe_file", late)
        with pytest.raises(AlreadyExists):
            backend.write("key", b"content")
        assert backend.read_bytes("key") == b"1"

    def test_an_exception_of_the_content_passes(self, backend: FsspecBackend) -> None:
        class Failing:
            def read(self, size: int) -> bytes:
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            backend.write("key", Failing())
        assert keys(backend) == []

    def test_a_folder_that_cannot_be_emptied_names_what_is_left(
        self, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for key in ("a/1", "a/2", "a/b/3"):
            backend.write(key, b"")
        rm_file = memory.rm_file

        def refuse(path: str) -> None:
            if path.endswith("2"):
                raise PermissionError(path)
            rm_file(path)

        monkeypatch.setattr(memory, "rm_file", refuse)
        with pytest.raises(RemoteStoreError) as caught:
            backend.delete_folder("a", recursive=True)
        assert caught.value.paths == ("a/2",)
        assert keys(backend) == ["a/2"]

    def test_a_folder_is_made_although_the_error_does_not_say_that_it_is_missing(self) -> None:
        class Ftp(MemoryFileSystem):
            def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
                if not self.isdir(self._parent(path)):
                    raise Refused("553 Could not create file.")
                super().pipe_file(path, value, mode)

        fs = Ftp(global_store=False, skip_instance_cache=True)
        fs.mkdir("/root")
        backend = FsspecBackend(fs, "/root")
        backend.write("a/b/c", b"1")
        assert keys(backend) == ["a/b/c"]
        backend.delete("a/b/c")
        assert list(backend.iter_children("")) == []

    def test_a_folder_that_is_not_removed_is_no_error(
        self, backend: FsspecBackend, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: str) -> None:
            raise Refused("550 Directory not empty")

        monkeypatch.setattr(memory, "rmdir", refuse)
        backend.write("a/b", b"1")
        backend.delete("a/b")
        assert keys(backend) == []

    def test_a_rmdir_that_takes_the_content_is_not_called_on_content(self) -> None:
        class Reckless(MemoryFileSystem):
            protocol = "reckless"

            def rmdir(self, path: str) -> None:
                self.rm(path, recursive=True)

        backend = FsspecBackend(Reckless(global_store=False, skip_instance_cache=True), "/root")
        backend.write("a/1", b"")
        backend.write("a/2", b"")
        backend.delete("a/1")
        assert keys(backend) == ["a/2"]
