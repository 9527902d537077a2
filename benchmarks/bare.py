"""The bare SDKs, used as their documentation shows. The docstring of a method is the call that it measures."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import boto3
import pyarrow.fs
import s3fs
from botocore.config import Config

from remote_store.conformance.servers import Server
from world import BUCKET, MIB, SPAN, THREADS


def threaded(get: Any, keys: list[str]) -> int:
    """Call a function for each key in a pool of threads, and return the sum of its results."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(get, keys))


class Boto3Client:
    """A plain `boto3.client("s3")`; the pool alone is larger than the default, so that 16 threads fit in."""

    title: ClassVar[str] = "raw boto3"
    distributions: ClassVar[tuple[str, ...]] = ("boto3", "botocore", "s3transfer", "urllib3")

    def __init__(self, server: Server) -> None:
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name=server.region,
            aws_access_key_id=server.key,
            aws_secret_access_key=server.secret,
            config=Config(max_pool_connections=THREADS),
        )

    def head(self, key: str) -> int:
        """`head_object`"""
        return int(self.client.head_object(Bucket=BUCKET, Key=key)["ContentLength"])

    def get(self, key: str) -> int:
        """`get_object`, `Body.read()`"""
        return len(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        """`put_object`"""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)

    def create(self, key: str, data: bytes) -> None:
        """`put_object(IfNoneMatch="*")`"""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data, IfNoneMatch="*")

    def get_many(self, keys: list[str]) -> int:
        """`get_object` in a pool of 16 threads"""
        return threaded(self.get, keys)

    def list_all(self, prefix: str) -> int:
        """paginator of `list_objects_v2`"""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        return sum(1 for page in pages for entry in page.get("Contents", ()) if entry["Size"] == 1)

    def stream(self, key: str) -> int:
        """`get_object`, `Body.iter_chunks(1 MiB)`"""
        return sum(map(len, self.client.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(MIB)))

    def read(self, key: str) -> int:
        """`get_object`, `Body.read()`"""
        return self.get(key)

    def download(self, key: str, target: Path) -> int:
        """`download_file`, with its threads"""
        self.client.download_file(BUCKET, key, str(target))
        return target.stat().st_size

    def upload_file(self, key: str, path: Path) -> None:
        """`upload_file`, with its threads"""
        self.client.upload_file(str(path), BUCKET, key)

    def upload_stream(self, key: str, stream: BinaryIO) -> None:
        """`upload_fileobj`, with its threads"""
        self.client.upload_fileobj(stream, BUCKET, key)

    def random_reads(self, key: str, places: list[int]) -> int:
        """`get_object(Range=...)` for each"""
        ranges = (f"bytes={place}-{place + SPAN - 1}" for place in places)
        return sum(len(self.client.get_object(Bucket=BUCKET, Key=key, Range=span)["Body"].read()) for span in ranges)

    def copy(self, source: str, target: str) -> None:
        """`copy_object`"""
        self.client.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})

    def delete_tree(self, folder: str) -> None:
        """paginator of `list_objects_v2`, `delete_objects` for each page"""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{folder}/")
        for page in pages:
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
            self.client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})

    def close(self) -> None:
        self.client.close()


def s3fs_arguments(server: Server) -> dict[str, Any]:
    """The arguments of an s3fs filesystem for the server, without caches that would save requests."""
    return {
        "endpoint_url": server.url,
        "key": server.key,
        "secret": server.secret,
        "client_kwargs": {"region_name": server.region},
        "config_kwargs": {"max_pool_connections": THREADS},
        "use_listings_cache": False,
        "skip_instance_cache": True,
    }


class S3fsFileSystem:
    """A plain `s3fs.S3FileSystem` with a pool of 16 connections and `use_listings_cache=False`, so that it asks."""

    title: ClassVar[str] = "raw s3fs"
    distributions: ClassVar[tuple[str, ...]] = ("aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs")

    def __init__(self, server: Server) -> None:
        self.fs: Any = s3fs.S3FileSystem(**s3fs_arguments(server))

    def head(self, key: str) -> int:
        """`info`"""
        return int(self.fs.info(f"{BUCKET}/{key}")["size"])

    def get(self, key: str) -> int:
        """`cat_file`"""
        return len(self.fs.cat_file(f"{BUCKET}/{key}"))

    def put(self, key: str, data: bytes) -> None:
        """`pipe_file`"""
        self.fs.pipe_file(f"{BUCKET}/{key}", data)

    def create(self, key: str, data: bytes) -> None:
        """`pipe_file(mode="create")`"""
        self.fs.pipe_file(f"{BUCKET}/{key}", data, mode="create")

    def get_many(self, keys: list[str]) -> int:
        """`cat_file` in a pool of 16 threads"""
        return threaded(self.get, keys)

    def list_all(self, prefix: str) -> int:
        """`find(detail=True)`"""
        found = self.fs.find(f"{BUCKET}/{prefix}", detail=True)
        return sum(1 for entry in found.values() if entry["size"] == 1)

    def stream(self, key: str) -> int:
        """`open`, `file.read(1 MiB)` until it is empty"""
        with self.fs.open(f"{BUCKET}/{key}") as file:
            return sum(map(len, iter(lambda: file.read(MIB), b"")))

    def read(self, key: str) -> int:
        """`cat_file`"""
        return self.get(key)

    def download(self, key: str, target: Path) -> int:
        """`get_file`"""
        self.fs.get_file(f"{BUCKET}/{key}", str(target))
        return target.stat().st_size

    def upload_file(self, key: str, path: Path) -> None:
        """`put_file`"""
        self.fs.put_file(str(path), f"{BUCKET}/{key}")

    def upload_stream(self, key: str, stream: BinaryIO) -> None:
        """`open("wb")`, `file.write` of each MiB"""
        with self.fs.open(f"{BUCKET}/{key}", "wb") as file:
            for block in iter(lambda: stream.read(MIB), b""):
                file.write(block)

    def random_reads(self, key: str, places: list[int]) -> int:
        """`cat_file(start=, end=)` for each"""
        path = f"{BUCKET}/{key}"
        return sum(len(self.fs.cat_file(path, start=place, end=place + SPAN)) for place in places)

    def copy(self, source: str, target: str) -> None:
        """`cp_file`"""
        self.fs.cp_file(f"{BUCKET}/{source}", f"{BUCKET}/{target}")

    def delete_tree(self, folder: str) -> None:
        """`rm(recursive=True)`"""
        self.fs.rm(f"{BUCKET}/{folder}", recursive=True)

    def close(self) -> None:
        """Nothing: s3fs closes its client when the filesystem is collected."""


class AwaitedS3fs:
    """`s3fs.S3FileSystem(asynchronous=True)` with a pool of 64 connections, awaited."""

    title: ClassVar[str] = "raw s3fs, awaited"
    distributions: ClassVar[tuple[str, ...]] = S3fsFileSystem.distributions

    def __init__(self, server: Server) -> None:
        self.loop = asyncio.new_event_loop()
        arguments = {**s3fs_arguments(server), "config_kwargs": {"max_pool_connections": 64}}
        self.fs: Any = s3fs.S3FileSystem(asynchronous=True, **arguments)
        self.session = self.loop.run_until_complete(self.fs.set_session())

    def head(self, key: str) -> int:
        """`await _info`"""
        return int(self.loop.run_until_complete(self.fs._info(f"{BUCKET}/{key}"))["size"])

    def get(self, key: str) -> int:
        """`await _cat_file`"""
        return len(self.loop.run_until_complete(self.fs._cat_file(f"{BUCKET}/{key}")))

    def put(self, key: str, data: bytes) -> None:
        """`await _pipe_file`"""
        self.loop.run_until_complete(self.fs._pipe_file(f"{BUCKET}/{key}", data))

    def list_all(self, prefix: str) -> int:
        """`await _find(detail=True)`"""
        found = self.loop.run_until_complete(self.fs._find(f"{BUCKET}/{prefix}", detail=True))
        return sum(1 for entry in found.values() if entry["size"] == 1)

    def get_at_once(self, keys: list[str]) -> int:
        """`_cat_file` in as many tasks as there are keys"""

        async def every() -> int:
            return sum(map(len, await asyncio.gather(*(self.fs._cat_file(f"{BUCKET}/{key}") for key in keys))))

        return self.loop.run_until_complete(every())

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())
        self.loop.close()


class PyArrowFileSystem:
    """A plain `pyarrow.fs.S3FileSystem`."""

    title: ClassVar[str] = "raw pyarrow"
    distributions: ClassVar[tuple[str, ...]] = ("pyarrow",)

    def __init__(self, server: Server) -> None:
        scheme, _, place = server.url.partition("://")
        self.fs: Any = pyarrow.fs.S3FileSystem(
            access_key=server.key,
            secret_key=server.secret,
            region=server.region,
            scheme=scheme,
            endpoint_override=place,
        )

    def head(self, key: str) -> int:
        """`get_file_info`"""
        return int(self.fs.get_file_info(f"{BUCKET}/{key}").size)

    def get(self, key: str) -> int:
        """`open_input_file`, `read()`"""
        with self.fs.open_input_file(f"{BUCKET}/{key}") as file:
            return len(file.read())

    def put(self, key: str, data: bytes) -> None:
        """`open_output_stream`, `write`"""
        with self.fs.open_output_stream(f"{BUCKET}/{key}") as file:
            file.write(data)

    def get_many(self, keys: list[str]) -> int:
        """`open_input_file`, `read()` in a pool of 16 threads"""
        return threaded(self.get, keys)

    def list_all(self, prefix: str) -> int:
        """`get_file_info(FileSelector(recursive=True))`"""
        found = self.fs.get_file_info(pyarrow.fs.FileSelector(f"{BUCKET}/{prefix}", recursive=True))
        return sum(1 for entry in found if entry.size == 1)

    def stream(self, key: str) -> int:
        """`open_input_stream`, `read(1 MiB)` until it is empty"""
        with self.fs.open_input_stream(f"{BUCKET}/{key}") as file:
            return sum(map(len, iter(lambda: file.read(MIB), b"")))

    def read(self, key: str) -> int:
        """`open_input_file`, `read()`"""
        return self.get(key)

    def upload_stream(self, key: str, stream: BinaryIO) -> None:
        """`open_output_stream`, `write` of each MiB"""
        with self.fs.open_output_stream(f"{BUCKET}/{key}") as file:
            for block in iter(lambda: stream.read(MIB), b""):
                file.write(block)

    def random_reads(self, key: str, places: list[int]) -> int:
        """`open_input_file`, `read_at` for each"""
        with self.fs.open_input_file(f"{BUCKET}/{key}") as file:
            return sum(len(file.read_at(SPAN, place)) for place in places)

    def copy(self, source: str, target: str) -> None:
        """`copy_file`"""
        self.fs.copy_file(f"{BUCKET}/{source}", f"{BUCKET}/{target}")

    def delete_tree(self, folder: str) -> None:
        """`delete_dir`"""
        self.fs.delete_dir(f"{BUCKET}/{folder}")

    def close(self) -> None:
        """Nothing: pyarrow has no such call."""
