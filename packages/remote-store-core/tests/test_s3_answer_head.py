from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remote_store.core.s3.answer_head import PlainAnswer, plain_pool, read_plain_heads

STATUS_LINES = st.sampled_from(
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 206 Partial Content",
        "HTTP/1.1 206 ",
        "HTTP/1.1 200",
        "HTTP/1.1 200  two  words \t",
        "HTTP/1.1 200 \xe9",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 404 Not Found",
        "HTTP/1.0 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/2 200 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 OK",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK",
        "nonsense",
        "",
    ]
)
NAMES = st.sampled_from(
    [
        *("Content-Length", "content-length", "Transfer-Encoding", "Connection", "Keep-Alive", "Content-Type", "ETag"),
        *("x-amz-meta-a", "X-Content-Length", "A b", "\xe9", "", " Folded", "\tContent-Length", "From ", "a\x00b"),
    ]
)
VALUES = st.sampled_from(
    [
        *("3", "0", "03", "-1", "+3", "3_0", " 3", "3 ", "\t3", "", "three", "9" * 19, "9" * 20, "9" * 5000),
        *("chunked", "close", "keep-alive", "Keep-Alive, close", "multipart/mixed; boundary=b", "multipart/mixed"),
        *("\xe9\x85\x0b", "a\rb", "a\nb", "a\r\n b", "a: b", "=?utf-8?q?=C3=A9?=", "\x00", "v" * 70_000),
    ]
)
SEPARATORS = st.sampled_from([":", ": ", ":\t ", " : ", ""])
ENDS = st.sampled_from(["\r\n"] * 6 + ["\n", "\r"])
FIELDS = st.tuples(NAMES, SEPARATORS, VALUES, ENDS).map("".join)
HEADS = st.tuples(
    STATUS_LINES,
    ENDS,
    st.lists(FIELDS, max_size=5).map("".join),
    st.sampled_from(["Content-Length: 3\r\n", "Connection: keep-alive\r\n", ""]),
    st.sampled_from(["\r\n"] * 6 + ["\n", ""]),
).map("".join)
BODIES = st.sampled_from([b"abcdef", b"", b"3\r\nabc\r\n0\r\n\r\n"])
USUAL = 'HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\nETag:"e"\r\nx-amz-meta-a:\t v \r\nContent-Length: 3\r\n\r\n'


def received(kind: type[HTTPResponse], *pieces: bytes, method: str = "GET") -> Any:
    """What a response reads of bytes that come over a socket, or what it raises."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=send, args=(theirs, pieces))
        sender.start()
        answer = kind(ours, method=method)
        try:
            answer.begin()
            framing = answer.version, answer.chunked, answer.length, answer.will_close, answer.code
            said = answer.status, answer.reason, answer.msg.items(), answer.headers.items(), answer.getheaders()
            return framing, said, answer.read()
        except (HTTPException, ConnectionError, OverflowError, MemoryError) as error:
            # The last two are what http.client makes of a length that no memory has.
            return type(error), str(error)
        finally:
            answer.close()
            ours.close()
            sender.join()


def send(connection: socket.socket, pieces: tuple[bytes, ...]) -> None:
    try:
        for piece in pieces:
            connection.sendall(piece)
    except ConnectionError:
        # The reader has refused what came before.
        return
    connection.close()


@given(HEADS, BODIES, st.sampled_from(["GET", "HEAD", "PUT"]))
@example(USUAL, b"abcdef", "GET")
@example(USUAL, b"", "HEAD")
@example(USUAL, b"ab", "GET")
@example(USUAL.replace("Content-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n"), b"abcdef", "GET")
@example(
    USUAL.replace("Content-Length: 3\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), b"0\r\n\r\n", "GET"
)
@example(USUAL.replace("Content-Length: 3\r\n", "Content-Length: 3\r\nConnection: close\r\n"), b"abcdef", "GET")
@example(USUAL.replace("Content-Length: 3", "Content-Length: " + "9" * 19), b"abc", "GET")
@example(USUAL.replace("Content-Length: 3", "Content-Length: " + "9" * 18), b"abc", "GET")
@example(USUAL.replace("ETag", "a: b\r\n" * 98 + "ETag"), b"abc", "GET")
@example(USUAL.replace("ETag", "a: b\r\n" * 96 + "ETag"), b"abc", "GET")
@example(USUAL.replace("ETag", "a: " + "b" * 9000 + "\r\nETag"), b"abc", "GET")
def test_an_answer_reads_as_http_client_reads_it(head: str, body: bytes, method: str) -> None:
    raw = head.encode("iso-8859-1") + body
    assert received(PlainAnswer, raw, method=method) == received(HTTPResponse, raw, method=method)


@pytest.mark.parametrize("cut", [1, 20, 40, len(USUAL) - 2, len(USUAL)])
def test_a_head_that_comes_in_pieces_reads_as_one_that_comes_whole(cut):
    raw = USUAL.encode() + b"abc"
    assert received(PlainAnswer, raw[:cut], raw[cut:]) == received(HTTPResponse, raw)


def parsed_as_mail(raw: bytes, debuglevel: int = 0) -> bool:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        answer = PlainAnswer(ours, debuglevel, method="GET")
        answer.begin()
        # Only what was parsed has a payload, an empty one.
        payload = answer.msg.get_payload()
        answer.close()
    return payload is not None


def test_only_an_unusual_head_is_parsed_as_mail():
    assert not parsed_as_mail(USUAL.encode())
    assert not parsed_as_mail(USUAL.replace("Content-", "Connection: keep-alive\r\nContent-").encode())
    assert parsed_as_mail(USUAL.replace("200", "404").encode())
    assert parsed_as_mail(USUAL.replace("ETag", "a: b\r\n c\r\nETag").encode())
    assert parsed_as_mail(USUAL.replace("Content-Length", "X-Length").encode())


def test_who_debugs_http_client_sees_the_head(capsys):
    assert parsed_as_mail(USUAL.encode(), debuglevel=1)
    assert "header: ETag" in capsys.readouterr().out


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_arguments):
        pass


class Pool:
    ConnectionCls = HTTPConnection


def test_the_connections_of_a_client_read_their_answers_so_and_are_used_again():
    client = SimpleNamespace(
        _endpoint=SimpleNamespace(http_session=SimpleNamespace(_pool_classes_by_scheme={"http": Pool}))
    )
    read_plain_heads(client)
    pool = client._endpoint.http_session._pool_classes_by_scheme["http"]
    assert issubclass(pool, Pool)
    assert pool is plain_pool(Pool)
    assert Pool.ConnectionCls.response_class is HTTPResponse
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = pool.ConnectionCls(*server.server_address)
        for _ in range(2):
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert isinstance(answer, PlainAnswer)
            assert answer.read() == b"hello"
        connection.close()
        server.shutdown()


def test_a_client_without_such_pools_stays_as_it_is():
    read_plain_heads(SimpleNamespace())
