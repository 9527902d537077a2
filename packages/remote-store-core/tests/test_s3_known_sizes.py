"""The parts of content whose length can be known are equal, and few enough for 80 GiB of it."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AsyncStore, RemoteStoreError, Store, ThreadedBackend
from remote_store.core.s3 import Call, Fault
from uploads import MIB, PART, SEND

GIB = 1024 * MIB
SIZE = 80 * GIB
EQUAL_PART = 9 * MIB
"""The fewest whole MiB that 10,000 parts need for 80 GiB."""


@pytest.fixture
def sent(s3: FakeS3) -> list[int]:
    """The lengths of the parts that a server was sent, each of which it refused."""
    lengths: list[int] = []

    def before(call: Call) -> None:
        if call.operation == SEND:
            lengths.append(len(call.params["Body"]))
            raise Fault("AccessDenied", 403)

    s3.before = before
    return lengths


def refused(write: Callable[[], Any]) -> None:
    with pytest.raises(RemoteStoreError) as caught:
        write()
    assert caught.value.status == 403


def stretch(file: Any) -> None:
    """Make a file on disk 80 GiB long without filling them."""
    file.seek(SIZE - 1)
    file.write(b"x")
    file.seek(0)


def test_open_atomic(open_lane: Any, sent: list[int]) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)

    async def write_awaited() -> None:
        async with lane.backend.open_atomic("a") as file:
            await file.seek(SIZE - 1)
            await file.write(b"x")

    def write() -> None:
        with lane.backend.open_atomic("a") as file:
            stretch(file)

    refused(lambda: lane.done(write_awaited()) if lane.is_async else write())
    assert set(sent) == {EQUAL_PART}


def test_the_part_size_stays_where_the_content_fits(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    lane.write_spooled("a", bytes(2 * PART + 1))
    assert [len(call.params["Body"]) for call in s3.calls if call.operation == SEND] == [PART, PART, 1]


def test_a_spooled_file_of_the_caller(open_lane: Any, sent: list[int]) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    with tempfile.SpooledTemporaryFile(10) as file:
        file.rollover()
        stretch(file)
        refused(lambda: lane.write("a", cast("BinaryIO", file)))
    assert set(sent) == {EQUAL_PART}


@pytest.mark.parametrize("progress", [None, lambda done, total, delta: None])
def test_an_upload_of_a_local_file(open_lane: Any, sent: list[int], tmp_path: Path, progress: Any) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    path = tmp_path / "large"
    with path.open("wb") as file:
        stretch(file)
    store = (AsyncStore if lane.is_async else Store)(lane.backend, owns_backend=False)
    refused(lambda: lane.done(store.upload(path, "a", progress=progress)))
    assert set(sent) == {EQUAL_PART}


def test_an_upload_through_a_bridge(open_lane: Any, sent: list[int], tmp_path: Path) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    if lane.is_async:
        pytest.skip("only a blocking backend needs a bridge")
    path = tmp_path / "large"
    with path.open("wb") as file:
        stretch(file)
    bridge = ThreadedBackend(lane.backend)

    async def write() -> None:
        with path.open("rb") as stream:
            await bridge.write("a", stream)

    refused(lambda: asyncio.run(write()))
    refused(lambda: asyncio.run(AsyncStore(bridge).upload(path, "b", progress=lambda done, total, delta: None)))
    assert set(sent) == {EQUAL_PART}


@pytest.mark.parametrize("root", ["", "folder"])
def test_a_file_of_a_store(open_lane: Any, sent: list[int], s3: FakeS3, root: str) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)
    data = bytes(30 * MIB)
    s3.put("folder/source", data)
    s3.put("source", data)
    s3.objects["folder/source"] = s3.objects["source"] = replace(s3.objects["source"], size=SIZE)
    store = (AsyncStore if lane.is_async else Store)(lane.backend, root, owns_backend=False)
    stream = lane.done(store.read("source"))
    for progress in (None, lambda done, total, delta: None):
        refused(lambda progress=progress: lane.done(store.upload(stream, "a", progress=progress)))  # type: ignore[misc]
        lane.done(stream.seek(0))
    lane.done(stream.close())
    assert set(sent) == {EQUAL_PART}


def test_a_stream_that_cannot_tell_keeps_the_part_size(open_lane: Any, sent: list[int]) -> None:
    lane = open_lane(part_size=PART, grow_parts=False, max_concurrency=1)

    class Unknown(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    refused(lambda: lane.write("a", Unknown()))
    assert set(sent) == {PART}
