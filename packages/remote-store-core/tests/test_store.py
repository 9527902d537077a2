from __future__ import annotations

import inspect
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from remote_store.core import (
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    FolderEntry,
    FolderInfo,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    RemotePath,
    Store,
)


def put(store: Store, key: str, content: bytes = b"x") -> None:
    """A file as another tool wrote it, under a key relative to the root."""
    backend = cast("MemoryBackend", store.backend)
    backend.write("template", content)
    prefix = f"{store.root_path}/" if store.root_path else ""
    backend._files[prefix + key] = backend._files.pop("template")


def test_a_store_needs_a_backend_of_its_own_kind() -> None:
    with pytest.raises(TypeError, match="from_url"):
        Store("bucket")  # type: ignore[arg-type]


def test_a_file_goes_through_its_whole_life(store: Store) -> None:
    result = store.write("a/b.txt", b"hello", metadata={"k": "v"}, content_type="text/x")
    assert (result.path, result.size, result.metadata) == ("a/b.txt", 5, {"k": "v"})
    assert store.exists("a/b.txt")
    assert store.is_file("a/b.txt")
    assert store.is_folder("a")
    assert not store.is_folder("a/b.txt")
    assert store.read_bytes("a/b.txt") == b"hello"
    assert store.read_range("a/b.txt", 1, 3) == b"ell"
    assert store.read_text("a/b.txt") == "hello"
    info = store.head("a/b.txt")
    assert info == store.get_file_info("a/b.txt")
    assert (info.path, info.name, info.size, info.content_type) == ("a/b.txt", "b.txt", 5, "text/x")
    assert (info.metadata, info.etag) == ({"k": "v"}, result.etag)
    store.copy("a/b.txt", "c/d.txt")
    store.move("c/d.txt", "e.txt")
    assert sorted(file.path for file in store.list_files(recursive=True)) == ["a/b.txt", "e.txt"]
    assert list(store.list_folders()) == [FolderEntry("a", "a")]
    assert sorted(child.path for child in store.iter_children()) == ["a", "e.txt"]
    totals = store.get_folder_info("a")
    assert (totals.path, totals.file_count, totals.total_size) == ("a", 1, 5)
    store.delete("e.txt")
    store.delete_folder("a", recursive=True)
    assert list(store.iter_children()) == []
    assert store.backend.exists("other/stranger") == bool(store.root_path)


def test_answers_carry_remote_paths(store: Store) -> None:
    written = store.write("a/b", b"")
    children = [*store.list_files("a"), *store.list_folders(), *store.iter_children(), *store.glob("**")]
    totals = store.get_folder_info("a")
    assert {type(item.path) for item in (*children, written, totals, store.head("a/b"))} == {RemotePath}


@pytest.mark.parametrize("typed", ["a//b", "/a/b", "./a/./b/", "a/b"])
def test_typed_paths_are_made_canonical(store: Store, typed: str) -> None:
    store.write(typed, b"1")
    assert store.read_bytes("a/b") == b"1"


@pytest.mark.parametrize("key", ["a//b", "/lead", "a/./b", "a/../b", "tab\there", "end\n", "%2F", "*?[", "./x", "."])
def test_keys_of_other_tools_are_reached_by_what_a_listing_returned(store: Store, key: str) -> None:
    put(store, key)
    [file] = store.list_files(recursive=True)
    assert file.path == key
    assert store.read_bytes(file.path) == b"x"
    assert store.head(file.path).path == key
    store.copy(file.path, "copy")
    store.delete(file.path)
    assert store.read_bytes("copy") == b"x"
    assert not store.exists(file.path)


def test_foreign_folders_can_be_listed_and_made_a_store() -> None:
    store = Store(MemoryBackend(), "team")
    put(store, "a//b")
    child = store.child(RemotePath.exact("a//"))
    assert [file.path for file in child.list_files()] == ["b"]
    child = store.child("a")
    assert [file.path for file in child.list_files(recursive=True)] == ["/b"]
    assert [file.path for file in store.list_files(RemotePath.exact("a//"))] == ["a//b"]


@pytest.mark.parametrize("path", ["", ".", RemotePath.exact("")])
def test_the_root_is_a_folder_whatever_is_in_it(path: str) -> None:
    store = Store(MemoryBackend(), "team")
    assert store.exists(path)
    assert store.is_folder(path)
    assert not store.is_file(path)
    assert store.get_folder_info(path) == FolderInfo("", 0, 0)
    store.write("a/b", b"123")
    assert store.get_folder_info(path).total_size == 3
    assert store.get_folder_info(path).path == ""
    assert [folder.path for folder in store.list_folders(path)] == ["a"]
    assert store.child(path).root_path == "team"
    assert store.native_path(path) == "memory://team"


@pytest.mark.parametrize("path", ["", ".", "/", RemotePath.exact("")])
@pytest.mark.parametrize("root", ["", "team"])
def test_nothing_is_done_to_the_root_as_a_file(path: str, root: str) -> None:
    backend = MemoryBackend()
    backend.write("team/a", b"")
    store = Store(backend, root)
    for call in file_shaped(store, path):
        with pytest.raises(InvalidPath) as caught:
            call()
        assert caught.value.path == path
    assert backend.exists("team/a")


@pytest.mark.parametrize("path", ["../x", "a/..", "a/../b", "team/../x", "nul\0"])
def test_a_malformed_path_is_refused_as_it_was_typed(path: str, store: Store) -> None:
    probes: list[Callable[[], object]] = [lambda: store.list_files(path), lambda: store.exists(path)]
    for call in file_shaped(store, path) + probes:
        with pytest.raises(InvalidPath) as caught:
            call()
        assert caught.value.path == path


def file_shaped(store: Store, path: str) -> list[Callable[[], object]]:
    return [
        lambda: store.read(path),
        lambda: store.read_seekable(path),
        lambda: store.read_bytes(path),
        lambda: store.read_range(path, 0, 1),
        lambda: store.read_text(path),
        lambda: store.write(path, b""),
        lambda: store.write_text(path, ""),
        lambda: store.write_atomic(path, b""),
        lambda: store.open_atomic(path),
        lambda: store.upload(io.BytesIO(), path),
        lambda: store.upload("no such local file", path),
        lambda: store.download(path, "no such folder/file"),
        lambda: store.delete(path, missing_ok=True),
        lambda: store.delete_folder(path, recursive=True, missing_ok=True),
        lambda: store.head(path),
        lambda: store.copy(path, "b"),
        lambda: store.copy("b", path),
        lambda: store.move(path, "b"),
        lambda: store.move("b", path),
    ]


@pytest.mark.parametrize("path", [None, 5, b"a", Path("a")])
def test_a_path_of_another_type_is_a_type_error(path: Any) -> None:
    store = Store(MemoryBackend(), "team")
    folders: list[Callable[[], object]] = [lambda: store.list_files(path), lambda: store.child(path)]
    for call in file_shaped(store, path) + folders:
        with pytest.raises(TypeError):
            call()


def test_a_block_commits_with_all_its_options(store: Store) -> None:
    store.write("x", b"old")
    with store.open_atomic("x", overwrite=True, metadata={"a": "b"}, content_type="text/y") as file:
        file.write(b"new")
    assert store.read_bytes("x") == b"new"
    assert (store.head("x").metadata, store.head("x").content_type) == ({"a": "b"}, "text/y")


def test_a_block_may_stop_early_with_any_exception(store: Store) -> None:
    with pytest.raises(StopIteration), store.open_atomic("x"):
        raise StopIteration
    assert not store.exists("x")


def test_listings_are_limited_by_depth_and_by_name(store: Store) -> None:
    inner = store.child("in")
    for path in ["a.txt", "b.csv", "1/c.txt", "1/2/d.txt", "1/2/3/E.TXT", "1/2/3/.txt"]:
        inner.write(path, b"")

    def paths(**options: Any) -> list[str]:
        return sorted(file.path for file in inner.list_files(**options))

    assert paths() == ["a.txt", "b.csv"]
    assert paths(recursive=True) == ["1/2/3/.txt", "1/2/3/E.TXT", "1/2/d.txt", "1/c.txt", "a.txt", "b.csv"]
    assert paths(max_depth=0, recursive=True) == ["a.txt", "b.csv"]
    assert paths(max_depth=1) == ["1/c.txt", "a.txt", "b.csv"]
    assert paths(max_depth=2, pattern="*.txt") == ["1/2/d.txt", "1/c.txt", "a.txt"]
    assert paths(recursive=True, pattern="[!abc]*") == ["1/2/3/.txt", "1/2/3/E.TXT", "1/2/d.txt"]


@pytest.mark.parametrize("pattern", ["1/*", "**/*.txt", "[/]"])
def test_a_pattern_of_names_that_has_a_slash_is_refused(store: Store, pattern: str) -> None:
    with pytest.raises(InvalidPath, match="use glob"):
        store.list_files(recursive=True, pattern=pattern)


def test_arguments_of_listings_are_checked_at_the_call(store: Store) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        store.list_files(max_depth=-1)
    wrong: Any
    for wrong in ("1", 1.0, True):
        with pytest.raises(TypeError, match="max_depth must be an int"):
            store.list_files(max_depth=wrong)
    with pytest.raises(InvalidPath):
        store.list_folders("..")
    with pytest.raises(InvalidPath):
        store.iter_children("a/..")
    with pytest.raises(TypeError):
        store.list_files(pattern=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidPath, match="'z-a'"):
        store.list_files(pattern="[z-a]*")
    for pattern in ("", "/a", "a//b", "../*", "."):
        with pytest.raises(InvalidPath) as caught:
            store.glob(pattern)
        assert caught.value.path == pattern


def test_a_pattern_counts_from_the_root_and_wildcards_of_the_root_are_letters(store: Store) -> None:
    store.write("a/1.txt", b"")
    store.write("a/b/2.txt", b"")
    store.write("3.txt", b"")
    if store.root_path:
        store.backend.write("xyz/4.txt", b"")
        store.backend.write("xx[y]z/5.txt", b"")
    assert [file.path for file in store.glob("a/*.txt")] == ["a/1.txt"]
    assert sorted(file.path for file in store.glob("**/*.txt")) == ["3.txt", "a/1.txt", "a/b/2.txt"]
    assert sorted(file.path for file in store.glob("**")) == ["3.txt", "a/1.txt", "a/b/2.txt"]


def test_a_child_sees_its_folder_only_and_never_a_sibling_with_the_same_beginning(store: Store) -> None:
    store.write("dir/x", b"1")
    store.write("dir2/x", b"2")
    child = store.child("dir")
    assert [file.path for file in child.list_files(recursive=True)] == ["x"]
    assert child.child("deep").root_path.endswith("dir/deep")
    assert child.read_bytes("x") == b"1"


def test_text_is_kept_as_it_is(store: Store) -> None:
    text = "größe\r\nzwei\n"
    store.write_text("t", text, content_type="text/plain", metadata={"a": "1"})
    assert store.read_bytes("t") == text.encode()
    assert store.read_text("t") == text
    assert store.head("t").content_type == "text/plain"
    store.write_text("t", "ä", encoding="latin-1", overwrite=True)
    assert store.read_bytes("t") == b"\xe4"
    with pytest.raises(UnicodeDecodeError):
        store.read_text("t")
    assert store.read_text("t", errors="replace") == "\ufffd"
    with pytest.raises(UnicodeEncodeError):
        store.write_text("u", "€", encoding="ascii")
    store.write_text("u", "€", encoding="ascii", errors="replace")
    assert store.read_text("u") == "?"


def test_text_and_bytes_are_not_mixed_up(store: Store) -> None:
    with pytest.raises(TypeError, match="write"):
        store.write_text("t", b"bytes")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.write("t", "text")  # type: ignore[arg-type]
    for content in (io.StringIO("text"), io.TextIOWrapper(io.BytesIO(b"text"))):
        with pytest.raises(TypeError, match="text"):
            store.upload(content, "t", progress=print)  # type: ignore[arg-type]
    assert not store.exists("t")


def test_native_paths_lead_there_and_back(store: Store) -> None:
    for path in ("a/b", "x y", ""):
        assert store.to_key(store.native_path(path)) == path
    assert type(store.to_key(store.native_path("a"))) is RemotePath
    plan = store.resolve("a/b")
    assert plan.native_path == store.native_path("a/b")
    assert plan.key.endswith("a/b")
    with pytest.raises(InvalidPath):
        store.to_key("elsewhere://x")


@pytest.mark.parametrize("native", ["memory://teammate/x", "memory://", "memory://other"])
def test_a_native_path_outside_the_root_is_refused(native: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        Store(MemoryBackend(), "team").to_key(native)
    assert caught.value.path == native


def test_capabilities_are_the_backends(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    backend.capabilities = backend.capabilities - {Capability.USER_METADATA}
    store = Store(backend, "team")
    assert store.capabilities == backend.capabilities
    assert store.supports(Capability.READ)
    assert not store.supports(Capability.USER_METADATA)
    with pytest.raises(CapabilityNotSupported) as caught:
        store.write("x", b"", metadata={"a": "b"})
    assert caught.value.capability.lower() == "user_metadata"
    with pytest.raises(CapabilityNotSupported):
        store.unwrap(dict)


def test_an_owner_closes_its_backend_and_a_child_does_not() -> None:
    store = Store(MemoryBackend(), "team")
    with store.child("a") as child:
        child.write("x", b"")
    assert store.exists("a/x")
    store.ping()
    store.check_health()
    with store:
        pass
    store.close()
    for call in (store.ping, lambda: store.exists(""), lambda: child.read("x"), store.list_files):
        with pytest.raises(BackendUnavailable):
            call()


def test_a_guest_leaves_the_backend_open() -> None:
    backend = MemoryBackend()
    with Store(backend, owns_backend=False) as store:
        store.write("x", b"")
    assert backend.read_bytes("x") == b""


def test_a_store_shows_its_backend_and_its_root() -> None:
    store = Store(MemoryBackend(), "team/a")
    assert repr(store) == "Store(MemoryBackend(), root_path='team/a')"
    assert Store.__module__ == "remote_store.core"


def test_a_store_pickles_with_its_root() -> None:
    store = Store(MemoryBackend(), "team")
    store.write("x", b"1")
    copy = pickle.loads(pickle.dumps(store))
    assert copy.read_bytes("x") == b"1"


def test_every_method_of_a_backend_is_a_method_of_the_store() -> None:
    def members(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}

    # `upload` calls `resume_upload` with `resume=True`.
    assert members(Backend) <= members(Store) | {"name", "resume_upload"}
