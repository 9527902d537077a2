from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from remote_store.boto3 import S3Boto3Backend
from remote_store.botocore import watch as watching
from remote_store.botocore.watch import Watch, descriptor, shut_down
from remote_store.core import BackendUnavailable, RequestEvent, RetryPolicy
from remote_store.core.s3 import Fault

SHORT = Config(connect_timeout=0.1, read_timeout=0.05)
OK = b"HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()) + signed.public_bytes(pem))
    return path


@contextmanager
def slow(head: bytes | None, certificate: Path | None = None) -> Iterator[tuple[str, list[float]]]:
    """A server that sends a byte every 20 ms after a head, or takes one every 20 ms; and when each request ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended: list[float] = []
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            while head is None and connection.recv(1):
                time.sleep(0.02)
            connection.recv(1 << 16)
            connection.sendall(head or b"")
            while True:
                connection.sendall(b"x")
                time.sleep(0.02)
        ended.append(time.monotonic())

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", ended


@pytest.mark.parametrize("act", ["head", "upload", "body"])
def test_a_request_over_tls_ends_too(act: str, certificate: Path) -> None:
    head = {"head": OK, "upload": None, "body": OK + b'ETag: "e"\r\nContent-Length: 100000\r\n\r\n'}[act]
    with slow(head, certificate) as (url, ended):
        backend = S3Boto3Backend(
            "bucket",
            endpoint_url=url,
            region_name="us-east-1",
            key="k",
            secret="s",
            tls_ca_bundle=str(certificate),
            connect_timeout=0.5,
            read_timeout=0.1,
            retry=RetryPolicy.disabled(),
        )
        began = time.monotonic()
        call = partial(backend.write, "a", bytes(3 << 20), overwrite=True)
        with pytest.raises(BackendUnavailable) as caught:
            (call if act == "upload" else partial(backend.read_bytes, "a"))()
        assert caught.value.retryable
        assert time.monotonic() - began < 8
        if act != "upload":
            assert caught.value.code == "TooSlow"
            until = time.monotonic() + 5
            while not ended and time.monotonic() < until:
                time.sleep(0.01)
            # The server sees that nobody reads on.
            assert ended
        backend.close()


def test_an_event_counts_the_requests_that_were_sent() -> None:
    events: list[RequestEvent] = []
    with slow(OK) as (url, ended):
        backend = S3Boto3Backend(
            "bucket",
            endpoint_url=url,
            region_name="us-east-1",
            key="k",
            secret="s",
            connect_timeout=1,
            # A busy machine may send its next byte late.
            read_timeout=1,
            retry=RetryPolicy(3),
            on_event=events.append,
        )
        with pytest.raises(BackendUnavailable) as caught:
            backend.write("a", b"1", overwrite=True)
        assert caught.value.code == "TooSlow"
        until = time.monotonic() + 5
        while not ended and time.monotonic() < until:
            time.sleep(0.01)
        assert [event.attempts for event in events] == [len(ended)] == [1]
        backend.close()


def test_all_attempts_of_a_client_of_the_user_have_one_limit() -> None:
    with slow(OK) as (url, _):
        config = SHORT.merge(Config(retries={"total_max_attempts": 2}))
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="k",
            aws_secret_access_key="s",
            config=config,
        )
        backend = S3Boto3Backend("bucket", client=client)
        with pytest.raises(BackendUnavailable) as caught:
            backend.get_file_info("a")
        assert caught.value.code == "TooSlow"


def test_a_block_that_ends_in_time_is_left_alone() -> None:
    watch = Watch(SHORT, attempts=1)
    with watch.request(0):
        pass
    with pytest.raises(ValueError, match="mine"), watch.reading():
        raise ValueError("mine")
    assert not watch._limits


def test_blocks_of_one_thread_may_be_nested() -> None:
    watch = Watch(SHORT, attempts=1)
    with watch.request(0):
        outer = dict(watch._limits)
        with watch.reading():
            assert watch._limits != outer
        assert watch._limits == outer
    assert not watch._limits


def test_an_attempt_begins_its_limit_again() -> None:
    watch = Watch(SHORT, attempts=1)
    watch.restart()
    with watch.request(0):
        (limit,) = watch._limits.values()
        assert limit.is_over(time.monotonic() + 1)
        time.sleep(0.02)
        before = limit._until
        watch.restart(request=None)
        assert limit._until > before


def test_the_watching_thread_ends_when_there_is_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "IDLE_TICKS", 1)
    watch = Watch(SHORT, attempts=1)
    with watch.request(0):
        assert watch._runs
    until = time.monotonic() + 10
    while watch._runs and time.monotonic() < until:
        time.sleep(0.01)
    assert not watch._runs
    with watch.request(0):
        assert watch._runs


def test_close_ends_the_watching_thread_once_there_are_no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "IDLE_TICKS", 1_000_000)
    watch = Watch(SHORT, attempts=1)
    with watch.request(0):
        watch.close()
        time.sleep(3 * watch._tick)
        assert watch._runs
    until = time.monotonic() + 10
    while watch._runs and time.monotonic() < until:
        time.sleep(0.01)
    assert not watch._runs
    with watch.request(0):
        assert watch._runs


def test_requests_are_sent_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    watch = Watch(SHORT, attempts=1)
    with watch.request(0):
        pass
    assert not watch._runs


def test_a_request_that_seems_to_succeed_after_its_connection_was_shut_down_failed() -> None:
    watch = Watch(SHORT, attempts=1)
    with pytest.raises(Fault) as caught, watch.request(0):
        next(iter(watch._limits.values())).expired = True
    assert (caught.value.code, caught.value.transport) == ("TooSlow", True)


def test_only_sockets_have_a_descriptor() -> None:
    left, right = socket.socketpair()
    with left, right:
        connection = HTTPConnection("127.0.0.1")
        assert descriptor(connection) is None
        connection.sock = left
        assert descriptor(connection) == descriptor(left) == left.fileno()
        with left.makefile("rb") as file:
            assert descriptor(file.raw) == left.fileno()
    assert descriptor(left) is None
    assert descriptor(object()) is None


def test_nothing_is_shut_down_in_a_thread_that_has_ended() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert not shut_down(thread.ident or 0)


def test_the_socket_of_a_method_that_waits_is_shut_down() -> None:
    left, right = socket.socketpair()
    got: list[Any] = []
    with left, right:
        file = left.makefile("rb")
        thread = threading.Thread(target=lambda: got.append(file.readline()))
        thread.start()
        until = time.monotonic() + 10
        while not shut_down(thread.ident or 0) and time.monotonic() < until:
            time.sleep(0.01)
        thread.join(10)
    assert got == [b""]
