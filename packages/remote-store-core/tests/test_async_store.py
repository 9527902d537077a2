from __future__ import annotations

import asyncio
import errno
import io
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from remote_store.core import (
    AlreadyExists,
    AsyncBinaryIO,
    AsyncStore,
    BackendUnavailable,
    Capability,
    FileInfo,
    FolderEntry,
    FolderInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RemotePath,
    RemoteStoreError,
    Store,
    ThreadedBackend,
    open_async_store,
)
from remote_store.core.aio import files
from remote_store.core.aio.files import run_in_thread


class BrokenFile:
    """An awaited file whose every use fails after it was opened."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.closed = False

    async def fail(self, *args: Any) -> Any:
        raise self.error

    read = readinto = readline = seek = write = fail

    def seekable(self) -> bool:
        return False

    async def close(self) -> None:
        self.closed = True


class Broken(ThreadedBackend):
    """A backend that fails late: in streams, in listings, at the end of a block."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(MemoryBackend())
        self.error = error
        self.closed_rows = False
        self.file = BrokenFile(error)

    async def read(self, path: str) -> AsyncBinaryIO:
        return cast("AsyncBinaryIO", self.file)

    read_seekable = read

    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        return self.rows()

    async def rows(self) -> AsyncIterator[FileInfo]:
        try:
            yield FileInfo("team/first", "first", 1)
            raise self.error
        finally:
            self.closed_rows = True

    @asynccontextmanager
    async def open_atomic(self, path: str, **options: Any) -> AsyncIterator[AsyncBinaryIO]:
        yield cast("AsyncBinaryIO", self.file)
        raise self.error


@pytest.fixture(params=["", "team/a b"])
def store(request: pytest.FixtureRequest) -> AsyncStore:
    return AsyncStore(ThreadedBackend(MemoryBackend()), request.param)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_store_needs_a_backend_of_its_own_kind() -> None:
    with pytest.raises(TypeError, match="AsyncBackend"):
        AsyncStore(MemoryBackend())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be of type Backend"):
        Store(ThreadedBackend(MemoryBackend()))  # type: ignore[arg-type]


async def test_a_file_goes_through_its_whole_life(store: AsyncStore) -> None:
    result = await store.write("a/b.txt", b"hello", metadata={"k": "v"}, content_type="text/x")
    assert (result.path, type(result.path), result.size) == ("a/b.txt", RemotePath, 5)
    assert await store.exists("a/b.txt")
    assert await store.is_file("a/b.txt")
    assert await store.is_folder("a")
    assert await store.read_bytes("a/b.txt") == b"hello"
    assert await store.read_range("a/b.txt", 1, 3) == b"ell"
    assert await store.read_text("a/b.txt") == "hello"
    info = await store.head("a/b.txt")
    assert info == await store.get_file_info("a/b.txt")
    assert (info.path, info.metadata, info.content_type) == ("a/b.txt", {"k": "v"}, "text/x")
    await store.copy("a/b.txt", "c/d.txt")
    await store.move("c/d.txt", "e.txt")
    assert sorted([file.path async for file in store.list_files(recursive=True)]) == ["a/b.txt", "e.txt"]
    assert [file.path async for file in store.list_files(max_depth=1, pattern="b*")] == ["a/b.txt"]
    assert [file.path async for file in store.glob("**/*.txt") if "/" in file.path] == ["a/b.txt"]
    assert [folder async for folder in store.list_folders()] == [FolderEntry("a", "a")]
    assert sorted([child.path async for child in store.iter_children()]) == ["a", "e.txt"]
    assert (await store.get_folder_info("a")).path == "a"
    await store.write_atomic("e.txt", io.BytesIO(b"new"), overwrite=True)
    await store.write_text("t", "größe")
    assert [await store.read_bytes("e.txt"), await store.read_text("t")] == [b"new", "größe"]
    await store.delete("e.txt")
    await store.delete("t")
    await store.delete_folder("a", recursive=True)
    assert [child async for child in store.iter_children()] == []
    await store.ping()
    await store.check_health()


async def test_the_root_is_a_folder_whatever_is_in_it() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    assert await store.exists("")
    assert await store.is_folder(".")
    assert not await store.is_file("")
    assert await store.get_folder_info() == FolderInfo("", 0, 0)
    for call in (store.read(""), store.write("", b""), store.delete_folder("", recursive=True), store.delete(".")):
        with pytest.raises(InvalidPath):
            await cast("Awaitable[object]", call)


async def test_errors_speak_of_paths_below_the_root(store: AsyncStore) -> None:
    await store.write("a", b"")
    calls: list[tuple[Awaitable[object], type[RemoteStoreError], str]] = [
        (store.read("no/such"), NotFound, "no/such"),
        (store.write("a", b""), AlreadyExists, "a"),
        (store.delete("no"), NotFound, "no"),
        (store.copy("no", "b"), NotFound, "no"),
        (store.get_folder_info("no"), NotFound, "no"),
    ]
    for call, kind, path in calls:
        with pytest.raises(kind) as caught:
            await call
        assert (caught.value.path, caught.value.backend) == (path, "memory")


async def test_a_listing_that_breaks_later_speaks_of_paths_below_the_root_and_is_closed() -> None:
    backend = Broken(BackendUnavailable("broke", path="team/sub"))
    rows = AsyncStore(backend, "team").list_files()
    assert (await anext(rows)).path == "first"
    with pytest.raises(BackendUnavailable) as caught:
        await anext(rows)
    assert caught.value.path == "sub"
    assert backend.closed_rows


async def test_a_listing_left_early_closes_the_backends() -> None:
    backend = Broken(BackendUnavailable())
    rows = AsyncStore(backend, "team").list_files()
    assert (await anext(rows)).path == "first"
    await rows.aclose()  # type: ignore[attr-defined]
    assert backend.closed_rows


def test_arguments_of_listings_are_checked_at_the_call(store: AsyncStore) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        store.list_files(max_depth=-1)
    with pytest.raises(InvalidPath):
        store.list_folders("..")
    with pytest.raises(InvalidPath):
        store.glob("/a")


@pytest.mark.parametrize("opening", ["read", "read_seekable"])
async def test_a_stream_that_breaks_later_speaks_of_paths_below_the_root(opening: str) -> None:
    uses: list[Callable[[Any], Awaitable[object]]] = [
        lambda file: file.read(),
        lambda file: file.read(5),
        lambda file: file.readinto(bytearray(5)),
        lambda file: file.readline(),
        lambda file: file.seek(0),
        lambda file: file.write(b""),
        lambda file: anext(aiter(file)),
    ]
    for use in uses:
        error = PreconditionFailed("changed", path="team/a/x")
        file = await getattr(AsyncStore(Broken(error), "team"), opening)("a/x")
        with pytest.raises(PreconditionFailed) as caught:
            await use(file)
        assert caught.value is error
        assert error.path == "a/x"


async def test_without_a_root_the_reader_is_the_backends_own() -> None:
    class Own(ThreadedBackend):
        async def read(self, path: str) -> AsyncBinaryIO:
            self.file = await super().read(path)
            return self.file

    own = Own(MemoryBackend())
    await AsyncStore(own).write("x", b"1")
    assert await AsyncStore(own).read("x") is cast("object", own.file)


async def test_closing_the_stream_closes_the_backends() -> None:
    backend = Broken(BackendUnavailable())
    async with await AsyncStore(backend, "team").read("x") as file:
        assert cast("object", file) is not backend.file
    assert backend.file.closed


async def test_the_stream_of_a_scoped_store_reads_as_the_backends_does() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    await store.write("lines", b"one\ntwo\n\nlast")
    async with await store.read_seekable("lines") as file:
        assert (file.readable(), file.writable(), file.seekable(), file.closed) == (True, False, True, False)
        assert [line async for line in file] == [b"one\n", b"two\n", b"\n", b"last"]
        assert await file.seek(4) == file.tell() == 4
        buffer = bytearray(2)
        assert await file.readinto(buffer) == 2
        assert (bytes(buffer), await file.readline(), await file.read()) == (b"tw", b"o\n", b"\nlast")
    assert file.closed


class Stream:
    """An awaited stream of the caller."""

    def __init__(self, content: bytes = b"", error: BaseException | None = None) -> None:
        self.file = io.BytesIO(content)
        self.error = error

    async def read(self, size: int = -1, /) -> bytes:
        if self.error:
            raise self.error
        return self.file.read(size)


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("method", ["write", "write_atomic", "upload"])
@pytest.mark.parametrize("path", ["team/elsewhere", "unrelated", None])
async def test_an_error_of_the_callers_stream_passes_unchanged(method: str, path: str | None) -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    error = NotFound("mine", path=path, backend="memory")
    stream = cast("AsyncBinaryIO", Stream(error=error))
    with pytest.raises(NotFound) as caught:
        await (store.upload(stream, "x") if method == "upload" else getattr(store, method)("x", stream))
    assert caught.value is error
    assert error.path == path
    assert not await store.exists("x")


async def test_an_error_of_the_block_passes_unchanged_and_nothing_is_written() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    error = NotFound("mine", path="team/x", backend="memory")
    with pytest.raises(NotFound) as caught:  # noqa: PT012 - the block is what is tested
        async with store.open_atomic("x") as file:
            await file.write(b"half")
            raise error
    assert caught.value is error
    assert error.path == "team/x"
    assert not await store.exists("x")


async def test_a_block_commits_and_its_late_errors_speak_of_paths_below_the_root(store: AsyncStore) -> None:
    async with store.open_atomic("x", metadata={"a": "b"}, content_type="text/y") as file:
        await file.write(b"whole")
    assert await store.read_bytes("x") == b"whole"
    assert (await store.head("x")).metadata == {"a": "b"}
    with pytest.raises(AlreadyExists) as caught:
        async with store.open_atomic("x"):
            pass
    assert caught.value.path == "x"
    with pytest.raises(AlreadyExists) as caught:
        async with AsyncStore(Broken(AlreadyExists("late", path="team/x")), "team").open_atomic("x"):
            pass
    assert caught.value.path == "x"


class Seen(list[tuple[int, threading.Thread]]):
    """What a progress callback was told, and in which thread."""

    def __call__(self, done: int, total: int | None, delta: int) -> None:
        self.append((done, threading.current_thread()))

    def check(self, size: int) -> None:
        counts = [done for done, _ in self]
        assert counts == sorted(set(counts))
        assert (counts[0], counts[-1]) == (0, size)
        assert {thread for _, thread in self} <= {threading.current_thread()}


@pytest.mark.parametrize("size", [0, 1, 2_000_003])
async def test_an_upload_reports_what_was_read_in_the_event_loop(store: AsyncStore, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "local").write_bytes(content)
    sources: list[Callable[[], Any]] = [
        lambda: tmp_path / "local",
        lambda: str(tmp_path / "local"),
        lambda: io.BytesIO(content),
        lambda: Stream(content),
        lambda: chunks(content[:1], content[1:]),
    ]
    for source in sources:
        seen = Seen()
        result = await store.upload(source(), "up", overwrite=True, progress=seen)
        assert (result.path, result.size) == ("up", size)
        assert await store.read_bytes("up") == content
        seen.check(size)
        await store.upload(source(), "plain", overwrite=True, content_type="text/z")
        assert await store.read_bytes("plain") == content


async def test_an_upload_of_text_or_nothing_is_refused(store: AsyncStore, tmp_path: Path) -> None:
    for progress in (None, print):
        with pytest.raises(TypeError):
            await store.upload(io.StringIO("text"), "t", progress=progress)  # type: ignore[arg-type]
        with pytest.raises(FileNotFoundError):
            await store.upload(tmp_path / "none", "t", progress=progress)
    assert not await store.exists("t")


@pytest.mark.parametrize("size", [0, 1, 2_000_003])
async def test_a_download_reports_what_was_written_in_the_event_loop(
    store: AsyncStore, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    await store.write("down", content)
    seen = Seen()
    assert await store.download("down", tmp_path / "local", progress=seen) == size
    assert (tmp_path / "local").read_bytes() == content
    seen.check(size)
    with pytest.raises(FileExistsError) as caught:
        await store.download("down", tmp_path / "local")
    assert caught.value.errno == errno.EEXIST
    await store.download("down", tmp_path / "local", overwrite=True)
    assert names(tmp_path) == ["local"]


@pytest.mark.parametrize("error", [BackendUnavailable("cut", path="team/down"), RuntimeError("bug")], ids=repr)
async def test_a_failing_download_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: Exception) -> None:
    (tmp_path / "local").write_bytes(b"old")
    with pytest.raises(type(error)) as caught:
        await AsyncStore(Broken(error), "team").download("down", tmp_path / "local", overwrite=True)
    assert caught.value is error
    assert getattr(error, "path", "down") == "down"
    assert (tmp_path / "local").read_bytes() == b"old"
    assert names(tmp_path) == ["local"]


async def test_a_download_of_another_size_than_the_files_is_refused(tmp_path: Path) -> None:
    class Long(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            class File(io.BytesIO):
                def seek(self, offset: int, whence: int = 0, /) -> int:
                    return super().seek(offset, whence) + (whence == io.SEEK_END)

            return File(b"short")

    with pytest.raises(BackendUnavailable, match="5 of 6 bytes") as caught:
        await AsyncStore(ThreadedBackend(Long()), "team").download("down", tmp_path / "local")
    assert caught.value.path == "down"
    assert names(tmp_path) == []


async def test_a_cancelled_download_leaves_nothing(tmp_path: Path) -> None:
    reading = asyncio.Event()

    class Slow(BrokenFile):
        async def fail(self, *args: Any) -> Any:
            reading.set()
            await asyncio.Event().wait()

        read = readinto = fail

    backend = Broken(RuntimeError())
    backend.file = Slow(RuntimeError())
    task = asyncio.create_task(AsyncStore(backend, "team").download("down", tmp_path / "local"))
    await reading.wait()
    assert len(names(tmp_path)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(tmp_path) == []
    assert backend.file.closed


async def test_a_cancelled_caller_waits_for_its_thread() -> None:
    entered, leave, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        entered.set()
        leave.wait(10)
        ended.append(True)
        raise OSError

    task = asyncio.create_task(run_in_thread(work))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_a_context_cancelled_while_it_is_entered_is_undone(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()
    steps: list[str] = []

    class Manager:
        def __enter__(self) -> None:
            entered.set()
            leave.wait(10)
            steps.append("entered")

        def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
            steps.append(kind.__name__ if kind else "clean")

    async def use() -> None:
        async with files.in_threads(cast("Any", Manager())):
            steps.append("block")

    task = asyncio.create_task(use())
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["entered", "CancelledError"]


async def test_an_owner_closes_its_backend_and_a_child_does_not() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    async with store.child("a") as child:
        await child.write("x", b"")
        assert child.root_path == "team/a"
    assert await store.exists("a/x")
    async with store:
        pass
    await store.close()
    for call in (store.ping(), child.read("x")):
        with pytest.raises(BackendUnavailable):
            await cast("Awaitable[object]", call)


def test_what_needs_no_waiting_is_as_in_a_sync_store() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    assert store.native_path("a") == "memory://team/a"
    assert store.to_key("memory://team/a") == "a"
    assert store.resolve("a").key == "team/a"
    assert store.supports(Capability.READ)
    assert store.capabilities == MemoryBackend.capabilities
    assert repr(store) == "AsyncStore(ThreadedBackend(MemoryBackend()), root_path='team')"
    with pytest.raises(InvalidPath):
        store.to_key("memory://teammate")


async def test_an_async_store_opens_from_a_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tables = {
        "backends": {"disk": {"type": "local", "root": str(tmp_path)}},
        "stores": {"s": {"backend": "disk", "root_path": "r"}},
    }
    monkeypatch.setenv("X_TYPE", "local")
    monkeypatch.setenv("X_ROOT", str(tmp_path))
    async with open_async_store(tables, "s") as store:
        await store.write("a", b"1")
    async with AsyncStore.from_env("X_") as store:
        assert await store.read_bytes("r/a") == b"1"
