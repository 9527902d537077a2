"""The bytes of whole files and of ranges, read and written without opening a file."""

from __future__ import annotations

import pytest

from remote_store.core import PreconditionFailed


def test_cat_file_takes_offsets_from_either_end(fs):
    content = bytes(range(100))
    fs.pipe_file("x", content)
    for start in (None, 0, 10, 99, 100, 200, -1, -10, -100, -200):
        for end in (None, 0, 5, 50, 100, 200, -1, -50, -200):
            assert fs.cat_file("x", start, end) == content[start:end], (start, end)
    assert fs.head("x", 3) == content[:3]
    assert fs.tail("x", 3) == content[-3:]
    assert fs.tail("x", 0) == b""
    assert fs.read_block("x", 10, 5) == content[10:15]
    with pytest.raises(FileNotFoundError):
        fs.cat_file("none")
    with pytest.raises(IsADirectoryError):
        fs.cat_file("")


def test_cat(tree):
    assert tree.cat("top") == b"top"
    assert tree.cat(["top", "a/1"]) == {"top": b"top", "a/1": b"a/1"}
    assert tree.cat("a/*") == {"a/1": b"a/1", "a/b.txt": b"a/b.txt"}
    assert tree.cat("a/b", recursive=True) == {"a/b/2": b"a/b/2", "a/b/c/3": b"a/b/c/3"}
    with pytest.raises(FileNotFoundError):
        tree.cat(["top", "none"])
    assert tree.cat(["top", "none"], on_error="omit") == {"top": b"top"}
    returned = tree.cat(["top", "none"], on_error="return")
    assert isinstance(returned["none"], FileNotFoundError)


def test_cat_ranges(fs):
    fs.pipe({"x": bytes(range(100)), "y": b"other"})
    result = fs.cat_ranges(["x", "y", "x", "none", "x"], [0, 1, 50, 0, -5], [10, 3, 60, 1, None])
    assert isinstance(result.pop(3), FileNotFoundError)
    assert result == [bytes(range(10)), b"th", bytes(range(50, 60)), bytes(range(95, 100))]
    assert fs.cat_ranges(["x", "y"], 0, 2) == [b"\0\1", b"ot"]
    assert fs.cat_ranges([], [], []) == []
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges(["x", "none"], 0, 2, on_error="raise")
    with pytest.raises(ValueError, match="2 paths, 1 starts"):
        fs.cat_ranges(["x", "y"], [0], [1])
    with pytest.raises(TypeError, match="must be a list"):
        fs.cat_ranges("x", 0, 2)


def test_a_version_can_be_required(fs):
    fs.pipe_file("x", b"one")
    tag = fs.info("x")["ETag"]
    assert fs.cat_file("x", if_match=tag) == b"one"
    fs.pipe_file("x", b"two")
    for call in (lambda: fs.cat_file("x", if_match=tag), lambda: fs.open("x", if_match=tag)):
        with pytest.raises(PreconditionFailed):
            call()


def test_pipe(fs):
    fs.pipe("x", b"one")
    fs.pipe({"y": b"two", "z/1": bytearray(b"three")})
    assert fs.cat(["x", "y", "z/1"]) == {"x": b"one", "y": b"two", "z/1": b"three"}
    fs.pipe_file("x", b"new")
    with pytest.raises(FileExistsError):
        fs.pipe_file("x", b"lost", mode="create")
    fs.pipe_file("w", b"created", mode="create")
    assert fs.cat(["x", "w"]) == {"x": b"new", "w": b"created"}
    with pytest.raises(ValueError, match="mode must be"):
        fs.pipe_file("x", b"", mode="append")
    with pytest.raises(TypeError):
        fs.pipe_file("x", b"", unknown=1)
    assert fs.cat_file("x") == b"new"


def test_touch(fs):
    fs.touch("x")
    assert fs.cat_file("x") == b""
    fs.pipe_file("x", b"content")
    before = fs.modified("x")
    fs.touch("x", truncate=False)
    assert (fs.cat_file("x"), fs.modified("x")) == (b"content", before)
    fs.touch("new", truncate=False)
    assert fs.cat_file("new") == b""
    fs.touch("x", truncate=True)
    assert fs.cat_file("x") == b""
