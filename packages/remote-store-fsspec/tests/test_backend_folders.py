"""What is deleted with a folder: all that is in it, and nothing that a link leads to."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from remote_store.core import DirectoryNotEmpty, RemoteStoreError
from remote_store.fsspec import FsspecBackend


class Remote(LocalFileSystem):
    """A disk as SFTP describes it: `ls` says `link` and no more, and `info` follows links without a word."""

    protocol = "remote"
    cachable = False
    word = "link"

    def ls(self, path: str, detail: bool = False, **kwargs: Any) -> list[Any]:
        with os.scandir(path) as entries:
            return [self._described(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]

    def info(self, path: Any, **kwargs: Any) -> dict[str, Any]:
        return self._described(path, Path(path).stat())

    def _described(self, path: str, found: os.stat_result) -> dict[str, Any]:
        kinds = {stat.S_IFDIR: "directory", stat.S_IFLNK: self.word, stat.S_IFREG: "file"}
        kind = kinds.get(stat.S_IFMT(found.st_mode), "other")
        return {"name": path, "size": found.st_size, "type": kind, "mtime": found.st_mtime}


class Ftp(Remote):
    """A disk as servers of FTP describe it."""

    word = "OS.unix=symlink"


class Silent(Remote):
    """A disk as other servers of FTP describe it: nothing tells that a folder is a link."""

    protocol = "ftp"

    def ls(self, path: str, detail: bool = False, **kwargs: Any) -> list[Any]:
        return [self.info(row["name"]) if Path(row["name"]).exists() else row for row in super().ls(path)]


DISKS = [LocalFileSystem, Remote, Ftp, Silent]


@pytest.fixture(params=DISKS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecBackend:
    (tmp_path / "root").mkdir()
    return FsspecBackend(request.param(), f"{tmp_path}/root")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder outside the root, with a file in it."""
    folder = tmp_path / "outside"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/kept").write_bytes(b"content")
    return folder


class TestLinks:
    def test_a_link_goes_and_what_it_leads_to_stays(self, backend: FsspecBackend, outside: Path) -> None:
        root = outside.parent / "root"
        for link in ("a/link", "a/b/link", "a/file"):
            backend.write(f"{link}-beside", b"")
            (root / link).symlink_to(outside / "deep/kept" if link == "a/file" else outside)
        backend.delete_folder("a", recursive=True)
        assert list(root.iterdir()) == []
        assert (outside / "deep/kept").read_bytes() == b"content"

    @pytest.mark.parametrize("path", ["link", "link/"])
    @pytest.mark.parametrize("recursive", [True, False])
    def test_a_link_that_is_named_goes_by_itself(
        self, backend: FsspecBackend, outside: Path, path: str, recursive: bool
    ) -> None:
        link = outside.parent / "root/link"
        link.symlink_to(outside)
        backend.delete_folder(path, recursive=recursive)
        assert not link.is_symlink()
        assert (outside / "deep/kept").read_bytes() == b"content"

    @pytest.mark.parametrize("backend", DISKS[:3], indirect=True)
    def test_a_listing_does_not_go_round_in_circles(self, backend: FsspecBackend, tmp_path: Path) -> None:
        backend.write("a/file", b"1")
        (tmp_path / "root/a/again").symlink_to(tmp_path / "root")
        assert [file.path for file in backend.list_files("", recursive=True)] == ["a/file"]
        assert backend.get_folder_info("").file_count == 1
        assert [folder.path for folder in backend.list_folders("a")] == ["a/again"]


class TestContent:
    @pytest.fixture(params=["fifo", "dangling"])
    def odd(self, request: pytest.FixtureRequest, backend: FsspecBackend, tmp_path: Path) -> Path:
        """An entry that is neither a file nor a folder, and so in no listing."""
        entry = tmp_path / "root/dir/odd"
        entry.parent.mkdir()
        if request.param == "fifo":
            os.mkfifo(entry)
        else:
            entry.symlink_to("nowhere")
        assert list(backend.iter_children("dir")) == []
        return entry

    def test_an_entry_that_is_no_file_is_content(self, backend: FsspecBackend, odd: Path) -> None:
        with pytest.raises(DirectoryNotEmpty):
            backend.delete_folder("dir")
        assert os.path.lexists(odd)

    def test_an_entry_that_is_no_file_goes_with_its_folder(self, backend: FsspecBackend, odd: Path) -> None:
        backend.delete_folder("dir", recursive=True)
        assert not odd.parent.exists()

    def test_an_entry_that_stays_is_named(
        self, backend: FsspecBackend, odd: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: str) -> None:
            raise PermissionError(path)

        monkeypatch.setattr(backend.unwrap(AbstractFileSystem), "rm_file", refuse)
        with pytest.raises(RemoteStoreError) as caught:
            backend.delete_folder("dir", recursive=True)
        assert caught.value.paths == ("dir/odd",)


class Refused(Exception):
    """An exception that only has a text, as those of `ftplib`."""


@pytest.mark.parametrize("refusal", [PermissionError("no"), OSError(16, "Device or resource busy"), Refused("550 no")])
@pytest.mark.parametrize("recursive", [True, False])
def test_a_folder_that_stays_is_an_error(refusal: Exception, recursive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    fs = MemoryFileSystem(global_store=False, skip_instance_cache=True)
    backend = FsspecBackend(fs, "/root")
    fs.makedirs("/root/dir/below")
    if not recursive:
        fs.rmdir("/root/dir/below")

    def refuse(path: str) -> None:
        raise refusal

    monkeypatch.setattr(fs, "rmdir", refuse)
    with pytest.raises(RemoteStoreError, match="could not be deleted") as caught:
        backend.delete_folder("dir", recursive=recursive)
    assert caught.value.paths == (("dir/below",) if recursive else ("dir",))


def test_a_file_written_meanwhile_keeps_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    fs = MemoryFileSystem(global_store=False, skip_instance_cache=True)
    backend = FsspecBackend(fs, "/root")
    backend.write("dir/old", b"")
    rmdir = fs.rmdir

    def late(path: str) -> None:
        fs.pipe_file("/root/dir/new", b"1")
        rmdir(path)

    monkeypatch.setattr(fs, "rmdir", late)
    backend.delete_folder("dir", recursive=True)
    assert backend.read_bytes("dir/new") == b"1"
