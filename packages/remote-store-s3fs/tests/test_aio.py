from __future__ import annotations

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from s3fs import S3FileSystem

from remote_store.conformance.faults import LostAnswer, Reset, Stall
from remote_store.core import BackendUnavailable, NotFound, RetryPolicy
from remote_store.s3fs import AsyncS3FsBackend

MIB = 1024 * 1024


def connector(backend):
    """The pool of connections below a backend."""
    session = backend.unwrap(S3FileSystem).s3._endpoint.http_session._session
    return session.connector


async def test_a_thousand_reads_at_once(make_async, endpoint):
    backend = make_async(max_connections=20)
    await backend.write("k", b"x" * 4096)
    names = {thread.name for thread in threading.enumerate()}
    assert set(await asyncio.gather(*[backend.read_bytes("k") for _ in range(1000)])) == {b"x" * 4096}
    more = {thread.name for thread in threading.enumerate()} - names
    assert not [name for name in more if "process_request" not in name and name != "endpoint-connection"]
    assert endpoint.count("GetObject") == 1000
    assert endpoint.open_connections < 100
    assert not connector(backend)._acquired


async def test_streams_from_one_object_to_another_do_not_wait_for_each_other(make_async):
    backend = make_async(max_connections=4, max_concurrency=2, part_size=5 * MIB)
    await backend.write("k", b"x" * 6 * MIB)

    async def copy(number):
        async with await backend.read("k") as source:
            return await backend.write(f"copy-{number}", source)

    async with asyncio.timeout(60):
        written = await asyncio.gather(*[copy(number) for number in range(12)])
    assert [result.size for result in written] == [6 * MIB] * 12


@pytest.mark.parametrize("after", [0, 10_000])
async def test_a_cancelled_read_drops_its_connection(make_async, endpoint, eventually_async, after):
    backend = make_async()
    await backend.write("k", b"x" * MIB)
    endpoint.inject(Stall(20, after_bytes=after), operation="GetObject")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await backend.read_bytes("k")
    assert await eventually_async(lambda: not connector(backend)._acquired)
    assert await backend.read_bytes("k") == b"x" * MIB


async def test_a_cancelled_upload_leaves_no_part(make_async, endpoint, uploads, eventually_async):
    backend = make_async(part_size=5 * MIB, max_concurrency=2)
    await backend.exists("warm")
    endpoint.inject(Stall(3), operation="UploadPart", times=None)
    task = asyncio.create_task(backend.write("k", io.BytesIO(b"x" * 20 * MIB)))
    assert await eventually_async(lambda: endpoint.count("UploadPart") == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # On a loaded machine, the abort ends after the cancellation was raised.
    assert await eventually_async(lambda: uploads() == [])
    with pytest.raises(NotFound):
        await backend.get_file_info("k")


async def test_close_lets_the_abort_of_a_cancelled_upload_end(make_async, endpoint, eventually_async):
    aborts = []

    def on_event(event):
        if event.operation == "AbortMultipartUpload":
            aborts.append(event.error)

    backend = make_async(part_size=5 * MIB, retry=RetryPolicy.disabled(), on_event=on_event)
    await backend.exists("warm")
    endpoint.inject(Stall(3), operation="UploadPart", times=None)
    endpoint.inject(Stall(0.8), operation="AbortMultipartUpload")
    task = asyncio.create_task(backend.write("k", io.BytesIO(b"x" * 20 * MIB)))
    assert await eventually_async(lambda: endpoint.count("UploadPart") > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await backend.close()
    assert await eventually_async(lambda: aborts)
    assert aborts == [None]
    assert await eventually_async(lambda: endpoint.open_connections == 0)


async def test_calls_that_wait_for_room_can_be_cancelled(make_async, endpoint):
    backend = make_async(max_connections=2, max_concurrency=2)
    await backend.write("k", b"x")
    endpoint.inject(Stall(0.5), operation="HeadObject", times=2)
    tasks = [asyncio.create_task(backend.get_file_info("k")) for _ in range(10)]
    await asyncio.sleep(0.1)
    for task in tasks[2:]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [False] * 2 + [True] * 8
    assert (await backend.get_file_info("k")).size == 1


def test_another_event_loop_is_refused(place, bucket):
    backend = AsyncS3FsBackend(bucket, **place)
    asyncio.run(backend.exists("k"))

    async def elsewhere():
        with pytest.raises(BackendUnavailable, match="event loop"):
            await backend.exists("k")
        await backend.close()

    asyncio.run(elsewhere())


def test_each_event_loop_may_have_an_instance(place, bucket):
    async def main(number):
        async with AsyncS3FsBackend(bucket, **place) as backend:
            await backend.write(f"k{number}", b"x", overwrite=True)
            return [info.path async for info in backend.list_files("")]

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda number: asyncio.run(main(number)), range(4)))
    assert max(results, key=len) == ["k0", "k1", "k2", "k3"]


@pytest.mark.parametrize("attempts", [1, 3])
async def test_so_many_attempts_are_so_many_requests(make_async, endpoint, attempts):
    backend = make_async(retry=RetryPolicy(attempts))
    endpoint.inject(Reset(), times=None)
    with pytest.raises(BackendUnavailable):
        await backend.get_file_info("k")
    assert endpoint.operations() == ["HeadObject"] * attempts


async def test_our_own_object_is_known_after_a_lost_answer(make_async, endpoint):
    backend = make_async()
    await backend.exists("warm")
    endpoint.inject(LostAnswer(), operation="PutObject")
    assert (await backend.write("k", b"mine")).size == 4
    assert endpoint.count("PutObject") == 2


async def test_unwrap_hands_out_the_filesystem_that_is_used(make_async, bucket):
    backend = make_async()
    filesystem = backend.unwrap(S3FileSystem)
    assert filesystem.asynchronous
    await backend.write("k", b"hello")
    assert filesystem is backend.unwrap(S3FileSystem)
    assert await filesystem._cat_file(f"{bucket}/k") == b"hello"
    assert filesystem.s3 is (await backend._runner.port())._client
    assert await filesystem._ls(bucket) == [f"{bucket}/k"]
    await backend.delete("k")
    assert await filesystem._ls(bucket) == []


@pytest.mark.parametrize("used", [False, True])
async def test_close_closes_a_client_that_only_the_handle_used(make_async, endpoint, bucket, eventually_async, used):
    backend = make_async()
    filesystem = backend.unwrap(S3FileSystem)
    if used:
        assert await filesystem._ls(bucket) == []
    assert endpoint.open_connections == used
    await backend.close()
    assert await eventually_async(lambda: endpoint.open_connections == 0)


async def test_a_filesystem_that_was_handed_in_sees_what_is_changed(make_async, place, bucket):
    filesystem = S3FileSystem(
        key=place["key"],
        secret=place["secret"],
        endpoint_url=place["endpoint_url"],
        asynchronous=True,
        skip_instance_cache=True,
    )
    backend = make_async(fs=filesystem)
    await backend.write("a/one", b"1")
    assert await filesystem._ls(f"{bucket}/a") == [f"{bucket}/a/one"]
    await backend.write("a/two", b"2")
    assert await filesystem._ls(f"{bucket}/a") == [f"{bucket}/a/one", f"{bucket}/a/two"]
    await backend.delete_folder("a", recursive=True)
    await backend.close()
    assert not await filesystem._exists(f"{bucket}/a")
    await filesystem.s3.close()
