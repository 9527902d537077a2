"""A process is killed in the middle of a transfer, and another one goes on, on every lane, sync and async."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.faults import Stall
from remote_store.conformance.s3 import SEAWEEDFS, AsyncS3Harness, S3Harness
from remote_store.core import AsyncStore, Store

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = random.Random(20).randbytes(6 * PART + 1)
LONG = 300.0

CHILD = """
import asyncio, inspect, pickle, sys
from pathlib import Path
from remote_store.core import AsyncBackend, AsyncStore, Store

backend = pickle.loads(Path(sys.argv[1]).read_bytes())
store = AsyncStore(backend) if isinstance(backend, AsyncBackend) else Store(backend)
transfer = getattr(store, sys.argv[2])(*sys.argv[3:], resume=True)
if inspect.isawaitable(transfer):
    asyncio.run(transfer)
"""


@pytest.fixture(params=[(name, order) for name in ("boto3", "s3fs", "pyarrow") for order in (1, -1)], ids=str)
def harnesses(request: pytest.FixtureRequest, lanes: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Harnesses of one lane: for the process that is killed, and for the one that goes on."""
    name, order = request.param
    blocking, awaited = lanes[name]
    pair: tuple[Any, Any] = S3Harness(blocking, SEAWEEDFS), AsyncS3Harness(awaited, SEAWEEDFS)
    first, second = pair[::order]
    second.bucket = first.bucket
    first.endpoint.reset()
    yield first, second
    first.endpoint.reset()


def becomes_true(condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true within a minute."""
    until = time.monotonic() + 60.0
    while not (holds := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return holds


def begin(harness: Any, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a transfer in a process of its own."""
    backend = harness.make(part_size=PART, max_concurrency=2)
    (folder / "backend").write_bytes(pickle.dumps(backend))
    return subprocess.Popen([sys.executable, "-c", CHILD, folder / "backend", *arguments])


def end(harness: Any, method: str, *arguments: Any) -> None:
    """Go on in this process."""
    backend = harness.make(part_size=PART, max_concurrency=2)

    async def in_loop() -> None:
        async with AsyncStore(backend) as store:
            await getattr(store, method)(*arguments, resume=True)

    if inspect.iscoroutinefunction(backend.close):
        asyncio.run(in_loop())
    else:
        with Store(backend) as store:
            getattr(store, method)(*arguments, resume=True)


def test_an_upload_of_a_killed_process_goes_on(harnesses: tuple[Any, Any], tmp_path: Path) -> None:
    first, second = harnesses
    local = tmp_path / "local"
    local.write_bytes(CONTENT)
    first.endpoint.inject(Stall(LONG), operation="UploadPart", after=3, times=None)
    child = begin(first, tmp_path, "upload", str(local), "up")
    try:
        assert becomes_true(lambda: child.poll() is not None or first.endpoint.count("UploadPart") >= 4)
    finally:
        child.kill()
        assert child.wait() == -9
    first.endpoint.reset()
    assert first.oracle.raw_uploads("up") == ["up"]
    end(second, "upload", str(local), "up")
    sent = [request for request in second.endpoint.requests if request.operation == "UploadPart"]
    assert 2 <= len(sent) <= 5
    assert sum(int(request.headers["content-length"]) for request in sent) < 4 * PART + 1000
    assert second.endpoint.count("CreateMultipartUpload") == 0
    assert second.oracle.raw_get("up") == CONTENT
    assert second.oracle.raw_uploads("up") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backend", "local"]


def test_a_download_of_a_killed_process_goes_on(harnesses: tuple[Any, Any], tmp_path: Path) -> None:
    first, second = harnesses
    first.oracle.raw_put("down", CONTENT)
    first.endpoint.inject(Stall(LONG, after_bytes=12 * MIB), operation="GetObject", times=None)
    folder = tmp_path / "folder"
    folder.mkdir()
    child = begin(first, tmp_path, "download", "down", str(folder / "local"))

    def done() -> int:
        for record in folder.glob(".*.json"):
            text = record.read_bytes()
            if text.endswith(b"}"):
                return int(json.loads(text)["done"])
        return 0

    try:
        assert becomes_true(lambda: child.poll() is not None or done() > 0)
    finally:
        child.kill()
        assert child.wait() == -9
    kept = done()
    first.endpoint.reset()
    assert kept == 8 * MIB
    end(second, "download", "down", folder / "local")
    assert (folder / "local").read_bytes() == CONTENT
    asked = [request.headers["range"] for request in second.endpoint.requests if request.operation == "GetObject"]
    spans = [tuple(map(int, text.removeprefix("bytes=").split("-"))) for text in asked]
    assert sum(last - begun + 1 for begun, last in spans) == len(CONTENT) - kept
    assert min(begun for begun, _ in spans) == kept
    assert [path.name for path in folder.iterdir()] == ["local"]
