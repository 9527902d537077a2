"""Servers that send objects in chunks, without a Content-Length: read whole or refused, and never cut short."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import Backend, RemoteStoreError, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

each_lane = pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend, S3PyArrowBackend])
PLACE: dict[str, Any] = {"key": "k", "secret": "s", "region_name": "us-east-1", "retry": RetryPolicy(2)}
ETAG = '"e"'


@dataclass
class Chunked:
    """An object that is sent in chunks.

    Attributes:
        content: The object.
        ranges: Whether ranges are honoured.
        chunked: Whether the body is chunked, so that its framing shows its end; else the end of the connection does.
        cuts: How many ranges are cut, in the middle and without a last chunk.
        seen: Range and condition of each GET.
    """

    content: bytes
    ranges: bool = True
    chunked: bool = True
    cuts: int = 0
    seen: list[tuple[str | None, str | None]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: Chunked

    def do_HEAD(self) -> None:
        self.begin(200)

    def do_GET(self) -> None:
        told = self.headers["Range"]
        self.s3.seen.append((told, self.headers["If-Match"]))
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", told or "") if self.s3.ranges else None
        content = self.s3.content
        if found is None:
            self.begin(200)
        elif not content:
            self.send_response(416)
            self.send_header("x-amz-request-id", "R")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        else:
            first, last = int(found[1]), min(int(found[2] or len(content)), len(content) - 1)
            self.begin(206, f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        is_cut = found is not None and self.s3.cuts > 0 and len(content) > 1
        if is_cut:
            self.s3.cuts -= 1
            content = content[: len(content) // 2]
        for start in range(0, len(content), 50_000):
            self.send(content[start : start + 50_000])
        if self.s3.chunked and not is_cut:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = is_cut or not self.s3.chunked

    def begin(self, status: int, content_range: str | None = None) -> None:
        self.send_response(status)
        self.send_header("ETag", ETAG)
        self.send_header("x-amz-request-id", "R")
        if content_range is not None:
            self.send_header("Content-Range", content_range)
        if self.s3.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if self.s3.chunked else data)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Chunked], str]]:
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(s3: Chunked) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfOne", (Handler,), {"s3": s3}))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


READS: dict[str, Callable[[Backend], bytes]] = {
    "read_bytes": lambda backend: backend.read_bytes("k"),
    "read": lambda backend: backend.read("k").read(),
    "read_seekable": lambda backend: backend.read_seekable("k").read(),
}
each_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


@each_lane
@each_read
@pytest.mark.parametrize("size", [0, 5, 300_000])
@pytest.mark.parametrize("chunked", [True, False])
def test_an_object_without_a_length_is_read_whole(
    lane: Any, serve: Any, read: Callable[[Backend], bytes], size: int, chunked: bool
) -> None:
    content = bytes(range(250)) * (size // 250) + b"x" * (size % 250)
    s3 = Chunked(content, chunked=chunked)
    with lane("bucket", endpoint_url=serve(s3), **PLACE) as backend:
        assert read(backend) == content
    # The first GET, one for the size, one for the content.
    assert len(s3.seen) <= 3
    assert {condition for _, condition in s3.seen[1:]} <= {ETAG}


@each_lane
@each_read
def test_a_chunked_body_that_is_cut_is_read_again(lane: Any, serve: Any, read: Callable[[Backend], bytes]) -> None:
    s3 = Chunked(bytes(range(250)) * 1200, cuts=1)
    with lane("bucket", endpoint_url=serve(s3), **PLACE) as backend:
        assert read(backend) == s3.content
    assert s3.cuts == 0
    assert {condition for _, condition in s3.seen[1:]} <= {ETAG}


@each_lane
@pytest.mark.parametrize("read", [READS["read_bytes"], READS["read"]], ids=["read_bytes", "read"])
def test_a_large_object_without_a_length_is_read_as_ranges(
    lane: Any, serve: Any, read: Callable[[Backend], bytes]
) -> None:
    s3 = Chunked(bytes(range(256)) * 4096 * 21)
    with lane("bucket", endpoint_url=serve(s3), part_size=5 * 1024 * 1024, **PLACE) as backend:
        assert read(backend) == s3.content
    assert len(s3.seen) >= 5


@each_lane
def test_the_size_is_told_and_a_part_is_read(lane: Any, serve: Any) -> None:
    with lane("bucket", endpoint_url=serve(Chunked(b"0123456789")), **PLACE) as backend:
        assert backend.get_file_info("k").size == 10
        assert backend.read_range("k", 3, 4) == b"3456"


@each_lane
@each_read
def test_an_object_whose_size_nobody_tells_is_refused(lane: Any, serve: Any, read: Callable[[Backend], bytes]) -> None:
    s3 = Chunked(b"0123456789", ranges=False)
    with lane("bucket", endpoint_url=serve(s3), **PLACE) as backend, pytest.raises(RemoteStoreError) as caught:
        read(backend)
    assert (caught.value.code, caught.value.retryable) == ("MissingContentLength", False)
    assert "size" in str(caught.value)
