"""What a filesystem over a store does beside opening files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from remote_store.core import InvalidPath, MemoryBackend, PreconditionFailed

ODD = ["*", "[x]", "a?b", "line\n", " ", "a b", "%2F", "a+b", "ü", "#x", "a\\b"]
FOREIGN = ["a//b", "/lead", "a/../b", "a/./b", "x/", "../up"]
TREE = ["a/1", "a/b/2", "a/b/c/3", "a/b.txt", "top"]


@pytest.fixture
def tree(fs):
    for name in TREE:
        fs.pipe_file(name, name.encode())
    return fs


def plant(backend: MemoryBackend, *keys: str) -> None:
    """Put files under keys that no store writes, as other tools may."""
    backend.write("seed", b"planted")
    for key in keys:
        backend._files[key] = backend._files["seed"]
    backend.delete("seed")


def names(entries):
    return [entry["name"] for entry in entries]


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
def test_a_key_of_another_tool_is_read_copied_and_deleted_as_it_is(fs, backend, key):
    plant(backend, key, "b", "lead", "a/b", "up")
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


def test_a_walk_ends_and_finds_every_key_once(fs, backend):
    keys = ["a//b", "a///c", "/lead", "a/../b", "a/./b", "a/b", "*", "a"]
    plant(backend, *keys)
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


def test_find(tree):
    assert tree.find("") == sorted(TREE)
    assert tree.find("a/b") == ["a/b/2", "a/b/c/3"] == tree.find("a/b/")
    assert tree.find("top") == ["top"]
    assert tree.find("none") == []
    assert tree.find("a", maxdepth=1) == ["a/1", "a/b.txt"]
    assert tree.find("a", maxdepth=2) == ["a/1", "a/b.txt", "a/b/2"]
    assert tree.find("a", withdirs=True) == ["a", "a/1", "a/b", "a/b.txt", "a/b/2", "a/b/c", "a/b/c/3"]
    assert tree.find("a", maxdepth=1, withdirs=True) == ["a", "a/1", "a/b", "a/b.txt"]
    assert tree.find("a", maxdepth=2, withdirs=True) == ["a", "a/1", "a/b", "a/b.txt", "a/b/2", "a/b/c"]
    assert tree.find("a", prefix="b") == ["a/b.txt", "a/b/2", "a/b/c/3"]
    assert tree.find("", withdirs=True) == sorted([*TREE, "a", "a/b", "a/b/c"])
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


def test_du(tree):
    assert tree.du("") == sum(map(len, TREE))
    assert tree.du("a/b", total=False) == {"a/b/2": 5, "a/b/c/3": 7}
    assert tree.du("a", maxdepth=1) == 10
    assert tree.du("top") == 3


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


def test_the_root_is_not_deleted(tree):
    for call in (lambda path: tree.rm(path, recursive=True), tree.rm, tree.rm_file, tree.rmdir):
        for root in ("", "/"):
            with pytest.raises((InvalidPath, IsADirectoryError, FileNotFoundError)):
                call(root)
    assert tree.find("") == sorted(TREE)


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


def test_cp(tree):
    tree.cp("top", "copy")
    tree.cp("top", "a/")
    tree.cp(["a/1", "a/b/2"], ["x/one", "x/two"])
    tree.cp(["a/1", "a/b/2"], "flat/")
    tree.cp("a/b", "into/", recursive=True)
    tree.cp("a/b/", "content/", recursive=True)
    tree.cp("a", "nothing")
    new = ["a/top", "content/2", "content/c/3", "copy", "flat/1", "flat/2", "into/b/2", "into/b/c/3", "x/one", "x/two"]
    assert tree.find("") == sorted([*TREE, *new])
    with pytest.raises(FileNotFoundError):
        tree.cp("none", "x")
    with pytest.raises(FileNotFoundError):
        tree.cp(["top", "none"], ["y", "z"])
    tree.cp(["top", "none"], ["y", "z"], on_error="ignore")
    assert tree.cat_file("y") == b"top"
    assert not tree.exists("z")


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


def test_no_download_leaves_its_target(fs, backend, tmp_path):
    plant(backend, "in/../../../evil", "in/fine")
    with pytest.raises(ValueError, match="outside"):
        fs.get("in", str(tmp_path / "target"), recursive=True)
    assert list(tmp_path.rglob("evil")) == []


def test_get_takes_a_name_before_a_pattern(fs, tmp_path):
    fs.pipe({"in/*": b"star", "in/a": b"a", "in/b": b"b"})
    fs.get("in/*", str(tmp_path / "one"))
    assert (tmp_path / "one").read_bytes() == b"star"
    fs.get("in/[ab]", str(tmp_path / "two") + "/")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["a", "b"]


def test_expand_path(tree):
    assert tree.expand_path("top") == ["top"]
    assert tree.expand_path("a/*") == ["a/1", "a/b", "a/b.txt"]
    assert tree.expand_path("a/b", recursive=True) == ["a/b", "a/b/2", "a/b/c", "a/b/c/3"]
    assert tree.expand_path(["top", "a/1"]) == ["a/1", "top"]
    tree.pipe_file("a/*", b"")
    assert tree.expand_path("a/*") == ["a/*"]
    with pytest.raises(FileNotFoundError):
        tree.expand_path("none/*")


def test_a_closed_store_says_so(fs, backend):
    fs.pipe_file("x", b"1")
    backend.close()
    for call in (fs.ls, fs.info, fs.exists, fs.isfile, fs.isdir, fs.cat_file, fs.open, fs.rm, fs.find, fs.glob):
        with pytest.raises(ConnectionError, match="closed"):
            call("x")
    for mode in ("wb", "xb"):
        with pytest.raises(ConnectionError, match="closed"), fs.open("y", mode) as file:
            file.write(b"1")


def test_a_version_can_be_required(fs):
    fs.pipe_file("x", b"one")
    tag = fs.info("x")["ETag"]
    assert fs.cat_file("x", if_match=tag) == b"one"
    fs.pipe_file("x", b"two")
    for call in (lambda: fs.cat_file("x", if_match=tag), lambda: fs.open("x", if_match=tag)):
        with pytest.raises(PreconditionFailed):
            call()


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
