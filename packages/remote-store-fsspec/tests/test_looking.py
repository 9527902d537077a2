"""What is there, and what is known of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


def test_info_describes_files_and_folders(fs, backend):
    fs.pipe_file("a/b.csv", b"12345", metadata={"author": "ada"}, content_type="text/csv")
    entry = fs.info("a/b.csv")
    kept = backend.get_file_info("a/b.csv")
    assert entry == {
        "name": "a/b.csv",
        "size": 5,
        "type": "file",
        "mtime": kept.modified_at.timestamp(),
        "LastModified": kept.modified_at,
        "ETag": kept.etag,
        "ContentType": "text/csv",
        "metadata": {"author": "ada"},
    }
    assert fs.info("a") == {"name": "a", "size": 0, "type": "directory"} == fs.info("a/")
    assert fs.info("")["type"] == fs.info("/")["type"] == "directory"
    for missing in ("none", "a/b.csv/", "a/b.csv/c", "none/"):
        with pytest.raises(FileNotFoundError):
            fs.info(missing)


def test_a_file_and_a_folder_of_the_same_name(fs):
    fs.pipe_file("both", b"file")
    fs.pipe_file("both/in", b"inside")
    assert fs.isfile("both")
    assert fs.isdir("both")
    assert fs.exists("both")
    assert fs.info("both")["type"] == "file"
    assert fs.info("both/")["type"] == "directory"
    assert [(entry["name"], entry["type"]) for entry in fs.ls("")] == [("both", "directory"), ("both", "file")]
    assert fs.find("") == ["both", "both/in"]
    assert fs.ls("both", detail=False) == ["both/in"]
    fs.rm("both")
    assert fs.find("") == ["both/in"]
    fs.pipe_file("both", b"file")
    fs.rm("both", recursive=True)
    assert fs.find("") == []


def test_what_exists(tree):
    assert [tree.exists(path) for path in ("", "a", "a/", "a/1", "a/1/", "none", "\0")] == [True] * 4 + [False] * 3
    assert [tree.isfile(path) for path in ("", "a", "a/1", "a/1/", "none", "\0")] == [False] * 2 + [True] + [False] * 3
    assert [tree.isdir(path) for path in ("", "a", "a/", "a/1", "none", "\0")] == [True] * 3 + [False] * 3


def test_times_and_keys_of_versions(fs):
    begun = datetime.now(UTC)
    fs.pipe_file("x", b"one")
    fs.pipe_file("y", b"one")
    assert begun <= fs.modified("x") == fs.created("x") <= datetime.now(UTC)
    with pytest.raises(NotImplementedError, match="folders"):
        fs.modified("")
    before = fs.ukey("x"), fs.checksum("x")
    assert (fs.ukey("x"), fs.checksum("x")) == before
    assert fs.ukey("y") != fs.ukey("x")
    fs.pipe_file("x", b"two")
    assert fs.ukey("x") != before[0]
    assert fs.checksum("x") != before[1]
    assert fs.size("x") == 3
    assert fs.sizes(["x", "y"]) == [3, 3]


def test_a_store_in_memory_signs_no_url(fs):
    with pytest.raises(NotImplementedError, match="PRESIGN"):
        fs.sign("x")


def test_a_folder_exists_with_its_first_file_and_not_before(fs):
    fs.mkdir("new")
    fs.makedirs("new/deep", exist_ok=True)
    fs.makedirs("new/deep")
    assert not fs.exists("new")
    assert not fs.isdir("new")
    assert fs.find("", withdirs=True) == []
    with pytest.raises(FileNotFoundError):
        fs.ls("new")
    with pytest.raises(FileNotFoundError):
        fs.rmdir("new")
    fs.pipe_file("new/deep/file", b"")
    assert fs.isdir("new")
    with pytest.raises(FileExistsError):
        fs.makedirs("new/deep")
    fs.makedirs("new/deep", exist_ok=True)
    with pytest.raises(OSError, match="content|empty"):
        fs.rmdir("new")
    with pytest.raises(NotADirectoryError):
        fs.rmdir("new/deep/file")
    fs.rm("new/deep/file")
    assert not fs.exists("new")


def test_a_closed_store_says_so(fs, backend):
    fs.pipe_file("x", b"1")
    backend.close()
    for call in (fs.ls, fs.info, fs.exists, fs.isfile, fs.isdir, fs.cat_file, fs.open, fs.rm, fs.find, fs.glob):
        with pytest.raises(ConnectionError, match="closed"):
            call("x")
    for mode in ("wb", "xb"):
        with pytest.raises(ConnectionError, match="closed"), fs.open("y", mode) as file:
            file.write(b"1")
