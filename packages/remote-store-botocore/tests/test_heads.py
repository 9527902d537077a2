"""What is read of a head that http.client gives up on, and that all else is read as http.client reads it."""

from __future__ import annotations

import io
from http.client import BadStatusLine, HTTPException, HTTPResponse, LineTooLong, RemoteDisconnected

import pytest

from remote_store.botocore import FinalResponse

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n"


class Wire:
    """A socket from which these bytes come."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.BytesIO(data)

    def makefile(self, *_mode: str) -> io.BytesIO:
        return self.stream


def begun(data: bytes, kind: type[HTTPResponse] = FinalResponse, method: str = "GET") -> HTTPResponse:
    response = kind(Wire(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return response


def metadata(count: int) -> bytes:
    return b"".join(b"x-amz-meta-%d: v%d\r\n" % (number, number) for number in range(count))


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        EARLY,
        EARLY * 100,
        b"HTTP/1.0 199\r\n\r\n",
        b"HTTP/1.1  103  Early\n\n",
        b"HTTP/1.1 103 Early\r\n" + metadata(500) + b"\r\n",
    ],
)
def test_informational_responses_are_read_past(before):
    response = begun(before + OK + b"\r\nbody")
    assert (response.status, response.getheader("Link"), response.read()) == (200, None, b"body")
    assert response.isclosed()


@pytest.mark.parametrize("before", [EARLY * 101, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"])
def test_without_a_final_response_there_is_none(before):
    with pytest.raises(BadStatusLine):
        begun(before + OK + b"\r\nbody")


@pytest.mark.parametrize("count", [1, 99, 100, 150, 999])
def test_header_lines_are_read_by_the_hundred(count):
    response = begun(b"HTTP/1.1 200 OK\r\n" + metadata(count - 1) + b"ETag: e\r\n\r\n")
    assert len(response.headers) == count
    assert response.getheader("ETag") == "e"
    if count > 1:
        assert response.headers is response.msg
        assert response.getheader(f"x-amz-meta-{count - 2}") == f"v{count - 2}"


@pytest.mark.parametrize(
    "lines",
    [
        metadata(1001),
        b"X-Other: v\r\n" * 101,
        b"x-amz-meta-long: " + b"v" * (1024 * 1024) + b"\r\n",
        b"x-amz-meta-k: " + b"v" * 60_000 + b"\r\n" + (b"x-amz-meta-k: " + b"v" * 60_000 + b"\r\n") * 18,
    ],
    ids=["1001 lines", "101 others", "one of 1 MiB", "1 MiB"],
)
def test_more_than_that_is_refused_as_no_retry_mends_it(lines):
    with pytest.raises(HTTPException) as caught:
        begun(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n")
    assert type(caught.value) is HTTPException


@pytest.mark.parametrize(
    "data,expected",
    [
        (b"", RemoteDisconnected),
        (b"HTTP/1.1 200 OK\r\nETag: e\r\n", RemoteDisconnected),
        (b"HTTP/1.1 200 OK", RemoteDisconnected),
        (EARLY, RemoteDisconnected),
        (b"220 smtp.example.com ESMTP\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 abc\r\n\r\n", BadStatusLine),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", LineTooLong),
    ],
)
def test_what_is_no_whole_head_is_refused(data, expected):
    wire = Wire(data)
    response = FinalResponse(wire, method="GET")  # type: ignore[arg-type]
    with pytest.raises(expected):
        response.begin()
    response.close()
    assert wire.stream.closed


@pytest.mark.parametrize(
    "data,method",
    [
        (OK + b"\r\nbody", "GET"),
        (OK + b"\r\n", "HEAD"),
        (b"HTTP/1.1 204 Gone\r\n\r\n", "DELETE"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 OK\r\nx-amz-meta-a: 1\r\nConnection: close\r\nX-AMZ-META-A: \xc3\xa9\r\n\r\nbody", "GET"),
        (b"HTTP/1.0 200 OK\r\nx-amz-meta-a: one\r\n  two\r\nETag: e\r\n three\r\n\r\nbody", "GET"),
        (b"HTTP/1.1 200 OK\r\nx-amz-meta-a: 1\r\nno colon\r\nETag: e\r\n\r\nbody", "GET"),
        (b"HTTP/1.1 200 OK\nx-amz-meta-a: 1\nContent-Length: 2\n\nbody", "GET"),
    ],
)
def test_any_other_head_is_read_as_http_client_reads_it(data, method):
    ours, theirs = begun(data, method=method), begun(data, HTTPResponse, method)
    facts = ("status", "reason", "version", "length", "chunked", "will_close")
    assert [getattr(ours, name) for name in facts] == [getattr(theirs, name) for name in facts]
    assert ours.headers.items() == theirs.headers.items()
    assert ours.read() == theirs.read()
    ours.begin()
