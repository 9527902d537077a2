"""Several processes that serve the same bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from served import store_of

from remote_store.conformance.servers import Server

HERE = Path(__file__).resolve().parent

each_lane = pytest.mark.parametrize("lane", ["boto3", "s3fs"])


def place_of(server: Server) -> dict[str, str]:
    return {"endpoint_url": server.url, "key": server.key, "secret": server.secret, "region_name": server.region}


def environment(server: Server, bucket: str, lane: str) -> dict[str, str]:
    described = {"PLACE": json.dumps(place_of(server)), "BUCKET": bucket, "LANE": lane}
    return {**os.environ, **described, "PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}


def got(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        content: bytes = response.read()
    return content


@each_lane
def test_uvicorn_with_two_workers(server: Server, bucket: str, lane: str, tmp_path: Path) -> None:
    with store_of("boto3", bucket, **place_of(server)) as store:
        store.write("a.txt", b"hello")
    command = [sys.executable, "-m", "uvicorn", "served:from_environment", "--factory", "--workers", "2"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", "0"], env=environment(server, bucket, lane), stdout=output, stderr=output
        )
        try:
            until = time.monotonic() + 60
            while log.read_text().count("Application startup complete") < 2:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)
            port = log.read_text().partition("http://127.0.0.1:")[2].partition(" ")[0]
            url = f"http://127.0.0.1:{port}"
            with ThreadPoolExecutor(8) as pool:
                contents = list(pool.map(got, [f"{url}/files/a.txt"] * 40))
                workers: set[bytes] = set()
                while len(workers) < 2:
                    assert time.monotonic() < until, workers
                    workers |= set(pool.map(got, [f"{url}/process"] * 8))
        finally:
            process.terminate()
            process.wait(20)
    assert contents == [b"hello"] * 40


FORKED = """
import asyncio, os, sys
from served import from_environment

app = from_environment()

async def get():
    parts = []
    async def receive():
        await asyncio.sleep(60)
    async def send(message):
        parts.append(message.get("body") or message.get("status") or b"")
    scope = {"type": "http", "method": "GET", "path": "/files/a.txt", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return parts

print('parent', asyncio.run(get()), flush=True)
child = os.fork()
if child == 0:
    print('child', asyncio.run(get()), flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@each_lane
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_store_that_was_used_before_a_fork(server: Server, bucket: str, lane: str) -> None:
    """As a server that loads the application before it forks its workers."""
    with store_of("boto3", bucket, **place_of(server)) as store:
        store.write("a.txt", b"hello")
    command = [sys.executable, "-c", FORKED]
    done = subprocess.run(command, env=environment(server, bucket, lane), capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["parent [200, b'hello']", "child [200, b'hello']", "0"], done.stderr
