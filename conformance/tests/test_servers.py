from __future__ import annotations

import builtins
import contextlib
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.faults import Answer, DropHeaders, LostAnswer, gather
from remote_store.conformance.servers import dead_endpoint, moto_server, seaweedfs_server, sign_v4
from remote_store.conformance.servers.server import request


@pytest.fixture(scope="module")
def seaweedfs():
    with seaweedfs_server() as server:
        server.create_bucket("facts")
        yield server


@pytest.fixture(scope="module")
def moto():
    with moto_server() as server:
        server.create_bucket("facts")
        yield server


@pytest.fixture(scope="module", params=["moto", "seaweedfs"])
def server(request):
    return request.getfixturevalue(request.param)


def ask(server, method, path, body=None, *, url=None, secret=None, key=None, **headers):
    whole = (url or server.url) + path
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = sign_v4(
        method, whole, key=key or server.key, secret=secret or server.secret, region=server.region, headers=names
    )
    parts = urllib.parse.urlsplit(whole)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, path, body, signed)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_objects_in_a_bucket(server):
    assert ask(server, "PUT", "/facts/a%20key", b"content")[0] == 200
    assert ask(server, "GET", "/facts/a%20key") == (200, b"content")
    status, listing = ask(server, "GET", "/facts?list-type=2&prefix=a%20")
    assert status == 200
    assert b"<Key>a key</Key>" in listing


def test_a_bucket_that_nobody_created_is_missing_also_after_a_write(server):
    for method, path, body in [
        ("PUT", "/nowhere/key", b"x"),
        ("GET", "/nowhere/key", None),
        ("GET", "/nowhere?list-type=2", None),
    ]:
        status, answer = ask(server, method, path, body)
        assert status == 404
        assert b"<Code>NoSuchBucket</Code>" in answer
    assert ask(server, "HEAD", "/nowhere")[0] == 404


def test_seaweedfs_refuses_a_wrong_secret_and_an_unknown_key(seaweedfs):
    status, answer = ask(seaweedfs, "GET", "/facts?list-type=2", secret="wrong")
    assert (status, b"SignatureDoesNotMatch" in answer) == (403, True)
    status, answer = ask(seaweedfs, "GET", "/facts?list-type=2", key="wrong")
    assert (status, b"InvalidAccessKeyId" in answer) == (403, True)


def test_a_bucket_is_created_once(seaweedfs):
    seaweedfs.create_bucket("once")
    with pytest.raises(RuntimeError, match="BucketAlreadyOwnedByYou"):
        seaweedfs.create_bucket("once")


def test_there_is_room_for_many_buckets(seaweedfs):
    for number in range(60):
        seaweedfs.create_bucket(f"many-{number}")
        assert ask(seaweedfs, "PUT", f"/many-{number}/key", b"x")[0] == 200


def test_two_servers_at_a_time_know_nothing_of_each_other(seaweedfs):
    with seaweedfs_server(key="other", secret="other-secret") as other:
        other.create_bucket("elsewhere")
        assert ask(other, "HEAD", "/elsewhere")[0] == 200
        assert ask(seaweedfs, "HEAD", "/elsewhere")[0] == 404
        assert ask(seaweedfs, "HEAD", "/facts", url=other.url)[0] == 403


def test_nothing_of_seaweedfs_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with seaweedfs_server() as server:
        assert list(tmp_path.iterdir())
        assert ask(server, "HEAD", "/facts")[0] == 404
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        ask(server, "HEAD", "/facts")
    assert "suite-secret" not in repr(server)


def test_seaweedfs_dies_with_its_parent(tmp_path):
    program = (
        "import time\n"
        "from remote_store.conformance.servers import seaweedfs_server\n"
        "with seaweedfs_server() as server:\n"
        "    print(server.url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:
        url = child.stdout.readline().strip()
        netloc = urllib.parse.urlsplit(url).netloc
        with contextlib.closing(http.client.HTTPConnection(netloc, timeout=20)) as connection:
            connection.connect()
        child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, "the data of a dead server is still there"
        time.sleep(0.05)
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(netloc, timeout=20).connect()


def test_a_server_that_does_not_start_shows_its_log(tmp_path, monkeypatch):
    broken = tmp_path / "weed"
    broken.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("remote_store.conformance.servers.seaweedfs._weed", lambda: str(broken))
    with pytest.raises(RuntimeError, match=r"exit code 3.*(?s:.*)out of luck"), seaweedfs_server():
        pytest.fail("it started")


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with (
        pytest.raises(FileNotFoundError, match=r"pip install .remote-store-conformance\[servers\]"),
        seaweedfs_server(),
    ):
        pytest.fail("it started")
    real = builtins.__import__

    def without_moto(name, *arguments, **options):
        if name.partition(".")[0] == "moto":
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_moto)
    with pytest.raises(ImportError, match=r"pip install .remote-store-conformance\[servers\]"), moto_server():
        pytest.fail("it started")


def test_nothing_listens_at_a_dead_endpoint():
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(urllib.parse.urlsplit(dead_endpoint()).netloc, timeout=20).connect()


def test_signatures_hold_through_the_endpoint_and_its_counts_are_of_s3(seaweedfs):
    body = os.urandom(3_000_000)
    with Endpoint(seaweedfs.url) as endpoint:
        assert ask(seaweedfs, "PUT", "/facts/through%2Bit", body, url=endpoint.url)[0] == 200
        assert ask(seaweedfs, "GET", "/facts/through%2Bit", url=endpoint.url) == (200, body)
        status, part = ask(seaweedfs, "GET", "/facts/through%2Bit", url=endpoint.url, range="bytes=5-9")
        assert (status, part) == (206, body[5:10])
        assert ask(seaweedfs, "PUT", "/facts/copy", url=endpoint.url, x_amz_copy_source="/facts/through%2Bit")[0] == 200
        assert ask(seaweedfs, "GET", "/facts/copy", url=endpoint.url, secret="wrong")[0] == 403
        assert endpoint.operations() == ["PutObject", "GetObject", "GetObject", "CopyObject", "GetObject"]


def test_faults_in_front_of_s3(server):
    with Endpoint(server.url) as endpoint:
        endpoint.inject(LostAnswer(), operation="PutObject")
        with pytest.raises(ConnectionResetError):
            ask(server, "PUT", "/facts/lost", b"committed", url=endpoint.url)
        assert ask(server, "GET", "/facts/lost") == (200, b"committed")
        endpoint.inject(Answer(503, "SlowDown"), operation="GetObject")
        status, answer = ask(server, "GET", "/facts/lost", url=endpoint.url)
        assert (status, b"<Code>SlowDown</Code>" in answer) == (503, True)


def test_conditions_are_kept_and_hidden_ones_are_ignored(moto):
    with Endpoint(moto.url) as endpoint:
        assert ask(moto, "PUT", "/facts/condition", b"one", url=endpoint.url)[0] == 200
        assert ask(moto, "PUT", "/facts/condition", b"two", url=endpoint.url, if_none_match="*")[0] == 412
        endpoint.inject(DropHeaders(("If-None-Match",)))
        assert ask(moto, "PUT", "/facts/condition", b"three", url=endpoint.url, if_none_match="*")[0] == 200


def test_a_gathered_race_on_a_real_server_has_one_winner(seaweedfs):
    statuses = []
    with Endpoint(seaweedfs.url) as endpoint:
        endpoint.inject(gather(4), times=4)

        def create():
            with contextlib.suppress(ConnectionError):
                statuses.append(ask(seaweedfs, "PUT", "/facts/race", b"x", url=endpoint.url, if_none_match="*")[0])

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200, 412, 412, 412]


@pytest.mark.parametrize("resets", [1, 2])
def test_a_connection_that_a_busy_server_resets_is_tried_once_more(resets: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for number in range(2):
                accepted, _ = listening.accept()
                with accepted:
                    accepted.recv(65536)
                    if number < resets:
                        # Closing with a linger time of 0 sends a reset.
                        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/bucket"
        if resets == 1:
            assert request("PUT", url, {}) == (200, b"ok")
        else:
            with pytest.raises(ConnectionResetError):
                request("PUT", url, {})
        server.join(timeout=10)
