"""The connections of the lane's own client: bounded whatever a server does, each request sent once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiobotocore.config import AioConfig

from remote_store.core import RetryPolicy
from remote_store.core.s3 import Call, Fault
from remote_store.s3fs.http import headers_of

MIB = 1024 * 1024
WAIT = 0.3

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[str]:
    """A server whose connections are each served by `serve`."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, limit=64 * 1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    for _ in range(200):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(WAIT / 6)


async def stall_in_the_body(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.read(64 * 1024)
    await asyncio.sleep(20)


async def drip_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nX-Name: ")
    await drip(writer, b"x")


async def go_on_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await drip(writer, b"HTTP/1.1 100 Continue\r\n\r\n")


async def drip_the_document(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    await drip(writer, b" ")


async def fault_of_a_put(make_port, serve: Serve, size: int, attempts: int = 1) -> tuple[Fault, float]:
    async with served(serve) as url:
        port = await make_port(attempts, endpoint_url=url, connect_timeout=WAIT, read_timeout=WAIT)
        began = time.monotonic()
        with pytest.raises(Fault) as caught:
            await port.perform(Call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x" * size}))
        return caught.value, time.monotonic() - began


@pytest.mark.parametrize(
    "serve,size,waits",
    [
        (stall_in_the_body, 6 * MIB, 3),
        (drip_the_head, 10, 3),
        (drip_the_head, 2 * MIB, 3),
        (go_on_for_ever, 10, 3),
        (go_on_for_ever, 2 * MIB, 3),
        (drip_the_document, 10, 7),
    ],
)
async def test_a_request_ends_in_a_few_times_its_timeouts(make_port, serve, size, waits):
    fault, took = await fault_of_a_put(make_port, serve, size)
    assert fault.transport
    assert took < waits * WAIT + 1


async def read_all(body, size: int) -> None:
    while await body.read(size):
        continue


@pytest.mark.parametrize("size", [-1, 1000])
async def test_a_body_that_comes_a_byte_now_and_then_is_given_up(make_port, size):
    async with served(drip_the_document) as url:
        port = await make_port(endpoint_url=url, connect_timeout=WAIT, read_timeout=WAIT)
        body = (await port.perform(Call("GetObject", {"Bucket": "bucket", "Key": "k"})))["Body"]
        began = time.monotonic()
        with pytest.raises(Fault) as caught:
            await read_all(body, size)
        await body.close()
    assert caught.value.transport
    assert time.monotonic() - began < 7 * WAIT + 1


async def test_a_server_that_never_answers_an_expectation_gets_the_body(make_port):
    got = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.append(await reader.readexactly(2 * MIB))
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n')
        await writer.drain()

    async with served(take) as url:
        port = await make_port(endpoint_url=url, read_timeout=2)
        await port.perform(Call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x" * 2 * MIB}))
    assert got == [b"x" * 2 * MIB]


async def test_a_slow_server_that_goes_on_taking_a_body_is_given_its_time(make_port):
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(32):
            await reader.readexactly(MIB)
            await asyncio.sleep(0.03)
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n')
        await writer.drain()

    async with served(take) as url:
        port = await make_port(endpoint_url=url, read_timeout=0.5, connect_timeout=0.2)
        answer = await port.perform(Call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x" * 32 * MIB}))
    assert answer["ETag"] == '"a"'


async def test_a_server_that_refuses_before_it_has_the_body_is_heard(make_port):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        document = b"<Error><Code>AccessDenied</Code></Error>"
        writer.write(b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(document) + document)
        await writer.drain()

    fault, _took = await fault_of_a_put(make_port, refuse, 16 * MIB)
    assert (fault.code, fault.status, fault.transport) == ("AccessDenied", 403, False)


@pytest.mark.parametrize("operation,body", [("HeadObject", {}), ("PutObject", {"Body": b"x" * 2 * MIB})])
async def test_a_kept_connection_that_is_lost_is_one_attempt(make_port, operation, body):
    requests = []

    async def lose_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            requests.append(head.split()[0])
            if len(requests) > 1:
                return
            writer.write(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n')
            await writer.drain()

    async with served(lose_the_second) as url:
        port = await make_port(1, endpoint_url=url, retry=RetryPolicy(1), read_timeout=2)
        await port.perform(Call("HeadObject", {"Bucket": "bucket", "Key": "k"}))
        with pytest.raises(Fault) as caught:
            await port.perform(Call(operation, {"Bucket": "bucket", "Key": "k", **body}))
    assert caught.value.transport
    assert len(requests) == 2


def test_headers_are_read_as_other_lanes_read_them():
    fields = ((b"X-Amz-Meta-A", "é".encode("iso-8859-1")), (b"x-amz-meta-a", b"b"), (b"ETag", b'"a"'))
    assert headers_of(fields) == {"x-amz-meta-a": "é, b", "etag": '"a"'}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login,sent", [("me:se%40cret@", b"bWU6c2VAY3JldA=="), ("me@", b"bWU6"), ("", None)])
async def test_a_proxy_gets_user_and_password_in_each_request(make_port, scheme, login, sent):
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 404 Not Found\r\nx-amz-request-id: R\r\nContent-Length: 0\r\n\r\n")

    async with served(serve) as url:
        config = AioConfig(proxies={scheme: url.replace("://", f"://{login}")})
        place = f"{scheme}://s3.test:9"
        port = await make_port(endpoint_url=place, connect_timeout=0.5, client_options={"config": config})
        for _ in range(2):
            with pytest.raises(Fault):
                await port.perform(Call("HeadObject", {"Bucket": "bucket", "Key": "k"}))
    assert len(heads) == 2
    expected = None if sent is None else b"proxy-authorization: basic " + sent.lower()
    for head in heads:
        found = [line for line in head.lower().splitlines() if line.startswith(b"proxy-authorization")]
        assert found == ([] if expected is None else [expected])
