"""The application as curl sees it."""

from __future__ import annotations

import contextlib
import hashlib
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import served

from conftest import Site
from remote_store.core import Capability, MemoryBackend, Reader, Store

MIB = 1 << 20
DATA = random.Random(1).randbytes(3 * MIB + 5)

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed; apt-get install curl")


def curl(*arguments: object, sent: bytes | None = None, fails: int | None = None) -> bytes:
    """Run curl. Returns what it prints.

    Args:
        arguments: Its arguments.
        sent: Its standard input.
        fails: The exit code that is expected instead of 0.
    """
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", *map(str, arguments)]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60)
    assert done.returncode == (fails or 0), (done.returncode, done.stderr, done.stdout[:500])
    return done.stdout


def status(*arguments: object, sent: bytes | None = None) -> int:
    """The status of a response, whose body is not kept."""
    return int(curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments, sent=sent))


def eventually(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_download(site: Site) -> None:
    site.store.write("d/é a.bin", DATA, content_type="text/x-log")
    url = f"{site.url}/files/d/%C3%A9%20a.bin"
    with site.endpoint.recording() as requests:
        assert curl(url) == DATA
    assert [request.operation for request in requests] == ["GetObject"]
    with site.endpoint.recording() as requests:
        head = curl("--head", url).decode().lower()
    assert [request.operation for request in requests] == ["HeadObject"]
    assert f"content-length: {len(DATA)}\r\n" in head
    assert "content-type: text/x-log\r\n" in head
    assert "accept-ranges: bytes\r\n" in head
    assert status(f"{site.url}/files/none") == 404
    assert status("--path-as-is", f"{site.url}/files/../secret") in {400, 404}
    assert status("--path-as-is", f"{site.url}/files/%2e%2e/secret") == 400


def test_ranges(site: Site) -> None:
    site.store.write("a.bin", DATA)
    url = f"{site.url}/files/a.bin"
    with site.endpoint.recording() as requests:
        assert curl("--range", "5-9", url) == DATA[5:10]
    assert [request.operation for request in requests] == ["HeadObject", "GetObject"]
    assert curl("--range", "-7", url) == DATA[-7:]
    with site.endpoint.recording() as requests:
        assert curl("--range", f"{MIB}-", url) == DATA[MIB:]
    assert [request.operation for request in requests] == ["GetObject", "GetObject"]
    assert status("--range", "5-9", url) == 206
    assert status("--range", "0-1,5-9", url) == 200
    assert status("--range", f"{len(DATA)}-", url) == 416


def test_a_download_is_continued(site: Site, tmp_path: Path) -> None:
    site.store.write("a.bin", DATA)
    part = tmp_path / "a.bin"
    part.write_bytes(DATA[: 2 * MIB])
    curl("--continue-at", "-", "--output", part, f"{site.url}/files/a.bin")
    assert part.read_bytes() == DATA
    assert site.seen.requests[-1][2:] == (f"bytes={2 * MIB}-", 206)


def test_a_client_that_has_the_file_gets_no_body(site: Site, tmp_path: Path) -> None:
    site.store.write("a.bin", DATA)
    url, copy, tag = f"{site.url}/files/a.bin", tmp_path / "a.bin", tmp_path / "tag"
    curl("--remote-time", "--output", copy, "--etag-save", tag, url)
    with site.endpoint.recording() as requests:
        assert status("--etag-compare", tag, url) == 304
        assert status("--time-cond", copy, url) == 304
    assert [request.operation for request in requests] == ["HeadObject", "HeadObject"]
    site.store.write("a.bin", b"new", overwrite=True)
    assert status("--etag-compare", tag, url) == 200


def test_a_client_follows_a_link_to_the_storage(site: Site) -> None:
    site.store.write("a.bin", DATA)
    with site.endpoint.recording() as requests:
        assert curl("--location", "--range", "5-9", f"{site.url}/linked/a.bin") == DATA[5:10]
        assert status("--location", "--head", f"{site.url}/linked/a.bin") == 200
    assert [request.operation for request in requests] == ["GetObject", "HeadObject"]
    assert status("--location", f"{site.url}/linked/none") == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload(site: Site, tmp_path: Path, chunked: bool) -> None:
    file = tmp_path / "b.bin"
    large = DATA * 3
    file.write_bytes(large)
    source = "-" if chunked else file
    url = f"{site.url}/files/d/b.bin"
    made = curl("--include", "--upload-file", source, "--header", "Content-Type: video/mp4", url, sent=large)
    assert b" 201 " in made
    assert b"location: /files/d/b.bin\r\n" in made
    info = site.store.head("d/b.bin")
    assert f'etag: "{info.etag}"\r\n'.encode() in made
    assert (info.size, info.content_type) == (len(large), "video/mp4")
    assert site.store.read_bytes("d/b.bin") == large
    assert status("--upload-file", source, url, sent=large) == 409
    assert status("--upload-file", source, "--header", "If-None-Match: *", url, sent=large) == 412
    swaps = site.store.supports(Capability.COMPARE_AND_SWAP)
    for tag, expected in (("other", 412), (info.etag, 200)):
        header = f'If-Match: "{tag}"'
        assert status("--upload-file", source, "--header", header, url, sent=large) == (expected if swaps else 501)
    assert status("--request", "DELETE", url) == 204
    assert not site.store.exists("d/b.bin")


def test_a_checksum(site: Site) -> None:
    url = f"{site.url}/files/c"
    good = b64encode(hashlib.sha256(DATA).digest()).decode()
    for digest, expected in ((b64encode(bytes(32)).decode(), 400), (good, 201)):
        header = f"Content-Digest: sha-256=:{digest}:"
        assert status("--upload-file", "-", "--header", header, url, sent=DATA) == expected
        assert site.store.exists("c") == (expected == 201)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_too_large(site: Site, tmp_path: Path, chunked: bool) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(served.LIMIT + 1))
    source = "-" if chunked else file
    sent = file.read_bytes()
    assert status("--upload-file", source, f"{site.url}/files/large", sent=sent) == 413
    # Without waiting for the server, as clients do that send no Expect header.
    assert status("--upload-file", source, "--header", "Expect:", f"{site.url}/files/large", sent=sent) == 413
    assert not site.store.exists("large")


def test_an_upload_that_breaks_off(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(served.LIMIT))
    upload = ("--upload-file", file, "--limit-rate", "8M", "--max-time", "1", f"{site.url}/files/half")
    curl(*upload, fails=28)
    place = urlsplit(site.url)
    for length in ("Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n32\r\n"):
        with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
            connection.sendall(f"PUT /files/half HTTP/1.1\r\nHost: a\r\n{length}0123456789".encode())
    eventually(lambda: list(site.store.list_uploads()) == [])
    time.sleep(0.2)
    assert not site.store.exists("half")


def test_a_client_that_goes_away_frees_the_connection(site: Site) -> None:
    site.store.write("large", bytes(64 * MIB))
    for _ in range(12):
        curl("--limit-rate", "1M", "--max-time", "0.3", "--output", "/dev/null", f"{site.url}/files/large", fails=28)
    eventually(lambda: site.endpoint.open_connections <= 1)
    assert status("--range", "5-9", f"{site.url}/files/large") == 206


def test_a_slow_client_slows_down_the_reading() -> None:
    read: list[int] = []

    class Counting(Store):
        def read(self, path: str, **options: Any) -> Reader:
            file = super().read(path, **options)
            take = file.read

            def counted(size: int | None = -1, /) -> bytes:
                data = take(size)
                read.append(len(data))
                return data

            file.read = counted  # type: ignore[method-assign]
            return file

    store = Counting(MemoryBackend())
    store.write("large", bytes(100 * MIB))
    with served.running(served.application(store)) as url:
        curl("--limit-rate", "1M", "--max-time", "1.5", "--output", "/dev/null", f"{url}/files/large", fails=28)
        # What was read and not sent is in the buffers of the sockets.
        assert MIB < sum(read) < 25 * MIB


def test_slow_clients_keep_nobody_out(site: Site) -> None:
    site.store.write("large", bytes(64 * MIB))
    site.store.write("small", b"hello")
    narrow = served.store_of(site.lane, site.bucket, **{**site.place, "max_connections": 2, "max_concurrency": 2})
    with served.running(served.application(narrow)) as url, contextlib.ExitStack() as clients:
        for _ in range(4):
            response = clients.enter_context(urllib.request.urlopen(f"{url}/files/large", timeout=20))
            assert response.read(1) == b"\0"
        assert curl(f"{url}/files/small") == b"hello"
