from __future__ import annotations

import errno
import inspect
import io
import os
import pickle
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import pytest

from remote_store.core import (
    AlreadyExists,
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    FileInfo,
    FolderEntry,
    FolderInfo,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RemotePath,
    RemoteStoreError,
    Store,
)
from remote_store.core.files import replacing

ROOTS = ["", "team", "team/a b", "x*[y]?"]


class BrokenFile(io.BytesIO):
    """A file whose every use fails after it was opened."""

    def __init__(self, error: Exception, content: bytes = b"") -> None:
        super().__init__(content)
        self.error = error

    def fail(self, *args: Any) -> Any:
        raise self.error

    read = readinto = readline = seek = write = read1 = truncate = peek = fail


class Broken(MemoryBackend):
    """A backend that fails late: in streams, in listings, at the end of a block."""

    def __init__(self, error: RemoteStoreError) -> None:
        super().__init__()
        self.error = error
        self.closed_rows = False

    def read(self, path: str) -> BinaryIO:
        return BrokenFile(self.error)

    read_seekable = read

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return self.rows()

    def rows(self) -> Iterator[FileInfo]:
        try:
            yield FileInfo("team/first", "first", 1)
            yield FileInfo("team/second", "second", 1)
            raise self.error
        finally:
            self.closed_rows = True

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        yield io.BytesIO()
        raise self.error


@pytest.fixture(params=ROOTS)
def store(request: pytest.FixtureRequest) -> Store:
    backend = MemoryBackend()
    if request.param:
        backend.write("other/stranger", b"")
        backend.write("teammate/x", b"")
    return Store(backend, request.param)


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


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_errors_speak_of_paths_below_the_root(store: Store) -> None:
    store.write("a", b"")
    store.write("f/g", b"")
    cases: list[tuple[Callable[[], object], type[RemoteStoreError], str]] = [
        (lambda: store.read("no/such"), NotFound, "no/such"),
        (lambda: store.read_seekable("no"), NotFound, "no"),
        (lambda: store.read_bytes("f"), InvalidPath, "f"),
        (lambda: store.write("a", b""), AlreadyExists, "a"),
        (lambda: store.write_atomic("a", io.BytesIO()), AlreadyExists, "a"),
        (lambda: store.open_atomic("a").__enter__(), AlreadyExists, "a"),
        (lambda: store.delete("no"), NotFound, "no"),
        (lambda: store.delete_folder("a"), InvalidPath, "a"),
        (lambda: store.get_file_info("no"), NotFound, "no"),
        (lambda: store.get_folder_info("no"), NotFound, "no"),
        (lambda: store.copy("no", "b"), NotFound, "no"),
        (lambda: store.move("f/g", "a"), AlreadyExists, "a"),
    ]
    for call, kind, path in cases:
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.path == path
        assert str(caught.value).startswith(repr(path))
        assert caught.value.backend == "memory"


@pytest.mark.parametrize(
    "path, seen", [("team/x", "x"), ("team", ""), ("teammate/x", "teammate/x"), ("", ""), (None, None)]
)
def test_paths_outside_the_root_stay_as_they_are(path: str | None, seen: str | None) -> None:
    error = BackendUnavailable("down", path=path, paths=("team/a", "other/b"))
    with pytest.raises(BackendUnavailable) as caught:
        list(Store(Broken(error), "team").list_files())
    assert caught.value is error
    assert (error.path, error.paths) == (seen, ("a", "other/b"))


def test_a_listing_that_breaks_later_speaks_of_paths_below_the_root_and_is_closed() -> None:
    backend = Broken(BackendUnavailable("broke", path="team/sub"))
    rows = Store(backend, "team").list_files()
    assert [next(rows).path, next(rows).path] == ["first", "second"]
    with pytest.raises(BackendUnavailable) as caught:
        next(rows)
    assert caught.value.path == "sub"
    assert backend.closed_rows


def test_a_listing_left_early_closes_the_backends() -> None:
    backend = Broken(BackendUnavailable())
    rows = Store(backend, "team").list_files()
    assert next(rows).path == "first"
    rows.close()  # type: ignore[attr-defined]
    assert backend.closed_rows


@pytest.mark.parametrize("opening", ["read", "read_seekable"])
def test_a_stream_that_breaks_later_speaks_of_paths_below_the_root(opening: str) -> None:
    uses: list[Callable[[Any], object]] = [
        lambda file: file.read(),
        lambda file: file.read(5),
        lambda file: file.read1(5),
        lambda file: file.readinto(bytearray(5)),
        lambda file: file.readinto1(bytearray(5)),
        lambda file: file.readline(),
        lambda file: file.readlines(),
        lambda file: file.seek(0),
        next,
        list,
        lambda file: io.TextIOWrapper(file).read(),
        lambda file: file.write(b""),
        lambda file: file.truncate(),
        lambda file: file.peek(1),
    ]
    for use in uses:
        error = PreconditionFailed("changed", path="team/a/x")
        file = getattr(Store(Broken(error), "team"), opening)("a/x")
        with pytest.raises(PreconditionFailed) as caught:
            use(file)
        assert caught.value is error
        assert error.path == "a/x"


def test_without_a_root_the_stream_is_the_backends_own() -> None:
    backend = Broken(BackendUnavailable())
    assert type(Store(backend).read("x")) is BrokenFile
    assert type(Store(backend).read_seekable("x")) is BrokenFile


def test_the_stream_of_a_scoped_store_is_a_real_file() -> None:
    store = Store(MemoryBackend(), "team")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("in.txt", "inside")
    store.write("a.zip", archive.getvalue())
    store.write("lines", b"one\ntwo\n\nlast")
    with store.read_seekable("a.zip") as file, zipfile.ZipFile(file) as packed:
        assert packed.read("in.txt") == b"inside"
    with store.read("lines") as file:
        assert isinstance(file, io.BufferedIOBase)
        assert (file.readable(), file.writable(), file.seekable(), file.closed) == (True, False, True, False)
        assert list(file) == [b"one\n", b"two\n", b"\n", b"last"]
        assert file.seek(1) == file.tell() == 1
        buffer = bytearray(4)
        assert file.readinto(buffer) == 4
        assert (bytes(buffer), file.readline(), file.peek()[:1]) == (b"ne\nt", b"wo\n", b"\n")  # type: ignore[attr-defined]
        assert list(io.TextIOWrapper(file)) == ["\n", "last"]
    assert file.closed
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_closing_or_dropping_the_stream_releases_the_backends() -> None:
    class Watched(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            self.file = io.BytesIO(b"x")
            return self.file

    backend = Watched()
    with Store(backend, "team").read("x"):
        assert not backend.file.closed
    assert backend.file.closed
    Store(backend, "team").read("x")
    assert backend.file.closed


class Stream(io.RawIOBase):
    """A stream of the caller that fails with an error of its own."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        raise self.error


CALLERS = [
    NotFound("mine", path="team/elsewhere", backend="memory"),
    NotFound("mine", path="unrelated"),
    NotFound("mine", paths=("team/a", "team/b")),
    OSError(errno.EIO, "disk"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", CALLERS, ids=repr)
@pytest.mark.parametrize("method", ["write", "write_atomic", "upload"])
def test_an_error_of_the_callers_stream_passes_unchanged(method: str, error: BaseException) -> None:
    store = Store(MemoryBackend(), "team")
    said = (getattr(error, "path", None), getattr(error, "paths", None))
    calls = {
        "write": lambda: store.write("x", cast("BinaryIO", Stream(error))),
        "write_atomic": lambda: store.write_atomic("x", cast("BinaryIO", Stream(error))),
        "upload": lambda: store.upload(cast("BinaryIO", Stream(error)), "x", progress=print),
    }
    with pytest.raises(type(error)) as caught:
        calls[method]()
    assert caught.value is error
    assert (getattr(error, "path", None), getattr(error, "paths", None)) == said
    assert not store.exists("x")


@pytest.mark.parametrize(
    "path, seen", [("team/a/b", "a/b"), ("team/a", "a"), ("team", ""), ("team/a/b/c", "team/a/b/c")]
)
def test_a_write_that_meets_a_file_above_it_says_which(path: str, seen: str) -> None:
    class Strict(MemoryBackend):
        def write(self, path: str, content: object, **options: Any) -> NoReturn:
            raise error

    error = InvalidPath("a file is in the way", path=path)
    with pytest.raises(InvalidPath) as caught:
        Store(Strict(), "team").write("a/b", b"")
    assert caught.value is error
    assert error.path == seen


def test_an_error_that_another_store_has_said_is_not_said_again() -> None:
    error = PreconditionFailed("changed", path="team/team/x", backend="memory")
    source = Store(Broken(error), "team").read("team/x")
    with pytest.raises(PreconditionFailed) as caught:
        Store(MemoryBackend(), "team").write("x", source)
    assert caught.value is error
    assert error.path == "team/x"


def test_an_error_of_the_block_passes_unchanged_and_nothing_is_written() -> None:
    store = Store(MemoryBackend(), "team")
    error = NotFound("mine", path="team/x", backend="memory")
    with pytest.raises(NotFound) as caught, store.open_atomic("x") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"half")
        raise error
    assert caught.value is error
    assert error.path == "team/x"
    assert not store.exists("x")


def test_an_error_at_the_end_of_a_block_speaks_of_paths_below_the_root() -> None:
    store = Store(Broken(AlreadyExists("late", path="team/x")), "team")
    with pytest.raises(AlreadyExists) as caught, store.open_atomic("x") as file:
        file.write(b"whole")
    assert caught.value.path == "x"


def test_another_writer_who_was_faster_is_an_error_below_the_root(store: Store) -> None:
    with pytest.raises(AlreadyExists) as caught, store.open_atomic("x") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"late")
        store.write("x", b"early")
    assert caught.value.path == "x"
    assert store.read_bytes("x") == b"early"


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
    assert paths(recursive=True, pattern="1/*") == []


def test_arguments_of_listings_are_checked_at_the_call(store: Store) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        store.list_files(max_depth=-1)
    with pytest.raises(InvalidPath):
        store.list_folders("..")
    with pytest.raises(InvalidPath):
        store.iter_children("a/..")
    with pytest.raises(TypeError):
        store.list_files(pattern=5)  # type: ignore[arg-type]
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


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 2_000_003])
def test_an_upload_reports_what_was_read(store: Store, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "local").write_bytes(content)
    seen: list[int] = []
    options: dict[str, Any] = {"metadata": {"a": "b"}, "content_type": "text/z"}
    result = store.upload(tmp_path / "local", "up", progress=seen.append, **options)
    assert (result.path, result.size) == ("up", size)
    assert store.read_bytes("up") == content
    assert seen == sorted(set(seen))
    assert seen[-1:] == ([size] if size else [])
    assert (store.head("up").metadata, store.head("up").content_type) == ({"a": "b"}, "text/z")


def test_an_upload_takes_a_stream_from_where_it_stands_and_leaves_it_open(store: Store) -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    store.upload(stream, "up")
    assert (store.read_bytes("up"), stream.closed, stream.tell()) == (b"456789", False, 10)
    store.upload(io.BytesIO(b"again"), "up", overwrite=True, progress=lambda done: None)
    assert store.read_bytes("up") == b"again"
    with pytest.raises(AlreadyExists):
        store.upload(stream, "up")


def test_an_upload_of_no_file_is_the_systems_own_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        store.upload(str(tmp_path / "none"), "up")
    assert not isinstance(caught.value, RemoteStoreError)
    assert not store.exists("up")


@pytest.mark.parametrize("size", [0, 1, 512 * 1024, 2_000_003])
def test_a_download_reports_what_was_written(store: Store, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    store.write("down", content)
    seen: list[int] = []
    assert store.download("down", tmp_path / "local", progress=seen.append) == size
    assert (tmp_path / "local").read_bytes() == content
    assert seen == sorted(set(seen))
    assert seen[-1:] == ([size] if size else [])
    assert names(tmp_path) == ["local"]
    (tmp_path / "plain").touch()
    assert (tmp_path / "local").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_download_replaces_only_when_told_to(store: Store, tmp_path: Path) -> None:
    store.write("down", b"new")
    local = tmp_path / "local"
    local.write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        store.download("down", str(local))
    assert (caught.value.errno, local.read_bytes()) == (errno.EEXIST, b"old")
    store.download("down", str(local), overwrite=True)
    assert local.read_bytes() == b"new"
    for overwrite in (True, False):
        with pytest.raises(IsADirectoryError):
            store.download("down", tmp_path, overwrite=overwrite)
    with pytest.raises(FileNotFoundError):
        store.download("down", tmp_path / "no" / "folder")
    assert names(tmp_path) == ["local"]


def test_of_two_downloads_to_one_name_the_later_loses(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), replacing(tmp_path / "x", overwrite=False) as file:  # noqa: PT012 - the block is what is tested
        file.write(b"late")
        (tmp_path / "x").write_bytes(b"early")
    assert (tmp_path / "x").read_bytes() == b"early"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("taken", [True, False])
def test_a_file_system_without_links_does_not_replace_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    expected: AbstractContextManager[object] = pytest.raises(FileExistsError) if taken else contextmanager(iter)([0])
    with expected, replacing(tmp_path / "x", overwrite=False) as file:
        file.write(b"late")
        if taken:
            (tmp_path / "x").write_bytes(b"early")
    assert (tmp_path / "x").read_bytes() == (b"early" if taken else b"late")
    assert names(tmp_path) == ["x"]


class Failing(io.BytesIO):
    """A remote file that breaks after its first piece, or says a size that it does not have."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(b"y" * 600_000)
        self.error = error

    def readinto(self, buffer: Any, /) -> int:
        if self.error and self.tell():
            raise self.error
        return super().readinto(buffer)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset, whence) + (whence == io.SEEK_END)


@pytest.mark.parametrize("error", [BackendUnavailable("cut", path="team/down"), KeyboardInterrupt(), None], ids=repr)
def test_a_failing_download_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: Exception | None) -> None:
    class Cut(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return Failing(error)

    local = tmp_path / "local"
    local.write_bytes(b"old")
    with pytest.raises(type(error) if error else BackendUnavailable) as caught:
        Store(Cut(), "team").download("down", local, overwrite=True)
    if not isinstance(error, KeyboardInterrupt):
        assert cast("BackendUnavailable", caught.value).path == "down"
    assert local.read_bytes() == b"old"
    assert names(tmp_path) == ["local"]


def test_a_missing_file_downloads_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        store.download("none", tmp_path / "local")
    assert caught.value.path == "none"
    assert names(tmp_path) == []


def test_a_progress_that_raises_stops_the_transfer_with_its_own_error(store: Store, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        raise NotFound("mine", path=f"{store.root_path}/x")

    (tmp_path / "local").write_bytes(b"content")
    with pytest.raises(NotFound) as caught:
        store.upload(tmp_path / "local", "up", progress=stop)
    assert caught.value.path == f"{store.root_path}/x"
    assert not store.exists("up")
    store.write("down", b"content")
    with pytest.raises(NotFound) as caught:
        store.download("down", tmp_path / "new", progress=stop)
    assert caught.value.path == f"{store.root_path}/x"
    assert names(tmp_path) == ["local"]


def test_a_full_disk_is_the_systems_own_error(store: Store, tmp_path: Path) -> None:
    store.write("down", bytes(200_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - checked below
            store.download("down", tmp_path / "local")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert not isinstance(caught.value, RemoteStoreError)
    assert names(tmp_path) == []


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
    store = Store(LocalBackend(tmp_path), "team")
    assert store.capabilities == LocalBackend.capabilities
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
    error = PreconditionFailed("changed", path="team/x")
    with pytest.raises(PreconditionFailed) as caught:
        Store(Broken(error), "team").read("x").read()
    assert pickle.loads(pickle.dumps(caught.value)).path == "x"


def test_every_method_of_a_backend_is_a_method_of_the_store() -> None:
    def members(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}

    assert members(Backend) <= members(Store) | {"name"}
