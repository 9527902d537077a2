from __future__ import annotations

from functools import partial

import obstore
import pytest
from obstore.store import MemoryStore

from remote_store.core import InvalidPath, RemoteStoreError
from remote_store.obstore import ObstoreLocalBackend, ObstoreMemoryBackend


@pytest.fixture
def local(tmp_path):
    with ObstoreLocalBackend(tmp_path) as backend:
        yield backend


@pytest.fixture
def memory():
    with ObstoreMemoryBackend() as backend:
        yield backend


def test_a_file_that_is_listed_and_cannot_be_opened_ends_a_delete_that_names_it(local, tmp_path):
    for name in ("a", "in/b", "z"):
        local.write(f"dir/{name}", b"x")
    (tmp_path / "dir/c:").write_bytes(b"x")
    with pytest.raises(InvalidPath) as raised:
        local.delete_folder("dir", recursive=True)
    assert (raised.value.path, raised.value.paths) == ("dir", ("dir/c:",))
    assert [path.name for path in (tmp_path / "dir").iterdir()] == ["c:"]


def test_a_file_that_is_listed_and_never_found_ends_a_delete_that_names_it(memory, monkeypatch):
    calls = []

    def never_found(_store, keys):
        calls.append(keys)
        raise FileNotFoundError

    memory.write("dir/a", b"x")
    monkeypatch.setattr(obstore, "delete", never_found)
    with pytest.raises(RemoteStoreError, match="does not find") as raised:
        memory.delete_folder("dir", recursive=True)
    assert (raised.value.paths, len(calls)) == (("dir/a",), 3)


def test_a_folder_is_deleted_while_others_delete_its_files(memory, monkeypatch):
    delete = obstore.delete

    def after_another(store, keys):
        delete(store, keys[0])
        raise FileNotFoundError

    for number in range(9):
        memory.write(f"dir/{number}", b"x")
    monkeypatch.setattr(obstore, "delete", after_another)
    memory.delete_folder("dir", recursive=True)
    assert not memory.exists("dir")


def test_a_listing_of_another_folder_is_refused_and_nothing_is_deleted(memory, monkeypatch):
    for name in ("dir/a", "dir2/b", "dir2/in/c"):
        memory.write(name, b"x")
    for method in ("list", "list_with_delimiter"):
        answer = partial(getattr(obstore, method), memory.unwrap(MemoryStore), "dir2")
        monkeypatch.setattr(obstore, method, lambda _store, _folder, answer=answer, **_options: answer())
    for call in (
        lambda: memory.delete_folder("dir", recursive=True),
        lambda: list(memory.list_files("dir", recursive=True)),
        lambda: list(memory.iter_children("dir")),
        lambda: memory.get_folder_info("dir"),
    ):
        with pytest.raises(RemoteStoreError, match="dir2"):
            call()
    assert all(map(memory.is_file, ("dir/a", "dir2/b", "dir2/in/c")))


def test_a_folder_whose_marker_is_listed_like_a_file_is_deleted_without_the_file_of_that_name(memory, monkeypatch):
    memory.write("dir", b"x")
    memory.write("dir/a", b"x")
    answer = obstore.list

    def with_marker(store, _folder, **_options):
        return iter([[meta for page in answer(store) for meta in page]])

    monkeypatch.setattr(obstore, "list", with_marker)
    with pytest.raises(InvalidPath) as raised:
        memory.delete_folder("dir", recursive=True)
    assert (raised.value.paths, memory.is_file("dir"), memory.is_file("dir/a")) == (("dir",), True, False)


@pytest.mark.parametrize("folder", ["dir", "dir/in", "dir/in/link"])
def test_a_recursive_delete_removes_links_to_folders_and_not_what_is_behind(folder, tmp_path):
    (tmp_path / "outside/deep").mkdir(parents=True)
    (tmp_path / "outside/deep/file").write_bytes(b"x")
    with ObstoreLocalBackend(tmp_path / "root", create=True) as local:
        local.write("dir/in/file", b"x")
        (tmp_path / "root/dir/in/link").symlink_to(tmp_path / "outside")
        local.delete_folder(folder, recursive=True)
        assert not local.exists(folder)
    assert (tmp_path / "outside/deep/file").read_bytes() == b"x"


@pytest.mark.parametrize("target", ["copy", "FILE", "dir/file", "fi\u0301le"])
def test_a_move_onto_a_copy_of_the_same_file_removes_the_source(target, tmp_path):
    with ObstoreLocalBackend(tmp_path) as backend:
        backend.write("file", b"content")
        backend.copy("file", target)
        backend.move("file", target, overwrite=True)
        assert [entry.path for entry in backend.list_files("", recursive=True)] == [target]
        assert backend.read_bytes(target) == b"content"


def test_a_move_of_a_file_with_other_links_leaves_them(tmp_path):
    (tmp_path / "root").mkdir()
    with ObstoreLocalBackend(tmp_path / "root") as backend:
        backend.write("file", b"content")
        (tmp_path / "beside").hardlink_to(tmp_path / "root/file")
        backend.move("file", "moved")
        assert backend.read_bytes("moved") == (tmp_path / "beside").read_bytes() == b"content"
