"""Every kind of content that people have at hand can be written; what yields text is refused, and leaves nothing."""

from __future__ import annotations

import bz2
import codecs
import functools
import gzip
import io
import lzma
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    LocalBackend,
    MemoryBackend,
    Store,
    ThreadedBackend,
)
from uploads import ABORT, PART

CONTENT = b"line one\nline two\n" * 5_000
PACKED = gzip.compress(CONTENT)


class Wrapped:
    """What people write to count or to hash: a `file` and a `read`, and nothing else."""

    def __init__(self, attribute: str) -> None:
        setattr(self, attribute, io.BytesIO(CONTENT))
        self._read = getattr(self, attribute).read

    def read(self, size: int) -> memoryview:
        return memoryview(self._read(size))


class UploadFile:
    """What Starlette and FastAPI hand to a route: an async `read` over a blocking `file`."""

    def __init__(self, file: Any) -> None:
        self.file = file

    async def read(self, size: int = -1) -> bytes:
        data: bytes = self.file.read(size)
        return data


OPENED: list[Any] = []


@pytest.fixture(autouse=True)
def close_files() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def spooled(rolled: bool) -> Any:
    file = tempfile.SpooledTemporaryFile(1 if rolled else len(CONTENT))  # noqa: SIM115 - the fixture closes it
    OPENED.append(file)
    file.write(CONTENT)
    file.seek(0)
    return file


def chunks() -> list[bytes]:
    return [CONTENT[:1], b"", CONTENT[1:50_000], CONTENT[50_000:]]


async def async_chunks() -> AsyncIterator[bytes | bytearray | memoryview]:
    yield bytearray(CONTENT[:1])
    yield memoryview(CONTENT)[1:]


class Both:
    """Iterable in plain and in async code, like the streams of httpx."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(chunks())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk


CONTENTS: dict[str, Callable[[], Any]] = {
    "bytes": lambda: CONTENT,
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(PACKED)),
    "bz2": lambda: bz2.BZ2File(io.BytesIO(bz2.compress(CONTENT))),
    "lzma": lambda: lzma.open(io.BytesIO(lzma.compress(CONTENT))),  # noqa: SIM115 - nothing needs closing
    "spooled": lambda: spooled(rolled=False),
    "rolled": lambda: spooled(rolled=True),
    "wrapped_file": lambda: Wrapped("file"),
    "wrapped_raw": lambda: Wrapped("raw"),
    "list": chunks,
    "tuple": lambda: tuple(chunks()),
    "iterator": lambda: iter(chunks()),
    "generator": lambda: (chunk for chunk in chunks()),
    "map": lambda: map(str.encode, CONTENT.decode().splitlines(keepends=True)),
    "buffers": lambda: iter([bytearray(CONTENT[:5]), memoryview(CONTENT)[5:]]),
    "partial": lambda: iter(functools.partial(io.BytesIO(CONTENT).read, 7), b""),
    "one_chunk": lambda: [CONTENT],
    "both": Both,
}
ASYNC_CONTENTS: dict[str, Callable[[], Any]] = {
    **CONTENTS,
    "upload_file": lambda: UploadFile(spooled(rolled=False)),
    "rolled_upload_file": lambda: UploadFile(spooled(rolled=True)),
    "async_generator": async_chunks,
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_every_kind_of_content_is_written(store: Store, tmp_path: Path, kind: str) -> None:
    for target in (store, Store(LocalBackend(tmp_path))):
        for number, write in enumerate((target.write, target.write_atomic)):
            assert write(f"a{number}", CONTENTS[kind]()).size == len(CONTENT)
            assert target.read_bytes(f"a{number}") == CONTENT
        target.backend.write("direct", CONTENTS[kind]())
        assert target.backend.read_bytes("direct") == CONTENT
        target.upload(CONTENTS[kind](), "up")
        assert target.read_bytes("up") == CONTENT


@pytest.mark.parametrize("kind", ASYNC_CONTENTS)
async def test_every_kind_of_content_is_written_in_async_code(bridge: ThreadedBackend, kind: str) -> None:
    store = AsyncStore(bridge, "team")
    for number, write in enumerate((store.write, store.write_atomic)):
        assert (await write(f"a{number}", ASYNC_CONTENTS[kind]())).size == len(CONTENT)
        assert await store.read_bytes(f"a{number}") == CONTENT
    await bridge.write("direct", ASYNC_CONTENTS[kind]())
    assert await bridge.read_bytes("direct") == CONTENT
    await store.upload(ASYNC_CONTENTS[kind](), "up")
    assert await store.read_bytes("up") == CONTENT


@pytest.mark.parametrize("kind", ASYNC_CONTENTS)
def test_every_kind_of_content_is_written_to_s3(open_lane: Any, s3: FakeS3, kind: str) -> None:
    lane = open_lane()
    if kind not in CONTENTS and not lane.is_async:
        with pytest.raises(TypeError, match="AsyncStore"):
            lane.write("a", ASYNC_CONTENTS[kind]())
        assert s3.calls == []
        return
    assert lane.write("a", ASYNC_CONTENTS[kind]()).size == len(CONTENT)
    assert s3.objects["a"].data == CONTENT


def test_a_store_hands_a_backend_of_the_first_contract_a_stream() -> None:
    class TakesStreams(MemoryBackend):
        def write(self, path: str, content: Any, **options: Any) -> Any:
            return super().write(path, content if isinstance(content, bytes) else content.read(-1), **options)

    for content in (chunks(), iter(chunks())):
        store = Store(TakesStreams())
        store.write("a", content)
        assert store.read_bytes("a") == CONTENT


def test_the_length_of_a_list_is_known(open_lane: Any, s3: FakeS3) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    lane.write("a", [bytes(PART), bytes(PART), b"x"])
    sizes = [len(call.params["Body"]) for call in s3.calls if call.operation == "UploadPart"]
    assert sizes == [PART, PART, 1]


def lines() -> Iterator[Any]:
    yield b"bytes"
    yield "text"


def late_text() -> Iterator[Any]:
    yield bytes(PART)
    yield bytes(PART)
    yield "text"


AT_ONCE: dict[str, Callable[[], Any]] = {
    "str": lambda: "text",
    "text_stream": lambda: io.StringIO("text"),
    "list_of_text": lambda: [b"bytes", "text"],
    "tuple_of_numbers": lambda: (1, 2),
    "dict": lambda: {b"a": 1},
    "set": lambda: {b"a", b"b"},
    "none": lambda: None,
    "path": lambda: Path("a"),
    "object": object,
}
WHEN_READ: dict[str, Callable[[], Any]] = {
    "lines": lines,
    "late": late_text,
    "codec": lambda: codecs.getreader("utf-8")(io.BytesIO(b"text")),
    "nothing": lambda: iter([None]),
    "range": lambda: range(3),
}


@pytest.mark.parametrize("kind", [*AT_ONCE, *WHEN_READ])
def test_content_that_is_not_bytes_is_refused_and_leaves_nothing(open_lane: Any, s3: FakeS3, kind: str) -> None:
    lane = open_lane(part_size=PART)
    content = AT_ONCE.get(kind) or WHEN_READ[kind]
    store = AsyncStore(lane.backend, "d") if lane.is_async else Store(lane.backend, "d")
    for write in (lane.backend.write, store.write, store.write_atomic):
        with pytest.raises(TypeError):
            lane.done(write("a", content()))
    assert s3.objects == {}
    assert set(s3.operations()) == ({"CreateMultipartUpload", "UploadPart", ABORT} if kind == "late" else set())


@pytest.mark.parametrize("kind", [*AT_ONCE, *WHEN_READ])
def test_what_is_not_bytes_leaves_no_local_file(tmp_path: Path, kind: str) -> None:
    content = AT_ONCE.get(kind) or WHEN_READ[kind]
    with pytest.raises(TypeError) as caught:
        Store(LocalBackend(tmp_path)).write("a", content())
    assert list(tmp_path.iterdir()) == []
    if kind == "path":
        assert "upload" in str(caught.value)


async def test_an_async_iterable_of_text_is_refused(bridge: ThreadedBackend) -> None:
    async def text(item: Any) -> AsyncIterator[Any]:
        yield b"bytes"
        yield item

    for item in ("text", None):
        with pytest.raises(TypeError):
            await AsyncStore(bridge).write("a", text(item))
    assert not await bridge.exists("a")


def test_an_exception_of_an_iterable_passes_unchanged(store: Store) -> None:
    def broken(error: BaseException) -> Iterator[bytes]:
        yield b"some"
        raise error

    for error in (OSError("mine"), BackendUnavailable("mine", path="theirs"), GeneratorExit()):
        with pytest.raises(type(error)) as caught:
            store.write("a", broken(error))
        assert caught.value is error
    assert not store.exists("a")
