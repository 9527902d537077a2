from __future__ import annotations

import csv
import gc
import io
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncBinaryIO,
    AsyncDelegatingBackend,
    AsyncReader,
    AsyncStore,
    Backend,
    CapabilityNotSupported,
    DelegatingBackend,
    FileInfo,
    LocalBackend,
    MemoryBackend,
    NotFound,
    RangeReader,
    Reader,
    RemotePath,
    Store,
    ThreadedBackend,
)

CONTENT = b"one\ntwo\nthree"
WRONG_SIZES = [(0, ValueError), (-1, ValueError), (True, TypeError), ("1", TypeError), (1.0, TypeError)]
OPENINGS = ["read", "read_seekable"]
MODIFIED = datetime(2026, 1, 2, tzinfo=UTC)

each_opening = pytest.mark.parametrize("opening", OPENINGS)
each_root = pytest.mark.parametrize("root", ["", "team/a"])


class CountingMemory(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def read(self, path: str) -> BinaryIO:
        self.calls.append("read")
        return super().read(path)

    def get_file_info(self, path: str) -> FileInfo:
        self.calls.append("get_file_info")
        return super().get_file_info(path)


class CountingLocal(LocalBackend):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.calls: list[str] = []

    def read(self, path: str) -> BinaryIO:
        self.calls.append("read")
        return super().read(path)

    def get_file_info(self, path: str) -> FileInfo:
        self.calls.append("get_file_info")
        return super().get_file_info(path)


class Plain(CountingMemory):
    """A backend of contract 0.1, whose files are plain."""

    def read(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read_bytes(path))

    read_seekable = read


class PlainAsync(ThreadedBackend):
    """An async backend of contract 0.1, whose files are no `AsyncReader`."""

    async def read(self, path: str) -> AsyncBinaryIO:
        return PlainFile(await self.read_bytes(path))  # type: ignore[return-value]

    read_seekable = read


class PlainFile:
    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)
        self.closed = False

    async def read(self, size: int = -1, /) -> bytes:
        return self.file.read(size)

    async def seek(self, offset: int, whence: int = 0, /) -> int:
        return self.file.seek(offset, whence)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(params=["memory", "local"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return CountingMemory() if request.param == "memory" else CountingLocal(tmp_path)


@each_root
@each_opening
def test_a_reader_knows_its_file_without_another_call(backend: Any, root: str, opening: str) -> None:
    store = Store(backend, root)
    store.write("d/x.csv", CONTENT, content_type="text/csv")
    expected = store.get_file_info("d/x.csv")
    backend.calls.clear()
    with getattr(store, opening)("d/x.csv") as file:
        info = file.info
        assert isinstance(file, Reader)
        assert (file.name, file.read()) == ("d/x.csv", CONTENT)
    assert "get_file_info" not in backend.calls
    assert (info, file.info, file.get_info()) == (expected, expected, expected)
    assert (info.size, type(info.path)) == (len(CONTENT), RemotePath)


@each_root
@each_opening
async def test_an_async_reader_knows_its_file_without_another_call(backend: Any, root: str, opening: str) -> None:
    store = AsyncStore(ThreadedBackend(backend), root)
    await store.write("d/x.csv", CONTENT, content_type="text/csv")
    expected = await store.get_file_info("d/x.csv")
    backend.calls.clear()
    async with await getattr(store, opening)("d/x.csv") as file:
        assert isinstance(file, AsyncReader)
        assert (file.info, await file.get_info()) == (expected, expected)
        assert await file.read(None) == CONTENT
    assert "get_file_info" not in backend.calls


def test_a_download_is_one_call_and_one_request(backend: Any, open_lane: Any, s3: FakeS3, tmp_path: Path) -> None:
    Store(backend).write("x", CONTENT)
    backend.calls.clear()
    Store(backend).download("x", tmp_path / "copy")
    assert backend.calls == ["read"]
    s3.put("team/x", CONTENT, modified=MODIFIED, described={"ContentType": "text/csv"}, metadata={"a": "b"})
    lane = open_lane()
    store = (AsyncStore if lane.is_async else Store)(lane.backend, "team", owns_backend=False)
    lane.done(store.download("x", tmp_path / "other"))
    assert (tmp_path / "other").read_bytes() == CONTENT
    assert s3.operations() == ["GetObject"]


@pytest.mark.parametrize("opening, requests", [("read", ["GetObject"]), ("read_seekable", ["HeadObject", "GetObject"])])
@each_root
def test_info_comes_from_the_opening_response(
    open_lane: Any, s3: FakeS3, root: str, opening: str, requests: list[str]
) -> None:
    stored = s3.put(f"{root}/x" if root else "x", CONTENT, described={"ContentType": "text/csv"}, metadata={"a": "b"})
    lane = open_lane()
    store = (AsyncStore if lane.is_async else Store)(lane.backend, root, owns_backend=False)
    file = lane.done(getattr(store, opening)("x"))
    assert isinstance(file, AsyncReader if lane.is_async else Reader)
    info = file.info
    s3.put(f"{root}/x" if root else "x", b"replaced")
    s3.objects[f"{root}/x" if root else "x"] = stored
    assert lane.done(file.read()) == CONTENT
    lane.done(file.close())
    assert s3.operations() == requests
    assert (info.path, info.name, info.size, info.content_type) == ("x", "x", len(CONTENT), "text/csv")
    assert (info.metadata, info.modified_at) == ({"a": "b"}, stored.modified)
    assert info == lane.done(store.get_file_info("x"))


@each_opening
def test_the_path_of_info_is_exact(open_lane: Any, s3: FakeS3, opening: str) -> None:
    s3.put("a//b", b"1")
    s3.put("a/b", b"2")
    lane = open_lane()
    store = (AsyncStore if lane.is_async else Store)(lane.backend, owns_backend=False)
    file = lane.done(getattr(store, opening)(RemotePath.exact("a//b")))
    lane.done(file.close())
    assert lane.done(store.read_bytes(file.info.path)) == b"1"


@each_root
@each_opening
def test_a_plain_file_of_a_backend_is_described_on_demand(root: str, opening: str) -> None:
    backend = Plain()
    store = Store(backend, root)
    store.write("a/x", CONTENT, content_type="text/csv")
    expected = store.get_file_info("a/x")
    backend.calls.clear()
    with getattr(store, opening)("a/x") as file:
        assert isinstance(file, Reader)
        assert file.known_info is None
        assert (list(file), file.seek(0), file.readinto(bytearray(3))) == (CONTENT.splitlines(keepends=True), 0, 3)
        assert "get_file_info" not in backend.calls
        assert (file.info, file.info) == (expected, expected)
    assert backend.calls.count("get_file_info") == 1
    file = getattr(store, opening)("a/x")
    store.delete("a/x")
    with pytest.raises(NotFound) as caught:
        _ = file.info
    assert caught.value.path == "a/x"


@each_root
@each_opening
async def test_a_plain_async_file_is_described_when_asked(root: str, opening: str) -> None:
    backend = CountingMemory()
    store = AsyncStore(PlainAsync(backend), root)
    await store.write("a/x", CONTENT)
    expected = await store.get_file_info("a/x")
    backend.calls.clear()
    file = await getattr(store, opening)("a/x")
    assert isinstance(file, AsyncReader)
    assert [chunk async for chunk in file.iter_chunks(8)] == [CONTENT[:8], CONTENT[8:]]
    with pytest.raises(CapabilityNotSupported, match="get_info") as caught:
        _ = file.info
    assert (caught.value.capability, caught.value.path) == ("info", "a/x")
    assert "get_file_info" not in backend.calls
    assert (await file.get_info(), file.info) == (expected, expected)
    assert backend.calls.count("get_file_info") == 1
    await file.close()
    assert file.closed


async def test_a_plain_file_through_threads_is_described_when_asked() -> None:
    backend = Plain()
    store = AsyncStore(ThreadedBackend(backend), "team")
    await store.write("x", CONTENT)
    async with await store.read("x") as file:
        assert file.known_info is None
        assert await file.get_info() == await store.get_file_info("x") == file.info


def test_a_store_over_a_store_asks_once() -> None:
    class Over(MemoryBackend):
        """A backend whose files come from another store."""

        def __init__(self, store: Store) -> None:
            super().__init__()
            self.store = store

        def read(self, path: str) -> BinaryIO:
            return self.store.read(path)

    backend = Plain()
    Store(backend, "team/a").write("b/x", CONTENT)
    backend.calls.clear()
    for root, path in (("", "b/x"), ("b", "x")):
        with Store(Over(Store(backend, "team/a")), root).read(path) as file:
            assert (file.info.path, file.info.size) == (path, len(CONTENT))
    assert backend.calls.count("get_file_info") == 2


def test_a_file_with_info_of_its_own_is_asked_for_it() -> None:
    class Described(Plain):
        def read(self, path: str) -> BinaryIO:
            info = FileInfo(path, path.rpartition("/")[2], 7)
            return RangeReader(lambda _, length: bytes(length), 7, path=path, backend=self.name, info=info)

    backend = Described()
    Store(backend, "team").write("x", bytes(7))
    with Store(backend, "team").read("x") as file:
        assert (file.info.path, file.info.name, file.info.size, file.read()) == ("x", "x", 7, bytes(7))
    assert "get_file_info" not in backend.calls


class OnlyReads:
    """A file with no more than reads and a position, which returns fewer bytes than asked for."""

    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        return self.file.read(min(size, 3) if size > 0 else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def close(self) -> None:
        self.closed = True


@each_root
def test_a_file_that_lacks_methods_has_those_of_a_reader(root: str) -> None:
    class Opens(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return cast("BinaryIO", OnlyReads(CONTENT))

    store = Store(Opens(), root)
    store.write("x", CONTENT)
    with store.read("x") as file:
        assert list(file.iter_chunks(7)) == [CONTENT[:7], CONTENT[7:]]
        buffer = bytearray(3)
        assert (file.seek(1), file.readinto(buffer), bytes(buffer)) == (1, 3, CONTENT[1:4])
        assert file.info == store.get_file_info("x")


class HasAMethod(io.BytesIO):
    def info(self) -> dict[str, str]:
        return {"Content-Type": "text/plain"}


class HasAProperty(io.BytesIO):
    @property
    def info(self) -> FileInfo:
        raise OSError("this sends a request")


@pytest.mark.parametrize("kind", [HasAMethod, HasAProperty])
def test_a_foreign_attribute_is_no_info(kind: type[io.BytesIO]) -> None:
    class Opens(MemoryBackend):
        def read(self, path: str) -> BinaryIO:
            return kind(b"123")

    store = Store(Opens(), "team")
    store.write("x", b"123")
    with store.read("x") as file:
        assert (file.info, file.read()) == (store.get_file_info("x"), b"123")


@each_root
async def test_a_delegating_backend_hands_the_reader_on(root: str) -> None:
    backend = CountingMemory()
    store = Store(DelegatingBackend(backend), root)
    store.write("x", CONTENT)
    with store.read("x") as file:
        assert file.info.size == len(CONTENT)
    awaited = AsyncStore(AsyncDelegatingBackend(ThreadedBackend(backend)), root)
    async with await awaited.read("x") as opened:
        assert (opened.info.path, opened.info.size) == ("x", len(CONTENT))
    assert backend.calls == ["read", "read"]


async def test_lines_of_a_scoped_reader_come_in_order() -> None:
    store = AsyncStore(ThreadedBackend(MemoryBackend()), "team")
    await store.write("x", b"".join(b"%d\n" % number for number in range(1000)))
    async with await store.read("x") as file:
        assert await anext(aiter(file)) == b"0\n"
        assert await file.readline() == b"1\n"
        assert [line async for line in file] == [b"%d\n" % number for number in range(2, 1000)]


@each_opening
def test_chunks_are_all_the_bytes_from_the_position(backend: Any, open_lane: Any, s3: FakeS3, opening: str) -> None:
    content = bytes(range(256)) * 10_000
    Store(backend, "team").write("x", content)
    with getattr(Store(backend, "team"), opening)("x") as file:
        assert [len(chunk) for chunk in file.iter_chunks()] == [1 << 20, 1 << 20, len(content) - (2 << 20)]
        assert list(file.iter_chunks()) == []
        file.seek(len(content) - 10)
        assert list(file.iter_chunks(4)) == [content[-10:-6], content[-6:-2], content[-2:]]
    s3.put("team/x", content)
    lane = open_lane()
    store = (AsyncStore if lane.is_async else Store)(lane.backend, "team", owns_backend=False)
    file = lane.done(getattr(store, opening)("x"))
    lane.done(file.seek(5))
    assert b"".join(lane.done(file.iter_chunks(100_000))) == content[5:]
    lane.done(file.close())


@pytest.mark.parametrize("size, kind", WRONG_SIZES)
async def test_a_wrong_chunk_size_is_refused_at_the_call(backend: Any, size: Any, kind: type[Exception]) -> None:
    Store(backend).write("x", CONTENT)
    with Store(backend).read("x") as file, pytest.raises(kind, match="size must be"):
        file.iter_chunks(size)
    async with await AsyncStore(ThreadedBackend(backend)).read("x") as awaited:
        with pytest.raises(kind, match="size must be"):
            awaited.iter_chunks(size)
        lines: AsyncIterator[bytes] = aiter(awaited)
        assert [line async for line in lines] == CONTENT.splitlines(keepends=True)


def text_lines(file: Any) -> list[str]:
    return list(io.TextIOWrapper(file, encoding="utf-8"))


def copied(file: Any) -> bytes:
    target = io.BytesIO()
    shutil.copyfileobj(file, target)
    return target.getvalue()


USES: list[tuple[Callable[[Any], Any], Any]] = [
    (text_lines, ["one\n", "two\n", "three"]),
    (lambda file: list(csv.reader(text_lines(file))), [["one"], ["two"], ["three"]]),
    (copied, CONTENT),
    (lambda file: io.BufferedReader(file).peek(3)[:3], b"one"),
    (lambda file: file.readinto(memoryview(bytearray(5))), 5),
]


@pytest.mark.parametrize("use, result", USES)
@each_root
@pytest.mark.parametrize("buffer_size", [None, 0, 4])
def test_the_standard_library_reads_it(
    backend: Any, root: str, use: Callable[[Any], Any], result: Any, buffer_size: int | None
) -> None:
    store = Store(backend, root)
    store.write("x", CONTENT)
    file = store.read("x") if buffer_size is None else store.read_seekable("x", buffer_size)
    assert isinstance(file, io.BufferedIOBase)
    assert use(file) == result
    file.close()


@each_root
def test_it_is_a_binary_file_for_type_checkers(backend: Backend, root: str) -> None:
    def takes(file: BinaryIO) -> bytes:
        return file.read()

    store = Store(backend, root)
    store.write("x", CONTENT)
    file: Reader = store.read("x")
    assert takes(file) == CONTENT
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("in.txt", "inside")
    store.write("a.zip", archive.getvalue())
    with store.read_seekable("a.zip") as opened, zipfile.ZipFile(opened) as packed:
        assert packed.read("in.txt") == b"inside"


@each_opening
def test_a_dropped_reader_refers_to_nothing_that_keeps_it(backend: Any, opening: str) -> None:
    Store(backend, "team").write("x", CONTENT)
    gc.collect()
    gc.disable()
    try:
        file = getattr(Store(backend, "team"), opening)("x")
        below = file._file
        del file
        assert below.closed
    finally:
        gc.enable()
