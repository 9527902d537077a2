"""Who is measured. A contestant is a class with a method for each operation that it can do; its docstring says how.

A method is named after its operation, takes what the operation's `prepare` gives, and returns the number that the
operation expects, if any. A further lane is one more class here, and one more for the bare SDK that it stands against.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import boto3
from botocore.config import Config

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.servers import Server
from remote_store.core import Store
from world import BUCKET, MIB

THREADS = 16


class Boto3Client:
    """A plain `boto3.client("s3")`; the pool alone is larger than the default, so that 16 threads fit in."""

    title: ClassVar[str] = "raw boto3"
    rival: ClassVar[str | None] = None
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
        return _threaded(self.get, keys)

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
        ranges = (f"bytes={place}-{place + 64 * 1024 - 1}" for place in places)
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


class Boto3Lane:
    """`Store(S3Boto3Backend(...))` with its defaults, and `conditional_writes=True`, which SeaweedFS honours."""

    title: ClassVar[str] = "remote-store-boto3"
    rival: ClassVar[str | None] = "raw boto3"
    distributions: ClassVar[tuple[str, ...]] = (
        "remote-store-boto3",
        "remote-store-core",
        "boto3",
        "botocore",
        "urllib3",
    )

    def __init__(self, server: Server) -> None:
        self.store = Store(
            S3Boto3Backend(
                BUCKET,
                endpoint_url=server.url,
                region_name=server.region,
                key=server.key,
                secret=server.secret,
                conditional_writes=True,
            )
        )

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
        return _threaded(self.get, keys)

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


CONTESTANTS: tuple[type[Any], ...] = (Boto3Client, Boto3Lane)


def _threaded(get: Any, keys: list[str]) -> int:
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(get, keys))


def _at(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(64 * 1024)
