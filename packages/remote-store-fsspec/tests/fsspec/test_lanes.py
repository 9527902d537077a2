"""What a filesystem over S3 sends and finds there, and how it behaves in other event loops and processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import fsspec
import pytest

from conftest import closed, made
from remote_store.core import AsyncStore, BackendUnavailable, PreconditionFailed
from remote_store.s3fs import AsyncS3FsBackend

MIB = 1 << 20


@pytest.fixture
def sent(endpoint):
    """The operations that a call sends."""

    def sent(call: Callable[[], object]) -> list[str]:
        with endpoint.recording() as requests:
            call()
        return [request.operation for request in requests]

    return sent


@pytest.fixture
def s3(server):
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
    )


def drained(fs: Any, path: str, size: int) -> None:
    with fs.open(path) as file:
        while file.read(size):
            pass


def jumped(fs: Any, path: str) -> None:
    with fs.open(path) as file:
        file.seek(-100, 2)
        file.read(100)
        file.seek(0)
        file.read(2 * MIB)


def written(fs: Any, path: str, mode: str) -> None:
    with fs.open(path, mode) as file:
        file.write(b"1")


def test_requests(fs, sent):
    fs.pipe({"a/x": bytes(3 * MIB), "a/small": b"12345", **{f"d/{n}/{n}": b"" for n in range(5)}})
    assert sent(lambda: fs.pipe_file("new", b"1", mode="create")) == ["PutObject"]
    assert sent(lambda: fs.pipe_file("new", b"2")) == ["PutObject"]
    assert sent(lambda: fs.touch("empty")) == ["PutObject"]
    assert sent(lambda: written(fs, "w", "wb")) == ["PutObject"]
    assert sent(lambda: written(fs, "c", "xb")) == ["HeadObject", "PutObject"]
    assert sent(lambda: fs.info("a/x")) == ["HeadObject"]
    assert sent(lambda: fs.info("a")) == ["HeadObject", "ListObjectsV2"]
    assert sent(lambda: fs.exists("a/x")) == ["HeadObject"]
    assert sent(lambda: fs.isfile("a/x")) == ["HeadObject"]
    assert len(sent(lambda: fs.isfile("a"))) <= 2
    assert sent(lambda: fs.isdir("a")) == ["ListObjectsV2"]
    assert sent(lambda: fs.cat_file("a/small")) == ["GetObject"]
    assert sent(lambda: fs.cat_file("a/small", 1, 3)) == ["GetObject"]
    assert sent(lambda: fs.tail("a/small", 2)) == ["HeadObject", "GetObject"]
    assert sent(lambda: fs.head("a/small", 2)) == ["GetObject"]
    assert sent(lambda: fs.cat_ranges(["a/x"] * 3, [0, 1000, 2000], [10, 1010, 2010])) == ["GetObject"]
    assert sent(lambda: drained(fs, "a/small", 2)) == ["HeadObject", "GetObject"]
    assert sent(lambda: drained(fs, "a/x", 1 << 16)) == ["HeadObject", "GetObject"]
    assert sent(lambda: jumped(fs, "a/x")) == ["HeadObject", "GetObject", "GetObject"]
    for call in (lambda: fs.ls("d"), lambda: fs.find("d"), lambda: fs.du("d"), lambda: fs.glob("d/*")):
        # `glob` looks at the folder itself, too.
        assert sent(call) in (["ListObjectsV2"], ["ListObjectsV2"] * 2)
    assert sent(lambda: fs.find("d")) == ["ListObjectsV2"]
    assert sent(lambda: fs.makedirs("none", exist_ok=True)) == []
    assert sent(lambda: fs.rm(fs.find("d"))) == ["ListObjectsV2", "DeleteObjects"]
    assert sent(lambda: fs.cp_file("a/small", "copy"))[-1] == "CopyObject"


def test_a_marker_makes_a_folder(fs, s3, bucket, sent):
    s3.put_object(Bucket=bucket, Key="marked/", Body=b"")
    assert fs.isdir("marked")
    assert fs.isdir("marked/")
    assert fs.info("marked")["type"] == "directory"
    assert fs.ls("marked") == []
    assert fs.find("marked") == []
    assert fs.ls("", detail=False) == ["marked"]
    fs.mkdir("marked/new")
    fs.makedirs("other")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["marked/"]
    fs.rmdir("marked")
    assert not fs.exists("marked")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_keys_of_other_tools(fs, s3, bucket, server):
    if server.kind != "moto":
        pytest.skip("SeaweedFS has folders, so it does not store these keys as they are")
    keys = ["a//b", "a/b", "b", "*", "[x]", "x"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert fs.find("") == sorted(keys)
    walked = [entry["name"] for _, _, files in fs.walk("", detail=True) for entry in files.values()]
    assert sorted(walked) == sorted(keys)
    assert fs.cat(keys) == {key: key.encode() for key in keys}
    for key in ("a//b", "*", "[x]"):
        fs.rm(key)
    assert fs.find("") == ["a/b", "b", "x"]


def test_what_is_stored_with_a_file(fs, s3, bucket):
    fs.pipe_file("x", b"1", metadata={"author": "ada"}, content_type="text/csv")
    with fs.open("y", "w", metadata={"author": "eve"}, content_type="text/plain") as file:
        file.write("1")
    for key, author, kind in (("x", "ada", "text/csv"), ("y", "eve", "text/plain")):
        entry = fs.info(key)
        assert (entry["metadata"], entry["ContentType"], entry["size"]) == ({"author": author}, kind, 1)
        assert f'"{entry["ETag"]}"' == s3.head_object(Bucket=bucket, Key=key)["ETag"]
        assert entry["LastModified"] == fs.modified(key)


@pytest.mark.parametrize("begins", [False, True])
def test_an_object_that_is_replaced_while_it_is_read(fs, begins):
    content = bytes(range(256)) * (12 * MIB // 256)
    fs.pipe_file("x", content)
    with fs.open("x") as file:
        read = file.read(10) if begins else b""
        fs.pipe_file("x", bytes(len(content)))
        try:
            while part := file.read(3 * MIB if begins else 1 << 16):
                read += part
        except PreconditionFailed:
            pass
        else:
            assert read == content
    assert content.startswith(read)


def test_a_signed_url(fs):
    fs.pipe_file("x", b"signed")
    with urllib.request.urlopen(fs.sign("x", expiration=60), timeout=30) as answer:
        assert answer.read() == b"signed"


def test_a_large_file_comes_and_goes_in_parts(fs, tmp_path, sent):
    (tmp_path / "large").write_bytes(bytes(20 * MIB))
    operations = sent(lambda: fs.put_file(str(tmp_path / "large"), "large"))
    assert operations.count("UploadPart") == 3
    fs.get_file("large", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == bytes(20 * MIB)


def test_a_closed_store(lane, place):
    fs = fsspec.filesystem("remote-store", store=made(lane, place))
    fs.find("")
    closed(fs)
    for call in (fs.ls, fs.exists, fs.cat_file, fs.open, fs.rm):
        with pytest.raises(ConnectionError, match="closed"):
            call("x")


def read_back(fs: Any, queue: Any) -> None:
    try:
        fs.pipe_file("child", b"2")
        queue.put(fs.cat(["x", "child"]))
    except Exception as error:  # noqa: BLE001 - the parent looks at it
        queue.put(repr(error))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_another_process(lane, place, method):
    fs = fsspec.filesystem("remote-store", store=made(lane, place))
    fs.pipe_file("x", b"1")
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=read_back, args=(fs, queue))
    child.start()
    assert queue.get(timeout=90) == {"x": b"1", "child": b"2"}
    child.join(60)
    assert fs.cat(["x", "child"]) == {"x": b"1", "child": b"2"}
    again = pickle.loads(pickle.dumps(fs))
    assert again == fs
    assert again.cat_file("x") == b"1"
    closed(fs)


def test_an_async_store_belongs_to_one_event_loop(place):
    store = AsyncStore(AsyncS3FsBackend(**place))
    blocking = fsspec.filesystem("remote-store", store=store)

    async def use() -> None:
        fs = fsspec.filesystem("remote-store", store=store, asynchronous=True)
        await fs._pipe_file("x", b"1")
        async with await fs.open_async("y", "wb") as file:
            await file.write(b"2")
        assert await fs._cat(["x", "y"]) == {"x": b"1", "y": b"2"}
        for call in (blocking.ls, blocking.open, blocking.cat_file):
            with pytest.raises(BackendUnavailable, match="event loop"):
                call("x")
        await store.close()

    asyncio.run(use())


def test_a_store_that_fsspec_uses_is_refused_in_another_loop(place):
    store = AsyncStore(AsyncS3FsBackend(**place))
    blocking = fsspec.filesystem("remote-store", store=store)
    blocking.pipe_file("x", b"1")

    async def use() -> None:
        assert blocking.cat_file("x") == b"1"
        fs = fsspec.filesystem("remote-store", store=store, asynchronous=True)
        with pytest.raises(BackendUnavailable, match="event loop"):
            await fs._cat_file("x")

    asyncio.run(use())
    assert blocking.cat_file("x") == b"1"
    closed(blocking)


def test_urls(server, bucket, lane):
    if lane == "async":
        pytest.skip("a URL makes a blocking store")
    settings = {"endpoint_url": server.url, "key": server.key, "secret": server.secret, "region_name": server.region}
    url = f"remote-store+s3+{lane}://{bucket}/a/x"
    with fsspec.open(url, "w", **settings) as file:
        file.write("by url")
    with fsspec.open(url, "r", **settings) as file:
        assert file.read() == "by url"
    fs, key = fsspec.url_to_fs(url, **settings)
    assert (fs.cat_file(key), key) == (b"by url", "a/x")
