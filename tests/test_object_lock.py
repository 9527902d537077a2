"""A server with Object Lock takes no body without a checksum (S3 API Reference, PutObject and UploadPart)."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import RemoteStoreError, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

MIB = 1024 * 1024
PART = 5 * MIB
UNTIL = datetime.now(UTC) + timedelta(days=1)
LOCKS: dict[str, dict[str, Any]] = {
    "mode": {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": UNTIL},
    "legal hold": {"ObjectLockLegalHoldStatus": "ON"},
    "by default of the bucket": {},
    "checksum of the user's choice": {"ObjectLockLegalHoldStatus": "ON", "ChecksumAlgorithm": "SHA256"},
}
DONE = b"<%s xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>%s</%s>"
REFUSED = b"<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- is required</Message></Error>"


class Locked(BaseHTTPRequestHandler):
    """One bucket with Object Lock, which forgets what it is sent."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        copied = "x-amz-copy-source" in headers
        self.server.puts.append(headers)
        if not copied and not self._is_summed(headers, body):
            self._answer(400, REFUSED)
        elif copied:
            self._answer(200, DONE % (b"CopyObjectResult", b'<ETag>"e"</ETag>', b"CopyObjectResult"))
        else:
            self._answer(200, b"")

    def _is_summed(self, headers: dict[str, str], body: bytes) -> bool:
        if (told := headers.get("content-md5")) is not None:
            return base64.b64decode(told) == hashlib.md5(body, usedforsecurity=False).digest()
        return "x-amz-trailer" in headers or any(name.startswith("x-amz-checksum-") for name in headers)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        begins = "uploads" in parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        name = b"InitiateMultipartUploadResult" if begins else b"CompleteMultipartUploadResult"
        self._answer(200, DONE % (name, b'<UploadId>u</UploadId><Key>k</Key><ETag>"e-2"</ETag>', name))

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_DELETE(self) -> None:
        self._answer(204, b"")

    def _answer(self, status: int, document: bytes) -> None:
        self.send_response(status)
        self.send_header("x-amz-request-id", "1")
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Locked)
        self.puts: list[dict[str, str]] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend, S3PyArrowBackend])
@pytest.mark.parametrize("lock", list(LOCKS))
def test_every_body_has_a_checksum_and_every_object_its_lock(lane: Any, lock: str, server: Server) -> None:
    options = {"key": "AKID", "secret": "hush", "region_name": "us-east-1", "retry": RetryPolicy(1), "part_size": PART}
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with lane("bucket", endpoint_url=url, put_options=LOCKS[lock], **options) as backend:
        backend.write("k", b"x", overwrite=True)
        backend.write("empty", b"", overwrite=True)
        backend.write("parts", b"x" * (PART + 1), overwrite=True)
        backend.copy("k", "copy", overwrite=True)
    assert len(server.puts) == 5
    asked = [headers for headers in server.puts if any(name.startswith("x-amz-object-lock-") for name in headers)]
    # Not the two parts: CreateMultipartUpload asks for the lock of their object.
    assert len(asked) == (0 if lock == "by default of the bucket" else 3)


def test_the_server_refuses_a_body_without(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "md5", _no_md5)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with (
        S3Boto3Backend("bucket", endpoint_url=url, key="k", secret="s", region_name="us-east-1") as backend,
        pytest.raises(RemoteStoreError, match="Content-MD5 OR x-amz-checksum"),
    ):
        backend.write("k", b"x", overwrite=True)


def _no_md5(*_arguments: Any, **_options: Any) -> Any:
    raise ValueError("no MD5 in this build of OpenSSL")
