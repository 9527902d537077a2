"""Copies, moves and deletions."""

from __future__ import annotations

import pytest

from remote_store.core import InvalidPath


def test_rm(tree):
    tree.rm("top")
    tree.rm(["a/1", "a/b.txt"])
    assert tree.find("") == ["a/b/2", "a/b/c/3"]
    for missing in ("top", "none/", "a/1"):
        with pytest.raises(FileNotFoundError):
            tree.rm(missing)
        with pytest.raises(FileNotFoundError):
            tree.rm(missing, recursive=True)
    with pytest.raises(IsADirectoryError):
        tree.rm("a")
    with pytest.raises(IsADirectoryError):
        tree.rm_file("a")
    tree.rm("a", recursive=True, maxdepth=2)
    assert tree.find("") == ["a/b/c/3"]
    tree.rm("a", recursive=True)
    assert tree.find("") == []


def test_the_root_is_not_deleted(tree, tree_keys):
    for call in (lambda path: tree.rm(path, recursive=True), tree.rm, tree.rm_file, tree.rmdir):
        for root in ("", "/"):
            with pytest.raises((InvalidPath, IsADirectoryError, FileNotFoundError)):
                call(root)
    assert tree.find("") == tree_keys


def test_mv(tree):
    tree.mv("top", "a/moved")
    tree.mv("a/1", "a/b")
    assert tree.find("") == ["a/b.txt", "a/b/1", "a/b/2", "a/b/c/3", "a/moved"]
    with pytest.raises(IsADirectoryError):
        tree.mv("a", "z")
    tree.mv("a", "z", recursive=True)
    assert tree.find("") == ["z/b.txt", "z/b/1", "z/b/2", "z/b/c/3", "z/moved"]
    with pytest.raises(FileNotFoundError):
        tree.mv("none", "x")
    tree.mv("z/b.txt", "z/b.txt")
    assert tree.cat_file("z/b.txt") == b"a/b.txt"
    tree.rename("z/b.txt", "renamed")
    assert tree.cat_file("renamed") == b"a/b.txt"


def test_cp(tree, tree_keys):
    tree.cp("top", "copy")
    tree.cp("top", "a/")
    tree.cp(["a/1", "a/b/2"], ["x/one", "x/two"])
    tree.cp(["a/1", "a/b/2"], "flat/")
    tree.cp("a/b", "into/", recursive=True)
    tree.cp("a/b/", "content/", recursive=True)
    tree.cp("a", "nothing")
    new = ["a/top", "content/2", "content/c/3", "copy", "flat/1", "flat/2", "into/b/2", "into/b/c/3", "x/one", "x/two"]
    assert tree.find("") == sorted([*tree_keys, *new])
    with pytest.raises(FileNotFoundError):
        tree.cp("none", "x")
    with pytest.raises(FileNotFoundError):
        tree.cp(["top", "none"], ["y", "z"])
    tree.cp(["top", "none"], ["y", "z"], on_error="ignore")
    assert tree.cat_file("y") == b"top"
    assert not tree.exists("z")


@pytest.mark.parametrize(
    "sources, targets",
    [
        (["a/x", "b/x"], "to/"),
        (["a/x", "b/x"], ["to", "to"]),
        (["a/x", "b/x"], ["b/x", "to"]),
        (["a/x", "b/x"], ["b/x", "a/x"]),
    ],
)
def test_files_that_would_overwrite_each_other_stay_where_they_are(fs, sources, targets):
    fs.pipe({"a/x": b"one", "b/x": b"two"})
    for call in (fs.mv, fs.cp):
        with pytest.raises(ValueError, match="target"):
            call(sources, targets)
    assert fs.cat(fs.find("")) == {"a/x": b"one", "b/x": b"two"}


def test_a_folder_is_not_copied_over_its_own_files(fs):
    fs.pipe({"a/x": b"one", "a/in/a/x": b"two"})
    with pytest.raises(ValueError, match="target"):
        fs.mv("a", "a/in", recursive=True)
    assert fs.cat(fs.find("")) == {"a/x": b"one", "a/in/a/x": b"two"}


def test_a_copy_to_where_no_file_can_be_is_an_error(fs):
    fs.pipe({"both": b"file", "both/in": b"inside"})
    with pytest.raises((InvalidPath, IsADirectoryError)):
        fs.cp_file("both", "")
