"""Errors of a filesystem are those of a store, and what fails leaves nothing behind."""

from __future__ import annotations

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
        (OSError("No such file"), NotFound),
        (Exception("550 Permission denied"), PermissionDenied),
        (Exception("the folder does not exist"), NotFound),
        (ValueError("Connection refused"), BackendUnavailable),
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


class Refused(Exception):
    """An exception that only has a text, as those of `ftplib`."""


class TestFailures:
    def test_a_write_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        class Full(LocalFileSystem):
            def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
                super().pipe_file(path, value[:3], mode=mode)
                raise OSError(28, "No space left on device")

        backend = FsspecBackend(Full(skip_instance_cache=True), str(tmp_path))
        for overwrite in (False, True):
            with pytest.raises(RemoteStoreError, match="No space left"):
                backend.write("deep/down/key", b"content", overwrite=overwrite)
            assert list(tmp_path.iterdir()) == []

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
