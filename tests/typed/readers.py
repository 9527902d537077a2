"""A user's code that reads: what `Store` hands out is a file for type checkers, and knows its file."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, BinaryIO

from remote_store.core import (
    AsyncBinaryIO,
    AsyncReader,
    AsyncStore,
    FileInfo,
    MemoryBackend,
    Reader,
    Store,
    ThreadedBackend,
)


def size_of(file: BinaryIO) -> int:
    return len(file.read())


def copied(file: IO[bytes]) -> bytes:
    target = io.BytesIO()
    shutil.copyfileobj(file, target)
    return target.getvalue()


def headers(info: FileInfo) -> dict[str, str]:
    return {"Content-Length": str(info.size), "Content-Type": info.content_type or "application/octet-stream"}


def served(store: Store, path: str) -> tuple[dict[str, str], Iterator[bytes]]:
    file: Reader = store.read(path)

    def chunks() -> Iterator[bytes]:
        with file:
            yield from file.iter_chunks(1 << 10)

    return headers(file.info), chunks()


async def awaited_size(file: AsyncBinaryIO) -> int:
    return len(await file.read())


async def streamed(store: AsyncStore, path: str) -> AsyncIterator[bytes]:
    async with await store.read(path) as file:
        async for chunk in file.iter_chunks():
            yield chunk


def main() -> None:
    store = Store(MemoryBackend(), "team")
    store.write("rows.csv", b"a,b\n1,2\n", content_type="text/csv")
    told, chunks = served(store, "rows.csv")
    assert (told["Content-Length"], b"".join(chunks)) == ("8", b"a,b\n1,2\n")
    with store.read("rows.csv") as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        assert list(csv.reader(text)) == [["a", "b"], ["1", "2"]]
    with store.read_seekable("rows.csv", buffer_size=1 << 20) as file:
        buffer = bytearray(3)
        assert (file.readinto(buffer), file.seek(0), size_of(file), file.info.etag is None) == (3, 0, 8, False)
    with store.read("rows.csv") as file:
        assert copied(file) == b"a,b\n1,2\n"
    store.write("packed.json.gz", gzip.compress(b'{"a": 1}'))
    with store.read("packed.json.gz") as file, gzip.open(file) as unpacked:
        assert json.load(unpacked) == {"a": 1}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("in.txt", "inside")
    store.write("a.zip", archive.getvalue())
    with store.read_seekable("a.zip", 1 << 20) as file, zipfile.ZipFile(file) as members:
        assert members.read("in.txt") == b"inside"


async def awaited() -> None:
    async with AsyncStore(ThreadedBackend(MemoryBackend())) as store:
        await store.write("x", b"one\ntwo\n")
        assert [chunk async for chunk in streamed(store, "x")] == [b"one\ntwo\n"]
        reader: AsyncReader = await store.read("x")
        async with reader:
            assert [line async for line in reader] == [b"one\n", b"two\n"]
            assert (reader.info.size, (await reader.get_info()).size) == (8, 8)
        async with await store.read_seekable("x", buffer_size=1 << 10) as file:
            assert await awaited_size(file) == 8
            assert await file.seek(0) == 0
            assert await file.readinto(bytearray(3)) == 3


main()
asyncio.run(awaited())
