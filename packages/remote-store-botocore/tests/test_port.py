from __future__ import annotations

import socket
import threading
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from remote_store.conformance.faults import Answer, ErrorInOK, LostAnswer, Reset, RewriteBody, ShortBody, Stall
from remote_store.conformance.servers import dead_endpoint
from remote_store.core.s3 import Call, Fault

PIECE = 256 * 1024


def fault_from(port, operation, **params) -> Fault:
    with pytest.raises(Fault) as caught:
        port.perform(Call(operation, params))
    return caught.value


def body_of(port, bucket, key="k", **params):
    return port.perform(Call("GetObject", {"Bucket": bucket, "Key": key, **params}))["Body"]


def eventually(condition) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()


def test_answers_have_the_shape_of_the_api(make_port, bucket):
    port = make_port()
    written = port.perform(Call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b"hello", "Metadata": {"a": "b"}}))
    answer = port.perform(Call("GetObject", {"Bucket": bucket, "Key": "k", "Range": "bytes=1-3"}))
    assert answer["ETag"] == written["ETag"]
    assert answer["ContentLength"] == 3
    assert answer["ContentRange"] == "bytes 1-3/5"
    assert answer["Metadata"] == {"a": "b"}
    assert answer["LastModified"].utcoffset().total_seconds() == 0
    assert answer["Body"].read() == b"ell"


@pytest.mark.parametrize(
    "status,code",
    [
        (400, "ExpiredToken"),
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (404, "NoSuchKey"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (429, "SlowDown"),
        (503, "SlowDown"),
    ],
)
def test_a_refusal_keeps_what_the_service_said(make_port, endpoint, bucket, status, code):
    endpoint.inject(Answer(status, code, "because", {"x-amz-request-id": "REQUEST1"}))
    fault = fault_from(make_port(), "GetObject", Bucket=bucket, Key="k")
    assert (fault.code, fault.status, fault.message, fault.request_id) == (code, status, "because", "REQUEST1")
    assert (fault.attempts, fault.transport, fault.credentials) == (1, False, False)
    assert isinstance(fault.__cause__, ClientError)


def test_a_head_has_only_its_status(make_port, bucket):
    fault = fault_from(make_port(), "HeadObject", Bucket=bucket, Key="absent")
    assert (fault.code, fault.status) == ("404", 404)


@pytest.mark.parametrize("body", [b"<html><body>busy</body></html>", b"<Error><Code>Cut", b""])
@pytest.mark.parametrize("status", [403, 500])
def test_an_error_that_is_no_document_has_its_status_for_a_code(make_port, endpoint, bucket, status, body):
    endpoint.inject(Answer(status, body=body))
    fault = fault_from(make_port(), "GetObject", Bucket=bucket, Key="k")
    assert fault.status == status
    assert not fault.transport


@pytest.mark.parametrize("attempts", [1, 2, 4])
@pytest.mark.parametrize(
    "fault,transport",
    [(Answer(500, "InternalError"), False), (Answer(503, "SlowDown"), False), (Reset(), True), (LostAnswer(), True)],
)
@pytest.mark.usefixtures("no_waiting")
def test_so_many_attempts_are_so_many_requests(make_port, endpoint, bucket, fault, transport, attempts):
    endpoint.inject(fault, operation="PutObject", times=None)
    raised = fault_from(make_port(attempts), "PutObject", Bucket=bucket, Key="k", Body=b"x")
    assert endpoint.operations() == ["PutObject"] * attempts
    assert raised.attempts == attempts
    assert raised.transport is transport


@pytest.mark.parametrize("operation", ["CopyObject", "CompleteMultipartUpload", "UploadPartCopy"])
@pytest.mark.usefixtures("no_waiting")
def test_an_error_in_an_ok_answer_is_tried_again_and_then_raised(make_port, endpoint, bucket, operation):
    port = make_port(3)
    port.perform(Call("PutObject", {"Bucket": bucket, "Key": "source", "Body": b"x"}))
    params = {"Bucket": bucket, "Key": "k", "CopySource": {"Bucket": bucket, "Key": "source"}}
    if operation != "CopyObject":
        params["UploadId"] = port.perform(Call("CreateMultipartUpload", {"Bucket": bucket, "Key": "k"}))["UploadId"]
    if operation == "UploadPartCopy":
        params["PartNumber"] = 1
    if operation == "CompleteMultipartUpload":
        del params["CopySource"]
        params["MultipartUpload"] = {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}
    endpoint.inject(ErrorInOK("InternalError", "again"), operation=operation, times=None)
    fault = fault_from(port, operation, **params)
    assert (fault.code, fault.status, fault.attempts, fault.transport) == ("InternalError", 500, 3, False)
    assert endpoint.count(operation) == 3


@pytest.mark.usefixtures("no_waiting")
def test_an_error_in_an_ok_answer_may_pass(make_port, endpoint, bucket):
    port = make_port(2)
    port.perform(Call("PutObject", {"Bucket": bucket, "Key": "source", "Body": b"x"}))
    endpoint.inject(ErrorInOK("InternalError", "again"), operation="CopyObject")
    source = {"Bucket": bucket, "Key": "source"}
    answer = port.perform(Call("CopyObject", {"Bucket": bucket, "Key": "k", "CopySource": source}))
    assert answer["CopyObjectResult"]["ETag"]
    assert endpoint.count("CopyObject") == 2


@pytest.mark.parametrize("body", [b"<CopyObjectResult><ETag>", b"<?xml version='1.0'?>\n   ", b"   "])
@pytest.mark.usefixtures("no_waiting")
def test_a_document_that_is_cut_short_is_tried_again_and_then_a_fault(make_port, endpoint, bucket, body):
    endpoint.inject(Answer(200, body=body), operation="CopyObject", times=None)
    source = {"Bucket": bucket, "Key": "source"}
    fault = fault_from(make_port(2), "CopyObject", Bucket=bucket, Key="k", CopySource=source)
    assert fault.status == 500
    assert endpoint.count() == 2


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "ListObjectsV2", "HeadBucket"])
def test_a_wrong_region_is_one_request(make_port, endpoint, bucket, operation):
    endpoint.inject(Answer(301, "PermanentRedirect"), times=None)
    key = {"Key": "k"} if operation.endswith("Object") else {}
    fault = fault_from(make_port(), operation, Bucket=bucket, **key)
    assert fault.status == 301
    assert endpoint.operations() == [operation]


def test_a_refused_connection(make_port, bucket):
    fault = fault_from(make_port(2, endpoint_url=dead_endpoint()), "GetObject", Bucket=bucket, Key="k")
    assert (fault.code, fault.status, fault.transport, fault.attempts) == ("EndpointConnectionError", None, True, 2)


def test_a_connection_that_is_not_taken(make_port, bucket):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        port = make_port(endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=0.2)
        fault = fault_from(port, "GetObject", Bucket=bucket, Key="k")
        for client in waiting:
            client.close()
    assert (fault.code, fault.transport) == ("ConnectTimeoutError", True)


def test_a_silent_server(make_port, endpoint, bucket):
    endpoint.inject(Stall(3))
    fault = fault_from(make_port(read_timeout=0.2), "GetObject", Bucket=bucket, Key="k")
    assert (fault.code, fault.transport, endpoint.count()) == ("ReadTimeoutError", True, 1)


def test_tls_to_a_server_without(make_port, endpoint, bucket):
    fault = fault_from(
        make_port(endpoint_url=endpoint.url.replace("http", "https")), "GetObject", Bucket=bucket, Key="k"
    )
    assert (fault.code, fault.transport) == ("SSLError", True)


def test_no_credentials_are_no_request(make_port, endpoint, bucket):
    fault = fault_from(make_port(key=None, secret=None), "GetObject", Bucket=bucket, Key="k")
    assert (fault.code, fault.credentials, fault.transport) == ("NoCredentialsError", True, False)
    assert isinstance(fault.__cause__, NoCredentialsError)
    assert endpoint.count() == 0


def test_what_the_sdk_refuses_is_no_request(make_port, endpoint):
    fault = fault_from(make_port(), "GetObject", Bucket="no bucket", Key="k")
    assert (fault.code, fault.status, fault.transport) == ("ParamValidation", None, False)
    assert endpoint.count() == 0


def test_an_interrupt_passes_unchanged(make_port, endpoint, bucket):
    port = make_port()

    def interrupt(**_others):
        raise KeyboardInterrupt

    port.client.meta.events.register("before-sign.s3", interrupt)
    with pytest.raises(KeyboardInterrupt):
        port.perform(Call("GetObject", {"Bucket": bucket, "Key": "k"}))


def read_by_readinto(body) -> bytes:
    data = bytearray()
    buffer = memoryview(bytearray(PIECE))
    while count := body.readinto(buffer):
        data += buffer[:count]
    return bytes(data)


def read_by_pieces(body) -> bytes:
    return b"".join(iter(lambda: body.read(PIECE), b""))


@pytest.mark.parametrize("read", [lambda body: body.read(), read_by_readinto, read_by_pieces])
@pytest.mark.parametrize("size", [0, 1, PIECE, 3 * PIECE + 7])
def test_every_way_to_read_yields_the_bytes_and_gives_the_connection_back(
    make_port, endpoint, plain, bucket, read, size
):
    data = bytes(range(256)) * (size // 256 + 1)
    plain.put_object(Bucket=bucket, Key="k", Body=data[:size])
    port = make_port()
    for _ in range(3):
        body = body_of(port, bucket)
        assert read(body) == data[:size]
        assert body.read() == b""
        body.close()
    assert endpoint.open_connections == 1


def test_an_empty_body_needs_no_read_to_give_the_connection_back(make_port, endpoint, plain, bucket):
    plain.put_object(Bucket=bucket, Key="k", Body=b"")
    port = make_port()
    for _ in range(3):
        body_of(port, bucket).close()
    assert endpoint.open_connections == 1


def test_closing_half_way_drops_the_connection(make_port, endpoint, plain, bucket):
    plain.put_object(Bucket=bucket, Key="k", Body=b"x" * 20 * PIECE)
    body = body_of(make_port(), bucket)
    assert body.read(10) == b"x" * 10
    assert endpoint.open_connections == 1
    body.close()
    assert eventually(lambda: endpoint.open_connections == 0)


@pytest.mark.parametrize("read", [lambda body: body.read(), read_by_readinto, read_by_pieces])
@pytest.mark.parametrize("broken", [Reset(after_bytes=100_000), ShortBody(100_000), Stall(3, after_bytes=100_000)])
def test_a_body_that_breaks_is_a_fault_of_the_connection(make_port, endpoint, plain, bucket, broken, read):
    plain.put_object(Bucket=bucket, Key="k", Body=b"x" * 3 * PIECE)
    endpoint.inject(broken)
    body = body_of(make_port(read_timeout=1.5), bucket)
    with pytest.raises(Fault) as caught:
        read(body)
    assert caught.value.transport
    assert caught.value.status is None
    body.close()
    assert eventually(lambda: endpoint.open_connections == 0)


@pytest.mark.parametrize("read", [lambda body: body.read(), lambda body: body.read(5), read_by_readinto])
def test_bytes_that_do_not_match_their_checksum_are_never_taken_for_the_object(make_port, endpoint, bucket, read):
    port = make_port(client_options={"config": Config(response_checksum_validation="when_supported")})
    params = {"Bucket": bucket, "Key": "k", "Body": b"hello", "ChecksumAlgorithm": "CRC32"}
    port.perform(Call("PutObject", params))
    assert body_of(port, bucket).read() == b"hello"
    endpoint.inject(RewriteBody(lambda content: b"jello"), operation="GetObject")
    body = body_of(port, bucket)
    with pytest.raises(Fault) as caught:
        read(body)
    assert (caught.value.code, caught.value.transport) == ("FlexibleChecksumError", False)
    body.close()


def test_closing_the_port_closes_only_a_client_of_our_own(make_port, endpoint, bucket):
    port = make_port()
    port.perform(Call("ListObjectsV2", {"Bucket": bucket}))
    theirs = type(port)(port.client, owned=False)
    theirs.close()
    assert endpoint.open_connections == 1
    port.close()
    assert eventually(lambda: endpoint.open_connections == 0)
