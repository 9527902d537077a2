from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

import pytest

from remote_store.conformance.checking.hostile import (
    BUFFERS,
    CONFUSABLE,
    FOREIGN_KEYS,
    KEYS,
    NOT_CANONICAL,
    ODD_KEYS,
    ROOT_KEYS,
    SOURCES,
    WRONG_CONTENT,
    Failing,
    FailingOnce,
    key_of_bytes,
    segmented_key,
)
from remote_store.core import InvalidPath, MemoryBackend, RemotePath

CONTENT = bytes(range(256)) * 100


@pytest.mark.parametrize("key", [*KEYS.values(), *(key for pair in CONFUSABLE for key in pair)])
def test_a_writable_key_is_canonical(key: str) -> None:
    assert RemotePath(key) == key


@pytest.mark.parametrize("key", [*FOREIGN_KEYS.values(), *ROOT_KEYS.values(), *NOT_CANONICAL])
def test_a_foreign_key_is_not_canonical(key: str) -> None:
    with pytest.raises(InvalidPath):
        MemoryBackend().write(key, b"")


READS: dict[str, Callable[[Any], object]] = {
    "read": lambda stream: stream.read(5),
    "read_all": lambda stream: stream.read(),
    "readall": lambda stream: stream.readall(),
    "readinto": lambda stream: stream.readinto(bytearray(5)),
    "readline": lambda stream: stream.readline(),
    "iteration": next,
    "buffered": lambda stream: io.BufferedReader(stream).peek(),
}


@pytest.mark.parametrize("make", [FailingOnce, lambda error: Failing(0, error)], ids=["once", "always"])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_stream_that_fails_does_so_however_it_is_read(
    make: Callable[[Exception], Any], read: Callable[[Any], object]
) -> None:
    stream = make(error := ConnectionResetError("mine"))
    with pytest.raises(ConnectionResetError) as caught:
        read(stream)
    assert caught.value is error


def test_odd_keys_are_some_of_the_keys() -> None:
    assert set(ODD_KEYS) < set(KEYS)


def test_confusable_keys_differ() -> None:
    assert all(first != second for first, second in CONFUSABLE)


@pytest.mark.parametrize("size", [100, 101, 1_024, 1_025])
@pytest.mark.parametrize("character", ["x", "é", "日", "🪐"])
def test_a_key_has_the_bytes_that_were_asked_for(size: int, character: str) -> None:
    assert len(key_of_bytes(size, character, "start/").encode()) == size
    key = segmented_key(size, "start/")
    assert len(key.encode()) == size
    assert max(len(segment.encode()) for segment in key.split("/")) <= 255
    assert RemotePath(key) == key


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_gives_its_content(kind: str) -> None:
    gathered = b""
    with closing(SOURCES[kind](CONTENT)) as source:
        while data := source.read(10_000):
            assert len(data) <= 10_000
            gathered += data
    assert gathered == CONTENT
    assert source.closed


@pytest.mark.parametrize("kind", ["unseekable", "short_reads"])
def test_a_pipe_cannot_seek(kind: str) -> None:
    source = SOURCES[kind](CONTENT)
    assert not source.seekable()
    with pytest.raises(io.UnsupportedOperation):
        source.seek(0)


def test_short_reads_are_short() -> None:
    assert len(SOURCES["short_reads"](CONTENT).read(10_000)) < 10_000


@pytest.mark.parametrize("kind", BUFFERS)
def test_a_buffer_holds_its_content(kind: str) -> None:
    assert memoryview(BUFFERS[kind](CONTENT)).tobytes() == CONTENT


@pytest.mark.parametrize("size", [None, 100])
def test_a_failing_source_gives_what_is_good_and_raises_the_very_error(size: int | None) -> None:
    error = OSError("broken")
    source = Failing(10, error, size)
    assert source.seekable() == (size is not None)
    if size is not None:
        assert source.seek(0, io.SEEK_END) == size
        assert source.seek(0) == 0
    assert source.read(20) == b"f" * 10
    with pytest.raises(OSError, match="broken") as caught:
        source.read(1)
    assert caught.value is error


@pytest.mark.parametrize("kind", WRONG_CONTENT)
def test_wrong_content_is_wrong(kind: str) -> None:
    with pytest.raises(TypeError):
        MemoryBackend().write("file", cast("Any", WRONG_CONTENT[kind]()))
