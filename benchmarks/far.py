"""Measures sequential reads over a far server: 20 ms of latency and 80 MB/s on each connection.

uv run benchmarks/far.py          256 MiB by the boto3 lane, and by boto3 itself
uv run benchmarks/far.py --mib 64 a smaller object
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.servers import seaweedfs_server

MIB = 1024 * 1024
LATENCY = 0.020
CHUNK = 256 * 1024
IN_FLIGHT = 32
"""Most chunks in flight on one connection, more than the rate delivers within the latency."""

BUCKET = "far"


async def take(source: asyncio.StreamReader, line: asyncio.Queue[tuple[float, bytes]]) -> None:
    """Queue received bytes with the time at which to send them."""
    clock = asyncio.get_running_loop().time
    data = b"more"
    while data:
        try:
            data = await source.read(CHUNK)
        except ConnectionError:
            data = b""
        await line.put((clock() + LATENCY, data))


async def give(line: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter, rate: float) -> None:
    """Send queued bytes at their time, no faster than the rate."""
    clock = asyncio.get_running_loop().time
    free = 0.0
    try:
        while (item := await line.get())[1]:
            due, data = item
            free = max(free, due) + len(data) / rate
            if (seconds := free - clock()) > 0.001:
                await asyncio.sleep(seconds)
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Forward bytes without a delay."""
    try:
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


async def serve(host: str, port: int, rate: float, ready: Connection) -> None:
    """A proxy before a server."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(LATENCY)
        from_server, to_server = await asyncio.open_connection(host, port, limit=CHUNK)
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)
        answering = asyncio.ensure_future(take(from_server, line))
        await asyncio.gather(copy(reader, to_server), give(line, writer, rate))
        answering.cancel()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, limit=CHUNK)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run(host: str, port: int, rate: float, ready: Connection) -> None:
    """The proxy's process."""
    asyncio.run(serve(host, port, rate, ready))


@contextmanager
def far(url: str, rate: float) -> Iterator[str]:
    """Start a proxy for the server in a new process, and yield its URL."""
    parts = urlsplit(url)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=run, args=(parts.hostname, parts.port, rate, theirs), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def timed(name: str, read: Callable[[], int], size: int) -> float:
    """The best of three reads in MB/s."""
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        assert read() == size
        best = max(best, size / 1e6 / (time.perf_counter() - began))
    print(f"{name:24}{best:8.0f} MB/s", flush=True)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256, help="size of the object")
    parser.add_argument("--rate", type=int, default=80, help="MB/s of each connection; fewer ask less of this machine")
    arguments = parser.parse_args()
    size = arguments.mib * MIB
    with seaweedfs_server() as server, far(server.url, arguments.rate * 1e6) as url:
        options = {"aws_access_key_id": server.key, "aws_secret_access_key": server.secret, "region_name": "us-east-1"}
        config = Config(s3={"addressing_style": "path"})
        boto3.client("s3", endpoint_url=server.url, config=config, **options).create_bucket(Bucket=BUCKET)
        boto3.client("s3", endpoint_url=server.url, config=config, **options).put_object(
            Bucket=BUCKET, Key="large", Body=os.urandom(size)
        )
        client = boto3.client("s3", endpoint_url=url, config=config, **options)
        lane = S3Boto3Backend(BUCKET, endpoint_url=url, key=server.key, secret=server.secret, region_name="us-east-1")

        def bare() -> int:
            return sum(map(len, client.get_object(Bucket=BUCKET, Key="large")["Body"].iter_chunks(CHUNK)))

        def ours() -> int:
            with lane.read("large") as file:
                return sum(map(len, iter(lambda: file.read(CHUNK), b"")))

        raw = timed("boto3", bare, size)
        print(f"{'ratio':24}{timed('the boto3 lane, read', ours, size) / raw:8.2f}")


if __name__ == "__main__":
    main()
