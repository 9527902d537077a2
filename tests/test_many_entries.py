"""As many entries of metadata as may be written are read back by every backend, and one more is refused."""

from __future__ import annotations

import asyncio
import itertools
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import s3fs

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.fakes.damaged_s3 import DamagedS3, Reply, serving
from remote_store.core import Backend, Capability, CapabilityNotSupported, MemoryBackend
from remote_store.core.local import LocalBackend
from remote_store.core.s3 import Call
from remote_store.s3fs import S3FsBackend

NAMES = ["".join(pair) for pair in itertools.product(string.ascii_lowercase + string.digits, repeat=2)]
MOST = dict.fromkeys(NAMES[:900], "")
TOO_MANY = dict.fromkeys(NAMES[:901], "")
OF_A_HANDLE = dict.fromkeys(NAMES[:64], "v")
PLACE = {"key": "key", "secret": "secret", "region_name": "us-east-1"}
REFUSAL = "901 entries; at most 900"


class Counting(DamagedS3):
    """A server that counts its requests."""

    count = 0

    def reply(self, call: Call, method: str) -> Reply:
        self.count += 1
        return super().reply(call, method)


@pytest.fixture
def server() -> Counting:
    return Counting()


@pytest.fixture
def url(server: Counting) -> Iterator[str]:
    with serving(server) as address:
        yield address


def hold(backend: Backend) -> None:
    """The most entries are written, read back and kept by a copy."""
    assert backend.write("k", b"content", metadata=MOST).metadata == MOST
    assert backend.get_file_info("k").metadata == MOST
    assert backend.read_bytes("k") == b"content"
    backend.copy("k", "copy")
    assert backend.get_file_info("copy").metadata == MOST


def refuse(backend: Backend) -> None:
    """One entry more is refused."""
    with pytest.raises(ValueError, match=REFUSAL):
        backend.write("new", b"content", metadata=TOO_MANY)
    with pytest.raises(ValueError, match=REFUSAL), backend.open_atomic("new", metadata=TOO_MANY):
        pass


def test_every_lane_reads_the_most_entries(lane: Any, server: Counting, url: str) -> None:
    with lane("bucket", endpoint_url=url, **PLACE) as backend:
        hold(backend)
        count = server.count
        refuse(backend)
    assert server.count == count > 0


def test_every_lane_reads_the_most_entries_when_awaited(async_lane: Any, server: Counting, url: str) -> None:
    async def hold_awaited() -> None:
        async with async_lane("bucket", endpoint_url=url, **PLACE) as backend:
            await backend.write("k", b"content", metadata=MOST)
            assert (await backend.get_file_info("k")).metadata == MOST
            count = server.count
            with pytest.raises(ValueError, match=REFUSAL):
                await backend.write("new", b"content", metadata=TOO_MANY)
            assert server.count == count > 0

    asyncio.run(hold_awaited())


def test_the_backend_in_memory_has_the_same_limit() -> None:
    backend = MemoryBackend()
    hold(backend)
    refuse(backend)


def test_the_backend_on_disk_has_the_same_limit(tmp_path: Path) -> None:
    with LocalBackend(tmp_path) as backend:
        refuse(backend)
        if Capability.USER_METADATA in backend.capabilities:
            hold(backend)
        else:
            with pytest.raises(CapabilityNotSupported):
                backend.write("k", b"content", metadata=MOST)


@pytest.mark.parametrize("kind", ["client", "fs"])
def test_a_handle_of_the_users_may_write_what_it_can_read_back(server: Counting, url: str, kind: str) -> None:
    backend: Backend
    if kind == "client":
        client = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s")
        backend = S3Boto3Backend("bucket", client=client)
    else:
        config = {"key": "k", "secret": "s", "endpoint_url": url, "client_kwargs": {"region_name": "us-east-1"}}
        backend = S3FsBackend("bucket", fs=s3fs.S3FileSystem(**config, skip_instance_cache=True))
    with backend:
        backend.write("k", b"content", metadata=OF_A_HANDLE)
        assert backend.get_file_info("k").metadata == OF_A_HANDLE
        assert backend.read_bytes("k") == b"content"
        with pytest.raises(ValueError, match="65 entries; at most 64"):
            backend.write("new", b"content", metadata=dict.fromkeys(NAMES[:65], "v"))
    assert server.state.objects.keys() == {"k"}
