from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSelector, FileSystem, FileType, PyFileSystem, SubTreeFileSystem

from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    DelegatingBackend,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    PermissionDenied,
    Store,
    ThreadedBackend,
)
from remote_store.pyarrow import filesystem

TABLE = pa.table({"year": [2020, 2020, 2021, 2022], "value": [1.5, 2.5, 3.5, 4.5], "name": ["a", "b", "c", "d"]})
LARGE = pa.table({f"c{number}": list(range(number, number + 20_000)) for number in range(10)})


@pytest.fixture(params=["memory", "memory below a root", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    backend = LocalBackend(tmp_path) if request.param == "local" else MemoryBackend()
    with Store(backend, "root" if "below" in request.param else "") as made:
        yield made


@pytest.fixture
def memory() -> Store:
    return Store(MemoryBackend())


@pytest.fixture
def fs(store: Store) -> FileSystem:
    return filesystem(store)


def fail(*done: object) -> NoReturn:
    """Raise, after what was to be done before."""
    raise KeyError("mine")


def write_large(store: Store, path: str = "large.parquet", table: pa.Table = LARGE, rows: int = 5_000) -> int:
    with store.open_atomic(path, overwrite=True) as file:
        pq.write_table(table, file, row_group_size=rows, compression="none", use_dictionary=False)
    return store.head(path).size


# Asking, deleting, moving


def test_get_file_info_says_what_a_path_is(store: Store, fs: FileSystem) -> None:
    store.write("a/b.txt", b"12345")
    asked = ["a/b.txt", "a", "a/", "none", "", "/", "a/b.txt"]
    found = fs.get_file_info(asked)
    assert [info.path for info in found] == asked
    kinds = [FileType.File, *[FileType.Directory] * 2, FileType.NotFound, *[FileType.Directory] * 2, FileType.File]
    assert [info.type for info in found] == kinds
    assert (found[0].size, found[0].mtime) == (5, store.head("a/b.txt").modified_at)
    assert fs.get_file_info("a/b.txt").is_file


def test_a_selector_lists_files_and_the_folders_that_they_make(store: Store, fs: FileSystem) -> None:
    for path in ("a/1", "a/b/2", "a/b/c/3", "other/4"):
        store.write(path, b"x")
    rows = {(info.path, info.type.name) for info in fs.get_file_info(FileSelector("a", recursive=True))}
    assert rows == {
        ("a/1", "File"),
        ("a/b", "Directory"),
        ("a/b/2", "File"),
        ("a/b/c", "Directory"),
        ("a/b/c/3", "File"),
    }
    rows = {(info.path, info.type.name) for info in fs.get_file_info(FileSelector("a/"))}
    assert rows == {("a/1", "File"), ("a/b", "Directory")}
    rows = {(info.path, info.type.name) for info in fs.get_file_info(FileSelector(""))}
    assert rows == {("a", "Directory"), ("other", "Directory")}
    assert fs.get_file_info(FileSelector("none", allow_not_found=True)) == []
    with pytest.raises(FileNotFoundError, match="none"):
        fs.get_file_info(FileSelector("none"))
    with pytest.raises(NotADirectoryError):
        fs.get_file_info(FileSelector("a/1"))


def test_an_empty_store_lists_nothing(fs: FileSystem) -> None:
    assert fs.get_file_info(FileSelector("", recursive=True)) == []
    assert fs.get_file_info("").type == FileType.Directory


KEYS = ["*", "[x]", "newline\n", "ü", "u\u0308", "%2F", " ", "a\\b"]


def test_keys_are_exact(memory: Store) -> None:
    fs = filesystem(memory)
    for key in KEYS:
        with fs.open_output_stream(key) as file:
            file.write(key.encode())
    listed = [info.path for info in fs.get_file_info(FileSelector("", recursive=True))]
    assert sorted(listed) == sorted(KEYS)
    for path in listed:
        assert fs.open_input_stream(path).read() == path.encode()
        assert fs.normalize_path(path) == path
        fs.delete_file(path)
    # A store reads what other tools wrote, but writes canonical keys only.
    with pytest.raises(InvalidPath, match="segment"):
        fs.open_output_stream("a//b")
    with pytest.raises(FileNotFoundError, match="a//b"):
        fs.open_input_file("a//b")


def test_create_dir_does_nothing(store: Store, fs: FileSystem) -> None:
    fs.create_dir("a/b/c", recursive=False)
    assert not store.exists("a")
    fs.create_dir("")


def test_folders_are_deleted_with_their_content_and_nothing_beside(store: Store, fs: FileSystem) -> None:
    for path in ("a/1", "a/b/2", "ab", "z/a/1"):
        store.write(path, b"x")
    fs.delete_dir("a/b")
    fs.delete_dir_contents("a/")
    assert sorted(info.path for info in store.list_files(recursive=True)) == ["ab", "z/a/1"]
    with pytest.raises(FileNotFoundError):
        fs.delete_dir("none")
    fs.delete_dir_contents("none", missing_dir_ok=True)
    with pytest.raises(FileNotFoundError):
        fs.delete_dir_contents("none")
    for method in (fs.delete_dir, fs.delete_dir_contents):
        with pytest.raises(NotADirectoryError) as caught:
            method("ab")
        assert isinstance(caught.value.__cause__, InvalidPath)


@pytest.mark.parametrize("root", ["", "/"])
def test_the_root_is_emptied_only_on_demand(memory: Store, root: str) -> None:
    memory.write("beside", b"x")
    store = memory.child("root")
    for path in ("1", "a/2", "a/b/3"):
        store.write(path, b"x")
    fs = filesystem(store)
    with pytest.raises(ValueError, match="accept_root_dir"):
        fs.delete_dir_contents(root)
    with pytest.raises((ValueError, OSError), match="root"):
        fs.delete_dir(root)
    assert len(list(store.list_files(recursive=True))) == 3
    fs.delete_dir_contents(root, accept_root_dir=True)
    assert [info.path for info in memory.list_files(recursive=True)] == ["beside"]


def test_files_are_moved_copied_and_deleted(store: Store, fs: FileSystem) -> None:
    store.write("a", b"1")
    store.write("b", b"2")
    store.write("folder/c", b"3")
    fs.copy_file("a", "b")
    fs.move("a", "c")
    assert (store.read_bytes("b"), store.read_bytes("c"), store.exists("a")) == (b"1", b"1", False)
    fs.delete_file("b")
    for call in (lambda: fs.delete_file("b"), lambda: fs.move("b", "d"), lambda: fs.copy_file("b", "d")):
        with pytest.raises(FileNotFoundError, match="'b'"):
            call()
    for call in (
        lambda: fs.delete_file("folder"),
        lambda: fs.move("folder", "d"),
        lambda: fs.copy_file("folder", "d"),
        lambda: fs.open_input_file("folder"),
        lambda: fs.open_input_stream("folder"),
    ):
        with pytest.raises(IsADirectoryError, match="folder") as caught:
            call()
        assert isinstance(caught.value.__cause__, InvalidPath)
    assert store.read_bytes("folder/c") == b"3"


# The filesystem as an object


def test_filesystems_of_the_same_files_are_equal(memory: Store, tmp_path: Path) -> None:
    fs = filesystem(memory)
    assert fs == filesystem(memory)
    assert fs == filesystem(Store(memory.backend))
    assert fs != filesystem(memory.child("a"))
    assert fs != filesystem(memory, whole_file_size=0)
    assert fs != filesystem(Store(MemoryBackend()))
    assert fs != pa.fs.LocalFileSystem()
    assert filesystem(Store(LocalBackend(tmp_path))) == filesystem(Store(LocalBackend(tmp_path)))
    assert hash(fs.handler) == hash(filesystem(memory).handler)
    assert fs.type_name == "py::remote-store+memory"


def test_a_filesystem_pickles_with_its_store(store: Store, fs: FileSystem) -> None:
    pq.write_table(TABLE, "t.parquet", filesystem=fs)
    found = ds.dataset("t.parquet", filesystem=fs)
    copy = pickle.loads(pickle.dumps(fs))
    assert isinstance(copy, PyFileSystem)
    assert pq.read_table("t.parquet", filesystem=copy).equals(TABLE)
    assert pickle.loads(pickle.dumps(found)).to_table().equals(TABLE)


def test_a_subtree_works(memory: Store) -> None:
    fs = SubTreeFileSystem("a/b", filesystem(memory))
    pq.write_table(TABLE, "t.parquet", filesystem=fs)
    assert memory.exists("a/b/t.parquet")
    assert pq.read_table("t.parquet", filesystem=fs).equals(TABLE)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (AsyncStore(ThreadedBackend(MemoryBackend())), "sync backend of the same lane"),
        (MemoryBackend(), r"pass Store\(backend\)"),
        ("memory://", "needs a Store, not str"),
    ],
)
def test_something_else_than_a_store_is_refused(wrong: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        filesystem(wrong)  # type: ignore[arg-type]


def test_a_negative_size_is_refused(memory: Store) -> None:
    with pytest.raises(ValueError, match="-1"):
        filesystem(memory, whole_file_size=-1)


def test_a_closed_store_is_a_typed_error(memory: Store) -> None:
    write_large(memory)
    fs = filesystem(memory, whole_file_size=0)
    found = ds.dataset("large.parquet", filesystem=fs)
    memory.close()
    for call in (
        lambda: fs.get_file_info("large.parquet"),
        lambda: pq.read_table("large.parquet", filesystem=fs),
        found.to_table,
        lambda: fs.open_output_stream("x"),
        lambda: fs.delete_file("large.parquet"),
    ):
        with pytest.raises(BackendUnavailable, match="closed") as caught:
            call()
        assert isinstance(caught.value, OSError)


class Forbidden(DelegatingBackend):
    def read_range(self, path, start, length, **options):
        try:
            fail()
        except KeyError as error:
            raise PermissionDenied("no", path=path) from error


def test_errors_come_through_arrows_threads_with_type_and_cause(memory: Store) -> None:
    write_large(memory)
    fs = filesystem(Store(Forbidden(memory.backend)), whole_file_size=0)
    for call in (
        lambda: pq.read_table("large.parquet", filesystem=fs),
        lambda: ds.dataset("large.parquet", filesystem=fs).to_table(),
        lambda: fs.open_input_file("large.parquet").read(),
    ):
        with pytest.raises(PermissionError, match="no") as caught:
            call()
        assert isinstance(caught.value, PermissionDenied)
        assert (caught.value.path, type(caught.value.__cause__)) == ("large.parquet", KeyError)


def test_a_missing_file_is_what_pyarrow_says_too(fs: FileSystem) -> None:
    for call in (
        lambda: fs.open_input_file("none"),
        lambda: fs.open_input_stream("none"),
        lambda: pq.read_table("none", filesystem=fs),
        lambda: pq.ParquetFile("none", filesystem=fs),
        lambda: ds.dataset("none", filesystem=fs),
    ):
        with pytest.raises(FileNotFoundError, match="none"):
            call()
