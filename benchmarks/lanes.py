"""The lanes: the same calls of a store for each of them. The docstring of a method is the call that it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TypeVar

from bare import threaded
from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.conformance.servers import Server
from remote_store.core import AsyncBackend, AsyncStore, Backend, Store
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend
from world import BUCKET, MIB, SPAN

T = TypeVar("T")


@dataclass(frozen=True)
class Rival:
    """A contestant to compare a lane with, and the least ratios of its time to the lane's, by operation.

    Attributes:
        title: Title of the other contestant.
        cpu: For CPU time.
        wall: For time on the clock.
        floor: For time on the clock of every other operation.
    """

    title: str
    cpu: Mapping[str, float] = field(default_factory=dict)
    wall: Mapping[str, float] = field(default_factory=dict)
    floor: float | None = None


def options(server: Server) -> dict[str, Any]:
    """The options for the server. Besides, `conditional_writes=True`, so that a create is one request."""
    return {
        "endpoint_url": server.url,
        "region_name": server.region,
        "key": server.key,
        "secret": server.secret,
        "conditional_writes": True,
    }


class Lane:
    """The operations of all synchronous lanes.

    Args:
        server: The server.
    """

    backend: ClassVar[Callable[..., Backend]]

    def __init__(self, server: Server) -> None:
        self.store = Store(self.backend(BUCKET, **options(server)))

    def head(self, key: str) -> int:
        """`head`"""
        return self.store.head(key).size

    def get(self, key: str) -> int:
        """`read_bytes`"""
        return len(self.store.read_bytes(key))

    def put(self, key: str, data: bytes) -> None:
        """`write(overwrite=True)`"""
        self.store.write(key, data, overwrite=True)

    def create(self, key: str, data: bytes) -> None:
        """`write`"""
        self.store.write(key, data)

    def get_many(self, keys: list[str]) -> int:
        """`read_bytes` in a pool of 16 threads"""
        return threaded(self.get, keys)

    def list_all(self, prefix: str) -> int:
        """`list_files(recursive=True)`"""
        return sum(1 for info in self.store.list_files(prefix, recursive=True) if info.size == 1)

    def stream(self, key: str) -> int:
        """`read`, `file.read(1 MiB)` until it is empty"""
        with self.store.read(key) as file:
            return sum(map(len, iter(lambda: file.read(MIB), b"")))

    def read(self, key: str) -> int:
        """`read_bytes`"""
        return len(self.store.read_bytes(key))

    def download(self, key: str, target: Path) -> int:
        """`download`"""
        return self.store.download(key, target)

    def upload_file(self, key: str, path: Path) -> None:
        """`upload(path, overwrite=True)`"""
        self.store.upload(path, key, overwrite=True)

    def upload_stream(self, key: str, stream: BinaryIO) -> None:
        """`upload(stream, overwrite=True)`"""
        self.store.upload(stream, key, overwrite=True)

    def random_reads(self, key: str, places: list[int]) -> int:
        """`read_seekable`, `seek` and `read` for each"""
        with self.store.read_seekable(key) as file:
            return sum(len(_at(file, place)) for place in places)

    def copy(self, source: str, target: str) -> None:
        """`copy(overwrite=True)`"""
        self.store.copy(source, target, overwrite=True)

    def delete_tree(self, folder: str) -> None:
        """`delete_folder(recursive=True)`"""
        self.store.delete_folder(folder, recursive=True)

    def close(self) -> None:
        self.store.close()


class AsyncLane:
    """The operations of all asynchronous lanes, run in their own event loop.

    Args:
        server: The server.
    """

    backend: ClassVar[Callable[..., AsyncBackend]]

    def __init__(self, server: Server) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = AsyncStore(self.backend(BUCKET, **options(server)))

    def head(self, key: str) -> int:
        """`await head`"""
        return self._run(self.store.head(key)).size

    def get(self, key: str) -> int:
        """`await read_bytes`"""
        return len(self._run(self.store.read_bytes(key)))

    def put(self, key: str, data: bytes) -> None:
        """`await write(overwrite=True)`"""
        self._run(self.store.write(key, data, overwrite=True))

    def create(self, key: str, data: bytes) -> None:
        """`await write`"""
        self._run(self.store.write(key, data))

    def list_all(self, prefix: str) -> int:
        """`async for` over `list_files(recursive=True)`"""

        async def every() -> int:
            return len([1 async for info in self.store.list_files(prefix, recursive=True) if info.size == 1])

        return self._run(every())

    def stream(self, key: str) -> int:
        """`await read`, `await file.read(1 MiB)` until it is empty"""

        async def every() -> int:
            total = 0
            async with await self.store.read(key) as file:
                while data := await file.read(MIB):
                    total += len(data)
            return total

        return self._run(every())

    def upload_file(self, key: str, path: Path) -> None:
        """`await upload(path, overwrite=True)`"""
        self._run(self.store.upload(path, key, overwrite=True))

    def upload_stream(self, key: str, stream: BinaryIO) -> None:
        """`await upload(stream, overwrite=True)`"""
        self._run(self.store.upload(stream, key, overwrite=True))

    def get_at_once(self, keys: list[str]) -> int:
        """`read_bytes` in as many tasks as there are keys"""

        async def every() -> int:
            return sum(map(len, await asyncio.gather(*map(self.store.read_bytes, keys))))

        return self._run(every())

    def close(self) -> None:
        self._run(self.store.close())
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)


class Boto3Lane(Lane):
    """`Store(S3Boto3Backend(...))` with defaults, and `conditional_writes=True`, so that a create is one request."""

    title: ClassVar[str] = "remote-store-boto3"
    rivals: ClassVar = (
        Rival(
            "raw boto3",
            {"head": 1.3, "get": 1.3, "put": 1.3, "create": 1.3, "list_all": 5.0},
            {"stream": 0.95, "read": 0.95, "download": 1.2},
        ),
    )
    distributions: ClassVar[tuple[str, ...]] = ("remote-store-boto3", "remote-store-core", "boto3", "botocore")
    backend = S3Boto3Backend


class AsyncBoto3Lane(AsyncLane):
    """`AsyncStore(AsyncS3Boto3Backend(...))`, alike."""

    title: ClassVar[str] = "remote-store-boto3, awaited"
    rivals: ClassVar = (Rival("raw boto3"), Rival("raw s3fs, awaited"))
    distributions: ClassVar[tuple[str, ...]] = Boto3Lane.distributions
    backend = AsyncS3Boto3Backend


class S3fsLane(Lane):
    """`Store(S3FsBackend(...))`, alike."""

    title: ClassVar[str] = "remote-store-s3fs"
    rivals: ClassVar = (Rival("raw s3fs", {"get": 1.5, "list_all": 2.0}, {"get": 1.5, "list_all": 2.0}, floor=0.95),)
    distributions: ClassVar[tuple[str, ...]] = ("remote-store-s3fs", "remote-store-core", "s3fs", "aiobotocore")
    backend = S3FsBackend


class AsyncS3fsLane(AsyncLane):
    """`AsyncStore(AsyncS3FsBackend(...))`, alike."""

    title: ClassVar[str] = "remote-store-s3fs, awaited"
    rivals: ClassVar = (Rival("raw s3fs, awaited", wall={"get_at_once": 1.2}, floor=0.95),)
    distributions: ClassVar[tuple[str, ...]] = S3fsLane.distributions
    backend = AsyncS3FsBackend


class PyArrowLane(Lane):
    """`Store(S3PyArrowBackend(...))`, alike: the contract is kept by botocore below it."""

    title: ClassVar[str] = "remote-store-pyarrow"
    rivals: ClassVar = (
        Rival("raw pyarrow", wall={"get": 0.9, "read": 0.9, "stream": 1.0, "random_reads": 0.7, "put": 2.0}),
    )
    distributions: ClassVar[tuple[str, ...]] = ("remote-store-pyarrow", "remote-store-core", "pyarrow", "botocore")
    backend = S3PyArrowBackend


def _at(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(SPAN)
