"""Keys are names, byte for byte, and no patterns."""

from __future__ import annotations

import pytest

from remote_store.core import InvalidPath

ODD = ["*", "[x]", "a?b", "line\n", " ", "a b", "%2F", "a+b", "ü", "#x", "a\\b"]
FOREIGN = ["a//b", "/lead", "a/../b", "a/./b", "x/", "../up"]


@pytest.mark.parametrize("key", ODD)
def test_a_key_is_a_name_and_no_pattern(fs, key):
    others = ["ax", "xa", "aab", "a1b", "line", "other"]
    for name in [key, *others]:
        fs.pipe_file(f"in/{name}", name.encode())
    assert fs.cat_file(f"in/{key}") == key.encode()
    assert fs.cat(f"in/{key}") == key.encode()
    assert fs.info(f"in/{key}")["name"] == f"in/{key}"
    assert f"in/{key}" in fs.ls("in", detail=False)
    fs.cp(f"in/{key}", f"to/{key}")
    fs.mv(f"in/{key}", f"moved/{key}")
    assert fs.find("to") == [f"to/{key}"]
    assert fs.find("moved") == [f"moved/{key}"]
    fs.rm(f"to/{key}")
    assert sorted(fs.find("in") + fs.find("to")) == sorted(f"in/{name}" for name in others)
    assert fs.cat_file(f"moved/{key}") == key.encode()


@pytest.mark.parametrize("pattern", ["in/*", "in/?", "in/[a-c]", "**", "*"])
def test_rm_cp_and_mv_never_take_a_pattern(fs, pattern):
    for name in "abc":
        fs.pipe_file(f"in/{name}", b"")
    for call in (fs.rm, lambda path: fs.cp(path, "to/"), lambda path: fs.mv(path, "to/")):
        with pytest.raises(FileNotFoundError):
            call(pattern)
    with pytest.raises(FileNotFoundError):
        fs.rm(pattern, recursive=True)
    with pytest.raises(FileNotFoundError):
        fs.cp(pattern, "to/", recursive=True)
    assert fs.find("") == ["in/a", "in/b", "in/c"]


@pytest.mark.parametrize("key", FOREIGN)
def test_a_key_of_another_tool_is_read_copied_and_deleted_as_it_is(fs, backend, plant, key):
    plant(key, "b", "lead", "a/b", "up")
    fs.pipe_file("b", b"another")
    assert fs.cat_file(key) == b"planted"
    with fs.open(key) as file:
        assert file.read() == b"planted"
    fs.cp_file(key, "copy")
    assert fs.cat_file("copy") == b"planted"
    fs.rm_file(key)
    assert key not in backend._files
    assert {"b", "lead", "a/b", "up", "copy"} == set(backend._files)
    with pytest.raises(InvalidPath):
        fs.pipe_file(key, b"")


def test_a_walk_ends_and_finds_every_key_once(fs, plant):
    keys = ["a//b", "a///c", "/lead", "a/../b", "a/./b", "a/b", "*", "a"]
    plant(*keys)
    found = [
        entry["name"] for _, _, files in fs.walk("", detail=True) for entry in files.values() if entry["name"] != ""
    ]
    assert sorted(found) == sorted(keys)
    assert fs.find("") == sorted(keys)
    assert fs.ls("a//", detail=False) == ["a///", "a//b"]
    assert fs.ls("a", detail=False) == ["a/.", "a/..", "a//", "a/b"]


def test_a_url_is_stripped_of_its_protocol_and_its_bucket_only(fs):
    strip = fs._strip_protocol
    assert strip("remote-store://a//b/*?x=1#y%20") == "a//b/*?x=1#y%20"
    assert strip("remote-store+s3://bucket/a//b ") == "a//b "
    assert strip("remote-store+file:///srv/data") == "srv/data"
    assert strip("remote-store+memory://bucket") == ""
    assert strip(["remote-store:///a/", "b\n", "s3://x/y"]) == ["/a/", "b\n", "s3://x/y"]
    with pytest.raises(TypeError, match="must be a str, not int"):
        strip(1)


def test_no_download_leaves_its_target(fs, plant, tmp_path):
    plant("in/../../../evil", "in/fine")
    with pytest.raises(ValueError, match="outside"):
        fs.get("in", str(tmp_path / "target"), recursive=True)
    assert list(tmp_path.rglob("evil")) == []
