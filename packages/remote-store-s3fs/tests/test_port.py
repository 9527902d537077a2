from __future__ import annotations

import asyncio
import socket

import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError, NoCredentialsError

from remote_store.conformance.faults import Answer, ErrorInOK, LostAnswer, Reset, RewriteBody, ShortBody, Stall
from remote_store.conformance.servers import dead_endpoint
from remote_store.core.s3 import Call, Fault

PIECE = 256 * 1024


@pytest.fixture
def no_waiting(monkeypatch):
    really = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _seconds, result=None: really(0, result))


async def fault_from(port, operation, **params) -> Fault:
    with pytest.raises(Fault) as caught:
        await port.perform(Call(operation, params))
    return caught.value


async def body_of(port, bucket, key="k", **params):
    return (await port.perform(Call("GetObject", {"Bucket": bucket, "Key": key, **params})))["Body"]


async def test_answers_have_the_shape_of_the_api(make_port, bucket):
    port = await make_port()
    params = {"Bucket": bucket, "Key": "k", "Body": b"hello", "Metadata": {"a": "b"}}
    written = await port.perform(Call("PutObject", params))
    answer = await port.perform(Call("GetObject", {"Bucket": bucket, "Key": "k", "Range": "bytes=1-3"}))
    assert answer["ETag"] == written["ETag"]
    assert answer["ContentLength"] == 3
    assert answer["ContentRange"] == "bytes 1-3/5"
    assert answer["Metadata"] == {"a": "b"}
    assert answer["LastModified"].utcoffset().total_seconds() == 0
    assert await answer["Body"].read() == b"ell"


async def test_listed_keys_come_as_they_were_sent(make_port, bucket, plain):
    for key in ("a b", "a+b", "%2F", "é"):
        plain.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = await (await make_port()).perform(Call("ListObjectsV2", {"Bucket": bucket, "EncodingType": "url"}))
    assert [row["Key"] for row in answer["Contents"]] == ["%252F", "a%20b", "a%2Bb", "%C3%A9"]


@pytest.mark.parametrize(
    "status,code",
    [
        (400, "ExpiredToken"),
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (404, "NoSuchKey"),
        (405, "MethodNotAllowed"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (429, "SlowDown"),
        (503, "SlowDown"),
    ],
)
@pytest.mark.parametrize("operation", ["GetObject", "DeleteObject"])
async def test_a_refusal_keeps_what_the_service_said(make_port, endpoint, bucket, status, code, operation):
    endpoint.inject(Answer(status, code, "because", {"x-amz-request-id": "REQUEST1"}))
    fault = await fault_from(await make_port(), operation, Bucket=bucket, Key="k")
    assert (fault.code, fault.status, fault.message, fault.request_id) == (code, status, "because", "REQUEST1")
    assert (fault.attempts, fault.transport, fault.credentials) == (1, False, False)
    assert isinstance(fault.__cause__, ClientError)


async def test_a_head_has_only_its_status(make_port, bucket):
    fault = await fault_from(await make_port(), "HeadObject", Bucket=bucket, Key="absent")
    assert (fault.code, fault.status) == ("404", 404)


@pytest.mark.parametrize("body", [b"<html><body>busy</body></html>", b"<Error><Code>Cut", b""])
@pytest.mark.parametrize("status", [403, 500])
async def test_an_error_that_is_no_document_has_its_status(make_port, endpoint, bucket, status, body):
    endpoint.inject(Answer(status, body=body))
    fault = await fault_from(await make_port(), "GetObject", Bucket=bucket, Key="k")
    assert fault.status == status
    assert not fault.transport


@pytest.mark.parametrize("attempts", [1, 2, 4])
@pytest.mark.parametrize(
    "fault,transport",
    [(Answer(500, "InternalError"), False), (Answer(503, "SlowDown"), False), (Reset(), True), (LostAnswer(), True)],
)
@pytest.mark.usefixtures("no_waiting")
async def test_so_many_attempts_are_so_many_requests(make_port, endpoint, bucket, fault, transport, attempts):
    endpoint.inject(fault, operation="PutObject", times=None)
    raised = await fault_from(await make_port(attempts), "PutObject", Bucket=bucket, Key="k", Body=b"x")
    assert endpoint.operations() == ["PutObject"] * attempts
    assert raised.attempts == attempts
    assert raised.transport is transport


@pytest.mark.parametrize("operation", ["CopyObject", "CompleteMultipartUpload", "UploadPartCopy"])
@pytest.mark.usefixtures("no_waiting")
async def test_an_error_in_an_ok_answer_is_tried_again_and_then_raised(make_port, endpoint, bucket, operation):
    port = await make_port(3)
    await port.perform(Call("PutObject", {"Bucket": bucket, "Key": "source", "Body": b"x"}))
    params = {"Bucket": bucket, "Key": "k", "CopySource": {"Bucket": bucket, "Key": "source"}}
    if operation != "CopyObject":
        created = await port.perform(Call("CreateMultipartUpload", {"Bucket": bucket, "Key": "k"}))
        params["UploadId"] = created["UploadId"]
    if operation == "UploadPartCopy":
        params["PartNumber"] = 1
    if operation == "CompleteMultipartUpload":
        del params["CopySource"]
        params["MultipartUpload"] = {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}
    endpoint.inject(ErrorInOK("InternalError", "again"), operation=operation, times=None)
    fault = await fault_from(port, operation, **params)
    assert (fault.code, fault.status, fault.attempts, fault.transport) == ("InternalError", 500, 3, False)
    assert endpoint.count(operation) == 3


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "ListObjectsV2", "HeadBucket"])
async def test_a_wrong_region_is_one_request(make_port, endpoint, bucket, operation):
    endpoint.inject(Answer(301, "PermanentRedirect"), times=None)
    key = {"Key": "k"} if operation.endswith("Object") else {}
    fault = await fault_from(await make_port(), operation, Bucket=bucket, **key)
    assert fault.status == 301
    assert endpoint.operations() == [operation]


@pytest.mark.usefixtures("no_waiting")
async def test_a_refused_connection(make_port, bucket):
    port = await make_port(2, endpoint_url=dead_endpoint())
    fault = await fault_from(port, "GetObject", Bucket=bucket, Key="k")
    assert (fault.status, fault.transport, fault.attempts) == (None, True, 2)


async def test_a_connection_that_is_not_taken(make_port, bucket):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        port = await make_port(endpoint_url=url, connect_timeout=0.2)
        fault = await fault_from(port, "GetObject", Bucket=bucket, Key="k")
        for client in waiting:
            client.close()
    assert (fault.status, fault.transport) == (None, True)


async def test_a_silent_server(make_port, endpoint, bucket):
    endpoint.inject(Stall(3))
    fault = await fault_from(await make_port(read_timeout=0.2), "GetObject", Bucket=bucket, Key="k")
    assert (fault.transport, endpoint.count()) == (True, 1)


async def test_the_text_of_an_error_is_not_read(make_port, endpoint, bucket):
    endpoint.inject(Reset(), times=None)
    fault = await fault_from(await make_port(), "GetObject", Bucket=bucket, Key="404 NoSuchKey AccessDenied.csv")
    assert (fault.status, fault.transport) == (None, True)
    assert fault.code not in ("404", "NoSuchKey", "AccessDenied")


async def test_no_credentials_are_no_request(make_port, endpoint, bucket):
    fault = await fault_from(await make_port(key=None, secret=None), "GetObject", Bucket=bucket, Key="k")
    assert (fault.code, fault.credentials, fault.transport) == ("NoCredentialsError", True, False)
    assert isinstance(fault.__cause__, NoCredentialsError)
    assert endpoint.count() == 0


async def test_what_the_sdk_refuses_is_no_request(make_port, endpoint):
    fault = await fault_from(await make_port(), "GetObject", Bucket="no bucket", Key="k")
    assert (fault.code, fault.status, fault.transport) == ("ParamValidation", None, False)
    assert endpoint.count() == 0


async def read_whole(body) -> bytes:
    return await body.read()


async def read_pieces(body) -> bytes:
    pieces = []
    while piece := await body.read(PIECE):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("read", [read_whole, read_pieces])
@pytest.mark.parametrize("size", [0, 1, PIECE, 3 * PIECE + 7])
async def test_every_way_to_read_yields_the_bytes_and_gives_the_connection_back(
    make_port, endpoint, plain, bucket, read, size
):
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    plain.put_object(Bucket=bucket, Key="k", Body=data)
    port = await make_port()
    for _ in range(3):
        body = await body_of(port, bucket)
        assert await read(body) == data
        assert await body.read() == b""
        await body.close()
    assert endpoint.open_connections == 1


async def test_an_empty_body_needs_no_read_to_give_the_connection_back(make_port, endpoint, plain, bucket):
    plain.put_object(Bucket=bucket, Key="k", Body=b"")
    port = await make_port()
    for _ in range(3):
        await (await body_of(port, bucket)).close()
    assert endpoint.open_connections == 1


async def test_closing_half_way_drops_the_connection(make_port, endpoint, plain, bucket, eventually_async):
    plain.put_object(Bucket=bucket, Key="k", Body=b"x" * 20 * PIECE)
    body = await body_of(await make_port(), bucket)
    assert await body.read(10) == b"x" * 10
    assert endpoint.open_connections == 1
    await body.close()
    assert await eventually_async(lambda: endpoint.open_connections == 0)


@pytest.mark.parametrize("read", [read_whole, read_pieces])
@pytest.mark.parametrize("broken", [Reset(after_bytes=100_000), ShortBody(100_000), Stall(3, after_bytes=100_000)])
async def test_a_body_that_breaks_is_a_fault_of_the_connection(
    make_port, endpoint, plain, bucket, broken, read, eventually_async
):
    plain.put_object(Bucket=bucket, Key="k", Body=b"x" * 3 * PIECE)
    endpoint.inject(broken)
    body = await body_of(await make_port(read_timeout=1.5), bucket)
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            await read(body)
        assert caught.value.transport
        assert caught.value.status is None
    await body.close()
    assert await eventually_async(lambda: endpoint.open_connections == 0)


@pytest.mark.parametrize("read", [read_whole, read_pieces])
async def test_bytes_that_do_not_match_their_checksum_are_never_taken_for_the_object(make_port, endpoint, bucket, read):
    port = await make_port(client_options={"config": AioConfig(response_checksum_validation="when_supported")})
    params = {"Bucket": bucket, "Key": "k", "Body": b"hello", "ChecksumAlgorithm": "CRC32"}
    await port.perform(Call("PutObject", params))
    assert await (await body_of(port, bucket)).read() == b"hello"
    endpoint.inject(RewriteBody(lambda _content: b"jello"), operation="GetObject")
    body = await body_of(port, bucket)
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            await read(body)
        assert (caught.value.code, caught.value.transport) == ("FlexibleChecksumError", False)
    await body.close()


async def test_closing_the_port_closes_its_connections(make_port, endpoint, bucket, eventually_async):
    port = await make_port()
    await asyncio.gather(*[port.perform(Call("ListObjectsV2", {"Bucket": bucket})) for _ in range(5)])
    assert endpoint.open_connections > 0
    await port.close()
    assert await eventually_async(lambda: endpoint.open_connections == 0)


async def test_calls_under_way_are_bounded(make_port, endpoint, bucket):
    port = await make_port(max_connections=4, max_concurrency=2)
    await asyncio.gather(*[port.perform(Call("ListObjectsV2", {"Bucket": bucket})) for _ in range(40)])
    assert endpoint.count() == 40
    assert endpoint.open_connections <= 4


async def test_bodies_that_are_held_open_keep_nobody_waiting(make_port, endpoint, bucket, plain):
    plain.put_object(Bucket=bucket, Key="k", Body=b"x" * 20 * PIECE)
    port = await make_port(max_connections=2, max_concurrency=2)
    bodies = [await body_of(port, bucket) for _ in range(6)]
    await port.perform(Call("PutObject", {"Bucket": bucket, "Key": "other", "Body": b"x"}))
    assert endpoint.open_connections == 7
    for body in bodies:
        await body.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
async def test_a_redirect_is_not_followed(make_port, endpoint, bucket, status, operation):
    endpoint.inject(Answer(status, headers={"Location": f"{endpoint.url}/elsewhere/k"}), times=None)
    body = {"Body": b"secret"} if operation == "PutObject" else {}
    fault = await fault_from(await make_port(), operation, Bucket=bucket, Key="k", **body)
    assert fault.status == status
    assert endpoint.operations() == [operation]


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "DeleteObject", "ListObjectsV2", "PutObject"])
async def test_a_lost_answer_on_a_used_connection_is_not_asked_for_again(make_port, endpoint, bucket, operation):
    port = await make_port()
    await port.perform(Call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b"x"}))
    endpoint.reset()
    endpoint.inject(LostAnswer(), times=None)
    key = {} if operation == "ListObjectsV2" else {"Key": "k"}
    body = {"Body": b"secret"} if operation == "PutObject" else {}
    fault = await fault_from(port, operation, Bucket=bucket, **key, **body)
    assert (fault.attempts, fault.transport) == (1, True)
    assert endpoint.operations() == [operation]
