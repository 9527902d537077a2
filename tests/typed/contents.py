"""User code that mypy and pyright accept in their strict modes, and mistakes that both find. It runs, too."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import io
import lzma
import mmap
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, BinaryIO

from starlette.datastructures import UploadFile

from remote_store.core import (
    AsyncContent,
    AsyncStore,
    Buffer,
    Content,
    MemoryBackend,
    NotFound,
    RemoteStoreError,
    Store,
    SupportsRead,
    ThreadedBackend,
)


class Hashed:
    """A wrapper that has only `read`."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def read(self, size: int) -> bytes:
        return self.file.read(size)


def generated() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


async def streamed() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


def write_files(store: Store, folder: Path) -> None:
    path = folder / "local"
    path.write_bytes(b"x")
    store.write("bytes", b"x")
    store.write("bytearray", bytearray(b"x"))
    store.write("memoryview", memoryview(b"x"))
    store.write("bytesio", io.BytesIO(b"x"))
    with path.open("rb") as file, path.open("rb", buffering=0) as unbuffered:
        store.write("file", file)
        store.write("unbuffered", unbuffered)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        store.write("mmap", mapped)
    with gzip.open(path.with_suffix(".gz"), "wb") as packed:
        packed.write(b"x")
    with gzip.open(path.with_suffix(".gz"), "rb") as unpacked:
        store.write("gzip", unpacked)
    store.write("gzip_file", gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"x"))))
    store.write("bz2", bz2.BZ2File(io.BytesIO(bz2.compress(b"x"))))
    with lzma.LZMAFile(io.BytesIO(lzma.compress(b"x"))) as decompressed:
        store.write("lzma", decompressed)
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.writestr("member", b"x")
    with zipfile.ZipFile(folder / "zip") as archive, archive.open("member") as member:
        store.write("zip", member)
    with tempfile.TemporaryFile() as temporary, tempfile.NamedTemporaryFile() as named:
        store.write("temporary", temporary)
        store.write("named", named)
    with tempfile.SpooledTemporaryFile() as spooled:
        store.write("spooled", spooled)
        store.write_atomic("atomic", spooled)
    store.write("wrapped", Hashed(io.BytesIO(b"x")))
    with store.read("bytes") as opened, store.read_seekable("bytes") as seekable:
        store.write("read", opened)
        store.write("read_seekable", seekable)


def write_iterables(store: Store, folder: Path) -> None:
    store.write("list", [b"one", b"two"])
    store.write("tuple", (b"one", bytearray(b"two")))
    store.write("generator", generated())
    store.write("lines", (line.encode() for line in ["one", "two"]))
    store.upload(generated(), "uploaded")
    store.upload(folder / "local", "path")
    store.upload(str(folder / "local"), "str")


def a_typed_helper(store: Store, path: str, content: Content) -> int:
    return store.write(path, content, overwrite=True).size


def more_types(
    store: Store, response: HTTPResponse, file: IO[bytes], reader: io.BufferedReader, raw: io.RawIOBase
) -> None:
    store.write("response", response)
    store.write("io", file)
    store.write("reader", reader)
    store.write("raw", raw)
    sources: list[SupportsRead] = [response, file, reader]
    buffers: list[Buffer] = [b"x"]
    for source in sources:
        a_typed_helper(store, "any", source)
    a_typed_helper(store, "buffers", buffers)


async def write_async(store: AsyncStore, upload: UploadFile) -> None:
    await store.write("upload_file", upload)
    await store.upload(upload, "upload_file_again")
    await store.write("list", [b"one", b"two"])
    await store.write("generator", generated())
    await store.write("async_generator", streamed())
    await store.write("gzip", gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"x"))))
    await store.write("file", io.BytesIO(b"x"))
    async with await store.read("file") as opened:
        await store.write("read", opened)
    contents: list[AsyncContent] = [b"x", upload, streamed(), generated()]
    for number, content in enumerate(contents):
        await store.write(f"content{number}", content)


def mistakes(store: Store, upload: UploadFile, folder: Path) -> None:
    """Never called: each line is an error in both checkers."""
    store.write("text", "text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.write("texts", ["text"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    store.write("stream", io.StringIO("text"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.write("number", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.write("path", folder)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.write("async", upload)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def statuses(store: Store) -> int:
    try:
        store.read_bytes("none")
    except NotFound as error:
        return error.http_status
    except RemoteStoreError as error:
        return error.http_status
    return 200


def main(folder: Path) -> None:
    store = Store(MemoryBackend())
    write_files(store, folder)
    write_iterables(store, folder)
    upload = UploadFile(io.BytesIO(b"x"))
    asyncio.run(write_async(AsyncStore(ThreadedBackend(MemoryBackend())), upload))
    assert statuses(store) == 404


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
