"""Uploads from the local disk and downloads to it."""

from __future__ import annotations

import pytest


def test_files_go_into_and_out_of_the_root(fs, tmp_path):
    (tmp_path / "local").write_bytes(b"up")
    fs.put(str(tmp_path / "local"), "")
    fs.put(str(tmp_path / "local"), "/")
    assert fs.find("") == ["local"]
    fs.pipe_file("in/file", b"in")
    fs.cp("in/file", "")
    fs.cp("local", "in")
    assert fs.find("") == ["file", "in/file", "in/local", "local"]
    fs.get("", str(tmp_path / "all"), recursive=True)
    found = sorted(path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*"))
    assert found == ["file", "in", "in/file", "in/local", "local"]


def test_a_local_file_is_uploaded_whole_and_reported(fs, tmp_path):
    (tmp_path / "x[1]").write_bytes(b"12345")
    (tmp_path / "x1").write_bytes(b"other")
    seen = Steps()
    fs.put_file(str(tmp_path / "x[1]"), "up", callback=seen, content_type="text/plain")
    assert fs.cat_file("up") == b"12345"
    assert fs.info("up")["ContentType"] == "text/plain"
    assert (seen.size, seen.value) == (5, 5)
    with pytest.raises(FileExistsError):
        fs.put_file(str(tmp_path / "x1"), "up", mode="create")
    assert fs.cat_file("up") == b"12345"
    fs.put(str(tmp_path / "x[1]"), "again")
    assert fs.cat_file("again") == b"12345"
    with pytest.raises(FileNotFoundError):
        fs.put_file(str(tmp_path / "none"), "none")
    fs.put_file(str(tmp_path), "folder")
    assert not fs.exists("none")
    assert not fs.exists("folder")


def test_a_download_is_whole_or_absent_and_reported(fs, tmp_path):
    fs.pipe_file("x", b"12345")
    seen = Steps()
    fs.get_file("x", str(tmp_path / "deep" / "x"), callback=seen)
    assert (tmp_path / "deep" / "x").read_bytes() == b"12345"
    assert (seen.size, seen.value) == (5, 5)
    with (tmp_path / "open").open("wb") as file:
        fs.get_file("x", file)
    assert (tmp_path / "open").read_bytes() == b"12345"
    with pytest.raises(FileNotFoundError):
        fs.get_file("none", str(tmp_path / "none"))

    def fail(*_):
        raise KeyError

    seen.relative_update = fail
    with pytest.raises(KeyError):
        fs.get_file("x", str(tmp_path / "half"), callback=seen)
    fs.pipe_file("folder/y", b"")
    fs.get_file("folder", str(tmp_path / "made"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "made", "open"]


def test_get_takes_a_name_before_a_pattern(fs, tmp_path):
    fs.pipe({"in/*": b"star", "in/a": b"a", "in/b": b"b"})
    fs.get("in/*", str(tmp_path / "one"))
    assert (tmp_path / "one").read_bytes() == b"star"
    fs.get("in/[ab]", str(tmp_path / "two") + "/")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["a", "b"]


class Steps:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.size, self.value = None, 0

    def set_size(self, size):
        self.size = size

    def absolute_update(self, value):
        self.value = value

    def relative_update(self, inc=1):
        self.value += inc


def test_files_of_one_name_do_not_overwrite_each_other(fs, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text(folder)
    with pytest.raises(ValueError, match="same target"):
        fs.put([str(tmp_path / "a" / "x"), str(tmp_path / "b" / "x")], "to/")
    assert fs.find("") == []
    fs.pipe({"a/x": b"one", "b/x": b"two"})
    with pytest.raises(ValueError, match="same target"):
        fs.get(["a/x", "b/x"], str(tmp_path / "to") + "/")
    assert not (tmp_path / "to").exists()
