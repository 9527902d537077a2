from __future__ import annotations

import errno
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn, cast

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    FileInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)


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


def test_without_a_root_the_reader_is_the_backends_own() -> None:
    class Own(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            self.file = super().read(path)
            return self.file

    backend = Own()
    Store(backend).write("x", b"1")
    assert Store(backend).read("x") is cast("object", backend.file)


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


def test_an_error_pickles_with_the_path_that_the_store_says() -> None:
    error = PreconditionFailed("changed", path="team/x")
    with pytest.raises(PreconditionFailed) as caught:
        Store(Broken(error), "team").read("x").read()
    assert pickle.loads(pickle.dumps(caught.value)).path == "x"
