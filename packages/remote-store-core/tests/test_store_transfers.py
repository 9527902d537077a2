from __future__ import annotations

import errno
import io
import os
import resource
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    MemoryBackend,
    NotFound,
    RemoteStoreError,
    Store,
)
from remote_store.core.files import replacing
from remote_store.core.local import unfinished
from uploads import Reports


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 2_000_003])
def test_an_upload_reports_what_was_read(store: Store, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "local").write_bytes(content)
    seen = Reports()
    options: dict[str, Any] = {"metadata": {"a": "b"}, "content_type": "text/z"}
    result = store.upload(tmp_path / "local", "up", progress=seen, **options)
    assert (result.path, result.size) == ("up", size)
    assert store.read_bytes("up") == content
    assert [seen[0].done, seen[-1].done] == [0, size]
    assert (store.head("up").metadata, store.head("up").content_type) == ({"a": "b"}, "text/z")


def test_an_upload_takes_a_stream_from_where_it_stands_and_leaves_it_open(store: Store) -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    store.upload(stream, "up")
    assert (store.read_bytes("up"), stream.closed, stream.tell()) == (b"456789", False, 10)
    store.upload(io.BytesIO(b"again"), "up", overwrite=True, progress=lambda done, total, delta: None)
    assert store.read_bytes("up") == b"again"
    with pytest.raises(AlreadyExists):
        store.upload(stream, "up")


def test_an_upload_of_no_file_is_the_systems_own_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        store.upload(str(tmp_path / "none"), "up")
    assert not isinstance(caught.value, RemoteStoreError)
    assert not store.exists("up")


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 2_000_003])
def test_a_download_reports_what_was_written(store: Store, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    store.write("down", content)
    seen = Reports()
    assert store.download("down", tmp_path / "local", progress=seen) == size
    assert (tmp_path / "local").read_bytes() == content
    assert [seen[0].done, seen[-1].done] == [0, size]
    assert names(tmp_path) == ["local"]
    (tmp_path / "plain").touch()
    assert (tmp_path / "local").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_download_replaces_only_when_told_to(store: Store, tmp_path: Path) -> None:
    store.write("down", b"new")
    local = tmp_path / "local"
    local.write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        store.download("down", str(local))
    assert (caught.value.errno, local.read_bytes()) == (errno.EEXIST, b"old")
    store.download("down", str(local), overwrite=True)
    assert local.read_bytes() == b"new"
    for overwrite in (True, False):
        with pytest.raises(IsADirectoryError):
            store.download("down", tmp_path, overwrite=overwrite)
    with pytest.raises(FileNotFoundError):
        store.download("down", tmp_path / "no" / "folder")
    assert names(tmp_path) == ["local"]


def test_of_two_downloads_to_one_name_the_later_loses(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), replacing(tmp_path / "x", overwrite=False) as file:  # noqa: PT012 - the block is what is tested
        file.write(b"late")
        (tmp_path / "x").write_bytes(b"early")
    assert (tmp_path / "x").read_bytes() == b"early"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("taken", [True, False])
def test_a_file_system_without_links_does_not_replace_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(unfinished, "C_LIBRARY", None)
    expected: AbstractContextManager[object] = pytest.raises(FileExistsError) if taken else contextmanager(iter)([0])
    with expected, replacing(tmp_path / "x", overwrite=False) as file:
        file.write(b"late")
        if taken:
            (tmp_path / "x").write_bytes(b"early")
    assert (tmp_path / "x").read_bytes() == (b"early" if taken else b"late")
    assert names(tmp_path) == ["x"]


class Failing(io.BytesIO):
    """A remote file that breaks after its first piece, or says a size that it does not have."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(b"y" * 600_000)
        self.error = error

    def readinto(self, buffer: Any, /) -> int:
        if self.error and self.tell():
            raise self.error
        return super().readinto(buffer)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset, whence) + (whence == io.SEEK_END)


@pytest.mark.parametrize("error", [BackendUnavailable("cut", path="team/down"), KeyboardInterrupt(), None], ids=repr)
def test_a_failing_download_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: Exception | None) -> None:
    class Cut(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return Failing(error)

    local = tmp_path / "local"
    local.write_bytes(b"old")
    with pytest.raises(type(error) if error else BackendUnavailable) as caught:
        Store(Cut(), "team").download("down", local, overwrite=True)
    if not isinstance(error, KeyboardInterrupt):
        assert cast("BackendUnavailable", caught.value).path == "down"
    assert local.read_bytes() == b"old"
    assert names(tmp_path) == ["local"]


def test_a_missing_file_downloads_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        store.download("none", tmp_path / "local")
    assert caught.value.path == "none"
    assert names(tmp_path) == []


def test_a_progress_that_raises_stops_the_transfer_with_its_own_error(store: Store, tmp_path: Path) -> None:
    def stop(done: int, total: int | None, delta: int) -> None:
        raise NotFound("mine", path=f"{store.root_path}/x")

    (tmp_path / "local").write_bytes(b"content")
    with pytest.raises(NotFound) as caught:
        store.upload(tmp_path / "local", "up", progress=stop)
    assert caught.value.path == f"{store.root_path}/x"
    assert not store.exists("up")
    store.write("down", b"content")
    with pytest.raises(NotFound) as caught:
        store.download("down", tmp_path / "new", progress=stop)
    assert caught.value.path == f"{store.root_path}/x"
    assert names(tmp_path) == ["local"]


def test_a_full_disk_is_the_systems_own_error(store: Store, tmp_path: Path) -> None:
    store.write("down", bytes(200_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - checked below
            store.download("down", tmp_path / "local")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert not isinstance(caught.value, RemoteStoreError)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(bytes(3_000_000)),
        lambda path: os.truncate(path, 1_200_000),
        lambda path: path.open("ab").write(b"more"),
    ],
    ids=["rewritten", "cut", "grown"],
)
def test_an_upload_of_a_file_that_changes_writes_nothing(store: Store, tmp_path: Path, change: Any) -> None:
    local = tmp_path / "local"
    local.write_bytes(os.urandom(3_000_000))
    os.utime(local, (1, 1))

    def progress(done: int, total: int | None, delta: int) -> None:
        if done:
            change(local)

    with pytest.raises(OSError, match="changed while it was uploaded") as caught:
        store.upload(local, "up", progress=progress)
    assert caught.value.filename == str(local)
    assert not store.exists("up")


def test_ranges_may_be_longer_than_the_file(store: Store) -> None:
    store.write("a", b"0123456789")
    longest = 2**63 - 1
    assert store.read_range("a", 5, longest) == b"56789"
    assert store.read_ranges("a", [(5, longest), (0, 2), (20, longest)]) == [b"56789", b"01", b""]
