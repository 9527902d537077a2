"""Folders, and what a path or a pattern stands for."""

from __future__ import annotations

import pytest


def names(entries):
    return [entry["name"] for entry in entries]


def test_ls(tree):
    assert tree.ls("", detail=False) == ["a", "top"] == tree.ls("/", detail=False)
    assert tree.ls("a", detail=False) == ["a/1", "a/b", "a/b.txt"] == tree.ls("a/", detail=False)
    assert [(entry["type"], entry["size"]) for entry in tree.ls("a")] == [("file", 3), ("directory", 0), ("file", 7)]
    assert names(tree.ls("top")) == ["top"]
    for missing in ("none", "top/"):
        with pytest.raises(FileNotFoundError):
            tree.ls(missing)


def test_walk(tree):
    down = list(tree.walk(""))
    assert down == [
        ("", ["a"], ["top"]),
        ("a", ["b"], ["1", "b.txt"]),
        ("a/b", ["c"], ["2"]),
        ("a/b/c", [], ["3"]),
    ]
    assert list(tree.walk("", topdown=False)) == down[::-1]
    assert list(tree.walk("", maxdepth=2)) == down[:2]
    assert list(tree.walk("none")) == [("none", [], [])]
    with pytest.raises(FileNotFoundError):
        list(tree.walk("none", on_error="raise"))
    seen = []
    list(tree.walk("none", on_error=seen.append))
    assert [isinstance(error, FileNotFoundError) for error in seen] == [True]
    with pytest.raises(ValueError, match="maxdepth"):
        list(tree.walk("", maxdepth=0))


def test_a_walk_does_not_descend_into_what_the_caller_removes(tree):
    seen = []
    for folder, folders, _ in tree.walk(""):
        seen.append(folder)
        if "b" in folders:
            folders.remove("b")
    assert seen == ["", "a"]


def test_find(tree, tree_keys):
    assert tree.find("") == tree_keys
    assert tree.find("a/b") == ["a/b/2", "a/b/c/3"] == tree.find("a/b/")
    assert tree.find("top") == ["top"]
    assert tree.find("none") == []
    assert tree.find("a", maxdepth=1) == ["a/1", "a/b.txt"]
    assert tree.find("a", maxdepth=2) == ["a/1", "a/b.txt", "a/b/2"]
    assert tree.find("a", withdirs=True) == ["a", "a/1", "a/b", "a/b.txt", "a/b/2", "a/b/c", "a/b/c/3"]
    assert tree.find("a", maxdepth=1, withdirs=True) == ["a", "a/1", "a/b", "a/b.txt"]
    assert tree.find("a", maxdepth=2, withdirs=True) == ["a", "a/1", "a/b", "a/b.txt", "a/b/2", "a/b/c"]
    assert tree.find("a", prefix="b") == ["a/b.txt", "a/b/2", "a/b/c/3"]
    assert tree.find("", withdirs=True) == sorted([*tree_keys, "a", "a/b", "a/b/c"])
    entries = tree.find("a/b", detail=True, withdirs=True)
    assert {name: entry["type"] for name, entry in entries.items()} == {
        "a/b": "directory",
        "a/b/2": "file",
        "a/b/c": "directory",
        "a/b/c/3": "file",
    }
    with pytest.raises(ValueError, match="maxdepth"):
        tree.find("", maxdepth=0)


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("*", ["a", "top"]),
        ("a/*", ["a/1", "a/b", "a/b.txt"]),
        ("a/b*", ["a/b", "a/b.txt"]),
        ("a/?", ["a/1", "a/b"]),
        ("a/[0-9]", ["a/1"]),
        ("a/[!0-9]*", ["a/b", "a/b.txt"]),
        ("a/*/", ["a/b"]),
        ("*/b/*", ["a/b/2", "a/b/c"]),
        ("a/**", ["a", "a/1", "a/b", "a/b.txt", "a/b/2", "a/b/c", "a/b/c/3"]),
        ("**/3", ["a/b/c/3"]),
        ("**/*.txt", ["a/b.txt"]),
        ("a/1", ["a/1"]),
        ("a", ["a"]),
        ("none", []),
        ("none/*", []),
    ],
)
def test_glob(tree, pattern, expected):
    assert tree.glob(pattern) == expected
    assert list(tree.glob(pattern, detail=True)) == expected


def test_glob_with_a_depth_or_without_folders(tree):
    assert tree.glob("a/**", maxdepth=1) == ["a", "a/1", "a/b", "a/b.txt"]
    assert tree.glob("a/*", withdirs=False) == ["a/1", "a/b.txt"]
    assert tree.glob("a/1", detail=True)["a/1"]["size"] == 3


def test_du(tree, tree_keys):
    assert tree.du("") == sum(map(len, tree_keys))
    assert tree.du("a/b", total=False) == {"a/b/2": 5, "a/b/c/3": 7}
    assert tree.du("a", maxdepth=1) == 10
    assert tree.du("top") == 3


def test_expand_path(tree):
    assert tree.expand_path("top") == ["top"]
    assert tree.expand_path("a/*") == ["a/1", "a/b", "a/b.txt"]
    assert tree.expand_path("a/b", recursive=True) == ["a/b", "a/b/2", "a/b/c", "a/b/c/3"]
    assert tree.expand_path(["top", "a/1"]) == ["a/1", "top"]
    tree.pipe_file("a/*", b"")
    assert tree.expand_path("a/*") == ["a/*"]
    with pytest.raises(FileNotFoundError):
        tree.expand_path("none/*")
