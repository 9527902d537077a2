"""What one lane writes, the others read, list, copy and delete as if it were their own."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from remote_store.conformance import RawHead
from remote_store.conformance.hostile import KEYS, ODD_KEYS
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, AsyncS3Harness, S3Harness, S3Oracle, S3Target
from remote_store.core import AsyncBackend, Backend, FileInfo, WriteResult

PAIRS = [
    ("boto3", "s3fs"),
    ("boto3", "pyarrow"),
    ("s3fs", "boto3"),
    ("s3fs", "pyarrow"),
    ("pyarrow", "boto3"),
    ("pyarrow", "s3fs"),
]
LARGE = random.Random(0).randbytes(6 * 1024 * 1024)


class File(NamedTuple):
    content: bytes
    metadata: dict[str, str] | None = None
    content_type: str | None = None


class Seen(NamedTuple):
    listed: FileInfo
    info: FileInfo
    content: bytes


PLAIN = {
    "plain": File(b"hello", {}, "text/plain"),
    "empty": File(b"", {"empty": "yes"}, "text/empty"),
    "typed.csv": File(b"day,sum\n", {"author": "ada", "unit": '100% "of"  it'}, "text/csv; charset=utf-8"),
    "packed.json.gz": File(b"not packed at all", content_type="application/json"),
    "large": File(LARGE, {"parts": "two"}, "application/x-large"),
}


def files_of(target: S3Target) -> dict[str, File]:
    # moto knows no key with a newline, SeaweedFS none with a backslash.
    unknown = "\n" if target is MOTO else "\\"
    keys = [KEYS[name] for name in ODD_KEYS if unknown not in KEYS[name]]
    return {f"folder/{name}": file for name, file in PLAIN.items()} | {
        f"folder/odd/{key}": File(key.encode()) for key in keys
    }


def source(file: File) -> Any:
    return io.BytesIO(file.content) if file.content is LARGE else file.content


def check_stored(oracle: S3Oracle, files: dict[str, File], prefix: str = "") -> None:
    assert sorted(oracle.raw_list(prefix)) == sorted(prefix + key for key in files)
    for key, file in files.items():
        assert oracle.raw_get(prefix + key) == file.content, key
    for key, file in list(files.items())[: len(PLAIN)]:
        expected = RawHead(len(file.content), file.metadata or {}, file.content_type, "STANDARD", {})
        assert oracle.raw_head(prefix + key) == expected, key


def write(backend: Backend, files: dict[str, File]) -> dict[str, WriteResult]:
    return {
        key: backend.write(key, source(file), metadata=file.metadata, content_type=file.content_type)
        for key, file in files.items()
    }


def seen(backend: Backend, folder: str) -> dict[str, Seen]:
    found = {}
    for listed in backend.list_files(folder, recursive=True):
        with backend.read(listed.path) as stream:
            content = stream.read()
        assert backend.read_bytes(listed.path) == content
        assert backend.read_range(listed.path, 2, 3) == content[2:5]
        found[listed.path] = Seen(listed, backend.get_file_info(listed.path), content)
    return found


@pytest.mark.parametrize("target", [MOTO, SEAWEEDFS], ids=["moto", "seaweedfs"])
@pytest.mark.parametrize("writer, reader", PAIRS)
def test_another_lane_has_what_one_lane_wrote(
    lanes: dict[str, tuple[Callable[..., Backend], Any]], target: S3Target, writer: str, reader: str
) -> None:
    harness, files = S3Harness(lanes[writer][0], target), files_of(target)
    other = S3Harness(lanes[reader][0], target)
    other.bucket = harness.bucket
    with harness.make() as theirs, other.make() as ours:
        written = write(theirs, files)
        check_stored(harness.oracle, files)
        found = seen(ours, "folder")
        assert found == seen(theirs, "folder")
        for key, file in files.items():
            assert (found[key].content, found[key].info.etag) == (file.content, written[key].etag), key
        for key in files:
            ours.copy(key, f"copies/{key}")
        check_stored(harness.oracle, files, "copies/")
        assert seen(theirs, "copies") == seen(ours, "copies")
        for key in files:
            ours.delete(key)
        assert list(theirs.list_files("folder", recursive=True)) == []
        ours.delete_folder("copies", recursive=True)
        assert harness.oracle.raw_list() == []


async def write_async(backend: AsyncBackend, files: dict[str, File]) -> dict[str, WriteResult]:
    return {
        key: await backend.write(key, source(file), metadata=file.metadata, content_type=file.content_type)
        for key, file in files.items()
    }


async def seen_async(backend: AsyncBackend, folder: str) -> dict[str, Seen]:
    found = {}
    async for listed in backend.list_files(folder, recursive=True):
        async with await backend.read(listed.path) as stream:
            content = await stream.read()
        assert await backend.read_bytes(listed.path) == content
        assert await backend.read_range(listed.path, 2, 3) == content[2:5]
        found[listed.path] = Seen(listed, await backend.get_file_info(listed.path), content)
    return found


@pytest.mark.parametrize("target", [MOTO, SEAWEEDFS], ids=["moto", "seaweedfs"])
@pytest.mark.parametrize("writer, reader", PAIRS)
async def test_another_lane_has_what_one_lane_wrote_awaited(
    lanes: dict[str, tuple[Any, Callable[..., AsyncBackend]]], target: S3Target, writer: str, reader: str
) -> None:
    harness, files = AsyncS3Harness(lanes[writer][1], target), files_of(target)
    other = AsyncS3Harness(lanes[reader][1], target)
    other.bucket = harness.bucket
    async with harness.make() as theirs, other.make() as ours:
        written = await write_async(theirs, files)
        check_stored(harness.oracle, files)
        found = await seen_async(ours, "folder")
        assert found == await seen_async(theirs, "folder")
        for key, file in files.items():
            assert (found[key].content, found[key].info.etag) == (file.content, written[key].etag), key
        for key in files:
            await ours.copy(key, f"copies/{key}")
        check_stored(harness.oracle, files, "copies/")
        assert await seen_async(theirs, "copies") == await seen_async(ours, "copies")
        for key in files:
            await ours.delete(key)
        assert [info async for info in theirs.list_files("folder", recursive=True)] == []
        await ours.delete_folder("copies", recursive=True)
        assert harness.oracle.raw_list() == []
